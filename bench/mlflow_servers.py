"""The servers that bench/mlflow.py compares, what they cost, and a client light enough to share two cores with them."""
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

TICK = os.sysconf('SC_CLK_TCK')
POSTGRES_SETTINGS = {'fsync': 'on', 'synchronous_commit': 'on', 'shared_buffers': '1GB', 'effective_cache_size': '4GB', 'max_wal_size': '4GB', 'random_page_cost': '1.1', 'jit': 'off'}


# --- what a process tree costs
def fields(pid):
    with open(f'/proc/{pid}/stat') as stat:
        return stat.read().rsplit(')', 1)[1].split()


def tree(roots):
    children = {}
    for name in filter(str.isdigit, os.listdir('/proc')):
        with contextlib.suppress(OSError):
            children.setdefault(int(fields(name)[1]), []).append(int(name))
    known = list(roots)
    for pid in known:
        known += children.get(pid, [])
    return known


def cpu_seconds(roots):
    """Of all that live, and of those whose end their parents have seen."""
    total = 0
    for pid in tree(roots):
        with contextlib.suppress(OSError):
            total += sum(map(int, fields(pid)[11:15]))
    return total / TICK


def memory_mb(roots):
    """Proportional: what processes share counts once."""
    total = 0
    for pid in tree(roots):
        with contextlib.suppress(OSError), open(f'/proc/{pid}/smaps_rollup') as rollup:
            total += int(rollup.read().split('Pss:')[1].split()[0])
    return total / 1024


# --- the client
class Connection:
    def __init__(self, port):
        self.host = f'127.0.0.1:{port}'
        self.socket = socket.create_connection(('127.0.0.1', port), timeout=300)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.waiting = b''

    def head(self, method, path, size, kind='application/json'):
        about = f'Content-Type: {kind}\r\nContent-Length: {size}\r\n' if method != 'GET' else ''
        # As the client's library asks for it.
        return f'{method} {path} HTTP/1.1\r\nHost: {self.host}\r\nAccept-Encoding: gzip, deflate\r\n{about}\r\n'.encode()

    def send(self, message):
        self.socket.sendall(message)

    def more(self):
        piece = self.socket.recv(1 << 18)
        if not piece:
            raise ConnectionError('the server closed the connection')
        return piece

    def answer(self):
        """Status and body of the next answer."""
        pieces = []
        status, _ = self.receive(pieces.append)
        return status, b''.join(pieces)

    def receive(self, take):
        """Status and size of the next answer, whose body is given to `take` piece by piece."""
        text = self.waiting
        while (end := text.find(b'\r\n\r\n')) < 0:
            text += self.more()
        head, self.waiting = text[:end].lower(), text[end + 4:]
        status = int(head[9:12])
        at = head.find(b'content-length:')
        if at >= 0:
            return status, self.body(int(head[at + 15:].split(b'\r\n', 1)[0]), take)
        if b'transfer-encoding: chunked' in head:
            return status, self.chunks(take)
        return status, 0

    def body(self, size, take):
        left = size
        while left > 0:
            piece = self.waiting or self.more()
            self.waiting = piece[left:]
            take(piece[:left] if len(piece) > left else piece)
            left -= min(len(piece), left)
        return size

    def chunks(self, take):
        size = 0
        while True:
            while (end := self.waiting.find(b'\r\n')) < 0:
                self.waiting += self.more()
            length = int(self.waiting[:end], 16)
            self.waiting = self.waiting[end + 2:]
            size += self.body(length, take)
            while len(self.waiting) < 2:
                self.waiting += self.more()
            self.waiting = self.waiting[2:]
            if length == 0:
                return size

    def close(self):
        self.socket.close()


def spread(server, connections, work):
    """work(connection, place) on as many new connections at once; a failure of one is raised."""
    failed = []

    def run(place):
        try:
            with contextlib.closing(Connection(server.port)) as connection:
                work(connection, place)
        except BaseException as error:  # noqa: BLE001: raised by the main thread
            failed.append(error)
    threads = [threading.Thread(target=run, args=(place,)) for place in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


# --- the servers
def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def end(process, how=signal.SIGTERM):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, how)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(20)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


class Server:
    def __init__(self, name):
        self.name, self.folder, self.port = name, tempfile.mkdtemp(prefix=f'gyre-bench-{name.split()[0]}-'), free_port()
        self.process = None

    def start(self):
        begin = time.perf_counter()
        with open(os.path.join(self.folder, 'log'), 'ab') as log:
            self.process = subprocess.Popen(self.command(), env={**os.environ, **self.environment()}, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)
        while not self.answers():
            if self.process.poll() is not None or time.perf_counter() - begin > 300:
                with open(os.path.join(self.folder, 'log'), errors='replace') as log:
                    raise SystemExit(log.read()[-3000:])
            time.sleep(0.001)
        self.start_ms, self.start_cpu_ms = (time.perf_counter() - begin) * 1e3, cpu_seconds([self.process.pid]) * 1e3
        time.sleep(3)
        self.idle_mb = self.memory_mb()

    def answers(self):
        with contextlib.suppress(OSError), contextlib.closing(Connection(self.port)) as connection:
            connection.send(connection.head('GET', '/health', 0))
            return connection.answer()[0] == 200
        return False

    def roots(self):
        return [self.process.pid]

    def cpu_seconds(self):
        return cpu_seconds(self.roots())

    def memory_mb(self):
        return memory_mb(self.roots())

    def rest(self):
        """Until what goes on behind the answers has ended: it is not of the next request."""
        for _ in range(240):
            before = self.cpu_seconds()
            time.sleep(0.5)
            if self.cpu_seconds() - before <= 0.02:
                return

    def stop(self):
        if self.process:
            end(self.process)

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Gyre(Server):
    PROGRAM = os.path.abspath(os.environ.get('GYRE', 'build/gyre'))

    def __init__(self):
        super().__init__('gyre')

    def command(self):
        return [self.PROGRAM, 'server', '--data', os.path.join(self.folder, 'data'), '--listen', f'127.0.0.1:{self.port}']

    def environment(self):
        return {'HOME': self.folder}


class MLflow(Server):
    """MLflow's own, quiet and with nothing on that the cases do not need; `store` is where its tables are."""

    def __init__(self, store, workers):
        super().__init__(f'mlflow {store.name}/{workers}')
        self.store, self.workers = store, workers
        store.prepare(self.folder)

    def command(self):
        return [sys.executable, '-m', 'mlflow', 'server', '--host', '127.0.0.1', '--port', str(self.port), '--workers', str(self.workers), '--backend-store-uri', self.store.uri,
                '--artifacts-destination', os.path.join(self.folder, 'artifacts'), '--serve-artifacts']

    def environment(self):
        return {'MLFLOW_DISABLE_TELEMETRY': 'true', 'DO_NOT_TRACK': '1', 'MLFLOW_SERVER_ENABLE_JOB_EXECUTION': 'false', 'PYTHONWARNINGS': 'ignore', **self.store.environment}

    def roots(self):
        return [self.process.pid, *self.store.roots()]

    def remove(self):
        self.stop()
        self.store.stop()
        super().remove()


class SqliteStore:
    name, environment = 'sqlite', {}

    def prepare(self, folder):
        self.path = os.path.join(folder, 'mlflow.db')
        self.uri = f'sqlite:///{self.path}'

    def connect(self):
        import sqlite3
        connection = sqlite3.connect(self.path, timeout=120)
        connection.execute('PRAGMA synchronous=OFF')
        return connection

    def insert(self, connection, table, columns, rows):
        connection.executemany(f'INSERT INTO {table} ({", ".join(columns)}) VALUES ({", ".join("?" * len(columns))})', rows)

    def roots(self):
        return []

    def stop(self):
        pass


class PostgresStore:
    """A server of its own, durable; its driver's folder is given to MLflow beside its own packages."""
    name = 'postgresql'

    def __init__(self, driver):
        self.driver, self.environment, self.process = driver, {'PYTHONPATH': driver}, None

    @staticmethod
    def there(driver):
        return shutil.which('initdb') and shutil.which('postgres') and os.path.isdir(driver)

    def prepare(self, folder):
        self.data, port = os.path.join(folder, 'postgres'), free_port()
        other = {'user': 'postgres'} if os.geteuid() == 0 else {}  # it refuses to run as root
        os.chmod(folder, 0o755)
        os.mkdir(self.data, 0o700)
        if other:
            shutil.chown(self.data, 'postgres')
        subprocess.run(['initdb', '--no-sync', '--auth=trust', '--username=mlflow', '--encoding=UTF8', '-D', self.data], check=True, stdout=subprocess.DEVNULL, cwd='/', **other)
        settings = [part for key, value in POSTGRES_SETTINGS.items() for part in ('-c', f'{key}={value}')]
        self.process = subprocess.Popen(['postgres', '-D', self.data, '-k', self.data, '-h', '127.0.0.1', '-p', str(port), *settings], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd='/', start_new_session=True, **other)
        self.place = f'postgresql://mlflow@127.0.0.1:{port}/postgres'
        self.uri = self.place.replace(':', '+psycopg2:', 1)
        sys.path.append(self.driver)
        import psycopg2
        begin = time.perf_counter()
        while True:
            try:
                return psycopg2.connect(self.place).close()
            except psycopg2.OperationalError:
                if time.perf_counter() - begin > 60:
                    raise
                time.sleep(0.05)

    def connect(self):
        import psycopg2
        return psycopg2.connect(self.place)

    def insert(self, connection, table, columns, rows):
        connection.cursor().copy_expert(f'COPY {table} ({", ".join(columns)}) FROM STDIN', Lines(rows))

    def roots(self):
        return [self.process.pid]

    def stop(self):
        if self.process:
            end(self.process, signal.SIGINT)


class Lines:
    """Rows as the text that COPY reads; no value here needs an escape."""

    def __init__(self, rows):
        self.rows, self.text = iter(rows), ''

    def read(self, size):
        pieces, got = [self.text], len(self.text)
        for row in self.rows:
            pieces.append('\t'.join(map(str, row)) + '\n')
            got += len(pieces[-1])
            if got >= size:
                break
        text = ''.join(pieces)
        self.text = text[size:]
        return text[:size]
