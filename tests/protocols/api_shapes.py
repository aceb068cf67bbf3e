"""Real answers are what the OpenAPI document says they are: each GET route that names its answer is asked on a project with data, with every name
that its lists give. The web UI's types are made of that document, so what it gets wrong would break a page.

python3 tests/protocols/api_shapes.py"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from churn_project import fill  # noqa: E402
from harness import run_scenarios  # noqa: E402

KINDS = {'string': str, 'integer': int, 'number': (int, float), 'boolean': bool, 'array': list, 'object': dict, 'null': type(None)}


def breaches(value, schema, schemas, where):
    """What of a value is not as the schema says; members that it does not know are fine."""
    if '$ref' in schema:
        return breaches(value, schemas[schema['$ref'].rsplit('/', 1)[1]], schemas, where)
    if 'anyOf' in schema:
        tries = [breaches(value, one, schemas, where) for one in schema['anyOf']]
        return [] if any(not one for one in tries) else tries[0]
    kind = schema.get('type')
    if kind and (not isinstance(value, KINDS[kind]) or isinstance(value, bool) and kind != 'boolean'):
        return [f'{where} is {value!r:.60}, not {kind}']
    if kind == 'array':
        return [text for i, item in enumerate(value) for text in breaches(item, schema.get('items', {}), schemas, f'{where}[{i}]')]
    if kind != 'object':
        return []
    found = [f'{where}.{name} is missing' for name in schema.get('required', []) if name not in value]
    known = schema.get('properties', {})
    for name, member in value.items():
        of = known.get(name, schema.get('additionalProperties') or {})
        if member is None and name in known and name not in schema.get('required', []):
            continue
        found += breaches(member, of if isinstance(of, dict) else {}, schemas, f'{where}.{name}')
    return found


def names(g):
    """What "{run}" and its like may be."""
    project = '/api/v1/projects/churn/'
    items = {noun: g.json('GET', project + noun)['items'] for noun in ('datasets', 'runs', 'models', 'endpoints', 'monitors')}
    found = {noun[:-1]: [item['name'] for item in list_] for noun, list_ in items.items()}
    found |= {'project': ['churn'], 'run': [run['id'] for run in items['runs']], 'version': ['v1'], 'job': [job['id'] for job in g.json('GET', '/api/v1/jobs')['items']]}
    return found


def answers_are_what_they_are_said_to_be(g):
    g.start()
    fill(g)
    document = g.json('GET', '/api/v1/openapi.json')
    schemas, known, asked, wrong = document['components']['schemas'], names(g), 0, []
    for address, item in document['paths'].items():
        schema = item.get('get', {}).get('responses', {}).get('2XX', {}).get('content', {}).get('application/json', {}).get('schema')
        words = re.findall(r'\{(\w+)\}', address)
        if not schema or any(word not in known for word in words):
            continue
        addresses = [address]
        for word in words:
            addresses = [one.replace('{' + word + '}', str(name)) for one in addresses for name in known[word]]
        for one in addresses:
            answer = g.http('GET', one)
            if answer.status == 200 and answer.headers['Content-Type'].startswith('application/json'):
                asked += 1
                wrong += [f'{one}: {text}' for text in breaches(answer.json(), schema, schemas, 'answer')]
    assert not wrong, '\n'.join(wrong[:40])
    assert asked > 40, asked
    print(f'  {asked} answers')


if __name__ == '__main__':
    run_scenarios([answers_are_what_they_are_said_to_be])
