"""Logged models, which clients from 3.0 on make beside the run."""
import re

from framework import case, once, row, table

UNKNOWN = 'm-' + '0' * 32


def data(fields):
    return [{'key': k, 'value': v} for k, v in fields.items()]


def make(t, exp=None, **body):
    if isinstance(body.get('params'), dict):
        body['params'] = data(body['params'])
    if isinstance(body.get('tags'), dict):
        body['tags'] = data(body['tags'])
    return t.post('logged-models', experiment_id=exp or t.experiment(), **body)['model']


@case()
def create_on_the_wire(t):
    exp, run = t.experiment(), t.run_id()
    got = make(t, exp, name='net', model_type='agent', source_run_id=run, params={'lr': '0.1'}, tags={'k': 'v'})
    info = got['info']
    assert re.fullmatch('m-[0-9a-f]{32}', info['model_id']), info
    t.same((info['experiment_id'], info['name'], info['model_type'], info['source_run_id'], info['status']), (exp, 'net', 'agent', run, 'LOGGED_MODEL_PENDING'))
    t.same(info['artifact_uri'], f'mlflow-artifacts:/{exp}/models/{info["model_id"]}/artifacts')
    t.same((info['tags'], got['data']['params']), (data({'k': 'v'}), data({'lr': '0.1'})))
    assert isinstance(info['creation_timestamp_ms'], int) and isinstance(info['last_updated_timestamp_ms'], int), info
    t.same(t.get(f'logged-models/{info["model_id"]}')['model'], got)


@case(since='3.0')
def create_by_the_client(t):
    exp = t.experiment()
    made = t.client.create_logged_model(exp, name='Netz 🧠', source_run_id=t.run_id(exp), tags={'ü': 'ö'}, params={'a': '1'}, model_type='x')
    got = t.client.get_logged_model(made.model_id)
    t.same((got.name, got.tags, got.params, got.model_type, str(got.status)), ('Netz 🧠', {'ü': 'ö'}, {'a': '1'}, 'x', 'PENDING'))
    t.same(got.model_uri, f'models:/{made.model_id}')


@case()
def a_name_is_made(t):
    name = make(t)['info']['name']
    assert re.fullmatch(r'[a-z]+-[a-z]+-\d+', name), name


@table([('LOGGED_MODEL_READY', 'READY'), ('LOGGED_MODEL_UPLOAD_FAILED', 'FAILED')])
def finalize(t, status, _):
    id = make(t)['info']['model_id']
    answer = t.answer(t.send('PATCH', f'logged-models/{id}', {'model_id': id, 'status': status}), 'finalize')
    t.same(answer['model']['info']['status'], status)
    t.same(t.get(f'logged-models/{id}')['model']['info']['status'], status)


@case(since='3.0')
def finalize_by_the_client(t):
    made = t.client.create_logged_model(t.experiment())
    t.same(str(t.client.finalize_logged_model(made.model_id, 'READY').status), 'READY')
    t.same(str(t.client.get_logged_model(made.model_id).status), 'READY')


@case()
def get_unknown(t):
    t.refused(t.send('GET', f'logged-models/{UNKNOWN}'), 404, 'RESOURCE_DOES_NOT_EXIST', f"Logged model with ID '{UNKNOWN}' not found.")


@table([('PATCH', '', {'model_id': UNKNOWN, 'status': 'LOGGED_MODEL_READY'}), ('DELETE', '', {}), ('PATCH', '/tags', {'tags': []}), ('POST', '/params', {'model_id': UNKNOWN, 'params': []}),
        ('DELETE', '/tags/k', {})])
def calls_of_an_unknown_one(t, method, path, body):
    t.refused(t.send(method, f'logged-models/{UNKNOWN}{path}', body), 404, 'RESOURCE_DOES_NOT_EXIST')


@case()
def in_an_unknown_experiment(t):
    t.refused(t.send('POST', 'logged-models', {'experiment_id': '987654321'}), 404, 'RESOURCE_DOES_NOT_EXIST', 'No Experiment with id=987654321 exists')


@case()
def without_an_experiment(t):
    t.refused(t.send('POST', 'logged-models', {}), 400, 'INVALID_PARAMETER_VALUE', "Missing value for required parameter 'experiment_id'")


@table(['a/b', 'a:b', 'a.b', 'a%b', 'a"b', "a'b"])
def bad_names(t, name):
    t.refused(t.send('POST', 'logged-models', {'experiment_id': t.experiment(), 'name': name}), 400, 'INVALID_PARAMETER_VALUE', 'Invalid model name')


@case(since='3.0')
def delete(t):
    exp = t.experiment()
    made = t.client.create_logged_model(exp)
    t.client.delete_logged_model(made.model_id)
    t.same(t.send('GET', f'logged-models/{made.model_id}').status, 404)
    t.same(len(t.client.search_logged_models([exp])), 0)


@case(since='3.0')
def tags(t):
    id = t.client.create_logged_model(t.experiment(), tags={'a': '1'}).model_id
    t.client.set_logged_model_tags(id, {'a': '2', 'b': 'ü'})
    t.same(t.client.get_logged_model(id).tags, {'a': '2', 'b': 'ü'})
    t.client.delete_logged_model_tag(id, 'a')
    t.same(t.client.get_logged_model(id).tags, {'b': 'ü'})
    t.fails('RESOURCE_DOES_NOT_EXIST', None, t.client.delete_logged_model_tag, id, 'a')


@case(since='3.0')
def params(t):
    id = t.client.create_logged_model(t.experiment(), params={'a': '1'}).model_id
    t.client.log_model_params(id, {f'p{i}': str(i) for i in range(100)})
    t.same(len(t.client.get_logged_model(id).params), 101)


@case(since='3.0')
def more_than_100_params_at_creation(t):
    import mlflow
    mlflow.set_experiment(t.name())
    model = mlflow.create_external_model(name='many', params={f'p{i}': i for i in range(250)})
    t.same(len(t.client.get_logged_model(model.model_id).params), 250)


@case(since='3.0')
def metrics_of_a_model(t):
    exp = t.experiment()
    run, id = t.run_id(exp), t.client.create_logged_model(exp).model_id
    t.client.log_metric(run, 'acc', 0.5, step=1, timestamp=10, model_id=id)
    t.client.log_metric(run, 'acc', 0.75, step=2, timestamp=20, model_id=id)
    t.same(sorted((m.key, m.value, m.step, m.model_id, m.run_id) for m in t.client.get_logged_model(id).metrics), [('acc', 0.5, 1, id, run), ('acc', 0.75, 2, id, run)])


@case()
def metrics_on_the_wire(t):
    exp = t.experiment()
    run, id = t.run_id(exp), make(t, exp)['info']['model_id']
    t.post('runs/log-batch', run_id=run, metrics=[{'key': 'acc', 'value': 0.5, 'timestamp': 3, 'step': 0, 'model_id': id, 'dataset_name': 'd', 'dataset_digest': '9'}])
    got = t.get(f'logged-models/{id}')['model']['data']['metrics']
    t.same(got, [{'key': 'acc', 'value': 0.5, 'timestamp': 3, 'step': 0, 'dataset_name': 'd', 'dataset_digest': '9', 'model_id': id, 'run_id': run}])
    t.same(t.client.get_run(run).data.metrics, {'acc': 0.5})


@case()
def outputs_and_inputs_of_a_run(t):
    exp = t.experiment()
    run, out, used = t.run_id(exp), make(t, exp)['info']['model_id'], make(t, exp)['info']['model_id']
    t.same(t.post('runs/outputs', run_id=run, models=[{'model_id': out, 'step': 3}]), {})
    t.post('runs/log-inputs', run_id=run, models=[{'model_id': used}])
    got = t.get('runs/get', run_id=run)['run']
    t.same((got['outputs']['model_outputs'], got['inputs']['model_inputs']), ([{'model_id': out, 'step': 3}], [{'model_id': used}]))


@case(since='3.0')
def outputs_by_the_client(t):
    from mlflow.entities import LoggedModelOutput
    exp = t.experiment()
    run, id = t.run_id(exp), t.client.create_logged_model(exp).model_id
    t.client.log_outputs(run, [LoggedModelOutput(model_id=id, step=2)])
    t.same([(m.model_id, m.step) for m in t.client.get_run(run).outputs.model_outputs], [(id, 2)])


@case(since='3.0')
def external_model(t):
    import mlflow
    mlflow.set_experiment(t.name())
    model = mlflow.create_external_model(name='outside', params={'a': '1'}, tags={'b': '2'}, model_type='api')
    got = mlflow.get_logged_model(model.model_id)
    t.same((got.name, str(got.status), got.params, got.tags['b']), ('outside', 'READY', {'a': '1'}, '2'))


@case(since='3.0')
def active_model(t):
    import mlflow
    mlflow.set_experiment(t.name())
    model = mlflow.set_active_model(name='app')
    t.same((mlflow.get_active_model_id(), mlflow.set_active_model(name='app').model_id), (model.model_id, model.model_id))


@case(since='3.0')
def artifacts_of_a_model(t):
    exp = t.experiment()
    id = t.client.create_logged_model(exp).model_id
    for folder, name in (('', 'MLmodel'), ('deep/er', 'ü.bin')):
        path = f'{t.tmp}/{name}'
        open(path, 'w').write('x: 1')
        t.client.log_model_artifact(id, path) if not folder else t.client.log_model_artifacts(id, t.tmp)
    listed = t.get(f'logged-models/{id}/artifacts/directories')
    t.same(sorted(f['path'] for f in listed['files']), ['MLmodel', 'ü.bin'])
    t.same(listed['root_uri'], f'mlflow-artifacts:/{exp}/models/{id}/artifacts')
    got = t.send('GET', f'/ajax-api/2.0/mlflow/logged-models/{id}/artifacts/files', artifact_file_path='MLmodel')
    t.same((got.status, got.text), (200, 'x: 1'))


# --- search -----------------------------------------------------------------------------------------
@once
def corpus(t):
    exp, ids = t.experiment(), {}
    run = t.run_id(exp)
    for letter, body, acc in (('a', {'params': {'lr': '0.1'}, 'tags': {'k': 'x'}, 'model_type': 'tree'}, 0.5), ('b', {'params': {'lr': '0.2'}, 'tags': {'k': 'Y'}, 'source_run_id': run}, 0.9),
                              ('c', {'tags': {'my key': "o'hara"}, 'model_type': 'net'}, None), ('d', {'params': {'lr': '0.1'}}, 0.7)):
        id = ids[letter] = make(t, exp, name=letter, **body)['info']['model_id']
        if acc:
            t.post('runs/log-batch', run_id=run, metrics=[{'key': 'acc', 'value': acc, 'timestamp': 1, 'step': 0, 'model_id': id, 'dataset_name': 'train' if letter != 'd' else 'test',
                                                            'dataset_digest': '1'}])
        if letter in 'ab':
            t.send('PATCH', f'logged-models/{id}', {'model_id': id, 'status': 'LOGGED_MODEL_READY'})
    return exp, ids, run


def found(t, **body):
    exp, ids, run = corpus(t)
    letters = {id: letter for letter, id in ids.items()}
    if 'filter' in body:
        body['filter'] = body['filter'].replace('{run}', run).replace('{a}', ids['a'])
    answer = t.post('logged-models/search', experiment_ids=[exp], **body)
    return ''.join(letters[m['info']['model_id']] for m in answer.get('models', []))


@table([('', 'abcd'), ("name = 'a'", 'a'), ("name != 'a'", 'bcd'), ("name LIKE 'A'", ''), ("name ILIKE 'A'", 'a'), ("name IN ('a', 'b')", 'ab'), ("model_id = '{a}'", 'a'),
        ("attributes.name = 'b'", 'b'), ("model_type = 'tree'", 'a'), ("model_type != 'tree'", None), ("source_run_id = '{run}'", 'b'), ("status = 'READY'", 'ab'), ("status != 'READY'", 'cd'),
        ('creation_timestamp > 5', 'abcd'), ('creation_time < 5', ''), ('last_updated_timestamp >= 1', 'abcd'), ('metrics.acc > 0.6', 'bd'), ('metrics.acc = 0.5', 'a'),
        ('metrics.acc != 0.5', 'bd'), ("params.lr = '0.1'", 'ad'), ("params.lr != '0.1'", 'b'), ("params.lr LIKE '0%'", 'abd'), ("tags.k = 'x'", 'a'), ("tags.k ILIKE 'y'", 'b'),
        row("tags.`my key` = \"o'hara\"", 'c', real_server='keeps double quotes as part of the value'), ("tags.`my key` LIKE 'o%'", 'c'), ("name = 'a' AND", 'a'), ("params.lr = '0.1' AND metrics.acc > 0.6", 'd'), ("tags.nothing = 'x'", ''),
        ('tags.k = 5', ''), row("name = 'a' OR name = 'b'", 'ab', real_server='has AND only'), row("(name = 'a')", 'a', real_server='has no parentheses')])
def filters(t, text, letters):
    got = ''.join(sorted(found(t, filter=text)))
    assert letters is None or got == letters, got


@table([("nothing = 'x'",), row("metrics.acc = 'x'", real_server='answers 500'), ("params.lr > '0.1'",), ("metric.acc > 1",), ("attr.name = 'a'",), ('model_type IS NULL',), ('name',), ("foo.bar = 'x'",)])
def refused_filters(t, text):
    t.refused(t.send('POST', 'logged-models/search', {'experiment_ids': [corpus(t)[0]], 'filter': text}), 400, 'INVALID_PARAMETER_VALUE')


@table([([{'field_name': 'name'}], 'abcd'), ([{'field_name': 'name', 'ascending': False}], 'dcba'), ([{'field_name': 'metrics.acc', 'ascending': False}], 'bdac'),
        ([{'field_name': 'metrics.acc'}], 'adbc'), ([{'field_name': 'metrics.acc', 'dataset_name': 'train'}], None), ([], None),
        ([{'field_name': 'creation_timestamp'}], None)])
def orders(t, order_by, letters):
    got = found(t, order_by=order_by)
    t.same(got if letters else ''.join(sorted(got)), letters or 'abcd')


@table([row([{'dataset_name': 'train'}], '', 'ab', real_server='finds nothing without a digest'), ([{'dataset_name': 'train', 'dataset_digest': '1'}], '', 'ab'), ([{'dataset_name': 'test', 'dataset_digest': '1'}], '', 'd'), ([{'dataset_name': 'train', 'dataset_digest': '2'}], '', ''),
        ([{'dataset_name': 'train', 'dataset_digest': '1'}], 'metrics.acc > 0.6', 'b')])
def only_metrics_of_a_dataset(t, datasets, text, letters):
    t.same(''.join(sorted(found(t, datasets=datasets, filter=text))), letters)


@case()
def pages(t):
    exp, seen, token = corpus(t)[0], 0, None
    while True:
        page = t.post('logged-models/search', experiment_ids=[exp], max_results=3, **({'page_token': token} if token else {}))
        seen += len(page.get('models', []))
        token = page.get('next_page_token')
        if not token:
            break
    t.same(seen, 4)


@case()
def a_token_belongs_to_its_search(t):
    exp = corpus(t)[0]
    token = t.post('logged-models/search', experiment_ids=[exp], max_results=2)['next_page_token']
    t.refused(t.send('POST', 'logged-models/search', {'experiment_ids': [exp], 'max_results': 2, 'filter': "name = 'a'", 'page_token': token}), 400, 'INVALID_PARAMETER_VALUE')


@case()
def search_without_experiments(t):
    t.refused(t.send('POST', 'logged-models/search', {}), 400, 'INVALID_PARAMETER_VALUE', "Missing value for required parameter 'experiment_ids'")


@case(since='3.0')
def search_as_a_table(t):
    import mlflow
    exp = corpus(t)[0]
    frame = mlflow.search_logged_models([exp], filter_string="name = 'a'")
    t.same((list(frame['name']), len(frame)), (['a'], 1))
    t.same([m.name for m in mlflow.search_logged_models([exp], order_by=[{'field_name': 'name'}], output_format='list')], list('abcd'))
