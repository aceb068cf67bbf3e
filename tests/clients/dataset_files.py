"""A version by its URL, as people's own tools read it: pandas (the real one from PyPI) with a token, and plain HTTP with Range."""
import hashlib
import json
import os
import subprocess
import sys

from harness import Gyre, skip

READ = """
import json, os, sys
import pandas
url, token = sys.argv[1:]
frame = pandas.read_parquet(url, storage_options={'Authorization': 'Bearer ' + token} if token else None)
print(json.dumps({'rows': len(frame), 'columns': list(frame.columns), 'types': [str(t) for t in frame.dtypes], 'sum': float(frame['amount'].sum()),
                  'missing': int(frame['amount'].isna().sum()), 'last': str(frame['day'].iloc[-1])}), flush=True)
os._exit(0)  # without the end of its libraries' threads, which now and then abort
"""
PYTHON = os.environ.get('GYRE_TEST_PYTHON') or sys.executable


def pandas_reads(url, token=''):
    done = subprocess.run([PYTHON, '-c', READ, url, token], capture_output=True, text=True, timeout=120)
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr


def ranges(g, path):
    whole = g.http('GET', path)
    assert whole.status == 200 and whole.body[:4] == b'PAR1' and whole.body[-4:] == b'PAR1'
    size = len(whole.body)
    assert int(whole.headers['Content-Length']) == size and whole.headers['Accept-Ranges'] == 'bytes'
    for header, status, expected in [('bytes=0-3', 206, whole.body[:4]), (f'bytes={size - 4}-', 206, whole.body[-4:]), ('bytes=-8', 206, whole.body[-8:]),
                                     (f'bytes=10-{size * 2}', 206, whole.body[10:]), (f'bytes={size}-', 416, b''), ('bytes=5-2', 200, whole.body),
                                     ('bytes=0-1,3-4', 200, whole.body), ('lines=1-2', 200, whole.body), ('bytes=x-', 200, whole.body)]:
        part = g.http('GET', path, headers={'Range': header})
        assert part.status == status, (header, part.status)
        assert part.body == expected or status == 416, header
        if status == 206:
            assert part.headers['Content-Range'].endswith(f'/{size}'), part.headers['Content-Range']
    head = g.http('HEAD', path)
    assert head.status == 200 and int(head.headers['Content-Length']) == size and head.body == b''
    assert g.http('GET', path, headers={'If-None-Match': whole.headers['ETag']}).status == 304
    return hashlib.sha256(whole.body).hexdigest()


def main():
    if subprocess.run([PYTHON, '-c', 'import pandas, pyarrow'], capture_output=True).returncode != 0:
        skip(f'{PYTHON} has no pandas and pyarrow: tools/deps test')
    with Gyre() as g:
        table = os.path.join(g.work, 'sales.csv')
        with open(table, 'w') as f:
            f.write('id,day,amount,city\n')
            for i in range(5000):
                f.write(f"{i},2026-{1 + i % 12:02}-{1 + i % 28:02},{'' if i % 10 == 0 else i / 4},{'Köln' if i % 2 else 'Rome'}\n")
        g.start()
        added = g.cli_json('add', table)
        assert added['rows'] == 5000 and added['version'] == 'v1', added
        path = '/api/v1/projects/default/datasets/sales/versions/v1/data.parquet'
        version = g.json('GET', path.rsplit('/', 1)[0])
        assert ranges(g, path) == version['parts'][0]['sha256']
        url = f'http://{g.host}:{g.port}{path}'
        seen = pandas_reads(url)
        assert isinstance(seen, dict), seen
        assert seen['rows'] == 5000 and seen['columns'] == ['id', 'day', 'amount', 'city'] and seen['missing'] == 500, seen
        assert abs(seen['sum'] - sum(i / 4 for i in range(5000) if i % 10)) < 1e-6, seen
        assert seen['types'][0] == 'int64' and seen['types'][2] == 'float64', seen

        # From outside, with a token: once a second user exists the owner's connection is no longer enough.
        for user in ('ann', 'bob'):
            g.cli('users', 'add', user, '--role', 'admin' if user == 'ann' else 'viewer', stdin='a long enough password\n')
        g.cli('login', '--user', 'bob', stdin='a long enough password\n')
        token = g.cli('tokens', 'add', 'notebook', '--scope', 'read')
        secret = next(word for word in (token.stdout + token.stderr).split() if word.startswith('gyre_'))
        assert g.http('GET', path).status == 401
        assert g.http('GET', path, headers={'Authorization': 'Bearer gyre_nonsense'}).status == 401
        seen = pandas_reads(url, secret)
        assert isinstance(seen, dict) and seen['rows'] == 5000, seen
        assert g.http('DELETE', path.rsplit('/', 1)[0], headers={'Authorization': 'Bearer ' + secret}).status == 403
        print('pandas read a version by its URL, as the owner and with a token')


main()
