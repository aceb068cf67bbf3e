"""The numbers of `gyre report` equal those of the real scipy from PyPI to 1e-9, on columns as they are: ties, missing values, NaN and infinities, constants,
new categories, 2 to 100,000 rows."""
import json
import os
import subprocess
import sys

from harness import Gyre, skip

PYTHON = os.environ.get('GYRE_TEST_PYTHON') or sys.executable
ROWS = 100_000

# Columns of one pair of Parquet files differ in length by what is missing at their end.
MAKE = '''
import sys
import numpy
import pandas

rows, folder = int(sys.argv[1]), sys.argv[2]
r = numpy.random.default_rng(5)
sizes = [2, 3, 7, 20, 99, 140, 141, 500, 1000, 5000, 9999, 10000, 10001, 40000, rows]
sides = {'a': {}, 'b': {}}
for side, columns in sides.items():
    shift = 0.07 if side == 'b' else 0.0
    def padded(values):
        return numpy.concatenate([values, numpy.full(rows - len(values), numpy.nan)])
    for i, n in enumerate(sizes):
        m = n if side == 'a' else sizes[(i * 7 + 3) % len(sizes)]
        for other, count in (('same', n), ('other', m)):
            columns[f'real_{n}_{other}'] = padded(r.normal(size=count) + shift)
            columns[f'ties_{n}_{other}'] = padded(numpy.round(r.normal(size=count) + shift, 1))
            columns[f'far_{n}_{other}'] = padded(r.normal(size=count) + 10 * shift)
    awkward = r.normal(size=rows) + shift
    awkward[::7], awkward[1::11], awkward[2::13], awkward[3::17] = numpy.nan, numpy.inf, -numpy.inf, -0.0
    columns['awkward'] = awkward
    columns['constant'] = numpy.full(rows, 4.0)
    columns['constant_moved'] = numpy.full(rows, 4.0 + shift)
    columns['whole'] = r.poisson(30 + 10 * shift, rows)
    columns['huge'] = (r.normal(size=rows) + shift) * 1e300
    columns['tiny'] = (r.normal(size=rows) + shift) * 1e-300
    columns['offset'] = 1e9 + r.normal(size=rows) + shift
    names = numpy.array(['a', 'b', 'c', 'd', 'new'] if side == 'b' else ['a', 'b', 'c', 'd', 'old'])
    columns['category'] = names[r.choice(5, rows, p=[.4, .3, .2, .09, .01])]
    columns['two'] = numpy.where(r.random(rows) < 0.3 + shift / 20, 'yes', 'no')
    columns['one'] = numpy.full(rows, 'only')
    pandas.DataFrame(columns).to_parquet(f'{folder}/{side}.parquet')
'''

CHECK = '''
import json
import sys
import warnings

import numpy
import pandas
from scipy import stats
from scipy.spatial import distance

warnings.filterwarnings('ignore')
folder = sys.argv[1]
a, b = pandas.read_parquet(f'{folder}/a.parquet'), pandas.read_parquet(f'{folder}/b.parquet')
answers = json.load(open(f'{folder}/answers.json'))
worst, count = 0.0, 0

def same(what, got, expected):
    global worst, count
    count += 1
    off = abs(got - expected) / max(1.0, abs(expected))
    worst = max(worst, off)
    assert off <= 1e-9, (what, got, expected)

def numbers(column):
    values = numpy.asarray(column, dtype=float)
    return values[numpy.isfinite(values)]

for method, answer in answers.items():
    for column in answer['columns']:
        name, what = column['name'], (method, column['name'])
        assert column['status'] == 'compared', what
        if column['kind'] == 'number':
            x, y = numbers(a[name]), numbers(b[name])
            deviation = max(x.std(), 0.001)
            if column['method'].startswith('ks.'):
                expected = stats.ks_2samp(x, y)
                same(what, column['statistic'], expected.statistic)
                same(what, column['p_value'], expected.pvalue)
                if method == 'default':
                    same(what, column['effect']['value'], stats.wasserstein_distance(x, y) / deviation)
            elif method == 'wasserstein':
                same(what, column['statistic'], stats.wasserstein_distance(x, y) / deviation)
            else:
                both = numpy.concatenate([x, y])
                if column['type'] == 'int':
                    both = both.astype(int)
                if len(numpy.unique(x)) > 20:
                    edges = numpy.histogram_bin_edges(both, bins='sturges')
                    p, q = numpy.histogram(x, edges)[0] / len(x), numpy.histogram(y, edges)[0] / len(y)
                else:
                    keys = numpy.unique(both)
                    p, q = (numpy.array([(side == k).mean() for k in keys]) for side in (x, y))
                if method == 'js':
                    same(what, column['statistic'], distance.jensenshannon(p, q))
                elif method == 'linf':
                    same(what, column['statistic'], abs(p - q).max())
                else:
                    for side in (p, q):
                        low = side[side > 0].min()
                        side[side == 0] = low / 1e6 if low <= 1e-4 else 1e-4
                    same(what, column['statistic'], ((p - q) * numpy.log(p / q)).sum())
        else:
            keys = sorted(set(a[name]) | set(b[name]))
            x, y = (numpy.array([(side[name] == k).sum() for k in keys]) for side in (a, b))
            p, q = x / x.sum(), y / y.sum()
            if column['method'].startswith('chi2.homogeneity/'):
                expected = stats.chi2_contingency([x, y])
                same(what, column['statistic'], expected[0])
                same(what, column['p_value'], expected[1])
            elif column['method'].startswith('chi2.goodness'):
                expected = stats.chisquare(y, x * (y.sum() / x.sum()))
                if numpy.isfinite(expected[0]) and len(keys) > 1:
                    same(what, column['statistic'], expected[0])
                same(what, column['p_value'], expected[1] if len(keys) > 1 else 1.0)
            if column.get('effect') or method == 'js':
                same(what, column['effect']['value'] if column.get('effect') else column['statistic'], distance.jensenshannon(p, q))
            elif method == 'linf':
                same(what, column['statistic'], abs(p - q).max())
print(json.dumps({'count': count, 'worst': worst}))
'''


def main():
    if subprocess.run([PYTHON, '-c', 'import scipy, pandas, pyarrow'], capture_output=True).returncode != 0:
        skip('needs scipy, pandas and pyarrow (tools/deps test)')
    with Gyre() as g:
        subprocess.run([PYTHON, '-c', MAKE, str(ROWS), g.work], check=True)
        files = ('a.parquet', 'b.parquet')
        answers = {'default': g.cli_json('report', *files)}
        for method in ('ks', 'wasserstein', 'psi', 'js', 'linf', 'chi2', 'chi2-goodness'):
            answers[method] = g.cli_json('report', *files, '--method', method)
        with open(os.path.join(g.work, 'answers.json'), 'w') as f:
            json.dump(answers, f)
        done = subprocess.run([PYTHON, '-c', CHECK, g.work], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout)
        assert result['count'] > 500, result
        print(f"ok {result['count']} numbers, the furthest {result['worst']:.1e} from scipy's")


if __name__ == '__main__':
    main()
