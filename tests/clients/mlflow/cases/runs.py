"""Runs: names, status, life cycle, nesting, system tags, what the fluent API makes of them."""
import os
import re
import time

from framework import case, row, table


@case()
def create_and_get(t):
    exp = t.experiment()
    run = t.client.create_run(exp, start_time=1234567890123, tags={'a': 'b'}, run_name='Läufer 走 🏃')
    t.same((run.info.run_name, run.info.start_time, run.info.status, run.info.lifecycle_stage), ('Läufer 走 🏃', 1234567890123, 'RUNNING', 'active'))
    got = t.client.get_run(run.info.run_id)
    t.same(got.info.experiment_id, exp)
    t.same(got.data.tags, {'a': 'b', 'mlflow.runName': 'Läufer 走 🏃'})
    t.same((got.info.end_time, got.data.metrics, got.data.params), (None, {}, {}))


@case()
def ids_are_32_hex_digits(t):
    run = t.run()
    assert re.fullmatch(r'[0-9a-f]{32}', run.info.run_id), run.info.run_id


@case()
def artifact_uri(t):
    exp = t.experiment()
    run = t.run(exp)
    t.same(run.info.artifact_uri, f'mlflow-artifacts:/{exp}/{run.info.run_id}/artifacts')


@case()
def both_names_of_the_id_are_on_the_wire(t):
    info = t.post('runs/create', experiment_id=t.experiment(), start_time=5)['run']['info']
    t.same(info['run_id'], info['run_uuid'])
    assert {'run_name', 'experiment_id', 'status', 'start_time', 'artifact_uri', 'lifecycle_stage', 'user_id'} <= set(info), info
    assert 'end_time' not in info and info['start_time'] == 5 and info['status'] == 'RUNNING', info


@case()
def no_start_time(t):
    before = time.time() * 1000
    info = t.post('runs/create', experiment_id=t.experiment())['run']['info']
    assert info['start_time'] in (0, None) or info['start_time'] >= before - 5000, info


@case(real_server='the id of an experiment is a number to those who send it, and which one is meant is clear')
def experiment_id_as_a_number(t):
    exp = t.experiment()
    t.same(t.post('runs/create', experiment_id=int(exp))['run']['info']['experiment_id'], exp)


@case()
def no_experiment_id_is_the_default_one(t):
    t.same(t.send('POST', 'runs/create', {}).status in (200, 400), True)


@case()
def user_id(t):
    info = t.post('runs/create', experiment_id=t.experiment(), user_id='otto')['run']['info']
    t.same(info['user_id'], 'otto')


@case()
def a_name_is_made(t):
    run = t.run()
    assert re.fullmatch(r'[a-z]+-[a-z]+-\d+', run.info.run_name) and len(run.info.run_name) <= 20, run.info.run_name
    t.same(run.data.tags['mlflow.runName'], run.info.run_name)


@case()
def the_name_tag_names_the_run(t):
    t.same(t.run(tags={'mlflow.runName': 'by tag'}).info.run_name, 'by tag')


@case()
def name_and_tag_disagree(t):
    body = {'experiment_id': t.experiment(), 'run_name': 'a', 'tags': [{'key': 'mlflow.runName', 'value': 'b'}]}
    t.refused(t.send('POST', 'runs/create', body), 400, 'INVALID_PARAMETER_VALUE',
              "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values (run_name='a', mlflow.runName='b').")


@case()
def name_and_tag_agree(t):
    body = {'experiment_id': t.experiment(), 'run_name': 'a', 'tags': [{'key': 'mlflow.runName', 'value': 'a'}]}
    t.same(t.post('runs/create', **body)['run']['info']['run_name'], 'a')


@case()
def rename_by_update(t):
    id = t.run_id(run_name='old')
    t.client.update_run(id, name='new')
    got = t.client.get_run(id)
    t.same((got.info.run_name, got.data.tags['mlflow.runName']), ('new', 'new'))


@case()
def rename_by_tag(t):
    id = t.run_id(run_name='old')
    t.client.set_tag(id, 'mlflow.runName', 'new')
    t.same(t.client.get_run(id).info.run_name, 'new')


@case()
def rename_by_log_batch(t):
    from mlflow.entities import RunTag
    id = t.run_id(run_name='old')
    t.client.log_batch(id, tags=[RunTag('mlflow.runName', 'new')])
    t.same(t.client.get_run(id).info.run_name, 'new')


@table([('FINISHED', 'FINISHED'), ('FAILED', 'FAILED'), ('KILLED', 'KILLED'), ('SCHEDULED', 'SCHEDULED'), ('RUNNING', 'RUNNING')])
def status(t, set_to, seen):
    id = t.run_id()
    t.client.update_run(id, status=set_to)
    t.same(t.client.get_run(id).info.status, seen)


@case()
def terminated(t):
    id = t.run_id()
    t.client.set_terminated(id)
    info = t.client.get_run(id).info
    assert info.status == 'FINISHED' and info.end_time >= info.start_time, info
    t.client.set_terminated(id, 'FAILED', end_time=77)
    info = t.client.get_run(id).info
    t.same((info.status, info.end_time), ('FAILED', 77))


@case()
def update_answers_the_info(t):
    id = t.run_id()
    info = t.post('runs/update', run_id=id, status='FINISHED', end_time=99)['run_info']
    t.same((info['run_id'], info['run_uuid'], info['status'], info['end_time']), (id, id, 'FINISHED', 99))


@case()
def update_keeps_what_is_not_named(t):
    id = t.run_id(run_name='keep')
    t.post('runs/update', run_id=id, end_time=5)
    info = t.get('runs/get', run_id=id)['run']['info']
    t.same((info['run_name'], info['end_time']), ('keep', 5))


@case()
def update_by_the_old_id_field(t):
    id = t.run_id()
    t.post('runs/update', run_uuid=id, status='KILLED')
    t.same(t.get('runs/get', run_uuid=id)['run']['info']['status'], 'KILLED')


@case()
def status_as_a_number(t):
    id = t.run_id()
    t.post('runs/update', run_id=id, status=3)
    t.same(t.client.get_run(id).info.status, 'FINISHED')


@case(real_server='answers 200 and keeps the old status')
def unknown_status(t):
    reply = t.send('POST', 'runs/update', {'run_id': t.run_id(), 'status': 'NO_SUCH'})
    t.refused(reply, 400, 'INVALID_PARAMETER_VALUE')


@case()
def delete_and_restore(t):
    id = t.run_id()
    t.client.delete_run(id)
    t.same(t.client.get_run(id).info.lifecycle_stage, 'deleted')
    t.client.restore_run(id)
    t.same(t.client.get_run(id).info.lifecycle_stage, 'active')


@case()
def delete_and_restore_are_idempotent(t):
    id = t.run_id()
    for path in ('runs/delete', 'runs/delete', 'runs/restore', 'runs/restore'):
        t.same(t.post(path, run_id=id), {})


DELETED = "must be in the 'active' state. Current state is deleted."


@table([('runs/update', {'status': 'FINISHED'}), ('runs/log-metric', {'key': 'a', 'value': 1, 'timestamp': 1}), ('runs/log-parameter', {'key': 'a', 'value': 'b'}),
        ('runs/set-tag', {'key': 'a', 'value': 'b'}), ('runs/delete-tag', {'key': 'mlflow.runName'}),
        ('runs/log-batch', {'params': [{'key': 'a', 'value': 'b'}]})])
def writes_to_a_deleted_run(t, path, fields):
    id = t.run_id()
    t.client.delete_run(id)
    t.refused(t.send('POST', path, {'run_id': id, **fields}), 400, 'INVALID_PARAMETER_VALUE', f'The run {id} ' + DELETED)


NOBODY = '0123456789abcdef0123456789abcdef'


@table([('runs/update', {'status': 'FINISHED'}), ('runs/log-metric', {'key': 'a', 'value': 1, 'timestamp': 1}), ('runs/log-parameter', {'key': 'a', 'value': 'b'}),
        ('runs/set-tag', {'key': 'a', 'value': 'b'}), ('runs/delete-tag', {'key': 'a'}), ('runs/log-batch', {'params': [{'key': 'a', 'value': 'b'}]}),
        ('runs/delete', {}), ('runs/restore', {})])
def writes_to_an_unknown_run(t, path, fields):
    t.refused(t.send('POST', path, {'run_id': NOBODY, **fields}), 404, 'RESOURCE_DOES_NOT_EXIST', f'Run with id={NOBODY} not found')


@case()
def get_unknown(t):
    t.refused(t.send('GET', 'runs/get', run_id=NOBODY), 404, 'RESOURCE_DOES_NOT_EXIST', f'Run with id={NOBODY} not found')


@case()
def get_without_id(t):
    t.refused(t.send('GET', 'runs/get'), 400, 'INVALID_PARAMETER_VALUE', "Missing value for required parameter 'run_id'")


# --- tags of runs ---
@case()
def tags(t):
    id = t.run_id()
    t.client.set_tag(id, 'k', 'v')
    t.client.set_tag(id, 'k', 'w')
    t.client.set_tag(id, 'Ключ', 'значение 🎈')
    t.client.set_tag(id, 'number', 1.5)
    tags = t.client.get_run(id).data.tags
    t.same((tags['k'], tags['Ключ'], tags['number']), ('w', 'значение 🎈', '1.5'))
    t.client.delete_tag(id, 'k')
    assert 'k' not in t.client.get_run(id).data.tags


@case()
def delete_an_unknown_tag(t):
    id = t.run_id()
    t.refused(t.send('POST', 'runs/delete-tag', {'run_id': id, 'key': 'k'}), 404, 'RESOURCE_DOES_NOT_EXIST', f'No tag with name: k in run with id {id}')


@case()
def tag_value_of_8000(t):
    id = t.run_id()
    t.client.set_tag(id, 'k', 'v' * 8000)
    t.same(len(t.client.get_run(id).data.tags['k']), 8000)


@case()
def a_longer_tag_value_is_cut(t):
    id = t.run_id()
    t.post('runs/set-tag', run_id=id, key='k', value='v' * 8001)
    t.same(t.client.get_run(id).data.tags['k'], 'v' * 8000)


@table([('k' * 250, 200), ('k' * 251, 400), ('', 400), ('..', 400), ('.', 400), ('/abs', 400), ('a//b', 400), ('a/../b', 400), ('a/b', 200), ('a b.c-d_e:f', 200),
        ('a,b', 400), ('a\tb', 400), ('ключ', 200), ('a$', 400), ('a(b)', 400)])
def tag_keys(t, key, status):
    reply = t.send('POST', 'runs/set-tag', {'run_id': t.run_id(), 'key': key, 'value': 'v'})
    assert reply.status == status, (reply.status, reply.text)
    if status == 400:
        t.refused(reply, 400, 'INVALID_PARAMETER_VALUE')


@case(real_server='checks keys of tags in set-tag and log-batch only')
def tags_of_create_are_checked(t):
    body = {'experiment_id': t.experiment(), 'tags': [{'key': 'k' * 251, 'value': 'v'}]}
    t.refused(t.send('POST', 'runs/create', body), 400, 'INVALID_PARAMETER_VALUE')


# --- fluent ---
@case()
def fluent_run(t):
    import mlflow
    exp = mlflow.set_experiment(t.name()).experiment_id
    with mlflow.start_run(run_name='one', tags={'t': 'u'}, description='what it is') as run:
        mlflow.log_param('p', 1)
        mlflow.log_params({'q': 2.5, 'r': None, 's': [1, 2], 'u': 'ü'})
        mlflow.log_metric('m', 1)
        mlflow.log_metrics({'n': 2, 'o': 3.5}, step=4)
        mlflow.set_tag('x', 'y')
        mlflow.set_tags({'z': 1})
    got = mlflow.get_run(run.info.run_id)
    t.same((got.info.status, got.info.experiment_id, got.info.run_name), ('FINISHED', exp, 'one'))
    t.same(got.data.params, {'p': '1', 'q': '2.5', 'r': 'None', 's': '[1, 2]', 'u': 'ü'})
    t.same(got.data.metrics, {'m': 1.0, 'n': 2.0, 'o': 3.5})
    t.same({k: got.data.tags[k] for k in ('t', 'x', 'z', 'mlflow.note.content')}, {'t': 'u', 'x': 'y', 'z': '1', 'mlflow.note.content': 'what it is'})


@case()
def system_tags(t):
    import mlflow
    mlflow.set_experiment(t.name())
    with mlflow.start_run() as run:
        pass
    tags = mlflow.get_run(run.info.run_id).data.tags
    assert {'mlflow.user', 'mlflow.source.name', 'mlflow.source.type', 'mlflow.runName'} <= set(tags), tags
    t.same(tags['mlflow.source.type'], 'LOCAL')


@case()
def nested_runs(t):
    import mlflow
    exp = mlflow.set_experiment(t.name()).experiment_id
    with mlflow.start_run() as parent:
        with mlflow.start_run(nested=True) as child:
            with mlflow.start_run(nested=True) as grandchild:
                pass
    t.same(mlflow.get_run(child.info.run_id).data.tags['mlflow.parentRunId'], parent.info.run_id)
    t.same(mlflow.get_parent_run(grandchild.info.run_id).info.run_id, child.info.run_id)
    t.same(mlflow.get_parent_run(parent.info.run_id), None)
    found = t.client.search_runs([exp], f"tags.mlflow.parentRunId = '{parent.info.run_id}'")
    t.same([r.info.run_id for r in found], [child.info.run_id])


@case()
def parent_by_its_id(t):
    import mlflow
    mlflow.set_experiment(t.name())
    parent = mlflow.start_run()
    mlflow.end_run()
    with mlflow.start_run(parent_run_id=parent.info.run_id) as child:
        pass
    t.same(mlflow.get_parent_run(child.info.run_id).info.run_id, parent.info.run_id)


@case()
def a_failure_ends_the_run_as_failed(t):
    import mlflow
    mlflow.set_experiment(t.name())
    try:
        with mlflow.start_run() as run:
            raise ValueError('on purpose')
    except ValueError:
        pass
    t.same(mlflow.get_run(run.info.run_id).info.status, 'FAILED')


@case()
def a_run_goes_on(t):
    import mlflow
    mlflow.set_experiment(t.name())
    with mlflow.start_run() as run:
        mlflow.log_metric('a', 1, step=1)
    with mlflow.start_run(run_id=run.info.run_id) as again:
        t.same(again.info.status, 'RUNNING')
        mlflow.log_metric('a', 2, step=2)
    got = mlflow.get_run(run.info.run_id)
    t.same((got.info.status, got.data.metrics), ('FINISHED', {'a': 2.0}))


@case()
def a_run_given_by_the_environment_goes_on(t):
    import mlflow
    id = t.run_id()
    os.environ['MLFLOW_RUN_ID'] = id
    with mlflow.start_run() as run:
        mlflow.log_param('a', 'b')
    t.same((run.info.run_id, mlflow.get_run(id).data.params), (id, {'a': 'b'}))


@case()
def a_deleted_run_does_not_go_on(t):
    import mlflow
    id = t.run_id()
    t.client.delete_run(id)
    t.fails('INTERNAL_ERROR', 'because it is in the deleted state', mlflow.start_run, run_id=id)


@case()
def fluent_delete(t):
    import mlflow
    id = t.run_id()
    mlflow.delete_run(id)
    t.same(mlflow.get_run(id).info.lifecycle_stage, 'deleted')


@case()
def logging_starts_a_run(t):
    import mlflow
    mlflow.set_experiment(t.name())
    mlflow.log_metric('a', 1)
    run = mlflow.last_active_run()
    mlflow.end_run('KILLED')
    got = mlflow.get_run(run.info.run_id)
    t.same((got.info.status, got.data.metrics), ('KILLED', {'a': 1.0}))


@case()
def delete_tag_fluently(t):
    import mlflow
    mlflow.set_experiment(t.name())
    with mlflow.start_run() as run:
        mlflow.set_tag('a', 'b')
        mlflow.delete_tag('a')
    assert 'a' not in mlflow.get_run(run.info.run_id).data.tags


@case()
def many_runs_at_once(t):
    from concurrent.futures import ThreadPoolExecutor
    exp, client = t.experiment(), t.client

    def one(i):
        id = client.create_run(exp).info.run_id
        client.log_metric(id, 'a', i)
        client.set_terminated(id)
        return id
    with ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(one, range(12)))
    found = client.search_runs([exp])
    t.same(sorted(r.info.run_id for r in found), sorted(ids))
    t.same(sorted(r.data.metrics['a'] for r in found), [float(i) for i in range(12)])
