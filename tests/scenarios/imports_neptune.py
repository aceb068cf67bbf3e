"""gyre import neptune: runs of an export in neptune-exporter's documented schema keep their ids, dates, params, series and files; again takes only news."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import GYRE, run_scenarios, skip
from imports import history, take, write

# The columns and types of the exporter's README, "Parquet schema". argv: JSON of [[file, rows], ...].
WRITE_PARTS = """
import decimal, json, os, sys
import pyarrow as pa, pyarrow.parquet as pq
moment = pa.timestamp('ms', tz='UTC')
schema = pa.schema([('project_id', pa.string()), ('run_id', pa.string()), ('attribute_path', pa.string()), ('attribute_type', pa.string()),
    ('step', pa.decimal128(18, 6)), ('timestamp', moment), ('int_value', pa.int64()), ('float_value', pa.float64()), ('string_value', pa.string()),
    ('bool_value', pa.bool_()), ('datetime_value', moment), ('string_set_value', pa.list_(pa.string())), ('file_value', pa.struct([('path', pa.string())])),
    ('histogram_value', pa.struct([('type', pa.string()), ('edges', pa.list_(pa.float64())), ('values', pa.list_(pa.float64()))]))])
column = {'float_series': 'float_value', 'string_series': 'string_value', 'histogram_series': 'histogram_value', 'file_series': 'file_value', 'file_set': 'file_value'}
for path, rows in json.load(open(sys.argv[1])):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    table = []
    for run, attribute, kind, value, step, millis in rows:
        name = column.get(kind, kind + '_value')
        table.append({'project_id': 'team/churn', 'run_id': run, 'attribute_path': attribute, 'attribute_type': kind, 'timestamp': millis,
                      'step': None if step is None else decimal.Decimal(str(step)).quantize(decimal.Decimal('1.000000')), name: value})
    pq.write_table(pa.Table.from_pylist(table, schema=schema), path, compression='snappy')
"""

BEGAN = 1_700_000_000_000  # 2023-11-14T22:13:20Z
PROJECT = 'team_churn-0123456789abcdef'


def write_parts(folder, parts):
    python = os.environ.get('GYRE_TEST_PYTHON')
    if not python:
        skip('no Python with pyarrow')
    with tempfile.NamedTemporaryFile('w', suffix='.json') as f:
        json.dump([[f'{folder}/{name}', rows] for name, rows in parts.items()], f)
        f.flush()
        subprocess.run([python, '-c', WRITE_PARTS, f.name], check=True)


def plain(run, attribute, kind, value):
    return [run, attribute, kind, value, None, None]


def series(run, attribute, count, value=lambda i: 1 / (i + 1), step=lambda i: i, first=0):
    return [[run, attribute, 'float_series', value(i), step(i), BEGAN + 1000 * i] for i in range(first, count)]


def first_run(points=3):
    return [
        plain('CH-1', 'sys/creation_time', 'datetime', BEGAN), plain('CH-1', 'sys/name', 'string', 'baseline'), plain('CH-1', 'sys/failed', 'bool', False),
        plain('CH-1', 'sys/tags', 'string_set', ['tabular', 'best']), plain('CH-1', 'params/lr', 'float', 0.1), plain('CH-1', 'params/depth', 'int', 7),
        plain('CH-1', 'params/since', 'datetime', BEGAN), plain('CH-1', 'params/of_another', 'int', None), plain('CH-1', 'params/note', 'string', 'größer'),
        *series('CH-1', 'train/loss', points), *series('CH-1', 'train/acc', 2, value=lambda i: float('nan')),
        ['CH-1', 'log', 'string_series', 'line\none', 1, BEGAN], ['CH-1', 'weights', 'histogram_series', {'type': 'COUNTING', 'edges': [0., 1.], 'values': [3.]}, 1, BEGAN],
        plain('CH-1', 'model', 'file', {'path': 'CH-1/model.bin'}), plain('CH-1', 'code', 'file_set', {'path': 'CH-1/code'}),
        ['CH-1', 'plots', 'file_series', {'path': 'CH-1/plots/1.png'}, 1.5, BEGAN],
        plain('CH-1', 'gone', 'file', {'path': 'CH-1/gone.txt'}), plain('CH-1', 'escape', 'file', {'path': '../../../../../etc/passwd'})]


def write_export(d):
    half = [plain('CH-2', 'sys/failed', 'bool', True), *series('CH-2', 'loss', 2, step=lambda i: i / 2)]
    write_parts(f'{d}/data', {f'{PROJECT}/CH-1-aa_part_0.parquet': first_run()[:8], f'{PROJECT}/CH-1-aa_part_1.parquet': first_run()[8:],
                              f'{PROJECT}/CH-2-bb_part_0.parquet': half, f'{PROJECT}/CH-3-cc_part_1.parquet': half})
    write(f'{d}/data/{PROJECT}/CH-4-dd_part_0.parquet.tmp', 'half')
    for name in ('model.bin', 'code/a/train.py', 'plots/1.png', 'unnamed.txt'):
        write(f'{d}/files/{PROJECT}/CH-1/{name}', 'content of ' + name)


def an_export_becomes_runs(g):
    with tempfile.TemporaryDirectory() as d:
        write_export(d)
        planned = take(g, d, '--dry-run')
        assert ('would take', 'run CH-1') in [row[:2] for row in planned], planned
        assert g.cli_json('runs', 'ls') == [], 'a dry run changes nothing'
        rows = take(g, d)
        assert [row[1] for row in rows if row[0] == 'taken'] == ['run CH-1', 'run CH-2'], rows
        left = sorted(row[1] for row in rows if row[0] == 'not taken')
        assert left == [f'files/{PROJECT}/CH-1/unnamed.txt', 'run CH-1, 1 histograms', 'run CH-1, `escape`', 'run CH-1, `gone`',
                        f'{PROJECT}/CH-3-cc_part_1.parquet', f'{PROJECT}/CH-4-dd_part_0.parquet.tmp'], left
        run = g.cli_json('runs', 'show', 'CH-1')
        assert run['params'] == {'params/lr': '0.1', 'params/depth': '7', 'params/since': '2023-11-14T22:13:20Z', 'params/note': 'größer'}, run['params']
        assert run['experiment'] == 'churn' and run['status'] == 'finished' and run['source']['origin'] == 'team/churn/CH-1', run
        assert run['started_at'].startswith('2023-11-14T22:13:20') and run['ended_at'].startswith('2023-11-14T22:13:22'), run
        assert run['tags']['neptune.tags'] == 'tabular, best' and run['tags']['neptune.name'] == 'baseline', run['tags']
        points = history(g, run['id'], 'train/loss')
        assert [(p['step'], p['value'], p['time']) for p in points] == [(i, 1 / (i + 1), f'2023-11-14T22:13:2{i}Z') for i in range(3)], points
        files = {item['path'] for item in g.cli_json('api', 'GET', f'/api/v1/projects/default/runs/{run["id"]}/artifacts')['items']}
        assert files == {'model.bin', 'code/a/train.py', 'plots/step_1.5.png', 'series/log.jsonl'}, files
        failed = g.cli_json('runs', 'show', 'CH-2')
        assert failed['status'] == 'failed' and failed['tags']['neptune.step_unit'] == '0.000001', failed
        assert [p['step'] for p in history(g, failed['id'], 'loss')] == [0, 500_000]
        assert {row[0] for row in take(g, 'neptune', f'{d}/data') if row[1] in ('run CH-1', 'run CH-2')} == {'there'}
        # A later export of the same run holds more; the folder has moved.
        write_parts(f'{d}/later/data', {f'{PROJECT}/CH-1-aa_part_0.parquet': first_run(5)})
        news = [row for row in take(g, f'{d}/later', '--files', f'{d}/files') if row[1] == 'run CH-1']
        assert news[0][0] == 'taken' and '2 new of 7 points' in news[0][2], news
        assert [p['step'] for p in history(g, run['id'], 'train/loss')] == list(range(5))
        assert len(g.cli_json('runs', 'ls')) == 2
        write(f'{d}/bad/x_part_0.parquet', b'PAR1 attribute_path attribute_type PAR1')
        broken = take(g, f'{d}/bad', check=False)
        assert broken[0][0] == 'failed' and len(broken) == 1 and g.data not in broken[0][2], broken
        assert 'GY4958' in g.cli('import', 'neptune', f'{d}/files', check=False).stderr


def a_killed_import_goes_on(g):
    """More rows than one answer of the server holds, and killed in the middle."""
    with tempfile.TemporaryDirectory() as d:
        count = 120_000
        write_parts(f'{d}/data', {f'{PROJECT}/LONG-aa_part_0.parquet': series('LONG', 'loss', count, value=float)})
        for pause in (0.3, 0.8, 1.5, 2.5):
            process = subprocess.Popen([GYRE, 'import', d], cwd=g.work, env=g.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(pause)
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert take(g, d)[0][0] in ('taken', 'there')
        runs = g.cli_json('runs', 'ls')
        assert len(runs) == 1 and runs[0]['status'] == 'finished', runs
        assert [(p['step'], p['value']) for p in history(g, runs[0]['id'], 'loss')] == [(i, i) for i in range(count)]
        assert take(g, d)[0][0] == 'there'


if __name__ == '__main__':
    run_scenarios([an_export_becomes_runs, a_killed_import_goes_on])
