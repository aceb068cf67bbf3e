"""Sampled histories, as charts ask for them: runs as given, each cut into equal buckets by row, and the last point always there."""
import random

from framework import case, once, table


def sampled(points, most, start=None, end=None):
    """What 3.18 answers for one run: the first row of each of `most` buckets, the larger buckets first, and the last row in place of the last pick."""
    rows = sorted(p for p in points if start is None or start <= p[0] <= end)
    n = min(most, len(rows))
    if not n:
        return []
    size, larger = divmod(len(rows), n)
    picks = [i * size + min(i, larger) for i in range(n)]
    got = [rows[i] for i in picks]
    if got[-1] != rows[-1]:
        got[-1:] = [rows[-1]] if len(got) >= most else [got[-1], rows[-1]]
    return got


def make(t, exp, points):
    run = t.run_id(exp)
    for i in range(0, len(points), 1000):
        t.post('runs/log-batch', run_id=run, metrics=[{'key': 'm', 'value': v, 'timestamp': ts, 'step': s} for s, ts, v in points[i:i + 1000]])
    return run


@once
def corpus(t):
    exp, rng = t.experiment(), random.Random(7)
    shapes = {
        'line': [(i, 1000 + i, float(i)) for i in range(1000)],
        'sparse': [(i * i, 1000 + i, i / 3) for i in range(40)],
        'one': [(5, 1000, 2.5)],
        'two': [(5, 1000, 2.5), (9, 1001, 3.5)],
        'same step': [(0, 1000 + i, float(i % 7)) for i in range(300)],
        'negative': [(i, 1000 - i, i * 0.5) for i in range(-50, 50)],
        'repeated': [(i // 3, 1000 + i, float(i)) for i in range(100)],
        'random': sorted({(rng.randrange(10000), rng.randrange(10**6), rng.random()) for _ in range(777)}),
        'none': [],
    }
    return {name: (make(t, exp, points), points) for name, points in shapes.items()}


def ask(t, runs, most=None, start=None, end=None, prefix='/ajax-api/2.0/mlflow/'):
    query = {'run_ids': runs, 'metric_key': 'm'}
    query.update({k: v for k, v in (('max_results', most), ('start_step', start), ('end_step', end)) if v is not None})
    metrics = t.get(prefix + 'metrics/get-history-bulk-interval', **query).get('metrics', [])
    return [(m['run_id'], (m['step'], m['timestamp'], m['value'])) for m in metrics]


SHAPES = ['line', 'sparse', 'one', 'two', 'same step', 'negative', 'repeated', 'random', 'none']


@table([(shape, most) for shape in SHAPES for most in (None, 320, 10, 7, 2, 1) if shape in ('line', 'random', 'repeated') or most in (None, 10, 1)])
def sampling(t, shape, most):
    run, points = corpus(t)[shape]
    t.same([p for _, p in ask(t, [run], most)], sampled(points, most or 2500))


@table([('line', 100, 899, 10), ('line', 100, 100, 10), ('line', 2000, 3000, 10), ('negative', -10, 10, 5), ('random', 2500, 7500, 100), ('same step', 0, 0, 20),
        ('sparse', 3, 500, 320), ('repeated', 5, 20, 6)])
def within_a_range(t, shape, start, end, most):
    run, points = corpus(t)[shape]
    t.same([p for _, p in ask(t, [run], most, start, end)], sampled(points, most, start, end))


@case()
def runs_come_as_they_were_given(t):
    names = ['random', 'line', 'none', 'sparse', 'one']
    runs = {corpus(t)[n][0]: corpus(t)[n][1] for n in names}
    t.same(ask(t, list(runs), 10), [(run, p) for run, points in runs.items() for p in sampled(points, 10)])


@case()
def both_prefixes(t):
    run, points = corpus(t)['line']
    t.same(ask(t, [run], 10, prefix='/api/2.0/mlflow/'), ask(t, [run], 10))


@case()
def nan_and_infinity(t):
    run = t.run_id()
    t.post('runs/log-batch', run_id=run, metrics=[{'key': 'm', 'value': v, 'timestamp': 1, 'step': i} for i, v in enumerate(['NaN', 'Infinity', 1])])
    t.same([p[2] for _, p in ask(t, [run])], ['NaN', 1.7976931348623157e308, 1])


BAD = '/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval'


@table([({'max_results': 0}, 'max_results must be between 1 and 2500'), ({'max_results': 2501}, 'max_results must be between 1 and 2500'),
        ({'start_step': 1}, 'If either start step or end step are specified, both must be specified.'),
        ({'end_step': 1}, 'If either start step or end step are specified, both must be specified.'),
        ({'start_step': 5, 'end_step': 1}, 'end_step must be greater than start_step. Found start_step=5 and end_step=1.'),
        ({'metric_key': None}, "Missing value for required parameter 'metric_key'"), ({'run_ids': None}, "Missing value for required parameter 'run_ids'"),
        ({'run_ids': ['0' * 32] * 101}, 'GetMetricHistoryBulkInterval request must specify at most 100 run_ids. Received 101 run_ids.')])
def refusals(t, change, text):
    query = {'run_ids': [corpus(t)['line'][0]], 'metric_key': 'm', **change}
    t.refused(t.send('GET', BAD, **{k: v for k, v in query.items() if v is not None}), 400, 'INVALID_PARAMETER_VALUE', text)


@case()
def an_unknown_run_has_no_points(t):
    run = corpus(t)['line'][0]
    t.same(len(ask(t, ['0' * 32, run], 10)), 10)


@case()
def the_older_bulk_form(t):
    run, points = corpus(t)['two']
    got = t.get('/ajax-api/2.0/mlflow/metrics/get-history-bulk', run_id=[run], metric_key='m')['metrics']
    t.same([(m['step'], m['timestamp'], m['value'], m['run_id'], m['key']) for m in got], [(s, ts, v, run, 'm') for s, ts, v in points])


@case()
def the_older_bulk_form_in_order(t):
    first, second = corpus(t)['two'], corpus(t)['sparse']
    got = t.get('/ajax-api/2.0/mlflow/metrics/get-history-bulk', run_id=[second[0], first[0]], metric_key='m', max_results=50)['metrics']
    expected = sorted((run, ts, s, v) for run, points in (first, second) for s, ts, v in points)[:50]
    t.same([(m['run_id'], m['timestamp'], m['step'], m['value']) for m in got], expected)


@table([({}, "GetMetricHistoryBulk request must specify at least one run_id."), ({'run_id': 'x'}, 'GetMetricHistoryBulk request must specify a metric_key.'),
        ({'run_id': ['x'] * 101, 'metric_key': 'm'}, 'GetMetricHistoryBulk request cannot specify more than 100 run_ids. Received 101 run_ids.')])
def refusals_of_the_older_form(t, query, text):
    t.refused(t.send('GET', '/ajax-api/2.0/mlflow/metrics/get-history-bulk', **query), 400, 'INVALID_PARAMETER_VALUE', text)
