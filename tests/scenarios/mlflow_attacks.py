"""Attacks that MLflow's servers fell to, one after another: each is refused or kept as text that nobody follows. Nothing of the machine is read, written or deleted,
nobody is called, no answer holds SQL or a path of the server, and the server still answers. A case is named after the weakness (CVE) that it repeats.

Who may call what is proven by mlflow_access.py."""
import gzip
import http.client
import json
import os
import re
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import Answer, run_scenarios
from mlflow_access import PASSWORD, basic, guarded, user
from mlflow_routes import API

ROOTS = ('', '/p/default')
SECRET = 'canary-5f0c2b'
OWN = 'what the caller may read'
SQL = re.compile(rb'(?i)\bSQL:|sqlite|\bSELECT\s.+\sFROM\s|\bINSERT\s+(OR \w+ )?INTO\b|\bUPDATE\s\w+\sSET\b|\bDELETE\s+FROM\b|UNIQUE constraint|Traceback')
PASSWD = re.compile(rb'root:[^:]*:0:0:')


def resident(g):
    """Bytes of memory that the server has taken at most."""
    with open(f'/proc/{g.server.pid}/status', encoding='ascii') as f:
        return int(re.search(r'VmHWM:\s+(\d+)', f.read())[1]) << 10


class Listener:
    """Addresses that nobody may call, of this machine."""

    def __enter__(self):
        self.socket = socket.create_server(('127.0.0.1', 0))
        self.port = self.socket.getsockname()[1]
        self.calls = []
        threading.Thread(target=self.listen, daemon=True).start()
        return self

    def listen(self):
        while True:
            try:
                connection, _ = self.socket.accept()
                self.calls.append(connection.recv(200) if connection else b'')
                connection.close()
            except OSError:
                return

    def __exit__(self, *_):
        self.socket.close()


class Place:
    """A server with what attackers want beside it, and a run, a model and a file of the caller."""

    def __init__(self, g, listener, headers=None):
        self.g, self.evil, self.headers, self.count, self.made = g, listener, headers or {}, 0, 0
        self.canaries = [os.path.join(folder, 'canary.txt') for folder in (g.directory, g.data, os.path.join(g.data, 'keep'))]
        for path in self.canaries:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, 'w') as f:
                f.write(SECRET)
        self.experiment = self.fine('POST', '/api/2.0/mlflow/experiments/create', {'name': 'own'})['experiment_id']
        self.run = self.new_run(self.experiment)
        self.root = f'{self.experiment}/{self.run}/artifacts'
        for path in (self.root + '/f.txt', self.root + '/a/b/f.txt', 'f.txt'):
            self.fine('PUT', '/api/2.0/mlflow-artifacts/artifacts/' + path, OWN)
        self.model = self.new_model()
        self.fine('POST', '/api/2.0/mlflow/model-versions/create', {'name': self.model, 'source': f'runs:/{self.run}/a', 'run_id': self.run})

    def send(self, method, path, body=None, headers=None):
        """What came back, seen by the rules that hold for every answer."""
        payload = json.dumps(body) if isinstance(body, (dict, list)) else body
        connection = http.client.HTTPConnection(self.g.host, self.g.port, timeout=30)
        try:
            connection.putrequest(method, path, skip_host='Host' in (headers or {}), skip_accept_encoding=True)
            kind = {'Content-Type': 'application/json'} if isinstance(body, (dict, list)) else {}
            for name, value in {**self.headers, **kind, **(headers or {})}.items():
                if value is not None:
                    connection.putheader(name, value)
            if payload is not None:
                payload = payload.encode() if isinstance(payload, str) else payload
                connection.putheader('Content-Length', str(len(payload)))
            connection.endheaders(payload)
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        finally:
            connection.close()
        self.count += 1
        told = f'{method} {path[:300]} {str(body)[:300]} -> {answer.status} {answer.body[:400]!r}'
        assert answer.status < 500, told
        assert SECRET.encode() not in answer.body and not PASSWD.search(answer.body), told
        assert not SQL.search(answer.body), told
        assert self.g.directory.encode() not in answer.body or self.g.directory in f'{body}', told
        return answer

    def fine(self, method, path, body=None, **more):
        answer = self.send(method, path, body, **more)
        assert answer.status == 200, (method, path, answer.status, answer.body[:300])
        return answer.json() if answer.body[:1] == b'{' else answer.body

    def refused(self, method, path, body=None, statuses=(400, 401, 403, 404, 405, 413, 414, 431), **more):
        answer = self.send(method, path, body, **more)
        assert answer.status in statuses, f'{method} {path[:300]} {str(body)[:300]}: {answer.status} {answer.body[:300]!r}'
        return answer

    def name(self, kind):
        self.made += 1
        return f'{kind}-{self.made}'

    def new_run(self, experiment):
        return self.fine('POST', '/api/2.0/mlflow/runs/create', {'experiment_id': experiment, 'start_time': 1})['run']['info']['run_id']

    def new_model(self):
        return self.fine('POST', '/api/2.0/mlflow/registered-models/create', {'name': self.name('model')})['registered_model']['name']

    def version(self, api, source, **more):
        return self.send('POST', api + '/mlflow/model-versions/create', {'name': self.model, 'source': source, **more})

    def nothing_of_it(self, api, number, paths=('passwd', 'etc/passwd', 'f.txt', 'canary.txt')):
        """A version that was kept: its source is text, and no file is behind it."""
        for root in ROOTS:
            for path in paths:
                for slashes in ('/', '//'):
                    answer = self.send('GET', f'{root}{slashes}model-versions/get-artifact?name={self.model}&version={number}&path={path}')
                    assert answer.status in (400, 404), (number, path, answer.status, answer.body)
        self.send('GET', f'{api}/mlflow/model-versions/get-download-uri?name={self.model}&version={number}')

    def check(self):
        for path in self.canaries:
            assert open(path).read() == SECRET, f'{path} was changed'
        for folder, folders, files in os.walk(self.g.directory):
            assert not any('evil' in name for name in folders + files), (folder, folders, files)
        assert self.fine('GET', f'/get-artifact?run_id={self.run}&path=f.txt') == OWN.encode()
        assert self.fine('GET', '/api/2.0/mlflow-artifacts/artifacts/f.txt') == OWN.encode()
        assert self.send('GET', '/health').body == b'OK' and self.g.server.poll() is None
        assert self.evil.calls == [], f'the server called {self.evil.calls}'


def run(g, cases, guard):
    """All on one server; what each left behind is looked at before the next."""
    failures = []
    with Listener() as listener:
        root = guarded(g) if guard else None
        if not guard:
            g.start()
        place = Place(g, listener, root.headers if guard else None)
        for case in cases:
            try:
                case(place, root) if guard else case(place)
                place.check()
            except AssertionError as problem:
                failures.append(f'{case.__name__}: {problem}')
    print(f'  {len(cases)} cases, {place.count} requests')
    assert not failures, '\n'.join(failures)


# --- paths

UP = '../' * 8
ESCAPES = ('../../../../../../etc/passwd', '/etc/passwd', '//etc/passwd', '..%2f..%2f..%2f..%2fetc%2fpasswd', '%2e%2e/%2e%2e/etc/passwd', '%252e%252e%252f%252e%252e%252fetc%252fpasswd',
           '%25252e%25252e%25252fetc', '..%5c..%5cetc%5cpasswd', '..%255c..%255cetc', 'a/../../etc/passwd', 'a/%2e%2e/%2e%2e/x', '%00/etc/passwd', 'f.txt%00', 'f.txt%2500', 'file:///etc/passwd',
           'file:/etc/passwd', 'http://h/x', 'C:/x', 'C%3a%5cx', '%2fetc%2fpasswd', '%252fetc%252fpasswd', 'x%23/../../etc', '%c0%ae%c0%ae/etc/passwd', '..%c0%af..', '../canary.txt',
           '../../canary.txt', 'a/..', '..', '%2e%2e', '..%00', '.%2e/x', 'x%0d%0aSet-Cookie:%20a=b')
NAMES_BELOW = ('file:/etc/passwd', 'C:/x', '%252fetc%252fpasswd')  # below a folder of the caller these are names like any other


def quoted_less(path):
    """As it stands in a query: what was written escaped stays escaped once."""
    return path.replace('#', '%23').replace(' ', '%20')


def CVE_2023_30172_and_1176_paths_of_a_run(p):
    for root in ROOTS:
        for path in ESCAPES:
            for key in ('run_uuid', 'run_id'):
                p.refused('GET', f'{root}/get-artifact?path={quoted_less(path)}&{key}={p.run}')
            p.refused('GET', f'{root}/get-artifact?path=f.txt&run_id={quoted_less(path)}')
    for api in API:
        for path in ESCAPES:
            p.refused('GET', f'{api}/mlflow/artifacts/list?run_id={p.run}&path={quoted_less(path)}')


def CVE_2023_6976_and_6977_uploads(p):
    for api in API:
        for path in ESCAPES:
            for folder in ('', p.root + '/')[:1 if path in NAMES_BELOW else 2]:
                p.refused('PUT', f'{api}/mlflow-artifacts/artifacts/{folder}{path}', 'evil')
                p.refused('GET', f'{api}/mlflow-artifacts/artifacts/{folder}{path}')
            if 'ajax' in api:
                p.refused('POST', f'{api}/mlflow/upload-artifact?run_uuid={p.run}&path={quoted_less(path)}', 'evil')
            p.refused('GET', f'{api}/mlflow-artifacts/artifacts?path={quoted_less(path)}')


def CVE_2023_6831_and_2024_1560_deleting_folders(p):
    for api in API:
        for path in ESCAPES + (f'{p.root}/a/../..', f'{p.root}/%2e%2e/%2e%2e', '%252E%252E%252F' * 6):
            for folder in ('', p.root + '/')[:1 if path in NAMES_BELOW else 2]:
                p.refused('DELETE', f'{api}/mlflow-artifacts/artifacts/{folder}{path}')
        for path in ('', '.', './', '%2e', '/'):
            p.refused('DELETE', f'{api}/mlflow-artifacts/artifacts/{path}')


def CVE_2026_2033_and_2651_uploads_in_parts(p):
    for api in API:
        for path in ESCAPES:
            for step in ('create', 'complete', 'abort'):
                body = {'path': 'f.txt', 'num_parts': 1, 'upload_id': 'x', 'parts': [{'part_number': 1, 'etag': 'x'}]}
                p.refused('POST', f'{api}/mlflow-artifacts/mpu/{step}/{path}', body)
        # Clients of old send folders before the name: only the last part counts.
        upload = p.fine('POST', f'{api}/mlflow-artifacts/mpu/create/{p.root}', {'path': '../../../../evil.txt', 'num_parts': 1})
        url = upload['credentials'][0]['url']
        assert url.startswith(f'http://{p.g.host}:{p.g.port}/api/2.0/mlflow-artifacts/mpu/part?'), url
        path = url[url.index('/api/'):]
        for wrong in (path.replace('part=1', 'part=2'), path[:-1] + ('0' if path[-1] != '0' else '1'), path.replace('upload_id=', 'upload_id=x'), path.split('&')[0]):
            p.refused('PUT', wrong, 'evil')
        tag = p.send('PUT', path, OWN).headers['ETag'].strip('"')
        for folder in ('', f'{p.experiment}/{p.run[::-1]}/artifacts'):
            p.refused('POST', f'{api}/mlflow-artifacts/mpu/complete/{folder or "x"}', {'path': 'evil.txt', 'upload_id': upload['upload_id'], 'parts': [{'part_number': 1, 'etag': tag}]})
        p.refused('POST', f'{api}/mlflow-artifacts/mpu/complete/{p.root}', {'path': 'evil.txt', 'upload_id': upload['upload_id'], 'parts': [{'part_number': 1, 'etag': '0' * 64}]})
        for name in ('..', '.', '/', '', '\\', 'a%00', '..%2f..%2fevil', 'evil\\..', '%2e%2e'):
            answer = p.send('POST', f'{api}/mlflow-artifacts/mpu/create/{p.root}', {'path': name, 'num_parts': 1})
            assert answer.status == 400 or name in ('..%2f..%2fevil',), (name, answer.status, answer.body)
        for parts in (0, -1, 10**9, 10**30):
            p.refused('POST', f'{api}/mlflow-artifacts/mpu/create/{p.root}', {'path': 'f.txt', 'num_parts': parts})


def paths_of_logged_models(p):
    for api in API:
        made = p.fine('POST', api + '/mlflow/logged-models', {'experiment_id': p.experiment, 'name': 'm', 'source_run_id': p.run})['model']['info']
        model, root = made['model_id'], f"{p.experiment}/models/{made['model_id']}/artifacts"
        p.fine('PUT', f'{api}/mlflow-artifacts/artifacts/{root}/f.txt', OWN)
        for path in ESCAPES:
            p.refused('GET', f'{api}/mlflow/logged-models/{model}/artifacts/directories?artifact_directory_path={path}')
            p.refused('GET', f'{api}/mlflow/logged-models/{model}/artifacts/files?artifact_file_path={path}')
            p.refused('GET', f'{api}/mlflow/logged-models/{path}')
            p.refused('DELETE', f'{api}/mlflow/logged-models/{model}/tags/{path}')
            if path not in NAMES_BELOW:
                p.refused('PUT', f'{api}/mlflow-artifacts/artifacts/{root}/{path}', 'evil')
                p.refused('DELETE', f'{api}/mlflow-artifacts/artifacts/{root}/{path}')
        for source in (f'models:/{model}', f'models:/{model}/../../etc', made['artifact_uri'] + '/../..', 'file:///etc'):
            answer = p.version(api, source, model_id=model)
            assert answer.status == (200 if source == f'models:/{model}' else 400), (source, answer.body)


# --- sources and artifact locations

def local_sources(p):
    return ('file:///etc', 'file:///etc/', '//proc/self/root', 'file:/etc', 'file:etc', '/etc', '/etc/passwd', '/', '/proc/self/root', 'file://localhost/etc', 'file://%2fetc', 'FILE:///etc',
            'fIlE:/etc', p.g.directory, 'file://' + p.g.data, p.g.data + '/keep', '.', '..', './', UP, 'a/..', '~', '~root', 'C:\\', 'file:///C:/', '\\\\host\\share', 'file://host/share', ' /etc',
            '\t/etc', '\x00/etc', '/etc\x00', 'file:///etc\n')


def climbing_sources(p):
    return (f'mlflow-artifacts://h:9/models/{UP}', f'mlflow-artifacts:/{UP}etc', f'mlflow-artifacts:/../{p.root}', 'http://h/a/../../', 's3a://b/..', 's3://b/a/../..', '..%2f..%2f',
            's3://b/%2e%2e/x', 's3://b/%252e%252e%252fx', 'file:///a\\..\\..\\', 's3://b/a%00', 's3://b/..\\..', 'gs://b/%5c..%5c..', f'dbfs:/{p.run}/artifacts/a%3f/{UP}', 'dbfs:/../etc',
            'http:///?/../../../../../../etc/', 'http:///#/../../etc/', 'http://host#/../../etc/', 'http://host;/../etc', 's3://b/x;/../../etc', 's3://b#/../../etc', 'hdfs://h/?x=/../../')


def CVE_2023_1177_sources_of_this_machine(p):
    for api in API:
        for source in local_sources(p):
            for more in ({}, {'run_id': p.run}):
                assert p.version(api, source, **more).status == 400, source


def CVE_2023_2356_and_2780_sources_that_climb(p):
    for api in API:
        for source in climbing_sources(p):
            assert p.version(api, source, run_id=p.run).status == 400, source
            assert p.version(api, source).status == 400, source


def CVE_2026_2614_the_tag_of_prompts(p):
    for api in API:
        for source in local_sources(p) + climbing_sources(p):
            answer = p.version(api, source, tags=[{'key': 'mlflow.prompt.is_prompt', 'value': 'true'}])
            assert answer.status == 400, (source, answer.body)


def CVE_2023_6018_and_6975_sources_elsewhere(p):
    """No source makes the server call anybody, and what a version is made of another that names one."""
    evil = f'127.0.0.1:{p.evil.port}'
    kept = 0
    for api in API:
        for source in (f'http://{evil}/api/2.0/mlflow-artifacts/artifacts/', f'http://{evil}/x', f'https://{evil}/x', f'ftp://{evil}/a', f'sftp://{evil}/a', f's3://{evil}/a', f'gs://{evil}/a',
                       f'hdfs://{evil}/a', f'viewfs://{evil}/a', f'mlflow-artifacts://{evil}/a', f'abfss://a@{evil}/b', f'wasbs://a@{evil}/b', f'dbfs:/{evil}', f'//{evil}/a', f'unknown://{evil}/a',
                       'runs:/' + p.run, f'runs:/{p.run}/../../etc', f'runs://{evil}/x', 'runs:/', 'runs:', 'models:/', 'models:/a/b/c', f'models://{evil}/m/1', f'models:/{p.model}/999999',
                       f'models:/{p.model}@nobody', 'models:/../1', 'models:/m-0123', 'x' * 100_000, f'jar:http://{evil}!/', f'gopher://{evil}/', f'data:,{evil}', 'javascript:alert(1)', '$(id)', '`id`',
                       ';id', '| id', "'; DROP TABLE model; --", ''):
            answer = p.version(api, source)
            assert answer.status in (200, 400, 404), (source, answer.status)
            if answer.status == 200:
                kept += 1
                number = answer.json()['model_version']['version']
                p.nothing_of_it(api, number)
                second = p.version(api, f'models:/{p.model}/{number}')
                if second.status == 200:
                    p.nothing_of_it(api, second.json()['model_version']['version'])
    assert kept > 0


def CVE_2023_6909_2024_1483_2928_3848_1558_1593_1594_3573_8859_locations(p):
    """Experiments with their files elsewhere: refused, or a text behind which nothing is read."""
    evil = f'127.0.0.1:{p.evil.port}'
    for api in API:
        for location in ('http:///?/../../../../../../etc/', 'http:///#/../../etc/', 'http://host#/../../etc/', 'http://host/?x#/../../etc', '//etc', '//h/etc', '/etc/;x', '/etc#x', '/etc',
                         'file:etc', 'file:/etc', 'file:///etc', 'FILE:///etc', 'file://localhost/etc', 'dbfs:/', 'dbfs:/../etc', f'ftp://{evil}/', f'http://{evil}/', f's3://{evil}/', 's3://b/../../etc',
                         f'mlflow-artifacts:/{UP}etc', f'mlflow-artifacts://{evil}/x', '..', 'C:\\', '\\\\h\\s', '%2e%2e/%2e%2e', 's3://b/%252e%252e', 's3://b/\x00', 'x' * 5000):
            body = json.dumps({'name': p.name('experiment'), 'artifact_location': location})
            for kind in ({'Content-Type': 'application/json'}, {}):
                answer = p.send('POST', api + '/mlflow/experiments/create', body, headers=kind)
                assert answer.status in (200, 400), (location, answer.status)
                if answer.status != 200:
                    continue
                experiment = answer.json()['experiment_id']
                run = p.new_run(experiment)
                for source in ('file:///etc/', '/etc', location, location + '/x'):
                    made = p.version(api, source, run_id=run)
                    if made.status == 200:
                        p.nothing_of_it(api, made.json()['model_version']['version'])
                p.refused('GET', f'/get-artifact?run_id={run}&path=etc/passwd')
                p.refused('GET', f'/get-artifact?run_id={run}&path=passwd')
                assert not p.fine('GET', f'{api}/mlflow/artifacts/list?run_id={run}').get('files')
                p.send('POST', f'/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=a%3F/a', 'x')
                p.refused('GET', f'/get-artifact?run_id={run}&path=a%3F/../../../../../../etc/passwd')
                p.send('DELETE', f'{api}/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts')
                break


def CVE_2025_11201_sources_encoded_again_and_again(p):
    text = '../../../../etc'
    for layers in range(1, 14):
        text = ''.join(f'%{ord(c):02x}' if c in './%' else c for c in text)
        if len(text) > 60_000:
            break
        for scheme in ('', 's3://b/', 'file:///', 'mlflow-artifacts:/', 'runs:/' + p.run + '/'):
            assert p.version('/api/2.0', scheme + text, run_id=p.run).status == 400, (layers, scheme)
        p.refused('GET', f'/get-artifact?run_id={p.run}&path={text[:3500]}')
        if len(text) < 8000:
            p.refused('PUT', f'/api/2.0/mlflow-artifacts/artifacts/{text}', 'evil')


def CVE_2024_0520_2025_15031_15036_names_that_clients_would_write_to(p):
    """Text of clients stays text."""
    for name in ('../../../../tmp/evil', '/tmp/evil', 'http://h/..%2f..%2fevil'):
        dataset = {'dataset': {'name': name, 'digest': 'd', 'source_type': 'http', 'source': json.dumps({'url': name}), 'schema': name}}
        p.fine('POST', '/api/2.0/mlflow/runs/log-inputs', {'run_id': p.run, 'datasets': [dataset]})
    inputs = p.fine('GET', f'/api/2.0/mlflow/runs/get?run_id={p.run}')['run']['inputs']['dataset_inputs']
    assert {d['dataset']['name'] for d in inputs} >= {'../../../../tmp/evil', '/tmp/evil'}, inputs


def CVE_2024_37052_to_37060_pickles_are_bytes(p):
    pickle = b'cposix\nsystem\n(S"touch evil"\ntR.'
    mlmodel = b'flavors:\n  python_function:\n    loader_module: os\n    data: model.pkl\n  sklearn:\n    pickled_model: model.pkl\n? !!python/object/apply:os.system ["touch evil"]\n'
    root = f'/api/2.0/mlflow-artifacts/artifacts/{p.root}/bad'
    p.fine('PUT', root + '/model.pkl', pickle)
    p.fine('PUT', root + '/MLmodel', mlmodel)
    p.fine('PUT', root + '/conda.yaml', mlmodel)
    made = p.version('/api/2.0', f'runs:/{p.run}/bad', run_id=p.run)
    assert made.status == 200, made.body
    number = made.json()['model_version']['version']
    assert p.fine('GET', f'/model-versions/get-artifact?name={p.model}&version={number}&path=model.pkl') == pickle
    deployed = p.send('PUT', '/api/v1/projects/default/endpoints/bad', {'model': f'{p.model}@{number}'})
    assert deployed.status in (400, 404, 409, 422), (deployed.status, deployed.body)


def files_of_traces_are_not_where_a_tag_says(p):
    for prefix in ('', '/p/default'):
        for location in ('file:///etc', '/etc', f'mlflow-artifacts:/{UP}etc', f'http://127.0.0.1:{p.evil.port}/x', f'ftp://127.0.0.1:{p.evil.port}/', 'dbfs:/', p.root):
            trace = 'tr-' + p.name('evil').rjust(32, '0')
            tags = {'mlflow.artifactLocation': location, 'mlflow.trace.spansLocation': 'ARTIFACT_REPO'}
            info = {'trace_id': trace, 'trace_location': {'type': 'MLFLOW_EXPERIMENT', 'mlflow_experiment': {'experiment_id': p.experiment}}, 'request_time': '2026-01-01T00:00:00Z', 'state': 'OK',
                    'tags': tags}
            p.send('POST', prefix + '/api/3.0/mlflow/traces', {'trace': {'trace_info': info}})
            for key, value in tags.items():
                p.send('PATCH', f'{prefix}/api/3.0/mlflow/traces/{trace}/tags', {'key': key, 'value': value})
            for path in ('', 'passwd', '../../etc/passwd', '%2fetc%2fpasswd', 'f.txt', '../f.txt', 'traces.json'):
                answer = p.send('GET', f'{prefix}/ajax-api/2.0/mlflow/get-trace-artifact?request_id={trace}&path={path}')
                assert answer.status in (400, 404) or b'spans' in answer.body, (location, path, answer.status, answer.body)
                assert OWN.encode() not in answer.body, (location, path)


def spans_that_grow_when_unpacked(p):
    headers = {'x-mlflow-experiment-id': p.experiment, 'Content-Encoding': 'gzip'}
    bomb = gzip.compress(bytes(300 << 20), 1)
    for kind in ('application/x-protobuf', 'application/json'):
        for body in (bomb, gzip.compress(bomb), bomb[:1000], b'x' * 1000, gzip.compress(b'[' * 100_000), b''):
            p.refused('POST', '/v1/traces', body, headers={**headers, 'Content-Type': kind})
    # Small when packed, and far larger than their text once they are read.
    for kind, text in (('json', b'{"resourceSpans":[' + b'0,' * 15_000_000 + b'0]}'), ('json', b'{"resourceSpans":[' + b'{},' * 10_000_000 + b'{}]}'),
                       ('x-protobuf', b'\n\0' * 15_000_000)):
        body = gzip.compress(text)
        assert len(body) < 150_000, len(body)
        p.refused('POST', '/v1/traces', body, headers={**headers, 'Content-Type': 'application/' + kind})
    assert resident(p.g) < 1 << 30, resident(p.g)


def patterns_that_never_end(p):
    """A text of a megabyte against patterns that begin everywhere in it: at once from many clients, who then leave."""
    attributes = [{'key': 'k', 'value': {'stringValue': 'a' * 1_000_000}}]
    span = {'traceId': '1' * 32, 'spanId': '2' * 16, 'name': 'x', 'startTimeUnixNano': '1000000', 'endTimeUnixNano': '2000000', 'attributes': attributes}
    p.fine('POST', '/v1/traces', {'resourceSpans': [{'scopeSpans': [{'spans': [span]}]}]}, headers={'x-mlflow-experiment-id': p.experiment})
    place = [{'type': 'MLFLOW_EXPERIMENT', 'mlflow_experiment': {'experiment_id': p.experiment}}]
    long = {'locations': place, 'filter': "span.content LIKE '%" + 'a' * 9000 + "b%'"}
    p.refused('POST', '/api/3.0/mlflow/traces/search', long, statuses=(400,))
    for compare in ('LIKE', 'ILIKE'):
        for pattern in ('a' * 900 + 'b', 'a' * 900 + '_b', 'a%' * 400 + 'b'):
            began = time.monotonic()
            p.fine('POST', '/api/3.0/mlflow/traces/search', {'locations': place, 'filter': f"span.content {compare} '%{pattern}%'"})
            assert time.monotonic() - began < 10, pattern
    # Each of these takes seconds: nobody waits for them beside what is cheap, or when their clients have gone.
    slow = json.dumps({'locations': place, 'filter': "span.attributes.k RLIKE '(a|aa|aaa){100}b'"})
    clients = []
    for _ in range(40):
        clients.append(http.client.HTTPConnection(p.g.host, p.g.port))
        clients[-1].request('POST', '/api/3.0/mlflow/traces/search', slow, {**p.headers, 'Content-Type': 'application/json'})
    began = time.monotonic()
    p.fine('GET', f'/api/2.0/mlflow/runs/get?run_id={p.run}')
    assert time.monotonic() - began < 5, time.monotonic() - began
    for client in clients:
        client.close()
    began = time.monotonic()
    while p.send('POST', '/api/3.0/mlflow/traces/search', {'locations': place}).status == 429:
        assert time.monotonic() - began < 5
        time.sleep(0.1)


def CVE_2023_4033_and_2026_0596_shells(p):
    for text in ('$(touch evil)', '`touch evil`', '; touch evil', '| touch evil', '"; touch evil; "', "'; touch evil; '", '\n touch evil'):
        p.send('POST', '/api/2.0/mlflow/registered-models/create', {'name': text})
        p.send('POST', '/api/2.0/mlflow/runs/create', {'experiment_id': p.experiment, 'start_time': 1, 'run_name': text, 'tags': [{'key': 'mlflow.source.name', 'value': text}]})
        p.version('/api/2.0', text)


# --- who it is

def CVE_2023_6014_accounts_for_strangers(p, roles):
    body = {'username': 'evil', 'password': PASSWORD, 'name': 'evil', 'roles': [{'role': 'admin', 'project': '*'}]}
    nobody = {'Authorization': None}
    for path in ('/api/2.0/mlflow/users/create', '/ajax-api/2.0/mlflow/users/create', '/p/default/api/2.0/mlflow/users/create', '/api/2.0/mlflow/users/create-ui', '/users/create', '/signup',
                 '//api/2.0/mlflow/users/create', '/api//2.0/mlflow/users/create', '/api/2.0/mlflow/users/create/', '/API/2.0/mlflow/users/create', '/api/2.0/mlflow/users/create?x', '/api/2.0/mlflow/users/create;x',
                 '/api/2.0/mlflow/./users/create', '/health/../api/2.0/mlflow/users/create', '/api/2.0/mlflow/users%2fcreate', '/static-files/../api/2.0/mlflow/users/create', '/api/v1/users', '/ajax-api/3.0/mlflow/users/create'):
        for method in ('POST', 'PUT', 'PATCH'):
            p.refused(method, path, body, headers=nobody)
    p.refused('POST', '/api/2.0/mlflow/users/create', 'username=evil&password=' + PASSWORD, headers={**nobody, 'Content-Type': 'application/x-www-form-urlencoded'})
    assert [u['name'] for u in p.fine('GET', '/api/v1/users')['items']] == ['root']


def CVE_2025_1473_forms_of_other_sites(p, roles):
    form = 'username=evil&password=' + PASSWORD.replace(' ', '+')
    for origin in ('http://evil.example', 'null', f'http://{p.g.host}:1', f'https://{p.g.host}:{p.g.port}', f'http://{p.g.host}:{p.g.port}.evil.example'):
        for path in ('/api/2.0/mlflow/users/create-ui', '/api/2.0/mlflow/users/create', '/ajax-api/2.0/mlflow/users/create', '/api/v1/users'):
            p.refused('POST', path, form, headers={'Content-Type': 'application/x-www-form-urlencoded', 'Origin': origin})
            p.refused('POST', path, {'username': 'evil', 'name': 'evil', 'password': PASSWORD}, headers={'Origin': origin})
    assert [u['name'] for u in p.fine('GET', '/api/v1/users')['items']] == ['root']


def CVE_2025_1474_and_11200_weak_passwords(p, roles):
    for word in ('', ' ', 'a', 'short', 'password123', '12345678901', None, 5, [], {}):
        for path in ('/api/2.0/mlflow/users/create', '/ajax-api/2.0/mlflow/users/create'):
            p.refused('POST', path, {'username': 'weak', 'password': word})
        if word not in ('password123', '12345678901'):  # long enough for the native door
            p.refused('POST', '/api/v1/users', {'name': 'weak', 'password': word, 'roles': []}, statuses=(400, 422))
    assert [u['name'] for u in p.fine('GET', '/api/v1/users')['items']] == ['root']


def CVE_2026_2652_and_0545_what_frameworks_beside_forget(p, roles):
    for path, body in (('/ajax-api/3.0/jobs/search', {}), ('/ajax-api/3.0/jobs/', {'job_name': 'run_task', 'params': {'command': 'touch evil'}}), ('/ajax-api/3.0/jobs', {}), ('/v1/traces', {}),
                       ('/p/default/v1/traces', {}), ('/graphql', {'query': '{__schema{types{name}}}'}), ('/ajax-api/2.0/mlflow/gateway-proxy', {'gateway_path': '../../'}),
                       ('/ajax-api/3.0/mlflow/traces/search', {}), ('/api/3.0/mlflow/assessments', {})):
        p.refused('POST', path, body, headers={'Authorization': None})


def CVE_2025_14297_15381_2026_8147_nothing_without_a_role(p, roles):
    user(p.g, roles, 'bare')
    for path in ('/graphql', '/api/2.0/mlflow/traces', '/api/3.0/mlflow/traces/search', '/api/3.0/mlflow/traces/x', '/api/3.0/mlflow/traces/x/assessments', '/ajax-api/3.0/mlflow/traces/x',
                 '/ajax-api/2.0/mlflow/get-trace-artifact?request_id=x', '/ajax-api/2.0/mlflow/metrics/get-history-bulk?run_id=x&metric_key=m', '/ajax-api/2.0/mlflow/upload-artifact?run_uuid=x&path=y',
                 '/v1/traces', '/api/3.0/mlflow/datasets/search', '/api/2.0/mlflow/logged-models/search', f'/get-artifact?run_id={p.run}&path=f.txt'):
        for method in ('GET', 'POST', 'PATCH', 'DELETE'):
            p.refused(method, path, None if method == 'GET' else {}, headers=basic('bare'))


def CVE_2024_4263_and_the_artifact_proxy(p, roles):
    readers = [user(p.g, roles, role + '-only', (role, '*')).headers for role in ('viewer', 'approver', 'deployer')]
    user(p.g, roles, 'bare2')
    for api in API:
        for path in (f'{p.root}/f.txt', f'./{p.root}/f.txt', f'{p.root}', 'f.txt', f'%2e/{p.root}/f.txt', p.root.replace('/', '//')):
            for caller in (*readers, basic('bare2')):
                p.refused('DELETE', f'{api}/mlflow-artifacts/artifacts/{path}', headers=caller)
                p.refused('PUT', f'{api}/mlflow-artifacts/artifacts/{path}', 'evil', headers=caller)
            p.refused('GET', f'{api}/mlflow-artifacts/artifacts/{path}', headers=basic('bare2'))
            for step in ('create', 'complete', 'abort'):
                p.refused('POST', f'{api}/mlflow-artifacts/mpu/{step}/{path}', {'path': 'f.txt'}, headers=basic('bare2'), statuses=(400, 403))


def CVE_2026_2635_passwords_that_everybody_knows(p, roles):
    for name, word in (('admin', 'password1234'), ('admin', 'password'), ('admin', 'admin'), ('root', ''), ('root', 'password1234')):
        p.refused('GET', '/api/2.0/mlflow/experiments/get?experiment_id=0', headers=basic(name, word), statuses=(401,))


def CWE_307_guessing_is_slowed(p, roles):
    user(p.g, roles, 'guessed', ('viewer', '*'))
    statuses = [p.send('GET', '/api/2.0/mlflow/experiments/get?experiment_id=0', headers=basic('guessed', f'guess {i}')).status for i in range(20)]
    assert 429 in statuses and set(statuses) <= {401, 429}, statuses
    assert p.send('GET', '/api/2.0/mlflow/experiments/get?experiment_id=0', headers=basic('guessed')).status == 429


# --- browsers, floods, calls, leaks

SCRIPT = '<script>alert(1)</script>'


def CVE_2023_6568_24027132_27133_scripts(p):
    for api in API:
        for path in ('/mlflow/users/create', '/mlflow/experiments/create', f'/mlflow/{SCRIPT}', '/mlflow/runs/create'):
            answer = p.send('POST', api + path.replace(' ', '%20'), '{"username": 1, "name": {}}', headers={'Content-Type': SCRIPT})
            assert SCRIPT.encode() not in answer.body and 'html' not in answer.headers.get('Content-Type', ''), (path, answer.body)
        answer = p.send('GET', f'{api}/mlflow/runs/get?run_id={SCRIPT}')
        assert answer.headers['Content-Type'].startswith('application/json'), answer.headers['Content-Type']
        for name in ('evil.html', 'evil.svg', 'evil.xhtml', 'evil'):
            p.fine('PUT', f'{api}/mlflow-artifacts/artifacts/{p.root}/x/{name}', SCRIPT)
            for path in (f'{api}/mlflow-artifacts/artifacts/{p.root}/x/{name}', f'/get-artifact?run_id={p.run}&path=x/{name}'):
                headers = p.send('GET', path).headers
                assert headers['X-Content-Type-Options'] == 'nosniff' and 'sandbox' in headers['Content-Security-Policy'] and headers['Content-Disposition'].startswith('attachment'), (path, headers)


def CVE_2025_14279_names_that_lead_here(p):
    for host in ('evil.example', '10.evil.example', '192.168.evil.example', '127.0.0.1.evil.example', 'localhost.evil.example', '127.evil', f'evil.example:{p.g.port}', '127.0.0.1@evil.example', '[::1].evil.example', '[::1', 'localhost:80.evil.example', '127.0.0.1:x',
                 '172.16.evil.example', '0.0.0.0', '2130706433', '127.0.0.256'):
        for api in API:
            for method, path, body in (('GET', 'get?experiment_id=0', None), ('POST', 'create', {'name': p.name('rebound')})):
                answer = p.send(method, f'{api}/mlflow/experiments/{path}', body, headers={'Host': host})
                assert answer.status in (400, 401), (host, answer.status, answer.body)
    p.fine('GET', '/api/2.0/mlflow/experiments/get?experiment_id=0', headers={'Host': f'localhost:{p.g.port}'})


def writes_of_pages_of_other_sites(p):
    for origin in ('http://evil', 'null', 'http://127.0.0.1', f'https://127.0.0.1:{p.g.port}', f'http://localhost:{p.g.port}', f'http://{p.g.host}:{p.g.port}.evil'):
        for api in API:
            for path, body in (('/mlflow/experiments/create', {'name': p.name('crossed')}), ('/mlflow/runs/search', {'experiment_ids': ['0']})):
                for kind in ('application/json', 'text/plain', 'application/x-www-form-urlencoded'):
                    answer = p.refused('POST', api + path, json.dumps(body), headers={'Origin': origin, 'Content-Type': kind}, statuses=(401, 403))
                    assert 'Access-Control-Allow-Origin' not in answer.headers, origin
            answer = p.send('OPTIONS', api + '/mlflow/experiments/create', headers={'Origin': origin, 'Access-Control-Request-Method': 'POST'})
            assert 'Access-Control-Allow-Origin' not in answer.headers, (origin, answer.status)
    found = p.fine('POST', '/api/2.0/mlflow/experiments/search', {'max_results': 1000})['experiments']
    assert not any('crossed' in e['name'] or 'rebound' in e['name'] for e in found), found


def CVE_2025_0453_many_questions_in_one(p):
    aliases = ' '.join(f'a{i}: mlflowSearchRuns(input: {{experimentIds: ["0"]}}) {{ runs {{ info {{ runId }} }} }}' for i in range(1000))
    for path in ('/graphql', '/ajax-api/2.0/graphql', '/p/default/graphql'):
        p.refused('POST', path, {'query': '{' + aliases + '}'})


def CVE_2024_6838_names_without_end(p):
    long = 'x' * 200_000
    for api in API:
        for path, body in (('/mlflow/experiments/create', {'name': long}), ('/mlflow/registered-models/create', {'name': long}), ('/mlflow/registered-models/get-latest-versions', {'name': long}),
                           ('/mlflow/runs/search', {'experiment_ids': [long]}), ('/mlflow/runs/search', {'experiment_ids': ['0'], 'filter': long}), ('/mlflow/runs/update', {'run_id': long}),
                           ('/mlflow/runs/search', {'experiment_ids': ['0'], 'order_by': [long]}), ('/mlflow/runs/search', {'experiment_ids': ['0'], 'filter': '(' * 100_000}),
                           ('/mlflow/runs/search', {'experiment_ids': ['0'], 'page_token': long}), ('/mlflow/runs/log-metric', {'run_id': p.run, 'key': long, 'value': 1, 'timestamp': 1}),
                           ('/mlflow/runs/log-parameter', {'run_id': p.run, 'key': long, 'value': '1'}), ('/mlflow/runs/set-tag', {'run_id': p.run, 'key': long, 'value': '1'}),
                           ('/mlflow/experiments/set-experiment-tag', {'experiment_id': p.experiment, 'key': long, 'value': ''}),
                           ('/mlflow/registered-models/alias', {'name': p.model, 'alias': long, 'version': '1'}), ('/mlflow/model-versions/create', {'name': p.model, 'source': long}),
                           ('/mlflow/experiments/create', {'name': p.name('deep'), 'artifact_location': long})):
            p.refused('POST', api + path, body)
        p.refused('POST', api + '/mlflow/experiments/create', '{"a":' * 50_000)
        p.refused('POST', api + '/mlflow/experiments/create', '[' * 200_000)
        p.refused('GET', f'{api}/mlflow/runs/get?run_id={"x" * 20_000}')
        p.fine('POST', api + '/mlflow/runs/log-parameter', {'run_id': p.run, 'key': 'cut', 'value': long})
    params = p.fine('GET', f'/api/2.0/mlflow/runs/get?run_id={p.run}')['run']['data']['params']
    assert [len(param['value']) for param in params if param['key'] == 'cut'] == [6000], params


def CVE_2024_3099_names_that_look_alike(p):
    for api in API:
        names = []
        for name in ('a.b', 'a%2eb', 'a%252eb', 'A.b', 'a.b ', 'a．b'):
            answer = p.send('POST', api + '/mlflow/registered-models/create', {'name': name, 'description': 'of ' + name})
            if answer.status == 200 or answer.json()['error_code'] == 'RESOURCE_ALREADY_EXISTS':
                names.append(name)
        assert 'a.b' in names
        for name in names:
            asked = ''.join(f'%{b:02x}' for b in name.encode())
            got = p.fine('GET', f'{api}/mlflow/registered-models/get?name={asked}')['registered_model']
            assert got['name'] == name and got['description'] == 'of ' + name, (name, got)


def CVE_2025_52967_proxies_of_gateways(p):
    for api in API:
        for path in ('../../', f'http://127.0.0.1:{p.evil.port}/', '//127.0.0.1'):
            p.refused('POST', api + '/mlflow/gateway-proxy', {'gateway_path': path, 'json_data': {}, 'request_type': 'GET'})
            p.refused('GET', f'{api}/mlflow/gateway-proxy?gateway_path={path}')


def CVE_2026_2393_webhooks_into_the_house(p):
    port, event = p.evil.port, [{'entity': 'REGISTERED_MODEL', 'action': 'CREATED'}]
    hosts = ('169.254.169.254', '127.0.0.1', 'localhost', 'LOCALHOST', '127.1', '2130706433', '0x7f000001', '0x7f.1', '0177.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '0.0.0.0', '[::]', '10.0.0.1',
             '192.168.1.1', '172.16.0.1', '100.64.0.1', '[fe80::1]', '[fc00::1]', '127.0.0.1.', 'localhost.', 'user@127.0.0.1', '224.0.0.1', '[64:ff9b::7f00:1]')
    for api in API:
        for host in hosts:
            for scheme in ('http', 'https'):
                made = p.send('POST', api + '/mlflow/webhooks', {'name': p.name('hook'), 'url': f'{scheme}://{host}:{port}/evil', 'events': event})
                assert made.status in (200, 400), (host, made.status, made.body)
                if made.status == 200:
                    ident = made.json()['webhook']['webhook_id']
                    tried = p.send('POST', f'{api}/mlflow/webhooks/{ident}/test', {})
                    assert tried.status >= 400 or not tried.json()['result'].get('success'), (host, tried.body)
                    p.fine('DELETE', f'{api}/mlflow/webhooks/{ident}')
        for url in ('file:///etc/passwd', 'gopher://127.0.0.1/', 'ftp://h/', '//127.0.0.1/', 'javascript:alert(1)', 'secret:known', '', 'http://', 'http:///x', 'http://h\r\nX: y/', f'http://h@127.0.0.1:{port}/',
                    f'http://127.0.0.1:{port}\\@example.com/', f'http://example.com#@127.0.0.1:{port}/'):
            made = p.send('POST', api + '/mlflow/webhooks', {'name': p.name('hook'), 'url': url, 'events': event})
            if made.status == 200:
                p.fine('DELETE', f"{api}/mlflow/webhooks/{made.json()['webhook']['webhook_id']}")
            assert made.status == 400 or 'example.com' in url, (url, made.body)
    # One that was fine is not moved to where it may not lead.
    ident = p.fine('POST', '/api/2.0/mlflow/webhooks', {'name': p.name('hook'), 'url': 'https://example.com/x', 'events': event})['webhook']['webhook_id']
    for host in ('127.0.0.1', '[::1]', '169.254.169.254'):
        p.refused('PATCH', f'/api/2.0/mlflow/webhooks/{ident}', {'url': f'http://{host}:{port}/evil'})
    p.fine('DELETE', f'/api/2.0/mlflow/webhooks/{ident}')
    p.fine('POST', '/api/2.0/mlflow/registered-models/create', {'name': p.name('told')})


def errors_hold_no_sql(p):
    bad = ("'", '"', "' OR 1=1 --", '%', '_', '\\', ';', '\u0000', '💥', "x'; DROP TABLE run; --", '[]', 'NULL', '0x00')
    for api in API:
        for _ in range(2):
            p.send('POST', api + '/mlflow/experiments/create', {'name': 'twice'})
            p.send('POST', api + '/mlflow/registered-models/create', {'name': 'twice'})
        for text in bad:
            for path, body in (('/mlflow/experiments/create', {'name': text}), ('/mlflow/registered-models/create', {'name': text}), ('/mlflow/experiments/update', {'experiment_id': text, 'new_name': 'twice'}),
                               ('/mlflow/runs/search', {'experiment_ids': [text]}), ('/mlflow/runs/search', {'experiment_ids': ['0'], 'filter': f'metrics.`{text}` > 1'}),
                               ('/mlflow/runs/search', {'experiment_ids': ['0'], 'filter': f"tags.k = '{text}'"}), ('/mlflow/runs/search', {'experiment_ids': ['0'], 'filter': text}),
                               ('/mlflow/runs/search', {'experiment_ids': ['0'], 'order_by': [text]}), ('/mlflow/runs/search', {'experiment_ids': ['0'], 'page_token': text}),
                               ('/mlflow/experiments/search', {'max_results': 5, 'filter': f"name LIKE '{text}'"}), ('/mlflow/experiments/search', {'max_results': 5, 'page_token': text}),
                               ('/mlflow/runs/set-tag', {'run_id': p.run, 'key': text, 'value': text}), ('/mlflow/runs/log-parameter', {'run_id': p.run, 'key': text, 'value': text}),
                               ('/mlflow/runs/log-metric', {'run_id': text, 'key': text, 'value': text, 'timestamp': text}), ('/mlflow/runs/create', {'experiment_id': text, 'start_time': text})):
                p.send('POST', api + path, body)
            asked = ''.join(f'%{b:02x}' for b in text.encode())
            for path in (f'runs/get?run_id={asked}', f'experiments/get?experiment_id={asked}', f'experiments/get-by-name?experiment_name={asked}', f'registered-models/get?name={asked}',
                         f'registered-models/search?filter={asked}', f'model-versions/search?order_by={asked}', f'model-versions/get?name={asked}&version={asked}',
                         f'metrics/get-history?run_id={p.run}&metric_key={asked}&page_token={asked}', f'artifacts/list?run_id={p.run}&page_token={asked}'):
                p.send('GET', f'{api}/mlflow/{path}')


PATHS = (CVE_2023_30172_and_1176_paths_of_a_run, CVE_2023_6976_and_6977_uploads, CVE_2023_6831_and_2024_1560_deleting_folders, CVE_2026_2033_and_2651_uploads_in_parts,
         paths_of_logged_models)
SOURCES = (CVE_2023_1177_sources_of_this_machine, CVE_2023_2356_and_2780_sources_that_climb, CVE_2026_2614_the_tag_of_prompts, CVE_2023_6018_and_6975_sources_elsewhere,
           CVE_2023_6909_2024_1483_2928_3848_1558_1593_1594_3573_8859_locations, CVE_2025_11201_sources_encoded_again_and_again,
           CVE_2024_0520_2025_15031_15036_names_that_clients_would_write_to, CVE_2024_37052_to_37060_pickles_are_bytes, CVE_2023_4033_and_2026_0596_shells,
           files_of_traces_are_not_where_a_tag_says)
LOGINS = (CVE_2023_6014_accounts_for_strangers, CVE_2025_1473_forms_of_other_sites, CVE_2025_1474_and_11200_weak_passwords, CVE_2026_2652_and_0545_what_frameworks_beside_forget,
          CVE_2025_14297_15381_2026_8147_nothing_without_a_role, CVE_2024_4263_and_the_artifact_proxy, CVE_2026_2635_passwords_that_everybody_knows, CWE_307_guessing_is_slowed)
REST = (CVE_2023_6568_24027132_27133_scripts, CVE_2025_14279_names_that_lead_here, writes_of_pages_of_other_sites, CVE_2025_0453_many_questions_in_one, CVE_2024_6838_names_without_end,
        CVE_2024_3099_names_that_look_alike, CVE_2025_52967_proxies_of_gateways, CVE_2026_2393_webhooks_into_the_house, spans_that_grow_when_unpacked, patterns_that_never_end, errors_hold_no_sql)


def paths(g):
    run(g, PATHS, False)


def sources(g):
    run(g, SOURCES, False)


def logins(g):
    run(g, LOGINS, True)


def the_rest(g):
    run(g, REST, False)


if __name__ == '__main__':
    run_scenarios([paths, sources, logins, the_rest])
