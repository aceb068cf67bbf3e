"""Replays rows to an endpoint as if they happened when they did: each with its event time, its label once that would have been known.

    replay = Replay(g, 'bike', label='cnt', delay=datetime.timedelta(hours=6))
    for week in weeks:
        replay.rows(rows, times)      # answers, in order; the labels stay in a queue
        replay.labels(until=end)      # those that are known by then
        replay.judge()                # windows that are complete now
        replay.settle()               # what was triggered has trained; a canary may wait for more traffic
"""
import datetime
import heapq
import json
import math
import time

BATCH = 500


def text_of(moment):
    return moment.strftime('%Y-%m-%dT%H:%M:%SZ')


class Replay:
    def __init__(self, g, endpoint, label, delay=datetime.timedelta(), project='default'):
        self.g, self.endpoint, self.label, self.delay = g, endpoint, label, delay
        self.project = f'/api/v1/projects/{project}'
        self.answers = []  # (time, truth, output, model) of each row, in order
        self.waiting = []  # heap of (known at, id, label)

    def rows(self, rows, times):
        """Dicts with the label in them, which the endpoint does not see."""
        for begin in range(0, len(rows), BATCH):
            part, moments = rows[begin:begin + BATCH], times[begin:begin + BATCH]
            ids = [f'{self.endpoint}-{len(self.answers) + i}' for i in range(len(part))]
            inputs = [{name: value for name, value in row.items() if name != self.label} for row in part]
            answer = self.g.json('POST', f'/e/{self.endpoint}', {'inputs': inputs, 'event_times': [text_of(m) for m in moments], 'inference_ids': ids})
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


def rmse(answers):
    return math.sqrt(sum((output['prediction'] - truth) ** 2 for _, truth, output, _ in answers) / len(answers))
