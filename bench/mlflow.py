"""MLflow's protocol: gyre against MLflow's own server (newest release, SQLite, artifacts through the server), the same requests over the same connections,
in turns, durable on both. CPU-milliseconds per request of the whole process tree, its database included. Run it with the Python that has mlflow.

  bench/mlflow.py [CASE ...]         cases whose name holds a word; default all
  GYRE_BENCH_MLFLOW_RUNS=100000      runs in the searched experiment (20,000)
  GYRE_BENCH_MLFLOW_PEER=no          gyre alone
"""
import contextlib
import http.client
import importlib.metadata
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

GYRE = os.path.abspath(os.environ.get('GYRE', 'build/gyre'))
RUNS = int(os.environ.get('GYRE_BENCH_MLFLOW_RUNS', '20000'))
CONNECTIONS = 8
MODELS, VERSIONS = 1000, 2
T0 = 1_700_000_000_000
TICK = os.sysconf('SC_CLK_TCK')


def fields(pid):
    return open(f'/proc/{pid}/stat').read().rsplit(')', 1)[1].split()


def tree(root):
    parents = {}
    for name in filter(str.isdigit, os.listdir('/proc')):
        with contextlib.suppress(OSError):
            parents[int(name)] = int(fields(name)[1])
    known = [root]
    for pid in known:
        known += [child for child, parent in parents.items() if parent == pid]
    return known


def cpu_of(root):
    total = 0
    for pid in tree(root):
        with contextlib.suppress(OSError):
            total += sum(map(int, fields(pid)[11:13]))
    return total / TICK


def pss_mb(root):
    total = 0
    for pid in tree(root):
        with contextlib.suppress(OSError):
            total += int(open(f'/proc/{pid}/smaps_rollup').read().split('Pss:')[1].split()[0])
    return total / 1024


class Server:
    """One of the two, with what the cases need of it."""

    def __init__(self, name, command, environment, folder):
        self.name, self.folder = name, folder
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            self.port = s.getsockname()[1]
        begin = time.perf_counter()
        with open(os.path.join(folder, 'log'), 'wb') as log:
            self.process = subprocess.Popen([part.format(port=self.port, folder=folder) for part in command], env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, start_new_session=True)
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.send(self.connect(), 'GET', '/health')[0] == 200:
                    break
            if self.process.poll() is not None or time.perf_counter() - begin > 180:
                raise SystemExit(open(os.path.join(folder, 'log'), errors='replace').read()[-3000:])
            time.sleep(0.002)
        self.start_ms, self.start_cpu = (time.perf_counter() - begin) * 1e3, cpu_of(self.process.pid)
        time.sleep(2)
        self.idle_mb = pss_mb(self.process.pid)
        self.connections = []

    def call(self, method, path, body=None):
        with contextlib.closing(self.connect()) as connection:
            return json.loads(self.api(connection, method, path, body))

    def connect(self):
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=300)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    @staticmethod
    def send(connection, method, path, body=None, headers=None):
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()

    def api(self, connection, method, path, body=None):
        status, text = self.send(connection, method, '/api/2.0/mlflow/' + path, None if body is None else json.dumps(body),
                                 {} if body is None else {'Content-Type': 'application/json'})
        if status != 200:
            raise SystemExit(f'{self.name}: {method} {path[:80]}: {status} {text[:300]}')
        return text

    def stop(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(15)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)


def real():
    environment = {**os.environ, 'MLFLOW_DISABLE_TELEMETRY': 'true', 'DO_NOT_TRACK': '1', 'MLFLOW_SERVER_ENABLE_JOB_EXECUTION': 'false', 'PYTHONWARNINGS': 'ignore'}
    return Server('mlflow', [sys.executable, '-m', 'mlflow', 'server', '--host', '127.0.0.1', '--port', '{port}', '--workers', '1', '--backend-store-uri',
                             'sqlite:///{folder}/mlflow.db', '--artifacts-destination', '{folder}/artifacts', '--serve-artifacts'], environment, tempfile.mkdtemp(prefix='gyre-bench-mlflow-'))


def ours():
    folder = tempfile.mkdtemp(prefix='gyre-bench-gyre-')
    return Server('gyre', [GYRE, 'server', '--data', '{folder}/data', '--listen', '127.0.0.1:{port}'], {**os.environ, 'HOME': folder}, folder)


# --- what the cases work on --------------------------------------------------------------------------------------------------------------------
def searched_run(i):
    """Metrics, params and tags of run i, the same for both."""
    return ({f'm{k}': (i * 7919 + k * 31) % 10007 / 10007 for k in range(5)}, {f'p{k}': str((i + k) % (k * 50 + 7)) for k in range(5)},
            {'mlflow.user': 'ana', 'mlflow.source.name': 'train.py', 'team': f't{i % 10}'})


def fill_mlflow(server, things):
    """Runs and models straight into its tables: through its API this would take minutes."""
    experiment = things['searched']
    database = sqlite3.connect(os.path.join(server.folder, 'mlflow.db'), timeout=60)
    for i in range(MODELS):
        name = f'model-{i}'
        database.execute('INSERT INTO registered_models (name, creation_time, last_updated_time, description) VALUES (?,?,?,?)', (name, T0, T0 + i, ''))
        database.execute('INSERT INTO registered_model_tags (key, value, name) VALUES (?,?,?)', ('team', f't{i % 10}', name))
        for version in range(1, VERSIONS + 1):
            database.execute('INSERT INTO model_versions (name, version, creation_time, last_updated_time, description, user_id, current_stage, source, run_id, status, storage_location) '
                             'VALUES (?,?,?,?,?,?,?,?,?,?,?)', (name, version, T0, T0, '', '', 'None', things['source'], things['long'], 'READY', things['source']))
    columns = 'run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, end_time, source_version, lifecycle_stage, artifact_uri, experiment_id'
    for i in range(RUNS):
        id = f'{i:032x}'
        metrics, params, tags = searched_run(i)
        database.execute(f'INSERT INTO runs ({columns}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)',
                         (id, f'run-{i}', 'UNKNOWN', '', '', 'ana', 'FINISHED', T0 + i, T0 + i + 5, '', 'active', f'mlflow-artifacts:/{experiment}/{id}/artifacts', experiment))
        for key, value in metrics.items():
            database.execute('INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid) VALUES (?,?,?,?,?,?)', (key, value, T0 + i, 0, 0, id))
            database.execute('INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?,?,?,?,?,?)', (key, value, T0 + i, id, 0, 0))
        database.executemany('INSERT INTO params (key, value, run_uuid) VALUES (?,?,?)', [(k, v, id) for k, v in params.items()])
        database.executemany('INSERT INTO tags (key, value, run_uuid) VALUES (?,?,?)', [(k, v, id) for k, v in {**tags, 'mlflow.runName': f'run-{i}'}.items()])
    database.commit()
    database.close()


def entries(values):
    return [{'key': k, 'value': v} for k, v in values.items()]


def fill_gyre(server, things):
    def model(connection, i):
        server.api(connection, 'POST', 'registered-models/create', {'name': f'model-{i}', 'tags': [{'key': 'team', 'value': f't{i % 10}'}]})
        for _ in range(VERSIONS):
            server.api(connection, 'POST', 'model-versions/create', {'name': f'model-{i}', 'source': things['source'], 'run_id': things['long']})

    def one(connection, i):
        metrics, params, tags = searched_run(i)
        id = json.loads(server.api(connection, 'POST', 'runs/create', {'experiment_id': things['searched'], 'start_time': T0 + i, 'user_id': 'ana', 'run_name': f'run-{i}', 'tags': entries(tags)}))['run']['info']['run_id']
        server.api(connection, 'POST', 'runs/log-batch', {'run_id': id, 'params': entries(params), 'metrics': [{'key': k, 'value': v, 'timestamp': T0 + i, 'step': 0} for k, v in metrics.items()]})
        server.api(connection, 'POST', 'runs/update', {'run_id': id, 'status': 'FINISHED', 'end_time': T0 + i + 5})
    spread(server, MODELS, model)
    spread(server, RUNS, one)


def spread(server, count, one):
    """`count` requests over all connections, which are new: an idle one may be closed."""
    failed = []
    server.connections = [server.connect() for _ in range(CONNECTIONS)]

    def work(place):
        try:
            for i in range(place, count, CONNECTIONS):
                one(server.connections[place], i)
        except BaseException as error:  # noqa: BLE001: told by the main thread
            failed.append(error)
    threads = [threading.Thread(target=work, args=(place,)) for place in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def points(count, offset=0, key='m', keys=1):
    return [{'key': f'{key}{j % keys}', 'value': j * 0.5, 'timestamp': T0 + offset + j, 'step': offset + j} for j in range(count)]


def prepare(server):
    """Everything but the searched runs, through the API; answers the names of things."""
    call = server.call
    things = {'writes': call('POST', 'experiments/create', {'name': 'writes'})['experiment_id'], 'searched': call('POST', 'experiments/create', {'name': 'searched'})['experiment_id']}
    make = lambda: call('POST', 'runs/create', {'experiment_id': things['writes'], 'start_time': T0, 'user_id': 'ana', 'tags': []})['run']['info']['run_id']
    things['runs'] = [make() for _ in range(CONNECTIONS)]
    things['long'], things['charted'] = make(), [make() for _ in range(100)]
    for b in range(10):
        call('POST', 'runs/log-batch', {'run_id': things['long'], 'metrics': points(1000, b * 1000, 'h')})
    for id in things['charted']:
        call('POST', 'runs/log-batch', {'run_id': id, 'metrics': points(1000, 0, 'b')})
    things['source'] = f'mlflow-artifacts:/{things["writes"]}/{things["long"]}/artifacts/model'
    (fill_mlflow if server.name == 'mlflow' else fill_gyre)(server, things)
    first = call('POST', 'runs/search', {'experiment_ids': [things['searched']], 'max_results': 100})['runs']
    things['some'] = [run['info']['run_id'] for run in first]
    things['token'] = deep_token(server, things)
    return things


def search(things, **more):
    return {'experiment_ids': [things['searched']], 'filter': 'metrics.m0 > 0.1', 'order_by': ['metrics.m1 DESC'], 'max_results': 100, **more}


def deep_token(server, things):
    """Of the page at 9,000."""
    token = None
    for size in [3000] * 3:
        token = server.call('POST', 'runs/search', search(things, max_results=size, **({'page_token': token} if token else {}))).get('next_page_token')
    return token


def cases(server, things):
    """name -> (requests, one request, what is owed)"""
    post = lambda path, body: lambda c, i: server.api(c, 'POST', path, body(i))
    get = lambda path: lambda c, i: server.api(c, 'GET', path(i))
    of = lambda i: things['runs'][i % CONNECTIONS]
    tags = [{'key': 'mlflow.user', 'value': 'ana'}, {'key': 'mlflow.source.name', 'value': 'train.py'}, {'key': 'mlflow.source.type', 'value': 'LOCAL'}]
    chart = 'metrics/get-history-bulk-interval?metric_key=b0&max_results=320&' + '&'.join('run_ids=' + id for id in things['charted'])
    place = f'/api/2.0/mlflow-artifacts/artifacts/{things["writes"]}/{things["long"]}/artifacts/'

    def file(size, down):
        body, name = os.urandom(size), f'file{size}'
        server.send(server.connect(), "PUT", place + name, body)

        def one(c, i):
            status, got = server.send(c, 'GET', place + name) if down else server.send(c, 'PUT', f'{place}{name}-{i}', body)
            assert status == 200 and (not down or len(got) == size), status
        return one
    return {
        'create-run': (400, post('runs/create', lambda i: {'experiment_id': things['writes'], 'start_time': T0 + i, 'user_id': 'ana', 'tags': tags}), 100),
        'log-metric': (400, post('runs/log-metric', lambda i: {'run_id': of(i), 'key': 'loss', 'value': i * 0.5, 'timestamp': T0 + i, 'step': i}), 100),
        'log-batch of 10': (400, post('runs/log-batch', lambda i: {'run_id': of(i), 'metrics': points(10, i * 10, 'x', 10)}), 100),
        'log-batch of 100': (200, post('runs/log-batch', lambda i: {'run_id': of(i), 'metrics': points(100, i * 100, 'y', 10)}), 100),
        'log-batch of 1000': (80, post('runs/log-batch', lambda i: {'run_id': of(i), 'metrics': points(1000, i * 1000, 'z', 10)}), 100),
        'get-run': (400, get(lambda i: 'runs/get?run_id=' + things['some'][i % 100]), 100),
        'search, first page': (40, post('runs/search', lambda i: search(things)), 100),
        'search, page at 9,000': (40, post('runs/search', lambda i: search(things, page_token=things['token'])), 100),
        'history of 10,000': (24, get(lambda i: 'metrics/get-history?metric_key=h0&max_results=25000&run_id=' + things['long']), 100),
        'bulk-interval of 100 runs': (8, get(lambda i: chart), 50),
        'registered-models search': (40, get(lambda i: "registered-models/search?max_results=100&filter=tags.team%20%3D%20%27t3%27"), 50),
        'artifact 10 kB up': (200, file(10_000, False), 10),
        'artifact 10 kB down': (200, file(10_000, True), 10),
        'artifact 1 MB up': (80, file(1_000_000, False), 3),
        'artifact 1 MB down': (80, file(1_000_000, True), 8),
        'artifact 256 MB up': (1, file(256_000_000, False), 0),
        'artifact 256 MB down': (1, file(256_000_000, True), 0),
    }


def measured(server, count, one):
    times = 1 if server.name == 'mlflow' or count < 8 else 10  # enough ticks of the clock for the faster one
    before, begin = cpu_of(server.process.pid), time.perf_counter()
    spread(server, count * times, one)
    return (cpu_of(server.process.pid) - before) * 1e3 / (count * times), (time.perf_counter() - begin) * 1e3 / (count * times)


def main():
    wanted = sys.argv[1:]
    servers = [ours()] + ([] if os.environ.get('GYRE_BENCH_MLFLOW_PEER') == 'no' else [real()])
    try:
        version = importlib.metadata.version('mlflow')
        print(f'MLflow {version}, SQLite, one worker; {CONNECTIONS} connections; {RUNS:,} runs searched; load {os.getloadavg()[0]:.1f}')
        for server in servers:
            print(f'  {server.name:7} start {server.start_ms:8.0f} ms wall {server.start_cpu * 1e3:8.0f} ms CPU   idle {server.idle_mb:7.1f} MB', flush=True)
        lists = [cases(server, prepare(server)) for server in servers]
        print(f'  {"CPU-ms per request (wall ms)":28} {"gyre":>20} {"mlflow":>20} {"ratio":>8}   owed')
        for name in lists[0]:
            if wanted and not any(word in name for word in wanted):
                continue
            results = [measured(server, *of[name][:2]) for server, of in zip(servers, lists)]
            owed = lists[0][name][2]
            cells = ''.join(f' {cpu:10.3f} ({wall:7.2f})' for cpu, wall in results)
            ratio = f'{results[1][0] / max(results[0][0], 1e-9):7.1f}x' if len(results) > 1 else ''
            print(f'  {name:28}{cells} {ratio}   {f">= {owed}x" if owed else ""}', flush=True)
        for server in servers:
            print(f'  {server.name:7} loaded {pss_mb(server.process.pid):7.1f} MB')
    finally:
        for server in servers:
            server.stop()


if __name__ == '__main__':
    main()
