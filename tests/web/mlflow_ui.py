"""MLflow's own web UI, from its package, against this server in a real browser: experiments, a run, its charts, models; files of the folder and of nowhere else.

python3 tests/web/mlflow_ui.py [pages|with_a_login|files_of_the_folder_alone]      GYRE_SHOTS=FOLDER keeps pictures of the pages"""
import base64
import glob
import http.client
import math
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from harness import SOURCE, run_scenarios, skip  # noqa: E402
from web import CHROMIUM, NODE, script  # noqa: E402

PASSWORD = 'correct horse battery'
API = '/api/2.0/mlflow'


def build():
    found = glob.glob(os.path.join(os.environ.get('GYRE_DEPS_DIR', os.path.expanduser('~/.cache/gyre-deps')), 'venv-test-mlflow/lib/python3*/site-packages/mlflow/server/js/build'))
    return found[0] if found else skip("no package of MLflow (tools/deps mlflow)")


def fill(g, **who):
    """An experiment with three runs whose loss falls, files, a model of two versions, one of them with an alias."""
    def make(path, body):
        return g.json('POST', API + path, body, **who)
    experiment = make('/experiments/create', {'name': 'churn-study'})['experiment_id']
    runs = []
    for i in range(3):
        run = make('/runs/create', {'experiment_id': experiment, 'run_name': f'trial-{i}', 'start_time': 1_700_000_000_000 + i * 60_000})['run']['info']['run_id']
        points = [{'key': 'loss', 'value': math.exp(-step / (10 + 5 * i)), 'timestamp': 1_700_000_000_000 + step * 1000, 'step': step} for step in range(100)]
        make('/runs/log-batch', {'run_id': run, 'metrics': points, 'params': [{'key': 'rate', 'value': str(0.1 * (i + 1))}], 'tags': [{'key': 'team', 'value': 'crm'}]})
        g.http('PUT', f'/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/notes.txt', 'what was tried', who.get('headers'))
        make('/runs/update', {'run_id': run, 'status': 'FINISHED', 'end_time': 1_700_000_300_000})
        runs.append(run)
    make('/registered-models/create', {'name': 'churn', 'description': 'who leaves'})
    for run in runs[:2]:
        make('/model-versions/create', {'name': 'churn', 'source': f'runs:/{run}/model', 'run_id': run})
    make('/registered-models/alias', {'name': 'churn', 'alias': 'best', 'version': '2'})
    return experiment, runs[0]


def pages(g):
    g.start('--mlflow-ui', build())
    experiment, run = fill(g)
    script('mlflow_ui.mjs', g, GYRE_EXPERIMENT=experiment, GYRE_RUN=run, GYRE_SHOTS=os.environ.get('GYRE_SHOTS', ''))


def with_a_login(g):
    """The browser's session of gyre's own login is that of these pages, too."""
    g.start('--auth', 'required', '--mlflow-ui', build())
    for _ in range(200):
        if found := re.search(r'http\S+/setup\?token=\S+', g.log()):
            break
        time.sleep(0.05)
    g.cli('--server', f'http://{g.host}:{g.port}', 'login', '--user', 'root', '--setup', found[0], stdin=PASSWORD + '\n')
    experiment, run = fill(g, headers={'Authorization': 'Basic ' + base64.b64encode(f'root:{PASSWORD}'.encode()).decode()})
    script('mlflow_ui.mjs', g, GYRE_EXPERIMENT=experiment, GYRE_RUN=run, GYRE_PASSWORD=PASSWORD, GYRE_SHOTS='')


def files_of_the_folder_alone(g):
    site, outside = os.path.join(g.directory, 'site'), os.path.join(g.directory, 'outside')
    os.makedirs(os.path.join(site, 'static/js'))
    os.makedirs(outside)
    for path, text in {'site/index.html': '<html><head></head><script src="static-files/static/js/a.js"></script></html>', 'site/static/js/a.js': 'a', 'outside/secret': 'there'}.items():
        with open(os.path.join(g.directory, path), 'w') as out:
            out.write(text)
    os.symlink('../outside/secret', os.path.join(site, 'link'))
    os.symlink('../outside', os.path.join(site, 'up'))
    refused = g.cli('server', '--mlflow-ui', outside, '--listen', '127.0.0.1:0', check=False)
    assert refused.returncode != 0 and 'GY5120' in refused.stderr, refused.stderr
    g.start('--mlflow-ui', site, '--base-path', '/gyre')
    page = g.http('GET', '/gyre/p/default/mlflow')
    assert page.status == 200 and b'<base href="/gyre/p/default/"/>' in page.body and "script-src 'self';" in page.headers['Content-Security-Policy'], page.body
    file = g.http('GET', '/gyre/static-files/static/js/a.js')
    assert file.body == b'a' and file.headers['Content-Type'].startswith('text/javascript') and file.headers['X-Content-Type-Options'] == 'nosniff'
    for path in ('link', 'up/secret', '../outside/secret', '..%2foutside%2fsecret', '%2e%2e/outside/secret', 'static/../../outside/secret', '..%252foutside/secret', '/etc/passwd', '%2fetc%2fpasswd', 'static', 'static/js/',
                 'static%00', '..\\outside\\secret', '%ef%bc%8e%ef%bc%8e/outside/secret', '%c0%ae%c0%ae/outside/secret', 'static/js/a.js%00.png'):
        connection = http.client.HTTPConnection(g.host, g.port)
        connection.putrequest('GET', '/gyre/static-files/' + path)
        connection.endheaders()
        answer = connection.getresponse()
        assert answer.status in (400, 404) and b'there' not in answer.read(), (path, answer.status)


if __name__ == '__main__':
    if not NODE or not os.path.isdir(os.path.join(SOURCE, 'web/node_modules')) or not os.path.exists(CHROMIUM):
        skip('no Node, no Chromium, or no packages of the web UI (tools/deps web test)')
    run_scenarios([pages, with_a_login, files_of_the_folder_alone])
