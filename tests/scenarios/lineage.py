"""From a prediction's id back to the code, the data and the file that it came from; a prediction that was not captured tells what its id tells,
and what is not known is said."""
import hashlib
import os

from churn_table import write_table
from harness import run_scenarios

BASE = '/api/v1/projects/default/'


def prediction(g, name):
    return g.json('GET', f'{BASE}lineage?id=prediction:{name}')


def deployed(g):
    path = os.path.join(g.work, 'churn.csv')
    write_table(path)
    g.start()
    g.cli('add', 'churn.csv')
    g.cli('train', 'churn', '--target', 'Churn', '--budget', '1s')
    g.cli('deploy', 'churn@champion', '--reason', 'the first one')
    with open(path, 'rb') as f:
        return hashlib.sha256(f.read()).hexdigest()


def ask(g, rows=1):
    body = {'inputs': [{'tenure': 3 + i, 'charges': 70.5, 'contract': 'monthly'} for i in range(rows)]}
    return g.json('POST', '/e/churn', body)


def a_prediction_leads_back_to_its_file(g):
    digest = deployed(g)
    answer = ask(g, 3)
    name = answer['inference_id'] + '-2'
    g.json('POST', BASE + 'endpoints/churn/feedback', {'rows': [{'inference_id': name, 'label': 'No'}]})
    found = prediction(g, name)
    p = found['prediction']
    assert p['captured'] and p['endpoint'] == 'churn' and p['role'] == 'champion' and p['matches'] == 1, p
    assert p['prediction'] == answer['outputs'][2]['prediction'] and p['label'] == 'No', p
    assert p['deployment']['number'] == 1 and p['deployment']['reason'] == 'the first one' and p['deployment']['deployed_by'], p
    assert p['model']['name'] == 'churn:v1' and p['model']['recipe_hash'] and p['gate']['pass'] is True and p['promoted']['basis'] == 'gate', p
    assert p['run']['kind'] == 'candidate' and p['run']['created_by'] and p['run']['environment']['lightgbm'], p
    [data] = [d for d in p['datasets'] if d['role'] == 'train']
    assert data['reference'] == 'churn:v1' and data['source_name'] == 'churn.csv' and data['source_sha256'] == digest, data
    assert p['unknown'] == [], p['unknown']
    kinds = {n['kind'] for n in found['nodes']}
    assert {'prediction', 'model_version', 'run', 'recipe', 'dataset_version'} <= kinds, kinds
    assert {'from': p['model']['id'], 'to': name, 'role': 'answered'} in found['edges']
    layout = g.json('GET', f'{BASE}lineage?id=prediction:{name}&layout=true')['layout']
    places = {n['id']: n for n in layout['nodes']}
    assert places.keys() == {n['id'] for n in found['nodes']} and len(layout['edges']) == len(found['edges']), layout
    assert all(places[e['from']]['x'] < places[e['to']]['x'] and len(e['points']) >= 2 for e in layout['edges']), layout
    text = g.cli('lineage', 'prediction:' + name).stdout
    for part in ('endpoint churn (champion)', 'the first one', 'churn:v1', 'passed', 'churn.csv   sha256 ' + digest, 'from dataset_version churn:v1'):
        assert part in text, (part, text)
    down = g.cli('lineage', 'prediction:' + name, '--down', check=False)
    assert down.returncode == 1 and 'not kept' in down.stderr, down
    # A client's own id, and one that nobody has.
    g.json('POST', '/e/churn', {'inputs': [{'tenure': 3}], 'inference_ids': ['order-9']})
    assert prediction(g, 'order-9')['prediction']['endpoint'] == 'churn'
    missing = g.cli('lineage', 'prediction:order-8', check=False)
    assert missing.returncode == 3 and 'GY4113' in missing.stderr, missing
    the_endpoint_goes(g, name)


def the_endpoint_goes(g, name):
    g.cli('endpoints', 'rm', 'churn', '--yes')
    p = prediction(g, name)['prediction']
    assert p['deployment'] is None and p['model']['name'] == 'churn:v1' and any('deployed' in u for u in p['unknown']), p
    g.cli('models', 'rm', 'churn', '--yes', '--force')
    gone = prediction(g, name)['prediction']
    assert any('lies in the trash until' in u and 'gyre undelete model churn' in u for u in gone['unknown']), gone
    lost = g.cli('lineage', 'churn@champion', check=False)
    assert lost.returncode == 3 and 'lies in the trash' in lost.stderr and 'gyre undelete model churn' in lost.stderr, lost
    g.cli('undelete', 'model', 'churn')
    assert prediction(g, name)['prediction']['model']['name'] == 'churn:v1'


def what_was_not_captured_tells_what_its_id_tells(g):
    deployed(g)
    first = [ask(g)['inference_id'] for _ in range(24)]  # every thread that answers has answered
    assert prediction(g, first[-1])['prediction']['captured']
    g.cli('captures', 'policy', 'churn', '--off')
    lost = ask(g)['inference_id']
    p = prediction(g, lost)['prediction']
    assert not p['captured'] and p['after'] and p['before'] is None, p
    assert p['model_name'] == 'churn:v1' and len(p['candidates']) == 1 and p['datasets'], p
    assert any('not captured' in u and 'capture is off' in u for u in p['unknown']) and any('whether' in u for u in p['unknown']), p
    g.cli('deploy', 'churn@champion', '--name', 'other')
    p = prediction(g, lost)['prediction']
    assert len(p['candidates']) == 2 and 'model' not in p, p
    text = g.cli('lineage', 'prediction:' + lost).stdout
    assert 'not before' in text and text.count('perhaps') == 2 and 'not known' in text, text
    # An id that nobody was given leads nowhere.
    nowhere = g.cli('lineage', 'prediction:' + '0' * 32, check=False)
    assert nowhere.returncode == 3 and 'GY4113' in nowhere.stderr and 'no answer of the thread' in nowhere.stderr and 'capture is off' in nowhere.stderr, nowhere


if __name__ == '__main__':
    run_scenarios([a_prediction_leads_back_to_its_file, what_was_not_captured_tells_what_its_id_tells])
