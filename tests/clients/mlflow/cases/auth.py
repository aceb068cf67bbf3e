"""Users and permissions, by the client's own class for them and by bare calls. Runs where the place has a guarded server."""
import base64
import contextlib
import os

import mlflow
from framework import Skip, Target, case, table, version_of

PASSWORD = 'correct horse battery'
# Clients before the roles of 3.10 read the lists of permissions in each answer about a user.
USERS = {'needs': 'auth', 'real_server': 'its answers lack experiment_permissions, which this client reads' if version_of(mlflow.__version__) < (3, 10) else ''}


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


@case(**USERS)
def who_makes_it_manages_it(t):
    g = guarded(t)
    name = new_user(t, g)
    with as_user(name):
        exp = g.experiment()
        run = g.run_id(exp)
        g.client.log_metric(run, 'm', 1)
        model = g.client.create_registered_model(g.name('model')).name
        g.client.set_registered_model_tag(model, 'a', 'b')
        g.client.delete_experiment(exp)
        g.client.delete_registered_model(model)


@case(**USERS)
def a_user_makes_no_users(t):
    g = guarded(t)
    name = new_user(t, g)
    with as_user(name):
        t.fails('PERMISSION_DENIED', None, service(g).create_user, g.name(), PASSWORD)
        t.fails('PERMISSION_DENIED', None, service(g).update_user_admin, name, True)
        t.fails('PERMISSION_DENIED', None, service(g).delete_user, 'admin')


@case(**USERS)
def what_is_denied_is_not_listed(t):
    g = guarded(t)
    name = new_user(t, g)
    with admin(t):
        exp = g.experiment()
        deny(g, name, exp)
    with as_user(name):
        t.fails('PERMISSION_DENIED', None, g.client.get_experiment, exp)
        assert exp not in [e.experiment_id for e in g.client.search_experiments(max_results=1000)]


def deny(g, name, exp):
    s = service(g)
    if hasattr(s, 'grant_user_permission'):
        s.grant_user_permission(name, 'experiment', exp, 'DENY')
    else:
        s.create_experiment_permission(exp, name, 'NO_PERMISSIONS')


@table([('READ', 403), ('EDIT', 200), ('MANAGE', 200)], **USERS)
def levels_of_an_experiment(t, level, status):
    g = guarded(t)
    name = new_user(t, g)
    with admin(t):
        exp, s = g.experiment(), service(g)
        s.grant_user_permission(name, 'experiment', exp, level) if hasattr(s, 'grant_user_permission') else s.create_experiment_permission(exp, name, level)
    t.same(g.send('POST', 'runs/create', {'experiment_id': exp}, headers=basic(name)).status, status)
    t.same(g.send('POST', 'experiments/delete', {'experiment_id': exp}, headers=basic(name)).status, 200 if level == 'MANAGE' else 403)


@table([('READ', 403), ('EDIT', 200), ('MANAGE', 200)], **USERS)
def levels_of_a_model(t, level, status):
    g = guarded(t)
    name = new_user(t, g)
    with admin(t):
        model, s = g.client.create_registered_model(g.name('model')).name, service(g)
        s.grant_user_permission(name, 'registered_model', model, level) if hasattr(s, 'grant_user_permission') else s.create_registered_model_permission(model, name, level)
    t.same(g.send('POST', 'registered-models/set-tag', {'name': model, 'key': 'a', 'value': 'b'}, headers=basic(name)).status, status)
    t.same(g.send('DELETE', 'registered-models/delete', {'name': model}, headers=basic(name)).status, 200 if level == 'MANAGE' else 403)


@case(**USERS)
def granted_and_revoked(t):
    g = guarded(t)
    need(g, 'grant_user_permission')
    name = new_user(t, g)
    with admin(t):
        exp, s = g.experiment(), service(g)
        s.grant_user_permission(name, 'experiment', exp, 'EDIT')
        t.same(s.get_user_permission(name, 'experiment', exp).permission, 'EDIT')
        s.revoke_user_permission(name, 'experiment', exp)
    t.same(g.send('POST', 'runs/create', {'experiment_id': exp}, headers=basic(name)).status, 403)


@case(**USERS)
def permissions_of_older_clients(t):
    g = guarded(t)
    need(g, 'create_experiment_permission')
    name = new_user(t, g)
    with admin(t):
        exp, s = g.experiment(), service(g)
        t.same(s.create_experiment_permission(exp, name, 'READ').permission, 'READ')
        t.same(s.get_experiment_permission(exp, name).permission, 'READ')
        s.update_experiment_permission(exp, name, 'EDIT')
        t.same(s.get_experiment_permission(exp, name).permission, 'EDIT')
        s.delete_experiment_permission(exp, name)
        t.fails('RESOURCE_DOES_NOT_EXIST', None, s.get_experiment_permission, exp, name)
        model = g.client.create_registered_model(g.name('model')).name
        s.create_registered_model_permission(model, name, 'MANAGE')
        t.same(s.get_registered_model_permission(model, name).permission, 'MANAGE')
        s.delete_registered_model_permission(model, name)


@case(**USERS)
def roles(t):
    g = guarded(t)
    need(g, 'create_role')
    name = new_user(t, g)
    with admin(t):
        exp, s = g.experiment(), service(g)
        role = s.create_role('default', g.name('role'))
        s.add_role_permission(role.id, 'experiment', exp, 'EDIT')
        s.assign_role(name, role.id)
        t.same([r.id for r in s.list_user_roles(name) if r.id == role.id], [role.id])
    t.same(g.send('POST', 'runs/create', {'experiment_id': exp}, headers=basic(name)).status, 200)
    with admin(t):
        s.unassign_role(name, role.id)
    t.same(g.send('POST', 'runs/create', {'experiment_id': exp}, headers=basic(name)).status, 403)
