"""Drives the built program for the tests of this folder: a data directory of its own, a server on loopback that always ends, CLI calls, HTTP.

    with Gyre() as g:                      # a fresh data directory
        g.start()                          # gyre server on a free port
        g.cli('add', 'a.csv')              # fails the test unless exit code 0
        g.json('GET', '/api/v1/projects')  # parsed answer, asserts 2xx
"""
import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse

GYRE = os.environ.get('GYRE') or os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'build', 'gyre')
SOURCE = os.environ.get('GYRE_SOURCE_DIR') or os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
FULL = os.environ.get('GYRE_TEST_TIER') == 'full'
SKIPPED = 77  # what ctest shows as "Skipped"


def data_directory():
    """The folder of real tables, or None."""
    path = os.environ.get('GYRE_TEST_DATA') or os.path.join(SOURCE, '..', 'shared', 'data')
    return path if os.path.isdir(path) else None


def skip(reason):
    print('SKIPPED: ' + reason)
    sys.exit(SKIPPED)


@contextlib.contextmanager
def small_disk(mebibytes):
    """A folder on a file system of its own; None where none can be mounted: that takes root or a mount namespace."""
    mount = tempfile.mkdtemp(prefix='gyre-small-')
    mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={mebibytes}m', 'none', mount], capture_output=True, text=True)
    try:
        yield mount if mounted.returncode == 0 else None
    finally:
        subprocess.run(['umount', '-l', mount], check=False, capture_output=True)
        shutil.rmtree(mount, ignore_errors=True)


def fill(path):
    """Takes all space that is left on a disk."""
    with open(path, 'wb', buffering=0) as f:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    f.write(b'x' * size)
            except OSError:
                pass


def run_scenarios(scenarios):
    """Each with a Gyre of its own; names on the command line pick some. The server's log of one that fails is printed."""
    for scenario in scenarios:
        if sys.argv[1:] and scenario.__name__ not in sys.argv[1:]:
            continue
        begin = time.monotonic()
        with Gyre() as gyre:
            try:
                scenario(gyre)
            except BaseException:
                print(f'FAILED {scenario.__name__}\n{gyre.log() if hasattr(gyre, "log_path") else ""}')
                raise
        print(f'ok {scenario.__name__} ({time.monotonic() - begin:.2f} s)')


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Gyre:
    def __init__(self, directory=None, environment=None):
        self.owned = directory is None
        self.directory = directory or tempfile.mkdtemp(prefix='gyre-test-')
        self.data = os.path.join(self.directory, 'data')
        self.work = os.path.join(self.directory, 'work')
        os.makedirs(self.work, exist_ok=True)
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith('GYRE_') or k in ('GYRE_LIB_DIR',)}
        self.environment.update({'GYRE_DATA': self.data, 'HOME': self.directory, 'NO_COLOR': '1', **(environment or {})})
        self.server = None
        self.host = self.port = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        self.cli('server', 'stop', check=False)
        if self.owned:
            shutil.rmtree(self.directory, ignore_errors=True)

    # --- the server ---
    def start(self, *flags, listen='127.0.0.1:0', wait=True, environment=None):
        self.log_path = os.path.join(self.directory, 'server.log')
        log = open(self.log_path, 'ab')
        self.server = subprocess.Popen([GYRE, 'server', '--data', self.data, '--listen', listen, *flags], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       cwd=self.work, env={**self.environment, **(environment or {})})
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, seconds=20):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.server.poll() is not None:
                raise AssertionError(f'the server ended with {self.server.returncode}:\n{self.log()}')
            try:
                with open(os.path.join(self.data, 'server.json')) as f:
                    info = json.load(f)
                if info.get('pid') == self.server.pid:
                    url = urllib.parse.urlparse(info['url'])
                    self.host, self.port = url.hostname, url.port
                    if self.http('GET', url.path + '/readyz').status == 200:
                        return
            except (OSError, ValueError, KeyError, http.client.HTTPException):
                pass
            time.sleep(0.01)
        raise AssertionError('the server did not become ready:\n' + self.log())

    def log(self):
        try:
            return open(self.log_path, errors='replace').read()[-4000:]
        except OSError:
            return ''

    def kill(self):
        self.server.send_signal(signal.SIGKILL)
        self.server.wait()
        self.server = None

    def stop(self, seconds=15):
        if self.server is None:
            return None
        self.server.send_signal(signal.SIGTERM)
        try:
            code = self.server.wait(seconds)
        except subprocess.TimeoutExpired:
            self.server.kill()
            self.server.wait()
            raise AssertionError('the server did not end on SIGTERM:\n' + self.log())
        finally:
            self.server = None
        return code

    # --- HTTP ---
    def http(self, method, path, body=None, headers=None, timeout=60):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            headers = dict(headers or {})
            if isinstance(body, (dict, list)):
                body = json.dumps(body)
                headers.setdefault('Content-Type', 'application/json')
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def json(self, method, path, body=None, **kw):
        answer = self.http(method, path, body, **kw)
        assert 200 <= answer.status < 300, f'{method} {path}: {answer.status} {answer.body[:1000]!r}'
        return answer.json() if answer.body else None

    def wait_job(self, job, seconds=300):
        deadline = time.monotonic() + seconds
        while job['state'] in ('queued', 'running') and time.monotonic() < deadline:
            time.sleep(0.05)
            job = self.json('GET', f"/api/v1/jobs/{job['id']}")
        return job

    # --- the command line ---
    def cli(self, *arguments, check=True, stdin=None, timeout=300, environment=None, cwd=None):
        done = subprocess.run([GYRE, *arguments], cwd=cwd or self.work, env={**self.environment, **(environment or {})}, input=stdin, capture_output=True, text=True,
                              timeout=timeout, stdin=None if stdin is not None else subprocess.DEVNULL)
        if check and done.returncode != 0:
            raise AssertionError(f"gyre {' '.join(arguments)} -> {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def cli_json(self, *arguments, **kw):
        return json.loads(self.cli(*arguments, '-o', 'json', **kw).stdout)
