"""`gyre explain` on the built program: a summary, each row's contributions, the API, and errors; against the real `shap`
where it is installed, else against LightGBM's own contributions.

python3 tests/scenarios/explain.py"""
import csv
import json
import os
import random
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from harness import Gyre  # noqa: E402

COLUMNS = ['a', 'b', 'c', 'd']

# Runs in the Python that has the real packages: the package of a model, rows -> contributions of its features.
PEER = r'''
import csv, json, sys
try:
    import lightgbm, numpy, shap
except ImportError as missing:
    print(missing, file=sys.stderr)
    sys.exit(77)
package, rows, columns = sys.argv[1], sys.argv[2], sys.argv[3].split(',')
text = json.load(open(package))['predictor']
booster = lightgbm.Booster(model_str=text)
x = numpy.array([[float(row[c]) if row[c] else numpy.nan for c in columns] for row in csv.DictReader(open(rows))])
explainer = shap.TreeExplainer(booster, feature_perturbation='tree_path_dependent')
values = explainer.shap_values(x)
base = booster.predict(x[:1], pred_contrib=True)[0, -1]
json.dump({'values': numpy.asarray(values).tolist(), 'base': float(base)}, sys.stdout)
'''


def write_rows(path, rows, seed):
    pick = random.Random(seed)
    with open(path, 'w') as out:
        out.write(','.join(['who', *COLUMNS, 'bought']) + '\n')
        for i in range(rows):
            values = [pick.gauss(0, 1) for _ in COLUMNS]
            score = values[0] * 2 - values[1] * values[2] + (values[3] > 0.5) + pick.gauss(0, 0.4)
            shown = ['' if pick.random() < 0.1 else f'{value:.6f}' for value in values]
            out.write(','.join([f'w{i}', *shown, 'yes' if score > 0 else 'no']) + '\n')


def train(g):
    write_rows(os.path.join(g.work, 'shop.csv'), 1200, 1)
    g.cli('add', 'shop.csv')
    with open(os.path.join(g.work, 'recipe.yaml'), 'w') as out:
        steps = ''.join(f'  - {{id: {c}, op: number, in: {c}}}\n' for c in COLUMNS)
        out.write('input: {schema: {' + ', '.join(f'{c}: double' for c in COLUMNS) + '}}\nsteps:\n' + steps
                  + 'output: {vector: [' + ', '.join(COLUMNS) + ']}\n')
    g.cli('train', 'shop', '--target', 'bought', '--budget', '4s', '--trials', '2', '--seed', '1', '--recipe', 'recipe.yaml')


def summary(g):
    shown = g.cli('explain', 'shop@champion', '--in', 'shop.csv').stdout
    assert 'shop:v1 over 1,200 rows; contributions count in log-odds' in shown and 'SHARE' in shown, shown
    document = g.cli_json('explain', 'shop@champion', '--in', 'shop.csv')
    assert document['rows'] == 1200 and document['scale'] == 'log-odds', document
    output, = document['outputs']
    assert output['output'] == 'yes' and output['columns'][0]['column'] == 'a', output
    assert {column['column'] for column in output['columns']} == set(COLUMNS), output
    assert all(column['mean_abs'] >= abs(column['mean']) for column in output['columns']), output


def every_row(g):
    said = g.cli('explain', 'shop:v1', '--in', 'shop.csv', '--out', 'why.csv').stdout
    assert 'is in why.csv' in said, said
    g.cli('predict', 'shop:v1', '--in', 'shop.csv', '--out', 'scored.csv')
    with open(os.path.join(g.work, 'why.csv')) as why, open(os.path.join(g.work, 'scored.csv')) as scored:
        why, scored = list(csv.DictReader(why)), list(csv.DictReader(scored))
    assert len(why) == len(scored) == 1200 and [row['who'] for row in why] == [row['who'] for row in scored]
    for row, answer in zip(why, scored):
        total = float(row['base']) + sum(float(row['contribution_' + c]) for c in COLUMNS)
        assert abs(total - float(row['raw'])) < 1e-9, row
        chance = float(answer['probability_yes'])
        assert abs(chance - 1 / (1 + 2.718281828459045 ** -total)) < 1e-9, (row, answer)
    return why


def like_shap(g, why):
    version = g.cli_json('models', 'show', 'shop:v1')
    digest = version['package']['digest']
    package = os.path.join(g.data, 'blobs', 'objects', digest[:2], digest[2:])
    peer = subprocess.run([os.environ.get('GYRE_TEST_PYTHON', sys.executable), '-c', PEER, package,
                           os.path.join(g.work, 'shop.csv'), ','.join(COLUMNS)], capture_output=True, text=True)
    if peer.returncode == 77:
        print('explain: not compared with shap:', peer.stderr.strip())
        return
    assert peer.returncode == 0, peer.stderr
    peer = json.loads(peer.stdout)
    worst = max(abs(float(row['contribution_' + c]) - value)
                for row, values in zip(why, peer['values']) for c, value in zip(COLUMNS, values))
    assert worst <= 1e-9, worst
    assert abs(float(why[0]['base']) - peer['base']) <= 1e-9, (why[0], peer['base'])
    print(f'explain: equal to shap, largest difference {worst:.1e}')


def by_api(g):
    with open(os.path.join(g.work, 'shop.csv'), 'rb') as rows:
        body = rows.read()
    path = '/api/v1/projects/default/models/shop/explain'
    job = g.http('POST', path + '?filename=shop.csv', body).json()
    done = g.wait_job(job)
    assert done['state'] == 'succeeded' and done['result']['outputs'][0]['columns'], done
    assert g.http('GET', '/api/v1/projects/default/predict/' + job['id']).status == 404
    job = g.http('POST', path + '?version=v1&output_format=jsonl', body).json()
    assert g.wait_job(job)['state'] == 'succeeded'
    lines = g.http('GET', '/api/v1/projects/default/predict/' + job['id']).body.decode().splitlines()
    assert len(lines) == 1200 and 'contribution_a' in json.loads(lines[0]), lines[:1]
    missing = g.http('POST', path + '?version=v9', body)
    assert missing.status == 404, missing.body


def errors(g):
    done = g.cli('explain', 'shop', check=False)
    assert done.returncode == 2 and 'GY4070' in done.stderr and 'gyre explain shop --in rows.csv' in done.stderr, done.stderr
    with open(os.path.join(g.work, 'few.csv'), 'w') as out:
        out.write('a,b,c\n1,2,3\n')
    done = g.cli('explain', 'shop@champion', '--in', 'few.csv', check=False)
    assert done.returncode != 0 and 'GY3822' in done.stderr and '`d`' in done.stderr, done.stderr
    assert 'GY4070' in g.cli('explain', 'gy4070').stdout


def main():
    with Gyre() as g:
        g.start()
        train(g)
        summary(g)
        like_shap(g, every_row(g))
        by_api(g)
        errors(g)
    print('explain: summed, by row, by API, refused')


if __name__ == '__main__':
    main()
