"""gyre apply, export, schema, init --template: a project as a file. From the template to a live endpoint with one command, twice changes nothing, drift made
by hand is said exactly and taken back, what an apply made is pruned and nothing else, what is exported makes the same project on an empty server."""
import http.server
import json
import os
import random
import re
import shutil
import subprocess
import threading
import time

from harness import GYRE, SOURCE, Gyre, run_scenarios

FILE = '''# yaml-language-server: $schema=gyre.schema.json
project: churn

problem:
  target: churned
  kpis:
    - auc>=0.60

sources:
  crm:
    path: customers.csv

datasets:
  customers:
    source: crm
    types: {plan: text}
    expectations:
      - {kind: not_missing, column: churned}

recipes:
  plain:
    recipe:
      input: {schema: {tenure: int, plan: text}}
      steps:
        - {id: t, op: number, in: tenure}
        - {id: p, op: encode.onehot, in: plan}
      output: {vector: [t, p]}

training:
  churn: {dataset: customers, target: churned, recipe: plain, trials: 1, seed: 1}

gates:
  churn: {metric: auc}

endpoints:
  churn:
    model: churn@champion
    park_after: 10m
    capture: {retention_days: 30}

monitors:
  churn:
    window: {rows: 200}

pipelines:
  nightly:
    definition:
      steps:
        first: {command: [echo, hello]}

triggers:
  churn-drift:
    on: {kind: drift, endpoint: churn}
    run: {pipeline: retrain, params: {endpoint: churn}}
    guards: {cooldown_s: 1h}
  nightly:
    on: {kind: schedule, at: 0 3 * * *}
    run: {pipeline: nightly}
'''


def customers(path, seed=1, count=800):
    r = random.Random(seed)
    with open(path, 'w', encoding='utf-8') as f:
        f.write('tenure,plan,churned\n')
        for _ in range(count):
            tenure, plan = r.randint(1, 72), r.choice(['basic', 'plus', 'pro'])
            f.write(f'{tenure},{plan},{"Yes" if r.random() < 0.8 - 0.01 * tenure else "No"}\n')


def write(g, text=FILE, name='gyre.yaml'):
    path = os.path.join(g.work, name)
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)
    return path


def begin(g):
    customers(os.path.join(g.work, 'customers.csv'))
    write(g)
    g.start()
    return g.cli('apply', '--yes').stdout


def plan(g, *args, code=None):
    done = g.cli('apply', *args, '-o', 'json', check=False)
    assert code is None or done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout)


def changes(document):
    return [(c['action'], f'{c["kind"]}.{c["name"]}' if c['name'] else c['kind'], [f['member'] for f in c['fields']]) for c in document['changes']]


def template_to_live(g):
    g.cli('init', '--template', 'tabular', 'shop')
    folder = os.path.join(g.work, 'shop')
    assert sorted(os.listdir(folder)) == ['README.md', 'data', 'gyre.schema.json', 'gyre.yaml']
    json.load(open(os.path.join(folder, 'gyre.schema.json'), encoding='utf-8'))
    assert open(os.path.join(folder, 'gyre.yaml'), encoding='utf-8').readline() == '# yaml-language-server: $schema=gyre.schema.json\n'
    g.start()
    g.work = folder
    with open(os.path.join(folder, 'gyre.yaml'), encoding='utf-8') as f:
        text = f.read()
    assert 'budget: 10s' in text
    write(g, text.replace('budget: 10s', 'budget: 2s'))
    told = g.cli('apply', '--yes').stdout
    for line in ('datasets.customers   customers:v1, 3,000 rows', '4 of 4 expectations hold', 'shop:v1 registered', 'shop:v1 is @champion',
                 'shop:v1 answers at http://', 'monitors.shop   every 500 rows', 'triggers.shop-drift   on drift, run retrain:v1'):
        assert line in told, (line, told)
    row = {'tenure_months': 3}
    answer = g.json('POST', '/e/shop', {'inputs': [row]})
    assert len(answer['outputs']) == 1, answer
    again = g.cli('apply', '--yes').stdout
    assert 'no changes: project shop is as gyre.yaml says (8 entries)' in again, again
    assert g.cli('apply', '--check').returncode == 0
    # The folder says which project commands are about, as before.
    assert 'crm' in g.cli('sources').stdout
    g.work = os.path.dirname(folder)
    refused = g.cli('init', '--template', 'tabular', 'shop', check=False)
    assert refused.returncode == 6 and 'GY4913' in refused.stderr, refused.stderr
    refused = g.cli('init', '--template', 'timeseries', 'other', check=False)
    assert refused.returncode == 3 and '--template tabular' in refused.stderr, refused.stderr
    assert not os.path.exists(os.path.join(g.work, 'other'))


def twice_nothing(g):
    told = begin(g)
    assert 'applied: 11 added, 0 changed, 0 removed' in told, told
    before = g.json('GET', '/api/v1/audit?limit=1')['items'][0]
    assert changes(plan(g, '--yes', code=0)) == []
    assert 'no changes' in g.cli('apply', '--yes').stdout
    assert g.json('GET', '/api/v1/audit?limit=1')['items'][0] == before, 'something was changed'
    # Nobody to ask, and no --yes: nothing happens.
    write(g, FILE.replace('rows: 200', 'rows: 300'))
    refused = g.cli('apply', check=False)
    assert refused.returncode == 2 and 'GY4062' in refused.stderr, refused.stderr
    assert '  ~ monitors.churn\n      window.rows   200 ' in g.cli('apply', '--dry-run').stdout
    assert g.json('GET', '/api/v1/projects/churn/monitors/churn')['spec']['window'] == {'rows': 200}


def drift_by_hand(g):
    begin(g)
    g.cli('monitors', 'edit', 'churn', '--rows', '500', '-p', 'churn')
    g.cli('projects', 'edit', 'churn', '--kpi', 'auc >= 0.9')
    g.cli('captures', 'policy', 'churn', '--retention', '7', '-p', 'churn')
    g.cli('triggers', 'disable', 'nightly', '-p', 'churn')
    g.json('PUT', '/api/v1/projects/churn/datasets/customers/expectations', {'expectations': []})
    g.cli('triggers', 'rm', 'churn-drift', '--yes', '-p', 'churn')
    found = plan(g, '--check', code=5)
    assert changes(found) == [
        ('change', 'problem', ['kpis']), ('change', 'datasets.customers', ['expectations']), ('change', 'endpoints.churn', ['capture.retention_days']),
        ('change', 'monitors.churn', ['window.rows']),
        ('add', 'triggers.churn-drift', ['on.kind', 'on.endpoint', 'run.pipeline', 'run.params.endpoint', 'guards.cooldown_s'])], changes(found)
    shown = g.cli('apply', '--check', check=False).stdout
    assert '      window.rows   500 -> 200\n' in shown.replace('→', '->'), shown
    assert 'Plan: 1 to add, 4 to change, 0 to remove.' in shown, shown
    told = g.cli('apply', '--yes').stdout
    assert 'applied: 1 added, 4 changed, 0 removed' in told, told
    assert g.cli('apply', '--check').returncode == 0
    # What the file does not say stays as people have set it: the trigger that was switched off.
    assert g.json('GET', '/api/v1/projects/churn/triggers/nightly')['enabled'] is False


def new_rows_and_specifications(g):
    begin(g)
    models = '/api/v1/projects/churn/models/churn'
    # Other rows are a new version of the dataset, and train nothing.
    customers(os.path.join(g.work, 'customers.csv'), seed=2)
    assert changes(plan(g, '--check', code=5)) == [('change', 'datasets.customers', ['rows'])]
    g.cli('apply', '--yes')
    assert g.json('GET', models)['latest'] == 'v1'
    # Unless the entry says so.
    write(g, FILE.replace('seed: 1}', 'seed: 1, retrain: on_new_data}'))
    assert changes(plan(g, '--check', code=5)) == [('change', 'training.churn', ['dataset'])]
    g.cli('apply', '--yes', check=False)
    assert g.json('GET', models)['latest'] == 'v2'
    assert g.cli('apply', '--check').returncode == 0
    # Another specification trains; the first one is there already.
    write(g, FILE.replace('seed: 1}', 'seed: 5}'))
    assert changes(plan(g, '--check', code=5)) == [('change', 'training.churn', ['seed'])]
    g.cli('apply', '--yes', check=False)
    assert g.json('GET', models)['latest'] == 'v3'
    write(g)
    assert g.cli('apply', '--check').returncode == 0
    # A pipeline that changes takes its trigger along; a trigger stays with the version that it was made for otherwise.
    write(g, FILE.replace('hello', 'good night'))
    assert changes(plan(g, '--check', code=5)) == [('change', 'pipelines.nightly', ['definition']), ('change', 'triggers.nightly', ['run.pipeline'])]
    g.cli('apply', '--yes')
    assert g.json('GET', '/api/v1/projects/churn/triggers/nightly')['run']['pipeline'] == 'nightly:v2'
    assert g.cli('apply', '--check').returncode == 0


def prune(g):
    begin(g)
    g.cli('triggers', 'add', 'churn', '--on', 'quality', '--name', 'by-hand', '-p', 'churn')
    short = FILE[:FILE.index('endpoints:')].replace('gates:\n  churn: {metric: auc}\n', '')
    write(g, short)
    assert changes(plan(g, '--check', code=0)) == [], 'without --prune nothing is removed'
    shown = g.cli('apply', '--prune', '--dry-run').stdout
    assert [line.strip() for line in shown.splitlines() if line.startswith('  - ')] == [
        f'- {name}   ({"refused: trigger by-hand needs it" if name == "endpoints.churn" else "made by an earlier apply"})' for name in
        ('triggers.churn-drift', 'triggers.nightly', 'pipelines.nightly', 'monitors.churn', 'endpoints.churn', 'gates.churn')], shown
    # Somebody's own trigger needs the endpoint: nothing is pulled away from below it.
    refused = g.cli('apply', '--prune', '--yes', check=False)
    assert refused.returncode == 6 and 'triggers rm by-hand' in refused.stderr, refused
    assert [e['name'] for e in g.json('GET', '/api/v1/projects/churn/endpoints')['items']] == ['churn']
    assert len(g.json('GET', '/api/v1/projects/churn/triggers')['items']) == 3, 'nor is anything else'
    g.cli('triggers', 'rm', 'by-hand', '-p', 'churn', '--yes')
    g.cli('apply', '--prune', '--yes')
    assert [t['name'] for t in g.json('GET', '/api/v1/projects/churn/triggers')['items']] == []
    assert g.json('GET', '/api/v1/projects/churn/endpoints')['items'] == []
    assert g.json('GET', '/api/v1/projects/churn/models/churn/policies/champion')['metric'] == ''
    assert g.json('GET', '/api/v1/projects/churn/models/churn')['latest'] == 'v1', 'what is declared stays'
    assert changes(plan(g, '--prune', '--check', code=0)) == []
    # The rest, too: the model with its alias, its dataset.
    write(g, 'project: churn\n')
    g.cli('apply', '--prune', '--yes')
    assert g.json('GET', '/api/v1/projects/churn/models')['items'] == [] == g.json('GET', '/api/v1/projects/churn/datasets')['items']
    assert g.json('GET', '/api/v1/projects/churn/declarations')['items'][0]['kind'] == 'problem'


def refused_removal(g):
    begin(g)
    write(g, FILE.replace('churn: {metric: auc}', 'churn: {metric: auc, approvals_min: 2}'))
    g.cli('apply', '--yes')
    g.cli('deploy', 'churn:v1', '--name', 'live', '-p', 'churn')
    model = '/api/v1/projects/churn/models/churn'

    def whole():
        return (g.json('GET', model)['aliases'], g.json('GET', model + '/policies/champion')['approvals_min'],
                sorted(e['name'] for e in g.json('GET', '/api/v1/projects/churn/endpoints')['items']), len(g.json('GET', '/api/v1/projects/churn/triggers')['items']))

    before = whole()
    assert before == ({'champion': 'v1'}, 2, ['churn', 'live'], 2), before
    write(g, FILE[:FILE.index('training:')])
    shown = g.cli('apply', '--prune', '--dry-run').stdout
    assert '- training.churn   (refused: endpoint live needs it)' in shown and '- endpoints.churn   (made by an earlier apply)' in shown, shown
    assert [c['needed_by'] for c in plan(g, '--prune', '--check', code=5)['changes'] if 'needed_by' in c] == ['endpoint live']
    refused = g.cli('apply', '--prune', '--yes', check=False)
    assert refused.returncode == 6 and 'GY4920' in refused.stderr and 'gyre endpoints rm live' in refused.stderr, refused
    assert whole() == before
    # Nor by whoever asks the server alone: a model goes with its aliases, or stays with them.
    refused = g.cli('api', 'DELETE', model + '?aliases=true', check=False)
    assert refused.returncode == 6 and 'GY3621' in refused.stderr, refused
    assert whole() == before
    g.cli('endpoints', 'rm', 'live', '--yes', '-p', 'churn')
    g.cli('apply', '--prune', '--yes')
    assert g.json('GET', '/api/v1/projects/churn/models')['items'] == []
    assert changes(plan(g, '--prune', '--check', code=0)) == []
    # A model whose endpoint the same file moves to another one is free to go.
    write(g)
    g.cli('apply', '--yes')
    other = FILE.replace('churn: {dataset: customers', 'other: {dataset: customers').replace('churn: {metric', 'other: {metric').replace('churn@champion', 'other@champion')
    write(g, other)
    told = g.cli('apply', '--prune', '--yes').stdout
    assert '- training.churn   (made by an earlier apply)' in told, told
    assert [m['name'] for m in g.json('GET', '/api/v1/projects/churn/models')['items']] == ['other']


def the_same_name_is_not_the_same_thing(g):
    customers(os.path.join(g.work, 'customers.csv'))
    g.start()
    datasets = '/api/v1/projects/churn/datasets'
    one = 'project: churn\ndatasets:\n  a: {path: customers.csv}\n'
    write(g, one)
    g.cli('apply', '--yes')
    g.cli('datasets', 'rm', 'a', '--yes', '-p', 'churn')
    g.cli('add', 'customers.csv', '--name', 'a', '-p', 'churn')
    write(g, 'project: churn\n')
    shown = g.cli('apply', '--prune', '--yes').stdout
    assert '- datasets.a   (only forgotten' in shown, shown
    assert [d['name'] for d in g.json('GET', datasets)['items']] == ['a']
    # Taken away and brought back it is the same.
    g.cli('datasets', 'rm', 'a', '--yes', '-p', 'churn')
    write(g, one)
    g.cli('apply', '--yes')
    write(g, one + 'pipelines:\n  p: {definition: {steps: {x: {command: [echo]}}}}\n')
    g.cli('apply', '--yes')
    write(g, one + 'pipelines:\n  p: {definition: {steps: {x: {command: [ls]}}}}\n')
    g.cli('apply', '--yes')
    write(g, 'project: churn\n')
    shown = g.cli('apply', '--prune', '--yes').stdout
    assert shown.count('(made by an earlier apply)') == 2, shown
    assert g.json('GET', datasets)['items'] == []


def half_made_is_made(g):
    customers(os.path.join(g.work, 'customers.csv'))
    g.start()
    write(g, 'project: churn\ndatasets:\n  a: {path: customers.csv, expectations: [{kind: not_missing, column: nobody}, {kind: nonsense}]}\n')
    stopped = g.cli('apply', '--yes', check=False)
    assert stopped.returncode not in (0, 5) and 'datasets.a: ' in stopped.stderr, stopped.stderr
    assert [d['name'] for d in g.json('GET', '/api/v1/projects/churn/datasets')['items']] == ['a']
    # What was never made is nobody's.
    write(g, 'project: churn\ndatasets:\n  a: {path: customers.csv}\ntraining:\n  m: {dataset: a, target: nobody, trials: 1}\n')
    stopped = g.cli('apply', '--yes', check=False)
    assert 'training.m: ' in stopped.stderr, stopped.stderr
    assert [d['name'] for d in g.json('GET', '/api/v1/projects/churn/declarations')['items']] == ['a']
    write(g, 'project: churn\n')
    shown = g.cli('apply', '--prune', '--yes').stdout
    assert '- datasets.a   (made by an earlier apply)' in shown, shown
    assert g.json('GET', '/api/v1/projects/churn/datasets')['items'] == []


def written_otherwise_is_no_drift(g):
    g.start()
    write(g, '''project: churn
pipelines:
  p: {definition: {steps: {x: {command: [echo]}}}}
triggers:
  t:
    on: {kind: schedule, at: "0  3 * * *"}
    run: {pipeline: p}
    guards: {cooldown_s: 90m, quiet_hours: {from: "7:00", to: 9:05}}
''')
    g.cli('apply', '--yes')
    assert changes(plan(g, '--check', code=0)) == []
    write(g, 'project: churn\ntriggers:\n  t: {on: {kind: hand}, run: {pipeline: p}, guards: {quiet_hours: {from: "24:00", to: "7:00"}}}\n')
    stopped = g.cli('apply', '--check', check=False)
    assert stopped.returncode == 2 and 'must be a time of the day such as 22:00' in stopped.stderr, stopped.stderr


def adopted_is_not_pruned(g):
    customers(os.path.join(g.work, 'customers.csv'))
    g.start()
    g.cli('init', 'churn')
    g.cli('add', 'customers.csv', '-p', 'churn')
    write(g, 'project: churn\ndatasets:\n  customers: {path: customers.csv, expectations: [{kind: not_missing, column: churned}]}\n')
    g.cli('apply', '--yes')
    write(g, 'project: churn\n')
    shown = g.cli('apply', '--prune', '--yes').stdout
    assert '- datasets.customers   (only forgotten' in shown, shown
    assert g.json('GET', '/api/v1/projects/churn/datasets/customers')['latest']['version'] == 'v1'


def round_trip(g):
    begin(g)
    first = g.cli('export', '-p', 'churn').stdout
    write(g, first)
    assert changes(plan(g, '--check', code=0)) == []
    with Gyre() as other:
        shutil.copy(os.path.join(g.work, 'customers.csv'), other.work)
        write(other, first)
        other.start()
        other.cli('apply', '--yes')
        second = other.cli('export', '--out', 'again.yaml', '-p', 'churn')
        assert 'wrote again.yaml' in second.stdout
        assert open(os.path.join(other.work, 'again.yaml'), encoding='utf-8').read() == first
        assert other.cli('apply', '--check', 'again.yaml').returncode == 0
        refused = other.cli('export', '--out', 'again.yaml', check=False)
        assert refused.returncode == 6, refused.stderr


def cut_off(g):
    customers(os.path.join(g.work, 'customers.csv'), count=3000)
    write(g, FILE.replace('trials: 1, seed: 1', 'budget: 4s, seed: 1'))
    g.start()
    command = subprocess.Popen([GYRE, 'apply', '--yes'], cwd=g.work, env=g.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def trainings():
        return [j for j in g.json('GET', '/api/v1/jobs?limit=100')['items'] if j['kind'] == 'training.train']
    while not trainings():
        time.sleep(0.01)
    command.kill()
    command.communicate()
    told = g.cli('apply', '--yes')
    assert 'training.churn   churn:v1' in told.stdout and 'endpoints.churn   churn:v1 answers' in told.stdout, told.stdout
    assert 'this training goes on already' in told.stderr, told.stderr
    assert len(trainings()) == 1
    assert g.cli('apply', '--check').returncode == 0


def sources(g):
    begin(g)
    shown = g.cli('sources', 'show', 'crm', '-p', 'churn').stdout
    assert shown == 'source       crm\npath         customers.csv\nread into    customers:v1\n', shown
    # What the file names is read again by name, into the dataset that is made of it, from whatever folder below.
    customers(os.path.join(g.work, 'customers.csv'), seed=3)
    os.makedirs(os.path.join(g.work, 'deep'))
    told = g.cli('add', '--source', 'crm', cwd=os.path.join(g.work, 'deep')).stdout
    assert 'dataset customers:v2' in told, told
    assert g.json('GET', '/api/v1/projects/churn/datasets/customers')['latest']['tags']['source'] == 'crm'
    # The model's lineage goes back to where the rows came from.
    nodes = g.json('GET', '/api/v1/projects/churn/lineage?id=churn:v1&direction=up')['nodes']
    assert ('source', 'crm') in [(n['kind'], n['label']) for n in nodes], nodes
    # One that no file declares, and what is none.
    os.makedirs(os.path.join(g.work, 'exports'))
    customers(os.path.join(g.work, 'exports', 'a.csv'), seed=4, count=100)
    customers(os.path.join(g.work, 'exports', 'b.csv'), seed=5, count=100)
    g.cli('sources', 'add', 'exports', 'exports', '--description', 'weekly')
    assert 'dataset exports:v1   200 rows' in g.cli('add', '--source', 'exports').stdout
    refused = g.cli('add', '--source', 'exprts', check=False)
    assert refused.returncode == 3 and 'did you mean `exports`?' in refused.stderr, refused.stderr
    assert g.cli('add', check=False).returncode == 2
    g.cli('sources', 'rm', 'exports', '--yes')
    assert [s['name'] for s in g.cli_json('sources')] == ['crm']


def variants(g):
    begin(g)
    g.cli('train', 'customers', '--target', 'churned', '--model', 'churn', '--trials', '1', '--seed', '2', '--gate', 'none', '-p', 'churn')
    canary = FILE.replace('    park_after: 10m', '    variants:\n      canary: {model: churn:v2, share: %s}\n      watch: {model: churn@champion, shadow: true}\n    park_after: 10m')

    def shares():
        found = g.json('GET', '/api/v1/projects/churn/endpoints/churn')['variants']
        return {v['name']: (v['model'], round(v['share'], 6), v['shadow']) for v in found}

    write(g, canary % '0.2')
    planned = g.cli('apply', '--dry-run').stdout
    assert 'variants.canary.share' in planned and '0 to add, 1 to change' in planned, planned
    g.cli('apply', '--yes')
    assert shares() == {'champion': ('churn:v1', 0.8, False), 'canary': ('churn:v2', 0.2, False), 'watch': ('churn:v1', 0.0, True)}, shares()
    assert plan(g, '--check', code=0)['changes'] == []
    # Moved by hand, and taken back; what stands there beside what is written stays.
    g.cli('endpoints', 'traffic', 'churn', 'canary=50', '-p', 'churn')
    drifted = plan(g, '--check', code=5)['changes']
    assert [(f['member'], f['from'], f['to']) for f in drifted[0]['fields']] == [('variants.canary.share', 0.5, 0.2)], drifted
    write(g, canary % '0.9')
    g.cli('apply', '--yes')
    assert shares()['canary'][1] == 0.9 and shares()['champion'][1] == 0.1
    exported = g.cli_json('export', '-p', 'churn')['endpoints']['churn']
    # What somebody tries by hand is not declared by being there.
    g.cli('deploy', 'churn:v2', '--name', 'churn', '--variant', 'tried', '--shadow', '-p', 'churn')
    assert plan(g, '--check', code=0)['changes'] == []
    left = g.cli('export', '-p', 'churn')
    assert 'endpoints.churn.variants.tried is left out' in left.stderr and 'tried' not in left.stdout, left.stderr
    assert exported['variants'] == {'canary': {'model': 'churn:v2', 'share': 0.9}, 'watch': {'model': 'churn:v1', 'shadow': True}}, exported
    write(g, canary % '1.5')
    assert 'GY4905' in g.cli('apply', '--check', check=False).stderr


PLACES = '''project: churn
datasets:
  newest: {sql: "select plan, n from summary where n > 0 order by plan"}
  summary:
    sql: |
      select plan, count(*) as n from customers group by plan order by plan
  customers: {path: customers.csv}
  weather: {source: station}
sources:
  station: {url: "http://127.0.0.1:%d/moved/weather.csv?day=1"}
'''


class Station(http.server.BaseHTTPRequestHandler):
    body = b'day,rain\n1,2\n2,3\n'

    def do_GET(self):
        if self.path.startswith('/moved/'):
            self.send_response(302)
            self.send_header('Location', '/' + self.path.removeprefix('/moved/'))
            self.end_headers()
            return
        self.send_response(200 if self.path == '/weather.csv?day=1' else 404)
        self.send_header('Content-Length', str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_):
        pass


def queries_and_addresses(g):
    station = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Station)
    threading.Thread(target=station.serve_forever, daemon=True).start()
    customers(os.path.join(g.work, 'customers.csv'))
    write(g, PLACES % station.server_port)
    refused = g.cli('apply', '--dry-run', check=False)
    assert refused.returncode != 0 and 'GY1626' in refused.stderr and 'egress.allow' in refused.stderr, refused.stderr
    g.environment['GYRE_EGRESS_ALLOW'] = 'loopback'
    g.start()
    planned = g.cli('apply', '--dry-run').stdout
    assert '+ datasets.newest\n      rows   a query\n' in planned, planned
    told = g.cli('apply', '--yes').stdout
    for line in ('datasets.customers   customers:v1, 800 rows', 'datasets.summary   summary:v1, 3 rows', 'datasets.newest   newest:v1, 3 rows',
                 'datasets.weather   weather:v1, 2 rows'):
        assert line in told, told
    # Where its rows come from, through both queries.
    nodes = g.json('GET', '/api/v1/projects/churn/lineage?id=newest:v1&direction=up')['nodes']
    assert {'customers:v1', 'summary:v1', 'newest:v1'} <= {n['label'] for n in nodes}, nodes
    assert plan(g, '--check', code=0)['changes'] == []
    assert plan(g, '--yes', code=0)['changes'] == []
    would = g.cli('datasets', 'rm', 'summary', '--dry-run', '-p', 'churn').stdout
    assert 'read_by' in would and 'newest' in would, would
    # What a query reads has changed, and what is made of that.
    customers(os.path.join(g.work, 'customers.csv'), seed=7, count=900)
    Station.body += b'3,4\n'
    assert [c[1] for c in changes(plan(g, '--check', code=5))] == ['datasets.customers', 'datasets.summary', 'datasets.newest', 'datasets.weather']
    told = g.cli('apply', '--yes').stdout
    assert 'newest:v2, 3 rows' in told and 'weather:v2, 3 rows' in told, told
    assert plan(g, '--check', code=0)['changes'] == []
    shown = g.cli('sources', '-p', 'churn').stdout
    assert 'http://127.0.0.1' in shown, shown
    assert 'unchanged' in g.cli('add', '--source', 'station', '-p', 'churn').stdout
    assert g.cli_json('export', '-p', 'churn')['datasets']['summary']['sql'].startswith('select plan, count(*)')
    missing = g.cli('add', f'http://127.0.0.1:{station.server_port}/none.csv', check=False)
    assert 'GY4919' in missing.stderr and '404' in missing.stderr, missing.stderr
    assert 'GY4918' in g.cli('add', 'https://me:secret@example.org/x.csv', check=False).stderr
    write(g, (PLACES % station.server_port).replace('from summary', 'from sumary'))
    wrong = g.cli('apply', '--check', check=False)
    assert 'GY2017' in wrong.stderr and 'gyre.yaml:' in wrong.stderr, wrong.stderr
    station.shutdown()


def approvals_and_broken_rows(g):
    customers(os.path.join(g.work, 'customers.csv'))
    write(g, FILE.replace('churn: {metric: auc}', 'churn: {approvals_min: 1}')
          .replace('- {kind: not_missing, column: churned}', '- {kind: between, column: tenure, min: 0, max: 10}'))
    g.start()
    stopped = g.cli('apply', '--yes', check=False)
    # The gate holds for the first version already: nobody has agreed, so nothing answers yet.
    assert 'datasets.customers   customers:v1, 800 rows' in stopped.stdout and '0 of 1 expectations hold' in stopped.stdout, stopped.stdout
    assert '1 of 1 expectations of customers fail: gyre datasets check customers' in stopped.stderr, stopped.stderr
    assert 'gates.churn   set; churn:v1 waits for approval' in stopped.stdout, stopped.stdout
    assert stopped.returncode not in (0, 5) and 'endpoints.churn: ' in stopped.stderr, stopped.stderr
    assert g.json('GET', '/api/v1/projects/churn/models/churn')['aliases'] == {}
    g.cli('models', 'approve', 'churn:v1', '-p', 'churn')
    told = g.cli('apply', '--yes')
    assert 'endpoints.churn   churn:v1 answers at' in told.stdout, told.stdout + told.stderr
    assert g.cli('apply', '--check').returncode == 0


def failure_names_the_entry(g):
    customers(os.path.join(g.work, 'customers.csv'))
    write(g, FILE.replace('target: churned, recipe', 'target: chrned, recipe'))
    g.start()
    stopped = g.cli('apply', '--yes', check=False)
    assert stopped.returncode not in (0, 5) and 'training.churn: ' in stopped.stderr, stopped.stderr
    assert 'applied already: problem, sources.crm, datasets.customers, recipes.plain' in stopped.stderr, stopped.stderr
    write(g)
    told = g.cli('apply', '--yes').stdout
    assert 'datasets.customers' not in told and 'training.churn   churn:v1' in told, told
    # Rows that the server has are not missed; those of a new dataset are.
    os.rename(os.path.join(g.work, 'customers.csv'), os.path.join(g.work, 'kept.csv'))
    assert 'customers.csv is not here' in g.cli('apply', '--check').stderr
    write(g, FILE.replace('datasets:\n', 'datasets:\n  others: {path: others.csv}\n'))
    stopped = g.cli('apply', '--check', check=False)
    assert stopped.returncode == 3 and 'gyre.yaml:14\n' in stopped.stderr and 'others.csv' in stopped.stderr, stopped.stderr
    os.rename(os.path.join(g.work, 'kept.csv'), os.path.join(g.work, 'customers.csv'))
    # What is named and is nowhere is found before anything is changed.
    write(g, FILE.replace('model: churn@champion', 'model: chrun@champion'))
    stopped = g.cli('apply', '--check', check=False)
    line = FILE[:FILE.index('model: churn@champion')].count('\n') + 1
    assert f'gyre.yaml:{line}' in stopped.stderr and 'did you mean `churn`?' in stopped.stderr, stopped.stderr


def found_before_anything_changes(g):
    customers(os.path.join(g.work, 'customers.csv'))
    circle = 'datasets:\n  a: {sql: select * from b}\n  b: {sql: "select * from c join d on true"}\n  c: {sql: select * from a}\n'
    gone = {
        'problem:\n  kpis:\n    - auc >= 0.8\n    - live.auk[7d] >= 1\n': (4, 'live.auc'),
        'problem:\n  kpis: [auc >= 84]\n': (2, 'auc >= 0.84'),
        'triggers:\n  night:\n    on:\n      kind: schedule\n      at: 61 3 * * *\n    run: {pipeline: retrain}\n': (5, '61'),
        'monitors:\n  shop:\n    window: {every: 1h}\n': (2, 'endpoint `shop`'),
        'gates:\n  churn: {approvals_min: 1}\n': (2, 'model `churn`'),
        'gates:\n  churn@live: {approvals_min: 1}\n': (2, 'model `churn`'),
        'triggers:\n  t:\n    on: {kind: hand}\n    run:\n      pipeline: retrain\n      params: {endpoint: shop}\n': (6, 'endpoint `shop`'),
        'datasets:\n  a:\n': (2, 'path: FILE'),
        circle: (4, 'c, which reads a, which reads b, which reads c'),
    }
    for project in ('absent', 'there'):
        if project == 'there':
            g.cli('api', 'POST', '/api/v1/projects', '--body', '{"name": "there"}')
        for text, (line, words) in gone.items():
            write(g, text)
            stopped = g.cli('apply', '--dry-run' if project == 'absent' else '--yes', '-p', project, check=False)
            assert stopped.returncode not in (0, 5) and f'gyre.yaml:{line}\n' in stopped.stderr and words in stopped.stderr, (text, stopped.stderr)
            assert 'applied' not in stopped.stderr, stopped.stderr
    assert 'absent' not in {p['name'] for p in g.cli_json('projects')}
    # By its own name only: what a name stands for in a column is no circle, and a monitor finds its endpoint in the file.
    write(g, 'datasets:\n  plan: {path: customers.csv}\n  a: {sql: select plan as b from plan}\n  b: {sql: "select count(*) as a from a"}\n')
    assert g.cli('apply', '--yes', '-p', 'there').returncode == 0


def two_at_once(g):
    """What somebody else has made since the plan is changed, not made once more."""
    customers(os.path.join(g.work, 'customers.csv'))
    night = '  night:\n    on: {kind: schedule, at: "0 3 * * *"}\n    run: {pipeline: p}\n'
    first = 'datasets:\n  customers: {path: customers.csv}\npipelines:\n  p: {definition: {steps: {a: {command: [echo]}}}}\n'
    g.start()
    write(g, first)
    g.cli('apply', '--yes')
    write(g, first + 'training:\n  churn: {dataset: customers, target: churned, budget: 2s, gate: none}\ntriggers:\n' + night + night.replace('night', 'other'))
    one = subprocess.Popen([GYRE, 'apply', '--yes'], cwd=g.work, env=g.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not any(j['kind'] == 'training.train' for j in g.json('GET', '/api/v1/jobs?limit=100')['items']):
        assert one.poll() is None, one.communicate()
        time.sleep(0.01)
    for name, at in (('night', '0 4 * * *'), ('other', '0 3 * * *')):
        g.json('POST', '/api/v1/projects/default/triggers', {'name': name, 'on': {'kind': 'schedule', 'at': at}, 'run': {'pipeline': 'p'}})
    told, said = one.communicate(timeout=60)
    assert one.returncode == 0, said
    assert 'triggers.other   somebody else has made it so meanwhile' in told, told
    assert g.cli_json('triggers', 'show', 'night')['on']['at'] == '0 3 * * *'
    assert g.cli('apply', '--check').returncode == 0


def malformed(g):
    wrong = {'datsets: {}': 'datasets', 'training:\n  m: {dataset: d, budgt: 1m}': 'budget', 'endpoints:\n  e: {modl: m}': 'model'}
    for text, meant in wrong.items():
        write(g, text)
        stopped = g.cli('apply', '--check', check=False)
        assert stopped.returncode == 2 and f'did you mean `{meant}`?' in stopped.stderr and 'gyre.yaml:' in stopped.stderr, stopped.stderr
        assert not os.path.exists(g.data), 'a file that is wrong opens nothing'
    missing = g.cli('apply', 'nowhere.yaml', check=False)
    assert missing.returncode == 3 and 'gyre init --template tabular' in missing.stderr, missing.stderr


def documented(g):
    page = open(os.path.join(SOURCE, 'docs', 'gyre_yaml.md'), encoding='utf-8').read()
    assert g.cli('schema', '--markdown').stdout == page, 'gyre schema --markdown > docs/gyre_yaml.md'
    schema = json.loads(g.cli('schema').stdout)
    assert schema['properties']['training']['additionalProperties']['required'] == ['dataset']
    g.cli('init', '--template', 'tabular', 'shop')
    template = open(os.path.join(g.work, 'shop', 'gyre.yaml'), encoding='utf-8').read()
    try:
        import jsonschema
        import yaml
    except ImportError:
        print('what editors make of the schema was not tried: jsonschema and yaml are not there')
    else:
        class Loader(yaml.SafeLoader):  # YAML 1.2, as editors read it: `on` is a text
            yaml_implicit_resolvers = {key: [r for r in found if r[0] != 'tag:yaml.org,2002:bool'] for key, found in
                                       yaml.SafeLoader.yaml_implicit_resolvers.items()}

        Loader.add_implicit_resolver('tag:yaml.org,2002:bool', re.compile('^(true|false)$'), ['t', 'f'])
        editor = jsonschema.Draft7Validator(schema)
        editor.check_schema(schema)
        for text in (FILE, template):
            assert [e.message for e in editor.iter_errors(yaml.load(text, Loader))] == []
        for wrong in ('trainin: {}', 'training: {m: {}}', 'training: {m: {dataset: d, gate: kpis}}', 'monitors: {m: {window: {every: soon}}}',
                      'endpoints: {e: {model: m, capture: {columns: {a: hide}}}}'):
            assert len(list(editor.iter_errors(yaml.load(wrong, Loader)))) == 1, wrong
    assert not os.path.exists(g.data)


if __name__ == '__main__':
    run_scenarios([template_to_live, twice_nothing, drift_by_hand, new_rows_and_specifications, prune, refused_removal, the_same_name_is_not_the_same_thing, half_made_is_made, written_otherwise_is_no_drift,
                   adopted_is_not_pruned, round_trip, cut_off, sources, variants, queries_and_addresses, approvals_and_broken_rows,
                   failure_names_the_entry, found_before_anything_changes, two_at_once, malformed, documented])
