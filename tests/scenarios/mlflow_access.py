"""Deny by default: every MLflow route at every address, asked by nobody, by somebody without a role, by each role, and by a user of another project."""
import base64
import http.client
import json
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import Answer, run_scenarios
from mlflow_routes import API, ROLES, addresses, permissions, routes

PASSWORD = 'correct horse battery'
OPEN = {'/health', '/version', '/mlflow/server-info'}
SIGNED = '/mlflow-artifacts/mpu/part'  # its address is the permission
MARK = 'only-for-those-of-default'


class Client:
    """One connection, one caller."""

    def __init__(self, g, headers=None):
        self.connection = http.client.HTTPConnection(g.host, g.port, timeout=30)
        self.headers = headers or {}

    def ask(self, method, path, body=None):
        payload = json.dumps(body) if isinstance(body, (dict, list)) else body
        self.connection.request(method, path, payload, {**self.headers, **({'Content-Type': 'application/json'} if payload is not None else {})})
        response = self.connection.getresponse()
        return Answer(response.status, response.headers, response.read())

    def make(self, method, path, body=None):
        answer = self.ask(method, path, body)
        assert answer.status in (200, 201, 202), f'{method} {path}: {answer.status} {answer.body[:500]!r}'
        return answer.json() if answer.body else None


def basic(name, password=PASSWORD):
    return {'Authorization': 'Basic ' + base64.b64encode(f'{name}:{password}'.encode()).decode()}


def setup_link(g):
    for _ in range(200):
        if found := re.search(r'http\S+/setup\?token=\S+(?=\s)', g.log()):
            return found[0]
        time.sleep(0.05)
    raise AssertionError('no setup link:\n' + g.log())


def guarded(g):
    """The server asks everybody to log in; its administrator."""
    g.start('--auth', 'required')
    g.cli('--server', f'http://{g.host}:{g.port}', 'login', '--user', 'root', '--setup', setup_link(g), stdin=PASSWORD + '\n')
    return Client(g, basic('root'))


def user(g, root, name, *roles):
    root.make('POST', '/api/v1/users', {'name': name, 'password': PASSWORD, 'roles': [{'role': role, 'project': project} for role, project in roles]})
    return Client(g, basic(name))


def filled(address, ids=None):
    for name, value in (ids or {}).items():
        address = address.replace('{' + name + '}', str(value)).replace('{' + name + '*}', str(value))
    return re.sub(r'\{\w+\*?\}', 'nobody', address)


def every_address(project, ids=None):
    for route in routes():
        for address in addresses(route, project):
            yield route, filled(address, ids)


def body_of(route):
    return None if route.method == 'GET' else 'x' if route.method == 'PUT' else {}


# --- nobody, nobody in particular, and each role

def nobody_gets_in(g):
    guarded(g)
    nobody, wrong = Client(g), Client(g, {'Authorization': 'Bearer gyre_pat_' + '0' * 40})
    asked = 0
    for route, address in every_address('default'):
        for caller in (nobody, wrong):
            answer = caller.ask(route.method, address, body_of(route))
            expected = (200,) if route.path in OPEN else (400, 403) if route.path == SIGNED else (401,)
            assert answer.status in expected, f'{route.method} {address}: {answer.status} {answer.body[:300]!r}'
            if answer.status == 401:
                assert answer.headers['WWW-Authenticate'] == 'Basic realm="mlflow"' and not answer.body.startswith(b'{'), (address, answer.body)
            asked += 1
    # What is stated nowhere holds nothing; whoever asks is told no more than that.
    for path in ('/api/2.0/mlflow/nothing', '/ajax-api/3.0/jobs/search', '/ajax-api/3.0/jobs/', '/ajax-api/2.0/mlflow/gateway-proxy', '/api/2.0/mlflow/users/create-ui', '/signup'):
        for method in ('GET', 'POST', 'PUT', 'PATCH', 'DELETE'):
            answer = nobody.ask(method, path, None if method == 'GET' else {})
            assert answer.status in (400, 401, 404, 405), (method, path, answer.status)
    print(f'  {asked} calls of nobody')


def roles_may_what_their_table_says(g):
    root, may = guarded(g), permissions()
    callers = {role: user(g, root, role + 's', (role, '*')) for role in ROLES}
    callers['none'] = user(g, root, 'none')
    asked = 0
    for route, address in every_address('default'):
        if route.permission == 'public':
            continue
        for role, caller in callers.items():
            answer = caller.ask(route.method, address, body_of(route))
            allowed = ROLES.get(role, '-') in may[route.permission] or route.permission == 'self'
            told = f'{role} {route.method} {address} ({route.permission}): {answer.status} {answer.body[:300]!r}'
            assert answer.status < 500 and answer.status != 401 and answer.body != b'Not Found\n', told
            assert allowed or answer.status == 403, told
            assert not allowed or answer.status != 403 or route.permission == 'self', told
            if answer.status == 403:
                assert answer.json()['error_code'] == 'PERMISSION_DENIED', told
            asked += 1
    print(f'  {asked} calls of {len(callers)} callers')


# --- another project

class Victim:
    """One object of each kind in `default`; whatever is written in them has the mark."""

    def __init__(self, root):
        self.root, api = root, '/api/2.0/mlflow'
        self.experiment = root.make('POST', api + '/experiments/create', {'name': 'theirs', 'tags': [{'key': 'k', 'value': MARK}]})['experiment_id']
        self.run = root.make('POST', api + '/runs/create', {'experiment_id': self.experiment, 'start_time': 1, 'run_name': MARK})['run']['info']['run_id']
        root.make('POST', api + '/runs/log-batch', {'run_id': self.run, 'params': [{'key': 'p', 'value': MARK}], 'tags': [{'key': 'k', 'value': MARK}],
                                                   'metrics': [{'key': 'm', 'value': 424242.5, 'timestamp': 1, 'step': 1}]})
        self.path = f'{self.experiment}/{self.run}/artifacts/f.txt'
        for path in (self.path, 'loose/f.txt'):
            root.make('PUT', '/api/2.0/mlflow-artifacts/artifacts/' + path, MARK)
        root.make('POST', api + '/registered-models/create', {'name': 'theirs', 'description': MARK})
        root.make('POST', api + '/model-versions/create', {'name': 'theirs', 'source': f'runs:/{self.run}/model', 'run_id': self.run, 'description': MARK})
        root.make('POST', api + '/registered-models/alias', {'name': 'theirs', 'alias': 'best', 'version': '1'})
        self.webhook = root.make('POST', api + '/webhooks', {'name': 'theirs', 'url': 'https://example.com/' + MARK,
                                                            'events': [{'entity': 'REGISTERED_MODEL', 'action': 'CREATED'}]})['webhook']['webhook_id']
        self.upload = root.make('POST', '/api/2.0/mlflow-artifacts/mpu/create/' + os.path.dirname(self.path), {'path': 'f.txt', 'num_parts': 1})['upload_id']
        self.trace = 'tr-' + '5' * 32
        self.trace_info = {'trace_id': self.trace, 'trace_location': {'type': 'MLFLOW_EXPERIMENT', 'mlflow_experiment': {'experiment_id': self.experiment}}, 'request_preview': MARK,
                           'request_time': '2026-01-01T00:00:00Z', 'state': 'OK', 'tags': {'k': MARK}}
        root.make('POST', '/api/3.0/mlflow/traces', {'trace': {'trace_info': self.trace_info}})
        self.assessment = root.make('POST', f'/api/3.0/mlflow/traces/{self.trace}/assessments', {'assessment': self.feedback(MARK)})['assessment']['assessment_id']
        self.logged = root.make('POST', api + '/logged-models', {'experiment_id': self.experiment, 'name': 'm', 'source_run_id': self.run, 'params': [{'key': 'p', 'value': MARK}],
                                                               'tags': [{'key': 'k', 'value': MARK}]})['model']['info']['model_id']
        self.logged_path = f'{self.experiment}/models/{self.logged}/artifacts/f.txt'
        root.make('PUT', '/api/2.0/mlflow-artifacts/artifacts/' + self.logged_path, MARK)
        self.dataset = root.make('POST', '/api/3.0/mlflow/datasets/create', {'name': 'theirs', 'experiment_ids': [self.experiment], 'tags': json.dumps({'k': MARK})})['dataset']['dataset_id']
        root.make('POST', f'/api/3.0/mlflow/datasets/{self.dataset}/records', {'records': json.dumps([{'inputs': {'q': MARK}}])})
        self.ids = {'dataset_id': self.dataset, 'model_id': self.logged, 'key': 'k', 'path': self.path, 'webhook_id': self.webhook, 'trace_id': self.trace, 'assessment_id': self.assessment}

    def feedback(self, text):
        return {'assessment_name': 'good', 'feedback': {'value': text}, 'source': {'source_type': 'HUMAN', 'source_id': 'x'}, 'trace_id': self.trace}

    def state(self):
        api = '/api/2.0/mlflow'
        asked = [self.root.make('GET', f'{api}/experiments/get?experiment_id={self.experiment}'), self.root.make('GET', f'{api}/runs/get?run_id={self.run}'),
                 self.root.make('GET', f'{api}/metrics/get-history?run_id={self.run}&metric_key=m'), self.root.make('GET', f'{api}/artifacts/list?run_id={self.run}'),
                 self.root.make('GET', f'{api}/registered-models/get?name=theirs'), self.root.make('GET', f'{api}/model-versions/get?name=theirs&version=1'),
                 self.root.make('GET', f'{api}/webhooks/{self.webhook}'), self.root.make('GET', f'/api/3.0/mlflow/traces/{self.trace}'),
                 self.root.make('GET', f'/api/3.0/mlflow/datasets/{self.dataset}'), self.root.make('GET', f'/api/3.0/mlflow/datasets/{self.dataset}/records'),
                 self.root.make('GET', f'{api}/logged-models/{self.logged}'), self.root.make('GET', f'/api/3.0/mlflow/traces/get?trace_id={self.trace}&allow_partial=true')]
        files = [self.root.ask('GET', '/api/2.0/mlflow-artifacts/artifacts/' + path).body for path in (self.path, 'loose/f.txt', self.logged_path)]
        return json.dumps(asked, sort_keys=True), files

    def body(self, **own):
        """Members of all requests at once: each takes what it knows. What is the caller's own stands in the place of what is not."""
        event = {'entity': 'REGISTERED_MODEL', 'action': 'CREATED'}
        body = {'run_id': self.run, 'run_uuid': self.run, 'run_ids': [self.run], 'experiment_id': self.experiment, 'experiment_ids': [self.experiment], 'name': 'theirs',
                'version': '1', 'new_name': 'ours', 'alias': 'best', 'key': 'k', 'value': '1', 'timestamp': 1, 'step': 2, 'status': 'FINISHED', 'description': 'ours',
                'metrics': [{'key': 'm', 'value': 1, 'timestamp': 2, 'step': 2}], 'params': [{'key': 'q', 'value': 'ours'}], 'tags': [{'key': 'k', 'value': 'ours'}],
                'path': 'f.txt', 'num_parts': 1, 'upload_id': self.upload, 'parts': [{'part_number': 1, 'etag': 'x'}], 'source': f'runs:/{self.run}/model',
                'stage': 'Production', 'archive_existing_versions': True, 'model_id': self.logged, 'models': [{'model_id': self.logged, 'step': 1}], 'source_run_id': self.run,
                'datasets': [{'dataset': {'name': 'd', 'digest': 'x', 'source_type': 'local', 'source': 's'}}], 'event': event, 'start_time': 1, 'max_results': 5,
                'trace': {'trace_info': {**self.trace_info, 'request_preview': 'ours'}},
                'trace_id': self.trace, 'trace_ids': [self.trace], 'request_ids': [self.trace], 'filter_string1': "trace.status = 'OK'", 'filter_string2': "trace.status = 'OK'",
                'locations': [{'type': 'MLFLOW_EXPERIMENT', 'mlflow_experiment': {'experiment_id': self.experiment}}], 'assessment': self.feedback('ours'), 'update_mask': 'feedback',
                'prompt_versions': [{'name': 'theirs', 'version': '1'}], 'query': 'query($data: X!) { mlflowGetRun(input: $data) { apiError { message } run { info { runName } data { tags { value } } } } '
                'mlflowGetExperiment(input: $data) { experiment { name tags { value } } } }', 'variables': {'data': {'runId': self.run, 'experimentId': self.experiment}},
                'model_json': json.dumps({'run_id': self.run, 'artifact_path': 'model', 'flavors': {}, 'utc_time_created': 'x'}), 'metric_key': 'm'}
        return {**body, **own}

    def body_for(self, route, **own):
        if route.path.startswith('/mlflow/datasets/'):
            own = {'tags': json.dumps({'k': 'ours'}), 'records': json.dumps([{'inputs': {'q': 'ours'}}]), **own}
        return None if route.method == 'GET' else 'x' if route.path.endswith('{path*}') and route.method == 'PUT' else self.body(**own)

    def query(self):
        return (f'?run_id={self.run}&run_uuid={self.run}&run_ids={self.run}&experiment_id={self.experiment}&experiment_name=theirs&experiment_ids={self.experiment}&name=theirs'
                '&version=1&alias=best&metric_key=m&metric_keys=m&max_results=5'
                f'&trace_id={self.trace}&trace_ids={self.trace}&request_id={self.trace}&allow_partial=true&artifact_directory_path=&artifact_file_path=f.txt&path=')


def what_another_project_has_is_not_there(g):
    root = guarded(g)
    root.make('POST', '/api/v1/projects', {'name': 'blue'})
    blue = user(g, root, 'sky', ('admin', 'blue'))
    victim = Victim(root)
    experiment = blue.make('POST', '/api/2.0/mlflow/experiments/create', {'name': 'ours'})['experiment_id']
    run = blue.make('POST', '/api/2.0/mlflow/runs/create', {'experiment_id': experiment, 'start_time': 1})['run']['info']['run_id']
    blue.make('POST', '/api/2.0/mlflow/registered-models/create', {'name': 'ours'})
    before = victim.state()
    assert MARK in before[0] and before[1] == [MARK.encode()] * 3
    asked, inside = 0, 0
    for project in ('blue', 'default'):
        for route, address in every_address(project, victim.ids):
            for path in ('f.txt', 'loose/f.txt', ''):
                query = victim.query() + path if route.method in ('GET', 'POST') and route.path != SIGNED else ''
                answer = blue.ask(route.method, address + query, victim.body_for(route))
                told = f'{route.method} {address}{query}: {answer.status} {answer.body[:300]!r}'
                assert answer.status < 500 and MARK.encode() not in answer.body and b'424242' not in answer.body, told
                if address.startswith('/p/default/') and route.permission != 'public':
                    assert answer.status in (403, 404), told
                asked, inside = asked + 1, inside + (answer.status == 200)
    # Something of one's own that is to be joined to what is not.
    for own in ({'run_id': run, 'run_uuid': run}, {'experiment_id': experiment}, {'name': 'ours'}, {'run_id': run, 'experiment_id': experiment, 'name': 'ours'}):
        for route, address in every_address('blue', victim.ids):
            if route.method != 'GET' and 'delete' not in route.path and '{path*}' not in route.path and route.path != SIGNED:
                answer = blue.ask(route.method, address, victim.body_for(route, **own))
                assert answer.status < 500 and MARK.encode() not in answer.body, f'{route.method} {address} {own}: {answer.status} {answer.body[:300]!r}'
                asked, inside = asked + 1, inside + (answer.status == 200)
    assert victim.state() == before
    # The same calls with the same bodies do reach what is asked for, where the caller may.
    reached = {route.path for route, address in every_address('default', victim.ids) if route.permission != 'public' and '/delete' not in route.path
               and root.ask(route.method, address + victim.query() + 'f.txt', victim.body_for(route)).status == 200}
    assert len(reached) > 30, sorted(reached)
    print(f'  {asked} calls, {inside} answered from the own project, nothing of the other; {len(reached)} reach their object for who may')


def below_the_own_prefix_too(g):
    """Ids in the addresses of artifacts, however they are written; uploads in parts of another's run."""
    root = guarded(g)
    root.make('POST', '/api/v1/projects', {'name': 'blue'})
    blue = user(g, root, 'sky', ('admin', 'blue'))
    victim = Victim(root)
    before = victim.state()
    folder = os.path.dirname(victim.path)
    for api in (*API, '/p/blue/api/2.0', '/p/blue/ajax-api/2.0'):
        for path in (victim.path, victim.logged_path, './' + victim.path, '/' + victim.path, victim.path.replace('/', '%2f'), 'loose/f.txt', '%2e/' + victim.path, folder, ''):
            for method in ('GET', 'PUT', 'DELETE'):
                answer = blue.ask(method, f'{api}/mlflow-artifacts/artifacts/{path}', 'evil' if method == 'PUT' else None)
                assert answer.status < 500 and MARK.encode() not in answer.body, (method, api, path, answer.status)
        for step in ('create', 'complete', 'abort'):
            answer = blue.ask('POST', f'{api}/mlflow-artifacts/mpu/{step}/{folder}', {'path': 'f.txt', 'num_parts': 1, 'upload_id': victim.upload, 'parts': [{'part_number': 1, 'etag': 'x'}]})
            assert answer.status >= 400 or step == 'create' and 'default' not in api, (api, step, answer.status, answer.body)
    # An upload of one's own that is to end in another's run.
    begun = blue.make('POST', f'/api/2.0/mlflow-artifacts/mpu/create/{folder}', {'path': 'f.txt', 'num_parts': 1})
    url = begun['credentials'][0]['url']
    part = blue.ask('PUT', url[url.index('/api/'):], 'evil')
    parts = [{'part_number': 1, 'etag': part.headers['ETag'].strip('"')}]
    for api in API + ('/p/blue/api/2.0',):
        answer = blue.ask('POST', f'{api}/mlflow-artifacts/mpu/complete/{folder}', {'path': 'f.txt', 'upload_id': begun['upload_id'], 'parts': parts})
        assert answer.status in (400, 403, 404), (api, answer.status, answer.body)
    assert victim.state() == before


def versions_of_what_another_project_has(g):
    """A model version of one's own may say that it comes from there; its files are not read by that."""
    root = guarded(g)
    root.make('POST', '/api/v1/projects', {'name': 'blue'})
    blue = user(g, root, 'sky', ('admin', 'blue'))
    victim = Victim(root)
    before, kept = victim.state(), 0
    blue.make('POST', '/api/2.0/mlflow/registered-models/create', {'name': 'ours'})
    folders = [os.path.dirname(path) for path in (victim.path, victim.logged_path)]
    for api in ('/api/2.0', '/ajax-api/2.0', '/p/blue/api/2.0', '/p/blue/ajax-api/2.0'):
        for source in (f'runs:/{victim.run}', f'runs:/{victim.run}/', f'models:/{victim.logged}', 'models:/theirs/1', 'models:/theirs@best', *(f'mlflow-artifacts:/{folder}' for folder in folders),
                       'mlflow-artifacts:/loose', *(f'http://{g.host}:{g.port}/api/2.0/mlflow-artifacts/artifacts/{folder}' for folder in folders)):
            for owner in ({}, {'run_id': victim.run}, {'model_id': victim.logged}, {'run_id': victim.run, 'model_id': victim.logged}):
                answer = blue.ask('POST', f'{api}/mlflow/model-versions/create', {'name': 'ours', 'source': source, **owner})
                assert answer.status in (200, 400, 404) and MARK.encode() not in answer.body, (source, owner, answer.status, answer.body)
                if answer.status != 200:
                    continue
                kept += 1
                version = answer.json()['model_version']['version']
                for path in (f'/model-versions/get-artifact?name=ours&version={version}&path=f.txt', f'{api}/mlflow/model-versions/get-download-uri?name=ours&version={version}'):
                    assert MARK.encode() not in blue.ask('GET', path).body, (source, owner, path)
    assert victim.state() == before
    print(f'  {kept} versions were kept, as text')


def changes_of_files_are_audited(g):
    """Each file that came or went has its entry, as over gyre's own API; a refusal says who was refused."""
    root = guarded(g)
    reader = user(g, root, 'reader', ('viewer', '*'))
    run = root.make('POST', '/api/2.0/mlflow/runs/create', {'experiment_id': '0'})['run']['info']['run_id']
    folder = f'0/{run}/artifacts'
    root.make('PUT', f'/api/2.0/mlflow-artifacts/artifacts/{folder}/a.txt', 'one')
    root.make('PUT', f'/ajax-api/2.0/mlflow-artifacts/artifacts/{folder}/b/größe 1.txt'.replace('ö', '%C3%B6').replace('ß', '%C3%9F').replace(' ', '%20'), 'two')
    begun = root.make('POST', f'/api/2.0/mlflow-artifacts/mpu/create/{folder}', {'path': 'c.txt', 'num_parts': 1})
    url = begun['credentials'][0]['url']
    part = root.ask('PUT', url[url.index('/api/'):], 'three')
    root.make('POST', f'/api/2.0/mlflow-artifacts/mpu/complete/{folder}', {'path': 'c.txt', 'upload_id': begun['upload_id'], 'parts': [{'part_number': 1, 'etag': part.headers['ETag'].strip('"')}]})
    root.make('DELETE', f'/api/2.0/mlflow-artifacts/artifacts/{folder}/a.txt')
    assert reader.ask('PUT', f'/api/2.0/mlflow-artifacts/artifacts/{folder}/evil.txt', 'x').status == 403
    assert root.ask('PUT', f'/api/2.0/mlflow-artifacts/artifacts/{folder}/..%2f..%2fevil.txt', 'x').status == 400
    entries = [one for one in root.make('GET', '/api/v1/audit?action=run.write&limit=100')['items'] if 'mlflow-artifacts' in json.dumps(one)]
    told = [(one['actor']['name'] if isinstance(one.get('actor'), dict) else one.get('actor') or one.get('actor_name'), one['outcome'], one['object']) for one in reversed(entries)]
    for expected in (('root', 'ok', f'{folder}/a.txt'), ('root', 'ok', f'{folder}/b/größe 1.txt'), ('root', 'ok', folder), ('reader', 'denied', f'{folder}/evil.txt')):
        assert expected in told, (expected, told)
    assert told.count(('root', 'ok', f'{folder}/a.txt')) == 2 and not any('evil' in where and outcome == 'ok' for _, outcome, where in told), told
    assert g.cli('--server', f'http://{g.host}:{g.port}', 'audit', 'verify').returncode == 0


def an_alias_is_not_taken_away_by_deleting(g):
    """Who may write models may not move aliases: what one points at stays, at both doors."""
    root = guarded(g)
    developer, approver = user(g, root, 'dev', ('developer', 'default')), user(g, root, 'app', ('developer', 'default'), ('approver', 'default'))
    models, versions, native = API[0] + '/mlflow/registered-models', API[0] + '/mlflow/model-versions', '/api/v1/projects/default/models/'
    root.make('POST', models + '/create', {'name': 'm'})
    for source in 'xyz':
        root.make('POST', versions + '/create', {'name': 'm', 'source': 's3://b/' + source})
    root.make('POST', models + '/alias', {'name': 'm', 'alias': 'champion', 'version': '1'})
    for method, path, body in (('DELETE', versions + '/delete', {'name': 'm', 'version': '1'}), ('DELETE', models + '/delete', {'name': 'm'}),
                               ('DELETE', native + 'm?aliases=true', None), ('DELETE', native + 'm?force=true', None),
                               ('DELETE', native + 'm/versions/v1?force=true', None)):
        refused = developer.ask(method, path, body)
        assert refused.status == 403 and b'model.approve' in refused.body, (method, path, refused.status, refused.body[:300])
    assert root.make('GET', models + '/alias?name=m&alias=champion')['model_version']['version'] == '1'
    developer.make('DELETE', versions + '/delete', {'name': 'm', 'version': '2'})
    approver.make('DELETE', versions + '/delete', {'name': 'm', 'version': '1'})
    assert root.ask('GET', models + '/alias?name=m&alias=champion').status in (400, 404)
    developer.make('DELETE', models + '/delete', {'name': 'm'})


if __name__ == '__main__':
    run_scenarios([nobody_gets_in, roles_may_what_their_table_says, what_another_project_has_is_not_there, below_the_own_prefix_too, versions_of_what_another_project_has, changes_of_files_are_audited,
                   an_alias_is_not_taken_away_by_deleting])
