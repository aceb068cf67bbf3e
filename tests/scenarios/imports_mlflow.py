"""gyre import mlflow and gyre sync: what MLflow's own client has kept in SQLite or in a folder, and its client then finds in gyre. Both are asked by the same
client, and answer alike."""
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import GYRE, run_scenarios, skip

DEPS = os.environ.get('GYRE_DEPS_DIR') or os.path.expanduser('~/.cache/gyre-deps')
PYTHON = os.path.join(DEPS, 'venv-test-mlflow', 'bin', 'python')

MAKE = r"""
import math, sys
import mlflow
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric
from mlflow.tracking import MlflowClient
uri, root, many = sys.argv[1:]
client = MlflowClient(uri)
where = {} if uri.startswith('/') else {'artifact_location': 'file://' + root + '/first'}
first = client.create_experiment('/team/ana: früh', tags={'team': 'blau'}, **where)
run = client.create_run(first, start_time=1_600_000_000_123, run_name='eins', tags={'mlflow.user': 'ana', 'note': 'two\nlines'})
rid = run.info.run_id
client.log_param(rid, 'lr', '0.1')
client.log_param(rid, 'long', 'x' * 5000)
client.log_batch(rid, metrics=[Metric('loss', 1 / (i + 3), 1_600_000_000_000 + i, i) for i in range(int(many))])
client.log_batch(rid, metrics=[Metric('odd/one', v, 1_600_000_100_000 + i, i) for i, v in enumerate([math.nan, math.inf, -math.inf, 2.5])])
client.log_inputs(rid, [DatasetInput(Dataset('d', 'abc', 'local', '{"uri": "x"}', '{}', '{"rows": 2}'), [InputTag('mlflow.data.context', 'training')])])
client.log_text(rid, 'hello', 'deep/ä b.txt')
client.log_text(rid, 'flavors:\n  python_function:\n    loader_module: x\n  sklearn:\n    pickled_model: m\n', 'model/MLmodel')
client.set_terminated(rid, 'FINISHED', 1_600_000_200_456)
failed = client.create_run(first, start_time=1_600_000_300_000, run_name='zwei').info.run_id
client.set_terminated(failed, 'FAILED', 1_600_000_300_001)
gone = client.create_run(first, start_time=1_600_000_400_000, run_name='weg').info.run_id
client.set_terminated(gone, 'KILLED', 1_600_000_400_001)
client.delete_run(gone)
old = client.create_experiment('old', **({} if uri.startswith('/') else {'artifact_location': 'file://' + root + '/old'}))
client.set_terminated(client.create_run(old, run_name='alt', start_time=1_500_000_000_000).info.run_id, 'FINISHED', 1_500_000_000_001)
client.delete_experiment(old)
client.create_registered_model('churn model ü', tags={'a': 'b'}, description='what it is')
for i in range(3):
    client.create_model_version('churn model ü', f'runs:/{rid}/model', rid, tags={'n': str(i)}, description=f'number {i}')
client.delete_model_version('churn model ü', '2')
client.set_registered_model_alias('churn model ü', 'best', '3')
client.transition_model_version_stage('churn model ü', '1', 'Staging')
"""

TELL = r"""
import json, math, sys
from mlflow.entities import ViewType
import mlflow
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.tracking import MlflowClient
mlflow.set_tracking_uri(sys.argv[1])
client = MlflowClient(sys.argv[1])
def files(uri, folder=None):
    found = {}
    for item in get_artifact_repository(uri).list_artifacts(folder):
        found.update(files(uri, item.path) if item.is_dir else {item.path: item.file_size})
    return found
def text(value):  # no server keeps an infinity: the largest number stands for it
    return str(math.copysign(sys.float_info.max, value) if math.isinf(value) else value)
def own(tags):
    return {k: v for k, v in tags.items() if not k.startswith('import.')}
told = {'experiments': {}, 'runs': {}, 'models': {}}
experiments = client.search_experiments(ViewType.ALL)
for e in experiments:
    told['experiments'][e.name] = [e.experiment_id, e.lifecycle_stage, e.creation_time if e.name != 'Default' else 0, own(e.tags)]
for r in client.search_runs([e.experiment_id for e in experiments], run_view_type=ViewType.ALL):
    i = r.info
    told['runs'][i.run_id] = {
        'info': [i.run_name, i.status, i.start_time, i.end_time, i.lifecycle_stage, i.user_id, i.experiment_id], 'params': r.data.params, 'tags': own(r.data.tags),
        'metrics': {k: [text(m.value), m.step, m.timestamp] for k, v in r.data.metrics.items() for m in [client.get_metric_history(i.run_id, k)[-1]]},
        'history': {k: [[text(m.value), m.step, m.timestamp] for m in client.get_metric_history(i.run_id, k)] for k in r.data.metrics},
        'datasets': [[d.dataset.name, d.dataset.digest, d.dataset.source_type, d.dataset.source, d.dataset.schema, d.dataset.profile, [[t.key, t.value] for t in d.tags]]
                     for d in r.inputs.dataset_inputs],
        'files': files(i.artifact_uri)}
for m in client.search_registered_models():
    versions = client.search_model_versions("name = '%s'" % m.name)
    told['models'][m.name] = [m.description, m.tags, {k: str(v) for k, v in client.get_registered_model(m.name).aliases.items()},
                              {v.version: [v.description, v.tags, v.run_id, v.current_stage, v.source, v.creation_timestamp] for v in versions}]
print(json.dumps(told))
"""


def client(text, *arguments, **environment):
    if not os.path.exists(PYTHON):
        skip('tools/deps mlflow has not made its environment')
    with tempfile.TemporaryDirectory() as folder:  # the client leaves a store where it runs
        done = subprocess.run([PYTHON, '-W', 'ignore', '-c', text, *arguments], capture_output=True, text=True,
                              timeout=200, cwd=folder,
                              env={**os.environ, 'MLFLOW_ALLOW_FILE_STORE': 'true', **environment})
    assert done.returncode == 0, done.stderr
    return done.stdout


def told(uri):
    return json.loads(client(TELL, uri).splitlines()[-1])


def same(source, ours):
    for kind in ('experiments', 'runs', 'models'):
        for name in sorted(set(source[kind]) | set(ours[kind])):
            theirs, mine = source[kind].get(name), ours[kind].get(name)
            if kind == 'runs' and theirs and mine:
                assert theirs.keys() == mine.keys(), name
                for part in theirs:
                    assert theirs[part] == mine[part], (name, part, theirs[part], mine[part])
            assert theirs == mine, (kind, name, theirs, mine)


KEPT = []


def files():
    """Where the files of the store are: not beside its copies."""
    return ['--files', KEPT[0].name]


def store(folder):
    """A database of its own in that folder; the client makes it once, with 3,000 points, and its files stay where they are."""
    if not KEPT:
        KEPT.append(tempfile.TemporaryDirectory())
        client(MAKE, f'sqlite:///{KEPT[0].name}/mlflow.db', KEPT[0].name, '3000')
    shutil.copy(f'{KEPT[0].name}/mlflow.db', f'{folder}/mlflow.db')
    return f'sqlite:///{folder}/mlflow.db'


def report(done):
    assert done.returncode == 0, (done.stdout, done.stderr)
    return [line.split('\t') for line in done.stdout.splitlines()[1:]]


def a_database_answers_as_before(g):
    with tempfile.TemporaryDirectory() as d:
        uri = store(d)
        with open(f'{d}/mlflow.db', 'rb') as f:
            before = f.read()
        planned = report(g.cli('import', uri, *files(), '--dry-run'))
        assert ['would take', 'run eins'] == planned[2][:2], planned
        assert g.cli_json('runs', 'ls') == [], 'a plan took something'
        rows = report(g.cli('import', 'mlflow', uri, *files()))
        assert len([row for row in rows if row[0] == 'taken']) == 7, rows
        g.start()
        source, ours = told(uri), told(f'http://{g.host}:{g.port}')
        same(source, ours)
        run = next(r for r in ours['runs'].values() if r['info'][0] == 'eins')
        assert len(run['history']['loss']) == 3000 and run['files'] == {'deep/ä b.txt': 5, 'model/MLmodel': 81}, run['files']
        assert list(ours['models']['churn model ü'][3]) in (['1', '3'], ['3', '1']), ours['models']
        again = report(g.cli('import', uri, *files()))
        assert again and all(row[0] == 'there' for row in again), again
        same(source, told(f'http://{g.host}:{g.port}'))
        with open(f'{d}/mlflow.db', 'rb') as f:
            assert f.read() == before, 'the source was written'


def a_folder_is_synced_and_grows(g):
    with tempfile.TemporaryDirectory() as d:
        client(MAKE, f'{d}/mlruns', d, '20')
        g.start()
        server = f'http://{g.host}:{g.port}'
        report(g.cli('sync', cwd=d))
        source, ours = told(f'{d}/mlruns'), told(server)
        same(source, ours)
        run = next(i for i, r in source['runs'].items() if r['info'][0] == 'eins')
        client("import sys\nfrom mlflow.tracking import MlflowClient\nMlflowClient(sys.argv[1]).log_metric(sys.argv[2], 'loss', 7, 1_700_000_000_000, 99)",
               f'{d}/mlruns', run)
        rows = report(g.cli('sync', f'{d}/mlruns'))
        assert [row[1] for row in rows if row[0] == 'taken'] == ['run eins'] and '1 new of 25 points' in str(rows), rows
        same(told(f'{d}/mlruns'), told(server))
        refused = g.cli('sync', g.work, check=False)
        assert refused.returncode == 3 and 'GY4959' in refused.stderr, refused


def files_elsewhere_are_not_taken(g):
    with tempfile.TemporaryDirectory() as d:
        uri = store(d)
        with sqlite3.connect(f'{d}/mlflow.db') as database:
            database.execute("UPDATE runs SET artifact_uri = 'file:///etc/ssl' WHERE name = 'eins'")
            database.execute("UPDATE experiments SET artifact_location = 'file:///etc'")
            database.execute("UPDATE runs SET artifact_uri = 's3://bucket/x' WHERE name = 'zwei'")
        rows = report(g.cli('import', uri, *files()))
        assert [row[1] for row in rows if row[0] == 'not taken'] == ['files of run eins', 'files of run zwei'], rows
        run = g.cli_json('runs', 'show', 'eins')
        assert json.loads(g.cli('api', 'GET', f"/projects/default/runs/{run['id']}/artifacts").stdout)['items'] == []


def a_live_server_answers_as_before(g):
    with tempfile.TemporaryDirectory() as d:
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            port = free.getsockname()[1]
        uri = f'http://127.0.0.1:{port}'
        server = subprocess.Popen([PYTHON, '-m', 'mlflow', 'server', '--backend-store-uri', store(d), '--host', '127.0.0.1', '--port', str(port), '--workers', '1'],
                                  cwd=d, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            deadline = time.monotonic() + 60
            while True:
                try:
                    urllib.request.urlopen(uri + '/health', timeout=5)
                    break
                except OSError:
                    assert time.monotonic() < deadline, 'the server of MLflow does not start'
                    time.sleep(0.1)
            rows = report(g.cli('import', 'mlflow', uri))
            assert len([row for row in rows if row[0] == 'taken']) == 7, rows
            g.start()
            same(told(uri), told(f'http://{g.host}:{g.port}'))
            assert all(row[0] == 'there' for row in report(g.cli('import', uri)))
        finally:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def an_import_that_was_killed_goes_on(g):
    with tempfile.TemporaryDirectory() as d:
        uri = store(d)
        g.start()
        server = f'http://{g.host}:{g.port}'
        for wait in (0.05, 0.12, 0.2):
            process = subprocess.Popen([GYRE, 'import', uri, *files()], cwd=g.work, env=g.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(wait)
            process.send_signal(signal.SIGKILL)
            process.wait()
        report(g.cli('import', uri, *files()))
        same(told(uri), told(server))


if __name__ == '__main__':
    run_scenarios([a_database_answers_as_before, a_folder_is_synced_and_grows, files_elsewhere_are_not_taken, a_live_server_answers_as_before, an_import_that_was_killed_goes_on])
