"""What any HTTP client may send: types of content, bodies, unknown routes, fields of errors."""
import re

from framework import case, row, table

JSON = {'Content-Type': 'application/json'}
CREATE = 'experiments/create'


def post(t, body, headers=JSON, path=CREATE):
    return t.send('POST', path, body, headers)


@case()
def no_content_type(t):
    t.refused(post(t, '{"name": "x"}', {}), 400, 'INVALID_PARAMETER_VALUE', 'Bad Request. Content-Type header is missing.')


@table(['text/plain', 'application/JSON', 'application/x-www-form-urlencoded', '<script>alert(1)</script>', 'multipart/form-data; boundary=x'])
def other_content_types(t, kind):
    reply = post(t, '{"name": "x"}', {'Content-Type': kind})
    t.refused(reply, 400, 'INVALID_PARAMETER_VALUE', "Bad Request. Content-Type must be one of ['application/json'].")
    assert '<script' not in reply.text


@table(['application/json; charset=utf-8', 'application/json;charset=utf-8', row('application/json ; x=y', real_server='does not know the space, which HTTP allows')])
def parameters_of_the_content_type(t, kind):
    reply = post(t, '{"name": "%s"}' % t.name(), {'Content-Type': kind})
    assert reply.status == 200, reply.text


@case()
def patch_and_delete_need_none(t):
    name = t.name()
    t.client.create_registered_model(name)
    t.same(t.send('PATCH', 'registered-models/update', '{"name": "%s", "description": "d"}' % name).status, 200)
    t.same(t.send('DELETE', 'registered-models/delete', '{"name": "%s"}' % name).status, 200)


@case()
def a_body_that_is_a_json_string(t):
    name = t.name()
    t.same(post(t, '"{\\"name\\": \\"%s\\"}"' % name).status, 200)
    t.same(t.client.get_experiment_by_name(name).name, name)


@table(['null', '{}', ''])
def bodies_that_say_nothing(t, body):
    t.refused(post(t, body), 400, 'INVALID_PARAMETER_VALUE', "Missing value for required parameter 'name'. See the API docs for more information about request parameters.")


@table(['{', '{"name"'], real_server='reads it as if it were empty')
def bodies_that_break_off(t, body):
    t.refused(post(t, body), 400, 'INVALID_PARAMETER_VALUE', 'The request body is not a JSON object')


@table(['[]', '5', '"x"', 'true', '[{"name": "x"}]', '1e999', '"\\ud800"'], real_server='answers 500 with a page')
def bodies_that_are_no_object(t, body):
    reply = post(t, body)
    t.refused(reply, 400, 'INVALID_PARAMETER_VALUE')


@case()
def unknown_fields(t):
    reply = post(t, {'name': t.name(), 'nothing': {'deep': [1, 2]}, 'x': None})
    t.same(reply.status, 200)


@case()
def names_in_camel_case(t):
    exp = t.experiment()
    t.same(t.send('POST', 'runs/search', {'experimentIds': [exp], 'maxResults': 5}).status, 200)


@case()
def unicode_as_escapes_and_as_bytes(t):
    name = t.name('ü🧪')
    t.same(post(t, '{"name": "%s"}' % name.replace('ü', '\\u00fc').replace('🧪', '\\ud83e\\uddea')).status, 200)
    t.same(t.client.get_experiment_by_name(name).name, name)


@table(['nothing', 'runs/nothing', '/api/9.0/mlflow/runs/get', '/api/2.0/nothing', '/api/2.0/preview/mlflow/runs/get', '/api/4.0/mlflow/traces/x', '/api/2.0/mlflow'])
def unknown_routes(t, path):
    reply = t.send('GET', path)
    t.same(reply.status, 404)
    assert not reply.text.lstrip().startswith('{'), reply.text


@case()
def unknown_routes_by_post(t):
    reply = t.send('POST', 'nothing/here', {})
    assert reply.status in (404, 405) and not reply.text.lstrip().startswith('{'), (reply.status, reply.text)


@table([('GET', 'runs/create'), ('DELETE', 'runs/create'), ('PUT', 'experiments/create'), ('PATCH', 'runs/search')])
def wrong_methods(t, method, path):
    reply = t.send(method, path)
    assert reply.status in (404, 405), (reply.status, reply.text)
    assert not reply.text.lstrip().startswith('{'), reply.text


@case()
def an_unknown_route_is_endpoint_not_found(t):
    from mlflow.utils.rest_utils import http_request, verify_rest_response
    from mlflow.tracking._tracking_service.utils import _get_store
    response = http_request(_get_store(t.uri).get_host_creds(), '/api/2.0/mlflow/nothing', 'GET')
    t.fails('ENDPOINT_NOT_FOUND' if response.status_code == 404 else '', None, verify_rest_response, response, '/api/2.0/mlflow/nothing')


@case()
def fields_of_an_error(t):
    reply = t.send('GET', 'experiments/get', experiment_id='987654321')
    got = reply.json()
    t.same((got['error_code'], got['message']), ('RESOURCE_DOES_NOT_EXIST', 'No Experiment with id=987654321 exists'))
    t.same(reply.headers['Content-Type'].split(';')[0], 'application/json')


@case()
def health(t):
    got = t.send('GET', '/health')
    t.same((got.status, got.text), (200, 'OK'))


@case()
def version(t):
    got = t.send('GET', '/version')
    assert got.status == 200 and re.fullmatch(r'\d+\.\d+\.\d+', got.text) and tuple(map(int, got.text.split('.')))[:2] >= (3, 4), got.text


@table(['/api/3.0/mlflow/server-info', '/ajax-api/3.0/mlflow/server-info'])
def server_info(t, path):
    got = t.get(path)
    expected = {'artifact_serving_enabled': bool, 'artifacts_presigned_only': bool, 'features_enabled': dict, 'model_artifact_presigned_downloads_supported': bool, 'multipart_downloads_enabled': bool,
                'multipart_uploads_enabled': bool, 'presigned_upload_model_id_supported': bool, 'presigned_upload_run_id_supported': bool, 'skill_content_max_files': int,
                'skill_content_max_size': int, 'store_type': str, 'trace_archival_enabled': bool, 'tracking_auth': str, 'workspaces_enabled': bool}
    t.same({k: type(got.get(k)) for k in expected}, expected)
    t.same((got['artifact_serving_enabled'], got['workspaces_enabled']), (True, False))


@table(['/api/2.0/mlflow/', '/ajax-api/2.0/mlflow/'])
def both_prefixes(t, prefix):
    exp = t.experiment()
    t.same(t.get(prefix + 'experiments/get', experiment_id=exp)['experiment']['experiment_id'], exp)
    t.same(t.post(prefix + 'runs/search', experiment_ids=[exp]), {})


@case()
def empty_message(t):
    run = t.run_id()
    t.same(t.post('runs/set-tag', run_id=run, key='a', value='b'), {})


@case()
def integers_are_numbers(t):
    run = t.post('runs/create', experiment_id=t.experiment(), start_time=2**53 + 1)['run']['info']
    t.same(run['start_time'], 2**53 + 1)


@case()
def integers_may_come_as_text(t):
    run = t.post('runs/create', experiment_id=t.experiment(), start_time='123')['run']['info']
    t.same(run['start_time'], 123)


@table([row(2**63, 400, real_server='keeps 0'), row(-2**63 - 1, 400, real_server='keeps 0'), ('x', 400), row(1.5, 400, real_server='keeps 0'), row(True, 400, real_server='keeps 0'),
        row([], 400, real_server='answers 500')])
def integers_that_are_none(t, value, status):
    reply = t.send('POST', 'runs/create', {'experiment_id': t.experiment(), 'start_time': value})
    t.same(reply.status, status)


@table(['99999999999999999999', '9223372036854775808'], real_server='answers 500')
def ids_that_are_too_large(t, id):
    reply = t.send('GET', 'experiments/get', experiment_id=id)
    assert reply.status in (400, 404), (reply.status, reply.text)


@table([('experiments/get', {'experiment_id': 'abc'}), ('experiments/get', {'experiment_id': '-1'}), ('experiments/get', {'experiment_id': '1 OR 1=1'}), ('experiments/get', {'experiment_id': '0x10'})])
def ids_that_are_no_numbers(t, path, query):
    reply = t.send('GET', path, **query)
    assert reply.status in (400, 404), (reply.status, reply.text)


@case()
def repeated_query_fields(t):
    one, two = t.experiment(), t.experiment()
    reply = t.send('GET', 'experiments/search', max_results=5, order_by=['name ASC', 'experiment_id DESC'])
    assert reply.status == 200, (reply.text, one, two)


# Who is let in at this machine without a login is nobody when a page of elsewhere asks: 401.
@case()
def hosts_from_elsewhere(t):
    for host in ('evil.example', '10.evil.example', '192.168.evil.example'):
        reply = t.send('GET', 'experiments/get', headers={'Host': host}, experiment_id='0')
        assert reply.status in (400, 401, 403) or host != 'evil.example', (host, reply.status)


@case()
def hosts_that_look_private(t):
    for host in ('10.evil.example', '192.168.evil.example'):
        assert t.send('GET', 'experiments/get', headers={'Host': host}, experiment_id='0').status in (400, 401, 403, 421), host


@case()
def origin_from_elsewhere(t):
    reply = t.send('POST', CREATE, {'name': t.name()}, headers={'Origin': 'http://evil.example'})
    assert reply.status in (401, 403), (reply.status, reply.text)


@case()
def origin_from_elsewhere_at_the_other_prefix(t):
    reply = t.send('POST', '/ajax-api/2.0/mlflow/experiments/create', {'name': t.name()}, headers={'Origin': 'http://evil.example'})
    assert reply.status in (401, 403), (reply.status, reply.text)
