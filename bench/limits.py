"""Sizes that were tried, with their times and memory: the table of docs/limits.md. `bench/run build limits`; names of measurements pick some.

Memory is that of the largest process of a command, or of the server (VmHWM)."""
import concurrent.futures
import json
import os
import random
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'tests'))
from harness import GYRE, Gyre  # noqa: E402


def timed(g, *arguments):
    """Seconds and megabytes of a command."""
    begin = time.monotonic()
    process = subprocess.Popen([GYRE, *arguments], cwd=g.work, env=g.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    error = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"gyre {' '.join(arguments)} -> {process.returncode}\n{error.decode()}")
    return time.monotonic() - begin, used.ru_maxrss / 1024


def row(what, *cells):
    print('| ' + ' | '.join([what, *cells]) + ' |', flush=True)


def amount(seconds, megabytes):
    return f'{seconds:.1f} s, {megabytes:,.0f} MB'


def table(g, name, rows, columns):
    """Numbers, the target a sum of three of them with noise; ten thousand different rows, repeated with another first column."""
    r = random.Random(1)
    lines = []
    for _ in range(min(rows, 10_000)):
        values = [r.gauss(0, 1) for _ in range(columns - 2)]
        lines.append(','.join(f'{v:.4f}' for v in values) + ',' + ('yes' if values[0] + values[1] - values[2] + r.gauss(0, 1) > 0 else 'no'))
    with open(os.path.join(g.work, name + '.csv'), 'w', encoding='utf-8') as f:
        f.write(','.join(['shift'] + [f'x{i}' for i in range(columns - 2)] + ['y']) + '\n')
        for i in range(rows):
            f.write(f'{i % 977},{lines[i % len(lines)]}\n')
    return os.path.getsize(os.path.join(g.work, name + '.csv')) / 1e6


def tables(g):
    for name, rows, columns in (('long', 1_000_000, 20), ('wide', 5_000, 1_000)):
        size = table(g, name, rows, columns)
        row(f'`gyre add`, {rows:,} rows × {columns:,} columns ({size:,.0f} MB of CSV)', amount(*timed(g, 'add', name + '.csv')))
        row(f'`gyre train --budget 20s` on it', amount(*timed(g, 'train', name, '--target', 'y', '--budget', '20s', '--gate', 'none')))
        row(f'`gyre predict` on it', amount(*timed(g, 'predict', name + ':v1', '--in', name + '.csv', '--out', name + '.parquet')))


def memory(pid):
    return next(int(line.split()[1]) for line in open(f'/proc/{pid}/status') if line.startswith('VmHWM')) / 1024


def served(g):
    table(g, 'small', 2_000, 12)
    g.cli('add', 'small.csv')
    g.cli('train', 'small', '--target', 'y', '--trials', '2', '--seed', '1')
    g.start()
    for i in range(100):
        g.cli('deploy', 'small@champion', '--name', f'e{i}')
    inputs = [{f'x{i}': 0.1 * i for i in range(10)}] * 500
    body, rows, begin = json.dumps({'inputs': inputs}), 0, time.monotonic()
    while time.monotonic() - begin < 10:
        g.json('POST', '/e/e0', body, headers={'Content-Type': 'application/json'})
        rows += len(inputs)
    seconds = time.monotonic() - begin
    time.sleep(4)
    kept = g.cli_json('captures', 'e0')
    row('one client, 500 rows a request, 10 s: rows answered and captured', f'{rows / seconds:,.0f} a second, {kept["captured"]:,} of {rows:,} kept')
    row('server with 100 endpoints', f'{memory(g.server.pid):,.0f} MB')
    g.stop()
    begin = time.monotonic()
    g.start()
    row('its start, each model loaded and its golden answers replayed', f'{time.monotonic() - begin:.1f} s, {memory(g.server.pid):,.0f} MB')


def runs(g):
    g.start()
    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda i: g.json('POST', '/api/v1/projects/default/runs', {'key': f'r{i}', 'name': f'r{i}', 'params': {'rate': i / 100, 'depth': i % 9}}), range(10_000)))
    row('10,000 runs of a project, brought over HTTP by 16 clients', f'{time.monotonic() - begin:.1f} s, server {memory(g.server.pid):,.0f} MB')
    row('`gyre runs -n 50` among them', f"{timed(g, 'runs', '-n', '50')[0]:.2f} s")


def main():
    for name, measure in (('tables', tables), ('served', served), ('runs', runs)):
        if not sys.argv[1:] or name in sys.argv[1:]:
            with Gyre() as g:
                measure(g)


main()
