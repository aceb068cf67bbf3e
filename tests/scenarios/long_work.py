"""Scoring a file is a job that may be left and fetched later; a query is a job too; many slow ones leave the server answering.

python3 tests/scenarios/long_work.py"""
import concurrent.futures
import csv
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from harness import GYRE, Gyre  # noqa: E402

SLOW = 'select count(*) from numbers x, numbers y, numbers z where x.a * y.a > z.a + 1.5'


def numbers(path, rows, target=True):
    pick = random.Random(1)
    with open(path, 'w') as out:
        out.write('a,b,answer\n' if target else 'a,b\n')
        for _ in range(rows):
            a = pick.random()
            out.write(f'{a:.6f},{pick.randint(0, 99)}' + (f',{"yes" if a > .5 + pick.gauss(0, .2) else "no"}\n' if target else '\n'))


def wait_for(look, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError('it did not come')


def running(g, kind):
    return [job for job in g.json('GET', '/api/v1/jobs')['items'] if job['kind'] == kind and job['state'] == 'running']


def predict(g):
    numbers(os.path.join(g.work, 'new.csv'), 400_000, target=False)
    command = subprocess.Popen([GYRE, 'predict', 'numbers@champion', '--in', 'new.csv', '--out', 'scored.csv'], cwd=g.work, env=g.environment,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    job = wait_for(lambda: running(g, 'predict.file'))[0]
    command.send_signal(signal.SIGINT)
    _, said = command.communicate(timeout=30)
    assert command.returncode == 130, (command.returncode, said)
    fetch = f"gyre jobs output {job['id'][:8]} --out scored.csv"
    assert fetch in said and 'gyre jobs cancel' in said, said
    assert sorted(os.listdir(g.work)) == ['new.csv', 'numbers.csv'], os.listdir(g.work)
    asked = g.json('GET', f"/api/v1/jobs/{job['id']}")['input']
    assert '/' not in str(asked), asked
    g.cli('wait', job['id'])
    g.cli(*fetch.split()[1:])
    g.cli('predict', 'numbers@champion', '--in', 'new.csv', '--out', 'again.csv')
    with open(os.path.join(g.work, 'scored.csv')) as one, open(os.path.join(g.work, 'again.csv')) as other:
        assert one.read() == other.read()
    with open(os.path.join(g.work, 'scored.csv')) as f:
        assert sum(1 for _ in csv.DictReader(f)) == 400_000
    g.stop()
    g.start()
    g.cli(*fetch.split()[1:-1], 'later.csv')
    g.cli('gc', '--grace-hours', '0')
    gone = g.cli(*fetch.split()[1:], '--force', check=False)
    assert 'GY3828' in gone.stderr, gone


def cancelled_query(g):
    command = subprocess.Popen([GYRE, 'query', SLOW], cwd=g.work, env=g.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    job = wait_for(lambda: running(g, 'dataset.query'))[0]
    assert job['title'].startswith('query: select count(*)'), job
    assert job['id'][:8] in g.cli('jobs').stdout
    g.cli('jobs', 'cancel', job['id'][:8])
    _, said = command.communicate(timeout=30)
    assert command.returncode == 130 and 'GY4021' in said, (command.returncode, said)
    assert g.cli_json('jobs', 'show', job['id'])['state'] == 'cancelled'


def left_query(g):
    """Ctrl-C, a client that goes and a restart: the job is there, and says how it ended."""
    command = subprocess.Popen([GYRE, 'query', SLOW], cwd=g.work, env=g.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    job = wait_for(lambda: running(g, 'dataset.query'))[0]['id']
    command.send_signal(signal.SIGINT)
    _, said = command.communicate(timeout=30)
    assert command.returncode == 130 and 'GY4026' in said and f'gyre jobs output {job[:8]}' in said, (command.returncode, said)
    assert g.cli_json('jobs', 'show', job)['state'] == 'running'
    refused = g.cli('jobs', 'output', job, check=False)
    assert 'GY2119' in refused.stderr, refused
    g.stop()
    g.start()
    ended = g.cli_json('jobs', 'show', job)
    assert ended['state'] == 'interrupted' and ended['error']['code'] == 'GY3303', ended

    some = 'SELECT count(*) AS n FROM range(40000) a, range(10000) b WHERE hash(a.range + b.range) % 1000003 = 1'
    gone = socket.create_connection((g.host, g.port))
    body = json.dumps({'sql': some})
    gone.sendall(f'POST /api/v1/projects/default/query HTTP/1.1\r\nHost: {g.host}:{g.port}\r\nContent-Length: {len(body)}\r\n\r\n{body}'.encode())
    job = wait_for(lambda: [j for j in g.json('GET', '/api/v1/jobs')['items'] if j['kind'] == 'dataset.query' and j['title'].startswith('query: SELECT count(*) AS n')])[0]['id']
    gone.close()
    wait_for(lambda: g.cli_json('jobs', 'show', job)['state'] == 'succeeded')
    answer = json.loads(g.cli('jobs', 'output', job).stdout)
    assert [c['name'] for c in answer['columns']] == ['n'] and len(answer['rows']) == 1, answer
    assert 'rows' in g.cli('jobs', 'log', job).stdout
    assert g.json('POST', '/api/v1/projects/default/query', {'sql': some})['rows'] == answer['rows']
    g.cli('gc', '--grace-hours', '0')
    removed = g.cli('jobs', 'output', job, check=False)
    assert 'GY2120' in removed.stderr, removed
    for limit in (1, 2, 100):  # pages of rows only
        page = g.json('GET', f'/api/v1/jobs?limit={limit}')
        assert len(page['items']) <= limit


def many_queries(g):
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = [pool.submit(g.http, 'POST', '/api/v1/projects/default/query', {'sql': SLOW}, None, 120) for _ in range(20)]
        refused = wait_for(lambda: [a for a in answers if a.done()])
        assert refused[0].result().status == 503 and refused[0].result().headers['Retry-After'], refused[0].result().body
        # Some threads stay for others while eight queries run or wait.
        assert g.http('GET', '/api/v1/projects').status == 200
        while not all(a.done() for a in answers):
            for job in running(g, 'dataset.query'):
                g.http('POST', f"/api/v1/jobs/{job['id']}/cancel")
            time.sleep(0.1)
    assert {a.result().status for a in answers} == {499, 503}, [a.result().status for a in answers]


def stopped_upload(g):
    command = subprocess.Popen([GYRE, 'add', '-', '--name', 'cut'], cwd=g.work, env=g.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    command.stdin.write('a,b\n1,2\n' * 200_000)
    command.stdin.flush()
    time.sleep(1)
    command.send_signal(signal.SIGINT)
    time.sleep(1)
    _, said = command.communicate(timeout=30)
    assert command.returncode == 130 and 'stopped; nothing was added' in said, (command.returncode, said)
    assert not [d for d in g.json('GET', '/api/v1/projects/default/datasets')['items'] if d['name'] == 'cut']
    wait_for(lambda: not [n for n in os.listdir(os.path.join(g.data, 'blobs', 'scratch')) if n.startswith('upload')])


def main():
    with Gyre() as g:
        numbers(os.path.join(g.work, 'numbers.csv'), 3000)
        g.start()
        g.cli('add', 'numbers.csv')
        g.cli('train', 'numbers', '--target', 'answer', '--budget', '3s', '--trials', '1')
        predict(g)
        cancelled_query(g)
        left_query(g)
        many_queries(g)
        stopped_upload(g)
    print('left, fetched, stopped')


if __name__ == '__main__':
    main()
