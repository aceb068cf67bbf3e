"""What every noun of the API does alike: made, listed page by page, shown, changed, removed, and then not found; wrong input is a problem with a code;
who may not, may not; the OpenAPI document and the route tables say the same."""
import http.client
import json
import os
import re
import sys

from harness import SOURCE, Gyre

PASSWORD = 'correct horse battery'
P = '/api/v1/projects/default'
ROW = re.compile(r'\.method = (?:net::)?Method::k(\w+),\s*\.path = "([^"]+)"')


def problem(answer, status, code='GY'):
    """The answer is a problem document with one of these statuses and a code that begins so."""
    allowed = status if isinstance(status, tuple) else (status,)
    assert answer.status in allowed, f'{answer.status}, expected {status}: {answer.body[:400]!r}'
    assert answer.headers['Content-Type'] == 'application/problem+json', answer.headers['Content-Type']
    document = answer.json()
    assert re.fullmatch(r'GY\d{4}', document['code']) and document['code'].startswith(code), document
    assert document['code'] not in ('GY1000', 'GY1001') and document['message'], document
    assert document['status'] == answer.status and document['request_id'], document
    return document


def pages(g, path, limit, headers=None):
    """All items, page by page; no page is longer than the limit and none comes twice."""
    items, token, seen = [], '', set()
    while True:
        joint = '&' if '?' in path else '?'
        page = g.json('GET', f'{path}{joint}limit={limit}' + (f'&page_token={token}' if token else ''), headers=headers)
        assert len(page['items']) <= limit, (path, len(page['items']))
        items += page['items']
        token = page.get('next_page_token', '')
        if not token:
            return items
        assert token not in seen, f'{path}: the page {token} comes again'
        seen.add(token)


def wrong_pages(g, path):
    for query in ('limit=0', 'limit=1001', 'limit=many', 'limit=-1'):
        problem(g.http('GET', path + ('&' if '?' in path else '?') + query), 400)


def program(g, name, project='default', **more):
    return g.json('POST', f'/api/v1/projects/{project}/programs', {'name': name, 'source': {'command': ['true']}, **more})


def user(g, name, role, project='default', by=None):
    """Headers of a new user with this role."""
    g.json('POST', '/api/v1/users', {'name': name, 'password': PASSWORD, 'roles': [{'role': role, 'project': project}]}, headers=by)
    login = g.json('POST', '/api/v1/login', {'name': name, 'password': PASSWORD})
    return {'Authorization': 'Bearer ' + login['secret']}


def runs(g):
    made = [program(g, f'run-{i}', experiment='nouns', params={'depth': i}, tags={'team': 'blue' if i % 2 else 'red'})['run'] for i in range(7)]
    runs_path = P + '/runs?experiment=nouns'
    assert [r['name'] for r in pages(g, runs_path, 2)] == [f'run-{i}' for i in reversed(range(7))]
    assert len(pages(g, runs_path, 7)) == 7 and len(pages(g, runs_path, 1000)) == 7
    assert [r['name'] for r in pages(g, runs_path + '&tag=team:blue', 1)] == ['run-5', 'run-3', 'run-1']
    wrong_pages(g, runs_path)
    problem(g.http('GET', runs_path + '&page_token=nonsense'), 400)
    problem(g.http('GET', runs_path + '&status=happy'), 400, 'GY1601')
    assert 'did you mean `status`?' in problem(g.http('GET', runs_path + '&statu=failed'), 400, 'GY1631')['fix']
    problem(g.http('GET', runs_path + '&tag=blue'), 400, 'GY3412')

    run = f"{P}/runs/{made[0]['id']}"
    assert g.json('GET', run)['params'] == {'depth': '0'}
    assert g.http('POST', run + '/batch', {'metrics': [{'key': 'loss', 'value': 2.5 - i, 'step': i} for i in range(5)], 'tags': {'stage': 'one'}}).status == 204
    points = g.json('GET', run + '/metrics/loss')['items']
    assert [(p['step'], p['value']) for p in points] == [(i, 2.5 - i) for i in range(5)], points
    assert len(g.json('GET', run + '/metrics/loss?limit=2')['items']) <= 2
    assert g.http('POST', run + '/batch', {'metrics': [{'key': 'val/a b/loss', 'value': 7}]}).status == 204
    assert g.json('GET', run + '/metrics/val/a%20b/loss')['items'][0]['value'] == 7
    assert g.json('GET', run)['tags'] == {'team': 'red', 'stage': 'one'}
    for i, other in enumerate(made[1:4]):
        assert g.http('POST', f"{P}/runs/{other['id']}/batch", {'metrics': [{'key': key, 'value': float(i)} for key in ('test_rmse', 'valid_auc')]}).status == 204
    best = {key: g.json('GET', runs_path + '&order_by=' + key)['items'][0]['name'] for key in ('test_rmse', 'valid_auc')}
    assert best == {'test_rmse': 'run-1', 'valid_auc': 'run-3'}, best
    assert 'did you mean `test_rmse`?' in problem(g.http('GET', runs_path + '&order_by=test_rmsle'), 400, 'GY3415')['fix']
    assert g.json('GET', runs_path + '&order_by=test_rmse&ascending=false')['items'][0]['name'] == 'run-3'
    problem(g.http('POST', run + '/batch', {'params': {'depth': 9}}), 409, 'GY3404')
    for body in ({'metrics': [{'key': 'loss', 'value': 'high'}]}, {'metrics': [{'value': 1}]}, {'params': {'a': [1]}}, {'tags': {'a': {}}}):
        problem(g.http('POST', run + '/batch', body), (400, 422))
    for body in ('', '[]', '{', 'null'):
        problem(g.http('POST', run + '/batch', body), (400, 422))

    assert g.json('PUT', run + '/artifacts/notes/a.txt', 'hello')['path'] == 'notes/a.txt'
    assert g.http('GET', run + '/artifacts/notes/a.txt').body == b'hello'
    assert [a['path'] for a in g.json('GET', run + '/artifacts')['items']] == ['notes/a.txt']
    problem(g.http('GET', run + '/artifacts/none'), 404)
    problem(g.http('PUT', run + '/artifacts/..%2f..%2fetc', 'x'), (400, 422))

    problem(g.http('POST', run + '/end', {'status': 'happy'}), 400, 'GY3412')
    assert g.json('POST', run + '/end', {'status': 'failed', 'error': 'no luck'})['status'] == 'failed'
    assert g.http('DELETE', run).status == 200
    for path in ('', '/metrics/loss', '/artifacts', '/log'):
        problem(g.http('GET', run + path), 404)
    problem(g.http('DELETE', run), 404)
    problem(g.http('POST', run + '/end', {}), 404)
    problem(g.http('POST', '/api/v1/projects/nobody/programs', {'source': {'command': ['true']}}), 404)
    for body in ({}, {'source': {}}, {'source': {'command': 'true'}}, {'source': {'command': []}}, {'source': {'command': ['true']}, 'params': {'a': []}}):
        problem(g.http('POST', P + '/programs', body), (400, 422))


def jobs(g):
    rows = 'age,buys\n' + ''.join(f"{20 + i % 40},{'yes' if i % 3 else 'no'}\n" for i in range(60))
    made = []
    for i in range(3):
        answer = g.http('POST', f'{P}/datasets/people{i}/versions?filename=p.csv', rows, headers={'Content-Type': 'text/csv'})
        assert answer.status == 202, answer.body
        job = answer.json()
        assert answer.headers['Location'] == '/api/v1/jobs/' + job['id']
        made.append(g.wait_job(job)['id'])
    assert all(g.json('GET', f'/api/v1/jobs/{job}')['state'] == 'succeeded' for job in made)
    listed = g.json('GET', '/api/v1/jobs?project=default')['items']
    assert [job['id'] for job in listed] == made[::-1], listed
    assert [job['id'] for job in g.json('GET', '/api/v1/jobs?limit=1')['items']] == made[-1:]
    assert g.json('GET', '/api/v1/jobs?project=nobody')['items'] == []
    assert [job['id'] for job in pages(g, '/api/v1/jobs?project=default', 2)] == made[::-1]
    assert [job['id'] for job in pages(g, '/api/v1/jobs', 1)] == made[::-1]
    wrong_pages(g, '/api/v1/jobs')
    log = g.http('GET', f'/api/v1/jobs/{made[0]}/log')
    assert log.status == 200 and log.headers['Content-Type'].startswith('text/plain')
    assert g.http('GET', f'/api/v1/jobs/{made[0]}/log?offset=1000000').body == b''
    problem(g.http('GET', f'/api/v1/jobs/{made[0]}/log?offset=-1'), 400)
    assert g.json('POST', f'/api/v1/jobs/{made[0]}/cancel')['state'] == 'succeeded'  # it had ended: nothing happens
    for method, path in (('GET', ''), ('GET', '/log'), ('GET', '/events'), ('POST', '/cancel')):
        problem(g.http(method, '/api/v1/jobs/nobody' + path), 404, 'GY3302')
    assert [d['name'] for d in pages(g, P + '/datasets', 1)] == ['people0', 'people1', 'people2']
    wrong_pages(g, P + '/datasets')


def training(g):
    good = {'dataset': 'people0', 'target': 'buys', 'trials': 1, 'seed': 1}
    for wrong in ({}, {'dataset': 'people0', 'target': 7}, {'dataset': 1, 'target': 'buys'}, {**good, 'trials': 'many'}, {**good, 'trials': -1},
                  {**good, 'seed': 'one'}, {**good, 'speed': 3}, {**good, 'drop': 'age'}):
        problem(g.http('POST', P + '/train', wrong), (400, 422))
    for body in ('', '[]', '{', '"people0"'):
        problem(g.http('POST', P + '/train', body), (400, 422))
    problem(g.http('POST', P + '/train', {**good, 'dataset': 'nobody'}), 404)
    problem(g.http('POST', P + '/train', {**good, 'target': 'colour'}), (400, 404, 422))
    answer = g.http('POST', P + '/train', good)
    assert answer.status == 202 and answer.headers['Location'] == '/api/v1/jobs/' + answer.json()['id']
    done = g.wait_job(answer.json())
    assert done['state'] == 'succeeded', done
    assert pages(g, f"{P}/runs?job={done['id']}", 1), 'a training has runs'
    assert [m['name'] for m in pages(g, P + '/models', 1)] == [done['result']['model'].split(':')[0].split('@')[0]]
    return done


def events(g):
    whole = g.json('GET', '/api/v1/events?limit=1000')['items']
    assert len(whole) >= 4, whole
    numbers = [event['sequence'] for event in whole]
    assert numbers == sorted(numbers, reverse=True)
    assert [e['sequence'] for e in pages(g, '/api/v1/events', 2)] == numbers
    # After a number the oldest comes first, on every page.
    after = numbers[-1]
    assert [e['sequence'] for e in pages(g, f'/api/v1/events?after={after}', 2)] == numbers[:-1][::-1]
    assert [e['sequence'] for e in g.json('GET', '/api/v1/events?after=0&limit=1000')['items']] == numbers[::-1]
    for path, headers in (('?after=0', {}), ('', {'Last-Event-ID': '0'})):
        stream = http.client.HTTPConnection(g.host, g.port, timeout=30)
        stream.request('GET', '/api/v1/events/stream' + path, headers=headers)
        answer = stream.getresponse()
        assert answer.headers.get_all('Cache-Control') == ['no-store'], answer.headers.items()
        assert answer.readline() == f'id: {numbers[-1]}\n'.encode()
        stream.close()
    assert g.json('GET', '/api/v1/events?project=nobody')['items'] == []
    wrong_pages(g, '/api/v1/events')
    for token in ('nonsense', '0', '-3', '1.5'):
        problem(g.http('GET', '/api/v1/events?page_token=' + token), 400, 'GY4151')
    problem(g.http('GET', '/api/v1/events?after=-1'), 400)
    assert g.json('GET', '/api/v1/events/parked')['items'] == []
    problem(g.http('POST', '/api/v1/events/parked/nobody/1/retry'), 404, 'GY4101')
    problem(g.http('POST', '/api/v1/events/parked/nobody/first/retry'), 400, 'GY4155')


def notices(g):
    channels, path = P + '/channels', P + '/notices'
    for wrong in ({}, {'name': 'a'}, {'name': 'a', 'webhook': 7}, {'name': 'a b', 'webhook': 'https://example.org/'}, {'name': 'a', 'webhook': 'example.org'},
                  {'name': 'a', 'webhook': 'https://example.org/', 'smtp': 'example.org:25'}, {'name': 'a', 'webhook': 'https://example.org/', 'format': 'xml'},
                  {'name': 'a', 'smtp': 'example.org:25', 'from': 'x', 'to': ['a@example.org']}, {'name': 'a', 'smtp': 'example.org:25', 'from': 'a@example.org', 'to': 'b'},
                  {'name': 'a', 'webhook': 'https://example.org/', 'min_severity': 'loud'}):
        problem(g.http('POST', channels, wrong), (400, 422))
    problem(g.http('POST', channels, {'name': 'a', 'webhook': 'https://example.org/', 'secret': 'plain'}), (400, 422), 'GY4404')
    problem(g.http('POST', channels, {'name': 'a', 'webhook': 'http://169.254.169.254/'}), 403, 'GY1626')
    problem(g.http('POST', channels, {'name': 'a', 'webhook': 'secret:none'}), 404, 'GY4142')
    problem(g.http('POST', '/api/v1/projects/nobody/channels', {'name': 'a', 'webhook': 'https://example.org/'}), 404)
    # Only what is critical goes there, so that nothing leaves this test.
    made = {'name': 'grave', 'webhook': 'https://nobody.invalid/hook', 'min_severity': 'critical'}
    assert g.http('POST', channels, made).status == 201
    problem(g.http('POST', channels, made), 409, 'GY4405')
    assert g.json('POST', channels, {**made, 'replace': True})['webhook'] == made['webhook']
    assert [c['name'] for c in g.json('GET', channels)['items']] == ['grave'] and g.json('GET', channels + '/grave')['kind'] == 'webhook'

    told = [g.json('POST', path, {'title': f'number {i}', 'key': f'k{i}'})['id'] for i in range(5)]
    again = g.http('POST', path, {'title': 'other words', 'key': 'k4'})
    assert (again.status, again.json()['id'], again.json()['title'], again.json()['fresh']) == (200, told[4], 'number 4', False)
    assert [n['id'] for n in pages(g, path, 2)] == told[::-1] == [n['id'] for n in pages(g, path + '?state=unsent', 2)]
    assert g.json('GET', path + '?state=dead')['items'] == []
    assert g.json('GET', f'{path}/{told[0][:10]}')['title'] == 'number 0'
    wrong_pages(g, path)
    problem(g.http('GET', path + '?state=happy'), 400, 'GY1601')
    problem(g.http('GET', path + '/none'), 404, 'GY4406')
    problem(g.http('POST', f'{path}/{told[0]}/retry'), 409, 'GY4408')
    for wrong in ({}, {'title': 7}, {'title': 'a', 'severity': 'loud'}, {'title': 'a', 'kind': 'two words'}, {'title': 'a', 'payload': []}, {'title': 'a', 'links': ['x']}):
        problem(g.http('POST', path, wrong), (400, 422))
    problem(g.http('POST', path, {'title': 'a', 'channels': ['nobody']}), 404, 'GY4402')
    assert g.http('DELETE', channels + '/grave').status == 200
    for method, end in (('GET', ''), ('DELETE', ''), ('POST', '/test')):
        problem(g.http(method, channels + '/grave' + end), 404, 'GY4402')


def audit(g):
    whole = g.json('GET', '/api/v1/audit?limit=1000')['items']
    numbers = [entry['sequence'] for entry in whole]
    assert len(numbers) > 4 and numbers == sorted(numbers, reverse=True)
    assert [e['sequence'] for e in pages(g, '/api/v1/audit', 3)] == numbers
    wrong_pages(g, '/api/v1/audit')
    # What nobody tries in vain would fill the disk; it stands in the metrics and the log.
    for wrong in ({}, {'token': 'x', 'name': 'a', 'password': PASSWORD}):
        problem(g.http('POST', '/api/v1/setup', wrong, headers={'X-Forwarded-For': '10.0.0.1'}), (400, 401, 422))
    assert g.json('GET', '/api/v1/audit?limit=1000')['items'] == whole
    assert 'route="/api/v1/setup",status="401"} 1' in g.http('GET', '/metrics').body.decode()
    problem(g.http('GET', '/api/v1/audit?page_token=x'), 400, 'GY4151')
    problem(g.http('GET', '/api/v1/audit?from=yesterday'), 400, 'GY4152')
    verdict = g.json('GET', '/api/v1/audit/verify')
    assert verdict['sound'] and verdict['entries'] == len(numbers), verdict
    assert verdict['anchored'] is None or verdict['anchored']['sequence'] <= verdict['entries'], verdict
    anchor = verdict['anchor']
    assert g.json('GET', f"/api/v1/audit/verify?sequence={anchor['sequence']}&hash={anchor['hash']}")['sound']
    assert not g.json('GET', f"/api/v1/audit/verify?sequence={anchor['sequence']}&hash={'0' * 64}")['sound']
    problem(g.http('GET', '/api/v1/audit/verify?sequence=last'), 400)


def lineage(g, trained):
    model = trained['result']['model']
    graph = g.json('GET', f'{P}/lineage?id={model}&direction=up')
    kinds = {node['kind'] for node in graph['nodes']}
    assert graph['start']['label'] == model and 'dataset_version' in kinds, graph
    ids = {node['id'] for node in graph['nodes']}
    assert graph['edges'] and all(e['from'] in ids and e['to'] in ids for e in graph['edges'])
    down = g.json('GET', f'{P}/lineage?id=people0:v1&direction=down')
    assert any(node['label'] == model for node in down['nodes']), down
    # Both ways from everything on the road: dataset, recipe, candidate, training, model, endpoint.
    g.json('PUT', P + '/endpoints/road', {'model': model})
    by_kind = {}
    for node in down['nodes'] + g.json('GET', f'{P}/lineage?id=dataset:people0:v1&direction=down')['nodes']:
        by_kind.setdefault(node['kind'], {})[node['id']] = node
    assert by_kind.keys() >= {'dataset_version', 'recipe', 'run', 'model_version', 'endpoint'}, by_kind.keys()
    data, version, best = g.json('GET', f'{P}/datasets/people0/versions/v1')['id'], trained['result']['version_id'], trained['result']['run']
    road = [data, next(iter(by_kind['recipe'])), best, version, next(i for i, node in by_kind['endpoint'].items() if node['label'] == 'road')]
    for place, here in enumerate(road):
        for direction, wanted in (('up', road[:place + 1]), ('down', road[place:])):
            seen = {node['id'] for node in g.json('GET', f'{P}/lineage?id={here}&direction={direction}')['nodes']}
            assert set(wanted) <= seen, (here, direction, wanted, seen)
    assert data in {node['id'] for node in g.json('GET', f"{P}/lineage?id={trained['result']['training_run']}")['nodes']}
    # What people call things.
    name = trained['result']['model_name']
    names = [(f'model:{model}', version), (f'model:{name}', version), ('dataset:people0:v1', data), ('dataset:people0', data)]
    for text, there in names + [(f'{name}@champion', version)] * trained['result']['promoted']:
        start = g.json('GET', f'{P}/lineage?id={text}')['start']
        assert start['id'] == there, (text, start)
    problem(g.http('GET', f'{P}/lineage?id={name}@nobody'), 404, 'GY3604')
    problem(g.http('GET', f'{P}/lineage?id=dataset:nobody'), 404, 'GY2101')
    same = g.json('GET', f'{P}/lineage?id={name}:v1')
    assert same['start']['kind'] == 'model_version', same['start']
    assert [other['name'] for other in same['others']] == (['dataset:people0:v1'] if name == 'people0' else []), same['others']
    problem(g.http('GET', P + '/lineage'), 400, 'GY4154')
    problem(g.http('GET', f'{P}/lineage?id={model}&direction=sideways'), 400, 'GY1601')
    problem(g.http('GET', f'{P}/lineage?id={model}&depth=0'), 400)
    problem(g.http('GET', P + '/lineage?id=nobody'), 404)


def usage(g):
    by_subject = g.json('GET', '/api/v1/usage')
    by_project = g.json('GET', '/api/v1/usage?group=project')
    for quantity in ('cpu_us', 'memory_mib_ms', 'bytes', 'requests', 'gpu_us', 'storage_byte_hours', 'egress_bytes', 'cost_nanos'):
        for report in (by_subject, by_project):
            assert sum(item[quantity] for item in report['items']) == report['total'][quantity], (quantity, report)
    assert by_subject['total']['cpu_us'] > 0
    problem(g.http('GET', '/api/v1/usage?group=colour'), 400, 'GY1601')
    problem(g.http('GET', '/api/v1/usage?from=soon'), 400, 'GY4152')
    problem(g.http('PUT', '/api/v1/usage/prices', '{"currency": "EUR"}', headers={'Content-Type': 'text/plain'}), 415, 'GY1629')
    before = len(g.json('GET', '/api/v1/usage/prices')['items'])
    books = g.json('PUT', '/api/v1/usage/prices', {'currency': 'CHF', 'cpu_hour_micros': 70_000})['items']
    assert len(books) == before + 1 and books[-1]['currency'] == 'CHF' and books[-1]['cpu_hour_micros'] == 70_000
    for wrong in ({'cpu_hour_micros': 'dear'}, {'cpu_hour_micros': -1}, {'currency': 5}, {'colour': 1}):
        problem(g.http('PUT', '/api/v1/usage/prices', wrong), (400, 422))
    assert problem(g.http('PUT', '/api/v1/usage/prices', {'curency': 'EUR'}), 422, 'GY1630')['fix'][0] == 'did you mean `currency`?'
    assert len(g.json('GET', '/api/v1/usage/prices')['items']) == before + 1


def secrets(g):
    assert g.http('PUT', P + '/secrets/WAREHOUSE', {'value': 'hidden-1'}).status == 204
    assert g.http('PUT', P + '/secrets/WAREHOUSE', {'value': 'hidden-2'}).status == 204
    listed = g.http('GET', P + '/secrets')
    assert [s['name'] for s in listed.json()['items']] == ['WAREHOUSE'] and b'hidden' not in listed.body
    assert g.http('POST', '/api/v1/secrets/rotate').status == 204
    for wrong in ({}, {'value': 7}, {'value': None}):
        problem(g.http('PUT', P + '/secrets/OTHER', wrong), (400, 422))
    problem(g.http('PUT', P + '/secrets/..%2fkey', {'value': 'x'}), (400, 422))
    problem(g.http('PUT', '/api/v1/projects/nobody/secrets/A', {'value': 'x'}), 404)
    assert g.http('DELETE', P + '/secrets/WAREHOUSE').status == 200
    problem(g.http('DELETE', P + '/secrets/WAREHOUSE'), 404)
    assert g.json('GET', P + '/secrets')['items'] == []
    assert b'hidden' not in g.http('GET', '/api/v1/audit?limit=1000').body


def references(node):
    if isinstance(node, dict):
        if '$ref' in node:
            yield node['$ref']
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def well_formed(document):
    """What OpenAPI 3.1 asks for and a client's generator trips over."""
    assert document['openapi'].startswith('3.1.') and document['info']['title'] and document['info']['version']
    for reference in references(document):
        node = document
        for part in reference.removeprefix('#/').split('/'):
            node = node[part]
    ids = set()
    for path, methods in document['paths'].items():
        for method, operation in methods.items():
            assert operation['operationId'] not in ids, operation['operationId']
            ids.add(operation['operationId'])
            parameters = operation.get('parameters', [])
            named = [(p['in'], p['name']) for p in parameters]
            assert len(set(named)) == len(named), (path, named)
            assert {n for i, n in named if i == 'path'} == set(re.findall(r'\{(\w+)\}', path)), (path, named)
            assert all(p['schema'] and (p['in'] == 'query' or p['required']) for p in parameters), (path, parameters)
            assert operation['responses'] and (method != 'get' or 'requestBody' not in operation), (method, path)
            for media in operation.get('requestBody', {}).get('content', {}).values():
                assert 'schema' in media, (method, path)
    for name, schema in document['components']['schemas'].items():
        assert schema['type'] == 'object' and set(schema.get('required', [])) <= set(schema['properties'] if 'required' in schema else []), name


def request(g, method, target):
    connection = http.client.HTTPConnection(g.host, g.port, timeout=60)
    connection.request(method, target, body=b'' if method in ('POST', 'PUT', 'PATCH') else None)
    response = connection.getresponse()  # of a stream the head is enough
    assert response.status < 500, f'{method} {target}: {response.status} {response.read(500)!r}'
    return connection, response


def listed_parameters(g, method, target, operation):
    """Those in the document are taken, others are refused; the server checks that its handlers read no others."""
    def code(query):
        connection, response = request(g, method, target + '?' + query)
        answer = response.read() if 'problem' in response.headers.get('Content-Type', '') else b'{}'
        connection.close()
        return json.loads(answer).get('code', '')
    query = [p for p in operation.get('parameters', []) if p['in'] == 'query']
    assert code('nosuch=1') == 'GY1631', (method, target)
    for parameter in query:
        schema = parameter['schema']
        value = schema['enum'][0] if 'enum' in schema else {'integer': '1', 'boolean': 'true'}.get(schema['type'], '2026-11-21' if 'examples' in schema else 'a')
        assert code(f"{parameter['name']}={value}") != 'GY1631', (method, target, parameter)
        if schema['type'] != 'array':
            assert code(f"{parameter['name']}={value}&{parameter['name']}={value}") == 'GY1631', (method, target, parameter)
        if 'enum' in schema:
            assert code(f"{parameter['name']}=nosuch") == 'GY1601', (method, target, parameter)


def openapi(g):
    """The document lists the tables' rows with their parameters, and no row answers 500 to nothing at all."""
    document = g.json('GET', '/api/v1/openapi.json')
    well_formed(document)
    train = document['components']['schemas']['TrainRequest']
    assert train['required'] == ['dataset'] and train['properties']['trials']['type'] == 'integer' and not train['additionalProperties'], train
    listed = {(method.upper(), path) for path, methods in document['paths'].items() for method in methods}
    rows = set()
    for folder, _, files in os.walk(os.path.join(SOURCE, 'src', 'api')):
        if folder.endswith(('mlflow', 'webui')):  # MLflow describes its own; pages are no API
            continue
        for name in files:
            if name.endswith(('_api.cc', '_routes.h')):
                text = open(os.path.join(folder, name)).read()
                rows |= {(method.upper(), path.replace('*}', '}')) for method, path in ROW.findall(text)}
    assert len(rows) > 90, len(rows)
    assert rows <= listed, sorted(rows - listed)
    native = {row for row in listed if row[1].startswith(('/api/', '/e/'))}  # other protocols make their rows in their own ways
    assert native <= rows, sorted(native - rows)
    answered = 0
    for method, path in sorted(listed):
        filled = path.replace('{project}', 'default')
        filled = re.sub(r'\{\w+\}', 'nobody', filled)
        request(g, method, filled)[0].close()
        if (method, path) in rows and path.startswith(('/api/', '/e/')):
            listed_parameters(g, method, filled, document['paths'][path][method.lower()])
        answered += 1
    assert answered == len(listed)
    return len(listed)


def roles(g):
    """A viewer changes nothing; who belongs to another project sees nothing; nobody gets 401."""
    g.json('POST', '/api/v1/projects', {'name': 'other'})
    run = program(g, 'guarded')['run']
    admin = user(g, 'ada', 'admin', '*')
    viewer = user(g, 'vic', 'viewer', by=admin)
    stranger = user(g, 'sam', 'developer', 'other', by=admin)
    logins = [e['actor'] for e in g.json('GET', '/api/v1/audit?limit=1000', headers=admin)['items'] if 'login' in e['action']]
    assert [(actor['kind'], actor['name']) for actor in logins] == [('user', name) for name in ('sam', 'vic', 'ada')], logins
    problem(g.http('GET', P + '/runs'), 401)  # with several users this machine's owner has to say who he is
    changes = [('DELETE', f"{P}/runs/{run['id']}", None), ('POST', f"{P}/runs/{run['id']}/end", {}), ('POST', f"{P}/runs/{run['id']}/batch", {}),
               ('PUT', f"{P}/runs/{run['id']}/artifacts/a.txt", 'x'), ('POST', P + '/programs', {}), ('POST', P + '/train', {}),
               ('DELETE', P + '/datasets/people0', None), ('PUT', P + '/secrets/A', {'value': 'x'}), ('DELETE', P + '/secrets/A', None),
               ('PUT', '/api/v1/usage/prices', {}), ('POST', '/api/v1/secrets/rotate', None), ('POST', '/api/v1/events/parked/a/1/retry', None),
               ('POST', P + '/channels', {'name': 'a', 'webhook': 'https://example.org/'}), ('DELETE', P + '/channels/a', None), ('POST', P + '/channels/a/test', None),
               ('POST', P + '/notices', {'title': 'a'}), ('POST', P + '/notices/a/retry', None),
               ('POST', P + '/trash/1/restore', {}), ('POST', '/api/v1/trash/empty', None)]
    for who in (viewer, stranger):
        for method, path, body in changes:
            problem(g.http(method, path, body, headers=who), (403, 404))
    job = g.json('GET', '/api/v1/jobs?limit=1', headers=admin)['items'][0]['id']
    reads = [P + '/runs', f"{P}/runs/{run['id']}", P + '/lineage?id=people0:v1', P + '/datasets', P + '/models', P + '/channels', P + '/notices', f'/api/v1/jobs/{job}', f'/api/v1/jobs/{job}/log']
    for path in reads:
        assert g.http('GET', path, headers=viewer).status == 200, path
        problem(g.http('GET', path, headers=stranger), (403, 404))
        problem(g.http('GET', path, headers={'Authorization': 'Bearer nonsense'}), 401)
    for path in ('/api/v1/audit', '/api/v1/audit/verify', P + '/secrets', '/api/v1/users', '/api/v1/config'):
        problem(g.http('GET', path, headers=viewer), 403)
        assert g.http('GET', path, headers=admin).status == 200, path
    assert g.json('GET', '/api/v1/jobs', headers=stranger)['items'] == []
    # Lists that are nobody's project show each one what his projects hold.
    mine = user(g, 'dee', 'developer', by=admin)
    for path in ('/api/v1/events', '/api/v1/usage'):
        assert g.json('GET', path + '?project=default', headers=mine)['items'] == g.json('GET', path + '?project=default', headers=admin)['items'] != [], path
        assert {item['project'] for item in g.json('GET', path, headers=mine)['items']} == {'default'}, path
        for query in ('', '?project=default'):
            assert all(item['project'] == 'other' for item in g.json('GET', path + query, headers=stranger)['items']), path
    problem(g.http('GET', '/metrics', headers=mine), 403)
    problem(g.http('PUT', '/api/v1/users/dee/roles/viewer?project=nobody', headers=admin), 404, 'GY3902')
    problem(g.http('POST', '/api/v1/tokens', {'name': 'x', 'project': 'nobody'}, headers=admin), 404, 'GY3902')
    problem(g.http('POST', '/api/v1/users', {'name': 'eve', 'password': PASSWORD, 'roles': [{'role': 'viewer', 'project': 'nobody'}]}, headers=admin), 404, 'GY3902')
    assert [p['name'] for p in pages(g, '/api/v1/projects', 1, stranger)] == ['other']
    # A token never allows more than its scopes, even an administrator's.
    narrow = g.json('POST', '/api/v1/tokens', {'name': 'narrow', 'scopes': ['read'], 'project': 'other'}, headers=admin)['secret']
    narrow = {'Authorization': 'Bearer ' + narrow}
    problem(g.http('GET', P + '/runs', headers=narrow), (403, 404))
    assert g.http('GET', '/api/v1/projects/other/runs', headers=narrow).status == 200
    problem(g.http('POST', '/api/v1/projects/other/programs', {'source': {'command': ['true']}}, headers=narrow), 403)
    assert [u['name'] for u in pages(g, '/api/v1/users', 2, admin)] == ['ada', 'dee', 'sam', 'vic']
    problem(g.http('POST', '/api/v1/users', {'name': 'x', 'password': PASSWORD, 'role': 'admin'}, headers=admin), 422, 'GY1630')


def main():
    with Gyre() as g:
        g.start()
        runs(g)
        jobs(g)
        trained = training(g)
        events(g)
        lineage(g, trained)
        usage(g)
        secrets(g)
        notices(g)
        audit(g)
        count = openapi(g)
        roles(g)
        assert g.stop() == 0
    print(f'ok: twelve nouns, {count} routes')


if __name__ == '__main__':
    sys.exit(main())
