"""What MLflow's clients delete can be restored for a while; then it is gone for good, and its bytes come back."""
import json
import os
import time
import urllib.parse

from harness import run_scenarios

MIB = 1 << 20


def mlflow(g, method, what, body=None):
    return g.json(method, '/api/2.0/mlflow/' + what, body)


def stored(g):
    blobs = os.path.join(g.data, 'blobs', 'objects')
    return sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(blobs) for name in names)


def a_run(g, experiment, size=MIB, path='model/weights.bin'):
    """One with a metric, a param, a tag, an input and a file of that many bytes which nobody else has."""
    run = mlflow(g, 'POST', 'runs/create', {'experiment_id': experiment, 'start_time': 5})['run']['info']['run_id']
    mlflow(g, 'POST', 'runs/log-batch', {'run_id': run, 'metrics': [{'key': 'loss', 'value': 0.5, 'timestamp': 1, 'step': i} for i in range(100)],
                                         'params': [{'key': 'lr', 'value': '0.1'}], 'tags': [{'key': 'team', 'value': 'blue'}]})
    mlflow(g, 'POST', 'runs/log-inputs', {'run_id': run, 'datasets': [{'dataset': {'name': 'd', 'digest': run[:8], 'source_type': 'local', 'source': '{}'}}]})
    put(g, f'{experiment}/{run}/artifacts/{path}', size)
    return run


def put(g, place, size):
    answer = g.http('PUT', '/api/2.0/mlflow-artifacts/artifacts/' + place, os.urandom(size))
    assert answer.status == 200, answer.body


def experiment(g, name):
    return mlflow(g, 'POST', 'experiments/create', {'name': name})['experiment_id']


def status(g, path):
    return g.http('GET', '/api/2.0/mlflow/' + path).status


def purge(g, *arguments):
    return json.loads(g.cli('runs', 'purge', '--yes', *arguments, '-o', 'json').stdout)


def parts(g):
    return {(part['part'], part['noun']): part['bytes'] for part in g.cli_json('space')}


def space_comes_back(g):
    g.start()
    number = experiment(g, 'e')
    before = stored(g)
    kept, gone = a_run(g, number), a_run(g, number)
    mlflow(g, 'POST', 'runs/delete', {'run_id': gone})
    assert parts(g)['stored', 'deleted run'] >= MIB, parts(g)
    refused = g.cli('runs', 'purge', kept, '--yes', check=False)
    assert refused.returncode == 6 and 'GY3443' in refused.stderr, refused.stderr
    assert purge(g, '--older-than', '1h')['runs'] == [], 'not so old'
    planned = g.cli('runs', 'purge', '--dry-run')
    assert 'would: end 1 run, 0 experiments and 0 logged models (1.0 MB of files)' in planned.stdout, planned.stdout
    assert status(g, 'runs/get?run_id=' + gone) == 200, 'a plan ended something'
    ended = purge(g)
    assert ended['runs'] == [gone] and ended['bytes'] == MIB, ended
    assert status(g, 'runs/get?run_id=' + gone) == 404 and status(g, 'artifacts/list?run_id=' + gone) == 404
    assert g.http('POST', '/api/2.0/mlflow/runs/restore', {'run_id': gone}).status == 404
    collected = json.loads(g.cli('gc', '--grace-hours', '0', '-o', 'json').stdout)
    assert collected['bytes_removed'] >= MIB, collected
    assert MIB <= stored(g) - before < 1.1 * MIB, stored(g)
    assert ('stored', 'deleted run') not in parts(g) and ('unreferenced', '') not in parts(g), parts(g)
    assert mlflow(g, 'GET', f'artifacts/list?run_id={kept}&path=model')['files'][0]['path'] == 'model/weights.bin'
    assert g.cli('fsck').returncode == 0


def what_is_linked_survives(g):
    """A version that is made of a run's files keeps them; one of a run that it only names stays readable without it."""
    g.start()
    number = experiment(g, 'e')
    maker, named = a_run(g, number), a_run(g, number)
    mlflow(g, 'POST', 'registered-models/create', {'name': 'churn'})
    for source, run in ((f'runs:/{maker}/model', maker), ('s3://bucket/model', named)):
        mlflow(g, 'POST', 'model-versions/create', {'name': 'churn', 'source': source, 'run_id': run})
    mlflow(g, 'POST', 'experiments/delete', {'experiment_id': number})
    ended = purge(g)
    assert ended['runs'] == [named] and ended['experiments'] == [], ended
    assert ended['kept'] == [{'id': maker, 'needed_by': 'model churn:v1'}], ended
    version = mlflow(g, 'GET', 'model-versions/get?name=churn&version=2')['model_version']
    assert version['run_id'] == named and version['status'] == 'READY', version
    assert g.http('GET', f'/api/2.0/mlflow-artifacts/artifacts/{number}/{maker}/artifacts/model/weights.bin').status == 200
    mlflow(g, 'DELETE', 'model-versions/delete', {'name': 'churn', 'version': '1'})
    ended = purge(g, '--experiment', 'e')
    assert ended['runs'] == [maker] and ended['experiments'] == ['e'] and ended['kept'] == [], ended
    assert status(g, 'experiments/get?experiment_id=' + number) == 404
    assert experiment(g, 'e') != number, 'its name is free, its number is not given again'


def an_experiment_leaves_nothing(g):
    g.start()
    g.cli('gc', '--grace-hours', '0')
    before = stored(g)
    number = experiment(g, 'e')
    a_run(g, number)
    model = mlflow(g, 'POST', 'logged-models', {'experiment_id': number, 'name': 'm'})['model']['info']['model_id']
    put(g, f'{number}/models/{model}/artifacts/MLmodel', MIB)
    a_trace(g, number, 'tr-' + '1' * 32)
    put(g, f'{number}/loose.bin', MIB)
    mlflow(g, 'POST', 'experiments/delete', {'experiment_id': number})
    mlflow(g, 'POST', 'experiments/restore', {'experiment_id': number})
    assert purge(g)['experiments'] == [], 'it was restored'
    mlflow(g, 'POST', 'experiments/delete', {'experiment_id': number})
    assert stored(g) - before >= 4 * MIB
    ended = g.cli('runs', 'purge', '--yes').stdout
    assert 'ended 1 run, 1 experiment and 0 logged models' in ended, ended
    g.cli('gc', '--grace-hours', '0')
    assert stored(g) == before


def a_trace(g, number, trace):
    g.json('POST', '/api/3.0/mlflow/traces', {'trace': {'trace_info': {
        'trace_id': trace, 'trace_location': {'type': 'MLFLOW_EXPERIMENT', 'mlflow_experiment': {'experiment_id': number}},
        'request_time': '2026-11-21T08:00:00Z', 'execution_duration': '1s', 'state': 'OK'}}})
    put(g, f'{number}/traces/{trace}/artifacts/picture.png', MIB)


def a_trace_takes_its_files_along(g):
    g.start()
    number = experiment(g, 'e')
    a_trace(g, number, 'tr-' + '1' * 32)
    a_trace(g, number, 'tr-' + '2' * 32)
    before = stored(g)
    g.json('POST', '/api/3.0/mlflow/traces/delete-traces', {'experiment_id': number, 'request_ids': ['tr-' + '1' * 32]})
    g.cli('gc', '--grace-hours', '0')
    assert MIB <= before - stored(g) < 1.1 * MIB
    place = '/api/2.0/mlflow-artifacts/artifacts/%s/traces/tr-%s/artifacts/picture.png'
    assert g.http('GET', place % (number, '1' * 32)).status == 404 and g.http('GET', place % (number, '2' * 32)).status == 200


def after_its_time_it_goes_by_itself(g):
    g.start(environment={'GYRE_RETENTION_DELETED': '2'})
    number = experiment(g, 'e')
    run = a_run(g, number, size=10)
    mlflow(g, 'POST', 'runs/delete', {'run_id': run})
    mlflow(g, 'POST', 'runs/restore', {'run_id': run})
    mlflow(g, 'POST', 'runs/delete', {'run_id': run})
    rule = next(rule for rule in g.cli_json('retention') if rule['noun'] == 'deleted runs')
    assert rule['held'] == 1 and rule['setting'] == 'retention.deleted' and rule['kept_seconds'] == 2, rule
    time.sleep(2.1)
    collected = json.loads(g.cli('gc', '-o', 'json').stdout)
    assert collected['deleted_runs_removed'] == 1, collected
    assert status(g, 'runs/get?run_id=' + run) == 404


def one_thing_of_the_trash_now(g):
    """A run that nobody deleted by its mark: removed, then ended, by name."""
    g.start()
    number = experiment(g, 'e')
    one, two = a_run(g, number), a_run(g, number)
    g.cli('gc', '--grace-hours', '0')
    before = stored(g)
    g.cli('runs', 'rm', one, two, '--yes')
    assert 'ended 1 things' in g.cli('trash', 'empty', 'runs', one[:8], '--yes').stdout
    assert [item['name'] for item in g.cli_json('trash')] == [two[:8]]
    g.cli('gc', '--grace-hours', '0')
    assert MIB <= before - stored(g) < 1.1 * MIB
    g.cli('undelete', 'run', two[:8])
    found = mlflow(g, 'GET', f'artifacts/list?run_id={two}&path={urllib.parse.quote("model")}')
    assert found['files'][0]['file_size'] in (MIB, str(MIB)), found


if __name__ == '__main__':
    run_scenarios([space_comes_back, what_is_linked_survives, an_experiment_leaves_nothing, a_trace_takes_its_files_along, after_its_time_it_goes_by_itself,
                   one_thing_of_the_trash_now])
