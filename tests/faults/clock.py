"""The clock of the machine jumps a day ahead and back while a model is retrained, a schedule ticks and traffic is captured and judged: nobody is promoted by
halves, the champion answers, nothing starts twice, each answer is captured once, and nobody waits for a time that lies a day ahead.

Needs libfaketime (Debian's package of that name); skipped elsewhere."""
import collections
import glob
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from faults.loop import Asking, ROWS  # noqa: E402
from faults.retrain import PARAMS, P  # noqa: E402
from harness import Gyre, run_scenarios, skip  # noqa: E402
from scenarios.automation import first_model, firings, visits  # noqa: E402

LIBRARY = (glob.glob('/usr/lib/*/faketime/libfaketimeMT.so.1') or [''])[0]
DAY, LABELLED = 86_400, 1_200


class Clock:
    """Of the server and what it starts; time that only measures goes on as it is."""

    def __init__(self, g):
        self.path = os.path.join(g.directory, 'clock')
        self.put(0)
        self.environment = {'LD_PRELOAD': LIBRARY, 'FAKETIME_TIMESTAMP_FILE': self.path, 'FAKETIME_NO_CACHE': '1', 'FAKETIME_DONT_FAKE_MONOTONIC': '1',
                            'NO_FAKE_STAT': '1', 'TZ': 'UTC'}

    def put(self, ahead_s):
        with open(self.path + '.new', 'w') as f:
            f.write(f'{ahead_s:+d}s\n')
        os.rename(self.path + '.new', self.path)


def until(g, so, what, seconds=60):
    deadline = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < deadline, (what, [(f['trigger'], f['text'], f['state'], f['reason'], f['created_at'], f['started_at']) for f in firings(g) if not f['ended_at']])
        time.sleep(0.02)


def of(g, trigger):
    return [f for f in firings(g) if f['trigger'] == trigger]


def training(g):
    return any(job['kind'] == 'training.train' for job in g.json('GET', '/api/v1/jobs?state=running')['items'])


def canary(g):
    return len(g.json('GET', f'{P}/endpoints/visits')['variants']) > 1


def labelled(g):
    """Of a world that has turned, told before the clock does anything."""
    for number in range(LABELLED // 300):
        rows = visits(200 + number, 300, turned=True)
        ids = [f'v-{number}-{i}' for i in range(len(rows))]
        g.json('POST', '/e/visits', {'inputs': [{'a': row['a'], 'b': row['b']} for row in rows], 'inference_ids': ids})
        g.json('POST', f'{P}/endpoints/visits/feedback', {'rows': [{'inference_id': name, 'label': row['stays']} for name, row in zip(ids, rows)]})


def whole(g):
    """Alias and endpoint say the same, and no canary is left."""
    endpoint = g.json('GET', f'{P}/endpoints/visits')
    champion = g.json('GET', f'{P}/models/visits/versions/champion')['name']
    assert champion == endpoint['deployment']['model'], (champion, endpoint)
    assert [v['name'] for v in endpoint['variants']] == ['champion'], endpoint['variants']
    return champion


def retrained(g, clock, key, jumps):
    """One retraining; each jump comes at its moment."""
    path = f"{P}/firings/{g.json('POST', f'{P}/triggers/again/fire', {'key': key})['id']}"
    for moment, ahead_s in jumps:
        until(g, lambda: moment(g) or g.json('GET', path)['ended_at'], moment.__name__)
        clock.put(ahead_s)
    until(g, lambda: g.json('GET', path)['ended_at'], key)
    fired = g.json('GET', path)
    assert fired['state'] == 'succeeded' and fired['reason'], fired
    until(g, lambda: not canary(g), 'no canary', 10)
    champion = whole(g)
    run = g.json('GET', f"/api/v1/pipeline_runs/{fired['run']}")
    assert not run['outputs']['promoted'] or run['outputs']['model'] == champion, (run['outputs'], champion)
    print(f"  {key}: {fired['reason']}, {champion} answers", flush=True)


def ticks(g):
    """For how many times the schedule has fired: for each once."""
    heard = collections.Counter(f['text'] for f in of(g, 'tick'))
    assert all(count == 1 for count in heard.values()), heard
    return len(heard)


def nobody_waits(g):
    """For a time that lay a day ahead: neither the schedule, nor what it had asked for a day ahead. One goes at a time, and looks again after ten seconds."""
    before, waiting = ticks(g), {f['id'] for f in of(g, 'tick') if not f['ended_at']}
    until(g, lambda: ticks(g) > before, 'the schedule ticks on')
    until(g, lambda: not waiting or any(f['ended_at'] for f in firings(g) if f['id'] in waiting), 'what waits goes on')
    assert ticks(g) < 40, 'what a clock skipped is caught up with by its last minute, not by a day'
    g.cli('triggers', 'disable', 'tick')
    until(g, lambda: all(f['ended_at'] for f in firings(g)), 'each firing ends')
    assert all(f['state'] in ('succeeded', 'skipped') and f['reason'] for f in firings(g)), firings(g)


def captured(g):
    return g.json('GET', f'{P}/endpoints/visits/captures?labels=true')


def all_is_captured_and_judged(g, clock, answers):
    until(g, lambda: captured(g)['pending'] == 0, 'captures are written')
    seen = captured(g)
    assert (seen['captured'], seen['dropped'], seen['counts']['labelled']) == (answers, 0, LABELLED), (seen, answers)
    clock.put(2 * DAY)  # each day is over now
    g.json('POST', f'{P}/monitors/visits/run', {})
    windows = g.json('GET', f'{P}/monitors/visits/windows?limit=100')['items']
    assert sum(w['rows'] for w in windows) == answers, (answers, [(w['begin'], w['rows'], w['state']) for w in windows])


def a_day_ahead_and_back(g):
    clock = Clock(g)
    g.start(environment=clock.environment)
    first_model(g)
    labelled(g)
    with open(os.path.join(g.work, 'note.yaml'), 'w') as f:
        f.write('name: note\nsteps:\n  say: {command: [echo, hello]}\n')
    g.cli('pipelines', 'add', 'note.yaml')
    for name, on, run in (('again', {'kind': 'hand'}, {'pipeline': 'retrain', 'params': PARAMS}),
                          ('tick', {'kind': 'schedule', 'at': 'every 4s'}, {'pipeline': 'note'})):
        g.json('POST', f'{P}/triggers', {'name': name, 'on': on, 'run': run, 'guards': {'cooldown_s': 0, 'runs_per_day_max': 1000}})
    with Asking(g) as asking:
        retrained(g, clock, 'a day ahead while it trains', [(training, DAY)])
        retrained(g, clock, 'a day back while the canary runs', [(canary, 0)])
        retrained(g, clock, 'there and back', [(training, DAY), (canary, 0)])
        nobody_waits(g)
    assert not asking.wrong and asking.slowest < 2, (asking.wrong[:3], asking.slowest)
    all_is_captured_and_judged(g, clock, LABELLED + asking.answers * len(ROWS))
    print(f'  {asking.answers} answers, the slowest {asking.slowest * 1000:.0f} ms; the schedule fired {ticks(g)} times')
    assert g.stop() == 0


if __name__ == '__main__':
    if not LIBRARY:
        skip('libfaketime')
    run_scenarios([a_day_ahead_and_back])
