"""What a column was read by is kept: dates with the day first mean the same day in the next version, in a scored file and in a request. Rows that are set
aside are read by the types that the dataset has, with file and line."""
import json
import os
import random

from harness import Gyre


def write(folder, name, header, rows, delimiter=','):
    path = os.path.join(folder, name)
    with open(path, 'w', encoding='utf-8') as f:
        f.write(delimiter.join(header) + '\n')
        for row in rows:
            f.write(delimiter.join(str(cell) for cell in row) + '\n')
    return path


def dates(g):
    r = random.Random(3)
    rows = []
    for _ in range(1500):
        day, month = r.randint(1, 28), r.randint(1, 12)
        spend = f'{r.uniform(1, 50):.2f} €'.replace('.', ',')
        rows.append([f'{day:02d}/{month:02d}/2024', spend, 'yes' if (month >= 7) != (r.random() < 0.05) else 'no'])
    g.cli('add', write(g.work, 'fr.csv', ['when', 'spend', 'late'], rows, ';'))
    version = g.json('GET', '/api/v1/projects/default/datasets/fr/versions/latest')
    assert version['schema'][0] == {'name': 'when', 'type': 'date', 'format': '%d/%m/%Y'}, version['schema']
    g.cli('train', 'fr', '--target', 'late', '--budget', '5s', '--seed', '1')
    offered = g.cli('deploy', 'fr@champion').stdout.partition("curl -d '")[2].partition("'")[0]
    assert g.http('POST', '/e/fr', offered.encode()).status == 200 and '"when":"2024-' in offered, offered

    # A file that fits both ways is read as the model's data was.
    both = write(g.work, 'fr_amb.csv', ['when', 'spend'], [['01/12/2024', '10,5'], ['12/01/2024', '10,5']], ';')
    iso = write(g.work, 'fr_iso.csv', ['when', 'spend'], [['2024-12-01', '10.5'], ['2024-01-12', '10.5']])
    scored = [g.cli('predict', 'fr@champion', '--in', f, '--format', 'jsonl').stdout.splitlines() for f in (both, iso)]
    told = g.cli('predict', 'fr@champion', '--in', iso, '--format', 'jsonl').stderr
    assert '`spend` has no unit, whereas the model has €' in told, told
    answers = [[json.loads(line)['probability_yes'] for line in lines] for lines in scored]
    assert answers[0] == answers[1] and answers[0][0] > 0.5 > answers[0][1], answers

    own = g.cli('predict', 'fr@champion', '--in', write(g.work, 'own.csv', ['when', 'spend', 'prediction'], [['2024-12-01', '10.5', 'mine']]), '--format', 'jsonl')
    assert json.loads(own.stdout)['input_prediction'] == 'mine' and own.stderr.count('input_prediction') == 1, own

    online = g.json('POST', '/e/fr', {'inputs': [{'when': '01/12/2024', 'spend': 10.5}, {'when': '2024-12-01', 'spend': 10.5}]})
    assert [o['probability']['yes'] for o in online['outputs']] == [answers[0][0]] * 2, online
    refused = g.http('POST', '/e/fr', {'inputs': [{'when': '12/25/2024', 'spend': 1}]})
    assert refused.status in (400, 422) and 'day first' in json.dumps(refused.json()), refused.json()
    huge = g.http('POST', '/e/fr', b'{"inputs":[{"spend":1e999}]}')
    assert 'beyond what double holds' in json.dumps(huge.json()), huge.json()

    # The next version reads by the one before it, and says so.
    more = g.cli('add', both, '--name', 'fr', '--tag', 'part=amb')
    assert 'day/month/year, as in fr:v1' in more.stderr, more.stderr
    again = g.cli('add', both, '--name', 'fr', '--tag', 'seen=twice')
    assert 'tag seen=twice was set' in again.stderr, again.stderr
    tags = g.json('GET', '/api/v1/projects/default/datasets/fr/versions/v2')['tags']
    assert tags == {'part': 'amb', 'seen': 'twice'}, tags
    alone = g.cli('add', both, '--name', 'alone')
    assert '--type when=date:%d/%m/%Y' in alone.stderr, alone.stderr
    g.cli('add', both, '--name', 'given', '--type', 'when=date:%d/%m/%Y')
    assert '2024-12-01' in g.cli('datasets', 'rows', 'given').stdout
    assert g.cli('datasets', 'diff', 'fr:v1', 'fr:v2').returncode == 0


def amounts(g):
    """Amounts with signs of thousands are numbers, and stay what they were in the next version."""
    path = write(g.work, 'eur.csv', ['n', 'price', 'share'], [[1, '1.196,10 €', '10%'], [2, '7,50 €', '5%']], ';')
    added = g.cli('add', path)
    assert '`price` was read as numbers like 1.234,5; € is left out' in added.stderr, added.stderr
    version = g.json('GET', '/api/v1/projects/default/datasets/eur/versions/latest')
    assert version['schema'][1] == {'name': 'price', 'type': 'double', 'format': '1.234,5€'}, version['schema']
    more = g.cli('add', write(g.work, 'eur2.csv', ['n', 'price', 'share'], [[1, '1.196', '10%'], [2, '2.500', '5%']], ';'), '--name', 'eur')
    assert 'numbers like 1.234,5, as in eur:v1' in more.stderr, more.stderr
    assert '1196' in g.cli('datasets', 'rows', 'eur').stdout
    assert '`price` has no unit, whereas eur:v1 has €' in more.stderr and '`share`' not in more.stderr, more.stderr
    g.cli('add', path, '--name', 'copied', '--type', 'price=double:1.234,5€')
    g.cli('add', path, '--name', 'kept', '--type', 'price=text')
    assert '1.196,10 €' in g.cli('datasets', 'rows', 'kept').stdout
    g.cli('add', write(g.work, 'us.csv', ['n', 'price'], [[1, '"1,234"'], [2, '"2,500"']]), '--type', 'price=double:1,234.5')
    assert '1234' in g.cli('datasets', 'rows', 'us').stdout


def thousands(g):
    """What other columns show decides how thousands are read, and the note names the way back."""
    header = ['ort', 'einw', 'flaeche', 'preis']
    path = write(g.work, 'orte.csv', header, [['A', '12.345', '1.200', '3,5'], ['B', '9.000', '2.100', '4']], ';')
    added = g.cli('add', path)
    assert '`einw` was read as numbers like 1.234,5, because `preis` shows it' in added.stderr, added.stderr
    assert 'A,12345,1200,3.5' in g.cli('datasets', 'export', 'orte').stdout
    g.cli('add', path, '--name', 'back', '--type', 'einw=double:1,234.5')
    assert 'A,12.345,1200,3.5' in g.cli('datasets', 'export', 'back').stdout
    odd = write(g.work, 'odd.csv', ['price', 'n'], [['"1,234"', 1], ['"2,500"', 2], ['n.v.', 3]])
    for options in ((), ('--type', 'price=double', '--bad', 'null')):
        assert 'Say which' in g.cli('add', odd, '--dry-run', *options).stdout, options


def set_aside(g):
    header = ['n', 'word']
    g.cli('add', write(g.work, 'q.csv', header, [[i, 'ab'[i % 2]] for i in range(100)]))
    suite = os.path.join(g.work, 'suite.json')
    with open(suite, 'w', encoding='utf-8') as f:
        json.dump({'expectations': [{'kind': 'between', 'column': 'n', 'min': 0, 'max': 100}]}, f)
    g.cli('datasets', 'expectations', 'q', '--set', suite)
    path = write(g.work, 'q2.csv', header, [[1, 'a'], [2, 'b'], ['x', 'a'], [4, 'b'], [900, 'a']])
    added = g.cli('add', path, '--name', 'q', '--bad', 'quarantine')
    assert 'fail' not in added.stderr, added.stderr
    aside = g.json('GET', '/api/v1/projects/default/datasets/q/versions/v2/quarantine')['items']
    assert [(row['file'], row['line']) for row in aside] == [('q2.csv', 4), ('q2.csv', 6)], aside
    by_default = g.cli('add', write(g.work, 'q4.csv', header, [[3, 'a'], [-5, 'b'], [7, 'b']]), '--name', 'q')
    assert '1 row was set aside: gyre datasets quarantine q:v3' in by_default.stderr, by_default.stderr
    assert 'outside 0..100' in g.cli('datasets', 'quarantine', 'q:v3').stdout
    kept = g.cli('add', os.path.join(g.work, 'q4.csv'), '--name', 'q', '--bad', 'error')
    assert '1 row that breaks one was kept' in kept.stderr and '--name q --bad quarantine' in kept.stderr, kept.stderr
    nothing = g.cli('add', write(g.work, 'q3.csv', header, [['x', 'a'], ['y', 'b']]), '--name', 'q', '--bad', 'quarantine', check=False)
    assert 'q3.csv:2' in nothing.stderr and 'meets the expectations' not in nothing.stderr, nothing.stderr


def suggested(g):
    """What was only suggested warns and names the remedy; fixes repeat the whole command."""
    header = ['n', 'm']
    g.cli('add', write(g.work, 's.csv', header, [[i, i % 7] for i in range(100)]))
    second = g.cli('add', write(g.work, 's2.csv', header, [[i, i % 7 + 90 * (i % 2)] for i in range(100)]), '--name', 's')
    assert 'suggested from s:v1' in second.stderr and '50 rows that break one were kept' in second.stderr, second.stderr
    assert 'set such rows aside: gyre add' in second.stderr and '--name s --bad quarantine' in second.stderr, second.stderr
    folder = os.path.join(g.work, 'my files')
    os.makedirs(folder)
    bad = g.cli('add', write(folder, 'it s.csv', ['when', 'my n'], [['2024-01-01', '1'], ['2024-01-02', 'x']]), '--name', 'w',
                '--type', 'when=text', '--type', 'my n=int', check=False)
    assert "gyre add 'it s.csv' --name w --type when=text --type 'my n=int' --bad null" in bad.stderr, bad.stderr


def queries(g):
    wrong = g.cli('query', 'select * from nosuch', check=False)
    assert 'pg_' not in wrong.stderr and 'datasets of the project' in wrong.stderr, wrong.stderr
    exact = g.json('POST', '/api/v1/projects/default/query', {'sql': "select sum(n + 9007199254740993) as fits, sum(n + 9223372036854775000) as beyond, 'inf'::double as i from eur"})
    assert exact['rows'] == [[2 * 9007199254740993 + 3, str(2 * 9223372036854775000 + 3), 'Infinity']], exact
    for sql in ('pragma version', "select current_setting('temp_directory')"):
        refused = g.cli('query', sql, check=False)
        assert refused.returncode != 0 and 'GY2018' in refused.stderr, refused.stderr


def outputs(g):
    """Rows go into a pipe; a dry run says what the expectations would."""
    rows = g.cli('datasets', 'export', 'eur').stdout
    assert rows.startswith('n,price') and rows == g.cli('datasets', 'export', 'eur', '--out', '-').stdout
    assert rows == g.cli('datasets', 'export', 'eur', '--out', '/dev/stdout').stdout
    assert os.path.islink('/dev/stdout'), 'the device was replaced'
    bad = write(g.work, 'q9.csv', ['n', 'word'], [[900, 'a'], [2, 'b']])
    dry = g.cli('add', bad, '--name', 'q', '--dry-run').stdout
    assert 'would be set aside; --bad error keeps them' in dry, dry
    assert 'would add q:v' in dry and 'between `n`' in dry and '"900" (row 1)' in dry, dry
    tried = g.cli_json('add', bad, '--name', 'q', '--dry-run')['version']
    assert tried['check']['success'] is False and tried['check']['failed'] == 1, tried
    assert 'expectations' not in g.cli('add', bad, '--name', 'fresh', '--dry-run').stdout
    script = os.path.join(g.work, 'env.sh')
    with open(script, 'w', encoding='utf-8') as f:
        f.write('#!/bin/sh\nexport A=1\nrun it\n')
    refused = g.cli('add', script, check=False)
    assert refused.returncode != 0 and 'GY2040' in refused.stderr and '--format csv' in refused.stderr, refused.stderr
    g.cli('add', script, '--format', 'csv')


def nested(g):
    """An object in a row can be sent as it was added."""
    r = random.Random(7)
    path = os.path.join(g.work, 'events.jsonl')
    with open(path, 'w', encoding='utf-8') as f:
        for i in range(1000):
            won = 'yes' if (i % 2 == 1) != (r.random() < 0.15) else 'no'
            f.write(json.dumps({'tags': {'kind': 'ab'[i % 2], 'list': [1, 2]}, 'size': r.randint(1, 9), 'won': won}) + '\n')
    g.cli('add', path)
    g.cli('train', 'events', '--target', 'won', '--budget', '5s', '--seed', '1')
    g.cli('deploy', 'events@champion')
    sent = g.json('POST', '/e/events', {'inputs': [{'tags': {'kind': kind, 'list': [1, 2]}, 'size': 3} for kind in 'ab']})
    assert [o['prediction'] for o in sent['outputs']] == ['no', 'yes'], sent
    quoted = g.http('POST', '/e/events', {'inputs': [{'size': '3'}]})
    assert quoted.status == 422 and 'without quotes: 3' in json.dumps(quoted.json()), quoted.json()


def problems(g):
    g.cli('init', 'churn', '--target', 'Churn', cwd=g.work)
    changed = g.cli('init', 'churn', '--target', 'Churn2', cwd=g.work)
    assert 'target: Churn' in changed.stderr and 'version 2' in changed.stderr, changed.stderr
    for kpi in ('auc => 3', 'auc >= 3'):
        assert g.cli('init', 'bad', '--kpi', kpi, cwd=g.work, check=False).returncode != 0, kpi


def main():
    with Gyre() as g:
        g.start()
        dates(g)
        amounts(g)
        thousands(g)
        set_aside(g)
        suggested(g)
        queries(g)
        outputs(g)
        nested(g)
        problems(g)


main()
