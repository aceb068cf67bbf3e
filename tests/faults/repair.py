"""A data directory whose disk has lost and flipped things: fsck names what and who needs it, a repair makes anew what follows from the rest and takes
the rest out of a backup; without one it says what is lost. What is replaced is kept; nothing but the bytes that are asked for is let in.

python3 tests/faults/repair.py"""
import glob
import hashlib
import os
import random
import sqlite3
import time

from damage import flip, object_path
from harness import run_scenarios


def filled(g):
    """A dataset of more than a block, a model, an endpoint, and a backup of all that."""
    pick = random.Random(1)
    with open(os.path.join(g.work, 'churn.csv'), 'w') as out:
        out.write('noise,more,tenure,left\n')
        for _ in range(80_000):
            tenure = pick.randrange(1, 72)
            out.write(f'{pick.random():.15f},{pick.random():.15f},{tenure},{"Yes" if pick.random() < 0.9 - tenure / 80 else "No"}\n')
    g.start()
    g.cli('add', 'churn.csv')
    g.cli('train', 'churn', '--target', 'left', '--budget', '1s', '--trials', '1')
    g.cli('deploy', 'churn@champion')
    assert answers(g)
    g.cli('backup', 'sound.gyre')


def answers(g):
    return g.http('POST', '/e/churn', {'inputs': [{'noise': 0.5, 'more': 0.5, 'tenure': 3}]}).status == 200


def part_of(g):
    digest = g.json('GET', '/api/v1/projects/default/datasets/churn/versions/v1')['parts'][0]['sha256']
    assert os.path.getsize(object_path(g, digest)) > 1 << 20
    return digest


def package_of(g):
    return g.json('GET', '/api/v1/projects/default/models/churn/versions/v1')['package']['digest']


def quarantine(g):
    return sorted(os.path.basename(path) for path in glob.glob(os.path.join(g.data, 'quarantine', '*')))


def out_of_a_backup(g):
    filled(g)
    part, package = part_of(g), package_of(g)
    g.stop()
    path = object_path(g, part)
    flip(path, os.path.getsize(path) // 2)
    damaged = hashlib.sha256(open(path, 'rb').read()).hexdigest()
    os.remove(object_path(g, package))
    g.start()
    named = g.cli('fsck', check=False)
    assert named.returncode == 5 and 'needed by dataset default/churn:v1' in named.stderr and 'model default/churn:v1' in named.stderr, named
    assert quarantine(g) == [] and not os.path.exists(object_path(g, package)), 'a check changes nothing'
    lost = g.cli('fsck', '--repair', check=False)
    assert lost.returncode == 5 and part in lost.stderr and package in lost.stderr and 'blobs lost until a backup brings them: 2' in lost.stderr, lost
    assert quarantine(g) == [], 'a damaged blob leaves its place only for a sound one'
    document = g.cli_json('fsck', '--repair', '--quick', check=False)
    assert [one['digest'] for one in document['damaged']] == [package] and not document['sound'], document
    assert not answers(g)
    done = g.cli('fsck', '--repair', '--from', 'sound.gyre')
    assert f'blob {part} came out of sound.gyre' in done.stdout and package in done.stdout and 'sound: the database' in done.stdout, done
    kept = [name for name in quarantine(g) if name.startswith(part)]
    assert len(kept) == 2 and kept[1] == kept[0] + '.sum', kept
    kept, all_kept = os.path.join(g.data, 'quarantine', kept[0]), quarantine(g)
    assert hashlib.sha256(open(kept, 'rb').read()).hexdigest() == damaged
    assert g.cli_json('fsck')['sound']
    assert g.cli_json('query', 'select count(*) as n from churn')
    deadline = time.monotonic() + 90
    while not answers(g) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert answers(g), 'the endpoint has not come back by itself'
    audit = str(g.json('GET', '/api/v1/audit?limit=20')['items'])
    assert 'maintenance/repair' in audit and 'maintenance/blobs' in audit, audit
    again = g.cli('fsck', '--repair', '--from', 'sound.gyre')
    assert 'came out of' not in again.stdout and quarantine(g) == all_kept, again


def what_follows_from_the_rest(g):
    filled(g)
    part = part_of(g)
    g.stop()
    os.remove(object_path(g, part) + '.sum')
    index = broken_index(os.path.join(g.data, 'gyre.db'))
    g.start()
    named = g.cli('fsck', check=False)
    assert named.returncode == 5 and index in named.stderr and part in named.stderr, named
    done = g.cli('fsck', '--repair')
    assert 'indexes of the database were made anew' in done.stdout and f'blob {part}: its block checksums' in done.stdout, done
    assert [name[:8] for name in quarantine(g)] == ['gyre.db-'], quarantine(g)
    assert g.cli_json('fsck')['sound'] and answers(g)


def broken_index(path):
    """The rows of a table move, and one of its indexes does not hear of it."""
    index = 'blob_ref_digest'
    row = sqlite3.connect(path).execute('select type, name, tbl_name, rootpage, sql from sqlite_master where name = ?', (index,)).fetchone()
    for statement, values in (('delete from sqlite_master where name = ?', (index,)), ('update blob_ref set rowid = rowid + 1000', ()),
                              ('insert into sqlite_master values (?, ?, ?, ?, ?)', row)):
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute('pragma writable_schema = on')
        connection.execute(statement, values)
        connection.close()
    return index


def only_what_is_asked_for(g):
    filled(g)
    part = part_of(g)
    url = '/api/v1/maintenance/blobs/'
    sound = open(object_path(g, part), 'rb').read()

    def refused(digest, body, status, code, **headers):
        answer = g.http('POST', url + digest, body, headers={'Content-Type': 'application/octet-stream', **headers})
        assert answer.status == status and code in answer.body.decode(), (answer.status, answer.body)

    refused(part, b'x', 409, 'GY1911')
    refused(hashlib.sha256(b'mine').hexdigest(), b'mine', 404, 'GY1912')
    os.remove(object_path(g, part))
    for wrong in (sound[:-1], sound + b'x', sound[:-1] + bytes([sound[-1] ^ 1]), b''):
        refused(part, wrong, 400, 'GY1913')
    refused(part, b'x', 401, '', Authorization='Bearer gyre_pat_nobody')
    assert not os.path.exists(object_path(g, part)) and os.listdir(os.path.join(g.data, 'blobs', 'incoming')) == []
    assert g.http('POST', url + part, sound, headers={'Content-Type': 'application/octet-stream'}).status == 200
    assert g.cli_json('fsck')['sound']
    # A backup that is damaged itself gives what it can, and is named.
    whole = open(os.path.join(g.work, 'sound.gyre'), 'rb').read()
    with open(os.path.join(g.work, 'short.gyre'), 'wb') as out:
        out.write(whole[:-4096])
    os.remove(object_path(g, part))
    short = g.cli('fsck', '--repair', '--from', 'short.gyre', check=False)
    assert short.returncode == 5 and 'short.gyre: ' in short.stderr and part in short.stdout, short
    assert g.cli_json('fsck')['sound']
    usage = g.cli('fsck', '--from', 'sound.gyre', check=False)
    assert usage.returncode == 2 and 'GY4075' in usage.stderr, usage
    assert g.cli('fsck', '--repair', '--from', 'none.gyre', check=False).returncode == 3


run_scenarios([out_of_a_backup, what_follows_from_the_rest, only_what_is_asked_for])
