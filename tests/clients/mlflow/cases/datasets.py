"""Datasets that runs used."""
from framework import case, row, table


def dataset(name='d', digest='1', **fields):
    return {'name': name, 'digest': digest, 'source_type': 'local', 'source': '{"uri": "/x"}', **fields}


def inputs(t, run):
    return t.get('runs/get', run_id=run)['run'].get('inputs', {}).get('dataset_inputs', [])


@case()
def log_and_read(t):
    run = t.run_id()
    body = {'dataset': dataset(schema='{"a": 1}', profile='{"rows": 5}'), 'tags': [{'key': 'mlflow.data.context', 'value': 'train'}]}
    t.same(t.post('runs/log-inputs', run_id=run, datasets=[body]), {})
    t.same(inputs(t, run), [{'dataset': body['dataset'], 'tags': body['tags']}])


@case()
def the_same_again(t):
    run = t.run_id()
    for _ in range(2):
        t.post('runs/log-inputs', run_id=run, datasets=[{'dataset': dataset()}])
    t.same(len(inputs(t, run)), 1)


@case()
def one_dataset_of_two_runs(t):
    exp = t.experiment()
    runs = [t.run_id(exp), t.run_id(exp)]
    for run in runs:
        t.post('runs/log-inputs', run_id=run, datasets=[{'dataset': dataset(), 'tags': [{'key': 'mlflow.data.context', 'value': run}]}])
    t.same([inputs(t, run)[0]['tags'][0]['value'] for run in runs], runs)
    found = t.client.search_runs([exp], f"dataset.name = 'd' AND dataset.context = '{runs[0]}'")
    t.same([r.info.run_id for r in found], runs[:1])


@table([({'name': 'n' * 500}, 200), ({'name': 'n' * 501}, 400), ({'digest': 'd' * 36}, 200), ({'digest': 'd' * 37}, 400), ({'source': 's' * 65535}, 200), ({'source': 's' * 65536}, 400),
        ({'schema': 's' * 1048575}, 200), ({'schema': 's' * 1048576}, 400), row({'name': ''}, 400, real_server='takes it'), row({'digest': ''}, 400, real_server='takes it'), ({'profile': 'p' * 16777216}, 400)])
def limits(t, change, status):
    reply = t.send('POST', 'runs/log-inputs', {'run_id': t.run_id(), 'datasets': [{'dataset': {**dataset(), **change}}]})
    assert reply.status == status, (reply.status, reply.text[:300])
    if status == 400:
        t.refused(reply, 400, 'INVALID_PARAMETER_VALUE')


@case()
def of_an_unknown_run(t):
    t.refused(t.send('POST', 'runs/log-inputs', {'run_id': '0' * 32, 'datasets': [{'dataset': dataset()}]}), 404, 'RESOURCE_DOES_NOT_EXIST')


@case()
def no_run_id(t):
    t.refused(t.send('POST', 'runs/log-inputs', {'datasets': [{'dataset': dataset()}]}), 400, 'INVALID_PARAMETER_VALUE', "Missing value for required parameter 'run_id'")


@case()
def what_an_experiment_used(t):
    exp = t.experiment()
    for name, context in (('a', 'train'), ('b', 'test'), ('a', 'train')):
        t.post('runs/log-inputs', run_id=t.run_id(exp), datasets=[{'dataset': dataset(name), 'tags': [{'key': 'mlflow.data.context', 'value': context}]}])
    got = t.answer(t.send('POST', '/ajax-api/2.0/mlflow/experiments/search-datasets', {'experiment_ids': [exp]}), 'search-datasets')['dataset_summaries']
    t.same(sorted((d['experiment_id'], d['name'], d['digest'], d['context']) for d in got), [(exp, 'a', '1', 'train'), (exp, 'b', '1', 'test')])


@table([({}, 'SearchDatasets request must specify at least one experiment_id.'),
        ({'experiment_ids': [str(i) for i in range(21)]}, 'SearchDatasets request cannot specify more than 20 experiment_ids. Received 21 experiment_ids.')])
def refused_questions(t, body, text):
    t.refused(t.send('POST', '/ajax-api/2.0/mlflow/experiments/search-datasets', body), 400, 'INVALID_PARAMETER_VALUE', text)


@case()
def from_pandas(t):
    import mlflow
    import mlflow.data
    import pandas as pd
    mlflow.set_experiment(t.name())
    table = mlflow.data.from_pandas(pd.DataFrame({'a': [1, 2, 3], 'ü': ['x', 'y', None]}), source='/data/x.csv', name='Tabelle', targets='a')
    with mlflow.start_run() as run:
        mlflow.log_input(table, context='training', tags={'k': 'v'})
    got = mlflow.get_run(run.info.run_id).inputs.dataset_inputs[0]
    t.same((got.dataset.name, got.dataset.digest), ('Tabelle', table.digest))
    t.same({x.key: x.value for x in got.tags}, {'mlflow.data.context': 'training', 'k': 'v'})
    assert 'num_rows' in got.dataset.profile and 'mlflow_colspec' in got.dataset.schema, got.dataset
    t.same(mlflow.data.get_source(got).to_dict()['uri'], '/data/x.csv')


@case()
def from_numpy(t):
    import mlflow
    import mlflow.data
    import numpy as np
    mlflow.set_experiment(t.name())
    with mlflow.start_run() as run:
        mlflow.log_input(mlflow.data.from_numpy(np.arange(12).reshape(4, 3), targets=np.arange(4), name='np'), context='eval')
    t.same(mlflow.get_run(run.info.run_id).inputs.dataset_inputs[0].dataset.name, 'np')


@case(since='3.0')
def several_at_once(t):
    import mlflow
    import mlflow.data
    import numpy as np
    mlflow.set_experiment(t.name())
    sets = [mlflow.data.from_numpy(np.arange(n), name=f'n{n}') for n in (2, 3)]
    with mlflow.start_run() as run:
        mlflow.log_inputs(datasets=sets, contexts=['a', 'b'], tags_list=[None, {'x': 'y'}])
    got = mlflow.get_run(run.info.run_id).inputs.dataset_inputs
    t.same(sorted((d.dataset.name, {x.key: x.value for x in d.tags}['mlflow.data.context']) for d in got), [('n2', 'a'), ('n3', 'b')])
