"""Own data works the same: on each real table, and on generated tables with the same flaws, `gyre add`, `gyre train --target`, `gyre deploy`, then one raw
row over HTTP as a person would send it. Nothing else is configured: in the full tier not even the budget, and then
the whole road takes a minute at most on a machine of its own: the seconds are printed, and judged by no test. The suite checks that the model beats the constant baseline and that leaks are left out."""
import csv
import json
import os
import random
import sys
import time

from harness import FULL, Gyre, data_directory

BUDGET = [] if FULL else ['--budget', '5s']

# file, target, task, columns that must be warned of and left out, the row's columns that are never inputs
REAL = [
    ('adult.csv', 'income', 'binary', []),
    ('bike_sharing_hourly.csv', 'cnt', 'regression', ['casual', 'registered']),
    ('titanic.csv', 'Survived', 'binary', ['boat', 'body']),
    ('abalone.csv', 'Rings', 'regression', []),
    ('iris.csv', 'class', 'multiclass', []),
    ('dna.csv', 'LABEL', 'multiclass', []),
    ('reviews_sst.csv', 'label', 'binary', []),
]


def value_of(text):
    """A cell as a person would type it into JSON."""
    if text == '':
        return None
    if text in ('true', 'false'):
        return text == 'true'
    for make in (int, float):
        try:
            value = make(text)
            return text if text[0] == '0' and len(text) > 1 and text[1].isdigit() else value
        except ValueError:
            pass
    return text


def first_rows(path, count):
    with open(path, newline='', encoding='utf-8') as f:
        delimiter = ';' if path.endswith('sensors.csv') else ','
        return [{k: value_of(v) for k, v in row.items()} for row, _ in zip(csv.DictReader(f, delimiter=delimiter), range(count))]


def walk(g, path, target, task, leaks):
    name = os.path.splitext(os.path.basename(path))[0]
    begin = time.monotonic()
    g.cli('add', path)
    result = g.cli_json('train', name, '--target', target, *BUDGET, '--seed', '1')
    g.cli('deploy', f'{name}@champion')
    rows = first_rows(path, 3)
    for row in rows:
        del row[target]
    answer = g.json('POST', f'/e/{name}', {'inputs': rows})
    seconds = time.monotonic() - begin
    assert len(answer['outputs']) == len(rows), answer
    for output in answer['outputs']:
        assert 'prediction' in output, answer
        if task != 'regression':
            total = sum(output['probability'].values())
            assert abs(total - 1) < 1e-9, output
    assert answer['model'].startswith(f'{name}:v'), answer
    assert result['task'] == task, (result['task'], task)
    gain = result['over_baseline']
    assert gain['gain'] > 0 and gain['lower'] > 0, f'{name}: does not beat the constant baseline: {gain}'
    assert result['promoted'], f"{name}: not promoted: {result['reason']}"
    left_out = {f['column'] for f in result['findings'] if f['left_out']}
    missing = set(leaks) - left_out
    assert not missing, f'{name}: {missing} leak the target and were used (left out: {left_out})'
    warned = {f['column'] for f in result['findings'] if f['kind'] == 'leak'}
    assert set(leaks) <= warned, f'{name}: no warning of {set(leaks) - warned}'
    print(f"{name:24s} {task:10s} {result['metric']} {gain['a']:.4f}  baseline {gain['b']:.4f}  {seconds:5.1f} s from add to answer  left out: {sorted(left_out)}", flush=True)


def generated(folder):
    """Tables with the flaws of the real ones: missing values, categories, dates, imbalance, text, ids, planted leaks."""
    r = random.Random(5)
    path = os.path.join(folder, 'orders.csv')
    with open(path, 'w', newline='') as f:
        w = csv.writer(f)
        w.writerow(['order_id', 'placed', 'country', 'amount', 'items', 'note', 'express', 'refund_eur', 'returned'])
        for i in range(3000):
            amount, items, country = round(r.lognormvariate(3, 1), 2), r.randint(1, 9), r.choice(['FR', 'DE', 'PL', 'IT', ''])
            late = r.random() < 0.3
            p = 0.08 + 0.5 * late + 0.2 * (country == 'PL') - 0.01 * items
            returned = 'yes' if r.random() < p else 'no'
            note = r.choice(['came far too late and broken', 'arrived late', 'waited two weeks']) if late else r.choice(['all good', 'fine, thank you', 'nice colour'])
            w.writerow([f'A{i:06d}', f'2024-{1 + i % 12:02d}-{1 + i % 28:02d}', country, amount if r.random() > .1 else '', items, note, str(r.random() < .5).lower(),
                        amount if returned == 'yes' else '', returned])
    yield path, 'returned', 'binary', ['refund_eur']
    path = os.path.join(folder, 'sensors.csv')
    with open(path, 'w', newline='') as f:
        w = csv.writer(f, delimiter=';')
        w.writerow(['time', 'site', 'temp.in', 'temp.out', 'constant', 'empty', 'power kW'])
        for i in range(2000):
            site, t_in, t_out = r.choice('ABC'), r.gauss(20, 3), r.gauss(8, 6)
            w.writerow([f'2024-03-{1 + i % 28:02d} {i % 24:02d}:00:00', site, round(t_in, 2), '' if r.random() < .2 else round(t_out, 2), 1, '',
                        round(50 - 1.2 * t_out + {'A': 0, 'B': 9, 'C': -4}[site] + r.gauss(0, 2), 3)])
    yield path, 'power kW', 'regression', []


def main():
    failures = []
    with Gyre() as g:
        g.start()
        cases = list(generated(g.work))
        real = data_directory()
        if real:
            cases += [(os.path.join(real, f), t, k, l) for f, t, k, l in REAL]
        else:
            print('SKIPPED: the real tables; set GYRE_TEST_DATA to their folder')
        for path, target, task, leaks in cases:
            try:
                walk(g, path, target, task, leaks)
            except (AssertionError, KeyError, json.JSONDecodeError) as error:
                failures.append(path)
                print(f'FAILED {os.path.basename(path)}: {error!r}')
    sys.exit(1 if failures else 0)


if __name__ == '__main__':
    main()
