"""A method of drift is the same number in `gyre report`, in the API and in a monitor's window. A monitor knows the rows of training by the bins that training stored:
both sides are written in these bins, and the report of them must say what the window says."""
import csv
import datetime
import math
import os
import random
import time

from harness import run_scenarios

BEGIN = datetime.datetime(2026, 3, 2)
ROWS = 500  # of an hour
METHODS = ['calibrated', 'ks', 'wasserstein', 'psi', 'js', 'linf', 'chi2', 'chi2-goodness']
NUMBERS, VALUES = ['age', 'income', 'calls'], ['plan', 'active']
GROUPED = ('psi', 'js', 'linf')  # by tenths of the training rows


def row_of(rng, hour=-1):
    """What comes after training moves by the hour: a new plan, values outside what was seen."""
    moved = hour >= 0
    row = {'age': round(rng.gauss(40, 10) + (hour if moved else 0), 2), 'income': round(rng.lognormvariate(10, 0.4 + 0.05 * moved)), 'calls': rng.randint(0, 9),
           'plan': rng.choices(['basic', 'plus', 'pro', 'new'], [5, 3, 2, 0.2 * moved])[0], 'active': rng.choice(['true', 'false'])}
    return row, 'yes' if row['calls'] + rng.gauss(0, 2) > 5 else 'no'


def deployed(g):
    rng = random.Random(1)
    with open(os.path.join(g.work, 'churn.csv'), 'w') as f:
        f.write('age,income,calls,plan,active,churned\n')
        for _ in range(3000):
            row, label = row_of(rng)
            f.write(','.join(str(v) for v in row.values()) + f',{label}\n')
    g.start(environment={'GYRE_MONITORING_EVERY': '0', 'GYRE_CAPTURE_SEAL': '0.1s'})
    g.cli('add', 'churn.csv', '--name', 'churn')
    g.cli('train', 'churn', '--target', 'churned', '--trials', '1')
    g.cli('deploy', 'churn@champion')
    g.cli('monitors', 'edit', 'churn', '--every', '1h', '--rows-min', '100')


class Bins:
    """A column of numbers in the bins that training stored."""

    def __init__(self, column):
        self.edges, self.counts = column['edges'], [0, *column['counts'], 0]
        total, before, last, group = sum(column['counts']), 0, None, 0
        self.groups = [0]
        for count in column['counts']:
            tenth = min(9, (2 * before + count) * 10 // (2 * total))
            group, last, before = group + (tenth != last), tenth, before + count
            self.groups.append(group)
        self.groups.append(group + 1)

    def of(self, value):
        if value < self.edges[0]:
            return 0
        if value > self.edges[-1]:
            return len(self.edges)
        return min(sum(edge <= value for edge in self.edges), len(self.edges) - 1)

    def shown(self, place, method):
        return f'group {self.groups[place]}' if method in GROUPED else place + 0.5

    def wasserstein(self, values):
        """Rows lie evenly in their bin, and exactly outside of all; in standard deviations of the reference."""
        total, n = sum(self.counts), len(values)
        counts = [0] * len(self.counts)
        for value in values:
            counts[self.of(value)] += 1
        edges, f, g, before = self.edges, 0.0, 0.0, 0.0
        distance = (sum(edges[0] - v for v in values if v < edges[0]) + sum(v - edges[-1] for v in values if v > edges[-1])) / n
        for i in range(len(counts) - 1):
            f, g = f + self.counts[i] / total, g + counts[i] / n
            now = g - f
            if i > 0:
                area = abs(before + now) / 2 if (before < 0) == (now < 0) else (before * before + now * now) / (2 * (abs(before) + abs(now)))
                distance += area * (edges[i] - edges[i - 1])
            before = now
        middles = [(edges[i] + edges[i + 1]) / 2 for i in range(len(edges) - 1)]
        mean = math.fsum(m * c for m, c in zip(middles, self.counts[1:-1])) / total
        squares = math.fsum(c * ((m - mean) ** 2 + (edges[i + 1] - edges[i]) ** 2 / 12) for i, (m, c) in enumerate(zip(middles, self.counts[1:-1])))
        return distance / math.sqrt(squares / total)


def close(a, b, what, within=1e-12):
    """What is infinite is null on both sides."""
    if a is None or b is None:
        assert a is None and b is None, (what, a, b)
        return
    assert abs(a - b) <= within * max(1.0, abs(b)), (what, a, b)


def written(g, name, columns):
    """Columns of one table may differ in length: what is missing is empty."""
    longest = max(len(values) for values in columns.values())
    path = os.path.join(g.work, name)
    with open(path, 'w', newline='') as f:
        csv.writer(f).writerows([list(columns), *zip(*(values + [''] * (longest - len(values)) for values in columns.values()))])
    return path


def asked(g, method, path):
    """The API's comparison of the file that is sent with the dataset that the command line added."""
    job = g.http('POST', f'/api/v1/projects/default/comparisons?reference=before_{method}&filename=b.csv' + ('' if method == 'calibrated' else f'&method={method}'),
                 open(path, 'rb').read())
    assert job.status == 202, job.body
    name = job.json()['id']
    while g.json('GET', f'/api/v1/jobs/{name}')['state'] in ('queued', 'running'):
        time.sleep(0.05)
    return g.json('GET', f'/api/v1/projects/default/comparisons/{name}')


def same(g, method, profile, rows, window):
    bins = {c['name']: Bins(c) for c in profile['columns'] if c['name'] in NUMBERS}
    before = {name: [b.shown(place, method) for place, count in enumerate(b.counts) for _ in range(count)] for name, b in bins.items()}
    now = {name: [b.shown(b.of(row[name]), method) for row in rows] for name, b in bins.items()}
    for column in profile['columns']:
        if column['name'] in VALUES:
            assert column['other'] == 0, column
            before[column['name']] = [v['value'] for v in column['values'] for _ in range(v['count'])]
            now[column['name']] = [row[column['name']] for row in rows]
    a, b = written(g, 'a.csv', before), written(g, 'b.csv', now)
    how = [] if method == 'calibrated' else ['--method', method]
    report = {c['name']: c for c in g.cli_json('report', a, b, *how)['columns']}
    g.cli('add', a, '--name', f'before_{method}')
    api = {c['name']: c for c in asked(g, method, b)['columns']}
    columns = {c['name']: c for c in window['columns']}
    assert sorted(columns) == sorted(report) == sorted(NUMBERS + VALUES), (sorted(columns), sorted(report))
    for name, column in columns.items():
        what = (method, name, column['method'])
        assert api[name] == report[name], what
        if method == 'wasserstein' and name in NUMBERS:
            close(column['statistic'], bins[name].wasserstein([float(row[name]) for row in rows]), what)
            continue
        close(column['statistic'], report[name]['statistic'], what)
        assert column['threshold'] == report[name]['threshold'], what
        if report[name]['p_value'] is not None:
            close(column['p_value'], report[name]['p_value'], what)
        if 'p_corrected' in report[name] and method != 'wasserstein':
            close(column['p_corrected'], report[name]['p_corrected'], what)
        if name in VALUES:
            assert column['method'] == report[name]['method'], what
            if 'effect' in column:
                close(column['effect'], report[name]['effect']['value'], what)
        else:
            assert 'reference_' in column['method'], what
            if 'effect' in column:
                close(column['effect'], bins[name].wasserstein([float(row[name]) for row in rows]), what)
            else:
                assert column['drifted'] == report[name]['drifted'], what


def every_method_is_the_same_number(g):
    deployed(g)
    profile = g.json('GET', '/api/v1/projects/default/models/churn/versions/v1/reference')
    rng, held = random.Random(5), {}

    def send(hour, count):
        rows = [row_of(rng, hour)[0] for _ in range(count)]
        at = BEGIN + datetime.timedelta(hours=hour, minutes=len(held.get(hour, [])) % 59)
        inputs = [{**row, 'active': row['active'] == 'true'} for row in rows]
        answer = g.http('POST', '/e/churn', {'inputs': inputs, 'event_time': at.isoformat() + 'Z'})
        assert answer.status == 200, answer.body
        held.setdefault(hour, []).extend(rows)

    for hour, method in enumerate(METHODS):
        g.cli('monitors', 'edit', 'churn', '--method', method)
        send(hour, ROWS)
        send(hour + 1, 1)  # so that the hour has ended
        g.cli('monitors', 'run', 'churn')
        newest = g.json('GET', '/api/v1/projects/default/monitors/churn')['judged'][0]
        window = g.json('GET', f"/api/v1/projects/default/windows/{newest['id']}")
        assert window['rows'] == len(held[hour]) and window['begin'].startswith((BEGIN + datetime.timedelta(hours=hour)).isoformat()), (hour, window['begin'])
        same(g, method, profile, held[hour], window)

    # One column has a method and a threshold of its own; the others keep that of all.
    g.cli('monitors', 'edit', 'churn', '--method', 'psi', '--threshold', '0.25', '--method', 'age=linf', '--threshold', 'age=0.9')
    hour = len(METHODS)
    send(hour, ROWS), send(hour + 1, 1)
    g.cli('monitors', 'run', 'churn')
    newest = g.json('GET', '/api/v1/projects/default/monitors/churn')['judged'][0]
    columns = {c['name']: c for c in g.json('GET', f"/api/v1/projects/default/windows/{newest['id']}")['columns']}
    assert columns['age']['method'] == 'l_infinity.reference_tenths/gyre' and columns['age']['threshold'] == 0.9 and not columns['age']['drifted'], columns['age']
    assert columns['calls']['method'] == 'psi.reference_tenths.eps/gyre' and columns['plan']['method'] == 'psi.values.eps/evidently', columns
    assert columns['plan']['threshold'] == 0.25, columns['plan']
    shown = g.cli('monitors', 'show', 'churn').stdout
    assert 'drift by   psi (threshold 0.25), age by linf (threshold 0.9)' in shown, shown
    print(shown[:600])

    # gyre.yaml says the same, and takes it back.
    exported = g.cli('export').stdout
    assert 'method: psi' in exported and 'age: linf' in exported, exported
    g.cli('monitors', 'edit', 'churn', '--method', 'calibrated', '--method', 'age=')
    spec = g.json('GET', '/api/v1/projects/default/monitors/churn')['spec']
    assert (spec['method'], spec['threshold'], spec['methods'], spec['thresholds']) == ('calibrated', None, {}, {}), spec
    with open(os.path.join(g.work, 'gyre.yaml'), 'w') as f:
        f.write('monitors:\n  churn:\n    method: psi\n    threshold: 0.25\n    methods:\n      age: linf\n    thresholds:\n      age: 0.9\n')
    g.cli('apply', '--yes')
    assert 'psi (threshold 0.25), age by linf (threshold 0.9)' in g.cli('monitors', 'show', 'churn').stdout
    for arguments, code in [(('--method', 'spi'), 'GY3007'), (('--threshold', 'age=x'), 'GY4002'), (('--method', 'calibrated', '--threshold', '2'), 'GY4524'),
                            (('--method', 'aeg=psi'), 'GY4513')]:
        refused = g.cli('monitors', 'edit', 'churn', *arguments, check=False)
        assert refused.returncode != 0 and code in refused.stderr, (arguments, refused.stderr)


run_scenarios([every_method_is_the_same_number])
