"""Users and permissions, by the client's own class for them and by bare calls. Runs where the place has a guarded server."""
import base64
import contextlib
import os

import mlflow
from framework import Skip, Target, case, table, version_of

PASSWORD = 'correct horse battery'
# Clients before the roles of 3.10 read the lists of permissions in each answer about a user.
USERS = {'needs': 'auth', 'real_server': 'its answers lack experiment_permissions, which this client reads' if version_of(mlflow.__version__) < (3, 10) else ''}

BY_PROJECT = {**USERS, 'real_server': 'has levels on single experiments and models, and of whoever made them; gyre has roles in projects'}


def guarded(t):
    return Target(t.environment.auth_uri, t.title)


@contextlib.contextmanager
def as_user(name, password=PASSWORD):
    before = {k: os.environ.get(k) for k in ('MLFLOW_TRACKING_USERNAME', 'MLFLOW_TRACKING_PASSWORD')}
    os.environ.update(MLFLOW_TRACKING_USERNAME=name, MLFLOW_TRACKING_PASSWORD=password)
    try:
        yield
    finally:
        for key, value in before.items():
            os.environ.pop(key) if value is None else os.environ.update({key: value})


def admin(t):
    return as_user(*t.environment.admin)


def service(g):
    from mlflow.server import get_app_client
    return get_app_client('basic-auth', tracking_uri=g.uri)


def basic(name, password=PASSWORD):
    return {'Authorization': 'Basic ' + base64.b64encode(f'{name}:{password}'.encode()).decode()}


def need(g, method):
    if not hasattr(service(g), method):
        raise Skip(f'this client has no {method}')


def new_user(t, g):
    name = g.name('user')
    with admin(t):
        service(g).create_user(name, PASSWORD)
    return name


@case(**USERS)
def users(t):
    g, name = guarded(t), t.name('user')
    with admin(t):
        made = service(g).create_user(name, PASSWORD)
        got = service(g).get_user(name)
        t.same((made.username, got.username, got.is_admin, got.id), (name, name, False, made.id))
        service(g).update_user_admin(name, True)
        t.same(service(g).get_user(name).is_admin, True)
        service(g).update_user_password(name, 'another horse battery')
    with as_user(name, 'another horse battery'):
        t.same(service(g).get_user(name).username, name)
    with admin(t):
        service(g).delete_user(name)
        t.fails('RESOURCE_DOES_NOT_EXIST', f'User with username={name} not found', service(g).get_user, name)


@case(**USERS)
def user_twice(t):
    g = guarded(t)
    name = new_user(t, g)
    with admin(t):
        t.fails('RESOURCE_ALREADY_EXISTS', f'User (username={name}) already exists.', service(g).create_user, name, PASSWORD)


@table([('', 'BAD_REQUEST'), ('short', 'INVALID_PARAMETER_VALUE'), ('12345678901', 'INVALID_PARAMETER_VALUE')], needs='auth')
def short_passwords(t, password, code):
    g = guarded(t)
    with admin(t):
        t.fails(code, None, service(g).create_user, g.name(), password)


@case(needs='auth')
def an_empty_name(t):
    g = guarded(t)
    with admin(t):
        t.fails('BAD_REQUEST', 'Username and password cannot be empty.', service(g).create_user, '', PASSWORD)


@case(needs='auth')
def nobody(t):
    reply = guarded(t).send('GET', 'experiments/get', experiment_id='0')
    t.same((reply.status, reply.headers['WWW-Authenticate']), (401, 'Basic realm="mlflow"'))
    assert not reply.text.startswith('{'), reply.text


@case(needs='auth')
def a_wrong_password(t):
    t.same(guarded(t).send('GET', 'experiments/get', headers=basic('admin', 'wrong'), experiment_id='0').status, 401)


@table(['/health', '/api/3.0/mlflow/server-info'], needs='auth')
def open_to_all(t, path):
    t.same(guarded(t).send('GET', path).status, 200)


CLOSED = [('POST', 'users/create', {'username': 'evil', 'password': PASSWORD}), ('POST', '/ajax-api/2.0/mlflow/users/create', {'username': 'evil', 'password': PASSWORD}),
        ('POST', 'experiments/create', {'name': 'evil'}), ('POST', '/ajax-api/2.0/mlflow/experiments/create', {'name': 'evil'}), ('POST', 'experiments/search', {'max_results': 5}),
        ('POST', 'runs/search', {}), ('GET', 'registered-models/search', None), ('GET', 'model-versions/search', None), ('POST', 'logged-models/search', {'experiment_ids': ['0']}),
        ('GET', 'users/get?username=admin', None), ('GET', '/get-artifact?run_id=x&path=y', None), ('GET', '/api/2.0/mlflow-artifacts/artifacts', None),
        ('PUT', '/api/2.0/mlflow-artifacts/artifacts/0/x', None), ('DELETE', '/api/2.0/mlflow-artifacts/artifacts/0/x', None), ('GET', '/ajax-api/2.0/mlflow-artifacts/artifacts/0/x', None),
        ('POST', '/api/2.0/mlflow-artifacts/mpu/create/0/x', {'path': 'x', 'num_parts': 1}), ('POST', '/v1/traces', None), ('POST', '/api/3.0/mlflow/traces/search', {}),
        ('POST', '/ajax-api/3.0/jobs/search', {}), ('POST', '/ajax-api/3.0/jobs/', {'job_name': 'run_task', 'params': {'command': 'id'}}), ('POST', '/graphql', {'query': '{__typename}'}),
        ('GET', 'webhooks', None), ('POST', '/ajax-api/2.0/mlflow/upload-artifact?run_uuid=x&path=y', None), ('GET', '/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval', None),
        ('GET', '/model-versions/get-artifact?name=a&version=1&path=b', None), ('POST', '/ajax-api/2.0/mlflow/gateway-proxy', {}), ('POST', '/api/3.0/mlflow/datasets/search', {})]


@table([(f'{method} {path}', method, path, body) for method, path, body in CLOSED], needs='auth')
def closed_to_nobody(t, _, method, path, body):
    reply = guarded(t).send(method, path, body)
    assert reply.status in (400, 401, 403, 404), (reply.status, reply.text[:200])


@case(**USERS)
def a_user_reads_by_default(t):
    g = guarded(t)
    name = new_user(t, g)
    with admin(t):
        exp = g.experiment()
    with as_user(name):
        t.same(g.client.get_experiment(exp).experiment_id, exp)
        t.fails('PERMISSION_DENIED', None, g.client.set_experiment_tag, exp, 'a', 'b')
        t.fails('PERMISSION_DENIED', None, g.client.create_run, exp)
        t.fails('PERMISSION_DENIED', None, g.client.delete_experiment, exp)


@case(**BY_PROJECT)
def who_only_reads_makes_nothing(t):
    g = guarded(t)
    name = new_user(t, g)
    with as_user(name):
        t.fails('PERMISSION_DENIED', None, g.experiment)
        t.fails('PERMISSION_DENIED', None, g.client.create_registered_model, g.name('model'))


@case(**USERS)
def a_user_makes_no_users(t):
    g = guarded(t)
    name = new_user(t, g)
    with as_user(name):
        t.fails('PERMISSION_DENIED', None, service(g).create_user, g.name(), PASSWORD)
        t.fails('PERMISSION_DENIED', None, service(g).update_user_admin, name, True)
        t.fails('PERMISSION_DENIED', None, service(g).delete_user, 'admin')


@case(**USERS)
def a_password_of_ones_own(t):
    g = guarded(t)
    name, change = new_user(t, g), '/api/2.0/mlflow/users/update-password'
    t.refused(g.send('PATCH', change, {'username': name, 'password': 'another horse battery'}, headers=basic(name)), 400, 'INVALID_PARAMETER_VALUE',
              'Current password is required when changing your own password.')
    body = {'username': name, 'password': 'another horse battery', 'current_password': 'wrong horse battery'}
    t.refused(g.send('PATCH', change, body, headers=basic(name)), 400, 'INVALID_PARAMETER_VALUE', 'Current password does not match.')
    t.same(g.send('PATCH', change, {**body, 'current_password': PASSWORD}, headers=basic(name)).status, 200)
    t.same(g.send('GET', 'users/get', headers=basic(name, 'another horse battery'), username=name).status, 200)


@case(**USERS)
def others_are_not_ones_own(t):
    g = guarded(t)
    name, other = new_user(t, g), new_user(t, g)
    t.same(g.send('GET', 'users/get', headers=basic(name), username=other).status, 403)
    t.same(g.send('PATCH', 'users/update-password', {'username': other, 'password': 'another horse battery'}, headers=basic(name)).status, 403)
    t.same(g.send('GET', 'users/get', headers=basic(other), username=other).status, 200)


@case(needs='auth', real_server='shows everybody')
def only_administrators_list_users(t):
    g = guarded(t)
    t.same(g.send('GET', 'users/list', headers=basic(new_user(t, g))).status, 403)


@case(needs='auth', real_server='has no tokens')
def a_token_that_reads_manages_no_users(t):
    g = guarded(t)
    name = new_user(t, g)
    made = g.send('POST', '/api/v1/tokens', {'name': g.name('token'), 'scopes': ['read']}, headers=basic(*t.environment.admin))
    token = {'Authorization': 'Bearer ' + made.json()['secret']}
    t.same(g.send('PATCH', 'users/update-password', {'username': name, 'password': 'another horse battery'}, headers=token).status, 403)
    t.same(g.send('GET', 'users/get', headers=token, username=name).status, 403)
    t.same(g.send('POST', 'users/create', {'username': g.name('user'), 'password': PASSWORD}, headers=token).status, 403)


@case(**USERS)
def lists(t):
    g = guarded(t)
    need(g, 'grant_user_permission')
    name, headers = new_user(t, g), basic(*t.environment.admin)
    users = {u['username']: u for u in t.answer(g.send('GET', 'users/list', headers=headers), 'users/list')['users']}
    t.same((users['admin']['is_admin'], users[name]['is_admin']), (True, False))
    current = t.answer(g.send('GET', 'users/current', headers=basic(name)), 'users/current')
    t.same((current['user']['username'], current['is_basic_auth']), (name, True))
    t.same(g.send('GET', '/api/3.0/mlflow/users/current/permissions', headers=basic(name)).json()['is_admin'], False)


# --- what a user may ---
@table([('NO_PERMISSIONS', 403, 403), ('READ', 200, 403), ('EDIT', 200, 200), ('MANAGE', 200, 200)], **BY_PROJECT)
def levels_of_a_project(t, level, reads, writes):
    g = guarded(t)
    need(g, 'grant_user_permission')
    name = new_user(t, g)
    with admin(t):
        exp, model, s = g.experiment(), g.client.create_registered_model(g.name('model')).name, service(g)
        s.grant_user_permission(name, 'workspace', 'default', level)
        t.same(s.get_user_permission(name, 'experiment', exp).permission, level)
    t.same(g.send('GET', 'experiments/get', headers=basic(name), experiment_id=exp).status, reads)
    t.same(g.send('POST', 'runs/create', {'experiment_id': exp}, headers=basic(name)).status, writes)
    t.same(g.send('POST', 'registered-models/set-tag', {'name': model, 'key': 'a', 'value': 'b'}, headers=basic(name)).status, writes)


@case(**BY_PROJECT)
def granted_and_revoked(t):
    g = guarded(t)
    need(g, 'grant_user_permission')
    name = new_user(t, g)
    with admin(t):
        exp, s = g.experiment(), service(g)
        s.grant_user_permission(name, 'workspace', 'default', 'EDIT')
        s.grant_user_permission(name, 'workspace', 'default', 'READ')
        t.same(s.get_user_permission(name, 'workspace', 'default').permission, 'READ')
        s.revoke_user_permission(name, 'workspace', 'default')
        t.same(s.get_user_permission(name, 'workspace', 'default').permission, 'NO_PERMISSIONS')
        t.fails('RESOURCE_DOES_NOT_EXIST', None, s.grant_user_permission, name, 'workspace', 'nowhere', 'READ')
        t.fails('INVALID_PARAMETER_VALUE', "Invalid permission 'ALL'", s.grant_user_permission, name, 'workspace', 'default', 'ALL')
    t.same(g.send('GET', 'experiments/get', headers=basic(name), experiment_id=exp).status, 403)


@case(**BY_PROJECT)
def one_thing_alone_is_not_granted(t):
    g = guarded(t)
    name, remedy = new_user(t, g), 'permissions are given by project, not for one thing in it'
    with admin(t):
        exp, model, s = g.experiment(), g.client.create_registered_model(g.name('model')).name, service(g)
        if hasattr(s, 'grant_user_permission'):
            t.fails('INVALID_PARAMETER_VALUE', remedy, s.grant_user_permission, name, 'experiment', exp, 'EDIT')
            t.fails('INVALID_PARAMETER_VALUE', remedy, s.grant_user_permission, name, 'registered_model', model, 'EDIT')
        else:
            t.fails('INVALID_PARAMETER_VALUE', remedy, s.create_experiment_permission, exp, name, 'EDIT')
            t.fails('INVALID_PARAMETER_VALUE', remedy, s.create_registered_model_permission, model, name, 'EDIT')
    t.same(g.send('POST', 'runs/create', {'experiment_id': exp}, headers=basic(name)).status, 403)


@case(**{**USERS, 'real_server': 'has roles that people make; those of gyre are there and fixed'})
def roles(t):
    g = guarded(t)
    need(g, 'create_role')
    name = new_user(t, g)
    with admin(t):
        exp, s = g.experiment(), service(g)
        t.fails('INVALID_PARAMETER_VALUE', 'roles are fixed', s.create_role, 'default', g.name('role'))
        role = next(r for r in s.list_roles('default') if r.name == 'developer')
        s.assign_role(name, role.id)
        t.same([r.name for r in s.list_user_roles(name)], ['developer', 'viewer'])
    t.same(g.send('POST', 'runs/create', {'experiment_id': exp}, headers=basic(name)).status, 200)
    with admin(t):
        s.unassign_role(name, role.id)
    t.same(g.send('POST', 'runs/create', {'experiment_id': exp}, headers=basic(name)).status, 403)
