"""Replays rows to an endpoint as if they happened when they did: each with its event time, its label once that would have been known.

    replay = Replay(g, 'bike', label='cnt', delay=datetime.timedelta(days=1), batch=1)
    for week in weeks:
        replay.rows(rows, times)      # answers, in order; the labels stay in a queue
        replay.labels(until=end)      # those that are known by then
        replay.judge()                # windows that are complete now
        replay.settle()               # what was triggered has trained; a canary may wait for more traffic
"""
import datetime
import heapq
import http.client
import json
import math
import time

MOVING = ('open', 'starting', 'running')


def text_of(moment):
    return moment.strftime('%Y-%m-%dT%H:%M:%SZ')


class Replay:
    def __init__(self, g, endpoint, label, delay=datetime.timedelta(), project='default', batch=500):
        """`batch`: rows of a request; a canary gets whole requests."""
        self.g, self.endpoint, self.label, self.delay, self.batch = g, endpoint, label, delay, batch
        self.project = f'/api/v1/projects/{project}'
        self.answers = []  # (time, truth, output, model) of each row, in order
        self.waiting = []  # heap of (known at, id, label)
        self.connection = http.client.HTTPConnection(g.host, g.port, timeout=60)

    def ask(self, body):
        self.connection.request('POST', f'/e/{self.endpoint}', json.dumps(body), {'Content-Type': 'application/json'})
        answer = self.connection.getresponse()
        text = answer.read()
        assert answer.status == 200, text[:1000]
        return json.loads(text)

    def rows(self, rows, times):
        """Dicts with the label in them, which the endpoint does not see."""
        for begin in range(0, len(rows), self.batch):
            part, moments = rows[begin:begin + self.batch], times[begin:begin + self.batch]
            ids = [f'{self.endpoint}-{len(self.answers) + i}' for i in range(len(part))]
            inputs = [{name: value for name, value in row.items() if name != self.label} for row in part]
            answer = self.ask({'inputs': inputs, 'event_times': [text_of(m) for m in moments], 'inference_ids': ids})
            assert len(answer['outputs']) == len(part), answer
            for row, moment, name, output in zip(part, moments, ids, answer['outputs']):
                self.answers.append((moment, row[self.label], output, answer['model']))
                heapq.heappush(self.waiting, (moment + self.delay, name, row[self.label]))

    def labels(self, until):
        lines = []
        while self.waiting and self.waiting[0][0] <= until:
            known, name, label = heapq.heappop(self.waiting)
            lines.append(json.dumps({'inference_id': name, 'label': label, 'time': text_of(known)}))
        if lines:
            self.g.json('POST', f'{self.project}/endpoints/{self.endpoint}/feedback', '\n'.join(lines), headers={'Content-Type': 'application/x-ndjson'})
        return len(lines)

    def judge(self):
        return self.g.json('POST', f'{self.project}/monitors/{self.endpoint}/run', {})

    def windows(self):
        """Judged ones, oldest first."""
        items = self.g.json('GET', f'{self.project}/monitors/{self.endpoint}/windows?limit=1000')['items']
        return sorted(items, key=lambda window: window['begin'])

    def alert(self, signal):
        alerts = self.g.json('GET', f'{self.project}/alerts?all=true&endpoint={self.endpoint}')['items']
        return next((a for a in alerts if a['signal'] == signal), None)

    def firings(self):
        """Of all triggers, oldest first."""
        return list(reversed(self.g.json('GET', f'{self.project}/firings?limit=100')['items']))

    def steps_of(self, run):
        """Names of the steps that run now."""
        return [step['step'] for step in self.g.json('GET', f'/api/v1/pipeline_runs/{run}')['steps'] if step['state'] == 'running']

    def settle(self, seconds=120, quiet=0.6):
        """Waits until nothing moves any more, or only a canary that waits for traffic."""
        deadline, since, before = time.monotonic() + seconds, time.monotonic(), None
        while time.monotonic() < deadline:
            moving = [f for f in self.firings() if f['state'] in MOVING]
            now = [(f['id'], f['state'], self.steps_of(f['run']) if f['run'] else []) for f in moving]
            if now != before:
                before, since = now, time.monotonic()
            waits = all(steps == ['canary'] for _, _, steps in now)
            if waits and time.monotonic() - since >= quiet:
                return
            time.sleep(0.05)
        raise AssertionError(f'still moving after {seconds} s: {before}')


def rmse(pairs):
    """Of (truth, prediction)."""
    return math.sqrt(sum((truth - prediction) ** 2 for truth, prediction in pairs) / len(pairs))
