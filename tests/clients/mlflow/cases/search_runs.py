"""Searching runs: a corpus of nine runs, named by letters; each row says which of them a filter finds, or what it is told."""
import re

from framework import Row, case, once, row, table


def data(key_values):
    return [{'key': k, 'value': v} for k, v in key_values.items()]


# letter: params, tags, metrics, status, start and end time
RUNS = {
    'a': ({'lr': '0.1', 'opt': 'adam', 'p space': 'x'}, {'team': 'red', 'owner name': "o'hara"}, {'acc': 0.5, 'loss': 1}, 'FINISHED', 1000, 2000),
    'b': ({'lr': '0.01', 'opt': 'Adam'}, {'team': 'Blue', 'quote': 'say "hi"'}, {'acc': 0.75, 'loss': -2}, 'FINISHED', 1001, 1500),
    'c': ({'lr': '1e-3', 'opt': 'sgd'}, {'team': 'blue%'}, {'acc': 1.0}, 'FAILED', 1002, 3000),
    'd': ({'opt': 'a_am'}, {'team': 'bl_e'}, {'acc': 'NaN', 'loss': 0}, 'RUNNING', 1003, None),
    'e': ({'größe': 'groß'}, {'ключ': 'значение', 'team': ''}, {'acc': 'Infinity'}, 'KILLED', 1004, 1004),
    'f': ({'a.b/c-d': 'dotted', 'UPPER': '1'}, {'mlflow.user': 'otto', 'a.b': 'c'}, {'val/acc': 0.25, 'm space': 7}, 'SCHEDULED', 1005, None),
    'g': ({'lr': '0.1'}, {}, {'acc': '-Infinity', 'loss': 1}, 'FINISHED', 1005, 2500),
    'h': ({}, {'team': 'red\nline'}, {}, 'FINISHED', 1000, 2000),
    'i': ({'long': 'x' * 3000}, {'semi': 'a;b', 'and': 'this AND that', 'paren': '(x)', 'back': '\\', 'in': 'IN'}, {'acc': 1e-9, '1st': 1}, 'FINISHED', 900, 901),
}
DATASETS = {'a': [('iris', 'd1', 'train'), ('wine', 'd2', 'eval')], 'b': [('iris', 'd9', 'test')], 'c': [('Iris', 'd1', None)]}


@once
def corpus(t):
    exp = t.experiment()
    ids = {}
    for letter, (params, tags, metrics, status, start, end) in RUNS.items():
        id = t.post('runs/create', experiment_id=exp, start_time=start, run_name=letter, user_id='user ' + letter, tags=data(tags))['run']['info']['run_id']
        t.post('runs/log-batch', run_id=id, params=data(params), metrics=[{'key': k, 'value': v, 'timestamp': 1, 'step': 0} for k, v in metrics.items()])
        t.post('runs/update', run_id=id, status=status, **({'end_time': end} if end else {}))
        for name, digest, context in DATASETS.get(letter, []):
            dataset = {'name': name, 'digest': digest, 'source_type': 'local', 'source': '{}'}
            tags_of = [{'key': 'mlflow.data.context', 'value': context}] if context else []
            t.post('runs/log-inputs', run_id=id, datasets=[{'dataset': dataset, 'tags': tags_of}])
        ids[letter] = id
    return exp, ids


def found(t, **body):
    exp, ids = corpus(t)
    body.setdefault('experiment_ids', [exp])
    answer = t.post('runs/search', **body)
    letters = {id: letter for letter, id in ids.items()}
    return ''.join(letters[r['info']['run_id']] for r in answer.get('runs', []))


def filled(t, text):
    """{a} stands for the id of run a."""
    for letter, id in corpus(t)[1].items():
        text = text.replace('{%s}' % letter, id)
    return text


FOUND = [
    ('', 'abcdefghi'), ('metrics.acc > 0.5', 'bce'), ('metrics.acc >= 0.5', 'abce'), ('metrics.acc = 0.5', 'a'), ('metrics.acc != 0.5', 'bcdegi'),
    ('metrics.acc < 0.75', 'agi'), ('metrics.acc <= 0.75', 'abgi'), ('metric.acc = 1', 'c'), ('metrics.acc = 1.0', 'c'), ('metrics.acc = 1e0', 'c'),
    ('metrics.acc < 1e-8', 'gi'), ('metrics.acc < 1E-8', 'gi'), ('metrics.loss < 0', 'b'), ('metrics.loss = -2', 'b'),
    ('metrics.loss > -2.5', 'abdg'), ('metrics.`acc` > 0.9', 'ce'), ('metrics."acc" > 0.9', 'ce'), ('metrics.`val/acc` = 0.25', 'f'),
    ('metrics."val/acc" = 0.25', 'f'), ('metrics.`m space` = 7', 'f'), ('metrics.`1st` = 1', 'i'), ('metrics.1st = 1', 'i'),
    ('`metrics`.acc > 0.9', 'ce'), ('metrics.nothing > 0', ''), ('metrics.acc > 0.4 and metrics.loss = 1', 'a'),
    ('metrics.acc > 0.4 AND metrics.acc < 0.9', 'ab'), ('metrics.acc > .4', 'abce'), ('metrics.acc > 1e400', ''), ('metrics.acc>0.9', 'ce'),
    ('metrics.acc    >    0.9', 'ce'), (' metrics.acc > 0.9 ', 'ce'), ('metrics.acc > 0.4\tAND\tmetrics.loss = 1', 'a'),
    ('metrics.acc > 0.4\nAND metrics.loss = 1', 'a'), row('metrics.acc != 1e999', 'abcdgi', real_server='keeps infinity as the largest number, which is another one'), ("params.lr = '0.1'", 'ag'), ('params.lr = "0.1"', 'ag'),
    ("param.lr = '0.1'", 'ag'), ("parameter.lr = '0.1'", 'ag'), ("parameters.lr = '0.1'", 'ag'), ("params.lr != '0.1'", 'bc'),
    ("params.opt = 'adam'", 'a'), ("params.opt = 'Adam'", 'b'), ("params.opt LIKE 'adam'", 'a'), ("params.opt LIKE 'a%'", 'ad'),
    ("params.opt LIKE '%am'", 'abd'), ("params.opt LIKE 'a_am'", 'ad'), ("params.opt ILIKE 'ADAM'", 'ab'), ("params.opt ILIKE 'a%M'", 'abd'),
    ("params.opt like 'adam'", 'a'), ("params.opt ilike 'ADAM'", 'ab'), ("params.opt LIKE ''", ''), ("params.opt = ''", ''),
    ("params.opt LIKE '%'", 'abcd'), ("params.`p space` = 'x'", 'a'), ('params."p space" = \'x\'', 'a'), ("params.größe = 'groß'", 'e'),
    ("params.`größe` = 'groß'", 'e'), ("params.größe ILIKE 'GROß'", 'e'), ("params.`a.b/c-d` = 'dotted'", 'f'), ("params.UPPER = '1'", 'f'),
    ("params.upper = '1'", ''), ('params.opt IS NULL', 'efghi'), ('params.opt IS NOT NULL', 'abcd'), ('params.opt is null', 'efghi'),
    ('params.nothing IS NULL', 'abcdefghi'), ("params.long LIKE 'xxx%'", 'i'), ("tags.team = 'red'", 'a'), ("tag.team = 'red'", 'a'),
    ("tags.team != 'red'", 'bcdeh'), ("tags.team = ''", 'e'), ("tags.team LIKE 'b%'", 'cd'), ("tags.team ILIKE 'b%'", 'bcd'),
    ("tags.team LIKE 'blue%'", 'c'), ("tags.team LIKE 'bl_e'", 'd'), ("tags.team LIKE 'bl_e%'", 'cd'), ("tags.team LIKE 'red%'", 'ah'),
    ("tags.team ILIKE 'BLUE'", 'b'), ('tags.team IS NULL', 'fgi'), ('tags.team IS NOT NULL', 'abcdeh'),
    ('tags.team IS NULL AND params.lr IS NOT NULL', 'g'), ('tags.`owner name` = "o\'hara"', 'a'), ("tags.`owner name` = 'o''hara'", ''),
    ('tags.`owner name` LIKE "%\'%"', 'a'), ('tags.quote = \'say "hi"\'', 'b'), ('tags.quote = "say ""hi"""', ''), ("tags.ключ = 'значение'", 'e'),
    ("tags.`ключ` LIKE 'знач%'", 'e'), row("tags.`ключ` ILIKE 'ЗНАЧ%'", 'e', real_server='SQLite folds ASCII only'),
    ("tags.mlflow.user = 'otto'", 'f'), ("tags.`mlflow.user` = 'otto'", 'f'), ('tags."mlflow.user" = \'otto\'', 'f'), ("tags.a.b = 'c'", 'f'),
    ("tags.mlflow.runName = 'a'", 'a'), ("tags.`mlflow.runName` != 'a'", 'bcdefghi'), ("tags.semi = 'a;b'", 'i'),
    ("tags.`and` = 'this AND that'", 'i'), ("tags.and = 'this AND that'", 'i'), ("tags.paren = '(x)'", 'i'), ("tags.back = '\\'", 'i'),
    ("tags.back = '\\\\'", ''), ("tags.`in` = 'IN'", 'i'), ("tags.nothing != 'x'", ''), ("attributes.status = 'FINISHED'", 'abghi'),
    ("attribute.status = 'FINISHED'", 'abghi'), ("attr.status = 'FINISHED'", 'abghi'), ("run.status = 'FINISHED'", 'abghi'),
    ("status = 'FINISHED'", 'abghi'), ("status != 'FINISHED'", 'cdef'), ("status LIKE 'F%'", 'abcghi'), ("status ILIKE 'f%'", 'abcghi'),
    row("status = 'finished'", 'abghi', real_server='takes the words of the status in capitals only'), ("run_name = 'a'", 'a'), ("run_name != 'a'", 'bcdefghi'), ("run_name LIKE 'a%'", 'a'), ("run_name ILIKE 'A'", 'a'),
    ("attributes.`run name` = 'a'", 'a'), ("attributes.`Run name` = 'a'", 'a'), ('attributes."Run Name" = \'a\'', 'a'), ("run_id = '{a}'", 'a'),
    ("run_id != '{a}'", 'bcdefghi'), ("run_id IN ('{a}', '{b}')", 'ab'), ('attributes.run_id IN (\'{a}\', "{c}")', 'ac'), ("run_id IN ('{a}')", 'a'),
    ("run_id IN ('{a}',)", 'a'), ("run_id in ('{a}','{b}')", 'ab'), ("run_id NOT IN ('{a}', '{b}')", 'cdefghi'),
    ("run_id not in ('{a}')", 'bcdefghi'), ("run_id LIKE '{a}%'", 'a'), ("run_id IN ('{a}', 'ABC')", 'a'), ("user_id = 'user b'", 'b'),
    ("user_id LIKE 'user %'", 'abcdefghi'), ("artifact_uri LIKE '%{a}%'", 'a'), ('start_time = 1000', 'ah'), ('start_time > 1003', 'efg'),
    ('start_time >= 1003', 'defg'), ('start_time < 1001', 'ahi'), ('start_time <= 1001', 'abhi'), ('start_time != 1000', 'bcdefgi'),
    ('attributes.start_time > 1003', 'efg'), ('created > 1003', 'efg'), ('attributes.Created > 1003', 'efg'), ('end_time > 2000', 'cg'),
    ('end_time = 2000', 'ah'), ('end_time != 2000', 'bcegi'), ('end_time < 1500.5', 'bei'), ("datasets.name = 'iris'", 'ab'),
    ("dataset.name = 'iris'", 'ab'), ("dataset.name != 'iris'", 'ac'), ("dataset.name LIKE 'i%'", 'ab'), ("dataset.name ILIKE 'i%'", 'abc'),
    ("dataset.name IN ('iris', 'wine')", 'ab'), ("dataset.name NOT IN ('iris')", 'ac'), ("dataset.digest = 'd1'", 'ac'),
    ("dataset.digest IN ('d1', 'd2')", 'ac'), ("dataset.context = 'train'", 'a'), ("dataset.context != 'train'", 'ab'),
    ("dataset.context LIKE 't%'", 'ab'), ("dataset.context IN ('train', 'test')", 'ab'), ("dataset.name = 'iris' AND dataset.context = 'eval'", 'a'),
    ("dataset.name = 'iris' AND dataset.digest = 'd1'", 'a'),
    ("metrics.acc > 0.4 AND params.lr = '0.1' AND tags.team = 'red' AND status = 'FINISHED' AND start_time < 2000", 'a'),
    ("tags.team = 'red' AND", 'a'), ("AND tags.team = 'red'", 'a'), ("tags.team = 'red' tags.team = 'red'", 'a'), ('metrics. > 1', ''),
    ("metrics.acc > 0.4 and params.opt like 'a%'", 'a'), ("params.lr LIKE '0.01'", 'b'),
]
BEYOND = [
    row("tags.in = 'IN'", 'i', real_server='takes the key for a word of its grammar'),
    ("tags.team = 'red' OR tags.team = ''", 'ae'), ("(tags.team = 'red')", 'a'), ("params.lr = '0.1' AND (tags.team = 'red' OR tags.team IS NULL)", 'ag'),
    ("tags.team = 'red' OR tags.team = '' AND status = 'KILLED'", 'ae'), ("(tags.team = 'red' OR tags.team = '') AND status = 'KILLED'", 'e'),
]
REFUSED = [
    ('metrics.val/acc = 0.25', "Invalid comparison clause. Expected 'Identifier' found 'metrics.val/acc'"),
    ("params.a.b/c-d = 'dotted'", "Invalid comparison clause. Expected 'Identifier' found 'params.a.b/c-d'"),
    ('params.lr = 0.1', "Expected a quoted string value for parameter (e.g. 'my-value'). Got value 0.1"),
    ("attributes.Status = 'FINISHED'", "Invalid attribute key 'Status' specified. Valid keys are"),
    ("status IN ('FINISHED', 'FAILED')", "Only ['run_id'] attributes support comparison with a list of quoted string values."),
    ("attributes.run_name IN ('a', 'b')", "Only ['run_id'] attributes support comparison with a list of quoted string values."),
    ('run_id IN ()', 'While parsing a list in the query, expected a non-empty list of string values, but got empty list'),
    ("run_id IN ('{a}', 5)", "While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in list"),
    ("run_uuid = '{a}'", "Invalid attribute key 'run_uuid' specified. Valid keys are"),
    ("start_time > '1003'", "Expected numeric value type for numeric attribute: start_time. Found '1003'"),
    ("start_time LIKE '1003'", "Expected numeric value type for numeric attribute: start_time. Found '1003'"),
    ("dataset.profile = 'x'", "Invalid dataset key 'profile' specified. Valid keys are"),
    ("dataset.name > 'a'", "Invalid comparator '>' not one of"), ("metrics.acc = '1'", "Expected numeric value type for metric. Found '1'"),
    ("metrics.acc LIKE '1'", "Expected numeric value type for metric. Found '1'"),
    ('metrics.acc = abc', 'Expected numeric value type for metric. Found abc'),
    ('metrics.acc IN (1, 2)', 'Expected numeric value type for metric. Found (1, 2)'),
    ('metrics.acc IS NULL', "IS NULL / IS NOT NULL is only supported for tags and params, not for 'metric' 'acc'"),
    ('status IS NULL', "IS NULL / IS NOT NULL is only supported for tags and params, not for 'attribute' 'status'"),
    ("params.opt IN ('adam')", "Expected a quoted string value for parameter (e.g. 'my-value'). Got value ('adam')"),
    ("tags.team IN ('red')", "Expected a quoted string value for tag (e.g. 'my-value'). Got value ('red')"),
    ("tags.team NOT IN ('red')", "Expected a quoted string value for tag (e.g. 'my-value'). Got value ('red')"),
    ("tags.team > 'a'", "Invalid comparator '>' not one of"), ("tags.team RLIKE 'r.*'", "Invalid comparator 'RLIKE' not one of"),
    ('tags.team = red', 'Parameter value is either not quoted or unidentified quote types used for string value red. Use either single or double quotes.'),
    ('tags.team = `red`', 'Parameter value is either not quoted or unidentified quote types used for string value `red`. Use either single or double quotes.'),
    ("tags.team = 'red", "Invalid clause(s) in filter string: 'tags.team', '=', ''', 'red'"),
    ("tags.team == 'red'", "Invalid comparator '==' not one of"), ("tags.team <> 'red'", "Invalid comparator '<>' not one of"),
    ("tags.team = 'red' OR tags.team = ''", "Invalid clause(s) in filter string: 'OR'"),
    ("(tags.team = 'red')", "Invalid clause(s) in filter string: '(tags.team = 'red')'"),
    ("NOT tags.team = 'red'", "Invalid clause(s) in filter string: 'NOT'"), ("tags.team = 'red';", "Invalid clause(s) in filter string: ';'"),
    ("tags.team = 'red'; tags.team = ''", 'Search filter contained multiple expression "tags.team = \'red\'; tags.team = \'\'". Provide AND-ed expression list.'),
    ('tags.team', "Invalid clause(s) in filter string: 'tags.team'"),
    ("'red' = tags.team", "Invalid comparison clause. Expected 'Identifier' found ''red''"),
    ('metrics.acc > metrics.loss', 'Expected numeric value type for metric. Found metrics.loss'),
    ('0.5 < metrics.acc', "Invalid comparison clause. Expected 'Identifier' found '0.5'"),
    ("nothing.acc = 'x'", "Invalid entity type 'nothing'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']"),
    ("attributes.nothing = 'x'", "Invalid attribute key 'nothing' specified. Valid keys are"),
    row("nothing = 'x'", "Invalid attribute key 'nothing' specified. Valid keys are", real_server='does not say that the key is what is wrong'),
    ("lifecycle_stage = 'active'", "Invalid attribute key 'lifecycle_stage' specified. Valid keys are"),
    ("experiment_id = '1'", "Invalid attribute key 'experiment_id' specified. Valid keys are"),
    ('.acc > 1', "Invalid clause(s) in filter string: '.'"), ("tags.`team = 'red'", "Invalid clause(s) in filter string: 'tags.', '`'"),
    ('-- comment', "Invalid clause(s) in filter string: '-- comment'"),
    ("tags.team = 'red' -- comment", "Invalid clause(s) in filter string: '-- comment'"),
    ("tags.team = 'red' /* comment */", "Invalid clause(s) in filter string: '/* comment */'"),
    ("model.name = 'x'", "Invalid entity type 'model'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']"),
    row("tags.team = 'red' && status = 'FINISHED'", "Invalid clause(s) in filter string: '&', '&'", real_server='takes all before the last = for a key'),
    ("tags.team BETWEEN 'a' AND 'z'", "Invalid clause(s) in filter string: 'tags.team', 'BETWEEN', ''a'', ''z''"),
    ('metrics.acc BETWEEN 0 AND 1', "Invalid clause(s) in filter string: 'metrics.acc', 'BETWEEN', '0', '1'"),
    ('tags.team = NULL', "Expected a quoted string value for tag (e.g. 'my-value'). Got value NULL"),
    ("tags.team = N'red'", "Invalid clause(s) in filter string: ''red''"),
    ("tags.team = 'red' COLLATE x", "Invalid clause(s) in filter string: 'COLLATE', 'x'"),
    ('tags.team = 1', "Expected a quoted string value for tag (e.g. 'my-value'). Got value 1"),
    ('metrics.acc > 0x10', "Invalid clause(s) in filter string: 'metrics.acc', '>', '0x10'"),
    ('metrics.acc > +0.4', "Invalid clause(s) in filter string: 'metrics.acc', '>', '+', '0.4'"),
    ('metrics.acc > - 0.4', "Invalid clause(s) in filter string: 'metrics.acc', '>', '-', '0.4'"),
    ('metrics.acc > 1_000', 'Expected numeric value type for metric. Found 1_000'),
    ("params.lr NOT LIKE '0.01'", "Invalid comparator 'NOT LIKE' not one of"),
]
# (xy) is a tie, which the ids decide
ORDERS = [
    ([], '(fg)edcb(ah)i'), (['metrics.acc'], 'giabcedfh'), (['metrics.acc ASC'], 'giabcedfh'), (['metrics.acc DESC'], 'ecbaigdfh'),
    (['metric.loss desc'], 'gadbfechi'), (['metrics.loss'], 'bdgafechi'), (['metrics.loss ASC', 'metrics.acc DESC'], 'bdagecifh'),
    (['metrics.`val/acc`'], 'fgedcb(ah)i'), (['metrics."m space" DESC'], 'fgedcb(ah)i'), (['metrics.nothing'], '(fg)edcb(ah)i'),
    (['params.lr'], 'bgacfedhi'), (['params.lr DESC'], 'cgabfedhi'), (['params.opt ASC'], 'bdac(fg)ehi'), (['param.`p space`'], 'a(fg)edcbhi'),
    (['tags.team'], 'ebdcah(fg)i'), (['tags.team DESC'], 'hacdbe(fg)i'), (['tag.`mlflow.runName` DESC'], 'ihgfedcba'),
    (['tags.mlflow.runName'], 'abcdefghi'), (['start_time'], 'i(ah)bcde(fg)'), (['start_time DESC'], '(fg)edcb(ah)i'),
    (['attributes.start_time ASC'], 'i(ah)bcde(fg)'), (['attribute.end_time'], 'ieb(ah)gcfd'), (['end_time DESC'], 'cg(ah)beifd'),
    (['end_time'], 'ieb(ah)gcfd'), (['created DESC'], '(fg)edcb(ah)i'), (['Created'], 'i(ah)bcde(fg)'), (['run_name DESC'], 'ihgfedcba'),
    (['attributes.run_name'], 'abcdefghi'), (['status'], 'cgb(ah)iedf'), (['status DESC', 'run_name DESC'], 'fdeihgbac'),
    (['user_id DESC'], 'ihgfedcba'), (['metrics.acc asc'], 'giabcedfh'), (['metrics.acc  DESC'], 'ecbaigdfh'), (['metrics.acc DeSC'], 'ecbaigdfh'),
    (['metrics.'], '(fg)edcb(ah)i'), (['metrics.größe'], '(fg)edcb(ah)i'), (['params.größe'], 'e(fg)dcb(ah)i'),
]
REFUSED_ORDERS = [
    (['attributes.`Run Name` DESC'], "Invalid attribute key 'Run Name' specified. Valid keys are"),
    (['attributes.`run name`'], "Invalid attribute key 'run name' specified. Valid keys are"),
    (['Run name'], "Invalid ordering key in order_by clause 'Run name'."),
    (['experiment_id'], "Invalid attribute key 'experiment_id' specified. Valid keys are"),
    ([' metrics.acc DESC '], "Invalid order_by clause ' metrics.acc DESC '. Could not be parsed."),
    (['metrics.acc UP'], "Invalid ordering key in order_by clause 'metrics.acc UP'."),
    (['acc'], "Invalid attribute key 'acc' specified. Valid keys are"),
    (['nothing.acc'], "Invalid entity type 'nothing'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']"),
    ([''], "Invalid order_by clause ''. Could not be parsed."),
    (['metrics.acc DESC, metrics.loss'], "Invalid order_by clause 'metrics.acc DESC, metrics.loss'. Could not be parsed."),
    (['dataset.name'], "Invalid identifier type 'dataset'"), (['metrics'], "Invalid attribute key 'metrics' specified. Valid keys are"),
    (['tags.`x'], "Invalid order_by clause 'tags.`x'. Could not be parsed."),
    (['run_uuid'], "Invalid attribute key 'run_uuid' specified. Valid keys are"),
    (['lifecycle_stage'], "Invalid attribute key 'lifecycle_stage' specified. Valid keys are"),
    (['metrics.acc; x'], "Invalid order_by clause 'metrics.acc; x'. Could not be parsed."),
    (["'metrics.acc'"], "Invalid order_by clause ''metrics.acc''. Could not be parsed."),
    (['ASC'], "Invalid order_by clause 'ASC'. Could not be parsed."),
    (['metrics.acc ASC DESC'], "Invalid order_by clause 'metrics.acc ASC DESC'. Could not be parsed."),
]


@table(FOUND)
def filter(t, text, letters):
    t.same(''.join(sorted(found(t, filter=filled(t, text)))), letters)


@table(BEYOND, real_server='has AND only')
def beyond(t, text, letters):
    t.same(''.join(sorted(found(t, filter=filled(t, text)))), letters)


def is_beyond(text):
    return re.search(r"' OR |^\(|^NOT ", text)


@table([r for r in REFUSED if not is_beyond(r.values[0] if isinstance(r, Row) else r[0])])
def refused(t, text, message):
    exp, _ = corpus(t)
    t.refused(t.send('POST', 'runs/search', {'experiment_ids': [exp], 'filter': filled(t, text)}), 400, 'INVALID_PARAMETER_VALUE', message)


@case(real_server='answers 500 with a Python object in it')
def a_list_without_quotes(t):
    exp, ids = corpus(t)
    t.refused(t.send('POST', 'runs/search', {'experiment_ids': [exp], 'filter': 'run_id IN (abc)'}), 400, 'INVALID_PARAMETER_VALUE')


def untied(t, letters):
    ids = corpus(t)[1]
    return re.sub(r'\((\w+)\)', lambda m: ''.join(sorted(m[1], key=ids.get)), letters)


@table(ORDERS)
def order(t, order_by, letters):
    t.same(found(t, order_by=order_by), untied(t, letters))


@table(REFUSED_ORDERS)
def refused_order(t, order_by, message):
    exp, _ = corpus(t)
    t.refused(t.send('POST', 'runs/search', {'experiment_ids': [exp], 'order_by': order_by}), 400, 'INVALID_PARAMETER_VALUE', message)


@table([(['metrics.acc', 'metrics.acc'],), (['metrics.acc', 'metrics.acc DESC'],), (['start_time', 'start_time'],)], real_server='answers 500')
def order_by_one_thing_twice(t, order_by):
    exp, _ = corpus(t)
    t.refused(t.send('POST', 'runs/search', {'experiment_ids': [exp], 'order_by': order_by}), 400, 'INVALID_PARAMETER_VALUE',
              '`order_by` contains duplicate fields')


@table([(['run_id'], False), (['attributes.run_id DESC'], True), (['artifact_uri'], False)])
def order_by_id(t, order_by, down):
    ids = corpus(t)[1]
    t.same(found(t, order_by=order_by), ''.join(sorted(ids, key=ids.get, reverse=down)))


# --- pages, views, what is asked -------------------------------------------------------------------
@table([(n, order_by) for n in (1, 2, 3, 9, 4) for order_by in ([], ['metrics.acc DESC'], ['params.lr'])])
def pages(t, size, order_by):
    exp, ids = corpus(t)
    letters, seen, token, sizes = {id: letter for letter, id in ids.items()}, '', None, []
    while True:
        page = t.post('runs/search', experiment_ids=[exp], max_results=size, order_by=order_by, **({'page_token': token} if token else {}))
        runs = page.get('runs', [])
        seen += ''.join(letters[r['info']['run_id']] for r in runs)
        sizes.append(len(runs))
        token = page.get('next_page_token')
        if not token:
            break
        assert len(runs) == size, sizes
    t.same(seen, found(t, order_by=order_by))


@case()
def pages_by_the_client(t):
    exp, ids = corpus(t)
    page = t.client.search_runs([exp], max_results=4, order_by=['attributes.run_name'])
    t.same([r.info.run_name for r in page], list('abcd'))
    page = t.client.search_runs([exp], max_results=4, order_by=['attributes.run_name'], page_token=page.token)
    t.same([r.info.run_name for r in page], list('efgh'))


HINT = '. See the API docs for more information about request parameters.'


@table([({'max_results': 0}, "Invalid value 0 for parameter 'max_results' supplied. It must be a positive integer"),
        ({'max_results': -1}, "Invalid value -1 for parameter 'max_results' supplied. It must be a positive integer"),
        ({'max_results': 50001}, "Invalid value 50001 for parameter 'max_results' supplied:  Hint: Value was of type 'int'" + HINT),
        ({'max_results': 'x'}, "Invalid value \"x\" for parameter 'max_results' supplied:  Hint: Value was of type 'str'" + HINT),
        ({'page_token': 'Z2FyYmFnZQ=='}, 'Invalid page token'), ({'page_token': 'garbage'}, 'Invalid page token'),
        ({'experiment_ids': '5'}, "Invalid value \"5\" for parameter 'experiment_ids' supplied:  Hint: Value was of type 'str'" + HINT),
        ({'filter': 5}, "Invalid value 5 for parameter 'filter' supplied:  Hint: Value was of type 'int'" + HINT),
        ({'order_by': 'start_time'}, "Invalid value \"start_time\" for parameter 'order_by' supplied:  Hint: Value was of type 'str'" + HINT),
        ({'order_by': [5]}, "Invalid value [5] for parameter 'order_by' supplied:  Hint: Value was of type 'list'" + HINT),
        ({'experiment_ids': ['abc']}, "Invalid experiment ID 'abc'. Experiment ID must be a valid integer.")])
def wrong_bodies(t, change, text):
    exp, _ = corpus(t)
    t.refused(t.send('POST', 'runs/search', {'experiment_ids': [exp], **change}), 400, 'INVALID_PARAMETER_VALUE', text)


@table([({'max_results': 50000}, 9), ({'max_results': '5'}, 5), ({'page_token': ''}, 9), ({'run_view_type': 'ALL'}, 9), ({'run_view_type': 'DELETED_ONLY'}, 0),
        ({'run_view_type': 2}, 0), ({'experiment_ids': []}, 0), ({'experiment_ids': None}, 0), ({'experiment_ids': ['987654321']}, 0), ({'filter': None}, 9),
        row({'max_results': None}, 9, real_server='answers 500')])
def counts(t, change, count):
    exp, _ = corpus(t)
    t.same(len(t.post('runs/search', **{'experiment_ids': [exp], **change}).get('runs', [])), count)


@case()
def no_match_is_an_empty_message(t):
    exp, _ = corpus(t)
    t.same(t.post('runs/search', experiment_ids=[exp], filter='metrics.acc < -1.8e308'), {})


@case()
def views(t):
    from mlflow.entities import ViewType
    exp = t.experiment()
    kept, gone = t.run_id(exp), t.run_id(exp)
    t.client.delete_run(gone)

    def seen(view):
        return {r.info.run_id for r in t.client.search_runs([exp], run_view_type=view)}
    t.same((seen(ViewType.ACTIVE_ONLY), seen(ViewType.DELETED_ONLY), seen(ViewType.ALL)), ({kept}, {gone}, {kept, gone}))


@case()
def several_experiments(t):
    one, two = t.experiment(), t.experiment()
    ids = [t.run_id(one, start_time=1), t.run_id(two, start_time=2), t.run_id(one, start_time=3)]
    t.same([r.info.run_id for r in t.client.search_runs([one, two])], ids[::-1])


@case()
def each_run_carries_everything(t):
    exp, ids = corpus(t)
    run = next(r for r in t.post('runs/search', experiment_ids=[exp])['runs'] if r['info']['run_id'] == ids['a'])
    single = t.get('runs/get', run_id=ids['a'])['run']

    def in_order(r):
        return {part: {kind: sorted(items, key=str) if isinstance(items, list) else items for kind, items in fields.items()} for part, fields in r.items()}
    t.same(in_order(run), in_order(single))
    assert len(run['inputs']['dataset_inputs']) == 2, run


@case()
def as_a_table(t):
    import mlflow
    exp, ids = corpus(t)
    frame = mlflow.search_runs([exp], order_by=['attributes.run_name'])
    t.same(list(frame['tags.mlflow.runName']), list('abcdefghi'))
    t.same(list(frame['params.opt'])[:4], ['adam', 'Adam', 'sgd', 'a_am'])
    assert {'run_id', 'experiment_id', 'status', 'artifact_uri', 'start_time', 'end_time', 'metrics.acc', 'params.lr', 'tags.team'} <= set(frame.columns)


@case()
def by_the_names_of_experiments(t):
    import mlflow
    names = [t.name(), t.name()]
    for name in names:
        mlflow.set_experiment(name)
        with mlflow.start_run(run_name=name):
            pass
    t.same({r.info.run_name for r in mlflow.search_runs(experiment_names=names, output_format='list')}, set(names))


@case()
def a_later_metric_is_what_counts(t):
    exp = t.experiment()
    id = t.run_id(exp)
    for step, value in enumerate((5, 1)):
        t.client.log_metric(id, 'm', value, step=step)
    t.same([len(t.client.search_runs([exp], f)) for f in ('metrics.m > 3', 'metrics.m < 3')], [0, 1])


@case()
def a_rename_is_found(t):
    exp = t.experiment()
    id = t.run_id(exp, run_name='before')
    t.client.update_run(id, name='after')
    t.same([len(t.client.search_runs([exp], f"run_name = '{n}'")) for n in ('before', 'after')], [0, 1])
    t.same([len(t.client.search_runs([exp], f"tags.mlflow.runName = '{n}'")) for n in ('before', 'after')], [0, 1])


@case()
def a_deleted_tag_is_not_found(t):
    exp = t.experiment()
    id = t.run_id(exp, tags={'k': 'v'})
    t.client.delete_tag(id, 'k')
    t.same(len(t.client.search_runs([exp], "tags.k = 'v'")), 0)


@case()
def no_runs_of_a_deleted_experiment(t):
    from mlflow.entities import ViewType
    exp = t.experiment()
    t.run(exp)
    t.client.delete_experiment(exp)
    t.same([len(t.client.search_runs([exp])), len(t.client.search_runs([exp], run_view_type=ViewType.DELETED_ONLY))], [0, 1])


@case()
def page_over_a_full_last_page(t):
    exp = t.experiment()
    for _ in range(2):
        t.run(exp)
    page = t.client.search_runs([exp], max_results=2)
    if page.token:  # a last empty page may follow
        t.same(len(t.client.search_runs([exp], max_results=2, page_token=page.token)), 0)
