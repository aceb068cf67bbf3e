"""kill -9 under mixed writes: whatever was acknowledged is there after the restart, and nothing is there that nobody asked for.

Writers put down what was answered with 2xx; the server is killed at a random moment; the next server's state is compared. 10 kills, 100 in the full tier."""
import http.client
import json
import os
import random
import shutil
import sqlite3
import sys
import threading
import time

from harness import FULL, Gyre

KILLS = 100 if FULL else 10
WRITERS = 6


class Book:
    """What was asked for and what was acknowledged, by kind of thing."""

    def __init__(self):
        self.lock = threading.Lock()
        self.asked = {}
        self.acknowledged = {}
        self.count = 0

    def ask(self, kind, key, value):
        with self.lock:
            self.asked.setdefault(kind, {}).setdefault(key, []).append(value)

    def acknowledge(self, kind, key, value):
        with self.lock:
            self.acknowledged.setdefault(kind, {})[key] = value
            self.count += 1


class Writer(threading.Thread):
    def __init__(self, gyre, book, number, round_number):
        super().__init__(daemon=True)
        self.g, self.book, self.number, self.round = gyre, book, number, round_number
        self.random = random.Random(f'{round_number}/{number}')
        self.refused = []

    def call(self, connection, method, path, body=None, raw=None, content_type='application/json'):
        payload = raw if raw is not None else json.dumps(body) if body is not None else None
        connection.request(method, path, payload, {'Content-Type': content_type} if payload is not None else {})
        response = connection.getresponse()
        answer = response.read()
        if response.status >= 500 or response.status in (400, 404, 405, 422):
            self.refused.append((method, path, response.status, answer[:300]))
        return response.status, answer

    def project(self, connection, i):
        name = f'p{self.round}-{self.number}-{i}'
        self.book.ask('project', name, name)
        status, _ = self.call(connection, 'POST', '/api/v1/projects', {'name': name})
        if status == 201:
            self.book.acknowledge('project', name, name)

    def problem(self, connection, i):
        # Each writer has a project of its own, so that the newest acknowledged version is what must be there, or a later asked one.
        name = f'w{self.number}'
        owner = f'{self.round}-{i}'
        self.book.ask('problem', name, owner)
        status, _ = self.call(connection, 'PUT', f'/api/v1/projects/{name}/problem', {'owner': owner, 'kpis': [f'auc >= 0.{i % 90 + 10}']})
        if status == 200:
            self.book.acknowledge('problem', name, owner)

    def token(self, connection, i):
        name = f't{self.round}-{self.number}-{i}'
        self.book.ask('token', name, name)
        status, answer = self.call(connection, 'POST', '/api/v1/tokens', {'name': name, 'scopes': ['read']})
        if status == 201:
            self.book.acknowledge('token', name, json.loads(answer)['token']['id'] if 'token' in json.loads(answer) else json.loads(answer)['id'])

    def start_program(self, connection):
        status, answer = self.call(connection, 'POST', '/api/v1/projects/default/programs', {'name': f'r{self.round}-{self.number}', 'source': {'command': ['true']}})
        self.run_id = json.loads(answer)['run']['id'] if status == 201 else None
        if self.run_id:
            self.book.ask('run', self.run_id, '')
            self.book.acknowledge('run', self.run_id, '')

    def metrics(self, connection, i):
        """Batches of 25 points of one key; the value is the step."""
        path = f'/api/v1/projects/default/runs/{self.run_id}'
        self.book.ask('metric', self.run_id, i)
        points = [{'key': 'loss', 'value': float(i * 25 + k), 'step': i * 25 + k} for k in range(25)]
        status, _ = self.call(connection, 'POST', path + '/batch', {'metrics': points})
        if 200 <= status < 300:
            self.book.acknowledge('metric', self.run_id, i)

    def artifact(self, connection, i):
        text = f'{self.round} {self.number} {i} ' * 40
        key = f'{self.run_id}/a{i}.txt'
        self.book.ask('artifact', key, text)
        status, _ = self.call(connection, 'PUT', f'/api/v1/projects/default/runs/{self.run_id}/artifacts/a{i}.txt', raw=text, content_type='text/plain')
        if status == 201:
            self.book.acknowledge('artifact', key, text)

    def alias(self, connection, i):
        """Each writer moves an alias of its own between two versions; the reason numbers the moves."""
        alias, reason = f'w{self.number}', f'{self.round}-{i}'
        self.book.ask('alias', alias, reason)
        version = self.random.choice((1, 2))
        status, answer = self.call(connection, 'PUT', f'/api/v1/projects/default/models/people/aliases/{alias}', {'version': version, 'reason': reason, 'override': True})
        # A move to where it stands already is none: then the answer is the move before.
        if status == 200 and json.loads(answer)['reason'] == reason:
            self.book.acknowledge('alias', alias, reason)

    def dataset(self, connection, i):
        name = f'd{self.round}-{self.number}-{i}'
        rows = ''.join(f'{n},{self.random.random()}\n' for n in range(self.random.choice((3, 200))))
        self.book.ask('dataset', name, rows)
        status, answer = self.call(connection, 'POST', f'/api/v1/projects/default/datasets/{name}/versions?filename={name}.csv', raw='id,x\n' + rows, content_type='text/csv')
        if status == 202:
            job = json.loads(answer)
            self.book.acknowledge('job', job['id'], name)
            for _ in range(1000):
                status, answer = self.call(connection, 'GET', f"/api/v1/jobs/{job['id']}")
                if status == 200 and json.loads(answer)['state'] not in ('queued', 'running'):
                    break
                time.sleep(0.005)
            if status == 200 and json.loads(answer)['state'] == 'succeeded':
                self.book.acknowledge('dataset', name, rows.count('\n'))

    def run(self):
        connection = http.client.HTTPConnection(self.g.host, self.g.port, timeout=30)
        try:
            self.start_program(connection)
            steps = (self.project, self.problem, self.token, self.metrics, self.artifact, self.alias, self.dataset)
            for i in range(1_000_000):
                self.random.choices(steps, (25, 20, 15, 15, 10, 10, 5))[0](connection, i)
        except (OSError, http.client.HTTPException):
            pass  # the server is dead


def names_of(g, path, key='name'):
    names, token = {}, ''
    while True:
        page = g.json('GET', f'{path}{"&" if "?" in path else "?"}limit=1000' + (f'&page_token={token}' if token else ''))
        for item in page['items']:
            names[item[key]] = item
        token = page.get('next_page_token', '')
        if not token:
            return names


def check(g, book):
    def compare(kind, present, show):
        asked, acknowledged = book.asked.get(kind, {}), book.acknowledged.get(kind, {})
        lost = [key for key in acknowledged if key not in present]
        invented = [key for key in present if key not in asked and show(key)]
        assert not lost, f'{kind}: acknowledged but lost: {lost[:5]} of {len(acknowledged)}'
        assert not invented, f'{kind}: there, but nobody asked: {invented[:5]}'

    projects = names_of(g, '/api/v1/projects')
    compare('project', projects, lambda name: name.startswith('p'))
    for name, owner in book.acknowledged.get('problem', {}).items():
        now = projects[name]['problem']['owner']
        asked = book.asked['problem'][name]
        assert now in asked[asked.index(owner):], f'{name}: {owner} was acknowledged, {now} is there'
        history = g.json('GET', f'/api/v1/projects/{name}/problem/history')['items']
        versions = [item['version'] for item in history]
        assert versions == sorted(versions, reverse=True) and len(set(versions)) == len(versions), versions
    compare('token', names_of(g, '/api/v1/tokens'), lambda name: name.startswith('t'))
    runs = names_of(g, '/api/v1/projects/default/runs', key='id')
    compare('run', runs, lambda run: False)
    for run, batch in book.acknowledged.get('metric', {}).items():
        points = g.json('GET', f'/api/v1/projects/default/runs/{run}/metrics/loss?limit=100000')['items']
        assert all(point['value'] == point['step'] for point in points), points[:3]
        steps = {point['step'] for point in points}
        assert batch * 25 + 24 in steps, f'run {run}: batch {batch} was acknowledged'
        asked = set(book.asked['metric'][run])
        assert {step // 25 for step in steps} <= asked and len(steps) % 25 == 0, 'a batch is there whole or not at all'
    checked = list(book.acknowledged.get('artifact', {}).items())
    for key, text in checked[-20:]:
        run, name = key.split('/')
        assert g.http('GET', f'/api/v1/projects/default/runs/{run}/artifacts/{name}').body.decode() == text, key
    reasons = {}
    for move in g.json('GET', '/api/v1/projects/default/models/people/history?limit=1000')['items']:
        reasons.setdefault(move['alias'], []).append(move['reason'])
    for alias, reason in book.acknowledged.get('alias', {}).items():
        assert reason in reasons.get(alias, []), f'the move of {alias} for {reason} was acknowledged: {reasons.get(alias)}'
        assert set(reasons[alias]) <= set(book.asked['alias'][alias]), alias
    verdict = g.json('GET', '/api/v1/audit/verify')
    assert verdict['sound'], verdict
    datasets = names_of(g, '/api/v1/projects/default/datasets')
    compare('dataset', datasets, lambda name: True)
    for name, rows in book.acknowledged.get('dataset', {}).items():
        version = g.json('GET', f'/api/v1/projects/default/datasets/{name}/versions/latest')
        assert version['rows'] == rows, (name, version, rows)
    for job, name in book.acknowledged.get('job', {}).items():
        state = g.json('GET', f'/api/v1/jobs/{job}')['state']
        assert state in ('succeeded', 'failed', 'cancelled', 'interrupted', 'queued', 'running'), (job, state)
        assert state != 'succeeded' or name in datasets, f'job {job} has succeeded without dataset {name}'


def check_file(g):
    """The database as the dead server left it."""
    copy = os.path.join(g.directory, 'copy')
    os.makedirs(copy, exist_ok=True)
    for name in os.listdir(g.data):
        if name.startswith('gyre.db'):
            shutil.copy(os.path.join(g.data, name), copy)
    connection = sqlite3.connect(os.path.join(copy, 'gyre.db'))
    assert connection.execute('PRAGMA integrity_check').fetchall() == [('ok',)]
    assert connection.execute('PRAGMA foreign_key_check').fetchall() == []
    # A change and its record are written together: the dead server leaves none without the other, answered or not.
    for table, kind in (('project', 'p'), ('access_token', 't')):
        unrecorded = connection.execute(f"SELECT name FROM {table} WHERE name GLOB '{kind}[0-9]*' AND name NOT IN (SELECT object FROM audit_entry WHERE outcome = 'ok')").fetchall()
        assert not unrecorded, f'{table}: there, but not in the audit log: {unrecorded[:5]}'
    connection.close()
    shutil.rmtree(copy)


def two_versions(g, book):
    """Of a model, for the aliases."""
    book.ask('dataset', 'people', '')
    chance = random.Random(3)
    ages = [chance.randrange(18, 90) for _ in range(600)]
    rows = 'age,city,buys\n' + ''.join(f'{age},{chance.choice("abc")},{"yes" if age + chance.gauss(0, 20) > 55 else "no"}\n' for age in ages)
    g.wait_job(g.json('POST', '/api/v1/projects/default/datasets/people/versions?filename=p.csv', rows, headers={'Content-Type': 'text/csv'}))
    for seed in (1, 2):
        done = g.wait_job(g.json('POST', '/api/v1/projects/default/train', {'dataset': 'people', 'target': 'buys', 'trials': 1, 'seed': seed}))
        assert done['state'] == 'succeeded', done


def main():
    chance = random.Random(20)
    book = Book()
    with Gyre() as g:
        g.start()
        for number in range(WRITERS):
            book.ask('project', f'w{number}', '')
            g.json('POST', '/api/v1/projects', {'name': f'w{number}'})
        two_versions(g, book)
        begin = time.monotonic()
        for round_number in range(KILLS):
            writers = [Writer(g, book, number, round_number) for number in range(WRITERS)]
            for writer in writers:
                writer.start()
            time.sleep(chance.uniform(0.05, 0.6))
            g.kill()
            for writer in writers:
                writer.join(40)
                assert not writer.is_alive() and not writer.refused, writer.refused[:3]
            check_file(g)
            g.start()
            check(g, book)
        counts = {kind: len(items) for kind, items in book.acknowledged.items()}
        print(f'{KILLS} kills, {book.count} acknowledgements {counts}, nothing lost ({time.monotonic() - begin:.1f} s)')
        assert all(counts.get(kind, 0) > 0 for kind in ('project', 'problem', 'token', 'run', 'metric', 'artifact', 'alias', 'dataset')), counts
        assert g.stop() == 0


if __name__ == '__main__':
    sys.exit(main())
