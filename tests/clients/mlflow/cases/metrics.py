"""Metrics: numbers on the wire, order, duplicates, what counts as the latest, history and its sampled form."""
import math

from framework import case, once, row, table

BIG = 1.7976931348623157e308


def log(t, run, *points, key='m'):
    t.post('runs/log-batch', run_id=run, metrics=[{'key': key, 'value': v, 'timestamp': ts, 'step': s} for v, ts, s in points])


def history(t, run, key='m'):
    return [(p.value, p.timestamp, p.step) for p in t.client.get_metric_history(run, key)]


@case()
def log_and_read(t):
    id = t.run_id()
    t.client.log_metric(id, 'm', 1.5, timestamp=1000, step=3)
    t.same(history(t, id), [(1.5, 1000, 3)])
    t.same(t.client.get_run(id).data.metrics, {'m': 1.5})


@case()
def fields_on_the_wire(t):
    id = t.run_id()
    log(t, id, (1.5, 1000, 3))
    got = t.get('runs/get', run_id=id)['run']['data']['metrics']
    t.same([{k: m[k] for k in ('key', 'value', 'timestamp', 'step')} for m in got], [{'key': 'm', 'value': 1.5, 'timestamp': 1000, 'step': 3}])
    got = t.get('metrics/get-history', run_id=id, metric_key='m', max_results=10)['metrics']
    t.same([{k: m[k] for k in ('key', 'value', 'timestamp', 'step')} for m in got], [{'key': 'm', 'value': 1.5, 'timestamp': 1000, 'step': 3}])


@case()
def step_defaults_to_0(t):
    id = t.run_id()
    t.post('runs/log-metric', run_id=id, key='m', value=1, timestamp=5)
    t.same(history(t, id), [(1.0, 5, 0)])


@table([0.1, -0.0, 5e-324, 1e308, -1e308, 123456789.123456789, 1 / 3, 2**53 + 1, 1e22, 0.1 + 0.2])
def numbers_come_back_exactly(t, value):
    id = t.run_id()
    log(t, id, (value, 1, 0))
    t.same(history(t, id)[0][0], float(value))


@table([('NaN', math.nan), ('Infinity', BIG), ('-Infinity', -BIG)])
def special_numbers(t, wire, seen):
    id = t.run_id()
    t.post('runs/log-metric', run_id=id, key='m', value=wire, timestamp=1, step=0)
    got = t.client.get_metric_history(id, 'm')[0].value
    assert got == seen or math.isnan(got) and math.isnan(seen), got
    latest = t.client.get_run(id).data.metrics['m']
    assert latest == seen or math.isnan(latest) and math.isnan(seen), latest


@table([math.nan, math.inf, -math.inf])
def special_numbers_by_the_client(t, value):
    id = t.run_id()
    t.client.log_metric(id, 'm', value, timestamp=1, step=0)
    got = t.client.get_run(id).data.metrics['m']
    assert math.isnan(got) if math.isnan(value) else got == math.copysign(BIG, value), got


@case()
def nan_is_a_string_on_the_wire(t):
    id = t.run_id()
    log(t, id, ('NaN', 1, 0))
    t.same(t.get('runs/get', run_id=id)['run']['data']['metrics'][0]['value'], 'NaN')


@case()
def infinity_is_clamped_on_the_wire(t):
    id = t.run_id()
    log(t, id, ('-Infinity', 1, 0))
    t.same(t.get('runs/get', run_id=id)['run']['data']['metrics'][0]['value'], -BIG)


@table([-1, -(2**63), 2**63 - 1, 0])
def steps(t, step):
    id = t.run_id()
    t.client.log_metric(id, 'm', 1.0, timestamp=1, step=step)
    t.same(history(t, id), [(1.0, 1, step)])


@case()
def history_is_in_order_of_time_step_value(t):
    id = t.run_id()
    log(t, id, (3, 20, 1), (1, 10, 5), (2, 10, 2), (9, 20, 0), (5, 10, 2))
    t.same(history(t, id), [(2, 10, 2), (5, 10, 2), (1, 10, 5), (9, 20, 0), (3, 20, 1)])


@case()
def a_duplicate_is_no_second_point(t):
    id = t.run_id()
    log(t, id, (1, 10, 1), (2, 20, 2))
    log(t, id, (1, 10, 1), (2, 20, 2), (3, 30, 3))
    t.client.log_metric(id, 'm', 3, timestamp=30, step=3)
    t.same(history(t, id), [(1, 10, 1), (2, 20, 2), (3, 30, 3)])


@case()
def a_duplicate_within_one_batch(t):
    id = t.run_id()
    log(t, id, (1, 10, 1), (1, 10, 1))
    t.same(history(t, id), [(1, 10, 1)])


@case()
def a_duplicate_nan(t):
    id = t.run_id()
    log(t, id, ('NaN', 10, 1))
    log(t, id, ('NaN', 10, 1))
    t.same(len(history(t, id)), 1)


@case()
def same_step_and_time_another_value(t):
    id = t.run_id()
    log(t, id, (1, 10, 1), (2, 10, 1))
    t.same(history(t, id), [(1, 10, 1), (2, 10, 1)])


@table([([(1, 10, 5), (2, 20, 4)], 1), ([(1, 10, 5), (2, 9, 5)], 1), ([(1, 10, 5), (2, 10, 5)], 2), ([(5, 10, 5), (2, 10, 5)], 5), ([(1, 10, -5), (2, 9, -6)], 1),
        ([(-1, 1, 0), ('NaN', 1, 0)], 'NaN'), ([(1, 1, 0), ('NaN', 1, 0)], 1), ([('Infinity', 1, 0), (1, 1, 0)], BIG)])
def latest_is_by_step_time_value(t, points, seen):
    for order in (points, points[::-1]):
        id = t.run_id()
        log(t, id, *order)
        got = t.client.get_run(id).data.metrics['m']
        assert math.isnan(got) if seen == 'NaN' else got == seen, (order, got)
        id = t.run_id()
        for value, timestamp, step in order:
            t.post('runs/log-metric', run_id=id, key='m', value=value, timestamp=timestamp, step=step)
        got = t.client.get_run(id).data.metrics['m']
        assert math.isnan(got) if seen == 'NaN' else got == seen, ('one by one', order, got)


@table([('k' * 250, 200), ('k' * 251, 400), ('..', 400), ('/a', 400), ('a//b', 400), ('a/b/c', 200), ('a b', 200), ('a:b', 200), ('f@1', 400), ('größe', 200), ('a\\b', 400), ('', 400)])
def keys(t, key, status):
    reply = t.send('POST', 'runs/log-metric', {'run_id': t.run_id(), 'key': key, 'value': 1, 'timestamp': 1})
    assert reply.status == status, (reply.status, reply.text)
    if status == 400:
        t.refused(reply, 400, 'INVALID_PARAMETER_VALUE')


HINT = '. See the API docs for more information about request parameters.'


@table([({'key': 'm', 'timestamp': 1}, "Missing value for required parameter 'value'" + HINT),
        ({'key': 'm', 'value': 1}, "Missing value for required parameter 'timestamp'" + HINT),
        ({'value': 1, 'timestamp': 1}, "Missing value for required parameter 'key'" + HINT),
        ({'key': 'm', 'value': 'abc', 'timestamp': 1}, "Invalid value \"abc\" for parameter 'value' supplied:  Hint: Value was of type 'str'" + HINT),
        ({'key': 'm', 'value': 1, 'timestamp': 'x'}, "Invalid value \"x\" for parameter 'timestamp' supplied:  Hint: Value was of type 'str'" + HINT),
        ({'key': 'm', 'value': 1, 'timestamp': 1, 'step': 'x'}, "Invalid value \"x\" for parameter 'step' supplied:  Hint: Value was of type 'str'" + HINT),
        ({'key': 5, 'value': 1, 'timestamp': 1}, "Invalid value 5 for parameter 'key' supplied:  Hint: Value was of type 'int'" + HINT),
        row({'key': 'm', 'value': [1], 'timestamp': 1}, "Invalid value [1] for parameter 'value' supplied:  Hint: Value was of type 'list'" + HINT, real_server='answers 500')])
def wrong_bodies(t, body, text):
    t.refused(t.send('POST', 'runs/log-metric', {'run_id': t.run_id(), **body}), 400, 'INVALID_PARAMETER_VALUE', text)


@case()
def no_run_id(t):
    t.refused(t.send('POST', 'runs/log-metric', {'key': 'm', 'value': 1, 'timestamp': 1}), 400, 'INVALID_PARAMETER_VALUE', "Missing value for required parameter 'run_id'" + HINT)


@table([(-1, 400), (0, 200), (2**63 // 1000 - 1, 200), row(2**63, 400, real_server='takes it')])
def timestamps(t, timestamp, status):
    reply = t.send('POST', 'runs/log-metric', {'run_id': t.run_id(), 'key': 'm', 'value': 1, 'timestamp': timestamp})
    assert reply.status == status, (reply.status, reply.text)


@case()
def value_may_be_text_that_is_a_number(t):
    id = t.run_id()
    t.post('runs/log-metric', run_id=id, key='m', value='1.25', timestamp='7', step='2')
    t.same(history(t, id), [(1.25, 7, 2)])


@case()
def history_of_an_unknown_key(t):
    t.same(t.client.get_metric_history(t.run_id(), 'nothing'), [])


@case()
def history_of_an_unknown_run(t):
    reply = t.send('GET', 'metrics/get-history', run_id='0123456789abcdef0123456789abcdef', metric_key='m', max_results=10)
    t.same(reply.json().get('metrics', []), [])


@case()
def history_in_pages(t):
    id = t.run_id()
    log(t, id, *[(i, i, i) for i in range(25)])
    seen, token, sizes = [], None, []
    while True:
        page = t.get('metrics/get-history', run_id=id, metric_key='m', max_results=10, **({'page_token': token} if token else {}))
        points = page.get('metrics', [])
        sizes.append(len(points))
        seen += [p['step'] for p in points]
        token = page.get('next_page_token')
        if not token:
            break
    t.same((seen, sizes), (list(range(25)), [10, 10, 5]))


@case()
def history_without_a_limit(t):
    id = t.run_id()
    log(t, id, *[(i, i, i) for i in range(25)])
    t.same(len(t.get('metrics/get-history', run_id=id, metric_key='m')['metrics']), 25)


@case()
def fluent_with_its_own_time(t):
    import mlflow
    mlflow.set_experiment(t.name())
    with mlflow.start_run() as run:
        mlflow.log_metric('m', 1, step=1, timestamp=55)
        mlflow.log_metrics({'m': 2}, step=2, timestamp=66)
    t.same(history(t, run.info.run_id), [(1, 55, 1), (2, 66, 2)])


@case()
def synchronous_off(t):
    import mlflow
    mlflow.set_experiment(t.name())
    with mlflow.start_run() as run:
        for i in range(60):
            mlflow.log_metric('m', i, step=i, timestamp=i + 1, synchronous=False)
        mlflow.log_params({'p': 1}, synchronous=False)
        mlflow.set_tags({'t': 2}, synchronous=False)
        operation = mlflow.log_metrics({'n': 1}, step=0, synchronous=False)
        operation.wait()
        mlflow.flush_async_logging()
    t.same([v for v, _, _ in history(t, run.info.run_id)], [float(i) for i in range(60)])
    got = t.client.get_run(run.info.run_id).data
    t.same((got.params['p'], got.tags['t'], got.metrics['n']), ('1', '2', 1.0))


@case()
def async_logging_as_a_setting(t):
    import mlflow
    mlflow.set_experiment(t.name())
    mlflow.config.enable_async_logging()
    try:
        with mlflow.start_run() as run:
            for i in range(30):
                mlflow.log_metric('m', i, step=i)
            mlflow.log_param('p', 'q')
        mlflow.flush_async_logging()
    finally:
        mlflow.config.enable_async_logging(False)
    t.same(len(history(t, run.info.run_id)), 30)
    t.same(t.client.get_run(run.info.run_id).data.params, {'p': 'q'})


# --- log-batch ---
def metrics(n):
    return [{'key': f'm{i}', 'value': i, 'timestamp': 1, 'step': 0} for i in range(n)]


def pairs(n):
    return [{'key': f'k{i}', 'value': str(i)} for i in range(n)]


@table([({'metrics': metrics(1000)}, 200), ({'metrics': metrics(1001)}, 400), ({'params': pairs(100)}, 200), ({'params': pairs(101)}, 400), ({'tags': pairs(100)}, 200),
        ({'tags': pairs(101)}, 400), ({'metrics': metrics(800), 'params': pairs(100), 'tags': pairs(100)}, 200),
        ({'metrics': metrics(801), 'params': pairs(100), 'tags': pairs(100)}, 400), ({}, 200), ({'metrics': [], 'params': [], 'tags': []}, 200)])
def batch_limits(t, fields, status):
    reply = t.send('POST', 'runs/log-batch', {'run_id': t.run_id(), **fields})
    assert reply.status == status, (reply.status, reply.text)
    if status == 400:
        t.refused(reply, 400, 'INVALID_PARAMETER_VALUE')


@table([({'metrics': metrics(1001)}, 'A batch logging request can contain at most 1000 metrics. Got 1001 metrics. Please split up metrics across multiple requests and try again.'),
        ({'params': pairs(101)}, 'A batch logging request can contain at most 100 params. Got 101 params. Please split up params across multiple requests and try again.'),
        ({'tags': pairs(101)}, 'A batch logging request can contain at most 100 tags. Got 101 tags. Please split up tags across multiple requests and try again.'),
        ({'metrics': metrics(801), 'params': pairs(100), 'tags': pairs(100)},
         'A batch logging request can contain at most 1000 metrics, params, and tags. Got 1001 metrics, params, and tags.')])
def texts_of_batch_limits(t, fields, text):
    t.refused(t.send('POST', 'runs/log-batch', {'run_id': t.run_id(), **fields}), 400, 'INVALID_PARAMETER_VALUE', text)


@table([({'metrics': [{'key': 'a', 'timestamp': 1}]}, "Missing value for required parameter 'metrics[0].value'"),
        ({'metrics': [{'key': 'a', 'value': 1}]}, "Missing value for required parameter 'metrics[0].timestamp'"),
        ({'metrics': 'x'}, "for parameter 'metrics' supplied:  Hint: Value was of type 'str'"),
        ({'params': [{'value': 'x'}]}, "Missing value for required parameter 'params[0].key'"),
        ({'tags': [{'key': 'k' * 251, 'value': 'v'}]}, "'tags[0].key' exceeds the maximum length of 250 characters"),
        ({'metrics': [{'key': 'a//b', 'value': 1, 'timestamp': 1, 'step': 1}]}, "for parameter 'metrics[0].name' supplied: Names may be treated as files")])
def texts_of_wrong_batches(t, fields, text):
    t.refused(t.send('POST', 'runs/log-batch', {'run_id': t.run_id(), **fields}), 400, 'INVALID_PARAMETER_VALUE', text)


@case()
def batch_of_everything(t):
    from mlflow.entities import Metric, Param, RunTag
    id = t.run_id()
    t.client.log_batch(id, [Metric('m', 1, 5, 0), Metric('m', 2, 6, 1), Metric('n', 3, 5, 0)], [Param('p', 'q')], [RunTag('t', 'u')])
    got = t.client.get_run(id).data
    t.same((got.metrics, got.params, got.tags['t']), ({'m': 2.0, 'n': 3.0}, {'p': 'q'}, 'u'))


@case()
def the_last_tag_of_a_batch_wins(t):
    id = t.run_id()
    t.post('runs/log-batch', run_id=id, tags=[{'key': 'k', 'value': 'a'}, {'key': 'k', 'value': 'b'}])
    t.same(t.client.get_run(id).data.tags['k'], 'b')


@case()
def a_refused_batch_writes_nothing(t):
    id = t.run_id()
    t.client.log_param(id, 'p', 'old')
    t.send('POST', 'runs/log-batch', {'run_id': id, 'metrics': metrics(3), 'params': [{'key': 'n', 'value': '1'}, {'key': 'p', 'value': 'new'}], 'tags': pairs(2)})
    got = t.client.get_run(id).data
    t.same((got.metrics, got.params, 'k0' in got.tags), ({}, {'p': 'old'}, False))


@case()
def many_metrics_at_once(t):
    import mlflow
    mlflow.set_experiment(t.name())
    with mlflow.start_run() as run:
        mlflow.log_metrics({f'm/{i}': i for i in range(1500)}, step=0)
    t.same(len(t.client.get_run(run.info.run_id).data.metrics), 1500)


# --- metrics that belong to a model or a dataset ---
@case(since='3.0')
def of_a_dataset(t):
    import mlflow
    import mlflow.data
    import numpy as np
    mlflow.set_experiment(t.name())
    dataset = mlflow.data.from_numpy(np.arange(6).reshape(3, 2), name='rows')
    with mlflow.start_run() as run:
        mlflow.log_metric('m', 1, dataset=dataset)
    point = t.client.get_metric_history(run.info.run_id, 'm')[0]
    t.same((point.value, point.key), (1.0, 'm'))
