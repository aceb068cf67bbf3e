"""Drift between two tables, Parquet to JSON: `gyre report` beside Evidently's DataDrift preset from PyPI, 1M + 1M rows of 15 real and 5 text columns.

CPU seconds of the whole process tree of each, imports and all; the numbers of both must agree (Wasserstein in deviations, Jensen-Shannon) to 1e-9.
GYRE_BENCH_ROWS=100000 makes it short. Then the page of two text files of 100,000 rows, which needs nothing but itself."""
import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
import time

GYRE = os.environ.get('GYRE', 'build/gyre')
ROWS = int(os.environ.get('GYRE_BENCH_ROWS', 1_000_000))
PEER = 'Evidently ' + importlib.metadata.version('evidently')
RUNS = 3  # of gyre; Evidently takes minutes
PAGE_ROWS = 100_000

# In a process of its own: a child inherits the peak memory of who starts it.
MAKE = '''
import sys
import numpy
import pandas
rows, paths = int(sys.argv[1]), sys.argv[2:]
for path, seed, shift in zip(paths, (1, 2), (0, 0.2)):
    random = numpy.random.default_rng(seed)
    columns = {f'real_{k}': random.normal(size=rows) + (shift if k in (3, 7) else 0) for k in range(15)}
    for k in range(5):
        names = numpy.array([f'value_{k}_{i}' for i in range(4 + 8 * k)])
        weights = 1 / numpy.arange(1, len(names) + 1)
        columns[f'text_{k}'] = names[random.choice(len(names), rows, p=(weights[::-1] if shift and k == 2 else weights) / weights.sum())]
    pandas.DataFrame(columns).to_parquet(path)
'''

TO_CSV = '''
import sys
import pandas
for path in sys.argv[1:]:
    pandas.read_parquet(path).to_csv(path.replace('.parquet', '.csv'), index=False)
'''

EVIDENTLY = '''
import sys
import pandas
from evidently import Report
from evidently.presets import DataDriftPreset
reference, current, out = sys.argv[1:]
report = Report([DataDriftPreset()]).run(pandas.read_parquet(current), pandas.read_parquet(reference))
open(out, 'w').write(report.json())
'''


def measured(arguments, out):
    """Wall and CPU seconds, and the largest resident set in MB of any process."""
    begin = time.perf_counter()
    with open(out, 'wb') as f:
        child = subprocess.Popen(arguments, stdout=f, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
    assert status == 0, (arguments[:2], status)
    return time.perf_counter() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def scores(report):
    """Column -> Evidently's score."""
    found = {}
    for metric in report['metrics']:
        parameters = metric.get('config', metric.get('metric_id', {}))
        if isinstance(parameters, dict) and 'column' in parameters and isinstance(metric['value'], (int, float)):
            found[parameters['column']] = float(metric['value'])
    return found


def page():
    """Two text files in, one page out: seconds of the whole command."""
    with tempfile.TemporaryDirectory(prefix='gyre-bench-') as folder:
        paths = [os.path.join(folder, name + '.parquet') for name in ('reference', 'current')]
        subprocess.run([sys.executable, '-c', MAKE, str(PAGE_ROWS), *paths], check=True)
        texts = [path.replace('.parquet', '.csv') for path in paths]
        subprocess.run([sys.executable, '-c', TO_CSV, *paths], check=True)
        os.environ['HOME'] = folder
        out = os.path.join(folder, 'drift.html')
        walls = sorted(measured([GYRE, 'report', *texts, '--out', out, '--force'], os.devnull)[0] for _ in range(RUNS))
        html = open(out, encoding='utf-8').read()
    assert html.count('<svg') >= 20 and not any(part in html for part in ('http://', 'https://', '<script', ' src=', '@import', 'url(')), 'the page needs nothing else'
    print(f'page of {PAGE_ROWS:,} + {PAGE_ROWS:,} rows x 20 columns, CSV to HTML ({len(html) // 1024} KiB): {walls[RUNS // 2]:.2f} s wall   (owed <= 2 s)')


def main():
    with tempfile.TemporaryDirectory(prefix='gyre-bench-') as folder:
        paths = [os.path.join(folder, name + '.parquet') for name in ('reference', 'current')]
        subprocess.run([sys.executable, '-c', MAKE, str(ROWS), *paths], check=True)
        os.environ['HOME'] = folder
        ours = os.path.join(folder, 'gyre.json')
        runs = [measured([GYRE, 'report', *paths, '-o', 'json'], ours) for _ in range(RUNS)]
        wall, cpu, memory = sorted(runs, key=lambda run: run[1])[RUNS // 2]
        theirs = os.path.join(folder, 'evidently.json')
        peer_wall, peer_cpu, peer_memory = measured([sys.executable, '-W', 'ignore', '-c', EVIDENTLY, *paths, theirs], os.devnull)
        columns = {c['name']: c['effect']['value'] for c in json.load(open(ours))['columns']}
        expected = scores(json.load(open(theirs)))
        assert set(expected) == set(columns), sorted(expected)
        worst = max(abs(columns[name] - value) for name, value in expected.items())
    print(f'{ROWS:,} + {ROWS:,} rows x 20 columns, Parquet to JSON; gyre median of {RUNS} runs')
    print(f'gyre report          {cpu:7.2f} s CPU {wall:7.2f} s wall {memory:6.0f} MB')
    print(f'{PEER:<20} {peer_cpu:7.2f} s CPU {peer_wall:7.2f} s wall {peer_memory:6.0f} MB')
    print(f'ratio                {peer_cpu / cpu:7.0f} x CPU {peer_wall / wall:7.0f} x wall   (owed >= 100x CPU); scores differ by {worst:.1e} at most')


if __name__ == '__main__':
    main()
    page()
