"""The calls of the differential: (name, method, path, body or query, what to keep). Braces name what an earlier answer gave; `{mark}` is new each time."""

X = 'x' * 251
NOBODY = '0' * 32
DATASET = {'name': 'd', 'digest': '1', 'source_type': 'local', 'source': '{}', 'schema': '{"a": 1}', 'profile': '{"rows": 2}'}
ERRORS_OF_CREATE = [{}, {'name': ''}, {'name': None}, {'name': 5}, {'name': ['a']}, {'name': 1.5}, {'name': True}, {'name': {'a': 1}}, {'name': 'x' * 501}]


def numbered(name, method, path, bodies):
    return [(f'{name} {i}', method, path, body, {}) for i, body in enumerate(bodies)]


EXPERIMENTS = [
    ('create', 'POST', 'experiments/create', {'name': 'diff {mark}', 'tags': [{'key': 'k', 'value': 'v'}, {'key': 'ü', 'value': 'ö 🧪'}]}, {'exp': 'experiment_id'}),
    ('get', 'GET', 'experiments/get', {'experiment_id': '{exp}'}, {}),
    ('get by name', 'GET', 'experiments/get-by-name', {'experiment_name': 'diff {mark}'}, {}),
    ('get by unknown name', 'GET', 'experiments/get-by-name', {'experiment_name': 'no {mark}'}, {}),
    ('get unknown', 'GET', 'experiments/get', {'experiment_id': '987654321'}, {}),
    ('get nothing', 'GET', 'experiments/get', {}, {}),
    ('taken', 'POST', 'experiments/create', {'name': 'diff {mark}'}, {}),
    *numbered('create wrongly', 'POST', 'experiments/create', ERRORS_OF_CREATE),
    ('with a location', 'POST', 'experiments/create', {'name': 'loc {mark}', 'artifact_location': 's3://b/{mark}'}, {'located': 'experiment_id'}),
    ('get located', 'GET', 'experiments/get', {'experiment_id': '{located}'}, {}),
    *numbered('bad location', 'POST', 'experiments/create', [{'name': 'l {mark}', 'artifact_location': a} for a in ('s3://b/a#f', 'http:///?/../../etc', 's3://b/' + 'a' * 2049)]),
    ('tag', 'POST', 'experiments/set-experiment-tag', {'experiment_id': '{exp}', 'key': 'a', 'value': 'b'}, {}),
    ('long tag', 'POST', 'experiments/set-experiment-tag', {'experiment_id': '{exp}', 'key': X, 'value': 'b'}, {}),
    ('untag', 'POST', 'experiments/delete-experiment-tag', {'experiment_id': '{exp}', 'key': 'a'}, {}),
    ('untag again', 'POST', 'experiments/delete-experiment-tag', {'experiment_id': '{exp}', 'key': 'a'}, {}),
    ('rename', 'POST', 'experiments/update', {'experiment_id': '{located}', 'new_name': 'renamed {mark}'}, {}),
    ('delete', 'POST', 'experiments/delete', {'experiment_id': '{located}'}, {}),
    ('delete again', 'POST', 'experiments/delete', {'experiment_id': '{located}'}, {}),
    ('run in a deleted one', 'POST', 'runs/create', {'experiment_id': '{located}'}, {}),
    ('get deleted', 'GET', 'experiments/get', {'experiment_id': '{located}'}, {}),
    ('restore', 'POST', 'experiments/restore', {'experiment_id': '{located}'}, {}),
    ('restore again', 'POST', 'experiments/restore', {'experiment_id': '{located}'}, {}),
    *numbered('search wrongly', 'POST', 'experiments/search', [{}, {'max_results': 0}, {'max_results': -1}, {'max_results': 50001}, {'max_results': 'x'}, {'max_results': 5, 'page_token': 'x'},
                                                             {'max_results': 5, 'filter': "strange = 'x'"}, {'max_results': 5, 'order_by': ['strange']}, {'max_results': 5, 'filter': 'name = 5'}]),
    ('search', 'POST', 'experiments/search', {'max_results': 5, 'filter': "name LIKE '% {mark}'", 'order_by': ['name']}, {}),
    ('search by get', 'GET', 'experiments/search', {'max_results': 5, 'filter': "name LIKE '% {mark}'", 'order_by': ['name DESC']}, {}),
]
METRIC = {'run_id': '{run}', 'key': 'm', 'value': 1.5, 'timestamp': 10, 'step': 3}
WRONG_METRICS = [{k: v for k, v in METRIC.items() if k != gone} for gone in METRIC] + [
    {**METRIC, **c} for c in ({'value': 'abc'}, {'value': None}, {'value': True}, {'timestamp': -1}, {'timestamp': 'x'}, {'step': 'x'}, {'step': 1.5}, {'key': 5}, {'key': ''}, {'key': X}, {'key': '..'}, {'key': 'a//b'},
                              {'key': 'a,b'}, {'key': '/a'}, {'value': 'NaN'}, {'value': 'Infinity'}, {'run_id': NOBODY})]
RUNS = [
    ('create run', 'POST', 'runs/create', {'experiment_id': '{exp}', 'run_name': 'one', 'start_time': 1000, 'user_id': 'otto', 'tags': [{'key': 't', 'value': 'u'}]},
     {'run': 'run.info.run_id'}),
    ('create without a name', 'POST', 'runs/create', {'experiment_id': '{exp}', 'start_time': 900}, {'second': 'run.info.run_id', 'second name': 'run.info.run_name'}),
    ('create without a start', 'POST', 'runs/create', {'experiment_id': '0', 'run_name': 'x'}, {'third': 'run.info.run_id'}),
    ('get run', 'GET', 'runs/get', {'run_id': '{run}'}, {}), ('get by run_uuid', 'GET', 'runs/get', {'run_uuid': '{run}'}, {}),
    ('get unknown run', 'GET', 'runs/get', {'run_id': NOBODY}, {}), ('get no run', 'GET', 'runs/get', {}, {}),
    *numbered('create run wrongly', 'POST', 'runs/create', [{'experiment_id': 0}, {'experiment_id': '987654321'}, {'experiment_id': '{exp}', 'start_time': 'x'},
                                                         {'experiment_id': '{exp}', 'run_name': 'a', 'tags': [{'key': 'mlflow.runName', 'value': 'b'}]}]),
    ('metric', 'POST', 'runs/log-metric', METRIC, {}),
    *numbered('metric wrongly', 'POST', 'runs/log-metric', WRONG_METRICS),
    ('param', 'POST', 'runs/log-parameter', {'run_id': '{run}', 'key': 'p', 'value': 'v'}, {}),
    *numbered('param wrongly', 'POST', 'runs/log-parameter', [{'run_id': '{run}', **c} for c in ({'key': 'p', 'value': 'w'}, {'key': X, 'value': 'v'}, {'key': 'a,b', 'value': 'v'}, {'key': '..', 'value': 'v'},
                                                            {'value': 'v'}, {'key': 'q'}, {'key': 'r', 'value': 5}, {'key': 's', 'value': 'v' * 6001})]),
    ('set tag', 'POST', 'runs/set-tag', {'run_id': '{run}', 'key': 'k', 'value': 'v'}, {}),
    *numbered('tag wrongly', 'POST', 'runs/set-tag', [{'run_id': '{run}', **c} for c in ({'key': X, 'value': 'v'}, {'value': 'v'}, {'key': 'k2'}, {'key': 'k3', 'value': 'v' * 8001}, {'key': 5, 'value': 'v'})]),
    ('delete tag', 'POST', 'runs/delete-tag', {'run_id': '{run}', 'key': 'k'}, {}), ('delete tag again', 'POST', 'runs/delete-tag', {'run_id': '{run}', 'key': 'k'}, {}),
    ('batch', 'POST', 'runs/log-batch', {'run_id': '{run}', 'metrics': [{'key': 'b', 'value': i, 'timestamp': i, 'step': i} for i in range(7)], 'params': [{'key': 'bp', 'value': 'x'}],
                                         'tags': [{'key': 'bt', 'value': 'y'}]}, {}),
    *numbered('batch wrongly', 'POST', 'runs/log-batch', [{'run_id': '{run}', **c} for c in (
        {'params': [{'key': 'bp', 'value': 'other'}]}, {'params': [{'key': 'n', 'value': '1'}, {'key': 'n', 'value': '1'}]}, {'metrics': [{'key': 'a', 'timestamp': 1}]}, {'metrics': 'x'}, {'params': [{'value': 'x'}]},
        {'tags': [{'key': X, 'value': 'v'}]}, {'params': [{'key': f'k{i}', 'value': '1'} for i in range(101)]}, {'tags': [{'key': f'k{i}', 'value': '1'} for i in range(101)]},
        {'metrics': [{'key': f'k{i}', 'value': 1, 'timestamp': 1, 'step': 0} for i in range(1001)]})]),
    ('history', 'GET', 'metrics/get-history', {'run_id': '{run}', 'metric_key': 'b'}, {}), ('history page', 'GET', 'metrics/get-history', {'run_id': '{run}', 'metric_key': 'b', 'max_results': 3}, {}),
    ('history of nothing', 'GET', 'metrics/get-history', {'run_id': '{run}', 'metric_key': 'nothing'}, {}), ('history of nobody', 'GET', 'metrics/get-history', {'run_id': NOBODY, 'metric_key': 'm'}, {}),
    ('interval', 'GET', 'metrics/get-history-bulk-interval', {'run_ids': ['{run}'], 'metric_key': 'b', 'max_results': 3}, {}),
    ('interval in a range', 'GET', 'metrics/get-history-bulk-interval', {'run_ids': ['{run}'], 'metric_key': 'b', 'max_results': 2, 'start_step': 1, 'end_step': 5}, {}),
    *numbered('interval wrongly', 'GET', 'metrics/get-history-bulk-interval', [{'run_ids': ['{run}']}, {'metric_key': 'b'}, {'run_ids': ['{run}'], 'metric_key': 'b', 'max_results': 0},
                                                                            {'run_ids': ['{run}'], 'metric_key': 'b', 'start_step': 3}, {'run_ids': ['{run}'] * 101, 'metric_key': 'b'}]),
    ('inputs', 'POST', 'runs/log-inputs', {'run_id': '{run}', 'datasets': [{'dataset': DATASET, 'tags': [{'key': 'mlflow.data.context', 'value': 'train'}]}]}, {}),
    *numbered('inputs wrongly', 'POST', 'runs/log-inputs', [{}, {'run_id': NOBODY, 'datasets': []}, {'run_id': '{run}', 'datasets': [{'dataset': {**DATASET, 'name': 'n' * 501}}]}, {'run_id': '{run}', 'datasets': 'x'}]),
    ('datasets', 'POST', '/ajax-api/2.0/mlflow/experiments/search-datasets', {'experiment_ids': ['{exp}']}, {}),
    ('update', 'POST', 'runs/update', {'run_id': '{run}', 'status': 'FINISHED', 'end_time': 2000}, {}), ('rename run', 'POST', 'runs/update', {'run_id': '{run}', 'run_name': 'two'}, {}),
    ('get finished', 'GET', 'runs/get', {'run_id': '{run}'}, {}),
    ('delete run', 'POST', 'runs/delete', {'run_id': '{second}'}, {}), ('update deleted', 'POST', 'runs/update', {'run_id': '{second}', 'status': 'FAILED'}, {}),
    ('search all', 'POST', 'runs/search', {'experiment_ids': ['{exp}'], 'run_view_type': 'ALL', 'order_by': ['start_time DESC']}, {}),
    ('search page', 'POST', 'runs/search', {'experiment_ids': ['{exp}'], 'max_results': 1}, {}), ('restore run', 'POST', 'runs/restore', {'run_id': '{second}'}, {}),
    ('artifacts of a run', 'GET', 'artifacts/list', {'run_id': '{run}'}, {}), ('artifacts outside', 'GET', 'artifacts/list', {'run_id': '{run}', 'path': '../x'}, {}),
    ('log model', 'POST', 'runs/log-model', {'run_id': '{run}', 'model_json': '{{"artifact_path": "m", "flavors": {{}}, "utc_time_created": "x", "run_id": "{run}"}}'}, {}),
]
MODELS = [
    ('create model', 'POST', 'registered-models/create', {'name': 'm{mark}', 'description': 'd', 'tags': [{'key': 'a', 'value': 'b'}]}, {}),
    ('model taken', 'POST', 'registered-models/create', {'name': 'm{mark}'}, {}),
    *numbered('create model wrongly', 'POST', 'registered-models/create', [{}, {'name': ''}, {'name': 5}, {'name': 'a/b'}, {'name': 'a:b'}]),
    ('get model', 'GET', 'registered-models/get', {'name': 'm{mark}'}, {}), ('get unknown model', 'GET', 'registered-models/get', {'name': 'no{mark}'}, {}),
    ('version', 'POST', 'model-versions/create', {'name': 'm{mark}', 'source': 's3://b/a', 'run_id': '{run}', 'description': 'vd', 'tags': [{'key': 'c', 'value': 'd'}]}, {}),
    ('second version', 'POST', 'model-versions/create', {'name': 'm{mark}', 'source': 's3://b/b'}, {}),
    *numbered('version wrongly', 'POST', 'model-versions/create', [{'name': 'no{mark}', 'source': 's3://b/a'}, {'name': 'm{mark}'}, {'source': 's3://b/a'}] + [
        {'name': 'm{mark}', 'source': s} for s in ('file:///etc', '/etc', 'http://h/x', 's3://b/..', 'mlflow-artifacts:/1/x', 'models:/m-' + NOBODY, '..%2f', 'relative')]),
    ('get version', 'GET', 'model-versions/get', {'name': 'm{mark}', 'version': '1'}, {}), ('get unknown version', 'GET', 'model-versions/get', {'name': 'm{mark}', 'version': '9'}, {}),
    ('download uri', 'GET', 'model-versions/get-download-uri', {'name': 'm{mark}', 'version': '1'}, {}), ('odd version', 'GET', 'model-versions/get', {'name': 'm{mark}', 'version': 'x'}, {}),
    ('update version', 'PATCH', 'model-versions/update', {'name': 'm{mark}', 'version': '1', 'description': 'new'}, {}),
    ('stage', 'POST', 'model-versions/transition-stage', {'name': 'm{mark}', 'version': '1', 'stage': 'production'}, {}),
    ('odd stage', 'POST', 'model-versions/transition-stage', {'name': 'm{mark}', 'version': '1', 'stage': 'nowhere'}, {}),
    ('latest', 'POST', 'registered-models/get-latest-versions', {'name': 'm{mark}'}, {}), ('latest of a stage', 'GET', 'registered-models/get-latest-versions', {'name': 'm{mark}', 'stages': ['Production']}, {}),
    ('alias', 'POST', 'registered-models/alias', {'name': 'm{mark}', 'alias': 'best', 'version': '2'}, {}), ('by alias', 'GET', 'registered-models/alias', {'name': 'm{mark}', 'alias': 'best'}, {}),
    ('by no alias', 'GET', 'registered-models/alias', {'name': 'm{mark}', 'alias': 'none'}, {}),
    *numbered('alias wrongly', 'POST', 'registered-models/alias', [{'name': 'm{mark}', 'alias': a, 'version': '1'} for a in ('latest', 'v1', 'a b', 'a' * 256, '')] + [{'name': 'm{mark}', 'alias': 'x', 'version': '9'}]),
    ('model tag', 'POST', 'registered-models/set-tag', {'name': 'm{mark}', 'key': 'x', 'value': 'y'}, {}), ('version tag', 'POST', 'model-versions/set-tag', {'name': 'm{mark}', 'version': '1', 'key': 'x', 'value': 'y'}, {}),
    ('no model tag', 'DELETE', 'registered-models/delete-tag', {'name': 'm{mark}', 'key': 'never'}, {}), ('long model tag', 'POST', 'registered-models/set-tag', {'name': 'm{mark}', 'key': X, 'value': 'y'}, {}),
    ('get full model', 'GET', 'registered-models/get', {'name': 'm{mark}'}, {}),
    ('search models', 'GET', 'registered-models/search', {'filter': "name = 'm{mark}'"}, {}), ('search versions', 'GET', 'model-versions/search', {'filter': "name = 'm{mark}'", 'order_by': ['version_number DESC']}, {}),
    *numbered('search models wrongly', 'GET', 'registered-models/search', [{'filter': "strange = 'x'"}, {'order_by': ['strange']}, {'max_results': 1001}, {'page_token': 'x'}, {'filter': "name > 'x'"}]),
    *numbered('search versions wrongly', 'GET', 'model-versions/search', [{'filter': "strange = 'x'"}, {'order_by': ['strange']}, {'max_results': 200001}, {'filter': "version_number = 'x'"}]),
    ('unalias', 'DELETE', 'registered-models/alias', {'name': 'm{mark}', 'alias': 'best'}, {}), ('delete version', 'DELETE', 'model-versions/delete', {'name': 'm{mark}', 'version': '2'}, {}),
    ('delete version again', 'DELETE', 'model-versions/delete', {'name': 'm{mark}', 'version': '2'}, {}), ('rename model', 'POST', 'registered-models/rename', {'name': 'm{mark}', 'new_name': 'n{mark}'}, {}),
    ('delete model', 'DELETE', 'registered-models/delete', {'name': 'n{mark}'}, {}), ('delete model again', 'DELETE', 'registered-models/delete', {'name': 'n{mark}'}, {}),
]
LOGGED = [
    ('create logged model', 'POST', 'logged-models', {'experiment_id': '{exp}', 'name': 'lm', 'model_type': 't', 'source_run_id': '{run}', 'params': [{'key': 'a', 'value': '1'}], 'tags': [{'key': 'b', 'value': '2'}]},
     {'model': 'model.info.model_id'}),
    ('model metric', 'POST', 'runs/log-metric', {**METRIC, 'model_id': '{model}', 'dataset_name': 'd', 'dataset_digest': '1'}, {}),
    ('finalize', 'PATCH', 'logged-models/{model}', {'model_id': '{model}', 'status': 'LOGGED_MODEL_READY'}, {}), ('get logged model', 'GET', 'logged-models/{model}', {}, {}),
    ('get no logged model', 'GET', 'logged-models/m-' + NOBODY, {}, {}), ('logged tags', 'PATCH', 'logged-models/{model}/tags', {'tags': [{'key': 'x', 'value': 'y'}]}, {}),
    ('logged params', 'POST', 'logged-models/{model}/params', {'model_id': '{model}', 'params': [{'key': 'z', 'value': '9'}]}, {}), ('outputs', 'POST', 'runs/outputs', {'run_id': '{run}', 'models': [{'model_id': '{model}', 'step': 1}]}, {}),
    *numbered('logged wrongly', 'POST', 'logged-models', [{}, {'experiment_id': '987654321'}, {'experiment_id': '{exp}', 'name': 'a/b'}, {'experiment_id': '{exp}', 'params': 'x'}]),
    ('search logged', 'POST', 'logged-models/search', {'experiment_ids': ['{exp}'], 'filter': 'metrics.m > 1', 'order_by': [{'field_name': 'metrics.m'}]}, {}),
    *numbered('search logged wrongly', 'POST', 'logged-models/search', [{}, {'experiment_ids': ['{exp}'], 'filter': 'strange'}, {'experiment_ids': ['{exp}'], 'page_token': 'x'}]),
    ('logged artifacts', 'GET', 'logged-models/{model}/artifacts/directories', {}, {}), ('run with outputs', 'GET', 'runs/get', {'run_id': '{run}'}, {}), ('delete logged tag', 'DELETE', 'logged-models/{model}/tags/x', {}, {}),
    ('delete logged', 'DELETE', 'logged-models/{model}', {}, {}), ('version text', 'GET', '/version', {}, {}), ('server info', 'GET', '/api/3.0/mlflow/server-info', {}, {}), ('no route', 'GET', 'nothing', {}, {}),
]


def search_corpus():
    """The tables of cases/search_runs.py, as calls in an experiment of their own."""
    from cases import search_runs as s
    calls = [('corpus experiment', 'POST', 'experiments/create', {'name': 'corpus {mark}'}, {'corpus': 'experiment_id'})]
    for letter, (params, tags, metrics, status, start, end) in s.RUNS.items():
        calls += [(f'corpus {letter}', 'POST', 'runs/create', {'experiment_id': '{corpus}', 'start_time': start, 'run_name': letter, 'user_id': 'user ' + letter, 'tags': s.data(tags)}, {letter: 'run.info.run_id'}),
                  (f'corpus {letter} data', 'POST', 'runs/log-batch', {'run_id': '{%s}' % letter, 'params': s.data(params), 'metrics': [{'key': k, 'value': v, 'timestamp': 1, 'step': 0} for k, v in metrics.items()]}, {}),
                  (f'corpus {letter} end', 'POST', 'runs/update', {'run_id': '{%s}' % letter, 'status': status, **({'end_time': end} if end else {})}, {})]
    # One order for both: by name, which nothing shares.
    calls += [(f'filter {f}', 'POST', 'runs/search', {'experiment_ids': ['{corpus}'], 'filter': f, 'order_by': ['attributes.run_name']}, {})
              for f in [r.values[0] if hasattr(r, 'values') else r[0] for r in s.FOUND + s.REFUSED]]
    calls += [(f'order {o}', 'POST', 'runs/search', {'experiment_ids': ['{corpus}'], 'order_by': o, 'filter': "run_name != 'h' AND run_name != 'f'"}, {}) for o, _ in s.ORDERS + s.REFUSED_ORDERS]
    return calls


def filled(value, kept):
    """Text with {names} replaced by what was kept; braces that name nothing stay as they are."""
    if isinstance(value, dict):
        return {k: filled(v, kept) for k, v in value.items()}
    if isinstance(value, list):
        return [filled(v, kept) for v in value]
    if not isinstance(value, str) or '{' not in value:
        return value
    for name, text in kept.items():
        value = value.replace('{%s}' % name, text)
    return value.replace('{{', '{').replace('}}', '}')


def everything():
    return EXPERIMENTS + RUNS + MODELS + LOGGED + search_corpus()
