"""What must not stop the loop: a webhook receiver that hangs while an alert fires and a model is retrained, and a million labels that come at once while a
canary runs."""
import datetime
import json
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from harness import run_scenarios  # noqa: E402
from replay import Replay  # noqa: E402
from scenarios.automation import day, first_model, firings, the_loop, visits  # noqa: E402
from scenarios.notices import Receiver  # noqa: E402

P = '/api/v1/projects/default'
LABELS, AT_ONCE = 1_000_000, 200_000
ROWS = [{'a': row['a'], 'b': row['b']} for row in visits(8, 20, turned=True)]


def resident(g, key='VmHWM'):
    with open(f'/proc/{g.server.pid}/status') as f:
        return next(int(line.split()[1]) for line in f if line.startswith(key)) / 1024


class Asking(threading.Thread):
    """Asks the endpoint all the time; remembers the slowest answer and each that was none."""

    def __init__(self, g):
        super().__init__()
        self.g, self.going, self.slowest, self.answers, self.wrong = g, True, 0.0, 0, []

    def run(self):
        while self.going:
            begin = time.monotonic()
            answer = self.g.http('POST', '/e/visits', {'inputs': ROWS})
            if answer.status != 200:
                self.wrong.append((answer.status, answer.body[:200]))
            self.slowest = max(self.slowest, time.monotonic() - begin)
            self.answers += 1
            time.sleep(0.02)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.going = False
        self.join()


def a_receiver_hangs_while_the_loop_runs(g):
    with Receiver(lambda *_: None) as receiver:
        g.start(environment={'GYRE_EGRESS_ALLOW': 'loopback'})
        g.cli('channels', 'add', 'ops', '--webhook', receiver.url)
        first_model(g)
        with Asking(g) as asking:
            the_loop(g)
        assert not asking.wrong and asking.slowest < 2, (asking.wrong[:3], asking.slowest)
        assert receiver.heard, 'the alert was told'
        begin = time.monotonic()
        assert g.stop() == 0
        print(f'  {asking.answers} answers, the slowest {asking.slowest * 1000:.0f} ms; stopped in {time.monotonic() - begin:.1f} s')


def a_million_labels_come_while_a_canary_runs(g):
    g.start()
    first_model(g)
    replay = Replay(g, 'visits', label='stays')
    begin = datetime.datetime(2026, 1, 10)
    for number in range(3):
        day(replay, number, turned=True)
    params = {'endpoint': 'visits', 'budget_seconds': 1, 'rows_min': 300, 'history_below': 0,
              'canary': {'weights': [0.3], 'bake_s': 0, 'rows_min': 1_000, 'step_s_max': 600}}
    g.json('POST', f'{P}/triggers', {'name': 'again', 'on': {'kind': 'hand'}, 'run': {'pipeline': 'retrain', 'params': params}, 'guards': {'cooldown_s': 0}})
    g.json('POST', f'{P}/triggers/again/fire', {})
    while len(g.json('GET', f'{P}/endpoints/visits')['variants']) < 2:
        assert not firings(g)[0]['ended_at'], firings(g)
        time.sleep(0.1)
    moment = begin.strftime('%Y-%m-%dT%H:%M:%SZ')
    bodies = [''.join(json.dumps({'inference_id': f'visits-{i % 1200}' if i % 3 else f'nobody-{part}-{i}', 'label': 'yes', 'time': moment}) + '\n'
                      for i in range(AT_ONCE)) for part in range(LABELS // AT_ONCE)]
    before, start = resident(g, 'VmRSS'), time.monotonic()
    with Asking(g) as asking:
        for body in bodies:
            assert g.json('POST', f'{P}/endpoints/visits/feedback', body, headers={'Content-Type': 'application/x-ndjson'})['accepted'] == AT_ONCE
        took = time.monotonic() - start
        deadline = time.monotonic() + 90
        while not firings(g)[0]['ended_at']:
            assert time.monotonic() < deadline, firings(g)
            time.sleep(0.1)
    peak = resident(g)
    print(f'  {LABELS:,} labels in {took:.1f} s; memory {before:.0f} -> {peak:.0f} MiB; {asking.answers} answers, the slowest {asking.slowest * 1000:.0f} ms')
    assert not asking.wrong and asking.slowest < 2, (asking.wrong[:3], asking.slowest)
    assert peak - before < 128, 'a storm of labels takes no memory'
    assert firings(g)[0]['state'] == 'succeeded', firings(g)
    assert g.json('GET', f'{P}/endpoints/visits')['deployment']['model'] == 'visits:v2'


if __name__ == '__main__':
    run_scenarios([a_receiver_hangs_while_the_loop_runs, a_million_labels_come_while_a_canary_runs])
