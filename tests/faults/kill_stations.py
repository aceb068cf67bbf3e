"""kill -9 in the middle of an import, a training and a deployment: no half thing is visible afterwards, no child is left, and doing it again works."""
import http.client
import json
import os
import random
import sys
import threading
import time

from harness import FULL, Gyre

ROUNDS = 20 if FULL else 3
ROWS = 60_000


def table(seed, rows=ROWS):
    chance = random.Random(seed)
    lines = ['age,city,income,buys']
    for _ in range(rows):
        age = chance.randrange(18, 90)
        lines.append(f'{age},{chance.choice(("Graz", "Wien", "Linz"))},{chance.random() * 5000:.2f},{"yes" if age + chance.gauss(0, 20) > 55 else "no"}')
    return '\n'.join(lines) + '\n'


def children_of(g):
    """Processes that belong to this data directory, other than the server."""
    found = []
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{pid}/environ', 'rb') as f:
                ours = f'GYRE_DATA={g.data}'.encode() in f.read().split(b'\0')
        except OSError:
            continue
        if ours and not (g.server and int(pid) == g.server.pid):
            found.append(int(pid))
    return found


def killed_leaves_no_child(g):
    g.kill()
    deadline = time.monotonic() + 10
    while children_of(g) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not children_of(g), f'children outlive their server: {children_of(g)}'


def settled(g, job):
    """The job after the restart: it has ended, or runs again from its beginning and ends."""
    done = g.wait_job(g.json('GET', f'/api/v1/jobs/{job}'), 120)
    assert done['state'] in ('succeeded', 'failed', 'interrupted', 'cancelled'), done
    return done


def nothing_half(g):
    for folder in ('incoming', 'scratch'):
        left = [os.path.join(at, name) for at, _, names in os.walk(os.path.join(g.data, 'blobs', folder)) for name in names]
        assert not left, f'left behind: {left[:3]}'


def imports(g, chance):
    for i in range(ROUNDS):
        name, text = f'killed{i}', table(i)
        outcome = {}

        def upload(name=name, text=text, outcome=outcome):
            try:
                answer = g.http('POST', f'/api/v1/projects/default/datasets/{name}/versions?filename=t.csv', text, {'Content-Type': 'text/csv'})
                outcome['job'] = answer.json()['id'] if answer.status == 202 else None
                outcome['status'] = answer.status
            except (OSError, http.client.HTTPException):
                pass

        thread = threading.Thread(target=upload)
        thread.start()
        time.sleep(chance.uniform(0, 0.6))
        killed_leaves_no_child(g)
        thread.join()
        g.start()
        assert outcome.get('status', 202) == 202, outcome
        if outcome.get('job'):
            job = settled(g, outcome['job'])
            there = g.http('GET', f'/api/v1/projects/default/datasets/{name}').status == 200
            # Killed between the commit of the version and that of the job: then the version is whole, and the job says `interrupted`.
            assert there or job['state'] != 'succeeded', job
            if there:
                assert g.json('GET', f'/api/v1/projects/default/datasets/{name}/versions/latest')['rows'] == ROWS
        again = g.wait_job(g.json('POST', f'/api/v1/projects/default/datasets/{name}/versions?filename=t.csv', text, headers={'Content-Type': 'text/csv'}), 120)
        assert again['state'] == 'succeeded', again
        version = g.json('GET', f'/api/v1/projects/default/datasets/{name}/versions/latest')
        assert version['rows'] == ROWS and version['version'] == 'v1', version
        nothing_half(g)
    print(f'ok import: {ROUNDS} kills')


def trainings(g, chance):
    g.wait_job(g.json('POST', '/api/v1/projects/default/datasets/people/versions?filename=p.csv', table(99, 3000), headers={'Content-Type': 'text/csv'}))
    request = {'dataset': 'people', 'target': 'buys', 'budget_seconds': 2, 'seed': 1}
    for i in range(ROUNDS):
        job = g.json('POST', '/api/v1/projects/default/train', request)
        time.sleep(chance.uniform(0.1, 2.5))
        killed_leaves_no_child(g)
        g.start()
        ended = settled(g, job['id'])
        runs = g.json('GET', '/api/v1/projects/default/runs?limit=1000')['items']
        assert not [r for r in runs if r['status'] == 'running'], f'runs of a dead server still run: {ended["state"]}'
        nothing_half(g)
    done = g.wait_job(g.json('POST', '/api/v1/projects/default/train', request), 120)
    assert done['state'] == 'succeeded', done
    print(f'ok train: {ROUNDS} kills')
    return done


def deployments(g, chance, done):
    row = {'inputs': [{'age': 70, 'city': 'Graz', 'income': 100.0}]}
    model = done['result']['model']
    path = '/api/v1/projects/default/endpoints/'
    for i in range(ROUNDS):
        name, outcome = f'live{i}', {}

        def deploy(name=name, outcome=outcome):
            try:
                outcome['status'] = g.http('PUT', path + name, {'model': model}).status
            except (OSError, http.client.HTTPException):
                pass

        thread = threading.Thread(target=deploy)
        thread.start()
        time.sleep(chance.uniform(0, 0.03))
        g.kill()
        thread.join()
        g.start()
        status = outcome.get('status')
        assert status in (None, 200, 201), outcome
        answer = g.http('POST', f'/e/{name}', row)
        if status in (200, 201):
            assert answer.status == 200, f'deployed, acknowledged, and gone: {answer.body[:300]}'
        assert answer.status in (200, 404), answer.body[:300]
        assert g.http('PUT', path + name, {'model': model}).status in (200, 201)
        assert g.http('POST', f'/e/{name}', row).status == 200
    # Every endpoint of every round still answers.
    for i in range(ROUNDS):
        assert g.http('POST', f'/e/live{i}', row).status == 200
    print(f'ok deploy: {ROUNDS} kills')


def label_files(g):
    """A file of labels whose job dies after it has written them, before its own end: it is done again, and counts once."""
    row = {'age': 70, 'city': 'Graz', 'income': 100.0}
    ids = [f'late-{i}' for i in range(100)]
    g.json('POST', '/e/live0', {'inputs': [row] * len(ids), 'inference_ids': ids})
    assert g.stop() == 0
    g.start(environment={'GYRE_FAULT_POINT': 'job.ending:feedback.import'})
    lines = 'inference_id,label\n' + ''.join(f'{name},yes\n' for name in ids)
    try:
        g.http('POST', '/api/v1/projects/default/endpoints/live0/feedback/file?filename=late.csv', lines, {'Content-Type': 'text/csv'})
    except (OSError, http.client.HTTPException):
        pass
    assert g.server.wait(30) == -9
    g.start()
    (job,) = [job for job in g.json('GET', '/api/v1/jobs')['items'] if job['kind'] == 'feedback.import']
    assert settled(g, job['id'])['state'] == 'succeeded'
    labels = g.json('GET', '/api/v1/projects/default/endpoints/live0/captures')['labels']
    assert labels == len(ids), f'{labels} labels of {len(ids)}'
    print('ok labels: 1 kill')


def main():
    chance = random.Random(21)
    with Gyre() as g:
        g.start()
        imports(g, chance)
        deployments(g, chance, trainings(g, chance))
        label_files(g)
        assert g.stop() == 0


if __name__ == '__main__':
    sys.exit(main())
