"""Models that clients logged are judged by their files, which nobody loads: hostile pickles, archives and bombs among them."""
import json
import os
import pickle
import sys
import zipfile
import zlib
from io import BytesIO

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import FULL, run_scenarios

API = '/api/2.0/mlflow'
MLMODEL = '''flavors:
  python_function: {loader_module: mlflow.sklearn, model_path: model.pkl, python_version: 3.11.7, env: {conda: conda.yaml}}
  sklearn: {pickled_model: model.pkl, serialization_format: cloudpickle, sklearn_version: 1.9.1}
saved_input_example_info: {artifact_path: input_example.json}
signature:
  inputs: '[{"type": "double", "name": "age", "required": true}]'
  outputs: '[{"type": "long", "required": true}]'
'''
PLAIN = b'\x80\x04\x8c\x1bsklearn.linear_model._ridge\x8c\x05Ridge\x93)\x81}b.'


class Call:
    """What a pickle of this runs when it is loaded."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


def zipped(members, how=zipfile.ZIP_DEFLATED):
    out = BytesIO()
    with zipfile.ZipFile(out, 'w', how) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


class Logged:
    """A logged model with these files."""

    def __init__(self, g, files):
        self.g = g
        self.id = g.json('POST', API + '/logged-models', {'experiment_id': '0', 'name': 'm'})['model']['info']['model_id']
        for path, content in files.items():
            answer = g.http('PUT', f'/api/2.0/mlflow-artifacts/artifacts/0/models/{self.id}/artifacts/{path}', content, {'Content-Type': 'application/octet-stream'})
            assert answer.status == 200, answer.body

    def inspection(self):
        answer = self.g.http('GET', f'/api/v1/projects/default/logged-models/{self.id}/inspection')
        assert answer.status != 200 or len(answer.body) < 1_000_000
        return answer


def what_clients_log_is_judged(g):
    g.start()
    good = Logged(g, {'MLmodel': MLMODEL, 'model.pkl': PLAIN, 'requirements.txt': 'scikit-learn==1.9.1\n# a comment\ncloudpickle\n', 'conda.yaml': 'channels: [x]\n', 'input_example.json': '{"data": [[1.0]]}'})
    report = good.inspection().json()
    assert report['verdict'] == 'safe' and report['file_count'] == 5, report
    assert report['model']['flavors']['sklearn']['sklearn_version'] == '1.9.1' and report['model']['signature']['inputs'][0]['name'] == 'age', report
    assert report['requirements'] == ['scikit-learn==1.9.1', 'cloudpickle'] and report['input_example'] == {'data': [[1.0]]} and not report['notes'], report
    bad = Logged(g, {'MLmodel': MLMODEL, 'model.pkl': pickle.dumps(Call(os.system, 'touch marker')), 'requirements.txt': 'evil @ git+https://example.com/evil\n'})
    report = bad.inspection().json()
    assert report['verdict'] == 'unsafe' and 'posix.system' in report['why'] and 'evil' in report['notes'][0], report
    # Who registers it hears of it, and who wants to deploy it.
    g.json('POST', API + '/registered-models/create', {'name': 'bad'})
    version = g.json('POST', API + '/model-versions/create', {'name': 'bad', 'source': f'models:/{bad.id}', 'model_id': bad.id})['model_version']
    assert version['status'] == 'READY' and 'posix.system' in version['status_message'], version
    version = g.json('POST', API + '/model-versions/create', {'name': 'bad', 'source': f'models:/{good.id}', 'model_id': good.id})['model_version']
    assert 'status_message' not in version, version
    refused = g.cli('deploy', 'bad:v1', '--name', 'x', check=False)
    assert refused.returncode != 0 and 'posix.system' in refused.stderr and 'gyre models inspect bad:v1' in refused.stderr, refused.stderr
    told = g.cli('models', 'inspect', 'bad:v1', check=False)
    assert told.returncode == 5 and 'posix.system' in told.stdout, told.stdout
    assert 'safe' in g.cli('models', 'inspect', 'bad:v2').stdout and 'safe' in g.cli('models', 'inspect', good.id).stdout
    for missing in ('nothing', 'bad:v9', 'm-' + '0' * 32):
        assert g.cli('models', 'inspect', missing, check=False).returncode == 3, missing


def files_of_runs_and_of_elsewhere(g):
    g.start()
    run = g.json('POST', API + '/runs/create', {'experiment_id': '0'})['run']['info']['run_id']
    for path, content in {'model/MLmodel': MLMODEL, 'model/model.pkl': pickle.dumps(Call(eval, '1')), 'log.txt': 'x'}.items():
        assert g.http('PUT', f'/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/{path}', content).status == 200
    whole = g.cli_json('runs', 'inspect', run, check=False)
    assert whole['verdict'] == 'unsafe' and whole['file_count'] == 3 and whole['why'].startswith('model/model.pkl: '), whole
    one = g.cli_json('runs', 'inspect', run, 'model', check=False)
    assert one['file_count'] == 2 and one['files'][1]['unknown_names'] == ['builtins.eval'], one
    assert g.cli('runs', 'inspect', run, 'nothing', check=False).returncode == 3
    g.json('POST', API + '/registered-models/create', {'name': 'm'})
    for source, status in ((f'runs:/{run}/model', 200), ('s3://bucket/model', 422)):
        g.json('POST', API + '/model-versions/create', {'name': 'm', 'source': source, 'run_id': run})
        answer = g.http('GET', '/api/v1/projects/default/models/m/versions/latest/inspection')
        assert answer.status == status or status != 200 and 400 <= answer.status < 500, (source, answer.status, answer.body)
    # Files of another project are nobody's business.
    g.json('POST', '/api/v1/projects', {'name': 'blue'})
    assert g.http('GET', f'/api/v1/projects/blue/runs/{run}/inspection').status == 404
    g.json('POST', '/p/blue' + API + '/registered-models/create', {'name': 'm'})
    made = g.http('POST', '/p/blue' + API + '/model-versions/create', {'name': 'm', 'source': f'runs:/{run}/model'})
    answer = g.http('GET', '/api/v1/projects/blue/models/m/versions/latest/inspection')
    assert b'eval' not in made.body + answer.body and answer.status in (404, 409, 412, 422), (made.status, answer.status, answer.body)


def nothing_is_ever_loaded(g):
    marker = os.path.join(g.directory, 'marker')
    calls = [Call(os.system, 'touch ' + marker), Call(eval, f'open({marker!r}, "w")'), Call(exec, f'open({marker!r}, "w")'), Call(open, marker, 'w'), Call(os.mkdir, marker), Call(__import__, 'antigravity')]
    hostile = {}
    for i, call in enumerate(calls):
        for protocol in range(6):
            hostile[f'{i}.{protocol}.pkl'] = pickle.dumps(call, protocol)
    one = pickle.dumps(calls[0], 0)
    hostile |= {'text.txt': one + b'\nand so on', 'cut.pkl': one[:-1], 'second.pkl': PLAIN + one, 'first.json': b'I1\n' + one, 'packed.joblib': zlib.compress(one), 'twice.joblib': zlib.compress(zlib.compress(one)),
                'model.pth': zipped({'m/data.pkl': one, 'm/version': '3'}), 'a.npz': zipped({'a.npy': b"\x93NUMPY\x01\0\x13\0{'descr': '|O', }  " + one}), 'deep.zip': zipped({'b.zip': zipped({'c.pkl': one})}),
                'model.skops': zipped({'schema.json': json.dumps({'__class__': 'system', '__module__': 'posix', '__loader__': 'OperatorFuncNode'})}), 'code/setup.py': b'print(1)', 'x.so': b'\x7fELF'}
    g.start()
    report = Logged(g, hostile).inspection().json()
    assert report['verdict'] == 'unsafe' and report['file_count'] == len(hostile)
    for file in report['files']:
        assert file['verdict'] == 'unsafe', file
    assert not os.path.exists(marker)


def bombs_are_put_out(g):
    g.start()
    zeros, many = bytes(140_000_000), 25_000_000 if FULL else 1_000_000
    bombs = {'zip': zipped({str(i): zeros for i in range(2)}), 'zlib': zlib.compress(zeros), 'marks': b'\x80\x04' + b'(' * many, 'memo': b'\x80\x04' + b']' + b'\x94' * many,
             'states': b'\x80\x04}(' + b''.join(b'X\x04\0\0\0%04dN' % i for i in range(3000)) + b'u\x94' + b'h\x00)\x81h\x00b' * 3000 + b'.'}
    overlap = bytearray(zipped({'a': bytes(1000), 'b': bytes(1000)}))
    second = overlap.rindex(b'PK\x01\x02')
    overlap[second + 42:second + 46] = bytes(4)  # both members begin at the same place
    bombs['overlap'] = bytes(overlap)
    for name, bomb in bombs.items():
        report = Logged(g, {'model.pkl': bomb}).inspection().json()
        assert report['verdict'] == 'unclear', (name, report)
        print(f'  {name}: {len(bomb)} bytes: {report["why"]}')
        assert g.http('GET', '/healthz').status == 200
    laughs = 'a: &a [x,x,x,x,x,x,x,x]\n' + ''.join(f'{chr(98 + i)}: &{chr(98 + i)} [{",".join(["*" + chr(97 + i)] * 8)}]\n' for i in range(9)) + 'flavors: {python_function: *j}\n'
    report = Logged(g, {'MLmodel': laughs, 'model.pkl': PLAIN}).inspection().json()
    assert report['verdict'] == 'unclear' and 'MLmodel' in report['why'], report
    many = Logged(g, {f'{i}.txt': 'x' for i in range(30)}).inspection().json()
    assert many['verdict'] == 'safe' and many['file_count'] == 30


if __name__ == '__main__':
    run_scenarios([what_clients_log_is_judged, files_of_runs_and_of_elsewhere, nothing_is_ever_loaded, bombs_are_put_out])
