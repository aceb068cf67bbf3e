"""Prompts: registered models of a special kind, which has no endpoints of its own."""
import mlflow

from framework import case

# mlflow.genai has them since 3.0; before that they were at the top.
place = mlflow.genai if hasattr(mlflow, 'genai') and hasattr(mlflow.genai, 'register_prompt') else mlflow


@case(since='3.0')
def register_and_load(t):
    name = t.name('prompt')
    made = place.register_prompt(name=name, template='Hallo {{wer}} 🧪', commit_message='first', tags={'k': 'v'})
    t.same((made.version, place.load_prompt(f'prompts:/{name}/1').template), (1, 'Hallo {{wer}} 🧪'))
    t.same(place.register_prompt(name=name, template='Servus {{wer}}').version, 2)
    t.same([place.load_prompt(name, version=v).format(wer='du') for v in (1, 2)], ['Hallo du 🧪', 'Servus du'])


@case(since='3.0')
def alias(t):
    name = t.name('prompt')
    place.register_prompt(name=name, template='a')
    place.set_prompt_alias(name, alias='best', version=1)
    t.same(place.load_prompt(f'prompts:/{name}@best').template, 'a')
    place.delete_prompt_alias(name, alias='best')


@case(since='3.0')
def prompts_are_no_models(t):
    name = t.name('prompt')
    place.register_prompt(name=name, template='a')
    t.same(t.client.search_registered_models(f"name = '{name}'"), [])
    t.same([p.name for p in place.search_prompts(f"name = '{name}'")], [name])


@case()
def a_prompt_of_the_wire(t):
    name, tag = t.name('prompt'), {'key': 'mlflow.prompt.is_prompt', 'value': 'true'}
    t.post('registered-models/create', name=name, tags=[tag])
    text = {'key': 'mlflow.prompt.text', 'value': 'x' * 50_000}
    t.post('model-versions/create', name=name, source='dummy-source', tags=[tag, text])
    tags = {x['key']: x['value'] for x in t.get('model-versions/get', name=name, version='1')['model_version']['tags']}
    t.same(tags['mlflow.prompt.text'], 'x' * 50_000)


@case()
def a_prompt_reads_no_file(t):
    name, tag = t.name('prompt'), {'key': 'mlflow.prompt.is_prompt', 'value': 'true'}
    t.post('registered-models/create', name=name, tags=[tag])
    for source in ('file:///etc/', '/etc'):
        t.refused(t.send('POST', 'model-versions/create', {'name': name, 'source': source, 'tags': [tag]}), 400, 'INVALID_PARAMETER_VALUE')
    t.refused(t.send('POST', 'model-versions/create', {'name': t.name(), 'source': 'file:///etc/', 'tags': [tag]}), 400, 'INVALID_PARAMETER_VALUE')
