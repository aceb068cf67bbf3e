"""Artifacts of every kind and size, through the server."""
import hashlib
import json
import os

from framework import case, row, table

ROOT = '/api/2.0/mlflow-artifacts/artifacts'


def begin(t):
    import mlflow
    mlflow.set_experiment(t.name())
    return mlflow.start_run()


def read(run, path):
    import mlflow
    with open(mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path=path), 'rb') as f:
        return f.read()


def root(run):
    return run.info.artifact_uri.removeprefix('mlflow-artifacts:')


# --- what the fluent API writes ---
@table(['a.txt', 'deep/er/still/a.txt', 'ünï 値 🧪.txt', 'with space.txt', "quo'te.txt", 'plus+and&.txt', 'a=b;c.txt', '.hidden', 'no_extension', 'x' * 200,
        'semi;colon.txt', 'at@x!$,().txt', 'tilde~[1].txt'])
def text(t, path):
    import mlflow
    with begin(t) as run:
        mlflow.log_text('Grüße\nzwei 🧪\n', path)
    t.same(read(run, path).decode(), 'Grüße\nzwei 🧪\n')
    t.same(mlflow.artifacts.load_text(f'{run.info.artifact_uri}/{path}') if path.isascii() and '%' not in path and ';' not in path else 'Grüße\nzwei 🧪\n', 'Grüße\nzwei 🧪\n')


@table(['per%cent.txt', 'per%2fcent.txt'], real_server='decodes what the client did not encode, and keeps another name')
def names_that_the_client_does_not_encode(t, path):
    import mlflow
    import requests
    with begin(t):
        try:
            mlflow.log_text('x', path)
        except requests.HTTPError as e:
            t.same(e.response.status_code, 400)
            return
    raise AssertionError('not refused')


@table([({'a': 1, 'ü': [1, None, 'x']}, 'd.json'), ({'a': {'b': 2}}, 'd.yaml'), ({'x': 'y'}, 'plain')])
def dictionary(t, value, path):
    import mlflow
    with begin(t) as run:
        mlflow.log_dict(value, path)
    if path.endswith('json'):
        t.same(mlflow.artifacts.load_dict(f'{run.info.artifact_uri}/{path}'), value)
    assert read(run, path)


@case()
def figure(t):
    import matplotlib
    matplotlib.use('Agg')
    import matplotlib.pyplot as plt
    import mlflow
    figure, axes = plt.subplots()
    axes.plot([1, 2])
    with begin(t) as run:
        mlflow.log_figure(figure, 'plots/a.png')
    plt.close(figure)
    t.same(read(run, 'plots/a.png')[:8], b'\x89PNG\r\n\x1a\n')


@case()
def image(t):
    import mlflow
    import numpy as np
    pixels = np.arange(300, dtype=np.uint8).reshape(10, 10, 3)
    with begin(t) as run:
        mlflow.log_image(pixels, 'i.png')
        mlflow.log_image(pixels, key='eins', step=3)
    t.same(read(run, 'i.png')[:4], b'\x89PNG')
    names = [f.path for f in t.client.list_artifacts(run.info.run_id, 'images')]
    t.same(len(names), 2)
    assert all(name.startswith('images/eins') for name in names), names


@case()
def table_of_rows(t):
    import mlflow
    import pandas as pd
    with begin(t) as run:
        mlflow.log_table({'q': ['a', 'ü'], 'n': [1, 2]}, 't.json')
        mlflow.log_table(pd.DataFrame({'q': ['c'], 'n': [3]}), 't.json')
    frame = mlflow.load_table('t.json', run_ids=[run.info.run_id])
    t.same((list(frame['q']), list(frame['n'])), (['a', 'ü', 'c'], [1, 2, 3]))
    t.same(json.loads(t.client.get_run(run.info.run_id).data.tags['mlflow.loggedArtifacts']), [{'path': 't.json', 'type': 'table'}])


@case()
def whole_folder(t):
    import mlflow
    for path, size in (('a.txt', 3), ('sub/b.bin', 1000), ('sub/deeper/ü.txt', 0), ('empty.bin', 0)):
        os.makedirs(os.path.dirname(f'{t.tmp}/in/{path}'), exist_ok=True)
        with open(f'{t.tmp}/in/{path}', 'wb') as f:
            f.write(b'x' * size)
    with begin(t) as run:
        mlflow.log_artifacts(f'{t.tmp}/in', 'here')
    got = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path='here', dst_path=f'{t.tmp}/out')
    sizes = {os.path.relpath(os.path.join(d, f), got): os.path.getsize(os.path.join(d, f)) for d, _, names in os.walk(got) for f in names}
    t.same(sizes, {'a.txt': 3, 'sub/b.bin': 1000, 'sub/deeper/ü.txt': 0, 'empty.bin': 0})


@case()
def everything_of_a_run(t):
    import mlflow
    with begin(t) as run:
        for path in ('a.txt', 'b/c.txt'):
            mlflow.log_text(path, path)
    got = mlflow.artifacts.download_artifacts(artifact_uri=f'runs:/{run.info.run_id}/', dst_path=t.tmp)
    t.same(sorted(os.listdir(got)), ['a.txt', 'b'])


def blob(size):
    return hashlib.sha256(b'gyre').digest() * (size // 32) + b'\n' * (size % 32)


@table([0, 1, 31, 4095, 65536, 1 << 20, (1 << 20) + 1, 20 << 20])
def sizes(t, size):
    sized(t, size)


@table([(1 << 30)], slow=True)
def large(t, size):
    sized(t, size)


def sized(t, size):
    import mlflow
    path = f'{t.tmp}/blob.bin'
    content = blob(size)
    with open(path, 'wb') as f:
        f.write(content)
    with begin(t) as run:
        mlflow.log_artifact(path, 'of size')
    listed = t.client.list_artifacts(run.info.run_id, 'of size')
    t.same([(f.path, f.file_size or 0) for f in listed], [('of size/blob.bin', size)])  # MLflow leaves out a zero
    assert read(run, 'of size/blob.bin') == content, 'the content differs'


@case()
def overwrite(t):
    import mlflow
    with begin(t) as run:
        mlflow.log_text('a longer first text', 'a.txt')
        mlflow.log_text('second', 'a.txt')
    t.same(read(run, 'a.txt'), b'second')


# --- lists ---
@case()
def listing(t):
    run = t.run_id()
    for path in ('a.txt', 'dir/b.txt', 'dir/sub/c.txt', 'ü/d.txt'):
        t.client.log_text(run, 'xyz', path)

    def seen(path=None):
        return [(f.path, f.is_dir, f.file_size) for f in t.client.list_artifacts(run, path)]
    t.same(sorted(seen()), [('a.txt', False, 3), ('dir', True, None), ('ü', True, None)])
    t.same(sorted(seen('dir')), [('dir/b.txt', False, 3), ('dir/sub', True, None)])
    t.same((seen('a.txt'), seen('nothing')), ([], []))


@case()
def listing_on_the_wire(t):
    run = t.run()
    t.client.log_text(run.info.run_id, 'xyz', 'dir/b.txt')
    t.same(t.get('artifacts/list', run_id=run.info.run_id), {'root_uri': run.info.artifact_uri, 'files': [{'path': 'dir', 'is_dir': True}]})
    t.same(t.get('artifacts/list', run_id=run.info.run_id, path='dir')['files'], [{'path': 'dir/b.txt', 'is_dir': False, 'file_size': 3}])
    t.same(t.get(ROOT, path=root(run)[1:] + '/dir')['files'], [{'path': 'b.txt', 'is_dir': False, 'file_size': 3}])


@case()
def listing_of_nothing(t):
    run = t.run()
    t.same(t.get('artifacts/list', run_id=run.info.run_id), {'root_uri': run.info.artifact_uri})


@case()
def a_hundred_files(t):
    import mlflow
    os.makedirs(f'{t.tmp}/many')
    for i in range(100):
        with open(f'{t.tmp}/many/{i:03}', 'w') as f:
            f.write(str(i))
    with begin(t) as run:
        mlflow.log_artifacts(f'{t.tmp}/many', 'many')
    t.same([f.path for f in t.client.list_artifacts(run.info.run_id, 'many')], [f'many/{i:03}' for i in range(100)])


@table([('..', 400), ('../x', 400), ('a/../../x', 400), ('/etc', 400), ('%2e%2e/x', 400), ('a#b', 400)])
def listing_of_bad_paths(t, path, status):
    reply = t.send('GET', 'artifacts/list', run_id=t.run_id(), path=path)
    t.same(reply.status, status)
    t.refused(reply, 400, 'INVALID_PARAMETER_VALUE', 'Invalid path')


@case()
def listing_of_an_unknown_run(t):
    t.refused(t.send('GET', 'artifacts/list', run_id='0' * 32), 404, 'RESOURCE_DOES_NOT_EXIST')


@case()
def listing_without_a_run(t):
    t.refused(t.send('GET', 'artifacts/list'), 400, 'INVALID_PARAMETER_VALUE', "Missing value for required parameter 'run_id'")


# --- raw: PUT, GET, DELETE ---
@case()
def put_get_delete(t):
    path = ROOT + root(t.run()) + '/raw.bin'
    t.same(t.send('PUT', path, b'\x00\xffraw').status, 200)
    got = t.send('GET', path)
    t.same((got.status, got.body), (200, b'\x00\xffraw'))
    t.same(t.send('DELETE', path).status, 200)
    assert t.send('GET', path).status == 404


@case()
def both_prefixes(t):
    path = '2.0/mlflow-artifacts/artifacts' + root(t.run()) + '/x'
    t.send('PUT', f'/ajax-api/{path}', b'one')
    t.same(t.send('GET', f'/api/{path}').body, b'one')


@table([('a.txt', 'text/plain'), ('a.json', 'text/plain'), ('a.py', 'text/plain'), ('a.csv', 'text/plain'), ('a.yaml', 'text/plain'), ('MLmodel', 'text/plain'), row('MLproject', 'text/plain', real_server='octet-stream'), ('a.md', 'text/plain'),
        ('a.png', 'image/png'), ('a.jpg', 'image/jpeg'), ('a.svg', 'image/svg+xml'), ('a.html', 'text/html'), ('a.pdf', 'application/pdf'), ('a.unknown', 'application/octet-stream'),
        ('a', 'application/octet-stream'), ('a.pkl', 'application/octet-stream'), ('a.mp4', 'video/mp4'), ('a.log', 'text/plain'), ('a.xml', None), ('a.js', None), ('a.zip', 'application/zip')])
def headers_of_a_download(t, name, kind):
    path = ROOT + root(t.run()) + '/' + name
    t.send('PUT', path, b'x')
    headers = t.send('GET', path).headers
    assert kind is None or headers['Content-Type'].split(';')[0] == kind, headers['Content-Type']
    t.same(headers['X-Content-Type-Options'], 'nosniff')
    assert headers['Content-Disposition'].startswith('attachment'), headers['Content-Disposition']


@case()
def get_nothing(t):
    reply = t.send('GET', ROOT + root(t.run()) + '/nothing.txt')
    t.same(reply.status, 404)


@table(['../../etc/passwd', '..%2f..%2fetc%2fpasswd', '%252e%252e%252fetc', 'a/../../../x', '/etc/passwd', 'a/%2e%2e/%2e%2e/x'])
def get_of_bad_paths(t, path):
    reply = t.send('GET', f'{ROOT}/{path}')
    assert reply.status in (400, 404), (reply.status, reply.text)
    assert 'root:' not in reply.text


def refused_path(t, reply, path):
    t.same(reply.status, 400)
    if '%2f' not in path:  # a slash that is encoded is refused before a route is looked for
        t.refused(reply, 400, 'INVALID_PARAMETER_VALUE', 'Invalid path')


@table(['..%2f..%2fgyre-attack', '%252e%252e%252fgyre-attack', 'a%23b/x', '1/..%2f..%2f..%2fx'])
def put_to_bad_paths(t, path):
    refused_path(t, t.send('PUT', f'{ROOT}/{path}', b'x'), path)


@table(['..%2f..', '%252E%252E%252F', '..%2f'])
def delete_of_bad_paths(t, path):
    refused_path(t, t.send('DELETE', f'{ROOT}/{path}'), path)


@case()
def the_page_of_a_run_reads(t):
    run = t.run()
    t.client.log_text(run.info.run_id, 'content', 'dir/ü.txt')
    for key in ('run_id', 'run_uuid'):
        got = t.send('GET', '/get-artifact', **{key: run.info.run_id, 'path': 'dir/ü.txt'})
        t.same((got.status, got.text), (200, 'content'))


@table(['../../../../../../etc/passwd', '/etc/passwd', '%2e%2e/%2e%2e/etc/passwd', 'x#y'])
def the_page_reads_no_bad_path(t, path):
    t.refused(t.send('GET', '/get-artifact', run_uuid=t.run_id(), path=path), 400, 'INVALID_PARAMETER_VALUE', 'Invalid path')


@case()
def the_page_of_a_version_reads(t):
    run, name = t.run(), t.name()
    t.client.log_text(run.info.run_id, 'name: x', 'm/MLmodel')
    t.client.create_registered_model(name)
    t.client.create_model_version(name, f'{run.info.artifact_uri}/m', run_id=run.info.run_id)
    for path in ('/model-versions/get-artifact', '//model-versions/get-artifact'):
        got = t.send('GET', path, name=name, version='1', path='MLmodel')
        t.same((got.status, got.text), (200, 'name: x'))


@case()
def upload_by_the_page(t):
    run = t.run_id()
    got = t.send('POST', '/ajax-api/2.0/mlflow/upload-artifact?' + f'run_uuid={run}&path=notes/a.txt', b'from the page')
    t.same(got.status, 200)
    t.same(t.send('GET', '/get-artifact', run_id=run, path='notes/a.txt').text, 'from the page')


@table([('path=a', 'Request must specify run_id or run_uuid.'), ('run_uuid={run}', 'Request must specify path.'), ('run_uuid={run}&path=../a', 'Invalid path')])
def uploads_refused(t, query, message):
    t.refused(t.send('POST', '/ajax-api/2.0/mlflow/upload-artifact?' + query.format(run=t.run_id()), b'x'), 400, 'INVALID_PARAMETER_VALUE', message)


@case(real_server='answers 400')
def upload_of_11_megabytes_by_the_page(t):
    reply = t.send('POST', f'/ajax-api/2.0/mlflow/upload-artifact?run_uuid={t.run_id()}&path=a', b'x' * (11 << 20))
    t.refused(reply, 413, 'INVALID_PARAMETER_VALUE', 'the body is larger than')


@case()
def empty_upload_by_the_page(t):
    t.refused(t.send('POST', f'/ajax-api/2.0/mlflow/upload-artifact?run_uuid={t.run_id()}&path=a'), 400, 'INVALID_PARAMETER_VALUE', 'Request must specify data.')


@case(since='3.0')
def ranges(t):
    path = ROOT + root(t.run()) + '/r.bin'
    t.send('PUT', path, bytes(range(256)))
    got = t.send('GET', path, headers={'Range': 'bytes=10-19'})
    t.same((got.status, got.body), (206, bytes(range(10, 20))))


# --- roots that are not the server's ---
@case()
def file_root(t):
    exp = t.experiment(artifact_location=f'file://{t.tmp}/root')
    run = t.run(exp)
    t.client.log_text(run.info.run_id, 'local', 'a/b.txt')
    t.same(open(f'{t.tmp}/root/{run.info.run_id}/artifacts/a/b.txt').read(), 'local')
    t.same([f.path for f in t.client.list_artifacts(run.info.run_id)], ['a'])


@case()
def delete_artifacts(t):
    import mlflow
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
    with begin(t) as run:
        for path in ('a.txt', 'd/b.txt'):
            mlflow.log_text('x', path)
    get_artifact_repository(run.info.artifact_uri).delete_artifacts('d')
    t.same([f.path for f in t.client.list_artifacts(run.info.run_id)], ['a.txt'])


# --- multipart: offered or refused, never half ---
@case()
def multipart_is_offered_or_refused(t):
    reply = t.send('POST', '/api/2.0/mlflow-artifacts/mpu/create' + root(t.run()), {'path': 'big.bin', 'num_parts': 2})
    assert reply.status in (200, 501), (reply.status, reply.text)


@case(real_server='its local store has no multipart upload')
def multipart_upload(t):
    base = root(t.run())
    made = t.answer(t.send('POST', f'/api/2.0/mlflow-artifacts/mpu/create{base}', {'path': 'big.bin', 'num_parts': 2}), 'create')
    import requests
    parts = []
    for credential, content in zip(made['credentials'], (b'a' * (5 << 20), b'b' * 7)):
        answer = requests.put(credential['url'], data=content, headers=credential.get('headers', {}))
        assert answer.status_code == 200, answer.text
        parts.append({'part_number': credential['part_number'], 'etag': answer.headers['ETag'], 'url': credential['url']})
    t.answer(t.send('POST', f'/api/2.0/mlflow-artifacts/mpu/complete{base}', {'path': 'big.bin', 'upload_id': made['upload_id'], 'parts': parts}), 'complete')
    t.same(len(t.send('GET', f'{ROOT}{base}/big.bin').body), (5 << 20) + 7)
