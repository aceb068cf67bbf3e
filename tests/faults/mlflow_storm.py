"""kill -9 under a storm of MLflow's requests: what was acknowledged is there after the restart, exactly; what clients send again because nobody answered does no harm.

Clients wait while the server is away and then repeat the request that was cut off, as MLflow's own do. Runs are searched by their metrics and end while it storms, so that what settles and
what compacts meets what is logged. 10 kills, 100 in the full tier."""
import hashlib
import http.client
import json
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import FULL, Gyre

KILLS = 100 if FULL else 10
CLIENTS = 32
MODELS = 4
BATCH = 40
API = '/api/2.0/mlflow'
ARTIFACTS = '/api/2.0/mlflow-artifacts/artifacts'


class Over(Exception):
    pass


class Gate:
    """Open while the server is there. Shut, it waits until every client stands before it."""

    def __init__(self):
        self.changed = threading.Condition()
        self.open, self.over, self.waiting = False, False, 0

    def go_through(self):
        with self.changed:
            if self.open:
                return
            self.waiting += 1
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.open or self.over)
            self.waiting -= 1
            if self.over:
                raise Over

    def shut(self):
        with self.changed:
            self.open = False
            assert self.changed.wait_for(lambda: self.waiting == CLIENTS, 60), f'{self.waiting} clients of {CLIENTS} stopped'

    def set(self, over=False):
        with self.changed:
            self.open, self.over = not over, over
            self.changed.notify_all()


class RunBook:
    """Of one run: what was asked for, and what was acknowledged."""

    def __init__(self, name):
        self.name, self.experiment = name, ''
        self.single, self.single_asked = set(), set()
        self.batches, self.batches_asked = set(), set()
        self.params, self.params_asked = {}, {}
        self.tag, self.tag_asked = -1, -1
        self.files = {}


class Book:
    def __init__(self):
        self.lock = threading.Lock()
        self.runs, self.dirty = {}, set()
        self.versions = {f'storm-{i}': {} for i in range(MODELS)}
        self.versions_asked = set()
        self.count, self.repeated, self.doubled = {}, 0, 0
        self.wrong = []

    def acknowledged(self, kind, run=None):
        with self.lock:
            self.count[kind] = self.count.get(kind, 0) + 1
            if run:
                self.dirty.add(run)


class Client(threading.Thread):
    def __init__(self, g, gate, book, number, experiment):
        super().__init__(daemon=True)
        self.g, self.gate, self.book, self.number, self.experiment = g, gate, book, number, experiment
        self.random = random.Random(number)
        self.connection = None
        self.i = 0
        self.run_id = None

    def call(self, method, path, body):
        """Until it is acknowledged."""
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        while True:
            self.gate.go_through()
            try:
                if self.connection is None:
                    self.connection = http.client.HTTPConnection(self.g.host, self.g.port, timeout=30)
                self.connection.request(method, path, payload, {'Content-Type': 'application/json'})
                response = self.connection.getresponse()
                answer = response.read()
                if response.status == 200:
                    return json.loads(answer)
                if response.status not in (429, 503):
                    self.book.wrong.append((method, path, response.status, answer[:300]))
                    raise Over
            except (OSError, http.client.HTTPException):
                self.connection = None
            with self.book.lock:
                self.book.repeated += 1
            time.sleep(0.003)

    def begin(self):
        name = f'run-{self.number}-{self.i}'
        run_id = self.call('POST', API + '/runs/create', {'experiment_id': self.experiment, 'start_time': 1, 'run_name': name})['run']['info']['run_id']
        with self.book.lock:
            self.book.runs[run_id] = RunBook(name)
        self.run_id, self.run_book = run_id, self.book.runs[run_id]
        self.book.acknowledged('run', run_id)

    def metric(self):
        book = self.run_book
        book.single_asked.add(self.i)
        self.call('POST', API + '/runs/log-metric', {'run_id': self.run_id, 'key': 'single', 'value': self.i / 4, 'timestamp': 1000 + self.i, 'step': self.i})
        book.single.add(self.i)
        self.book.acknowledged('metric', self.run_id)

    def batch(self):
        book, i = self.run_book, self.i
        book.batches_asked.add(i)
        book.params_asked[f'of-batch-{i}'] = str(i)
        points = [{'key': 'batch', 'value': k / 4, 'timestamp': 1000 + k, 'step': k} for k in range(i * BATCH, (i + 1) * BATCH)]
        self.call('POST', API + '/runs/log-batch', {'run_id': self.run_id, 'metrics': points, 'params': [{'key': f'of-batch-{i}', 'value': str(i)}],
                                                   'tags': [{'key': 'last-batch', 'value': str(i)}]})
        book.batches.add(i)
        book.params[f'of-batch-{i}'] = str(i)
        self.book.acknowledged('batch', self.run_id)

    def param(self):
        book, key = self.run_book, f'p{self.i}'
        book.params_asked[key] = f'value {self.i}'
        self.call('POST', API + '/runs/log-parameter', {'run_id': self.run_id, 'key': key, 'value': f'value {self.i}'})
        book.params[key] = f'value {self.i}'
        self.book.acknowledged('param', self.run_id)

    def tag(self):
        book = self.run_book
        book.tag_asked = self.i
        self.call('POST', API + '/runs/set-tag', {'run_id': self.run_id, 'key': 'last', 'value': str(self.i)})
        book.tag = self.i
        self.book.acknowledged('tag', self.run_id)

    def artifact(self):
        name, data = f'a{self.i % 5}/{self.i}.bin', self.random.randbytes(self.random.choice((10, 3000, 100_000)))
        self.call('PUT', f'{ARTIFACTS}/{self.experiment}/{self.run_id}/artifacts/{name}', data)
        self.run_book.files[name] = hashlib.sha256(data).hexdigest()
        self.book.acknowledged('artifact', self.run_id)

    def version(self):
        model, who = f'storm-{self.random.randrange(MODELS)}', f'{self.number}-{self.i}'
        with self.book.lock:
            self.book.versions_asked.add(who)
        made = self.call('POST', API + '/model-versions/create', {'name': model, 'source': f'runs:/{self.run_id}/model', 'run_id': self.run_id,
                                                                 'tags': [{'key': 'who', 'value': who}]})['model_version']
        with self.book.lock:
            number = int(made['version'])
            if number in self.book.versions[model]:
                self.book.wrong.append((model, number, 'was given twice', self.book.versions[model][number], who))
            self.book.versions[model][number] = who
        self.book.acknowledged('version')

    def search(self):
        """What the writer itself has been told is there is found, with its latest value."""
        least = self.i // 8
        found = self.call('POST', API + '/runs/search', {'experiment_ids': [self.experiment], 'filter': f'metrics.single >= {least}', 'order_by': ['metrics.single DESC'],
                                                         'max_results': 500}).get('runs', [])
        values = {run['info']['run_id']: {m['key']: m['value'] for m in run['data'].get('metrics', [])}['single'] for run in found}
        newest = max(self.run_book.single, default=-1) / 4
        if newest >= least and (self.run_id in values or len(found) < 500) and values.get(self.run_id, -1) < newest:
            self.book.wrong.append((self.run_id, 'acknowledged', newest, 'found', values.get(self.run_id)))
        self.book.acknowledged('search')

    def end(self):
        """An ended run is compacted; more may be logged to it."""
        self.call('POST', API + '/runs/update', {'run_id': self.run_id, 'status': 'FINISHED', 'end_time': self.i})
        self.book.acknowledged('end', self.run_id)

    def run(self):
        steps = (self.metric, self.batch, self.param, self.tag, self.artifact, self.version, self.begin, self.search, self.end)
        try:
            self.begin()
            while True:
                self.i += 1
                self.random.choices(steps, (25, 20, 15, 15, 12, 10, 3, 8, 8))[0]()
        except Over:
            pass


class Reader:
    """Asks over one connection: a check makes hundreds of calls."""

    def __init__(self, g):
        self.connection = http.client.HTTPConnection(g.host, g.port, timeout=60)

    def get(self, path):
        self.connection.request('GET', path)
        response = self.connection.getresponse()
        body = response.read()
        assert response.status == 200, (path, response.status, body[:300])
        return body

    def pages(self, path, items):
        token = ''
        while True:
            page = json.loads(self.get(path + (f'&page_token={token}' if token else '')))
            yield from page.get(items, [])
            token = page.get('next_page_token', '')
            if not token:
                return


def check_history(reader, run_id, key, acknowledged, asked):
    found = [(m['step'], m['timestamp'], m['value']) for m in reader.pages(f'{API}/metrics/get-history?run_id={run_id}&metric_key={key}&max_results=25000', 'metrics')]
    steps = [int(step) for step, _, _ in found]
    assert len(steps) == len(set(steps)), f'{run_id} {key}: {len(steps) - len(set(steps))} points are there twice'
    assert all(int(at) == 1000 + int(step) and value == int(step) / 4 for step, at, value in found), f'{run_id} {key}: other values'
    lost, invented = acknowledged - set(steps), set(steps) - asked
    assert not lost and not invented, f'{run_id} {key}: lost {sorted(lost)[:5]}, invented {sorted(invented)[:5]}'
    return set(steps)


def check_run(reader, run_id, book):
    run = json.loads(reader.get(f'{API}/runs/get?run_id={run_id}'))['run']
    assert run['info']['run_name'] == book.name, run['info']
    data = run.get('data', {})
    params = {p['key']: p['value'] for p in data.get('params', [])}
    assert book.params.items() <= params.items() and params.items() <= book.params_asked.items(), f'{run_id}: params {params}, acknowledged {book.params}'
    tags = {t['key']: t['value'] for t in data.get('tags', [])}
    assert book.tag <= int(tags.get('last', -1)) <= book.tag_asked, f'{run_id}: tag {tags.get("last")}, acknowledged {book.tag}, asked {book.tag_asked}'
    latest = {m['key']: m for m in data.get('metrics', [])}
    steps = check_history(reader, run_id, 'single', book.single, book.single_asked) if book.single_asked else set()
    assert not steps or int(latest['single']['step']) == max(steps), (run_id, latest, max(steps))

    def points(batches):
        return {k for i in batches for k in range(i * BATCH, (i + 1) * BATCH)}
    steps = check_history(reader, run_id, 'batch', points(book.batches), points(book.batches_asked)) if book.batches_asked else set()
    whole = {step // BATCH for step in steps}
    assert len(steps) == BATCH * len(whole), f'{run_id}: a part of a batch'
    assert whole == {int(key[9:]) for key in params if key.startswith('of-batch-')}, f'{run_id}: batches {whole}, params {params}'
    assert not steps or int(latest['batch']['step']) == max(steps) and tags['last-batch'] == str(max(whole)), (run_id, latest, tags)
    experiment = run['info']['experiment_id']
    for name, digest in book.files.items():
        data = reader.get(f'{ARTIFACTS}/{experiment}/{run_id}/artifacts/{name}')
        assert hashlib.sha256(data).hexdigest() == digest, f'{run_id}: {name} has other bytes'


def check_versions(reader, book):
    """A version whose answer was cut off is made again, as another."""
    doubled = 0
    for model, acknowledged in book.versions.items():
        found = {int(v['version']): {t['key']: t['value'] for t in v['tags']}['who'] for v in reader.pages(f"{API}/model-versions/search?filter=name='{model}'&max_results=1000", 'model_versions')}
        assert sorted(found) == list(range(1, len(found) + 1)), f'{model}: versions {sorted(found)[-10:]}'
        assert acknowledged.items() <= found.items(), f'{model}: acknowledged {sorted(acknowledged.items() - found.items())[:5]}'
        assert set(found.values()) <= book.versions_asked, model
        doubled += len(found) - len(set(found.values()))
    book.doubled = doubled


def check(g, book, everything=False):
    assert not book.wrong, book.wrong[:3]
    reader = Reader(g)
    for run_id in list(book.runs if everything else book.dirty):
        check_run(reader, run_id, book.runs[run_id])
    check_versions(reader, book)
    book.dirty.clear()
    reader.connection.close()


def main():
    chance, book, gate = random.Random(7), Book(), Gate()
    begin = time.monotonic()
    with Gyre() as g:
        g.start()
        port = g.port
        experiment = g.json('POST', API + '/experiments/create', {'name': 'storm'})['experiment_id']
        for model in book.versions:
            g.json('POST', API + '/registered-models/create', {'name': model})
        clients = [Client(g, gate, book, number, experiment) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        for _ in range(KILLS):
            gate.set()
            time.sleep(chance.uniform(0.05, 0.5))
            g.kill()
            gate.shut()
            g.start(listen=f'127.0.0.1:{port}')
            check(g, book)
        gate.set(over=True)
        for client in clients:
            client.join(30)
            assert not client.is_alive()
        check(g, book, everything=True)
        assert g.json('GET', '/api/v1/audit/verify')['sound']
        assert g.stop() == 0
    print(f'{KILLS} kills, acknowledged {book.count}, {book.repeated} requests repeated, {book.doubled} versions made again, nothing lost, nothing twice ({time.monotonic() - begin:.1f} s)')
    assert book.repeated > KILLS and all(book.count.get(kind, 0) > 0 for kind in ('run', 'metric', 'batch', 'param', 'tag', 'artifact', 'version', 'search', 'end')), book.count


if __name__ == '__main__':
    sys.exit(main())
