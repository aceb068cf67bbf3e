"""Bad input never answers 500 and never crashes: the cases of bad_input.jsonl, one after another against one server that must outlive them all.

A case: {"name", "status": [..], "code": "GYnnnn" or a beginning of it, and what is sent}
  raw        bytes of a whole connection (latin-1 text), or
  method, path, headers, and one of  json | body | base64 | repeat: [piece, times, tail]
  job        the answer is 202 and the job must fail with this code (status is then that of the submission)
  cli        a command line instead: exit code in "exit", code in stderr; {file} names a file with the body
Lines that begin with # are headings."""
import base64
import json
import os
import re
import select
import socket
import sys
import time

from harness import Gyre

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'bad_input.jsonl')
CASES_MIN = 150


def payload(case):
    if 'json' in case:
        return json.dumps(case['json']).encode()
    if 'repeat' in case:
        piece, times, tail = case['repeat']
        return piece.encode() * times + tail.encode()
    if 'base64' in case:
        return base64.b64decode(case['base64'])
    return case['body'].encode('utf-8', 'surrogateescape') if 'body' in case else None


def send_raw(g, text):
    """Sends the bytes as they are; the status of the first answer, or 0 when the server just closes."""
    with socket.create_connection((g.host, g.port), timeout=20) as s:
        s.sendall(text.replace('{host}', f'{g.host}:{g.port}').encode('latin-1'))
        # A client that has closed its side is no longer known to be the local owner: first let the server answer what it has.
        select.select([s], [], [], 0.3)
        s.shutdown(socket.SHUT_WR)
        answer = b''
        while True:
            try:
                piece = s.recv(65536)
            except ConnectionResetError:
                break
            if not piece:
                break
            answer += piece
    match = re.match(rb'HTTP/1\.1 (\d{3})', answer)
    return int(match[1]) if match else 0, answer.partition(b'\r\n\r\n')[2]


def send(g, case):
    body = payload(case)
    headers = dict(case.get('headers', {}))
    if 'json' in case:
        headers.setdefault('Content-Type', 'application/json')
    answer = g.http(case.get('method', 'POST' if body is not None else 'GET'), case['path'], body, headers)
    return answer.status, answer.body


def code_of(body):
    match = re.search(rb'"code":\s*"(GY\d{4})"', body)
    return match[1].decode() if match else ''


def run_cli(g, case):
    path = os.path.join(g.work, case.get('file', 'input.csv'))
    with open(path, 'wb') as f:
        f.write(payload(case) or b'')
    done = g.cli(*[word.replace('{file}', path) for word in case['cli']], check=False)
    found = re.search(r'error\[(GY\d{4})\]', done.stderr)
    return done.returncode, found[1] if found else '', done.stderr


def judge(g, case):
    """Why the case went wrong, or None."""
    if 'cli' in case:
        code, gy, text = run_cli(g, case)
        if code not in case['exit'] or not gy.startswith(case.get('code', 'GY')) or gy in ('GY1000', 'GY1001'):
            return f'exit {code} {gy}: {text[:300]}'
        return None
    status, body = send_raw(g, case['raw']) if 'raw' in case else send(g, case)
    if status not in case['status']:
        return f'{status} {body[:300]!r}'
    gy = code_of(body)
    if status >= 400 and status != 0 and 'raw' not in case and not gy and not case.get('plain'):
        return f'{status} without a code: {body[:300]!r}'
    if not gy.startswith(case.get('code', '')):
        return f'{status} {gy}, expected {case["code"]}: {body[:300]!r}'
    if 'job' in case and status == 202:
        job = g.wait_job(json.loads(body), 60)
        error = job.get('error') or {}
        if job['state'] != 'failed' or not error.get('code', '').startswith(case['job']) or not error.get('message') or error['code'] in ('GY1000', 'GY1001'):
            return f'job {job["state"]}: {error}'
    return None


def prepare(g):
    """A small road: dataset people, model people, endpoint people."""
    rows = ['age,city,income,buys']
    for i in range(300):
        age, city = 18 + i * 7 % 60, ('Graz', 'Wien', 'Linz')[i % 3]
        rows.append(f'{age},{city},{1000 + i * 37 % 4000},{"yes" if (age * 3 + i % 11) % 90 > 45 else "no"}')
    g.wait_job(g.json('POST', '/api/v1/projects/default/datasets/people/versions?filename=people.csv', '\n'.join(rows) + '\n', headers={'Content-Type': 'text/csv'}))
    done = g.wait_job(g.json('POST', '/api/v1/projects/default/train', {'dataset': 'people', 'target': 'buys', 'trials': 3, 'seed': 1}))
    assert done['state'] == 'succeeded', done
    g.json('PUT', '/api/v1/projects/default/endpoints/people', {'model': done['result']['model']})


def load():
    cases = []
    for number, line in enumerate(open(TABLE, encoding='utf-8'), 1):
        if line.strip() and not line.startswith('#'):
            try:
                cases.append(json.loads(line))
            except ValueError as problem:
                raise AssertionError(f'bad_input.jsonl:{number}: {problem}') from None
    return cases


def main():
    cases = load()
    assert len(cases) >= CASES_MIN, f'{len(cases)} cases, at least {CASES_MIN}'
    names = [case['name'] for case in cases]
    assert len(set(names)) == len(names), 'two cases have the same name'
    wanted = sys.argv[1:]
    failures = []
    begin = time.monotonic()
    with Gyre() as g:
        g.start()
        if not wanted or wanted == ['all']:
            prepare(g)
        for case in cases:
            if wanted and wanted != ['all'] and not any(word in case['name'] for word in wanted):
                continue
            problem = judge(g, case)
            if problem is None and g.http('GET', '/healthz').status != 200:
                problem = 'the server is not healthy after it'
            if problem is not None:
                failures.append(f"{case['name']}: {problem}")
                print('FAILED ' + failures[-1], flush=True)
            assert g.server.poll() is None, f"the server ended with {g.server.returncode} after {case['name']}\n{g.log()}"
        assert g.stop() == 0
    print(f'{len(cases)} cases, {len(failures)} failures ({time.monotonic() - begin:.1f} s)')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
