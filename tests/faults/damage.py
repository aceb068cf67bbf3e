"""Flipped bits in stored files: every reader says GY1502 and names what is damaged; none gives a number. Adding the file again heals a dataset.

python3 tests/faults/damage.py"""
import os
import random
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from harness import Gyre  # noqa: E402

ROWS = 150_000
SQL = 'select sum(a) + sum(b) as total, count(*) as n from numbers'


def numbers(path):
    pick = random.Random(1)
    with open(path, 'w') as out:
        out.write('a,b,answer\n')
        for _ in range(ROWS):
            a, b = pick.random() * 1e6, pick.randint(0, 10**12)
            out.write(f'{a:.6f},{b},{"yes" if a > 5e5 + pick.gauss(0, 2e5) else "no"}\n')


def object_path(g, digest):
    return os.path.join(g.data, 'blobs', 'objects', digest[:2], digest[2:])


def flip(path, offset):
    """One bit, as a failing disk does it: the time of the file stays."""
    info = os.stat(path)
    with open(path, 'r+b') as f:
        f.seek(offset)
        byte = f.read(1)[0]
        f.seek(offset)
        f.write(bytes([byte ^ 4]))
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))


def refused(g, names, *arguments):
    done = g.cli(*arguments, check=False)
    assert done.returncode != 0 and 'GY1502' in done.stderr and names in done.stderr, f'{arguments}: {done}'
    assert 'is damaged: block' in done.stderr, done.stderr
    return done


def dataset(g):
    version = g.json('GET', '/api/v1/projects/default/datasets/numbers/versions/v1')
    digest = version['parts'][0]['sha256']
    path = object_path(g, digest)
    size = os.path.getsize(path)
    assert size > 1 << 20, size
    sound = g.cli_json('query', SQL)
    g.cli('train', 'numbers', '--target', 'answer', '--budget', '3s', '--trials', '1')
    url = '/api/v1/projects/default/datasets/numbers/versions/v1/data.parquet'
    for place in range(12):
        offset = 4 + (size - 5) * place // 11
        flip(path, offset)
        refused(g, 'numbers:v1', 'query', SQL)
        answer = g.http('GET', url)
        assert answer.status == 500 and answer.json()['code'] == 'GY1502', (answer.status, answer.body[:300])
        if place == 5:
            refused(g, 'numbers:v1', 'train', 'numbers', '--target', 'answer', '--budget', '3s')
            refused(g, 'numbers:v1', 'datasets', 'export', 'numbers')
            refused(g, 'numbers:v1', 'datasets', 'rows', 'numbers')
            refused(g, 'numbers:v1', 'datasets', 'check', 'numbers')
            refused(g, 'numbers:v1', 'recipes', 'suggest', 'numbers', '--target', 'answer')
            refused(g, 'numbers:v1', 'evaluate', 'numbers', '--on', 'numbers')
        flip(path, offset)
    assert g.cli_json('query', SQL) == sound
    flip(path, size // 2)
    refused(g, 'numbers:v1', 'query', SQL)
    g.cli('add', 'numbers.csv')
    assert g.cli_json('query', SQL) == sound, 'adding the same file again heals it'


def model(g):
    version = g.json('GET', '/api/v1/projects/default/models/numbers/versions/v1')
    rows = sqlite3.connect(os.path.join(g.data, 'gyre.db')).execute("select digest from blob_ref where owner_id = ?", (version['id'],)).fetchall()
    package = version['package']['digest']
    assert (package,) in rows
    for (digest,) in rows:
        path = object_path(g, digest)
        flip(path, os.path.getsize(path) // 3)
    with open(os.path.join(g.work, 'new.csv'), 'w') as out:
        out.write('a,b\n1,2\n')
    refused(g, 'numbers:v1', 'predict', 'numbers:v1', '--in', 'new.csv', '--out', 'scored.csv')
    assert not [name for name in os.listdir(g.work) if name.startswith('scored')], os.listdir(g.work)
    refused(g, 'numbers:v1', 'evaluate', 'numbers')
    refused(g, '', 'deploy', 'numbers:v1')
    for (digest,) in rows:
        path = object_path(g, digest)
        flip(path, os.path.getsize(path) // 3)
    g.cli('predict', 'numbers:v1', '--in', 'new.csv', '--out', 'scored.csv')


def fsck(g):
    sound = g.cli_json('fsck')
    assert sound['sound'] and sound['contents'] and sound['bytes_read'] > 1 << 20, sound
    assert 'each byte read' in g.cli('fsck').stdout
    version = g.json('GET', '/api/v1/projects/default/datasets/numbers/versions/v1')
    path = object_path(g, version['parts'][0]['sha256'])
    flip(path, os.path.getsize(path) - 9)
    done = g.cli('fsck', check=False)
    assert done.returncode == 5 and 'needed by dataset default/numbers:v1' in done.stderr, done
    quick = g.cli('fsck', '--quick')
    assert 'contents were not read' in quick.stdout, quick
    flip(path, os.path.getsize(path) - 9)


def main():
    with Gyre() as g:
        numbers(os.path.join(g.work, 'numbers.csv'))
        g.start()
        g.cli('add', 'numbers.csv')
        dataset(g)
        model(g)
        fsck(g)
    print('no number of damaged bytes')


if __name__ == '__main__':
    main()
