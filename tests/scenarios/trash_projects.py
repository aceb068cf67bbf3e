"""A whole project goes into the trash, answers no more, and comes back as it was; so does a user.

python3 tests/scenarios/trash_projects.py"""
import json
import os
import random
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from harness import Gyre, run_scenarios  # noqa: E402

PASSWORD = 'correct horse battery\n'


def rows_of(g):
    """Every row of the database that a project's removal may touch, as text; news, costs and the audit log only grow."""
    grows = ('audit_', 'event', 'usage_', 'trash_', 'lineage_', 'notice', 'blob_condemned', 'sqlite_', 'schema_', 'access_token', 'access_setup')
    database = sqlite3.connect(f'file:{g.data}/gyre.db?mode=ro', uri=True)
    try:
        tables = [name for name, in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name") if not name.startswith(grows)]
        return {table: sorted(map(repr, database.execute(f'SELECT * FROM {table}'))) for table in tables}
    finally:
        database.close()


def shop(g):
    """A project with something of every noun."""
    pick = random.Random(1)
    with open(os.path.join(g.work, 'sales.csv'), 'w') as out:
        out.write('tenure,charge,Churn\n')
        for _ in range(300):
            tenure, charge = pick.randint(1, 72), pick.uniform(20, 120)
            out.write(f'{tenure},{charge:.2f},{"Yes" if charge / 40 - tenure / 20 + pick.gauss(0, 1) > 0 else "No"}\n')
    of_shop = {'environment': {'GYRE_PROJECT': 'shop'}}
    with open(os.path.join(g.work, 'nightly.yaml'), 'w') as out:
        out.write('name: nightly\nsteps: {x: {command: [echo, hello], cache: 1h}}\n')
    for arguments in (['add', 'sales.csv'], ['train', 'sales', '--target', 'Churn', '--trials', '1', '--seed', '1'], ['deploy', 'sales@champion', '--name', 'live'],
                      ['pipelines', 'add', 'nightly.yaml'], ['pipelines', 'run', 'nightly', '--wait'], ['sources', 'add', 'crm', 'sales.csv'],
                      ['monitors', 'edit', 'live', '--rows', '20'], ['run', '--name', 'mine', '--', 'true']):
        g.cli(*arguments, '--project', 'shop')
    g.cli('secrets', 'set', 'hook', '--project', 'shop', stdin='https://127.0.0.1:1/x')
    g.cli('channels', 'add', 'ops', '--webhook', 'secret:hook', '--project', 'shop')
    g.json('POST', '/api/v1/projects/shop/triggers', {'name': 'every-night', 'on': {'kind': 'schedule', 'at': '0 3 * * *'}, 'run': {'pipeline': 'nightly'}})
    for _ in range(3):
        answered(g)
    g.cli('monitors', 'run', 'live', '--project', 'shop')
    return of_shop


def answered(g):
    pick = random.Random(2)
    return g.json('POST', '/e/live', {'inputs': [{'tenure': pick.randint(1, 72), 'charge': pick.uniform(20, 120)} for _ in range(20)]})['outputs']


def a_project_comes_back_as_it_was(g):
    g.start(environment={'GYRE_MONITORING_EVERY': '0', 'GYRE_KPIS_EVERY': '0'})
    g.cli('init', 'shop', '--target', 'Churn', '--kpi', 'auc >= 0.6')
    shop(g)
    outputs = answered(g)
    planned = g.cli('projects', 'rm', 'shop', '--dry-run').stdout
    for word in ('kept_days: 30', 'endpoints: 1', 'datasets: 1', 'models: 1', 'live'):
        assert word in planned, planned
    asked = g.cli('projects', 'rm', 'shop', check=False)
    assert asked.returncode == 2 and 'GY4062' in asked.stderr, asked.stderr
    assert 'holds 1 endpoint, 1 model, 1 dataset' in asked.stderr and 'endpoint live answers with sales:v1' in asked.stderr, asked.stderr
    g.cli('monitors', 'run', 'live', '--project', 'shop')  # the last answers are sealed and judged
    before = rows_of(g)

    gone = g.cli('projects', 'rm', 'shop', '--yes').stdout
    assert 'gyre undelete project shop' in gone, gone
    for path in ('', '/datasets/sales', '/models/sales', '/endpoints/live', '/triggers/every-night', '/pipelines/nightly'):
        assert g.http('GET', '/api/v1/projects/shop' + path).status == 404, path
    assert g.http('POST', '/e/live', {'inputs': [{'tenure': 3}]}).status == 404
    assert 'shop' not in [one['name'] for one in g.cli_json('projects')]
    mine = [table for table, rows in rows_of(g).items() if any("'shop'" in row for row in rows)]
    assert not mine, f'left behind: {mine}'
    g.cli('gc', '--grace-hours', '0')
    g.stop()
    g.start(environment={'GYRE_MONITORING_EVERY': '0', 'GYRE_KPIS_EVERY': '0'})
    g.cli('undelete', 'project', 'shop')
    after = rows_of(g)
    for table in before:
        assert after[table] == before[table], (table, before[table], after[table])
    assert answered(g) == outputs
    assert 'not_sound' not in g.cli('fsck').stdout


def what_stands_against_it(g):
    g.start()
    refused = g.cli('projects', 'rm', 'default', '--yes', check=False)
    assert refused.returncode == 6 and 'GY3913' in refused.stderr, refused.stderr
    unknown = g.cli('projects', 'rm', 'shopp', '--yes', check=False)
    assert unknown.returncode == 3, unknown.stderr
    g.cli('init', 'shop')
    with open(os.path.join(g.work, 'long.yaml'), 'w') as out:
        out.write('name: long\nsteps: {x: {command: [sleep, "60"]}}\n')
    g.cli('pipelines', 'add', 'long.yaml', '--project', 'shop')
    run = g.cli_json('pipelines', 'run', 'long', '--project', 'shop')
    busy = g.cli('projects', 'rm', 'shop', '--yes', check=False)
    assert busy.returncode == 6 and 'GY5010' in busy.stderr and 'gyre pipelines runs --project shop' in busy.stderr, busy.stderr
    g.cli('pipelines', 'cancel', run['id'])
    g.json('GET', f"/api/v1/pipeline_runs/{run['id']}")
    for _ in range(200):
        if g.json('GET', f"/api/v1/pipeline_runs/{run['id']}")['state'] != 'running':
            break
    g.cli('pipelines', 'rm', 'long', '--project', 'shop', '--yes')
    g.cli('projects', 'rm', 'shop', '--yes')
    # What was thrown away before its project waits for it.
    waits = g.cli('undelete', 'pipeline', 'long', '--project', 'shop', check=False)
    assert waits.returncode == 6 and 'GY5011' in waits.stderr and 'gyre undelete project shop' in waits.stderr, waits.stderr
    g.cli('init', 'shop')
    taken = g.cli('undelete', 'project', 'shop', check=False)
    assert taken.returncode == 6 and 'GY5003' in taken.stderr and '--number' in taken.stderr, taken.stderr
    number = g.cli_json('trash', 'ls', 'projects')[0]['number']
    g.cli('projects', 'rm', 'shop', '--yes')
    g.cli('undelete', 'project', 'shop', '--number', str(number))
    g.cli('undelete', 'pipeline', 'long', '--project', 'shop')
    assert g.cli_json('pipelines', 'show', 'long', '--project', 'shop')['name'] == 'long'


def a_user_comes_back(g):
    """With roles and tokens; sessions are over."""
    g.start()
    g.cli('users', 'add', 'ann', '--role', 'admin', stdin=PASSWORD)
    g.cli('login', '--user', 'ann', stdin=PASSWORD)
    g.cli('users', 'add', 'bob', '--role', 'developer', stdin=PASSWORD)
    bob = {'HOME': os.path.join(g.directory, 'bob'), 'GYRE_SERVER': f'http://{g.host}:{g.port}'}
    os.makedirs(bob['HOME'])
    g.cli('login', '--user', 'bob', stdin=PASSWORD, environment=bob)
    token = g.cli_json('tokens', 'add', 'ci', environment=bob)['secret']
    with_token = {'headers': {'Authorization': 'Bearer ' + token}}
    roles = g.cli_json('users', 'show', 'bob')['roles']
    assert g.http('GET', '/api/v1/me', **with_token).status == 200
    gone = g.cli('users', 'rm', 'bob', '--yes').stdout
    assert 'gyre undelete user bob' in gone, gone
    assert g.http('GET', '/api/v1/me', **with_token).status == 401
    g.cli('undelete', 'user', 'bob')
    assert g.http('GET', '/api/v1/me', **with_token).json()['name'] == 'bob'
    assert g.cli_json('users', 'show', 'bob')['roles'] == roles
    assert g.cli('datasets', environment=bob, check=False).returncode == 4, 'its session was over'


if __name__ == '__main__':
    run_scenarios([a_project_comes_back_as_it_was, what_stands_against_it, a_user_comes_back])
