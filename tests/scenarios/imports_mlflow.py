"""gyre import mlflow and gyre sync: what MLflow's own client has kept in SQLite, in PostgreSQL or in a folder, and its client then finds in gyre. Both are asked by
the same client, and answer alike. The folder, the live server and PostgreSQL are left to the full tier: each is another minute of MLflow's own work."""
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
from harness import FULL, GYRE, run_scenarios, skip

DEPS = os.environ.get('GYRE_DEPS_DIR') or os.path.expanduser('~/.cache/gyre-deps')
PYTHON = os.path.join(DEPS, 'venv-test-mlflow', 'bin', 'python')

MAKE = r"""
import math, os, sys
import mlflow
from mlflow.entities import Dataset, DatasetInput, InputTag, LoggedModelInput, LoggedModelOutput, Metric
from mlflow.tracking import MlflowClient
uri, root, many = sys.argv[1:]
mlflow.set_tracking_uri(uri)
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
def logged(name, **more):
    model = client.create_logged_model(first, name=name, source_run_id=rid, tags={'k': 'ü'}, params={'depth': '3'}, **more)
    files = os.path.join(root, 'files-' + name)
    os.makedirs(files + '/sub')
    for path, text in (('MLmodel', 'flavors:\n  xgboost:\n    data: m\n'), ('sub/w.bin', name * 1000)):
        with open(files + '/' + path, 'w') as f:
            f.write(text)
    client.log_model_artifacts(model.model_id, files)
    return client.finalize_logged_model(model.model_id, 'READY').model_id
on = {} if uri.startswith('/') else {'dataset_name': 'd', 'dataset_digest': 'abc'}  # MLflow's folder loses the step beside a data set, and tells the latest points only
kept, other = logged('gut', model_type='classifier'), logged('weg')
client.log_batch(rid, metrics=[Metric('auc', 0.5 + i / 10, 1_600_000_150_000 + i, i, model_id=kept, run_id=rid, **on) for i in range(1 if uri.startswith('/') else 3)])
client.log_outputs(rid, [LoggedModelOutput(kept, 7)])
client.log_inputs(rid, models=[LoggedModelInput(other)])
client.delete_logged_model(other)
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
client.create_model_version('churn model ü', f'models:/{kept}', rid, model_id=kept, description='logged')
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
def files(uri, folder=None):
    found = {}
    for item in get_artifact_repository(uri).list_artifacts(folder):
        found.update(files(uri, item.path) if item.is_dir else {item.path: item.file_size})
    return found
def text(value):  # no server keeps an infinity: the largest number stands for it
    return str(math.copysign(sys.float_info.max, value) if math.isinf(value) else value)
def own(tags):
    return {k: v for k, v in tags.items() if not k.startswith('import.')}
def tell(uri):
    mlflow.set_tracking_uri(uri)
    client = MlflowClient(uri)
    told = {'experiments': {}, 'runs': {}, 'models': {}, 'logged': {}}
    experiments = client.search_experiments(ViewType.ALL)
    for e in experiments:
        told['experiments'][e.name] = [e.experiment_id, e.lifecycle_stage, e.creation_time if e.name != 'Default' else 0, own(e.tags)]
    for r in client.search_runs([e.experiment_id for e in experiments], run_view_type=ViewType.ALL):
        i, r = r.info, client.get_run(r.info.run_id)  # a search of MLflow leaves out models
        told['runs'][i.run_id] = {
            'info': [i.run_name, i.status, i.start_time, i.end_time, i.lifecycle_stage, i.user_id, i.experiment_id], 'params': r.data.params, 'tags': own(r.data.tags),
            'metrics': {k: [text(m.value), m.step, m.timestamp] for k, v in r.data.metrics.items() for m in [client.get_metric_history(i.run_id, k)[-1]]},
            'history': {k: [[text(m.value), m.step, m.timestamp] for m in client.get_metric_history(i.run_id, k)] for k in r.data.metrics},
            'datasets': [[d.dataset.name, d.dataset.digest, d.dataset.source_type, d.dataset.source, d.dataset.schema, d.dataset.profile, [[t.key, t.value] for t in d.tags]]
                         for d in r.inputs.dataset_inputs],
            'read': [m.model_id for m in r.inputs.model_inputs], 'made': [[m.model_id, m.step] for m in r.outputs.model_outputs] if r.outputs else [],
            'files': files(i.artifact_uri)}
    for m in client.search_registered_models():
        versions = client.search_model_versions("name = '%s'" % m.name)
        told['models'][m.name] = [m.description, m.tags, {k: str(v) for k, v in client.get_registered_model(m.name).aliases.items()},
                                  {v.version: [v.description, v.tags, v.run_id, v.current_stage, v.source, v.creation_timestamp] for v in versions}]
    for m in client.search_logged_models([e.experiment_id for e in experiments]):
        told['logged'][m.model_id] = [m.name, m.experiment_id, str(m.status), m.model_type, m.source_run_id, m.creation_timestamp, own(m.tags), m.params,
                                      [[p.key, p.value, p.step, p.timestamp, p.run_id, p.dataset_name, p.dataset_digest] for p in m.metrics or []],
                                      files(f'models:/{m.model_id}')]
    return told
print(json.dumps([tell(uri) for uri in sys.argv[1:]]))
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


def told(*uris):
    return json.loads(client(TELL, *uris).splitlines()[-1])


def same(source, ours):
    for kind in ('experiments', 'runs', 'models', 'logged'):
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


def source_and(uri):
    """What MLflow tells of its store, and what is told at that address; the former is asked once."""
    if len(KEPT) == 1:
        source, ours = told(f'sqlite:///{KEPT[0].name}/mlflow.db', uri)
        KEPT.append(source)
        return source, ours
    return KEPT[1], *told(uri)


def report(done):
    assert done.returncode == 0, (done.stdout, done.stderr)
    return [line.split('\t') for line in done.stdout.splitlines()[1:]]


def server_of(g):
    g.start()
    return f'http://{g.host}:{g.port}'


# Two experiments, four runs, two logged models (one of them deleted), a registered model with three versions.
THINGS = 10


def a_database_answers_as_before(g):
    with tempfile.TemporaryDirectory() as d:
        uri = store(d)
        with open(f'{d}/mlflow.db', 'rb') as f:
            before = f.read()
        planned = report(g.cli('import', uri, *files(), '--dry-run'))
        assert ['would take', 'run eins'] == planned[2][:2], planned
        assert g.cli_json('runs', 'ls') == [], 'a plan took something'
        rows = report(g.cli('import', 'mlflow', uri, *files()))
        assert len([row for row in rows if row[0] == 'taken']) == THINGS, rows
        source, ours = source_and(server_of(g))
        same(source, ours)
        run = next(r for r in ours['runs'].values() if r['info'][0] == 'eins')
        assert len(run['history']['loss']) == 3000 and run['files'] == {'deep/ä b.txt': 5, 'model/MLmodel': 81}, run['files']
        [[model, about]] = ours['logged'].items()
        assert run['made'] == [[model, 7]] and about[-1] == {'MLmodel': 32, 'sub/w.bin': 3000} and len(about[-2]) == 3, (run['made'], about)
        versions = ours['models']['churn model ü'][3]
        assert sorted(versions) == ['1', '3', '4'] and versions['4'][4] == f'models:/{model}', versions
        place = g.json('GET', '/api/2.0/mlflow/model-versions/get-download-uri?version=4&name=churn%20model%20%C3%BC')['artifact_uri']
        assert place.endswith(f'models/{model}/artifacts'), place
        again = report(g.cli('import', uri, *files()))
        assert again and all(row[0] == 'there' for row in again), again
        with open(f'{d}/mlflow.db', 'rb') as f:
            assert f.read() == before, 'the source was written'


def a_folder_is_synced_and_grows(g):
    with tempfile.TemporaryDirectory() as d:
        client(MAKE, f'{d}/mlruns', d, '20')
        server = server_of(g)
        report(g.cli('sync', cwd=d))
        source, ours = told(f'{d}/mlruns', server)
        same(source, ours)
        run = next(i for i, r in source['runs'].items() if r['info'][0] == 'eins')
        client("import sys\nfrom mlflow.tracking import MlflowClient\nMlflowClient(sys.argv[1]).log_metric(sys.argv[2], 'loss', 7, 1_700_000_000_000, 99)",
               f'{d}/mlruns', run)
        rows = report(g.cli('sync', f'{d}/mlruns'))
        assert [row[1] for row in rows if row[0] == 'taken'] == ['run eins'] and '1 new of 26 points' in str(rows), rows
        same(*told(f'{d}/mlruns', server))
        refused = g.cli('sync', g.work, check=False)
        assert refused.returncode == 3 and 'GY4959' in refused.stderr, refused


def files_elsewhere_are_not_taken(g):
    with tempfile.TemporaryDirectory() as d:
        uri = store(d)
        with sqlite3.connect(f'{d}/mlflow.db') as database:
            database.execute("UPDATE runs SET artifact_uri = 'file:///etc/ssl' WHERE name = 'eins'")
            database.execute("UPDATE experiments SET artifact_location = 'file:///etc'")
            database.execute("UPDATE runs SET artifact_uri = 's3://bucket/x' WHERE name = 'zwei'")
            database.execute("UPDATE logged_models SET artifact_location = 'file:///etc/ssl' WHERE name = 'gut'")
        rows = report(g.cli('import', uri, *files()))
        assert [row[1] for row in rows if row[0] == 'not taken'] == ['files of run eins', 'files of run zwei', 'files of logged model gut'], rows
        run = g.cli_json('runs', 'show', 'eins')
        assert json.loads(g.cli('api', 'GET', f"/projects/default/runs/{run['id']}/artifacts").stdout)['items'] == []


def free_port():
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        return free.getsockname()[1]


def ended(process):
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def a_live_server_answers_as_before(g):
    with tempfile.TemporaryDirectory() as d:
        port = free_port()
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
            assert len([row for row in rows if row[0] == 'taken']) == THINGS - 1, rows  # no client is told of deleted logged models
            source, ours = told(uri, server_of(g))
            same(source, ours)
            assert all(row[0] == 'there' for row in report(g.cli('import', uri)))
        finally:
            ended(server)


def postgres(folder, port):
    """A server of its own; it refuses to run as root."""
    if not shutil.which('initdb') or not shutil.which('postgres'):
        skip('there is no PostgreSQL on this machine')
    other = {'user': 'postgres'} if os.geteuid() == 0 else {}
    os.chmod(folder, 0o755)
    data = os.path.join(folder, 'postgres')
    os.mkdir(data, 0o700)
    if other:
        shutil.chown(data, 'postgres')
    subprocess.run(['initdb', '--no-sync', '--auth=trust', '--username=mlflow', '--encoding=UTF8', '-D', data], check=True, stdout=subprocess.DEVNULL, cwd='/', **other)
    return subprocess.Popen(['postgres', '-D', data, '-k', data, '-h', '127.0.0.1', '-p', str(port), '-F'], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL, cwd='/', start_new_session=True, **other)


def a_postgresql_database_answers_as_before(g):
    with tempfile.TemporaryDirectory() as d:
        port = free_port()
        server = postgres(d, port)
        try:
            deadline = time.monotonic() + 60
            while socket.socket().connect_ex(('127.0.0.1', port)) != 0:
                assert time.monotonic() < deadline, 'PostgreSQL does not start'
                time.sleep(0.05)
            uri = f'postgresql+psycopg2://mlflow@127.0.0.1:{port}/postgres'
            empty = g.cli('import', 'mlflow', uri, check=False)
            assert empty.returncode == 6 and 'GY4963' in empty.stderr, empty.stderr
            client(MAKE, uri, d, '3000')
            rows = report(g.cli('import', 'mlflow', uri.replace('+psycopg2', ''), '--files', d))
            assert len([row for row in rows if row[0] == 'taken']) == THINGS, rows
            address = server_of(g)
            same(*told(uri, address))
            again = report(g.cli('import', uri, '--files', d))
            assert all(row[0] == 'there' for row in again), again
            without = report(g.cli('import', uri, '--project', 'default', '--dry-run'))
            assert 'files of run eins' in [row[1] for row in without if row[0] == 'not taken'], without
        finally:
            ended(server)
        gone = g.cli('import', uri, check=False)
        assert gone.returncode != 0 and 'GY1421' in gone.stderr, gone.stderr


def an_import_that_was_killed_goes_on(g):
    with tempfile.TemporaryDirectory() as d:
        uri = store(d)
        server = server_of(g)
        for wait in (0.05, 0.12, 0.2):
            process = subprocess.Popen([GYRE, 'import', uri, *files()], cwd=g.work, env=g.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(wait)
            process.send_signal(signal.SIGKILL)
            process.wait()
        report(g.cli('import', uri, *files()))
        same(*source_and(server))


SLOW = [a_folder_is_synced_and_grows, a_live_server_answers_as_before, a_postgresql_database_answers_as_before]

if __name__ == '__main__':
    run_scenarios([a_database_answers_as_before, files_elsewhere_are_not_taken, an_import_that_was_killed_goes_on, *(SLOW if FULL or sys.argv[1:] else [])])
