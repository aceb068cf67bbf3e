"""What everything costs: a run costs its usage times the book, every way to cut the sum gives the same total, a budget warns once and then refuses, the export is
FOCUS with the same sum, and what a run will cost is known once one like it has run.

python3 tests/scenarios/cost.py [scenario ...]"""
import csv
import datetime
import decimal
import io
import json
import os
import re
import sys
from fractions import Fraction

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from harness import run_scenarios  # noqa: E402

D = decimal.Decimal
PRICES = {'cpu_hour': '36', 'gpu_hour': '90', 'memory_gib_hour': '7.123457', 'gigabyte': '11', 'storage_gigabyte_month': '13.5', 'egress_gigabyte': '17',
          'thousand_requests': '19'}
UNITS = {'cpu_hour': ('cpu_us', 3_600_000_000), 'gpu_hour': ('gpu_us', 3_600_000_000), 'memory_gib_hour': ('memory_mib_ms', 1024 * 3_600_000),
         'gigabyte': ('bytes', 10**9), 'storage_gigabyte_month': ('storage_byte_hours', 730 * 10**9), 'egress_gigabyte': ('egress_bytes', 10**9),
         'thousand_requests': ('requests', 1000)}
GROUPINGS = ('subject', 'project', 'day', 'user', 'run', 'step', 'endpoint', 'dataset', 'kind')
BURN = 'import time\nend = time.process_time() + %g\nwhile time.process_time() < end: pass\n'
PIPELINE = '''name: nightly
steps:
  fetch: {command: [%s, -c, "sum(range(3000000))"]}
  fit: {needs: [fetch], command: [%s, -c, "sum(range(6000000))"]}
'''


def prices(g):
    g.cli('cost', 'prices', 'set', *[f'{name}={price}' for name, price in PRICES.items()])


def by_hand(item):
    """Billionths: each meter rounded half to even."""
    return sum(round(Fraction(item[quantity]) * Fraction(PRICES[name]) * 10**9 / unit) for name, (quantity, unit) in UNITS.items())


def api(g, path):
    return g.cli_json('api', 'GET', path)


def burn(g, seconds=0.1, check=True):
    return g.cli('run', sys.executable, '-c', BURN % seconds, check=check)


def people(g):
    path = os.path.join(g.work, 'people.csv')
    with open(path, 'w') as f:
        f.write('age,income,left\n')
        for i in range(300):
            f.write(f'{20 + i % 50},{1000 + 37 * i % 900},{"yes" if (i % 50) * 3 + i % 7 > 80 else "no"}\n')
    return path


def nightly(g):
    path = os.path.join(g.work, 'nightly.yaml')
    with open(path, 'w') as f:
        f.write(PIPELINE % (sys.executable, sys.executable))
    g.cli('pipelines', 'add', path)


def a_run_costs_its_usage_times_the_book(g):
    prices(g)
    books = g.cli_json('cost', 'prices')
    rows = books['items'] if isinstance(books, dict) else books
    assert float(rows[-1]['cpu_hour']) == 36, rows
    burn(g, 0.2)
    run = api(g, '/projects/default/runs/-')
    report = api(g, f"/usage?run={run['id']}")
    [item] = report['items']
    assert item['kind'] == 'run' and item['cpu_us'] >= 200_000, item
    assert item['cost_nanos'] == by_hand(item) > 0, (item, by_hand(item))
    assert re.search(r'^cost +\d+\.\d+ EUR$', g.cli('runs', 'show', '-').stdout, re.M)
    # A new price changes nothing of an hour that is over, and one that is not given stays.
    g.cli('cost', 'prices', 'cpu_hour=1')
    after = g.cli_json('cost', 'prices')
    after = after['items'] if isinstance(after, dict) else after
    assert float(after[-1]['thousand_requests']) == 19 and float(after[-1]['cpu_hour']) == 1
    entry = [e for e in api(g, '/audit?limit=20')['items'] if e['action'] == 'usage.admin']
    assert len(entry) == 2, entry
    assert g.cli('cost', 'prices', 'cpu_our=1', check=False).returncode == 1
    assert g.cli('cost', 'prices', 'cpu_hour=dear', check=False).returncode == 1
    small = g.cli('cost', 'prices', 'cpu_hour=0.00000000001', check=False).stderr
    assert 'GY4161' in small and '0.000001' in small, small
    unknown = g.cli('cost', 'prices', 'cpu_our=1', check=False).stderr
    assert 'did you mean `cpu_hour`' in unknown and 'micros' not in unknown, unknown
    assert 'thousand_requests' in g.cli('cost', 'prices', 'foo=1', check=False).stderr


def every_way_to_cut_it_gives_the_same_total(g):
    prices(g)
    g.cli('add', people(g))  # looked at when the command ends: the hour of the server is booked
    g.start()
    g.cli('train', 'people', '--target', 'left', '--budget', '1s', '--model', 'leavers')
    g.cli('deploy', 'leavers', check=False)
    nightly(g)
    g.cli('pipelines', 'run', 'nightly', '--wait')
    burn(g)
    g.json('GET', '/api/v1/projects')
    assert g.http('GET', '/nothing/here').status == 404
    for grouping in GROUPINGS:  # while others book
        adds_up(g.json('GET', f'/api/v1/usage?group={grouping}'))
    g.stop()
    assert g.log().count('not booked yet') == 0, g.log()
    total = at_rest(g, lambda: [every_grouping(g), focus(g)])
    assert total > 0
    kinds = {item['kind'] for item in api(g, '/usage')['items']}
    assert {'run', 'job', 'pipeline_run', 'dataset', 'api'} <= kinds, kinds
    dataset = [item for item in api(g, '/usage?group=dataset')['items'] if item['label'] == 'people']
    assert dataset[0]['storage_byte_hours'] > 0, dataset
    steps = {item['step'] for item in api(g, '/usage?group=step')['items']}
    assert {'fetch', 'fit', ''} == steps, steps
    run = g.cli_json('pipelines', 'runs')
    run = (run['items'] if isinstance(run, dict) else run)[0]
    parts = api(g, f"/usage?group=step&run={run['id']}")
    assert len(parts['items']) == 2 and parts['total']['cost_nanos'] == sum(by_hand(item) for item in parts['items'])
    whole = [item for item in api(g, '/usage?group=run')['items'] if item['id'] == run['id']]
    assert whole[0]['cost_nanos'] >= parts['total']['cost_nanos'], whole


def adds_up(report):
    for quantity in ('cost_nanos', *(quantity for quantity, _ in UNITS.values())):
        assert sum(item[quantity] for item in report['items']) == report['total'][quantity], (quantity, report)
    return report['total']['cost_nanos']


def every_grouping(g):
    totals = set()
    for grouping in GROUPINGS:
        totals.add(adds_up(api(g, f'/usage?group={grouping}')))
        lines = csv.DictReader(io.StringIO(g.cli('cost', '--by', grouping, '-o', 'csv').stdout))
        totals.add(sum(D(line['COST']) for line in lines) * 10**9)
    assert len(totals) == 1, totals
    return totals.pop()


def at_rest(g, look):
    """The total that every look agreed on. An hour that began meanwhile has booked what is stored, and looks are taken again."""
    while True:
        before = adds_up(api(g, '/usage'))
        try:
            totals = look()
        except AssertionError:
            if adds_up(api(g, '/usage')) == before:
                raise
            continue
        if set(totals) == {before}:
            return before
        assert adds_up(api(g, '/usage')) != before, (before, totals)


def focus(g):
    text = g.cli('cost', 'export', '-').stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    time = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ')
    for row in rows:
        for column in ('BilledCost', 'EffectiveCost', 'ListCost', 'ContractedCost', 'ListUnitPrice', 'PricingQuantity', 'ConsumedQuantity'):
            assert re.fullmatch(r'\d+\.\d+', row[column]), (column, row)  # no exponents
        assert abs(D(row['ListUnitPrice']) * D(row['PricingQuantity']) - D(row['ListCost'])) < D('0.000001'), row
        for column in ('BillingPeriodStart', 'BillingPeriodEnd', 'ChargePeriodStart', 'ChargePeriodEnd'):
            assert time.fullmatch(row[column]), (column, row)
        assert row['BillingPeriodStart'] <= row['ChargePeriodStart'] < row['ChargePeriodEnd'] <= row['BillingPeriodEnd'], row
        assert row['ChargeCategory'] == 'Usage' and row['ChargeFrequency'] == 'Usage-Based' and row['PricingCategory'] == 'Standard', row
        assert re.fullmatch('[A-Z]{3}', row['BillingCurrency']) and row['ChargeClass'] == '', row
        for column in ('BillingAccountId', 'ChargeDescription', 'InvoiceIssuerName', 'ProviderName', 'PublisherName', 'ServiceName', 'SkuId', 'SkuPriceId', 'ResourceId'):
            assert row[column] and not row[column].endswith(('()', '/')), (column, row)
        assert all(tag.startswith('gyre/') for tag in json.loads(row['Tags'])), row
        assert row['ServiceCategory'] in ('AI and Machine Learning', 'Compute', 'Networking', 'Storage'), row
    assert 'api/unserved' in {row['ResourceId'] for row in rows}
    return sum(D(row['BilledCost']) for row in rows) * 10**9


def a_budget_warns_once_and_then_refuses(g):
    prices(g)
    nightly(g)
    with open(os.path.join(g.work, 'fails.yaml'), 'w', encoding='utf-8') as f:
        f.write('name: fails\nsteps: {x: {command: ["false"]}}\n')
    g.cli('pipelines', 'run', 'fails.yaml', '--wait', check=False)
    failed = api(g, '/pipeline_runs?project=default')['items'][0]['id']
    burn(g, 0.2)
    g.cli('budgets', 'create', 'small', '-p', 'default', '--limit', '1000', '--warn', '80%', '--stop')
    spent = g.cli_json('budgets', 'show', 'small')['spent']
    assert spent > 0

    def told(kind):
        return [e for e in api(g, '/events?limit=100')['items'] if e['kind'] == kind]

    g.cli('budgets', 'set', 'small', '--limit', f'{spent * 1.1:.9f}')
    for _ in range(3):
        g.cli('cost')
    assert len(told('budget.warned')) == 1 and not told('budget.spent')
    notices = [n for n in api(g, '/projects/default/notices')['items'] if n['kind'] == 'budget.warned']
    assert len(notices) == 1 and 'budget small' in notices[0]['title'], notices
    g.cli('budgets', 'set', 'small', '--limit', f'{spent * 0.9:.9f}')
    g.cli('cost')
    assert len(told('budget.spent')) == 1
    assert g.cli('budgets', 'show', 'small', check=False).returncode == 5
    refused = burn(g, check=False)
    assert refused.returncode == 8 and 'GY4134' in refused.stderr and 'small' in refused.stderr and 'budgets set small' in refused.stderr, refused
    before = [r['id'] for r in api(g, '/projects/default/runs')['items'] if r['kind'] == 'program'][0]
    refused = g.cli('runs', 'rerun', before, check=False)
    assert refused.returncode == 8 and 'GY4134' in refused.stderr, refused
    refused = g.cli('train', people(g), '--target', 'left', '--budget', '1s', check=False)
    assert refused.returncode == 8 and 'GY4134' in refused.stderr, refused
    for words in (('run', 'nightly'), ('retry', failed)):
        refused = g.cli('pipelines', *words, check=False)
        assert refused.returncode == 8 and 'GY4134' in refused.stderr, refused
    g.cli('-p', 'elsewhere', 'projects', check=False)
    g.cli('budgets', 'set', 'small', '--no-stop')
    burn(g)
    g.cli('budgets', 'rm', 'small', '--yes')
    assert g.cli('budgets', 'show', 'small', check=False).returncode == 3
    assert g.cli('budgets', 'create', 'x', check=False).returncode == 1


def what_was_expected_stands_beside_what_it_cost(g, command):
    at_first = api(g, '/usage?group=run&kind=pipeline_run')['items'][0]
    assert 'expected_nanos' not in at_first and at_first['cost_nanos'] > 0, at_first
    # A file that was never added says its price too, by the runs of its name.
    file = os.path.join(g.work, 'nightly.yaml')
    said = g.cli('pipelines', 'run', file, '--dry-run').stdout
    assert 'median of 1 like it' in said and 'EUR' in said, said
    g.cli('pipelines', 'run', file, '--wait')
    run = g.cli_json('pipelines', 'runs')[0]['id']
    [second] = api(g, f'/usage?group=run&run={run}')['items']
    assert second['expected_nanos'] > 0 and second['expected_how'] == 'the median of 1 like it', second
    assert abs(second['expected_cpu_seconds'] - at_first['cpu_seconds']) < 1e-5, (second, at_first)
    assert ' expected, ' in g.cli('pipelines', 'status', run).stdout
    g.cli(*command, check=False)
    job = next(j for j in g.cli_json('jobs') if j['kind'] == 'training.train')['id']
    shown = g.cli('jobs', 'show', job).stdout
    assert re.search(r'^cost .* EUR \(.* EUR expected, .* of CPU: the median of 1 like it\)$', shown, re.M), shown
    lines = list(csv.DictReader(io.StringIO(g.cli('cost', '--by', 'run', '-o', 'csv').stdout)))
    assert sum(bool(line['EXPECTED']) for line in lines) == 2, lines
    assert all(D(line['EXPECTED']) > 0 for line in lines if line['EXPECTED']), lines


def what_it_will_cost_is_said_before(g):
    prices(g)
    data = people(g)
    g.cli('add', data)
    command = ('train', 'people', '--target', 'left', '--budget', '1s')
    before = g.cli_json(*command, '--dry-run')['expected']
    assert before['known'] and before['measured'] == 0 and 'at most' in before['how'], before
    g.cli(*command, check=False)
    after = g.cli_json(*command, '--dry-run')['expected']
    assert after['measured'] == 1 and 0 < after['cpu_seconds'] <= before['cpu_seconds'] and after['cost_nanos'] > 0, after
    assert 'like it' in g.cli(*command, '--dry-run').stdout
    nightly(g)
    assert 'nothing like it' in g.cli('pipelines', 'run', 'nightly', '--dry-run').stdout
    g.cli('pipelines', 'run', 'nightly', '--wait')
    assert 'median of 1 like it' in g.cli('pipelines', 'run', 'nightly', '--dry-run').stdout
    what_was_expected_stands_beside_what_it_cost(g, command)
    forecast = g.cli_json('cost', 'forecast')
    forecast = forecast['items'] if isinstance(forecast, dict) else forecast
    [month] = [f for f in forecast if f['project'] == 'default']
    assert month['expected'] >= month['so_far'] > 0 and month['month'] == datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m'), month


if __name__ == '__main__':
    run_scenarios([a_run_costs_its_usage_times_the_book, every_way_to_cut_it_gives_the_same_total, a_budget_warns_once_and_then_refuses,
                   what_it_will_cost_is_said_before])
