"""gyre run of a script that logs to MLflow and knows nothing of gyre: what it logs stands in the run that gyre made, with and without a server; its token opens no
more than that."""
import json
import os
import sys
import urllib.error
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import run_scenarios, skip

DEPS = os.environ.get('GYRE_DEPS_DIR') or os.path.expanduser('~/.cache/gyre-deps')
PYTHON = os.path.join(DEPS, 'venv-test-mlflow', 'bin', 'python')

TRAIN = """
import mlflow
from sklearn.linear_model import LogisticRegression
mlflow.autolog()
with mlflow.start_run():
    LogisticRegression(C=0.5).fit([[0.], [1.], [2.], [3.]], [0, 0, 1, 1])
    mlflow.log_metric('seen', 0.25, step=3)
    with mlflow.start_run(nested=True, run_name='child'):
        mlflow.log_param('fold', 1)
import sys
sys.exit(EXIT)
"""

ASK = """
import json, os, sys, urllib.error, urllib.request
def ask(path, token, body=None):
    request = urllib.request.Request(os.environ['MLFLOW_TRACKING_URI'] + path, data=None if body is None else json.dumps(body).encode())
    request.add_header('Content-Type', 'application/json')
    if token:
        request.add_header('Authorization', 'Bearer ' + token)
    try:
        return urllib.request.urlopen(request, timeout=20).status
    except urllib.error.HTTPError as error:
        return error.code
own = os.environ['MLFLOW_TRACKING_TOKEN']
api = '/api/2.0/mlflow/'
print(json.dumps({
    'uri': os.environ['MLFLOW_TRACKING_URI'],
    'password': os.environ.get('MLFLOW_TRACKING_PASSWORD'),
    'health': ask('/health', None),
    'without a token': ask(api + 'runs/get?run_id=' + os.environ['MLFLOW_RUN_ID'], None),
    'native without one': ask('/api/v1/projects', None),
    'a wrong one': ask('/api/v1/projects', 'gyre_run_0'),
    'its run': ask(api + 'runs/get?run_id=' + os.environ['MLFLOW_RUN_ID'], own),
    'an experiment': ask(api + 'experiments/create', own, {'name': sys.argv[1]}),
    'a model': ask(api + 'registered-models/create', own, {'name': sys.argv[1]}),
    'a user': ask('/api/v1/users', own, {'name': 'eve', 'password': 'a long enough password'}),
}))
"""


def write(g, name, text):
    path = os.path.join(g.work, name)
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)
    return path


def runs_of(g):
    return {run['name']: g.cli_json('runs', 'show', run['id']) for run in g.cli_json('runs', 'ls')}


def autolog_stands_in_the_run_of_gyre(g):
    if not os.path.exists(PYTHON):
        skip('tools/deps mlflow has not made its environment')
    done = g.cli('run', '--name', 'training', PYTHON, '-W', 'ignore', write(g, 'train.py', TRAIN.replace('EXIT', '3')), check=False)
    assert done.returncode == 3, (done.stdout, done.stderr)
    runs = runs_of(g)
    assert set(runs) == {'training', 'child'}, runs
    run = runs['training']
    assert run['params']['C'] == '0.5' and run['metrics']['seen'] == 0.25, run
    assert 'training_accuracy_score' in run['metrics'], (run['metrics'], done.stderr)
    assert [output['kind'] for output in run['outputs']] == ['logged_model'], run['outputs']
    assert 'Encountered unexpected error' not in done.stderr, done.stderr
    assert runs['child']['params'] == {'fold': '1'} and runs['child']['status'] == 'finished', runs['child']
    # The client said that it had finished; whoever waited for the program knows better.
    assert run['status'] == 'failed' and run['resources']['exit_code'] == 3, run
    assert run['resources']['wall_seconds'] > 0 and run['ended_at'], run


def its_token_opens_its_project_and_no_more(g):
    def ask(name, *words, **environment):
        done = g.cli('run', *words, sys.executable, write(g, 'ask.py', ASK), name, environment=environment)
        return json.loads(done.stdout)

    expected = {'health': 200, 'without a token': 401, 'native without one': 401, 'a wrong one': 401, 'its run': 200, 'an experiment': 200, 'a model': 200,
                'a user': 403, 'password': None}
    found = ask('alone', MLFLOW_TRACKING_PASSWORD='of another server')
    uri = found.pop('uri')
    assert uri.startswith('http://127.0.0.1:') and '/p/' not in uri, uri
    assert found == expected, found
    try:
        urllib.request.urlopen(uri + '/health', timeout=5)
        raise AssertionError('the address is open after the program has ended')
    except urllib.error.URLError:
        pass
    g.start()
    g.cli('api', 'POST', '/projects', '--body', '{"name": "other"}')
    found = ask('beside', '--project', 'other')
    assert found.pop('uri') == f'http://{g.host}:{g.port}/p/other', found
    # The server lets its owner in without a token; the native API has no address below a project.
    assert found == {**expected, 'health': found['health'], 'without a token': 200, 'native without one': 404, 'a wrong one': 404, 'a user': 404}, found


if __name__ == '__main__':
    run_scenarios([autolog_stands_in_the_run_of_gyre, its_token_opens_its_project_and_no_more])
