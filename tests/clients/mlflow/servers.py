"""Servers for the cases: MLflow's own of an environment of tools/deps, and gyre's. Each has a folder of its own and ends with its `with`."""
import contextlib
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import types

DEPS = os.environ.get('GYRE_DEPS_DIR') or os.path.expanduser('~/.cache/gyre-deps')
QUIET = {'MLFLOW_DISABLE_TELEMETRY': 'true', 'DO_NOT_TRACK': '1', 'MLFLOW_SERVER_ENABLE_JOB_EXECUTION': 'false', 'PYTHONWARNINGS': 'ignore'}
ADMIN, ADMIN_PASSWORD = 'admin', 'a password of the tests'


def environment_of(version=''):
    """The Python of one client: '' is the newest."""
    return os.path.join(DEPS, 'venv-test-mlflow' + (f'-{version}' if version else ''), 'bin', 'python')


def torch():
    """Where Debian's PyTorch was unpacked, and its libraries."""
    root = os.path.join(DEPS, 'torch')
    if not os.path.isdir(root):
        return {}
    folders = [os.path.join(root, part) for part in ('usr/lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu/blas', 'usr/lib/x86_64-linux-gnu/lapack', 'usr/lib', 'lib/x86_64-linux-gnu')]
    return {'GYRE_TEST_TORCH': os.path.join(root, 'usr/lib/python3/dist-packages'), 'LD_LIBRARY_PATH': ':'.join(folders)}


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def healthy(port):
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=5)
    try:
        connection.request('GET', '/health')
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def auth_settings(folder):
    path = os.path.join(folder, 'auth.ini')
    with open(path, 'w') as f:
        f.write(f'[mlflow]\ndefault_permission = READ\ndatabase_uri = sqlite:///{folder}/auth.db\nadmin_username = {ADMIN}\n'
                f'admin_password = {ADMIN_PASSWORD}\nauthorization_function = mlflow.server.auth:authenticate_request_basic_auth\n')
    return {'MLFLOW_AUTH_CONFIG_PATH': path, 'MLFLOW_FLASK_SERVER_SECRET_KEY': 'of the tests'}


@contextlib.contextmanager
def real_server(version='', auth=False):
    """`mlflow server` on loopback: SQLite, one worker, artifacts through it."""
    folder, port = tempfile.mkdtemp(prefix='gyre-mlflow-server-'), free_port()
    environment = {**os.environ, **QUIET, 'MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY': '3wNjWH8lhQ8GTxe8Qhf_2fy4r3rMwLLnbTKaKgTpH-0='}
    environment.pop('MLFLOW_TRACKING_URI', None)
    if auth:
        environment.update(auth_settings(folder))
    python = environment_of(version)
    with open(os.path.join(folder, 'log'), 'wb') as log:
        process = subprocess.Popen(
            [python, '-m', 'mlflow', 'server', '--host', '127.0.0.1', '--port', str(port), '--workers', '1', '--backend-store-uri', f'sqlite:///{folder}/mlflow.db',
             '--artifacts-destination', f'{folder}/artifacts', '--serve-artifacts', *(['--app-name', 'basic-auth'] if auth else [])],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder, env=environment, start_new_session=True)
    try:
        deadline = time.monotonic() + 180
        while not healthy(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit('the real server did not start:\n' + open(f'{folder}/log', errors='replace').read()[-4000:])
            time.sleep(0.1)
        yield types.SimpleNamespace(uri=f'http://127.0.0.1:{port}', folder=folder, log=f'{folder}/log', admin=(ADMIN, ADMIN_PASSWORD))
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def setup_link(g):
    """The server says it a moment after it is ready."""
    for _ in range(200):
        if found := re.search(r'http\S+/setup\?token=\S+(?=\s)', g.log()):
            return found[0]
        time.sleep(0.05)
    raise SystemExit('the server tells no setup link:\n' + g.log())


@contextlib.contextmanager
def gyre_server(auth=False):
    """The built program with an empty data folder; with `auth` everybody needs a login, and the first user is ADMIN."""
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    from harness import Gyre
    with Gyre() as g:
        g.start(*(['--auth', 'required'] if auth else []))
        if auth:
            g.cli('--server', f'http://{g.host}:{g.port}', 'login', '--user', ADMIN, '--setup', setup_link(g), stdin=ADMIN_PASSWORD + '\n')
        yield types.SimpleNamespace(uri=f'http://{g.host}:{g.port}', folder=g.directory, log=g.log_path, gyre=g)
