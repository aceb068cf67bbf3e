"""One person's captured rows and labels go at once and for good, the windows that were judged with them stand, the audit log says how many and not whose;
kill -9 in the middle leaves all of it or nothing, and no byte of it once the server runs again.

python3 tests/faults/forget.py"""
import csv
import io
import json
import os
import random
import time

from harness import run_scenarios

PROJECT = '/api/v1/projects/default'
E = PROJECT + '/endpoints/churn'
WHO = 'customer-4711-of-old'


def row(pick, who):
    return {'customer': who, 'tenure': pick.randrange(1, 72), 'charges': round(pick.uniform(20, 120), 2)}


def captured(g, **options):
    """Two hundred people with a row each, and nine rows of one; half of them labelled."""
    pick = random.Random(1)
    with open(os.path.join(g.work, 'churn.csv'), 'w') as out:
        out.write('tenure,charges,Churn\n')
        for _ in range(400):
            tenure, charges = pick.randrange(1, 72), pick.uniform(20, 120)
            out.write(f'{tenure},{charges:.2f},{"Yes" if charges / 40 - tenure / 20 + pick.gauss(0, 1) > 0 else "No"}\n')
    g.start(environment={'GYRE_MONITORING_EVERY': '0', **options})
    g.cli('add', 'churn.csv')
    g.cli('train', 'churn', '--target', 'Churn', '--trials', '1', '--seed', '1')
    g.cli('deploy', 'churn@champion')
    g.cli('captures', 'policy', 'churn', '--key', 'customer')
    ids = []
    for batch in range(3):
        people = [f'customer-{batch}-{i}' for i in range(66)]
        people[10:10] = [WHO] * 3
        for begin in range(0, len(people), 23):
            answer = g.json('POST', '/e/churn', {'inputs': [row(pick, who) for who in people[begin:begin + 23]]})
            ids.append((answer['inference_id'], people[begin]))
        rows(g)  # seals a segment
    g.json('POST', E + '/feedback', {'rows': [{'key': WHO, 'label': 'Yes'}] + [{'key': f'customer-0-{i}', 'label': 'No'} for i in range(60)]})
    of_one = g.json('POST', '/e/churn', {'inputs': [row(pick, WHO)]})['inference_id']
    g.json('POST', E + '/feedback', {'rows': [{'inference_id': of_one, 'label': 'No'}]})
    rows(g)
    return ids


def rows(g):
    return list(csv.DictReader(io.StringIO(g.cli('captures', 'export', 'churn').stdout)))


def files_with(g, text):
    found = []
    for at, _, names in os.walk(os.path.join(g.data, 'blobs')):
        for name in names:
            with open(os.path.join(at, name), 'rb') as f:
                if text.encode() in f.read():
                    found.append(name)
    return found


def gone(g, before, forgotten_rows=10):
    now = rows(g)
    assert [one for one in now if one['key'] != WHO] == [one for one in before if one['key'] != WHO]
    assert len(now) == len(before) - forgotten_rows and not files_with(g, WHO), (len(now), len(before), files_with(g, WHO))
    counted = g.json('GET', E + '/captures')
    assert counted['forgotten'] == forgotten_rows and counted['captured'] == len(now), counted
    assert g.cli_json('fsck')['sound']


def one_person(g):
    captured(g)
    before = rows(g)
    assert len(before) == 208 and len([one for one in before if one['key'] == WHO]) == 10 and files_with(g, WHO)
    g.cli('monitors', 'edit', 'churn', '--rows', '50')
    g.cli('monitors', 'run', 'churn')
    windows = g.json('GET', PROJECT + '/monitors/churn/windows')['items']
    assert len(windows) >= 3
    asked = g.cli('captures', 'forget', '--key', WHO, check=False)
    assert asked.returncode == 2 and 'GY4062' in asked.stderr, asked.stderr
    both = g.cli('captures', 'forget', '--key', WHO, '--id', 'x', '--yes', check=False)
    assert both.returncode == 2 and 'GY4084' in both.stderr, both.stderr
    planned = g.cli('captures', 'forget', '--key', WHO, '--dry-run')
    assert rows(g) == before, planned
    done = g.cli('captures', 'forget', '--key', WHO, '--yes')
    assert 'forgot 10 rows and 2 labels' in done.stdout, done
    gone(g, before)
    g.cli('monitors', 'run', 'churn')
    assert g.json('GET', PROJECT + '/monitors/churn/windows')['items'] == windows, 'a window was judged anew'
    audit = [one for one in g.json('GET', '/api/v1/audit?limit=50')['items'] if one['action'] == 'captures.forgotten']
    assert len(audit) == 1 and '"rows":10' in json.dumps(audit[0]).replace(' ', '').replace('\\', ''), audit
    assert WHO not in json.dumps(g.json('GET', '/api/v1/audit?limit=200')) and WHO not in open(g.log_path).read()
    again = g.cli('captures', 'forget', '--key', WHO, '--yes')
    assert 'forgot 0 rows and 0 labels' in again.stdout, again
    # One answer, by its id.
    single = rows(g)[5]['inference_id']
    assert 'forgot 1 rows' in g.cli('captures', 'forget', '--id', single, '--endpoint', 'churn', '--yes').stdout
    assert single not in {one['inference_id'] for one in rows(g)}


def hashed(g):
    """Where the policy keeps a hash of the key, the value itself still finds the rows."""
    captured(g)
    g.cli('captures', 'policy', 'churn', '--hash', 'customer')
    pick = random.Random(2)
    g.json('POST', '/e/churn', {'inputs': [row(pick, WHO), row(pick, 'somebody')]})
    assert len(rows(g)) == 210
    assert 'forgot 11 rows' in g.cli('captures', 'forget', '--key', WHO, '--yes').stdout
    assert len(rows(g)) == 199


def killed(point, left):
    def scenario(g):
        captured(g)
        before = rows(g)
        g.stop()
        g.start(environment={'GYRE_MONITORING_EVERY': '0', 'GYRE_FAULT_POINT': point})
        died = g.cli('captures', 'forget', '--key', WHO, '--yes', check=False)
        assert died.returncode != 0
        g.server.wait(10)
        g.server = None
        g.start(environment={'GYRE_MONITORING_EVERY': '0'})
        if left:
            assert rows(g) == before, 'half of it is gone'
            g.cli('captures', 'forget', '--key', WHO, '--yes')
        deadline = time.monotonic() + 20
        while files_with(g, WHO) and time.monotonic() < deadline:
            time.sleep(0.1)
        gone(g, before)
        g.cli('gc', '--grace-hours', '0')
        gone(g, before)
    scenario.__name__ = 'killed_at_' + point.replace('.', '_')
    return scenario


if __name__ == '__main__':
    run_scenarios([one_person, hashed, killed('captures.rewritten', True), killed('captures.replaced', False)])
