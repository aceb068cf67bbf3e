"""kill -9 of the server at random moments of a running pipeline: no step is lost, none has its effect twice, results are published once.

Each step writes one line to a file that nothing else touches. 5 kills, 200 in the full tier."""
import collections
import json
import os
import random
import sqlite3
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from harness import FULL, Gyre  # noqa: E402

KILLS = 200 if FULL else 5
ITEMS = 40

PIPELINE = '''name: chaos
params: {{items: {{type: list, default: {items}}}}}
steps:
  first: {{shell: 'echo first >> {effects}; echo 1 > "$GYRE_OUTPUT_N"', outputs: {{n: int}}}}
  loop:
    shell: 'sleep 0.0$GYRE_ITEM; echo "loop $GYRE_INDEX" >> {effects}; echo "$GYRE_INDEX" > "$GYRE_OUTPUT_I"; echo "$GYRE_INDEX" > "$GYRE_OUTPUT_F"'
    needs: first
    for_each: ${{params.items}}
    outputs: {{i: int, f: file}}
  each: {{shell: 'echo "each $GYRE_INDEX" >> {effects}', needs: loop, for_each: "${{steps.loop.outputs.i}}"}}
  last: {{shell: 'echo last >> {effects}', needs: each}}
  tell: {{shell: 'echo tell >> {effects}', always: true}}
outputs: {{all: "${{steps.loop.outputs.i}}"}}
'''


def begin(g, number):
    effects = os.path.join(g.work, f'effects-{number}')
    items = [random.randint(1, 9) for _ in range(ITEMS)]
    source = PIPELINE.format(items=json.dumps(items), effects=effects)
    run = g.json('POST', '/api/v1/projects/default/pipeline_runs', {'source': source, 'key': f'run {number}'})
    return run['id'], effects


def check(g, run, effects):
    document = g.json('GET', f'/api/v1/pipeline_runs/{run}')
    assert document['state'] == 'succeeded', (document['state'], document['reason'])
    assert document['outputs']['all'] == list(range(ITEMS)), document['outputs']
    lines = collections.Counter(open(effects).read().split('\n')[:-1])
    wanted = ['first', 'last', 'tell'] + [f'{step} {i}' for step in ('loop', 'each') for i in range(ITEMS)]
    assert lines == collections.Counter(wanted), (lines - collections.Counter(wanted), collections.Counter(wanted) - lines)


def main():
    random.seed(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    with Gyre() as g:
        g.start()
        kills = runs = 0
        while kills < KILLS:
            run, effects = begin(g, runs)
            while True:
                time.sleep(random.random() * 0.4)
                state = g.json('GET', f'/api/v1/pipeline_runs/{run}?tasks=0')['state']
                if state != 'running' or kills >= KILLS:
                    break
                g.kill()
                kills += 1
                time.sleep(random.random() * 0.2)
                g.start()
            deadline = time.monotonic() + 120
            while g.json('GET', f'/api/v1/pipeline_runs/{run}?tasks=0&wait_ms=1000')['state'] == 'running':
                assert time.monotonic() < deadline, g.json('GET', f'/api/v1/pipeline_runs/{run}')
            check(g, run, effects)
            assert begin(g, runs)[0] == run, 'one key is one run'
            runs += 1
        g.stop()
        database = sqlite3.connect(os.path.join(g.data, 'gyre.db'))
        left = database.execute("SELECT COUNT(*) FROM pipeline_attempt WHERE state = 'running'").fetchone()[0]
        again = database.execute('SELECT COUNT(*) FROM pipeline_attempt WHERE number > 1').fetchone()[0]
        assert left == 0, left
        print(f'{kills} kills in {runs} runs of {2 * ITEMS + 3} tasks: nothing lost, nothing repeated, {again} attempts begun again')


if __name__ == '__main__':
    main()
