"""Experiments in folders, runs found, moved, copied and charted by the native door, and what MLflow's door sees of it.

python3 tests/scenarios/experiments.py"""
import http.client
import json
import math
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from harness import GYRE, run_scenarios  # noqa: E402

P = '/api/v1/projects/default'
MLFLOW = '/api/2.0/mlflow'
PASSWORD = 'correct horse battery'


def made(g, key, experiment, params=None, metrics=None, project='default'):
    """A run with points of metrics: {key: [values by step]}."""
    run = g.json('POST', f'/api/v1/projects/{project}/runs', {'key': key, 'name': key, 'experiment': experiment, 'params': params or {}})
    points = [{'key': k, 'value': v, 'step': i} for k, values in (metrics or {}).items() for i, v in enumerate(values)]
    if points:
        assert g.http('POST', f"/api/v1/projects/{project}/runs/{run['id']}/batch", {'metrics': points}).status == 204
    return run['id']


def refused(g, *arguments, gy, code):
    done = g.cli(*arguments, check=False)
    assert done.returncode == code and gy in done.stderr, (arguments, done.returncode, done.stderr)
    return done.stderr


def folders(g):
    g.start()
    for title in ('team/churn/v1', 'team/churn/v2', 'team/price', 'alone'):
        g.cli('experiments', 'create', title, '--note', f'about {title}', '--tag', 'owner=ann')
    assert "there is an experiment `alone`" in refused(g, 'experiments', 'create', 'alone', gy='GY3420', code=6)
    listed = [e['title'] for e in g.cli_json('experiments')]
    assert [title for title in listed if title != 'Default'] == ['alone', 'team/price', 'team/churn/v2', 'team/churn/v1'], listed
    top = g.json('GET', f'{P}/experiments?folder=')
    assert top['folders'] == [{'path': 'team', 'experiments': 3}] and [e['title'] for e in top['items']] == ['Default', 'alone'], top
    assert g.cli('experiments', 'ls', '/').stdout.split('\n')[1].startswith('team/'), g.cli('experiments', 'ls', '/').stdout
    assert [e['title'] for e in g.cli_json('experiments', 'ls', '--filter', "name LIKE 'team/%'", '--sort', 'name')] == ['team/churn/v1', 'team/churn/v2', 'team/price']
    # MLflow's clients see plain names, before and after the folder moves.
    named = lambda name: g.http('GET', f'{MLFLOW}/experiments/get-by-name?experiment_name={name}')  # noqa: E731
    number = named('team/churn/v1').json()['experiment']['experiment_id']
    assert 'moved 2 experiments' in g.cli('experiments', 'mv', 'team/churn', 'archive/2025/churn').stdout
    assert named('team/churn/v1').status == 404 and named('archive/2025/churn/v1').json()['experiment']['experiment_id'] == number
    assert [e['title'] for e in g.json('GET', f'{P}/experiments?folder=archive/2025/churn')['items']] == ['archive/2025/churn/v1', 'archive/2025/churn/v2']
    refused(g, 'experiments', 'mv', 'team/churn', 'x', gy='GY3433', code=3)
    refused(g, 'experiments', 'mv', 'archive', 'archive/2025', gy='GY3434', code=1)

    g.cli('experiments', 'edit', 'archive/2025/churn/v1', '--tag', 'owner=bo', '--tag', 'old=yes', '--note', 'done')
    g.cli('experiments', 'edit', number, '--untag', 'old')
    shown = g.cli('experiments', 'show', 'archive/2025/churn/v1').stdout
    assert 'done' in shown and 'owner = bo' in shown and 'old' not in shown, shown
    assert {t['key']: t['value'] for t in named('archive/2025/churn/v1').json()['experiment']['tags']} == {'owner': 'bo', 'mlflow.note.content': 'done'}
    g.cli('experiments', 'rename', 'archive/2025/churn/v1', 'first')
    run = made(g, 'r1', 'first')
    g.cli('experiments', 'rm', 'first')
    assert [e['title'] for e in g.cli_json('experiments', 'ls', '--deleted')] == ['first']
    assert run not in [r['id'] for r in g.json('GET', f'{P}/runs')['items']]
    g.cli('experiments', 'undelete', 'first')
    assert g.cli_json('experiments', 'show', 'first')['runs'] == 1


def found(g):
    g.start()
    for i in range(6):
        made(g, f'r{i}', 'lab/a' if i < 4 else 'lab/b', {'model': 'gbm' if i % 2 else 'linear', 'depth': i}, {'auc': [0.5, 0.9 - i / 100, 0.6 + i / 100], 'val_loss': [9, i, 8]})
    names = lambda *arguments: [r['name'] for r in g.cli_json('runs', 'ls', *arguments)]  # noqa: E731
    assert names('--filter', "metrics.auc > 0.615 AND (params.model = 'gbm' OR NOT params.depth IS NOT NULL)") == ['r5', 'r3']
    assert names('--order-by', 'max.auc DESC', '-n', '2') == ['r0', 'r1']
    assert names('--order-by', 'best.val_loss', '--experiment', 'lab/b') == ['r4', 'r5'], 'the best of a loss is its least'
    assert names('--filter', 'min.val_loss < 2', '--sort', 'auc', '--folder', 'lab') == ['r1', 'r0']
    assert names('--folder', 'lab/b', '--status', 'running', '--order-by', 'start_time') == []
    table = g.cli('runs', 'ls', '--show', 'params.model,best.val_loss,max.auc', '--order-by', 'max.auc DESC', '-n', '1').stdout
    assert 'best.val_loss' in table and 'linear' in table and '0.9' in table, table
    assert set(g.json('GET', f'{P}/runs?columns=params.depth&limit=1')['items'][0]['params']) == {'depth'}
    page, seen = {'next_page_token': ''}, []
    while 'next_page_token' in page:
        page = g.json('GET', f"{P}/runs?sort=metrics.auc%20DESC&limit=2&page_token={page['next_page_token']}")
        seen += [r['name'] for r in page['items']]
    assert seen == ['r5', 'r4', 'r3', 'r2', 'r1', 'r0'], seen
    refused(g, 'runs', 'ls', '--filter', 'metrics.auc >', gy='GY3430', code=1)
    refused(g, 'runs', 'ls', '--filter', 'metrics.auc > 0', '--kind', 'program', gy='GY3412', code=1)
    g.cli('runs', 'edit', 'r0', '--note', 'look here', '--tag', 'keep=yes', '--name', 'first')
    g.cli('runs', 'edit', 'first', '--untag', 'import.key')
    shown = g.cli_json('runs', 'show', 'first')
    assert shown['tags'] == {'mlflow.note.content': 'look here', 'keep': 'yes'}, shown['tags']


def moved_and_copied(g):
    g.start()
    g.json('POST', '/api/v1/projects', {'name': 'shop'})
    run = made(g, 'r', 'from', {'lr': 0.1}, {'loss': [3, 2, float(1)]})
    g.json('PUT', f'{P}/runs/{run}/artifacts/model/weights.bin', 'x' * 1000)
    for project, title in (('default', 'to'), ('shop', 'best')):
        g.cli('experiments', 'create', title, '--project', project)
    refused(g, 'runs', 'move', run, gy='GY4020', code=2)
    refused(g, 'runs', 'move', run, '--to', 'nowhere', gy='GY3422', code=3)
    g.cli('runs', 'move', run, '--to', 'to')
    assert g.json('GET', f'{P}/runs/{run}')['experiment'] == 'to'
    uri = g.http('GET', f'{MLFLOW}/runs/get?run_id={run}').json()['run']['info']
    assert uri['experiment_id'] == str(g.cli_json('experiments', 'show', 'to')['number'])
    assert g.http('GET', f"{MLFLOW}/artifacts/list?run_id={run}&path=model").json()['files'][0]['path'] == 'model/weights.bin'

    copy = g.cli_json('runs', 'copy', run, '--to-project', 'shop', '--to', 'best')
    assert copy['project'] == 'shop' and copy['params'] == {'lr': '0.1'} and copy['metrics'] == {'loss': 1}
    assert copy['source']['copied_from'] == {'run': run, 'project': 'default'} and copy['status'] == 'killed'
    g.cli('runs', 'rm', run, '--yes')
    assert g.http('GET', f"/api/v1/projects/shop/runs/{copy['id']}/artifacts/model/weights.bin").body == b'x' * 1000
    assert len(g.json('GET', f"/api/v1/projects/shop/runs/{copy['id']}/metrics/loss")['items']) == 3
    # Who deletes by MLflow's door is helped by ours.
    assert g.http('POST', f'/p/shop{MLFLOW}/runs/delete', {'run_id': copy['id']}).status == 200
    assert [r['id'] for r in g.cli_json('runs', 'ls', '--deleted', '--project', 'shop')] == [copy['id']]
    g.cli('runs', 'undelete', copy['id'], '--project', 'shop')
    assert [r['id'] for r in g.cli_json('runs', 'ls', '--project', 'shop')] == [copy['id']]


def who_may(g):
    """To copy takes reading here and writing there."""
    g.start()
    g.json('POST', '/api/v1/projects', {'name': 'shop'})
    run = made(g, 'r', 'from')
    g.cli('experiments', 'create', 'best', '--project', 'shop')
    g.cli('users', 'add', 'root', '--role', 'admin', stdin=PASSWORD)
    g.stop()
    g.start('--auth', 'required')
    login = g.json('POST', '/api/v1/login', {'name': 'root', 'password': PASSWORD})
    root = {'Authorization': 'Bearer ' + login['secret']}

    def person(name, **roles):
        g.json('POST', '/api/v1/users', {'name': name, 'password': PASSWORD, 'roles': [{'role': r, 'project': p} for p, r in roles.items()]}, headers=root)
        return {'Authorization': 'Bearer ' + g.json('POST', '/api/v1/login', {'name': name, 'password': PASSWORD})['secret']}
    reads, both, writes = person('reads', default='viewer'), person('both', default='viewer', shop='developer'), person('writes', shop='developer')
    copy = lambda who, **body: g.http('POST', f'{P}/runs/{run}/copy', {'experiment': 'best', **body}, headers=who).status  # noqa: E731
    assert copy(reads) == 403 and copy(reads, project='shop') == 403, 'who reads only'
    assert copy(writes, project='shop') == 403, 'who may not see it'
    assert copy(both, project='shop') == 201 and copy(both, project='default') == 403
    assert g.http('POST', f'{P}/runs/{run}/move', {'experiment': 'Default'}, headers=both).status == 403
    assert g.http('PATCH', f'{P}/experiments/from', {'note': 'x'}, headers=reads).status == 403
    assert 'from' in [e['title'] for e in g.json('GET', f'{P}/experiments', headers=reads)['items']]
    assert g.http('GET', f'{P}/experiments', headers=writes).status == 403


def charted(g):
    g.start()
    values = [math.sin(i / 500) for i in range(30_000)]
    values[12_345], values[20_000], values[20_001] = 7.5, 'NaN', 'Infinity'
    run = made(g, 'r', 'lab', metrics={'loss/train': values, 'few': [1, 2, 3]})
    other = made(g, 'other', 'lab', metrics={'few': [4]})
    chart = g.json('GET', f'{P}/runs/{run}/metrics/loss/train?points=200')
    assert chart['points'] == 30_000 and len(chart['steps']) == len(chart['values']) <= 200, (chart['points'], len(chart['steps']))
    assert (12_345, 7.5) in zip(chart['steps'], chart['values']) and (chart['steps'][0], chart['steps'][-1]) == (0, 29_999)
    assert [(s, v) for s, v in zip(chart['steps'], chart['values']) if isinstance(v, str)] == [(20_000, 'NaN'), (20_001, 'Infinity')]
    zoomed = g.json('GET', f'{P}/runs/{run}/metrics/loss/train?points=200&from=12300&to=12399')
    assert zoomed['steps'] == list(range(12_300, 12_400)) and zoomed['points'] == 100
    both = g.json('GET', f'{P}/charts?run={run}&run={other}&key=few&key=loss/train&points=50&axis=elapsed')['items']
    assert [(c['run'], c['key'], c['points']) for c in both] == [(run, 'few', 3), (run, 'loss/train', 30_000), (other, 'few', 1)], both
    assert all(len(c['seconds']) == len(c['values']) for c in both) and 0 <= both[0]['seconds'][0] < 60
    times = g.json('GET', f'{P}/runs/{run}/metrics/few?points=10&axis=time&from=2020-01-01')['times_us']
    assert len(times) == 3
    for query in ('points=5', 'points=100&from=now', 'axis=time', 'points=100&axis=sideways'):
        assert g.http('GET', f'{P}/runs/{run}/metrics/few?{query}').status == 400, query
    assert g.json('GET', f'{P}/runs/{run}/metrics/none?points=100')['values'] == []


class Events:
    """A stream of run events, read as it comes."""

    def __init__(self, g, query='', last=None, headers=None, project='default'):
        self.connection = http.client.HTTPConnection(g.host, g.port, timeout=20)
        self.connection.request('GET', f'/api/v1/projects/{project}/run-events?{query}', headers={**(headers or {}), **({'Last-Event-ID': last} if last else {})})
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200, self.answer.read()
        self.last = None
        self.next('here')

    def next(self, *kinds):
        """The next event of these kinds: its data."""
        event = {}
        while True:
            line = self.answer.readline().decode().rstrip('\n')
            if line:
                name, _, value = line.partition(': ')
                event[name] = value
                continue
            if not event:
                raise AssertionError('the stream has ended')
            self.last = event.get('id', self.last)
            if event.get('event') in kinds:
                return json.loads(event['data'])
            event = {}

    def close(self):
        self.connection.close()


def followed(g):
    g.start()
    a, b = made(g, 'a', 'one'), made(g, 'b', 'two')
    one = Events(g, 'experiment=one')
    tab = Events(g, f'run={b}&stream=tab-1')
    batch = lambda run, value, step: g.http('POST', f'{P}/runs/{run}/batch', {'metrics': [{'key': 'loss', 'value': value, 'step': step}]})  # noqa: E731
    # What happens at once comes as few patches: the newest state of each run.
    begin = time.monotonic()
    for i in range(50):
        batch(a, 1 / (i + 1), i)
    batch(b, 5, 1)
    patches = [one.next('runs')]
    while patches[-1]['runs'][0]['steps']['loss'] < 49:
        patches.append(one.next('runs'))
    assert len(patches) <= 4 * (time.monotonic() - begin) + 2, len(patches)
    assert {r['id'] for p in patches for r in p['runs']} == {a} and patches[-1]['runs'][0]['metrics'] == {'loss': 0.02}
    assert [r['id'] for r in tab.next('runs')['runs']] == [b]
    new = made(g, 'new', 'one')
    assert one.next('runs')['runs'][0]['id'] == new
    g.json('POST', f'{P}/runs/{new}/end', {'status': 'failed', 'error': 'no luck'})
    ended = one.next('runs')['runs'][0]
    assert (ended['status'], ended['error']) == ('failed', 'no luck')
    # The same stream follows something else from now on, and still does when its client comes back.
    assert g.http('PUT', f'{P}/run-events/tab-1', {'experiments': ['one']}).status == 204
    time.sleep(0.3)
    batch(b, 6, 2)
    batch(a, 0.5, 100)
    assert [r['id'] for r in tab.next('runs')['runs']] == [a]
    tab.close()
    g.cli('runs', 'move', a, '--to', 'two')
    g.cli('runs', 'rm', new, '--yes')
    back = Events(g, f'run={b}&stream=tab-1', last=tab.last)
    assert set(back.next('runs')['gone']) == {a, new}
    # Beyond what is known, or after a restart: begin anew.
    last = one.last
    one.close()
    back.close()
    g.stop()
    g.start()
    Events(g, 'experiment=one', last=last).next('reset')
    for query in ('run=nobody', 'stream=a%20b', 'experiment=none'):
        assert g.http('GET', f'{P}/run-events?{query}').status in (400, 404), query


def watched(g):
    g.start()
    a = made(g, 'slow', 'one')
    watching = subprocess.Popen([GYRE, 'runs', 'watch', a], cwd=g.work, env=g.environment, stdout=subprocess.PIPE, text=True)
    assert watching.stdout.readline().split()[:3] == [a[:8], 'slow', 'running']
    g.http('POST', f'{P}/runs/{a}/batch', {'metrics': [{'key': 'loss', 'value': 0.25, 'step': 3}]})
    assert 'loss 0.25   step 3' in watching.stdout.readline()
    g.json('POST', f'{P}/runs/{a}/end', {})
    assert 'finished' in watching.stdout.readline() and watching.wait(20) == 0


def who_may_follow(g):
    """A stream ends when the right to read runs does."""
    g.start()
    run = made(g, 'r', 'one')
    g.cli('users', 'add', 'root', '--role', 'admin', stdin=PASSWORD)
    g.stop()
    g.start('--auth', 'required')
    root = {'Authorization': 'Bearer ' + g.json('POST', '/api/v1/login', {'name': 'root', 'password': PASSWORD})['secret']}
    g.json('POST', '/api/v1/users', {'name': 'ann', 'password': PASSWORD, 'roles': [{'role': 'viewer', 'project': 'default'}]}, headers=root)
    ann = {'Authorization': 'Bearer ' + g.json('POST', '/api/v1/login', {'name': 'ann', 'password': PASSWORD})['secret']}
    assert g.http('GET', f'{P}/run-events').status == 401
    stream = Events(g, headers=ann)
    g.json('POST', '/api/v1/projects', {'name': 'hidden'}, headers=root)
    g.json('POST', '/api/v1/projects/hidden/runs', {'key': 'k', 'name': 'secret'}, headers=root)
    assert g.http('POST', f'{P}/runs/{run}/batch', {'tags': {'seen': 'yes'}}, headers=root).status == 204
    assert [r['id'] for r in stream.next('runs')['runs']] == [run], 'nothing of another project'
    assert g.http('GET', '/api/v1/projects/hidden/run-events', headers=ann).status == 403
    assert g.http('DELETE', '/api/v1/users/ann/roles/viewer?project=default', headers=root).status == 200
    assert stream.next('ended') == {'why': 'permission'}


if __name__ == '__main__':
    run_scenarios([folders, found, moved_and_copied, who_may, charted, followed, watched, who_may_follow])
