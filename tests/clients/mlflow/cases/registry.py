"""The model registry: models, versions, tags, aliases, stages."""
import time

from framework import case, row, table

HINT = '. See the API docs for more information about request parameters.'


def model(t, **fields):
    return t.client.create_registered_model(t.name('model'), **fields).name


def version(t, name, source='s3://bucket/model', **fields):
    return t.client.create_model_version(name, source, **fields)


# --- models ---
@case()
def create_and_get(t):
    name = t.name('Modell 模型 🧠')
    before = int(time.time() * 1000)
    t.client.create_registered_model(name, tags={'a': 'b', 'ü': 'ö'}, description='what it is\nüber')
    got = t.client.get_registered_model(name)
    t.same((got.name, got.tags, got.description, got.latest_versions, got.aliases), (name, {'a': 'b', 'ü': 'ö'}, 'what it is\nüber', [], {}))
    assert before - 5000 <= got.creation_timestamp <= got.last_updated_timestamp <= int(time.time() * 1000) + 5000


@case()
def answer_of_create(t):
    name = t.name()
    got = t.post('registered-models/create', name=name)['registered_model']
    assert got['name'] == name and isinstance(got['creation_timestamp'], int) and isinstance(got['last_updated_timestamp'], int), got


@case()
def name_is_taken(t):
    name = model(t)
    t.fails('RESOURCE_ALREADY_EXISTS', f'Registered Model (name={name}) already exists.', t.client.create_registered_model, name)


@case()
def name_is_taken_says_no_sql(t):
    name = model(t)
    reply = t.send('POST', 'registered-models/create', {'name': name})
    assert reply.status == 400 and 'INSERT' not in reply.text and 'sqlite' not in reply.text.lower(), reply.text


@table([({}, "Missing value for required parameter 'name'"), ({'name': ''}, "Missing value for required parameter 'name'"),
        ({'name': 5}, "Invalid value 5 for parameter 'name' supplied:  Hint: Value was of type 'int'")])
def create_needs_a_name(t, body, text):
    t.refused(t.send('POST', 'registered-models/create', body), 400, 'INVALID_PARAMETER_VALUE', text)


@table([('a/b', 400), ('a:b', 400), ('a b', 200), ('a.b', 200), ("a'b", 200), ('a"b', 200), ('ü', 200), row('a%2eb', 400, real_server='takes it: two names for one URL'),
        row('a\nb', 400, real_server='takes control characters')])
def names(t, word, status):
    reply = t.send('POST', 'registered-models/create', {'name': t.name(word)})
    assert reply.status == status, (reply.status, reply.text)


@table([('a/b',), ('a:b',)])
def text_of_a_bad_name(t, word):
    name = t.name(word)
    t.refused(t.send('POST', 'registered-models/create', {'name': name}), 400, 'INVALID_PARAMETER_VALUE', f"Invalid model name '{name}'. Names cannot contain '/' or ':'.")


@case()
def get_unknown(t):
    t.refused(t.send('GET', 'registered-models/get', name='nothing-here'), 404, 'RESOURCE_DOES_NOT_EXIST', 'Registered Model with name=nothing-here not found')


@case()
def get_without_name(t):
    t.refused(t.send('GET', 'registered-models/get'), 400, 'INVALID_PARAMETER_VALUE', "Missing value for required parameter 'name'" + HINT)


@case()
def update_description(t):
    name = model(t)
    got = t.client.update_registered_model(name, description='neu ✨')
    t.same((got.description, t.client.get_registered_model(name).description), ('neu ✨', 'neu ✨'))


@table([(5000, 200), row(5001, 400, real_server='SQLite does not check lengths')])
def description_lengths(t, length, status):
    t.same(t.send('PATCH', 'registered-models/update', {'name': model(t), 'description': 'd' * length}).status, status)


@case()
def rename(t):
    old, new = model(t, tags={'k': 'v'}), t.name('renamed')
    version(t, old)
    t.client.set_registered_model_alias(old, 'best', '1')
    t.client.rename_registered_model(old, new)
    t.fails('RESOURCE_DOES_NOT_EXIST', f'Registered Model with name={old} not found', t.client.get_registered_model, old)
    got = t.client.get_registered_model(new)
    t.same((got.tags, got.latest_versions[0].version), ({'k': 'v'}, '1'))
    t.same(t.client.get_model_version(new, '1').name, new)


@case()
def alias_moves_with_a_rename(t):
    old, new = model(t), t.name('renamed')
    version(t, old)
    t.client.set_registered_model_alias(old, 'best', '1')
    t.client.rename_registered_model(old, new)
    t.same(t.client.get_model_version_by_alias(new, 'best').version, '1')


@case()
def rename_to_a_taken_name(t):
    a, b = model(t), model(t)
    t.fails('RESOURCE_ALREADY_EXISTS', f'Registered Model (name={b}) already exists', t.client.rename_registered_model, a, b)


@case()
def rename_without_a_name(t):
    t.refused(t.send('POST', 'registered-models/rename', {'name': model(t)}), 400, 'INVALID_PARAMETER_VALUE')


@case()
def delete(t):
    name = model(t)
    version(t, name)
    t.client.delete_registered_model(name)
    t.fails('RESOURCE_DOES_NOT_EXIST', f'Registered Model with name={name} not found', t.client.get_registered_model, name)
    t.same(t.client.search_model_versions(f"name = '{name}'"), [])
    t.same(t.client.create_registered_model(name).name, name)


@case(real_server='begins again at 1')
def numbers_of_a_deleted_model_are_not_given_again(t):
    name = model(t)
    version(t, name)
    t.client.delete_registered_model(name)
    t.client.create_registered_model(name)
    t.same(version(t, name).version, '2')


@case()
def delete_unknown(t):
    t.fails('RESOURCE_DOES_NOT_EXIST', 'Registered Model with name=nothing-here not found', t.client.delete_registered_model, 'nothing-here')


@case()
def tags(t):
    name = model(t)
    t.client.set_registered_model_tag(name, 'k', 'v')
    t.client.set_registered_model_tag(name, 'k', 'w 値')
    t.client.set_registered_model_tag(name, 'gone', 'x')
    t.client.delete_registered_model_tag(name, 'gone')
    t.client.delete_registered_model_tag(name, 'never was')
    t.same(t.client.get_registered_model(name).tags, {'k': 'w 値'})


@table([('k' * 250, 'v', 200), ('k' * 251, 'v', 400), ('k', 'v' * 5000, 200), ('', 'v', 400)])
def tag_limits(t, key, value, status):
    reply = t.send('POST', 'registered-models/set-tag', {'name': model(t), 'key': key, 'value': value})
    assert reply.status == status, (reply.status, reply.text)


@case()
def tag_of_an_unknown_model(t):
    t.fails('RESOURCE_DOES_NOT_EXIST', 'Registered Model with name=nothing-here not found', t.client.set_registered_model_tag, 'nothing-here', 'a', 'b')


# --- versions ---
@case()
def versions_count_up(t):
    name = model(t)
    t.same([version(t, name).version for _ in range(3)], ['1', '2', '3'])


@case()
def version_fields(t):
    name, run = model(t), t.run_id()
    made = version(t, name, source='s3://b/é', run_id=run, tags={'a': 'b'}, run_link='http://link', description='say')
    got = t.client.get_model_version(name, made.version)
    t.same((got.name, got.version, got.source, got.run_id, got.tags, got.run_link, got.description), (name, '1', 's3://b/é', run, {'a': 'b'}, 'http://link', 'say'))
    t.same((got.status, got.current_stage, got.aliases), ('READY', 'None', []))
    assert got.creation_timestamp <= got.last_updated_timestamp


@case()
def version_is_text_on_the_wire(t):
    name = model(t)
    got = t.post('model-versions/create', name=name, source='s3://b/a')['model_version']
    t.same((got['version'], got['status'], got['current_stage']), ('1', 'READY', 'None'))
    assert isinstance(got['creation_timestamp'], int), got


@case()
def version_of_an_unknown_model(t):
    t.refused(t.send('POST', 'model-versions/create', {'name': 'nothing-here', 'source': 's3://b/a'}), 404, 'RESOURCE_DOES_NOT_EXIST',
              'Registered Model with name=nothing-here not found')


@case()
def version_without_a_source(t):
    t.refused(t.send('POST', 'model-versions/create', {'name': model(t)}), 400, 'INVALID_PARAMETER_VALUE', "Missing value for required parameter 'source'")


@case()
def a_deleted_number_is_not_given_again(t):
    name = model(t)
    for _ in range(2):
        version(t, name)
    t.client.delete_model_version(name, '2')
    t.same(version(t, name).version, '3')
    t.same(sorted(v.version for v in t.client.search_model_versions(f"name = '{name}'")), ['1', '3'])


@case()
def deleted_version(t):
    name = model(t)
    version(t, name)
    t.client.delete_model_version(name, '1')
    t.fails('RESOURCE_DOES_NOT_EXIST', f'Model Version (name={name}, version=1) not found', t.client.get_model_version, name, '1')
    t.fails('RESOURCE_DOES_NOT_EXIST', f'Model Version (name={name}, version=1) not found', t.client.delete_model_version, name, '1')


@case()
def unknown_version(t):
    name = model(t)
    t.fails('RESOURCE_DOES_NOT_EXIST', f'Model Version (name={name}, version=7) not found', t.client.get_model_version, name, '7')


@case()
def version_that_is_no_number(t):
    t.refused(t.send('GET', 'model-versions/get', name=model(t), version='x'), 400, 'INVALID_PARAMETER_VALUE', "Parameter 'version' must be an integer, got 'x'.")


@case()
def update_version(t):
    name = model(t)
    version(t, name)
    t.same(t.client.update_model_version(name, '1', 'beschrieben').description, 'beschrieben')
    t.same(t.client.get_model_version(name, '1').description, 'beschrieben')


@case()
def version_tags(t):
    name = model(t)
    version(t, name)
    t.client.set_model_version_tag(name, '1', 'k', 'v')
    t.client.set_model_version_tag(name, '1', 'k', 'w')
    t.client.set_model_version_tag(name, '1', 'gone', 'x')
    t.client.delete_model_version_tag(name, '1', 'gone')
    t.same(t.client.get_model_version(name, '1').tags, {'k': 'w'})


@case()
def version_tag_of_100000(t):
    name = model(t)
    version(t, name)
    t.client.set_model_version_tag(name, '1', 'k', 'v' * 100_000)
    t.same(len(t.client.get_model_version(name, '1').tags['k']), 100_000)


@case()
def download_uri(t):
    name = model(t)
    version(t, name, source='s3://bucket/some/model')
    t.same(t.client.get_model_version_download_uri(name, '1'), 's3://bucket/some/model')


@case()
def download_uri_of_an_unknown_version(t):
    t.fails('RESOURCE_DOES_NOT_EXIST', 'not found', t.client.get_model_version_download_uri, model(t), '3')


@case()
def source_is_another_version(t):
    a, b = model(t), model(t)
    version(t, a, source='s3://bucket/first')
    version(t, b, source=f'models:/{a}/1')
    t.same(t.client.get_model_version(b, '1').source, f'models:/{a}/1')
    t.same(t.client.get_model_version_download_uri(b, '1'), 's3://bucket/first')


@case()
def copy_version(t):
    a, b = model(t), t.name('copy')
    made = version(t, a, source='s3://bucket/first', tags={'k': 'v'}, description='d')
    copied = t.client.copy_model_version(f'models:/{a}/{made.version}', b)
    t.same((copied.name, copied.version, copied.source), (b, '1', f'models:/{a}/1'))


@case()
def source_is_a_run(t):
    import mlflow
    name = model(t)
    mlflow.set_experiment(t.name())
    with mlflow.start_run() as run:
        mlflow.log_text('x', 'm/MLmodel')
    got = version(t, name, source=f'{run.info.artifact_uri}/m', run_id=run.info.run_id)
    t.same((got.run_id, got.source), (run.info.run_id, f'{run.info.artifact_uri}/m'))


@table(['file:///etc', '/etc', '//proc/self/root', 'file:/etc', './x', 'relative/path', 'mlflow-artifacts://h:9/models/../../../', 'http://host/../../etc/', 's3a://b/..',
        'file:///etc/%2e%2e', '..%2f..%2f', 'http://host/path', 'mlflow-artifacts:/1/x/artifacts/m', 'models:/m-0123456789abcdef0123456789abcdef', row('file://host/etc', real_server='answers 500'), 's3://b/a?x=../../y', 's3://b/%00', 'mlflow-artifacts:/../x', 'ftp://evil/../a'])
def sources_refused(t, source):
    reply = t.send('POST', 'model-versions/create', {'name': model(t), 'source': source})
    assert reply.status == 400, (reply.status, reply.text)
    t.refused(reply, 400, 'INVALID_PARAMETER_VALUE')


@table(['s3://bucket/a', 'gs://b/a', 'dbfs:/x/y', 'wasbs://c@a/x', 's3a://b/ü'])
def sources_taken(t, source):
    t.same(t.post('model-versions/create', name=model(t), source=source)['model_version']['source'], source)


@case()
def a_source_inside_this_server_needs_its_run(t):
    run, name = t.run(), model(t)
    source = f'{run.info.artifact_uri}/m'
    text = f"Invalid model version source: '{source}'. The run_id request parameter must identify the resource that contains the source."
    t.refused(t.send('POST', 'model-versions/create', {'name': name, 'source': source}), 400, 'INVALID_PARAMETER_VALUE', text)
    t.refused(t.send('POST', 'model-versions/create', {'name': name, 'source': source, 'run_id': t.run_id()}), 400, 'INVALID_PARAMETER_VALUE', 'Invalid model version source')
    t.same(t.post('model-versions/create', name=name, source=source, run_id=run.info.run_id)['model_version']['version'], '1')


@case()
def text_of_an_http_source(t):
    t.refused(t.send('POST', 'model-versions/create', {'name': model(t), 'source': 'http://host/path'}), 400, 'INVALID_PARAMETER_VALUE',
              "'source' cannot use the 'http' scheme: the 'http' scheme addresses a host other than the tracking server's configured artifact storage")


# --- aliases ---
@case()
def alias(t):
    name = model(t)
    version(t, name), version(t, name)
    t.client.set_registered_model_alias(name, 'best', '1')
    t.client.set_registered_model_alias(name, 'also', '1')
    t.same(t.client.get_model_version_by_alias(name, 'best').version, '1')
    t.client.set_registered_model_alias(name, 'best', '2')
    t.same(t.client.get_model_version_by_alias(name, 'best').version, '2')
    t.same(t.client.get_registered_model(name).aliases, {'also': '1', 'best': '2'})
    t.same([t.client.get_model_version(name, v).aliases for v in '12'], [['also'], ['best']])
    t.client.delete_registered_model_alias(name, 'best')
    t.same(t.client.get_registered_model(name).aliases, {'also': '1'})


@case()
def unknown_alias(t):
    t.fails('INVALID_PARAMETER_VALUE', 'Registered model alias nothing not found.', t.client.get_model_version_by_alias, model(t), 'nothing')


@case()
def delete_an_unknown_alias(t):
    t.client.delete_registered_model_alias(model(t), 'nothing')


@case()
def alias_of_an_unknown_version(t):
    name = model(t)
    t.fails('RESOURCE_DOES_NOT_EXIST', f'Model Version (name={name}, version=5) not found', t.client.set_registered_model_alias, name, 'best', '5')


@table([('latest', "'latest' alias name (case insensitive) is reserved."), ('LATEST', "'latest' alias name (case insensitive) is reserved."), ('v1', 'Version alias name'), ('V22', 'Version alias name'), ('a b', 'alias name'),
        ('a.b', 'alias name'), ('ü!', 'alias name'), ('a' * 256, 'exceeds the maximum length of 255'), ('', '')])
def bad_aliases(t, alias, text):
    name = model(t)
    version(t, name)
    t.refused(t.send('POST', 'registered-models/alias', {'name': name, 'alias': alias, 'version': '1'}), 400, 'INVALID_PARAMETER_VALUE', text)


@table(['a', 'a-b', 'a_b', 'ü', 'Champion', 'v1a', '1', 'a' * 255])
def good_aliases(t, alias):
    name = model(t)
    version(t, name)
    t.client.set_registered_model_alias(name, alias, '1')
    t.same(t.client.get_model_version_by_alias(name, alias).version, '1')


@case()
def alias_latest_reads_the_newest(t):
    name = model(t)
    version(t, name), version(t, name)
    t.same(t.client.get_model_version_by_alias(name, 'latest').version, '2')


@case()
def alias_goes_with_its_version(t):
    name = model(t)
    version(t, name)
    t.client.set_registered_model_alias(name, 'best', '1')
    t.client.delete_model_version(name, '1')
    t.same(t.client.get_registered_model(name).aliases, {})


# --- stages ---
@case()
def stages(t):
    name = model(t)
    for _ in range(3):
        version(t, name)
    t.same(t.client.transition_model_version_stage(name, '1', 'Staging').current_stage, 'Staging')
    t.client.transition_model_version_stage(name, '2', 'production')
    t.same([t.client.get_model_version(name, v).current_stage for v in '123'], ['Staging', 'Production', 'None'])
    t.same({v.current_stage: v.version for v in t.client.get_latest_versions(name)}, {'Staging': '1', 'Production': '2', 'None': '3'})
    t.same([v.version for v in t.client.get_latest_versions(name, ['Production'])], ['2'])
    t.same({v.current_stage: v.version for v in t.client.get_registered_model(name).latest_versions}, {'Staging': '1', 'Production': '2', 'None': '3'})


@case()
def a_transition_archives_the_others(t):
    name = model(t)
    for v in '12':
        version(t, name)
        t.client.transition_model_version_stage(name, v, 'Production', archive_existing_versions=v == '2')
    t.same([t.client.get_model_version(name, v).current_stage for v in '12'], ['Archived', 'Production'])


@case()
def a_transition_that_archives_nothing(t):
    name = model(t)
    for v in '12':
        version(t, name)
        t.client.transition_model_version_stage(name, v, 'Production')
    t.same([t.client.get_model_version(name, v).current_stage for v in '12'], ['Production', 'Production'])
    t.same([v.version for v in t.client.get_latest_versions(name, ['Production'])], ['2'])


@case()
def unknown_stage(t):
    name = model(t)
    version(t, name)
    t.fails('INVALID_PARAMETER_VALUE', 'Invalid Model Version stage: nowhere. Value must be one of None, Staging, Production, Archived.',
            t.client.transition_model_version_stage, name, '1', 'nowhere')


@case(real_server='answers 500')
def archiving_into_none(t):
    name = model(t)
    version(t, name)
    t.refused(t.send('POST', 'model-versions/transition-stage', {'name': name, 'version': '1', 'stage': 'None', 'archive_existing_versions': True}), 400,
              'INVALID_PARAMETER_VALUE', 'Model version transition cannot archive existing model versions')


@case()
def latest_versions_by_get_and_post(t):
    name = model(t)
    version(t, name)
    for answer in (t.get('registered-models/get-latest-versions', name=name), t.post('registered-models/get-latest-versions', name=name)):
        t.same([v['version'] for v in answer['model_versions']], ['1'])


@case()
def latest_versions_of_a_wrong_stage(t):
    t.refused(t.send('POST', 'registered-models/get-latest-versions', {'name': model(t), 'stages': ['nowhere']}), 400, 'INVALID_PARAMETER_VALUE', 'Invalid Model Version stage')


@case()
def latest_versions_of_an_unknown_model(t):
    t.refused(t.send('POST', 'registered-models/get-latest-versions', {'name': 'nothing-here'}), 404, 'RESOURCE_DOES_NOT_EXIST')


# --- fluent ---
@case()
def register_model(t):
    import mlflow
    name = t.name('reg')
    mlflow.set_experiment(t.name())
    with mlflow.start_run() as run:
        mlflow.log_text('x', 'm/MLmodel')
    first = mlflow.register_model(f'runs:/{run.info.run_id}/m', name, tags={'k': 'v'})
    second = mlflow.register_model(f'runs:/{run.info.run_id}/m', name)
    t.same((first.run_id, first.source), (run.info.run_id, f'{run.info.artifact_uri}/m'))
    t.same((first.version, second.version, first.tags), ('1', '2', {'k': 'v'}))


@case()
def many_versions_at_once(t):
    from concurrent.futures import ThreadPoolExecutor
    name, client = model(t), t.client
    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(lambda i: client.create_model_version(name, f's3://b/{i}').version, range(9)))
    t.same(sorted(map(int, made)), list(range(1, 10)))
