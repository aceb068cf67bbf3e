"""Files that a window is made of are flipped, cut, emptied or gone: the monitor says which window and why, judges the next ones, and the endpoint answers.

python3 tests/faults/windows.py"""
import datetime
import os
import random
import sqlite3
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from harness import Gyre  # noqa: E402

ROWS = 300
BEGIN = datetime.datetime(2026, 3, 2)


def row_of(rng):
    row = {'age': round(rng.gauss(40, 10), 1), 'calls': rng.randint(0, 9), 'plan': 'abcd'[rng.randint(0, 3)]}
    return row, 'yes' if row['calls'] + rng.gauss(0, 2) > 5 else 'no'


def deployed(g):
    rng = random.Random(1)
    with open(os.path.join(g.work, 'churn.csv'), 'w') as f:
        f.write('age,calls,plan,churned\n')
        for _ in range(2000):
            row, label = row_of(rng)
            f.write(','.join(str(v) for v in row.values()) + f',{label}\n')
    g.start(environment={'GYRE_MONITORING_EVERY': '0', 'GYRE_CAPTURE_SEAL': '0.1s'})
    g.cli('add', 'churn.csv', '--name', 'churn')
    g.cli('train', 'churn', '--target', 'churned', '--trials', '1')
    g.cli('deploy', 'churn@champion')
    g.cli('monitors', 'edit', 'churn', '--every', '1h', '--rows-min', '100', '--label-wait', '90d')


def digests(g):
    with sqlite3.connect(os.path.join(g.data, 'gyre.db')) as database:
        return [digest for (digest,) in database.execute('SELECT digest FROM inference_segment ORDER BY sealed_us')]


def path_of(g, digest):
    return os.path.join(g.data, 'blobs', 'objects', digest[:2], digest[2:])


def hour(g, number, minutes):
    """The rows of so many minutes, sealed as one segment; its digest."""
    rng, before = random.Random(number * 100 + minutes[0]), digests(g)
    begin = BEGIN + datetime.timedelta(hours=number)
    times = [(begin + datetime.timedelta(seconds=60 * minutes[0] + i * 60 * (minutes[1] - minutes[0]) // ROWS)).isoformat() + 'Z' for i in range(ROWS)]
    answer = g.http('POST', '/e/churn', {'inputs': [row_of(rng)[0] for _ in range(ROWS)], 'event_times': times})
    assert answer.status == 200, answer.body
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        fresh = [digest for digest in digests(g) if digest not in before]
        if fresh:
            return fresh[-1]
        time.sleep(0.05)
    raise AssertionError('the rows are not sealed')


def changed(path, change):
    os.chmod(path, 0o600)
    size = os.path.getsize(path)
    if change == 'gone':
        os.remove(path)
    elif change in ('cut', 'emptied'):
        os.truncate(path, size // 2 if change == 'cut' else 0)
    else:
        info = os.stat(path)
        with open(path, 'r+b') as f:
            f.seek(int(size * change))
            byte = f.read(1)[0]
            f.seek(int(size * change))
            f.write(bytes([byte ^ 16]))
        os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))


def judged(g):
    monitor = g.cli_json('monitors', 'run', 'churn')
    windows = g.json('GET', '/api/v1/projects/default/monitors/churn/windows?limit=100')['items']
    return monitor, {w['begin']: g.json('GET', f"/api/v1/projects/default/windows/{w['id']}") for w in windows}


def begin_of(number):
    return (BEGIN + datetime.timedelta(hours=number)).isoformat() + 'Z'


def segments(g):
    number, damaged = 0, []
    for change in (0.0, 0.3, 0.6, 0.99, 'cut', 'emptied', 'gone'):
        hour(g, number, (0, 30))
        digest = hour(g, number, (30, 60))
        changed(path_of(g, digest), change)
        damaged.append((number, digest[:12]))
        hour(g, number + 1, (0, 60))
        number += 2
        hour(g, number, (0, 1))  # so that the window before has ended
        monitor, windows = judged(g)
        assert 'was computed without a damaged file: segment' in monitor['problem'], (change, monitor['problem'])
        for at, name in damaged:
            (problem,) = windows[begin_of(at)]['problems']
            assert problem.startswith(f'segment {name}: '), (change, problem)
            assert windows[begin_of(at)]['rows'] < 2 * ROWS + 1, windows[begin_of(at)]
            sound = windows[begin_of(at + 1)]
            assert 'problems' not in sound and sound['rows'] == ROWS, (change, sound)
        assert begin_of(damaged[0][0]) in monitor['problem'], monitor['problem']
    print(f'segments: {len(damaged)} windows named, those after them sound: {monitor["problem"]}')
    return number


def model_files(g, number):
    version = g.json('GET', '/api/v1/projects/default/models/churn/versions/v1')
    for attachment in version['attachments']:
        if attachment['name'] != 'reference':
            continue
        changed(path_of(g, attachment['digest'].removeprefix('sha256:')), 0.5)
    hour(g, number + 1, (0, 60))
    hour(g, number + 2, (0, 1))
    monitor, windows = judged(g)
    window = windows[begin_of(number + 1)]
    assert 'computed without the reference of churn:v1: ' in monitor['problem'] and 'is damaged' in monitor['problem'].split('reference of')[1], monitor['problem']
    assert {s['signal']: s['level'] for s in window['signals']}['drift'] == 'unknown', window['signals']
    assert g.http('POST', '/e/churn', {'inputs': [row_of(random.Random(3))[0]]}).status == 200
    return number + 3


def stored_documents(g, number):
    """What the database keeps of windows is no JSON any more."""
    g.stop()
    with sqlite3.connect(os.path.join(g.data, 'gyre.db')) as database:
        database.execute("UPDATE monitoring_window SET document_json = '{\"rows\": ' WHERE number % 2 = 0")
        database.execute("UPDATE monitoring_monitor SET counts_json = 'nonsense', looked_json = '[1,'")
    g.start(environment={'GYRE_MONITORING_EVERY': '0', 'GYRE_CAPTURE_SEAL': '0.1s'})
    g.cli('monitors', 'edit', 'churn', '--against', 'previous')
    hour(g, number, (0, 60))
    hour(g, number + 1, (0, 1))
    _, windows = judged(g)
    assert begin_of(number) in windows, sorted(windows)
    g.cli('monitors', 'show', 'churn')
    assert g.http('POST', '/e/churn', {'inputs': [row_of(random.Random(3))[0]]}).status == 200


def main():
    with Gyre() as g:
        deployed(g)
        number = segments(g)
        number = model_files(g, number)
        stored_documents(g, number)
    print('each window that was damaged is named, and none else')


if __name__ == '__main__':
    main()
