"""Searching experiments, models and versions."""
from framework import case, once, row, table


# --- experiments ------------------------------------------------------------------------------------
@once
def experiments(t):
    ids = {}
    for letter, tags in {'a': {'team': 'red', 'n': '1'}, 'b': {'team': 'Blue'}, 'c': {'my key': "o'hara"}, 'd': {}, 'e': {'team': 'red', 'ü': 'ö'}}.items():
        ids[letter] = t.client.create_experiment(f'{t.mark} {letter} {"Über" if letter == "e" else "plain"}', tags={**tags, 'mark': t.mark})
    t.client.delete_experiment(ids['d'])
    return t.mark, ids


def found_experiments(t, filter='', view='ACTIVE_ONLY', **body):
    mark, ids = experiments(t)
    filter = f"tags.mark = '{mark}'" + (f' AND {filter.replace("{mark}", mark)}' if filter else '')
    answer = t.post('experiments/search', filter=filter, view_type=view, **{'max_results': 100, **body})
    letters = {id: letter for letter, id in ids.items()}
    return ''.join(letters[e['experiment_id']] for e in answer.get('experiments', []))


@table([('', 'abce'), ("name = '{mark} a plain'", 'a'), ("attribute.name = '{mark} a plain'", 'a'), ("attributes.name != '{mark} a plain'", 'bce'),
        ("attributes.name LIKE '%plain'", 'abc'), ("name LIKE '%PLAIN'", ''), ("name ILIKE '%PLAIN'", 'abc'), ("name ILIKE '%Über'", 'e'), ("tags.team = 'red'", 'ae'),
        ("tag.team = 'red'", 'ae'), ("tags.team != 'red'", 'b'), ("tags.team LIKE 'B%'", 'b'), ("tags.team ILIKE 'b%'", 'b'), ("tags.`my key` = \"o'hara\"", 'c'),
        ("tags.ü = 'ö'", 'e'), ("tags.team = 'red' AND tags.n = '1'", 'a'), ('creation_time > 0', 'abce'), ('creation_time < 5', ''), ('last_update_time >= 1', 'abce'),
        ("tags.nothing = 'x'", ''), ("tags.nothing != 'x'", ''), row("(tags.team = 'Blue' OR tags.ü = 'ö')", 'be', real_server='has AND only')])
def experiment_filters(t, text, letters):
    t.same(''.join(sorted(found_experiments(t, text))), letters)


@table([("attr.name = 'a'", "Invalid entity type 'attr'. Valid entity types are ('attribute', 'attributes', 'tag', 'tags')"), ("name > 'a'", 'Invalid comparator'), ("creation_time LIKE 'x'", ''), ("creation_time = 'x'", ''), ("nothing = 'x'", ''), ("attribute.nothing = 'x'", 'Invalid attribute key'),
        ("params.a = 'x'", "Invalid entity type 'params'"), ("name = x", ''), ('name = 5', ''),
        ("name IN ('a')", ''), ('tags.a = 5', '')])
def refused_experiment_filters(t, text, message):
    t.refused(t.send('POST', 'experiments/search', {'filter': text, 'max_results': 5}), 400, 'INVALID_PARAMETER_VALUE', message)


@table([([], 'ecba'), (['name'], 'abce'), (['name ASC'], 'abce'), (['name DESC'], 'ecba'), (['experiment_id'], 'abce'), (['experiment_id DESC'], 'ecba'),
        (['creation_time ASC', 'name DESC'], None), (['attribute.name DESC'], 'ecba'), (['last_update_time DESC'], None)])
def experiment_orders(t, order_by, letters):
    got = found_experiments(t, order_by=order_by)
    t.same(got if letters else ''.join(sorted(got)), letters or 'abce')


@table([(['nothing'], ''), (['tags.a'], ''), (['name UP'], ''), (['name', 'name'], None)])
def refused_experiment_orders(t, order_by, message):
    reply = t.send('POST', 'experiments/search', {'order_by': order_by, 'max_results': 5})
    assert message is None or reply.status == 400, reply.text


@table([('ACTIVE_ONLY', 'abce'), ('DELETED_ONLY', 'd'), ('ALL', 'abcde')])
def experiment_views(t, view, letters):
    t.same(''.join(sorted(found_experiments(t, view=view))), letters)


@case()
def experiment_pages(t):
    mark, _ = experiments(t)
    seen, token = [], None
    while True:
        page = t.client.search_experiments(filter_string=f"tags.mark = '{mark}'", max_results=3, page_token=token)
        seen += [e.name.split()[1] for e in page]
        token = page.token
        if not token:
            break
    t.same(seen, list('ecba'))


@table([({}, "Invalid value 0 for parameter 'max_results' supplied. It must be a positive integer"), ({'max_results': 50001}, '50001'), ({'max_results': -5}, '-5'),
        ({'max_results': 5, 'page_token': 'x'}, 'Invalid page token')])
def refused_experiment_searches(t, body, text):
    t.refused(t.send('POST', 'experiments/search', body), 400, 'INVALID_PARAMETER_VALUE', text)


@case()
def experiments_by_get(t):
    mark, ids = experiments(t)
    got = t.get('experiments/search', filter=f"tags.mark = '{mark}'", max_results=10, order_by=['name DESC'], view_type='ALL')
    t.same([e['experiment_id'] for e in got['experiments']], [ids[x] for x in 'edcba'])


@case()
def experiments_carry_their_tags(t):
    mark, ids = experiments(t)
    got = t.client.search_experiments(filter_string=f"name = '{mark} a plain'")[0]
    t.same((got.experiment_id, got.tags['team'], got.lifecycle_stage), (ids['a'], 'red', 'active'))


# --- models -----------------------------------------------------------------------------------------
@once
def models(t):
    for letter, tags in {'a': {'team': 'red'}, 'b': {'team': 'Blue', 'n': '1'}, 'c': {}, 'd': {'my key': 'x'}, 'e': {'team': 'red', 'n': '1'}}.items():
        name = f'{t.mark}-{letter}' + ('-UP' if letter == 'e' else '')
        t.client.create_registered_model(name, tags=tags)
        for i in range({'a': 3, 'b': 1}.get(letter, 0)):
            t.client.create_model_version(name, f's3://bucket/{t.mark}/{letter}/{i}', tags={'v': str(i)})
    t.client.set_registered_model_alias(f'{t.mark}-a', 'best', '2')
    t.post('registered-models/create', name=f'{t.mark}-p', tags=[{'key': 'mlflow.prompt.is_prompt', 'value': 'true'}])
    return t.mark


def found_models(t, filter='', **body):
    mark = models(t)
    filter = f"name LIKE '{mark}-%'" + (f' AND {filter.replace("{mark}", mark)}' if filter else '')
    answer = t.get('registered-models/search', filter=filter, **body)
    return ''.join(m['name'].split('-')[1] for m in answer.get('registered_models', []))


@table([('', 'abcde'), ("name = '{mark}-a'", 'a'), ("name != '{mark}-a'", 'bcde'), ("name LIKE '%-up'", ''), ("name ILIKE '%-up'", 'e'), ("tags.team = 'red'", 'ae'),
        ("tag.team = 'red'", 'ae'), ("tags.team != 'red'", 'b'), ("tags.team LIKE 'r%'", 'ae'), ("tags.team ILIKE 'b%'", 'b'), ("tags.`my key` = 'x'", 'd'),
        ("tags.team = 'red' AND tags.n = '1'", 'e'), ("tags.team != 'red' AND tags.n = '1'", 'b'), ("tags.nothing = 'x'", ''), ("name IN ('{mark}-a', '{mark}-d')", 'ad'), ("name NOT IN ('{mark}-a')", 'bcde'),
        ("tags.`mlflow.prompt.is_prompt` = 'true'", 'p'), ("tags.`mlflow.prompt.is_prompt` != 'false'", 'p'), ("tags.`mlflow.prompt.is_prompt` = 'false'", 'abcde'),
        ("tags.`mlflow.prompt.is_prompt` != 'true'", 'abcde'), row("(name = '{mark}-a' OR tags.n = '1')", 'abe', real_server='has AND only')])
def model_filters(t, text, letters):
    t.same(''.join(sorted(found_models(t, text))), letters)


@table([("nothing = 'x'", ''), ("name > 'x'", ''), ("name = 5", ''), ("version = '1'", ''), ("params.a = 'x'", ''), ("name", ''),
        ('name = x', '')])
def refused_model_filters(t, text, message):
    t.refused(t.send('GET', 'registered-models/search', filter=text), 400, 'INVALID_PARAMETER_VALUE', message)


@table([([], 'abcde'), (['name'], 'abcde'), (['name DESC'], 'edcba'), (['timestamp', 'name DESC'], None), (['last_updated_timestamp DESC'], None), (['last_updated_timestamp ASC'], None)])
def model_orders(t, order_by, letters):
    got = found_models(t, order_by=order_by)
    t.same(got if letters else ''.join(sorted(got)), letters or 'abcde')


@table([(['nothing'],), (['creation_timestamp'],), (['name UP'],), (['tags.team'],)])
def refused_model_orders(t, order_by):
    t.refused(t.send('GET', 'registered-models/search', order_by=order_by), 400, 'INVALID_PARAMETER_VALUE')


@case()
def model_pages(t):
    mark, seen, token = models(t), '', None
    while True:
        page = t.client.search_registered_models(f"name LIKE '{mark}-%'", max_results=2, page_token=token)
        seen += ''.join(m.name.split('-')[1] for m in page)
        token = page.token
        if not token:
            break
    t.same(seen, 'abcde')


@table([row({'max_results': 0}, '', real_server='answers nothing and a token that leads nowhere'), ({'max_results': 1001}, 'max_results'),
        row({'max_results': -1}, 'max_results', real_server='answers nothing and a token that leads nowhere'), ({'page_token': 'x'}, '')])
def refused_model_searches(t, query, text):
    t.refused(t.send('GET', 'registered-models/search', **query), 400, 'INVALID_PARAMETER_VALUE', text)


@case()
def models_carry_latest_versions_and_tags(t):
    mark = models(t)
    got = t.client.search_registered_models(f"name = '{mark}-a'")[0]
    t.same(([v.version for v in got.latest_versions], got.tags), (['3'], {'team': 'red'}))


@case()
def models_carry_their_aliases(t):
    mark = models(t)
    t.same(t.client.search_registered_models(f"name = '{mark}-a'")[0].aliases, {'best': '2'})


# --- versions ---------------------------------------------------------------------------------------
def found_versions(t, filter='', **body):
    mark = models(t)
    filter = f"name LIKE '{mark}-%'" if not filter else filter.replace('{mark}', mark)
    answer = t.get('model-versions/search', filter=filter, **body)
    return ' '.join(v['name'].split('-')[1] + v['version'] for v in answer.get('model_versions', []))


@table([("name = '{mark}-a'", 'a1 a2 a3'), ("name = '{mark}-c'", ''), ("name LIKE '{mark}-%'", 'a1 a2 a3 b1'), ("name ILIKE '{mark}-%'", 'a1 a2 a3 b1'),
        ("name != '{mark}-a' AND name LIKE '{mark}-%'", 'b1'), ("name IN ('{mark}-a', '{mark}-b')", None), ("version_number = 1 AND name LIKE '{mark}-%'", 'a1 b1'),
        ("version_number > 1 AND name LIKE '{mark}-%'", 'a2 a3'), ("version_number != 2 AND name = '{mark}-a'", 'a1 a3'), ("source_path = 's3://bucket/{mark}/a/1'", 'a2'),
        ("source_path LIKE 's3://bucket/{mark}/%'", None), ("tags.v = '0' AND name LIKE '{mark}-%'", 'a1 b1'), ("tags.v != '0' AND name LIKE '{mark}-%'", 'a2 a3'),
        ("tags.v LIKE '%' AND name = '{mark}-a'", 'a1 a2 a3'), ("tags.v = '1' AND tags.v LIKE '1%' AND name = '{mark}-a'", 'a2'),
        row("name = '{mark}-b' OR tags.v = '2' AND name = '{mark}-a'", 'a3 b1', real_server='has AND only')])
def version_filters(t, text, versions):
    mark = models(t)
    if versions is None:
        t.same(t.send('GET', 'model-versions/search', filter=text.replace('{mark}', mark)).status in (200, 400), True)
    else:
        t.same(' '.join(sorted(found_versions(t, text).split())), versions)


@table([("nothing = 'x'",), ("version_number = 'x'",), ("name > 'x'",), ("source_path > 'x'",), ('run_id IN ()',), ("version_number LIKE '1'",)])
def refused_version_filters(t, text):
    t.refused(t.send('GET', 'model-versions/search', filter=text), 400, 'INVALID_PARAMETER_VALUE')


@table([(['version_number'], 'a1 b1 a2 a3'), (['version_number DESC'], 'a3 a2 a1 b1'), (['name DESC', 'version_number ASC'], 'b1 a1 a2 a3'), (['name', 'version_number DESC'], 'a3 a2 a1 b1'),
        ([], None), (['creation_timestamp ASC'], None), (['last_updated_timestamp DESC'], None)])
def version_orders(t, order_by, versions):
    got = found_versions(t, order_by=order_by)
    t.same(got if versions else ' '.join(sorted(got.split())), versions or 'a1 a2 a3 b1')


@case()
def versions_of_a_run(t):
    run, other = t.run_id(), t.run_id()
    name = t.client.create_registered_model(t.name()).name
    for id in (run, other, run):
        t.client.create_model_version(name, 's3://b/a', run_id=id)
    t.same(sorted(v.version for v in t.client.search_model_versions(f"run_id = '{run}'")), ['1', '3'])
    t.same(sorted(v.version for v in t.client.search_model_versions(f"run_id IN ('{run}', '{other}')")), ['1', '2', '3'])


@case()
def version_pages(t):
    mark, seen, token = models(t), [], None
    while True:
        page = t.client.search_model_versions(f"name = '{mark}-a'", max_results=2, order_by=['version_number'], page_token=token)
        seen += [v.version for v in page]
        token = page.token
        if not token:
            break
    t.same(seen, ['1', '2', '3'])


@case()
def versions_of_prompts_are_left_out(t):
    name, tags = t.name(), [{'key': 'mlflow.prompt.is_prompt', 'value': 'true'}]
    t.post('registered-models/create', name=name, tags=tags)
    t.post('model-versions/create', name=name, source='prompt-template', tags=tags)
    t.same(len(t.client.search_model_versions(f"name = '{name}'")), 0)
    t.same(len(t.client.search_model_versions(f"name = '{name}' AND tags.`mlflow.prompt.is_prompt` = 'true'")), 1)


@case(real_server='leaves them out')
def versions_carry_their_aliases(t):
    mark = models(t)
    got = {v.version: v.aliases for v in t.client.search_model_versions(f"name = '{mark}-a'")}
    t.same(got, {'1': [], '2': ['best'], '3': []})


@case()
def fluent_searches(t):
    import mlflow
    mark = models(t)
    t.same([m.name for m in mlflow.search_registered_models(filter_string=f"name = '{mark}-a'")], [f'{mark}-a'])
    t.same(len(mlflow.search_model_versions(filter_string=f"name = '{mark}-a'")), 3)
