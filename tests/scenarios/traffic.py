"""Canary, sticky callers, shadow, rollback and parking on the built program, under load.

python3 tests/scenarios/traffic.py"""
import json
import os
import random
import sys
import threading
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from harness import Gyre  # noqa: E402

ENDPOINT = '/api/v1/projects/default/endpoints/shop'


def train(g):
    pick = random.Random(1)
    with open(os.path.join(g.work, 'shop.csv'), 'w') as out:
        out.write('who,spent,visits,bought\n')
        for i in range(600):
            spent, visits = pick.uniform(0, 100), pick.randint(0, 20)
            out.write(f'c{i},{spent:.2f},{visits},{"yes" if spent / 50 + visits / 10 + pick.gauss(0, .5) > 2 else "no"}\n')
    g.cli('add', 'shop.csv')
    for seed in '1', '2', '3':
        g.cli('train', 'shop', '--target', 'bought', '--trials', '1', '--seed', seed, check=False)
    versions = [v['name'] for v in g.json('GET', '/api/v1/projects/default/models/shop/versions')['items']]
    assert len(versions) == 3, versions
    g.cli('deploy', 'shop:v1')


def body(customer=0):
    return json.dumps({'inputs': [{'spent': customer % 100, 'visits': customer % 20}]})


class Callers:
    """Threads that ask without pause; any answer but 200 is a failure."""

    def __init__(self, g, count=3):
        self.g, self.stop, self.answered, self.failures, self.models = g, False, 0, [], {}
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(count)]

    def run(self, number):
        url = f'http://{self.g.host}:{self.g.port}/e/shop'
        customer = number
        while not self.stop:
            customer += 1
            request = urllib.request.Request(url, body(customer).encode(), {'X-User': f'u{customer % 500}'})
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    model = json.load(answer)['model']
                    self.answered += 1
                    self.models.setdefault(f'u{customer % 500}', set()).add(model)
            except Exception as problem:  # whatever it is, a caller was failed
                self.failures.append(repr(problem))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop = True
        for thread in self.threads:
            thread.join()


def variants(g):
    return {variant['name']: variant for variant in g.json('GET', ENDPOINT)['variants']}


def nobody_fails(g):
    said = g.cli('deploy', 'shop:v2', '--name', 'shop', '--canary', '10%').stdout
    assert 'canary of endpoint shop live' in said and '90 %' in said and '10 %' in said, said
    held = g.cli('models', 'rm', 'shop:v2', '--yes', check=False)
    assert held.returncode != 0 and 'shop' in held.stderr, held.stderr
    before = variants(g)
    with Callers(g) as callers:
        for step in range(50):
            g.json('PUT', ENDPOINT + '/traffic', {'shares': {'canary': (step * 7 % 100) / 100}})
        begin = time.monotonic()
        g.json('POST', ENDPOINT + '/rollback', {'reason': 'drill'})
        took = time.monotonic() - begin
        assert list(variants(g)) == ['champion']
        g.cli('deploy', 'shop:v2', '--name', 'shop', '--canary', '50%', '--sticky', 'column:spent')
        time.sleep(0.3)
    assert not callers.failures, callers.failures[:3]
    assert callers.answered > 100, callers.answered
    assert g.json('GET', ENDPOINT)['sticky'] == 'column:spent'
    after = variants(g)
    assert after['canary']['deployment_id'] != before['canary']['deployment_id']
    assert after['champion']['requests'] > 0 and after['canary']['requests'] > 0, after
    assert after['canary']['latency_us']['p99'] > 0 and after['canary']['failed'] == 0, after
    print(f'traffic: {callers.answered} answers over 50 changes and a rollback ({took * 1000:.0f} ms), none failed')


def callers_stay(g):
    g.cli('endpoints', 'edit', 'shop', '--sticky', 'header:X-User')
    g.cli('endpoints', 'traffic', 'shop', 'champion=70', 'canary=30')
    with Callers(g) as callers:
        time.sleep(1)
    assert not callers.failures, callers.failures[:3]
    assert all(len(models) == 1 for models in callers.models.values()), callers.models
    first = {user for user, models in callers.models.items() if models == {'shop:v2'}}
    share = len(first) / len(callers.models)
    assert 0.15 < share < 0.45, share
    g.cli('endpoints', 'traffic', 'shop', 'canary=60')
    with Callers(g) as callers:
        time.sleep(1)
    second = {user for user, models in callers.models.items() if models == {'shop:v2'}}
    assert first & set(callers.models) <= second and len(second) > len(first), (len(first), len(second))
    done = g.cli('endpoints', 'traffic', 'shop', 'champion=50', 'canary=60', check=False)
    assert done.returncode != 0 and 'GY3850' in done.stderr, done.stderr


def another_task(g):
    """Callers read one kind of answer: a model of another target answers nobody beside the champion."""
    with open(os.path.join(g.work, 'prices.csv'), 'w') as f:
        f.write('x,price\n')
        f.writelines(f'{i % 50},{3 * (i % 50) + i % 7}\n' for i in range(400))
    g.cli('add', 'prices.csv')
    g.cli('train', 'prices', '--target', 'price', '--budget', '2s', '--trials', '1', '--gate', 'none')
    for how in (('--canary', '10%'), ('--shadow',)):
        done = g.cli('deploy', 'prices:v1', '--name', 'shop', *how, check=False)
        assert done.returncode != 0 and 'GY3854' in done.stderr, (how, done.returncode, done.stdout, done.stderr)
    before = g.json('GET', ENDPOINT)['deployment']['id']
    done = g.cli('deploy', 'prices:v1', '--name', 'shop', check=False)
    for said in 'GY3855', 'shop:v', 'it is regression of `price`', '--name ANOTHER', '--replace':
        assert done.returncode != 0 and said in done.stderr, (said, done.returncode, done.stderr)
    assert g.json('GET', ENDPOINT)['deployment']['id'] == before


def two_targets(g):
    """Who takes the other model all the same has answers of both in the log: a dataset is made of those that tell the same."""
    g.cli('train', 'shop', '--target', 'visits', '--model', 'visits', '--budget', '2s', '--trials', '1', '--gate', 'none')
    g.cli('deploy', 'visits:v1', '--name', 'both')
    assert g.json('POST', '/e/both', {'inputs': [{'spent': 1.5}] * 3})['model'] == 'visits:v1'
    done = g.cli('deploy', 'shop:v1', '--name', 'both', check=False)
    assert done.returncode != 0 and 'GY3855' in done.stderr, done.stderr
    g.cli('deploy', 'shop:v1', '--name', 'both', '--replace')
    assert g.json('POST', '/e/both', {'inputs': [{'spent': 1.5, 'visits': 2}] * 4})['model'] == 'shop:v1'
    made = g.cli('captures', 'to-dataset', 'both', 'mixed')
    assert 'what visits:v1 answered is left out' in made.stderr, (made.stdout, made.stderr)
    assert g.cli_json('datasets', 'show', 'mixed')['rows'] == 4
    g.cli('endpoints', 'rm', 'both', '--yes')


def shadow(g):
    g.cli('endpoints', 'rollback', 'shop')
    g.cli('deploy', 'shop:v3', '--name', 'shop', '--shadow')
    g.cli('predict', 'shop:v1', '--in', 'shop.csv', '--out', 'v1.csv')
    g.cli('predict', 'shop:v3', '--in', 'shop.csv', '--out', 'v3.csv')
    rows = []
    for name in 'v1.csv', 'v3.csv':
        with open(os.path.join(g.work, name)) as file:
            header, *lines = [line.rstrip('\n').split(',') for line in file]
            rows.append([dict(zip(header, line)) for line in lines])
    asked = rows[0][:200]
    for row in asked:
        sent = {'inputs': [{'spent': float(row['spent']), 'visits': int(row['visits'])}]}
        assert g.json('POST', '/e/shop', sent)['model'] == 'shop:v1'
    for _ in range(100):
        seen = variants(g)['shadow']['comparison']
        if seen['rows'] == len(asked):
            break
        time.sleep(0.05)
    pairs = list(zip(rows[0], rows[1]))[:200]
    agreed = sum(a['prediction'] == b['prediction'] for a, b in pairs)
    mean = sum(abs(float(a['probability_yes']) - float(b['probability_yes'])) for a, b in pairs) / len(pairs)
    assert seen['rows'] == 200 and seen['agreed'] == agreed and seen['dropped'] == 0, (seen, agreed)
    assert abs(seen['difference']['mean'] - mean) < 1e-9, (seen, mean)
    shown = g.cli('endpoints', 'traffic', 'shop').stdout
    assert 'shadow' in shown and 'AGREED' in shown, shown
    same = g.cli('endpoints', 'traffic', 'shop', 'champion=100').stdout
    assert same.startswith('nothing changed'), same
    for gone in ('shadow=0',), ('--remove', 'shadow'):
        said = g.cli('endpoints', 'traffic', 'shop', *gone).stdout
        assert 'champion' in said and '\n  shadow' not in said, said
        assert set(variants(g)) == {'champion'}
        g.cli('deploy', 'shop:v3', '--name', 'shop', '--shadow')
    missing = g.cli('endpoints', 'traffic', 'shop', '--remove', 'nobody', check=False)
    assert missing.returncode != 0 and 'GY3851' in missing.stderr, missing.stderr


def rolls_back_beside_a_shadow(g):
    """What answers afterwards is said, before and after; a second one does not come back to what was rolled back."""
    g.cli('deploy', 'shop:v1', '--name', 'back')
    g.cli('deploy', 'shop:v2', '--name', 'back')
    g.cli('deploy', 'shop:v3', '--name', 'back', '--shadow')
    plan = g.cli('endpoints', 'rollback', 'back', '--dry-run')
    assert 'would: shop:v1 answers' in plan.stdout, (plan.stdout, plan.stderr)
    done = g.cli('endpoints', 'rollback', 'back')
    assert 'rolled back from shop:v2' in done.stdout and 'shop:v1' in done.stdout, done.stdout
    assert 'shadow stays beside it' in done.stderr, done.stderr
    again = g.cli('endpoints', 'rollback', 'back', check=False)
    assert again.returncode != 0 and 'GY3804' in again.stderr and 'stays away' in again.stderr, again.stderr
    plan = g.cli('endpoints', 'promote', 'back', '--variant', 'shadow', '--dry-run')
    assert 'would: shop:v3 answers' in plan.stdout, (plan.stdout, plan.stderr)
    g.cli('endpoints', 'rm', 'back', '--yes')


def promote(g):
    g.cli('deploy', 'shop:v2', '--name', 'shop', '--canary', '5%')
    said = g.cli('endpoints', 'promote', 'shop', '--reason', 'calm').stdout
    assert 'endpoint shop promoted' in said and 'shop:v2' in said, said
    assert set(variants(g)) == {'champion', 'shadow'}
    assert g.json('DELETE', ENDPOINT + '/variants/shadow')['model'] == 'shop:v2'
    log = g.cli('endpoints', 'logs', 'shop').stdout
    assert 'promoted canary' in log and 'all traffic is back at the champion' in log, log
    usage = json.dumps(g.json('GET', '/api/v1/projects/default/endpoints/shop')['deployments'])
    assert '"variant":"canary"' in usage.replace(' ', ''), usage


def parks_and_wakes(g):
    g.cli('endpoints', 'edit', 'shop', '--park-after', '1s')
    for _ in range(150):
        endpoint = g.json('GET', ENDPOINT)
        if endpoint['parked']:
            break
        time.sleep(0.1)
    assert endpoint['parked'] and endpoint['memory_bytes'] == 0, endpoint
    assert 'parked' in g.cli('endpoints').stdout
    assert g.json('POST', '/e/shop', json.loads(body()))['model'] == 'shop:v2'
    endpoint = g.json('GET', ENDPOINT)
    assert endpoint['ready'] and not endpoint['parked'], endpoint
    assert 'woken' in g.cli('endpoints', 'logs', 'shop').stdout


def costs(g):
    """Each variant by itself, also those that lived for a moment only."""
    g.stop()
    used = {row.split('\t')[2]: row for row in g.cli('usage').stdout.splitlines() if '\tendpoint\t' in row}
    assert {'shop', 'shop/canary', 'shop/shadow'} <= set(used), used
    one = [row for row in g.cli('usage', '--kind', 'endpoint', '--id', 'shop').stdout.splitlines() if '\tendpoint\t' in row]
    assert len(one) == 1 and one[0].split('\t')[2] == 'shop', one
    log = g.cli('endpoints', 'logs', 'shop').stdout
    assert 'promoted canary' in log, log


def main():
    with Gyre() as g:
        g.start()
        train(g)
        nobody_fails(g)
        callers_stay(g)
        shadow(g)
        rolls_back_beside_a_shadow(g)
        another_task(g)
        two_targets(g)
        promote(g)
        parks_and_wakes(g)
        costs(g)
    print('traffic: split, kept, shadowed, promoted, parked')


if __name__ == '__main__':
    main()
