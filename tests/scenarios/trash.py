"""Everything that is removed says first who needs it, lies in the trash for a while, and comes back as it was.

python3 tests/scenarios/trash.py"""
import json
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from harness import Gyre, run_scenarios  # noqa: E402

PROJECT = '/api/v1/projects/default'


def customers(g, name, rows=300, seed=1):
    pick = random.Random(seed)
    path = os.path.join(g.work, name + '.csv')
    with open(path, 'w') as out:
        out.write('tenure,charge,Churn\n')
        for _ in range(rows):
            tenure, charge = pick.randint(1, 72), pick.uniform(20, 120)
            out.write(f'{tenure},{charge:.2f},{"Yes" if charge / 40 - tenure / 20 + pick.gauss(0, 1) > 0 else "No"}\n')
    g.cli('add', path)


def said_no(g, *arguments, gy):
    done = g.cli(*arguments, check=False)
    assert done.returncode == 6 and gy in done.stderr, (arguments, done.returncode, done.stderr)
    return done.stderr


# What each noun is asked for, so that what comes back can be compared with what was there.
def dataset(g):
    return [g.json('GET', f'{PROJECT}/datasets/sales/versions'), g.json('GET', f'{PROJECT}/datasets/sales/versions/v1/rows?limit=5'),
            g.json('GET', f'{PROJECT}/datasets/sales/expectations')]


def model(g):
    version = g.json('GET', f'{PROJECT}/models/sales/versions/v1')
    return [version, g.json('GET', f'{PROJECT}/models/sales/history'), g.json('GET', f'{PROJECT}/models/sales/versions/v1/evaluation')]


def endpoint(g):
    found = g.json('GET', f'{PROJECT}/endpoints/live')
    return [found['name'], found['deployment'], g.json('POST', '/e/live', {'inputs': [{'tenure': 3, 'charge': 50.0}]})['outputs']]


def run(g):
    made_by = g.json('GET', f'{PROJECT}/models/sales/versions/v1')['run']
    return [g.json('GET', f'{PROJECT}/runs/{made_by}'), g.json('GET', f'{PROJECT}/runs/{made_by}/artifacts')]


def pipeline(g):
    return g.json('GET', f'{PROJECT}/pipelines/nightly')


def trigger(g):
    found = g.json('GET', f'{PROJECT}/triggers/every-night')
    return {key: found[key] for key in ('name', 'on', 'run', 'created_by')}


def channel(g):
    return g.json('GET', f'{PROJECT}/channels/ops')


def secret(g):
    return g.json('GET', f'{PROJECT}/secrets')


def monitor(g):
    found = g.json('GET', f'{PROJECT}/monitors/live')
    return [found['name'], found['spec'], [(one['number'], one['rows'], one['id']) for one in found['judged']]]


def source(g):
    return [one for one in g.json('GET', f'{PROJECT}/declarations?kind=sources')['items']]


def recipe(g):
    return [one for one in g.json('GET', f'{PROJECT}/declarations?kind=recipes')['items']]


def pipeline_run(g):
    ran = g.json('GET', '/api/v1/pipeline_runs?project=default')
    if not ran['items']:
        return ran
    return [ran, g.json('GET', f'/api/v1/pipeline_runs/{ran["items"][0]["id"]}')]


# noun, name, what shows it, who needs it (code and word), another name or None when it has its own only
THINGS = [
    ('monitor', 'live', monitor, None, 'live-2'),
    ('source', 'crm', source, None, 'crm-2'),
    ('recipe', 'careful', recipe, None, 'careful-2'),
    ('pipeline-run', None, pipeline_run, None, None),
    ('endpoint', 'live', endpoint, None, 'elsewhere'),
    ('model', 'sales', model, ('GY3621', 'live'), 'older'),
    ('dataset', 'sales', dataset, ('GY2113', 'sales:v1'), 'older'),
    ('run', None, run, ('GY3413', 'sales:v1'), None),
    ('secret', 'hook', secret, ('GY5007', 'ops'), 'hook-2'),
    ('channel', 'ops', channel, None, 'ops-2'),
    ('pipeline', 'nightly', pipeline, ('GY5006', 'every-night'), None),
    ('trigger', 'every-night', trigger, None, None),
]


def hidden(g, show):
    """What is in the trash is found by nobody."""
    try:
        shown = show(g)
        return shown == [] or shown == {'items': []}
    except AssertionError as refused:
        return ': 404 ' in str(refused)


def removed_and_back(g, noun, name, show, needed, other):
    remove = ['pipelines', 'rm-run'] if noun == 'pipeline-run' else [noun + 's', 'rm']
    before = show(g)
    if needed:
        code, word = needed
        assert word in said_no(g, *remove, name, '--yes', gy=code)
        planned = g.cli(*remove, name, '--dry-run').stdout
        assert word in planned and 'refused: true' in planned, planned
    forced = ['--force'] if needed else []
    planned = g.cli(*remove, name, '--dry-run', *forced).stdout
    assert 'kept_days: 30' in planned, planned
    assert show(g) == before, 'a dry run changes nothing'

    gone = g.cli(*remove, name, '--yes', *forced).stdout
    assert f'gyre undelete {noun} {name}' in gone, gone
    assert hidden(g, show), f'{noun} {name} is still shown'
    listed = [item for item in g.cli_json('trash') if item['noun'] == noun and item['name'] == name]
    assert len(listed) == 1 and listed[0]['bytes'] > 0 and listed[0]['until'] > listed[0]['removed_at'], listed
    assert name in g.cli('trash', 'ls', noun + 's').stdout
    g.cli('gc', '--grace-hours', '0')
    g.cli('undelete', noun, name)
    assert show(g) == before, f'{noun} {name} came back as another'
    again = g.cli('undelete', noun, name, check=False)
    assert again.returncode == 3 and 'GY5002' in again.stderr, again.stderr
    return other


def every_noun(g):
    customers(g, 'sales')
    g.cli('train', 'sales', '--target', 'Churn', '--trials', '1', '--seed', '1')
    g.cli('deploy', 'sales@champion', '--name', 'live')
    g.cli('datasets', 'tag', 'sales', 'source=crm')
    g.cli('secrets', 'set', 'hook', stdin='https://127.0.0.1:1/x')
    g.cli('channels', 'add', 'ops', '--webhook', 'secret:hook')
    with open(os.path.join(g.work, 'nightly.yaml'), 'w') as out:
        out.write('name: nightly\nsteps: {x: {command: [echo, hello]}}\n')
    g.cli('pipelines', 'add', 'nightly.yaml')
    g.json('POST', f'{PROJECT}/triggers', {'name': 'every-night', 'on': {'kind': 'schedule', 'at': '0 3 * * *'}, 'run': {'pipeline': 'nightly'}})
    g.cli('sources', 'add', 'crm', os.path.join(g.work, 'sales.csv'))
    g.json('PUT', f'{PROJECT}/declarations/recipes/careful', {'spec': {'steps': []}})
    ran = g.cli_json('pipelines', 'run', 'nightly', '--wait')
    traffic(g, 60)
    g.cli('monitors', 'edit', 'live', '--rows', '20')
    traffic(g, 60)
    g.cli('monitors', 'run', 'live')
    assert monitor(g)[2], 'no window was judged'
    made_by = run(g)[0]['id'][:8]
    for noun, name, show, needed, other in THINGS:
        name = name or (ran['id'][:8] if noun == 'pipeline-run' else made_by)
        removed_and_back(g, noun, name, show, needed, other)


def traffic(g, rows, endpoint='live'):
    pick = random.Random(7)
    for _ in range(rows // 20):
        g.json('POST', f'/e/{endpoint}', {'inputs': [{'tenure': pick.randint(1, 72), 'charge': pick.uniform(20, 120)} for _ in range(20)]})


def a_monitor_goes_with_its_endpoint(g):
    """Its windows come back with it, also under another name; removed by itself, it leaves no other in its place."""
    g.cli('monitors', 'edit', 'live', '--bad', '3')
    before = monitor(g)
    g.cli('endpoints', 'rm', 'live', '--yes')
    assert g.json('GET', f'{PROJECT}/monitors')['items'] == []
    g.cli('undelete', 'endpoint', 'live')
    assert monitor(g) == before
    g.cli('monitors', 'rm', 'live', '--yes')
    assert g.json('GET', f'{PROJECT}/monitors')['items'] == [], 'its endpoint has got another one'
    g.cli('endpoints', 'rm', 'live', '--yes')
    gone = g.cli('undelete', 'monitor', 'live', check=False)
    assert gone.returncode == 6 and 'GY5012' in gone.stderr and 'gyre undelete endpoint live' in gone.stderr, gone.stderr
    g.cli('undelete', 'endpoint', 'live')
    g.cli('undelete', 'monitor', 'live')
    assert monitor(g) == before


def who_listens_is_named(g):
    """A monitor and a dataset that triggers listen to stay, unless it is wished so."""
    customers(g, 'fresh')
    for name, on in (('drifted', {'kind': 'drift', 'endpoint': 'live'}), ('came', {'kind': 'dataset', 'dataset': 'fresh'})):
        g.json('POST', f'{PROJECT}/triggers', {'name': name, 'on': on, 'run': {'pipeline': 'nightly'}})
    for noun, name, trigger in (('monitors', 'live', 'drifted'), ('datasets', 'fresh', 'came')):
        assert trigger in said_no(g, noun, 'rm', name, '--yes', gy='GY5006')
        planned = g.cli(noun, 'rm', name, '--dry-run').stdout
        assert trigger in planned and 'refused: true' in planned, planned
        g.cli(noun, 'rm', name, '--yes', '--force')
        g.cli('undelete', noun[:-1], name)
    g.cli('triggers', 'rm', 'drifted', '--yes')
    g.cli('triggers', 'rm', 'came', '--yes')


def numbers_are_given_anew(g):
    """The newest run is removed and another one gets its number: both are there in the end."""
    g.cli('run', '--name', 'first', '--', 'true')
    newest = g.json('GET', f'{PROJECT}/runs?limit=1')['items'][0]['id'][:8]
    g.cli('runs', 'rm', newest, '--yes')
    g.cli('run', '--name', 'second', '--', 'true')
    g.cli('undelete', 'run', newest)
    assert {one['name'] for one in g.json('GET', f'{PROJECT}/runs?limit=5')['items']} >= {'first', 'second'}


def taken_names(g):
    """Somebody else has the name by then: the thing comes back under another one."""
    g.cli('datasets', 'rm', 'sales', '--yes', '--force')
    customers(g, 'sales', rows=50, seed=2)
    taken = g.cli('undelete', 'dataset', 'sales', check=False)
    assert taken.returncode == 6 and 'GY5003' in taken.stderr and '--as sales-2' in taken.stderr, taken.stderr
    g.cli('undelete', 'dataset', 'sales', '--as', 'older')
    assert g.json('GET', f'{PROJECT}/datasets/older/versions/v1')['rows'] == 300
    assert g.json('GET', f'{PROJECT}/datasets/sales/versions/v1')['rows'] == 50
    g.cli('endpoints', 'rm', 'live', '--yes')
    g.cli('undelete', 'endpoint', 'live', '--as', 'elsewhere')
    assert g.json('POST', '/e/elsewhere', {'inputs': [{'tenure': 3}]})['outputs']


def a_version(g):
    customers(g, 'sales', rows=80, seed=3)
    g.cli('datasets', 'rm', 'sales:v1', '--yes')
    assert [one['version'] for one in g.json('GET', f'{PROJECT}/datasets/sales/versions')['items']] == ['v2']
    g.cli('undelete', 'dataset', 'sales:v1')
    assert [one['version'] for one in g.json('GET', f'{PROJECT}/datasets/sales/versions')['items']] == ['v2', 'v1']


def until_it_is_over(g):
    """What is emptied, or was kept for as long as the setting says, is gone for good, and its blobs with it."""
    blobs = os.path.join(g.data, 'blobs')
    def stored():
        return sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(blobs) for name in names)
    g.cli('datasets', 'rm', 'sales', '--yes')
    before = stored()
    g.cli('trash', 'empty', '--older-than', '1h', '--yes')
    assert g.cli_json('trash'), 'nothing is that old'
    refused = g.cli('trash', 'empty', check=False)
    assert refused.returncode == 2 and 'GY4062' in refused.stderr, refused.stderr
    assert 'ended' in g.cli('trash', 'empty', '--yes').stdout
    assert g.cli_json('trash') == []
    g.cli('gc', '--grace-hours', '0')
    assert stored() < before
    g.stop()
    g.start(environment={'GYRE_RETENTION_TRASH': '1'})
    customers(g, 'brief', rows=40)
    g.cli('datasets', 'rm', 'brief', '--yes')
    time.sleep(1.1)
    collected = json.loads(g.cli('gc', '-o', 'json').stdout)
    assert collected['trash_removed'] == 1, collected
    assert g.cli_json('trash') == []


def the_sums_are_exact(g):
    """Every file of the data directory stands in one line of `gyre space`."""
    for _ in range(5):
        before, space, after = (size_of(g.data), g.json('GET', '/api/v1/maintenance/space'), size_of(g.data))
        if before == after:
            break
    assert sum(part['bytes'] for part in space['parts']) == space['bytes']
    assert min(before, after) <= space['bytes'] <= max(before, after), (before, space['bytes'], after)
    parts = {(part['part'], part['noun']) for part in space['parts']}
    assert {('stored', 'dataset'), ('stored', 'model'), ('database', '')} <= parts, parts
    shown = g.cli('space')
    assert 'PART' in shown.stdout and 'gyre gc frees' in shown.stderr, (shown.stdout, shown.stderr)


def size_of(folder):
    paths = [os.path.join(at, name) for at, _, names in os.walk(folder) for name in names]
    return sum(os.path.getsize(path) for path in paths if not os.path.islink(path))


def main():
    with Gyre() as g:
        g.start()
        for scenario in (every_noun, a_monitor_goes_with_its_endpoint, who_listens_is_named, numbers_are_given_anew, the_sums_are_exact, taken_names, a_version, until_it_is_over):
            scenario(g)
            print('ok', scenario.__name__, flush=True)


if __name__ == '__main__':
    main()
