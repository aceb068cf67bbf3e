"""gyre report: a shift that was planted in two columns is named, and nothing else; the page needs nothing but itself; the command line and the API say the
same numbers; what cannot be compared is said with a remedy."""
import csv
import json
import os
import random
import re
import time

from harness import data_directory, run_scenarios

COLUMNS = ['age', 'income', 'plan', 'city', 'visits', 'since', 'active']


def rows(seed, count, income=0.0, pro=0.1):
    r = random.Random(seed)
    plans = ['basic', 'plus', 'pro']
    return [[r.randint(18, 80), round(r.gauss(30 + income, 8), 3), r.choices(plans, [0.6, 0.4 - pro, pro])[0], f'city {r.randint(1, 40)}', r.randint(0, 6),
             f'2024-{r.randint(1, 12):02d}-{r.randint(1, 28):02d}', r.choice(['true', 'false'])] for _ in range(count)]


def write(folder, name, table, columns=None):
    path = os.path.join(folder, name)
    with open(path, 'w', encoding='utf-8', newline='') as f:
        csv.writer(f).writerows([columns or COLUMNS, *table])
    return path


def drifted(comparison):
    return sorted(c['name'] for c in comparison['columns'] if c['drifted'])


def by_name(comparison):
    return {c['name']: c for c in comparison['columns']}


def planted_shift(g):
    a, quiet = write(g.work, 'a.csv', rows(1, 3000)), write(g.work, 'quiet.csv', rows(2, 2500))
    moved = write(g.work, 'moved.csv', rows(3, 2500, income=4, pro=0.3))
    assert drifted(g.cli_json('report', a, quiet)) == []
    comparison = g.cli_json('report', a, moved)
    assert drifted(comparison) == ['income', 'plan'], drifted(comparison)
    assert comparison['drifted'] is True and comparison['rows'] == {'reference': 3000, 'current': 2500}, comparison['rows']
    assert [c['name'] for c in comparison['columns']] == COLUMNS
    for column in comparison['columns']:
        for member in ('name', 'type', 'method', 'statistic', 'p_value', 'threshold', 'drifted', 'reason'):
            assert column[member] is not None, (column['name'], member)
        assert 'histogram' in column or 'values' in column, column['name']
    columns = by_name(comparison)
    assert columns['visits']['kind'] == 'category' and columns['since']['type'] == 'date'
    # The comparison holds aggregates: the largest list is that of the picture's bins.
    assert max(len(c.get('values', [])) for c in comparison['columns']) <= 13
    shown = g.cli('report', a, moved).stdout
    assert shown.startswith('moved.csv (2,500 rows) against a.csv (3,000 rows): 2 of 7 columns drifted'), shown
    assert shown.splitlines()[3].split('\t')[:3] in (['income', 'double', 'drifted'], ['plan', 'text', 'drifted']), shown
    assert g.cli('report', a, moved, '--check', check=False).returncode == 5
    assert g.cli('report', a, quiet, '--check').returncode == 0
    # No server and no data directory were needed.
    assert not os.path.exists(g.data), os.listdir(g.directory)


def page_alone(g):
    a = write(g.work, 'a.csv', rows(1, 3000))
    b = write(g.work, 'b.csv', [[*row[:3], '<script>alert(1)</script>', *row[4:]] for row in rows(3, 2500, income=4)])
    page = os.path.join(g.work, 'drift.html')
    told = g.cli('report', a, b, '--out', page)
    assert 'wrote ' in told.stdout, told.stdout
    html = open(page, encoding='utf-8').read()
    assert 'http://' not in html and 'https://' not in html and '<script' not in html and ' src=' not in html
    assert set(re.findall(r'href="(.)', html)) == {'#'}
    assert html.count('<svg') >= 2 * len(COLUMNS) - 2 and 'prefers-color-scheme:dark' in html
    assert '&lt;script&gt;' in html and len(html) < 200_000
    first = re.search(r'href="#c1">([^<]+)<', html)[1]
    assert first in ('income', 'city'), first
    # The page holds aggregates, never a row: no value of a real column.
    assert not any(str(row[1]) in html for row in rows(1, 3000)[:50])


def same_numbers(g):
    a, b = write(g.work, 'a.csv', rows(1, 2000)), write(g.work, 'b.csv', rows(3, 2000, income=3))
    alone = g.cli_json('report', a, b)
    g.cli('add', a, '--name', 'shop')
    g.cli('add', b, '--name', 'shop')
    g.start()
    stored = g.cli_json('report', 'shop:v1', 'shop:v2')
    mixed = g.cli_json('report', 'default/shop:v1', b, '--project', 'elsewhere')
    job = g.json('POST', '/api/v1/projects/default/comparisons?reference=shop:v1&current=shop:v2')
    while g.json('GET', f'/api/v1/jobs/{job["id"]}')['state'] in ('queued', 'running'):
        time.sleep(0.05)
    asked = g.json('GET', f'/api/v1/projects/default/comparisons/{job["id"]}')
    for other in (stored, mixed, asked):
        assert other['columns'] == alone['columns']
    assert stored['reference']['name'] == 'shop:v1' and alone['reference']['name'] == 'a.csv'
    page = g.http('GET', f'/api/v1/projects/default/comparisons/{job["id"]}?format=html')
    assert page.status == 200 and page.headers['Content-Type'].startswith('text/html') and b'<svg' in page.body
    sent = g.http('POST', '/api/v1/projects/default/comparisons?reference=shop:v1&filename=b.csv&method=psi', open(b, 'rb').read())
    assert sent.status == 202, sent.body
    named = g.cli_json('report', 'shop:v1', b, '--method', 'psi', '--column', 'income')
    assert [c['method'] for c in named['columns']] == ['psi.sturges_pooled.eps/evidently'] and named['columns'][0]['p_value'] is None
    for path, code in [('reference=shop:v1&current_file=/etc/passwd', 'GY4530'), ('method=ks', 'GY4531'), ('reference=shop:v1&current=shop:v9', 'GY2102'),
                       ('reference=shop:v1&current=shop:v2&method=kss', 'GY3007'), ('reference=shop:v1&current=shop:v2&threshold=1', 'GY4524')]:
        refused = g.http('POST', '/api/v1/projects/default/comparisons?' + path)
        assert refused.status >= 400 and refused.json()['code'] == code, (path, refused.body)
    assert g.http('GET', '/api/v1/projects/default/comparisons/nobody').json()['code'] == 'GY4526'


def what_cannot_be_compared(g):
    a = write(g.work, 'a.csv', rows(1, 200))
    other = write(g.work, 'other.csv', [[1], [2]], ['x'])
    empty, no_rows = os.path.join(g.work, 'empty.csv'), write(g.work, 'no_rows.csv', [])
    open(empty, 'w').close()
    for arguments, code, exit_code in [((a, 'nowhere.csv'), 'GY4061', 3), ((a, other), 'GY4521', 1), ((a, empty), None, 1), ((a, no_rows), None, 1),
                                       ((a, a, '--column', 'incme'), 'GY4523', 1), ((a, a, '--method', 'spi'), 'GY3007', 1),
                                       ((a, a, '--threshold', '0.3'), 'GY4524', 1), ((a, a, '--method', 'ks', '--threshold', '3'), 'GY4525', 1),
                                       ((a, a, '--method', 'ks', '--threshold', 'much'), 'GY4002', 2), ((a, 'shop:v1'), 'GY2101', 3)]:
        done = g.cli('report', *arguments, check=False)
        assert done.returncode == exit_code, (arguments, done.returncode, done.stderr)
        assert (code or 'GY') in done.stderr and 'fix:' in done.stderr, (arguments, done.stderr)
    assert 'did you mean `psi`' in g.cli('report', a, a, '--method', 'spi', check=False).stderr
    # Another type, a column that is gone, one that is new, one that is empty: each is said.
    changed = [['', 'much', row[2], row[3], row[4], row[5], row[6]] for row in rows(2, 200)]
    b = write(g.work, 'b.csv', changed, ['age', 'income', 'plan', 'town', 'visits', 'since', 'active'])
    columns = by_name(g.cli_json('report', a, b))
    states = {name: c['status'] for name, c in columns.items() if c['status'] != 'compared'}
    assert states['income'] == 'type_changed' and states['city'] == 'only_in_reference' and states['town'] == 'only_in_current', states
    assert states['age'] in ('type_changed', 'current_empty'), states
    assert columns['income']['drifted'] is None and 'text in the current' in columns['income']['reason'], columns['income']


def real_data(g):
    """Half of adult against its other half with two columns changed."""
    folder = data_directory()
    if folder is None:
        return
    with open(os.path.join(folder, 'adult.csv'), newline='') as f:
        names, *table = csv.reader(f)
    random.Random(7).shuffle(table)
    half = len(table) // 2
    hours, education = names.index('hours_per_week'), names.index('education')
    changed = [list(row) for row in table[half:]]
    for i, row in enumerate(changed):
        row[hours] = str(int(float(row[hours])) + 5)
        if i % 4 == 0:
            row[education] = 'Bachelors'
    comparison = g.cli_json('report', write(g.work, 'a.csv', table[:half], names), write(g.work, 'b.csv', changed, names))
    assert drifted(comparison) == ['education', 'hours_per_week'], drifted(comparison)


if __name__ == '__main__':
    run_scenarios([planted_shift, page_alone, same_numbers, what_cannot_be_compared, real_data])
