"""Cases for MLflow's client, and what runs them. A case is a function that gets a Target; a table makes one case of each row.

    @case(since='3.0')
    def finalize(t): ...

    @table([("metrics.a > 1", 'xy'), row("tags.`a b` = 'c'", 'z', since='3.0')])
    def search(t, text, expected): ...

`since` and `until` bound the client's versions (until is the first that lacks it); `real_server` says why MLflow's own server fails the case;
`needs` names what the place must offer ('auth', 'autolog', ...); slow cases run in the full tier."""
import contextlib
import dataclasses
import functools
import http.client
import inspect
import json
import os
import re
import shutil
import sys
import tempfile
import time
import traceback
import types
import urllib.parse
import uuid

CASES = []


class Skip(Exception):
    """The case cannot run here; the text says why."""


@dataclasses.dataclass
class Case:
    topic: str
    name: str
    call: object
    since: str = ''
    until: str = ''
    real_server: str = ''
    slow: bool = False
    needs: str = ''

    @property
    def title(self):
        return f'{self.topic}.{self.name}'


@dataclasses.dataclass
class Row:
    values: tuple
    marks: dict


def row(*values, **marks):
    return Row(values, marks)


def add(call, name, body, marks):
    title = (call.__module__.rsplit('.', 1)[-1], name)
    if any((c.topic, c.name) == title for c in CASES):
        raise ValueError(f'two cases are called {title}')
    CASES.append(Case(*title, body, **marks))


def case(**marks):
    def keep(call):
        add(call, call.__name__, call, marks)
        return call
    return keep


def label(value):
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + '...'


def table(rows, **marks):
    """One case per row, named by the row's first value; a second row with that value is numbered."""
    def keep(call):
        seen = {}
        for item in rows:
            item = item if isinstance(item, Row) else Row(item if isinstance(item, tuple) else (item,), {})
            text = label(item.values[0])
            seen[text] = seen.get(text, 0) + 1
            name = f'{call.__name__}[{text}]' + (f'#{seen[text]}' if seen[text] > 1 else '')
            add(call, name, lambda t, values=item.values: call(t, *values), {**marks, **item.marks})
        return call
    return keep


def once(make):
    """What several cases read and none of them changes: made at its first use, and again for another server."""
    made = {}

    @functools.wraps(make)
    def get(t):
        if t.uri not in made:
            made[t.uri] = make(t)
        return made[t.uri]
    return get


# --- versions ------------------------------------------------------------------------------------
def version_of(text):
    return tuple(int(part) for part in re.findall(r'\d+', text)[:2])


def client_lacks(c, version):
    return bool(c.since and version_of(version) < version_of(c.since) or c.until and version_of(version) >= version_of(c.until))


# --- what a case is given -------------------------------------------------------------------------
@dataclasses.dataclass
class Reply:
    status: int
    headers: object
    body: bytes

    @property
    def text(self):
        return self.body.decode('utf-8', 'replace')

    def json(self):
        return json.loads(self.body)


def place(path):
    """'runs/create' stands for /api/2.0/mlflow/runs/create."""
    return path if path.startswith('/') else '/api/2.0/mlflow/' + path


def query_of(fields):
    pairs = [(k, v) for k, values in fields.items() for v in (values if isinstance(values, list) else [values])]
    return urllib.parse.urlencode([(k, str(v).lower() if isinstance(v, bool) else v) for k, v in pairs])


class Target:
    """One server, for one case."""
    def __init__(self, uri, title='case'):
        self.uri, self.title = uri.rstrip('/'), title
        self.mark = uuid.uuid4().hex[:8]
        self.count = 0
        self.folder = None

    @property
    def client(self):
        from mlflow import MlflowClient
        return MlflowClient(self.uri, self.uri)

    @property
    def tmp(self):
        if self.folder is None:
            self.folder = tempfile.mkdtemp(prefix='gyre-mlflow-')
        return self.folder

    def name(self, word='x'):
        self.count += 1
        return f'{word}-{self.mark}-{self.count}'

    def experiment(self, **fields):
        return self.client.create_experiment(self.name('exp'), **fields)

    def run(self, experiment=None, **fields):
        return self.client.create_run(experiment or self.experiment(), **fields)

    def run_id(self, experiment=None, **fields):
        return self.run(experiment, **fields).info.run_id

    # --- without the client ---
    def send(self, method, path, /, body=None, headers=None, **query):
        """Any request; a dict or a list is sent as JSON."""
        url = urllib.parse.urlparse(self.uri)
        headers = dict(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers.setdefault('Content-Type', 'application/json')
        path = urllib.parse.quote(url.path + place(path), safe="/%?&=:;@+,!$'()*~#[]\\") + ('?' + query_of(query) if query else '')
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=120)
        try:
            connection.request(method, path, body=body.encode() if isinstance(body, str) else body, headers=headers)
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path, /, **query):
        return self.answer(self.send('GET', path, **query), path)

    def post(self, path, /, **body):
        return self.answer(self.send('POST', path, body), path)

    def answer(self, reply, path):
        assert reply.status == 200, f'{path}: {reply.status} {reply.text[:400]}'
        return reply.json()

    # --- claims ---
    def same(self, got, expected):
        assert got == expected, f'got {got!r}, expected {expected!r}'

    def refused(self, reply, status, code, text=None):
        """A refusal over the wire: status, error_code, and the message in full (or a pattern of it)."""
        assert reply.status == status, f'got {reply.status} {reply.text[:300]}, expected {status} {code}'
        got = reply.json()
        assert got['error_code'] == code, f'got {got}, expected {code}'
        self.says(got['message'], text)

    def fails(self, code, text, call, *arguments, **fields):
        """A refusal as the client raises it."""
        from mlflow.exceptions import MlflowException
        try:
            got = call(*arguments, **fields)
        except MlflowException as e:
            assert e.error_code == code, f'got {e.error_code}: {e}, expected {code}'
            self.says(str(e.message), text)
            return e
        raise AssertionError(f'not refused: {got!r}, expected {code}')

    def says(self, message, text):
        if isinstance(text, str):
            assert text in message, f'says {message!r}, expected {text!r}'
        elif text is not None:
            assert text.search(message), f'says {message!r}, expected /{text.pattern}/'

    def clean(self):
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)


# --- running --------------------------------------------------------------------------------------
def forget_fluent_state():
    """The fluent API keeps the run, the experiment and the model of the last case."""
    import mlflow
    while mlflow.active_run():
        mlflow.end_run()
    fluent = mlflow.tracking.fluent
    fluent._active_experiment_id = None
    for variable in ('MLFLOW_EXPERIMENT_ID', 'MLFLOW_EXPERIMENT_NAME', 'MLFLOW_RUN_ID'):
        os.environ.pop(variable, None)
    if hasattr(mlflow, 'clear_active_model'):
        mlflow.clear_active_model()


def one_line(error):
    text = ' '.join(str(error).split()) or type(error).__name__
    frames = [f for f in traceback.extract_tb(error.__traceback__) if '/cases/' in f.filename]
    where = f'{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}: ' if frames else ''
    return f'{where}{type(error).__name__}: {text[:400]}'


def run_one(c, uri, environment):
    """'ok', 'skipped: why' or 'failed: why'."""
    t = Target(uri, c.title)
    t.environment = environment
    try:
        with contextlib.redirect_stdout(sys.stderr):  # some clients tell on stdout where a run can be seen
            forget_fluent_state()
            c.call(t)
        return 'ok'
    except Skip as e:
        return f'skipped: {e}'
    except BaseException as e:
        if isinstance(e, (KeyboardInterrupt, SystemExit)):
            raise
        if os.environ.get('GYRE_TEST_TRACE'):
            traceback.print_exc()
        return f'failed: {one_line(e)}'
    finally:
        t.clean()


@dataclasses.dataclass
class Tally:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    better: int = 0
    topics: dict = dataclasses.field(default_factory=dict)
    reasons: dict = dataclasses.field(default_factory=dict)


def judge(c, result, real, tally):
    """A case that is marked as better than MLflow's server must fail there: a mark that is no longer true is an error."""
    marked = real and c.real_server
    if result.startswith('skipped'):
        tally.skipped += 1
        tally.reasons[result[9:]] = tally.reasons.get(result[9:], 0) + 1
    elif marked and result != 'ok':
        tally.better += 1
    elif marked:
        tally.failed += 1
        print(f'FAILED {c.title}: passes on the real server although it is marked: {c.real_server}')
    elif result == 'ok':
        tally.passed += 1
        tally.topics[c.topic] = tally.topics.get(c.topic, 0) + 1
    else:
        tally.failed += 1
        print(f'FAILED {c.title}: {result[8:]}')
    sys.stdout.flush()


def run_cases(uri, patterns=(), real=False, full=False, offers=(), timing=False, environment=None):
    """Runs what fits the client, the tier and the place; returns the number of failures."""
    import mlflow
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    tally, times = Tally(), []
    begin, cpu = time.monotonic(), time.process_time()
    for c in CASES:
        if patterns and not any(p in c.title for p in patterns) or c.slow and not full:
            continue
        start = time.monotonic()
        if client_lacks(c, mlflow.__version__):
            result = f'skipped: not in mlflow {mlflow.__version__}'
        elif c.needs and c.needs not in offers:
            result = f'skipped: this place does not offer {c.needs}'
        else:
            result = run_one(c, uri, environment or types.SimpleNamespace())
        times.append((time.monotonic() - start, c.title))
        judge(c, result, real, tally)
    for reason, count in sorted(tally.reasons.items()):
        print(f'skipped {count}: {reason}')
    if timing:
        for seconds, title in sorted(times, reverse=True)[:25]:
            print(f'{seconds:7.2f} s {title}')
        print(', '.join(f'{topic} {count}' for topic, count in tally.topics.items()))
    better = f', {tally.better} where gyre shall do better' if real else ''
    print(f'mlflow {mlflow.__version__}: {tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped{better} '
          f'({time.monotonic() - begin:.1f} s, {time.process_time() - cpu:.1f} s of CPU here)')
    return tally.failed


def import_all(package):
    """Each file of the folder is a topic."""
    import importlib
    import pkgutil
    for item in sorted(pkgutil.iter_modules(package.__path__), key=lambda m: m.name):
        importlib.import_module(f'{package.__name__}.{item.name}')


__all__ = [name for name, value in list(globals().items()) if not name.startswith('_') and not inspect.ismodule(value)]
