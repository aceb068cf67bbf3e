"""A small project with something of everything that pages and answers speak of."""
import os

from churn_table import write_table

# What somebody wrote is text wherever it is shown: where it runs, the page has an error, and its test fails.
TAKEN = '<img src="x" onerror="throw new Error(\'taken\')"><script>throw new Error("taken")</script>'


def fill(g):
    """A project with a goal, a dataset, runs, a model and an endpoint that has answered."""
    write_table(os.path.join(g.work, 'customers.csv'))
    problem = {'statement': 'Which customers will leave next month?', 'target': 'Churn', 'owner': 'ann', 'kpis': ['auc >= 0.7']}
    g.json('POST', '/api/v1/projects', {'name': 'churn', 'problem': problem})
    g.cli('add', 'customers.csv', '--project', 'churn')
    g.cli('train', 'customers', '--project', 'churn', '--trials', '2')
    g.cli('deploy', 'customers@champion', '--project', 'churn')
    curves(g)
    rows = [{'tenure': i % 70, 'charges': 20 + i % 90, 'contract': 'monthly'} for i in range(50)]
    g.json('POST', '/e/customers', {'inputs': rows})


def curves(g):
    """A run of a script that logged its losses at each step and left a file in a folder."""
    run = g.json('POST', '/api/v1/projects/churn/runs', {'key': 'script/1', 'experiment': 'scripts', 'name': f'by-hand {TAKEN}', 'params': {'rate': 0.1, 'said': TAKEN}, 'tags': {TAKEN: TAKEN}})['id']
    points = [{'key': key, 'value': start / (step + 1), 'step': step, 'time_us': 1_763_000_000_000_000 + step} for step in range(40) for key, start in (('loss', 2), ('error', 1))]
    g.json('POST', f'/api/v1/projects/churn/runs/{run}/batch', {'metrics': points})
    g.json('PUT', f'/api/v1/projects/churn/runs/{run}/artifacts/plots/note.html', TAKEN.encode())
    g.json('POST', f'/api/v1/projects/churn/runs/{run}/end', {'status': 'finished'})
