"""Overwritten pages of the database: nothing starts on them, each refusal names the way back, and the way back works.

python3 tests/faults/database_pages.py"""
import json
import os
import sqlite3
import subprocess

from damage import object_path
from harness import GYRE, run_scenarios


def people(g):
    with open(os.path.join(g.work, 'people.csv'), 'w') as out:
        out.write('a,b\n' + ''.join(f'{i},{i % 7}\n' for i in range(300)))


def overwrite(g, *names):
    """The root pages of these tables."""
    path = os.path.join(g.data, 'gyre.db')
    with sqlite3.connect(path) as connection:
        (size,) = connection.execute('pragma page_size').fetchone()
        roots = [connection.execute('select rootpage from sqlite_master where name = ?', (name,)).fetchone()[0] for name in names]
        connection.execute('pragma wal_checkpoint(truncate)')
    connection.close()
    with open(path, 'r+b') as file:
        for root in roots:
            file.seek((root - 1) * size)
            file.write(b'\xa5' * size)


def nothing_starts_on_damaged_pages(g):
    people(g)
    g.start()
    g.cli('add', 'people.csv')
    g.cli('backup', 'sound.gyre')
    g.stop()
    rows = json.loads(g.cli('doctor', '-o', 'json', check=False).stdout)
    assert [row['state'] for row in rows if row['check'] == 'database'] == ['ok'], rows
    overwrite(g, 'secret', 'usage_line', 'usage_price')
    started = subprocess.run([GYRE, 'server', '--data', g.data, '--listen', '127.0.0.1:0'], env=g.environment, cwd=g.work, capture_output=True, text=True, timeout=60)
    assert started.returncode == 1 and 'ready' not in started.stdout, started
    for word in ('GY1405', 'gyre restore BACKUP --data NEW', 'gyre fsck'):
        assert word in started.stderr, (word, started.stderr)
    for command in (('run', 'true'), ('add', 'people.csv'), ('datasets',)):
        refused = g.cli(*command, check=False)
        assert refused.returncode == 1 and 'GY1405' in refused.stderr and 'gyre restore' in refused.stderr, refused
    looked = g.cli('doctor', '-o', 'json', check=False)
    (row,) = [row for row in json.loads(looked.stdout) if row['check'] == 'database']
    assert looked.returncode == 5 and row['state'] == 'fail' and 'gyre restore' in row['fix'], row
    for command in (('fsck',), ('fsck', '--repair', '--from', 'sound.gyre')):
        checked = g.cli(*command, check=False)
        assert checked.returncode in (1, 5) and 'gyre restore' in checked.stderr, checked
    new = os.path.join(g.directory, 'new')
    g.cli('restore', 'sound.gyre', '--data', new)
    assert 'people' in g.cli('datasets', '--data', new).stdout


def a_backup_says_what_it_lacks(g):
    people(g)
    g.start()
    g.cli('add', 'people.csv')
    os.remove(object_path(g, g.json('GET', '/api/v1/projects/default/datasets/people/versions/v1')['parts'][0]['sha256']))
    made = g.cli('backup', 'short.gyre', check=False)
    assert made.returncode == 5 and 'every byte checked' not in made.stdout + made.stderr and 'without what is damaged (1)' in made.stderr, made
    verified = g.cli('backup', 'verify', 'short.gyre', check=False)
    assert verified.returncode == 5 and 'sound' not in verified.stdout, verified
    assert 'not whole: the rest can be restored, without what was damaged (1)' in verified.stdout, verified


run_scenarios([nothing_starts_on_damaged_pages, a_backup_says_what_it_lacks])
