"""Experiments: names, tags, life cycle."""
import time

from framework import case, row, table


@case()
def default_is_there(t):
    e = t.client.get_experiment('0')
    assert (e.name, e.lifecycle_stage, e.experiment_id) == ('Default', 'active', '0'), e
    t.same(t.client.get_experiment_by_name('Default').experiment_id, '0')


@case()
def create_and_get(t):
    name = t.name()
    before = int(time.time() * 1000)
    id = t.client.create_experiment(name, tags={'a': 'b', 'ü': 'ö'})
    e = t.client.get_experiment(id)
    t.same((e.name, e.lifecycle_stage, e.tags), (name, 'active', {'a': 'b', 'ü': 'ö'}))
    assert before - 5000 <= e.creation_time <= int(time.time() * 1000) + 5000 and e.last_update_time >= e.creation_time
    assert id.isdigit(), id


@case()
def answer_of_create_holds_only_the_id(t):
    answer = t.post('experiments/create', name=t.name())
    t.same(list(answer), ['experiment_id'])
    assert isinstance(answer['experiment_id'], str)


@case()
def answer_of_get_has_these_fields(t):
    id = t.experiment()
    e = t.get('experiments/get', experiment_id=id)['experiment']
    assert {'experiment_id', 'name', 'artifact_location', 'lifecycle_stage', 'last_update_time', 'creation_time'} <= set(e), e
    assert isinstance(e['creation_time'], int) and isinstance(e['experiment_id'], str), e


@case()
def artifact_location_by_default(t):
    id = t.experiment()
    t.same(t.client.get_experiment(id).artifact_location, f'mlflow-artifacts:/{id}')


@table(['s3://bucket/a', 'gs://bucket/a/b', 'mlflow-artifacts:/elsewhere', 'wasbs://c@a.blob.core.windows.net/x', 'dbfs:/x'])
def artifact_location_is_kept(t, location):
    id = t.experiment(artifact_location=location)
    t.same(t.client.get_experiment(id).artifact_location, location)
    t.same(t.run(id).info.artifact_uri, f'{location}/{t.client.search_runs([id])[0].info.run_id}/artifacts')


@table(['s3://b/a#frag', 'http:///#/../../etc/', row('s3://b/a;x=1', real_server='takes it'), 's3://b/a?x=../../y'])
def artifact_location_refused(t, location):
    t.refused(t.send('POST', 'experiments/create', {'name': t.name(), 'artifact_location': location}), 400, 'INVALID_PARAMETER_VALUE')


@case()
def artifact_location_of_2049(t):
    t.refused(t.send('POST', 'experiments/create', {'name': t.name(), 'artifact_location': 's3://b/' + 'a' * 2042}), 400, 'INVALID_PARAMETER_VALUE',
              'Invalid artifact path length. The length of the artifact path cannot be greater than 2048 characters.')


@table(['Ünïcode 実験 🧪', 'a/b/c', 'with space', 'a:b', 'percent%2e', "quote'd", '"double"', '..', '<b>x</b>', 'tab\there'])
def names(t, word):
    name = t.name(word)
    id = t.client.create_experiment(name)
    t.same(t.client.get_experiment_by_name(name).experiment_id, id)
    t.same(t.client.get_experiment(id).name, name)


@case()
def name_of_256(t):
    name = t.name('n' * 200).ljust(256, 'x')
    t.same(t.client.get_experiment(t.client.create_experiment(name)).name, name)


@case()
def name_of_501(t):
    t.refused(t.send('POST', 'experiments/create', {'name': 'n' * 501}), 400, 'INVALID_PARAMETER_VALUE', "'name' exceeds the maximum length of 500 characters")


@table([({}, "Missing value for required parameter 'name'"), ({'name': ''}, "Missing value for required parameter 'name'"),
        ({'name': None}, "Missing value for required parameter 'name'"),
        ({'name': 12}, "Invalid value 12 for parameter 'name' supplied:  Hint: Value was of type 'int'."),
        ({'name': ['a']}, "Invalid value [\"a\"] for parameter 'name' supplied:  Hint: Value was of type 'list'."),
        ({'name': True}, "Invalid value true for parameter 'name' supplied:  Hint: Value was of type 'bool'."),
        ({'name': 1.5}, "Invalid value 1.5 for parameter 'name' supplied:  Hint: Value was of type 'float'."),
        ({'name': {'a': 1}}, "for parameter 'name' supplied:  Hint: Value was of type 'dict'.")])
def create_needs_a_name(t, body, text):
    t.refused(t.send('POST', 'experiments/create', body), 400, 'INVALID_PARAMETER_VALUE', text)


@case()
def name_is_taken(t):
    name = t.name()
    t.client.create_experiment(name)
    t.fails('RESOURCE_ALREADY_EXISTS', f'Experiment(name={name}) already exists.', t.client.create_experiment, name)


@case(real_server='the message holds SQL text')
def name_is_taken_says_no_sql(t):
    name = t.name()
    t.client.create_experiment(name)
    reply = t.send('POST', 'experiments/create', {'name': name})
    t.refused(reply, 400, 'RESOURCE_ALREADY_EXISTS', f'Experiment(name={name}) already exists.')
    assert 'sqlite' not in reply.text.lower() and 'INSERT' not in reply.text, reply.text


@case()
def name_of_a_deleted_one_is_taken(t):
    name = t.name()
    t.client.delete_experiment(t.client.create_experiment(name))
    t.fails('RESOURCE_ALREADY_EXISTS', f'Experiment(name={name}) already exists', t.client.create_experiment, name)


@case()
def names_differ_by_case(t):
    name = t.name('abc')
    assert t.client.create_experiment(name) != t.client.create_experiment(name.upper())


@case()
def get_unknown(t):
    t.refused(t.send('GET', 'experiments/get', experiment_id='987654321'), 404, 'RESOURCE_DOES_NOT_EXIST', 'No Experiment with id=987654321 exists')


@case()
def get_by_unknown_name(t):
    name = t.name()
    t.same(t.client.get_experiment_by_name(name), None)
    t.refused(t.send('GET', 'experiments/get-by-name', experiment_name=name), 404, 'RESOURCE_DOES_NOT_EXIST', f"Could not find experiment with name '{name}'")


@case()
def get_without_id(t):
    t.refused(t.send('GET', 'experiments/get'), 400, 'INVALID_PARAMETER_VALUE', "Missing value for required parameter 'experiment_id'")


@case()
def rename(t):
    id, name = t.experiment(), t.name('new')
    t.client.rename_experiment(id, name)
    t.same(t.client.get_experiment(id).name, name)
    t.same(t.client.get_experiment_by_name(name).experiment_id, id)


@case()
def rename_to_a_taken_name(t):
    a, b = t.name(), t.experiment()
    t.client.create_experiment(a)
    assert t.send('POST', 'experiments/update', {'experiment_id': b, 'new_name': a}).status >= 400


@case(real_server='answers 500 with SQL text')
def rename_to_a_taken_name_is_the_callers_mistake(t):
    a, b = t.name(), t.experiment()
    t.client.create_experiment(a)
    t.refused(t.send('POST', 'experiments/update', {'experiment_id': b, 'new_name': a}), 400, 'RESOURCE_ALREADY_EXISTS')


@case(real_server='answers 500 INVALID_STATE')
def rename_a_deleted_one(t):
    id = t.experiment()
    t.client.delete_experiment(id)
    reply = t.send('POST', 'experiments/update', {'experiment_id': id, 'new_name': t.name()})
    assert 400 <= reply.status < 500, reply.text
    t.same(reply.json()['error_code'], 'INVALID_STATE')


@case()
def rename_without_a_name(t):
    t.refused(t.send('POST', 'experiments/update', {'experiment_id': t.experiment()}), 400, 'INVALID_PARAMETER_VALUE')


@case()
def delete_and_restore(t):
    id = t.experiment()
    run = t.run_id(id)
    t.client.delete_experiment(id)
    t.same(t.client.get_experiment(id).lifecycle_stage, 'deleted')
    t.same(t.client.get_run(run).info.lifecycle_stage, 'deleted')
    t.client.restore_experiment(id)
    t.same(t.client.get_experiment(id).lifecycle_stage, 'active')
    t.same(t.client.get_run(run).info.lifecycle_stage, 'active')


@case()
def deleted_is_found_by_name(t):
    name = t.name()
    id = t.client.create_experiment(name)
    t.client.delete_experiment(id)
    e = t.client.get_experiment_by_name(name)
    t.same((e.experiment_id, e.lifecycle_stage), (id, 'deleted'))


@case()
def delete_twice(t):
    id = t.experiment()
    t.client.delete_experiment(id)
    t.refused(t.send('POST', 'experiments/delete', {'experiment_id': id}), 404, 'RESOURCE_DOES_NOT_EXIST')


@case()
def delete_unknown(t):
    t.refused(t.send('POST', 'experiments/delete', {'experiment_id': '987654321'}), 404, 'RESOURCE_DOES_NOT_EXIST', 'No Experiment with id=987654321 exists')


@case()
def restore_an_active_one(t):
    t.refused(t.send('POST', 'experiments/restore', {'experiment_id': t.experiment()}), 404, 'RESOURCE_DOES_NOT_EXIST')


@case()
def delete_moves_the_update_time(t):
    id = t.experiment()
    before = t.client.get_experiment(id).last_update_time
    time.sleep(0.01)
    t.client.delete_experiment(id)
    assert t.client.get_experiment(id).last_update_time > before


@case()
def run_in_a_deleted_one(t):
    id = t.experiment()
    t.client.delete_experiment(id)
    t.refused(t.send('POST', 'runs/create', {'experiment_id': id}), 400, 'INVALID_PARAMETER_VALUE',
              f"The experiment {id} must be in the 'active' state. Current state is deleted.")


@case()
def run_in_an_unknown_one(t):
    t.refused(t.send('POST', 'runs/create', {'experiment_id': '987654321'}), 404, 'RESOURCE_DOES_NOT_EXIST', 'No Experiment with id=987654321 exists')


# --- tags ---
@case()
def tags(t):
    id = t.experiment()
    t.client.set_experiment_tag(id, 'k', 'v')
    t.client.set_experiment_tag(id, 'k', 'w')
    t.client.set_experiment_tag(id, 'empty', '')
    t.client.set_experiment_tag(id, 'Schlüssel', '値 🧪\nline')
    t.same(t.client.get_experiment(id).tags, {'k': 'w', 'empty': '', 'Schlüssel': '値 🧪\nline'})


@case(since='3.2')
def delete_tag(t):
    id = t.experiment(tags={'a': '1', 'b': '2'})
    t.client.delete_experiment_tag(id, 'a')
    t.same(t.client.get_experiment(id).tags, {'b': '2'})
    t.fails('RESOURCE_DOES_NOT_EXIST', 'No tag with name: a', t.client.delete_experiment_tag, id, 'a')


@table([('k' * 250, 'v', 200), ('k' * 251, 'v', 400), ('k', 'v' * 5000, 200), row('k', 'v' * 5001, 400, real_server='keeps it on SQLite, which does not check lengths'), ('../a', 'v', 400), ('/a', 'v', 400), ('a//b', 'v', 400)])
def tag_limits(t, key, value, status):
    id = t.experiment()
    reply = t.send('POST', 'experiments/set-experiment-tag', {'experiment_id': id, 'key': key, 'value': value})
    assert reply.status == status, (reply.status, reply.text)
    if status == 400:
        t.refused(reply, 400, 'INVALID_PARAMETER_VALUE')


@case()
def tag_on_a_deleted_one(t):
    id = t.experiment()
    t.client.delete_experiment(id)
    t.fails('INVALID_PARAMETER_VALUE', "must be in the 'active' state", t.client.set_experiment_tag, id, 'a', 'b')


@case()
def tags_of_create_may_be_empty(t):
    t.same(t.client.get_experiment(t.experiment(tags={'a': ''})).tags, {'a': ''})


# --- fluent ---
@case()
def set_experiment_creates(t):
    import mlflow
    name = t.name()
    made = mlflow.set_experiment(name)
    t.same(made.name, name)
    t.same(mlflow.set_experiment(name).experiment_id, made.experiment_id)
    t.same(mlflow.set_experiment(experiment_id=made.experiment_id).name, name)
    with mlflow.start_run() as run:
        t.same(run.info.experiment_id, made.experiment_id)


@case()
def set_experiment_of_a_deleted_one(t):
    import mlflow
    name = t.name()
    t.client.delete_experiment(t.client.create_experiment(name))
    t.fails('INVALID_PARAMETER_VALUE', 'Cannot set a deleted experiment', mlflow.set_experiment, name)


@case()
def set_experiment_of_an_unknown_id(t):
    import mlflow
    t.fails('RESOURCE_DOES_NOT_EXIST', 'No Experiment with id=987654321 exists', mlflow.set_experiment, experiment_id='987654321')


@case()
def fluent_create_get_delete(t):
    import mlflow
    name = t.name()
    id = mlflow.create_experiment(name, tags={'x': 'y'})
    t.same(mlflow.get_experiment(id).tags, {'x': 'y'})
    t.same(mlflow.get_experiment_by_name(name).experiment_id, id)
    mlflow.delete_experiment(id)
    t.same(mlflow.get_experiment(id).lifecycle_stage, 'deleted')
    t.same([e.experiment_id for e in mlflow.search_experiments(filter_string=f"name = '{name}'")], [])


@case()
def fluent_experiment_tags(t):
    import mlflow
    mlflow.set_experiment(t.name())
    mlflow.set_experiment_tag('one', '1')
    mlflow.set_experiment_tags({'two': '2', 'three': '3'})
    t.same({k: v for k, v in mlflow.get_experiment(mlflow.tracking.fluent._get_experiment_id()).tags.items() if not k.startswith('mlflow.')},
           {'one': '1', 'two': '2', 'three': '3'})
