"""kill -9 of the server at every named moment of a retrain, from the window that raises an alert, or from a person's hand, to the new champion: the loop always
ends explained, never half-promoted, and the endpoint answers from the start.

Each moment begins from a copy of one data directory. Some of the list; all of it in the full tier, or those named on the command line."""
import http.client
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from harness import FULL, GYRE, Gyre  # noqa: E402
from replay import Replay  # noqa: E402
from scenarios.automation import day, first_model, firings, visits  # noqa: E402

P = '/api/v1/projects/default'
STEPS = ('champion', 'fresh', 'train', 'canary', 'promote', 'takeover')
OF = {'': ('',), 'STEP': STEPS, 'KIND': ('captures.dataset', 'training.train'), 'EVENT': ('endpoint.traffic', 'endpoint.deployed')}
OF['SUBSCRIBER'], OF['MODULE NUMBER (NAME)'] = ('automation',), ()  # no migration runs in a loop
# Of gyre upgrade --rollback, of faults/rollback.py, of faults/forget.py.
ELSEWHERE = ('rollback.ready', 'canary.rolling_back', 'captures.rewritten', 'captures.replaced')
HEARD = ('window.', 'alert.', 'event.')  # only an alert that is heard comes by here
BEGUN = ('firing.open', 'firing.judged', 'firing.starting', 'firing.launched', 'firing.running')  # and both ways
QUICK = ('alert.raised', 'event.handled:automation', 'firing.launched', 'step.begun:train', 'canary.advanced', 'step.ended:promote', 'endpoint.written:endpoint.deployed')
PARAMS = {'endpoint': 'visits', 'budget_seconds': 1, 'rows_min': 300, 'history_below': 0,
          'canary': {'weights': [0.3, 0.6], 'bake_s': 0, 'rows_min': 30, 'step_s_max': 600}}
UNWATCHED, WATCHED = {'GYRE_MONITORING_EVERY': '0'}, {'GYRE_MONITORING_EVERY': '300ms'}
GONE = (OSError, http.client.HTTPException)


def moments():
    listed = json.loads(subprocess.run([GYRE, 'faults', '-o', 'json'], capture_output=True, text=True, check=True).stdout)['items']
    every = [point['name'] + (f':{of}' if of else '') for point in listed for of in OF[point['of']] if point['name'] not in ELSEWHERE]
    assert set(QUICK) <= set(every), every
    wanted = [m for m in every if m in (sys.argv[1:] or (every if FULL else QUICK))]
    ways = [(by, m) for m in wanted for by in ('alert', 'hand') if (m.startswith(HEARD) if by == 'alert' else not m.startswith(HEARD)) or m in BEGUN]
    return [(by, m) for by, m in ways if FULL or sys.argv[1:] or by == 'hand' or m not in BEGUN]


def prepare(g):
    """A champion of yesterday's world, labelled rows of today's that no monitor has looked at, and a trigger."""
    g.start(environment=UNWATCHED)
    first_model(g)
    replay = Replay(g, 'visits', label='stays')
    day(replay, 0)
    for number in range(1, 5):
        day(replay, number, turned=True)
    g.json('POST', f'{P}/triggers', {'name': 'again', 'on': {'kind': 'hand'}, 'run': {'pipeline': 'retrain', 'params': PARAMS},
                                     'guards': {'cooldown_s': 0}})
    assert g.stop() == 0


def listen(g):
    """From now on an alert is heard as well."""
    g.start(environment=UNWATCHED)
    g.json('POST', f'{P}/triggers', {'name': 'drifted', 'on': {'kind': 'drift', 'endpoint': 'visits', 'columns': 'a'},
                                     'run': {'pipeline': 'retrain', 'params': PARAMS}})
    assert g.stop() == 0


def ask(g, rows):
    answer = g.json('POST', '/e/visits', {'inputs': [{'a': row['a'], 'b': row['b']} for row in rows]})
    assert len(answer['outputs']) == len(rows), answer
    return answer


def drive(g, until, seconds=90):
    """Traffic, which the canary waits for, until something is so."""
    rows = visits(7, 20, turned=True)
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline, (firings(g) if g.server.poll() is None else 'dead', g.log())
        ask(g, rows)
        time.sleep(0.02)


def die(g, by, moment):
    g.start(environment={'GYRE_FAULT_POINT': moment, **WATCHED}, wait=False)
    try:
        g.wait_ready()
        if by == 'hand':
            g.json('POST', f'{P}/triggers/again/fire', {'key': 'once', 'text': 'the world has moved'})
        drive(g, lambda: g.server.poll() is not None)
    except GONE:
        pass
    assert g.server.wait(10) == -9, f'{moment}: it ended with {g.server.returncode}'


def rows_of(g, sql):
    database = sqlite3.connect(f'file:{g.data}/gyre.db?mode=ro', uri=True)
    try:
        return database.execute(sql).fetchall()
    finally:
        database.close()


def check(g, by):
    fired = firings(g)
    assert (fired[0]['trigger'], fired[0]['cause']) == (('again', 'hand') if by == 'hand' else ('drifted', 'drift')), fired
    assert len(fired) == 1 and fired[0]['state'] == 'succeeded' and fired[0]['reason'] and fired[0]['ended_at'], fired
    runs = g.json('GET', '/api/v1/pipeline_runs')['items']
    assert [run['id'] for run in runs] == [fired[0]['run']], 'one firing is one run'
    run = g.json('GET', f"/api/v1/pipeline_runs/{fired[0]['run']}")
    assert run['state'] == 'succeeded' and run['outputs']['promoted'] is True, run
    assert rows_of(g, "SELECT COUNT(*) FROM pipeline_attempt WHERE state = 'running'") == [(0,)]

    model = run['outputs']['model']
    champion = g.json('GET', f'{P}/models/visits/versions/champion')['name']
    endpoint = g.json('GET', f'{P}/endpoints/visits')
    assert (champion, endpoint['deployment']['model']) == (model, model), (champion, endpoint['deployment'])
    assert [(v['name'], v['share']) for v in endpoint['variants']] == [('champion', 1)], 'no share of a canary is left'
    assert endpoint['ready'] and endpoint['follows'], endpoint
    moves = [m for m in g.json('GET', f'{P}/models/visits/history')['items'] if m['alias'] == 'champion']
    assert len(moves) == 2, f'one move for one firing: {moves}'
    taken = rows_of(g, "SELECT model FROM serving_deployment WHERE variant = '' ORDER BY number")
    assert taken == [('visits:v1',), (model,)], taken
    releases = rows_of(g, 'SELECT state, reason, model, ended_us > 0 FROM automation_canary')
    assert [r[0] for r in releases] == ['passed'] and releases[0][1] and releases[0][2:] == (model, 1), releases

    # What was computed twice had been lost.
    jobs = rows_of(g, "SELECT kind, state, COUNT(*) FROM job WHERE kind IN ('training.train', 'captures.dataset') GROUP BY 1, 2 ORDER BY 1, 2")
    made = {(kind, state): count for kind, state, count in jobs}
    lost = sum(made.pop((kind, 'interrupted'), 0) for kind in OF['KIND'])
    assert made == {('training.train', 'succeeded'): 2, ('captures.dataset', 'succeeded'): 1} and lost <= 1, jobs
    versions = g.json('GET', f'{P}/models/visits/versions')['items']
    assert len(versions) <= 2 + lost, [v['name'] for v in versions]
    return lost


def one(base, by, moment):
    directory = tempfile.mkdtemp(prefix='gyre-retrain-')
    shutil.copytree(base, directory, dirs_exist_ok=True)
    begin = time.monotonic()
    with Gyre(directory=directory) as g:
        try:
            if by == 'alert':
                listen(g)
            die(g, by, moment)
            g.start(environment=WATCHED)
            ask(g, visits(8, 1))
            drive(g, lambda: (f := firings(g)) and f[0]['ended_at'])
            lost = check(g, by)
            good = visits(999, 200, turned=True)
            answer = ask(g, good)
            right = sum(o['prediction'] == r['stays'] for o, r in zip(answer['outputs'], good))
            assert right > 150, right
        except BaseException:
            print(f'FAILED {moment} by {by}\n{g.log()}', flush=True)
            raise
        assert g.stop() == 0
    shutil.rmtree(directory)
    print(f"ok {moment} by {by} ({time.monotonic() - begin:.1f} s{', computed twice' if lost else ''})", flush=True)


def main():
    with Gyre() as g:
        prepare(g)
        todo = moments()
        for by, moment in todo:
            one(g.directory, by, moment)
    print(f'{len(todo)} deaths: each retrain ended explained, none half')


if __name__ == '__main__':
    main()
