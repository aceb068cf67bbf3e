"""Backups while many write, and what comes of them: each holds all that was acknowledged before it began, nothing by half; killed ones leave nothing;
damaged ones are refused; a restored directory is the one that was copied; the way back from a migration loses nothing.

python3 tests/faults/backup.py   20 backups under writers when GYRE_TEST_TIER=full"""
import hashlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import tarfile
import threading
import time

from harness import FULL, GYRE, Gyre, run_scenarios

BACKUPS = 20 if FULL else 2
KILLS = 30 if FULL else 4
DAMAGES = 200 if FULL else 24


def tables(path):
    """Of a database: the hash of every table's rows."""
    connection = sqlite3.connect(f'file:{path}?mode=ro', uri=True)
    names = [n for (n,) in connection.execute("select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by name")]
    found = {}
    for name in names:
        rows = sorted(repr(row) for row in connection.execute(f'select * from "{name}"'))
        found[name] = (len(rows), hashlib.sha256('\n'.join(rows).encode()).hexdigest())
    connection.close()
    return found


def blobs(data):
    found = set()
    for folder, _, names in os.walk(os.path.join(data, 'blobs', 'objects')):
        for name in names:
            if not name.endswith('.sum'):
                digest = os.path.basename(folder) + name
                assert hashlib.sha256(open(os.path.join(folder, name), 'rb').read()).hexdigest() == digest, digest
                found.add(digest)
    return found


def filled(g, rows=400):
    with open(os.path.join(g.work, 'a.csv'), 'w') as out:
        out.write('x,y,z\n')
        for i in range(rows):
            out.write(f'{i},{i * 7 % 13},{"yes" if i % 3 else "no"}\n')
    g.start()
    g.cli('add', 'a.csv')
    g.cli('secrets', 'set', 'hook', stdin='a value that nobody else knows')


class Writers:
    """Eight that make projects as fast as they are answered; `acknowledged` only grows."""

    def __init__(self, g):
        self.g, self.stop, self.acknowledged, self.errors = g, False, [], []
        self.threads = [threading.Thread(target=self.write, args=(i,)) for i in range(8)]

    def write(self, who):
        for i in range(10**6):
            if self.stop:
                return
            name = f'w{who}-{i}'
            try:
                answer = self.g.http('POST', '/api/v1/projects', {'name': name})
            except OSError as error:
                self.errors.append(error)
                return
            if answer.status == 201:
                self.acknowledged.append(name)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop = True
        for thread in self.threads:
            thread.join()


def what_is_restored_is_what_was_copied(g):
    filled(g)
    dry = g.cli_json('backup', 'x.gyre', '--dry-run')
    assert dry['blobs'] > 0 and dry['database_bytes'] > 0 and not os.path.exists(os.path.join(g.work, 'x.gyre')), dry
    made = g.cli_json('backup', 'x.gyre')
    file = os.path.join(g.work, 'x.gyre')
    assert made['bytes'] == os.path.getsize(file) and made['missing'] == [] and not made['keys'], made
    again = g.cli('backup', 'x.gyre', check=False)
    assert again.returncode == 6 and 'GY4068' in again.stderr, again
    audit = g.json('GET', '/api/v1/audit?limit=5')['items']
    assert any('maintenance/backup' in json.dumps(entry) for entry in audit), audit
    # Any tar opens it.
    names = tarfile.open(file).getnames()
    assert names[0] == 'gyre-backup.json' and names[-1] == 'archive.sha256' and 'gyre.db.zst' in names, names
    assert not any('key' in name for name in names)
    verified = g.cli('backup', 'verify', 'x.gyre')
    assert 'sound, and can be restored' in verified.stdout and 'hook' in verified.stderr, verified
    there = os.path.join(g.directory, 'there')
    restored = g.cli('restore', 'x.gyre', '--data', there)
    assert 'restored into' in restored.stdout and 'default/hook' in restored.stderr and 'master.key' in restored.stderr, restored
    assert {n: c for n, (c, _) in tables(os.path.join(there, 'gyre.db')).items()} == made['database']['tables']
    assert blobs(there) <= blobs(g.data)
    refused = g.cli('restore', 'x.gyre', '--data', there, check=False)
    assert refused.returncode == 6 and 'GY1905' in refused.stderr and '--data' in refused.stderr, refused
    shutil.copy(os.path.join(g.data, 'master.key'), there)
    with Gyre(os.path.join(g.directory, 'second')) as other:
        other.data = other.environment['GYRE_DATA'] = there
        other.start()
        assert other.cli_json('datasets')[0]['name'] == 'a'
        assert other.cli('fsck').returncode == 0
        assert other.json('GET', '/api/v1/audit/verify')['sound']


def with_keys_and_through_a_pipe(g):
    filled(g)
    g.stop()
    done = subprocess.run(f'{GYRE} backup - --with-keys | {GYRE} restore - --data {g.directory}/there', shell=True, cwd=g.work, env=g.environment,
                          capture_output=True, text=True)
    assert done.returncode == 0 and 'sealed' not in done.stderr, done
    for name in ('master.key', 'capture.key'):
        path = os.path.join(g.directory, 'there', name)
        assert open(path, 'rb').read() == open(os.path.join(g.data, name), 'rb').read()
        assert os.stat(path).st_mode & 0o77 == 0


def under_eight_writers(g):
    filled(g)
    with Writers(g) as writers:
        for i in range(BACKUPS):
            time.sleep(0.3)
            before = list(writers.acknowledged)
            g.cli('backup', f'{i}.gyre')
            there = os.path.join(g.directory, f'there-{i}')
            g.cli('restore', f'{i}.gyre', '--data', there)
            connection = sqlite3.connect(os.path.join(there, 'gyre.db'))
            kept = {name for (name,) in connection.execute('select name from project')}
            assert set(before) <= kept, sorted(set(before) - kept)[:5]
            audited = connection.execute("select count(*) from audit_entry where details like '%\"/api/v1/projects\"%'").fetchone()[0]
            assert audited == sum(name.startswith('w') for name in kept), (audited, len(kept), 'a change and its audit entry are one')
            connection.close()
            shutil.rmtree(there)
            os.remove(os.path.join(g.work, f'{i}.gyre'))
    assert not writers.errors and len(writers.acknowledged) > 50, (writers.errors[:1], len(writers.acknowledged))


def killed_ones_leave_nothing(g):
    filled(g, 20_000)
    g.cli('backup', 'sound.gyre')
    pick = random.Random(1)
    for i in range(KILLS):
        for command, result in ((('backup', 'killed.gyre', '--force'), os.path.join(g.work, 'killed.gyre')),
                                (('restore', 'sound.gyre', '--data', os.path.join(g.directory, 'killed')), os.path.join(g.directory, 'killed'))):
            child = subprocess.Popen([GYRE, *command], cwd=g.work, env=g.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(pick.random() * 0.1)
            child.send_signal(signal.SIGKILL)
            child.wait()
            if not os.path.exists(result):
                continue
            if command[0] == 'backup':
                g.cli('backup', 'verify', 'killed.gyre')
                os.remove(result)
            else:
                assert sqlite3.connect(os.path.join(result, 'gyre.db')).execute('pragma integrity_check').fetchone() == ('ok',)
                shutil.rmtree(result)
    # The server has let go of what it held for them.
    deadline = time.monotonic() + 10
    while (done := g.cli('backup', 'last.gyre', '--force', check=False)).returncode != 0 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert done.returncode == 0, done
    assert os.listdir(os.path.join(g.data, 'blobs', 'scratch')) == []
    g.cli('restore', 'last.gyre', '--data', os.path.join(g.directory, 'killed'))


def damaged_ones_are_refused(g):
    filled(g)
    g.cli('backup', 'a.gyre')
    whole = open(os.path.join(g.work, 'a.gyre'), 'rb').read()
    pick = random.Random(3)
    for i in range(DAMAGES):
        at = pick.randrange(len(whole))
        broken = whole[:at] if i % 4 == 0 else whole[:at] + bytes([whole[at] ^ 1 << pick.randrange(8)]) + whole[at + 1:]
        with open(os.path.join(g.work, 'b.gyre'), 'wb') as out:
            out.write(broken)
        refused = g.cli('restore', 'b.gyre', '--data', os.path.join(g.directory, 'b'), check=False)
        assert refused.returncode == 1 and 'GY190' in refused.stderr and 'b.gyre' in refused.stderr, (at, refused)
        assert 'byte' in refused.stderr or at < 1024, refused.stderr
        assert not os.path.exists(os.path.join(g.directory, 'b')) and not os.path.exists(os.path.join(g.directory, 'b.restoring'))


def only_an_administrator(g):
    filled(g)
    anonymous = g.http('POST', '/api/v1/maintenance/backup', headers={'Authorization': 'Bearer gyre_pat_nobody'})
    assert anonymous.status in (401, 403), anonymous.status


def back_to_before_a_migration(g):
    """As if this gyre were newer than the directory: its last migration, which only adds, is taken out of it."""
    filled(g)
    g.stop()
    database = os.path.join(g.data, 'gyre.db')
    connection = sqlite3.connect(database)
    connection.execute("delete from schema_migration where module = 'ml/runners' and number = 3")
    connection.execute('drop index job_by_submit_key')
    connection.execute('alter table job drop column submit_key')
    connection.commit()
    connection.close()
    state = g.cli_json('upgrade')
    assert len(state['migrations_pending']) == 1 and state['snapshots'] == [], state
    none = g.cli('upgrade', '--rollback', '--yes', check=False)
    assert none.returncode == 3 and 'GY1920' in none.stderr, none
    before = tables(database)
    g.start()
    assert g.cli_json('upgrade')['migrations_pending'] == [] and len(g.cli_json('upgrade')['snapshots']) == 1
    g.json('POST', '/api/v1/projects', {'name': 'written-since'})
    running = g.cli('upgrade', '--rollback', '--yes', check=False)
    assert running.returncode == 6 and 'GY1830' in running.stderr, running
    g.stop()
    since = tables(database)
    asked = g.cli('upgrade', '--rollback', check=False)
    assert asked.returncode == 2 and 'GY4062' in asked.stderr, asked
    back = g.cli_json('upgrade', '--rollback', '--yes')
    differ = {row['table']: (row['then'], row['now']) for row in back['since']}
    assert differ['project'][1] == differ['project'][0] + 1, differ
    assert tables(back['set_aside']) == since, 'nothing is lost'
    now = tables(database)
    others = set(before) - {'blob_ref', 'blob_condemned', 'audit_entry'}
    assert {n: now[n] for n in others} == {n: before[n] for n in others}
    assert now['audit_entry'][0] == before['audit_entry'][0] + 1, 'the log says that it was taken back'
    g.start()
    assert 'written-since' not in g.cli('projects', '-o', 'name').stdout.split()
    assert g.cli('fsck').returncode == 0
    assert g.cli_json('audit', 'verify')['sound']
    g.cli('gc', '--grace-hours', '0')
    os.remove(back['set_aside'])
    g.cli('gc', '--grace-hours', '0')
    assert sqlite3.connect(database).execute("select count(*) from blob_ref where owner_kind = 'set_aside'").fetchone() == (0,)


run_scenarios([what_is_restored_is_what_was_copied, with_keys_and_through_a_pipe, under_eight_writers, killed_ones_leave_nothing, damaged_ones_are_refused,
               only_an_administrator, back_to_before_a_migration])
