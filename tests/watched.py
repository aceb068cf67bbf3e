"""A model whose endpoint is watched, and the world that asks it: what is true of each row is known.

    world = deployed(g)
    world.hours(6)                    # traffic of six hours; shifted=True moves it, broken=True loses a column
    world.send_labels()
    judged(g, 5)                      # waits until the server has judged so many windows
"""
import datetime
import json
import os
import random
import re
import time

ROWS = 400  # of an hour
BEGIN = datetime.datetime(2026, 3, 2)
PLANS = ['basic', 'plus', 'pro', 'team']


def row_of(rng, shifted=False, broken=False):
    age, income = rng.gauss(40, 10), rng.lognormvariate(10, 0.4)
    calls = rng.randint(0, 9)
    plan = PLANS[int(4 * rng.random() ** (3 if shifted else 1))]
    if shifted:
        age += 9
    row = {'age': round(age, 1), 'income': None if broken else round(income), 'calls': calls, 'plan': plan}
    # What is true of a row: after the shift the world also answers otherwise.
    drive = 0.5 * (calls - 4.5) + (0.08 * (age - 40) if not shifted else -0.08 * (age - 49)) + (1 if plan == 'pro' else 0)
    return row, 'yes' if rng.random() < 1 / (1 + 2.718281828 ** -drive) else 'no'


class World:
    """Traffic of one hour after another; remembers what is true."""

    def __init__(self, g, seed=7):
        self.g, self.rng, self.hour, self.truth = g, random.Random(seed), 0, []

    def hours(self, count, **how):
        for _ in range(count):
            rows = [row_of(self.rng, **how) for _ in range(ROWS)]
            begin = BEGIN + datetime.timedelta(hours=self.hour)
            times = [(begin + datetime.timedelta(seconds=int(i * 3600 / ROWS))).isoformat() + 'Z' for i in range(ROWS)]
            ids = [f'{self.hour}-{i}' for i in range(ROWS)]
            answer = self.g.http('POST', '/e/churn', {'inputs': [row for row, _ in rows], 'event_times': times, 'inference_ids': ids})
            assert answer.status == 200, answer.body[:500]
            self.truth += [(name, label) for name, (_, label) in zip(ids, rows)]
            self.hour += 1

    def send_labels(self):
        self.g.json('POST', '/api/v1/projects/default/endpoints/churn/feedback',
                    {'rows': [{'inference_id': name, 'label': label} for name, label in self.truth]})
        self.truth = []


def start(g, seconds='0.2s', seal=None):
    g.start(environment={'GYRE_MONITORING_EVERY': seconds, 'GYRE_CAPTURE_SEAL': seal or seconds})


def deployed(g, seconds='0.2s', seal=None):
    rng = random.Random(1)
    with open(os.path.join(g.work, 'churn.csv'), 'w') as f:
        f.write('age,income,calls,plan,churned\n')
        for _ in range(4000):
            row, label = row_of(rng)
            f.write(','.join(str(v) for v in row.values()) + f',{label}\n')
    start(g, seconds, seal)
    g.cli('projects', 'edit', 'default', '--kpi', 'auc >= 0.75')
    g.cli('add', 'churn.csv', '--name', 'churn')
    g.cli('train', 'churn', '--target', 'churned', '--trials', '2')
    done = g.cli('deploy', 'churn@champion')
    assert re.search(r'watched: every 1h, at least 500 rows', done.stdout), done.stdout
    g.cli('monitors', 'edit', 'churn', '--every', '1h', '--rows-min', '200')
    return World(g)


def judged(g, windows):
    """Once so many windows are judged by the server itself."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        monitor = g.json('GET', '/api/v1/projects/default/monitors/churn')
        if monitor['windows'] >= windows:
            return monitor
        time.sleep(0.05)
    raise AssertionError(f'{windows} windows are not judged: {json.dumps(monitor)[:2000]}')


def alert(g, name):
    return next((a for a in g.json('GET', '/api/v1/projects/default/alerts?all=true')['items'] if a['name'] == name), None)


def events(g, kind):
    return [e for e in reversed(g.json('GET', f'/api/v1/events?kind={kind}')['items'])]


def notices(g, kind):
    return [n for n in g.json('GET', '/api/v1/projects/default/notices?limit=200')['items'] if n['kind'] == kind]


def send(g, hour, names):
    rng = random.Random(hour)
    time_of = (BEGIN + datetime.timedelta(hours=hour, minutes=30)).isoformat() + 'Z'
    answer = g.http('POST', '/e/churn', {'inputs': [row_of(rng)[0] for _ in names], 'event_time': time_of, 'inference_ids': names})
    assert answer.status == 200, answer.body
