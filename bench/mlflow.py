"""MLflow's protocol: gyre against MLflow's own server (the newest release; SQLite with one worker, and PostgreSQL with several), artifacts through the server, the same
requests over the same connections, in turns, durable on all of them. CPU-milliseconds per request of the whole process tree, the database's included, then the median
time of an answer. Run it with the Python that has mlflow.

  bench/mlflow.py [ROW ...]                    rows whose name holds a word; default all
  GYRE_BENCH_MLFLOW_PEERS=sqlite:1             which set-ups of MLflow, by commas; `no` = gyre alone (sqlite:1,postgresql:4)
  GYRE_BENCH_MLFLOW_RUNS=20000,100000          how many runs are searched
"""
import importlib.metadata
import itertools
import json
import os
import sys
import threading
import time

from mlflow_servers import Gyre, MLflow, PostgresStore, SqliteStore, spread
from mlflow_world import API, T0, USER_TAGS, World, entries, points, search

CONNECTIONS = 8
SIZES = [int(size) for size in os.environ.get('GYRE_BENCH_MLFLOW_RUNS', '20000,100000').split(',')]
PEERS = os.environ.get('GYRE_BENCH_MLFLOW_PEERS', 'sqlite:1,postgresql:4')
DRIVER = os.path.join(os.environ.get('GYRE_DEPS_DIR', os.path.expanduser('~/.cache/gyre-deps')), 'venv-bench-mlflow/lib/python3.11/site-packages')
LARGE = 1 << 30


class Row:
    """`request`: (world, i) -> (method, path, body). MLflow is asked `count` times, gyre `more` times as often: it takes that long to see its CPU in ticks of the clock."""

    def __init__(self, name, owed, count, request, kind='application/json', more=10, rounds=1):
        self.name, self.owed, self.count, self.request, self.kind, self.more, self.rounds = name, owed, count, request, kind, more, rounds

    def messages(self, world, count):
        made = []
        for i in range(count):
            method, path, body = self.request(world, i)
            text = body if isinstance(body, bytes) else b'' if body is None else json.dumps(body).encode()
            made.append(world.connection.head(method, path, len(text), self.kind) + text)
        return made

    def prepare(self, world):
        """Makes what it needs, and asks once: nothing of that is measured."""
        [message] = self.messages(world, 1)
        world.again()
        world.connection.send(message)
        world.connection.answer()
        world.server.rest()

    def measure(self, world):
        server = world.server
        messages = self.messages(world, self.count * (self.more if isinstance(server, Gyre) else 1))
        times = [0.0] * len(messages)

        def work(connection, place):
            for i in range(place, len(messages), CONNECTIONS):
                begin = time.perf_counter()
                connection.send(messages[i])
                status, answer = connection.answer()
                times[i] = time.perf_counter() - begin
                if status != 200:
                    raise SystemExit(f'{server.name}: {self.name}: {status} {answer[:300]}')
        before = server.cpu_seconds()
        spread(server, CONNECTIONS, work)
        spent = server.cpu_seconds() - before
        return spent * 1e3 / len(messages), sorted(times)[len(times) // 2] * 1e3


def written(path, body):
    return lambda world, i: ('POST', API + path, body(world, i))


def read(path):
    return lambda world, i: ('GET', API + path(world, i), None)


def batch(size, key):
    return written('runs/log-batch', lambda world, i: {'run_id': world.get('written_runs')[i % 8], 'metrics': points(size, i * size, key, min(size, 10))})


def artifact(world, name):
    return f'/api/2.0/mlflow-artifacts/artifacts/{world.get("writes")}/{world.get("written_runs")[0]}/artifacts/{name}'


def upload(size):
    """No two files are the same."""
    base, numbers = os.urandom(size), itertools.count()

    def request(world, i):
        number = next(numbers)
        return 'PUT', artifact(world, f'{size}-{number}'), number.to_bytes(8, 'big') + base[8:]
    return request


def download(size):
    def request(world, i):
        path = artifact(world, f'read-{size}')
        if i == 0:
            body = os.urandom(size)
            world.again()
            world.connection.send(world.connection.head('PUT', path, size, 'application/octet-stream') + body)
            assert world.connection.answer()[0] == 200
        return 'GET', path, None
    return request


def chart(world, i):
    return 'metrics/get-history-bulk-interval?metric_key=b0&max_results=320&' + '&'.join('run_ids=' + run for run in world.get('charted_runs'))


def rows():
    made = [
        Row('create-run', 100, 300, written('runs/create', lambda world, i: {'experiment_id': world.get('writes'), 'start_time': T0 + i, 'user_id': 'ana', 'tags': entries(USER_TAGS)})),
        Row('log-metric', 100, 300, written('runs/log-metric', lambda world, i: {'run_id': world.get('written_runs')[i % 8], 'key': 'loss', 'value': i * 0.5, 'timestamp': T0 + i, 'step': i})),
        Row('log-batch of 10', 100, 300, batch(10, 'x')),
        Row('log-batch of 100', 100, 150, batch(100, 'y')),
        Row('log-batch of 1000', 100, 60, batch(1000, 'z')),
        Row('get-run', 100, 300, read(lambda world, i: 'runs/get?run_id=' + world.get(f'some_runs:{SIZES[0]}')[i % 100])),
    ]
    for size in SIZES:
        made += [
            Row(f'search of {size:,} runs, first page', 100, 24, written('runs/search', lambda world, i, size=size: search(world.get(f'searched:{size}')))),
            Row(f'search of {size:,} runs, page at 9,000', 100, 24, written(
                'runs/search', lambda world, i, size=size: search(world.get(f'searched:{size}'), page_token=world.get(f'deep_token:{size}')))),
        ]
    return made + [
        Row('history of 10,000 points', 100, 16, read(lambda world, i: 'metrics/get-history?metric_key=h0&max_results=25000&run_id=' + world.get('long_run'))),
        Row('bulk-interval of 100 runs', 50, 8, read(chart)),
        Row('registered-models search', 50, 40, read(lambda world, i: (world.get('models'), "registered-models/search?max_results=100&filter=tags.team%20%3D%20%27t3%27")[1])),
        Row('artifact 10 kB up', 10, 200, upload(10_000), 'application/octet-stream', rounds=3),
        Row('artifact 10 kB down', 10, 200, download(10_000)),
        Row('artifact 1 MB up', 3, 60, upload(1_000_000), 'application/octet-stream', more=4, rounds=5),
        Row('artifact 1 MB down', 8, 60, download(1_000_000)),
    ]


# --- one large file
class Peak:
    """The most memory that a server had meanwhile."""

    def __init__(self, server):
        self.server, self.most, self.over = server, 0, threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while not self.over.wait(0.2):
            self.most = max(self.most, self.server.memory_mb())

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def move_large(world, up):
    """CPU, seconds, and by how much the server grew."""
    path, block = artifact(world, 'large'), os.urandom(1 << 20)
    world.again()
    before, memory, begin = world.server.cpu_seconds(), world.server.memory_mb(), time.perf_counter()
    with Peak(world.server) as peak:
        world.connection.send(world.connection.head('PUT' if up else 'GET', path, LARGE, 'application/octet-stream'))
        if up:
            for i in range(LARGE >> 20):
                world.connection.send(i.to_bytes(8, 'big') + block[8:])
        status, size = world.connection.receive(lambda piece: None)
        wall = time.perf_counter() - begin
    assert status == 200 and (up or size == LARGE), (status, size)
    return (world.server.cpu_seconds() - before) * 1e3, wall, max(0, peak.most - memory)


def disk_seconds(folder):
    """To write as much and sync it, with nothing between."""
    path, block = os.path.join(folder, 'large'), os.urandom(1 << 20)
    begin = time.perf_counter()
    with open(path, 'wb', buffering=0) as out:
        for _ in range(LARGE >> 20):
            out.write(block)
        os.fsync(out.fileno())
    took = time.perf_counter() - begin
    os.unlink(path)
    return took


# --- the table
def servers():
    made = [Gyre()]
    for peer in PEERS.split(',') if PEERS != 'no' else []:
        name, _, workers = peer.partition(':')
        if name == 'postgresql' and not PostgresStore.there(DRIVER):
            print('no PostgreSQL here (its programs, and `tools/deps bench` for the driver): only SQLite is compared')
            continue
        made.append(MLflow(SqliteStore() if name == 'sqlite' else PostgresStore(DRIVER), int(workers or 1)))
    return made


def told(name, cells, ratio='', owed=''):
    print(f'{name:38}' + ''.join(f'{cell:>24}' for cell in cells) + f'{ratio:>9}  {owed}', flush=True)


def compare(name, results, owed):
    """The ratio is to the peer's best set-up."""
    best = min((cpu for cpu, _ in results[1:]), default=None)
    ratio = None if best is None else best / max(results[0][0], 1e-6)
    verdict = '' if not owed else f'>= {owed}x' + ('' if ratio is None or ratio >= owed else '  MISSED')
    told(name, [f'{cpu:.3f} ({wall:.2f})' for cpu, wall in results], '' if ratio is None else f'{ratio:.1f}x', verdict)


def measure_large(worlds):
    told(f'write and sync 1 GiB: {disk_seconds(worlds[0].server.folder):.1f} s', [])
    for up in (True, False):
        moved = [move_large(world, up) for world in worlds]
        told(f'artifact 1 GiB {"up" if up else "down"}: CPU-ms (s)', [f'{cpu:.0f} ({wall:.1f})' for cpu, wall, _ in moved])
        told('  grew meanwhile by', [f'{grown:.0f} MB' for *_, grown in moved])


def measure_all(worlds, wanted):
    told('CPU-ms a request (median ms)', [world.server.name for world in worlds], 'ratio', 'owed')
    for row in rows():
        if wanted and not any(word in row.name for word in wanted):
            continue
        for world in worlds:
            row.prepare(world)
        # In turns: what the first to write pays for memory that the machine has not used before is nobody's.
        rounds = [[row.measure(world) for world in worlds] for _ in range(row.rounds)]
        compare(row.name, [sorted(results)[row.rounds // 2] for results in zip(*rounds)], row.owed)
    if not wanted or any(word in 'artifact 1 GiB' for word in wanted):
        measure_large(worlds)
    told('memory after that, MB', [f'{world.server.memory_mb():.1f}' for world in worlds])


def starts(made, what):
    told(f'start{what}: ms (CPU-ms)', [f'{server.start_ms:.0f} ({server.start_cpu_ms:.0f})' for server in made], owed='<= 50 ms')
    told(f'idle memory{what}, MB', [f'{server.idle_mb:.1f}' for server in made], owed='<= 40 MB')


def main():
    begin, wanted, made = time.perf_counter(), sys.argv[1:], servers()
    try:
        print(f'MLflow {importlib.metadata.version("mlflow")}; {CONNECTIONS} connections; load of the machine {os.getloadavg()[0]:.1f}')
        told('', [server.name for server in made])
        for server in made:
            server.start()
        starts(made, '')
        measure_all([World(server) for server in made], wanted)
        for server in made:
            server.stop()
        for server in made:
            server.start()
        starts(made, ' again, with all that')
        print(f'{time.perf_counter() - begin:.0f} s in all; load of the machine {os.getloadavg()[0]:.1f}')
    finally:
        for server in made:
            server.remove()


if __name__ == '__main__':
    main()
