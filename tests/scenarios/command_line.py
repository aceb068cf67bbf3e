"""The command line as a person and a script meet it: exit codes, output formats, help, completion, settings and their origin."""
import csv
import io
import json
import os
import pty
import select
import signal
import socket
import subprocess
import tarfile
import time

from harness import GYRE, run_scenarios


def usage(g, *arguments, code, gy, says=''):
    done = g.cli(*arguments, check=False)
    assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
    assert f'error[{gy}]' in done.stderr, (arguments, done.stderr)
    assert says in done.stderr, (arguments, done.stderr)
    assert done.stdout == '', f'{arguments}: an error belongs on stderr: {done.stdout!r}'


def exit_codes(g):
    g.cli('init', 'churn', '--kpi', 'auc >= 0.84')
    usage(g, 'nonsense', code=2, gy='GY4001')
    usage(g, 'proejcts', code=2, gy='GY4001', says='did you mean `gyre projects`?')
    usage(g, 'projects', 'shwo', code=2, gy='GY4001', says='gyre projects show')
    usage(g, 'projects', '--lol', code=2, gy='GY4003')
    usage(g, 'init', code=2, gy='GY4005', says='NAME')
    usage(g, 'init', 'a', 'b', code=2, gy='GY4006')
    usage(g, 'init', 'no/slash', code=2, gy='GY1200')
    usage(g, 'projects', '-o', 'xml', code=2, gy='GY4007')
    usage(g, 'projects', '--progress', 'loud', code=2, gy='GY4007')
    usage(g, 'projects', 'show', 'chrun', code=3, gy='GY3902', says='did you mean `churn`?')
    usage(g, 'server', 'status', code=3, gy='GY4033')
    usage(g, 'init', 'other', '--kpi', 'auc is good', code=1, gy='GY3010')
    usage(g, 'projects', '--config', '/nowhere.yaml', code=3, gy='GY1823')
    usage(g, 'projects', '--server', 'http://127.0.0.1:1', code=1, gy='GY1620')
    usage(g, 'api', 'POST', '/projects', '--body', '{"name":"churn"}', code=6, gy='GY3901')
    usage(g, 'api', 'POST', '/projects', '--body', '{broken', code=1, gy='GY1100')
    as_json = g.cli('projects', 'show', 'nope', '-o', 'json', check=False)
    assert as_json.returncode == 3 and json.loads(as_json.stderr)['code'] == 'GY3902', as_json.stderr


def output_formats(g):
    g.cli('init', 'churn', '--kpi', 'auc >= 0.84', '--kpi', 'cost per saved customer <= 12 EUR', '--owner', 'ana', '--target', 'Churn')
    piped = g.cli('projects').stdout.splitlines()
    assert piped[0].split('\t')[0] == 'NAME' and piped[1].startswith('churn\t'), piped
    assert g.cli('projects', '--no-headers').stdout.splitlines()[0].startswith('churn\t')
    documents = g.cli_json('projects')
    assert [d['name'] for d in documents] == ['churn', 'default']
    assert documents[0]['problem']['kpis'][0]['value'] == 0.84, documents
    lines = g.cli('projects', '-o', 'ndjson').stdout.splitlines()
    assert [json.loads(line)['name'] for line in lines] == ['churn', 'default']
    assert g.cli('projects', '-o', 'name').stdout == 'churn\ndefault\n'
    rows = list(csv.DictReader(io.StringIO(g.cli('projects', '-o', 'csv').stdout)))
    assert rows[0]['NAME'] == 'churn' and rows[0]['OWNER'] == 'ana', rows
    assert json.loads(g.cli('projects', '--json', 'name,problem.owner').stdout)[0] == {'name': 'churn', 'problem.owner': 'ana'}
    chosen = g.cli('projects', '--columns', 'owner,name').stdout.splitlines()
    assert chosen[0].split('\t') == ['OWNER', 'NAME'], chosen
    table = g.cli('projects', '-o', 'table', environment={'LC_ALL': 'C.UTF-8'}).stdout
    assert 'auc ≥ 0.84' in table, table
    ascii_table = g.cli('projects', '-o', 'table', environment={'LC_ALL': 'C'}).stdout
    assert 'auc >= 0.84' in ascii_table and ascii_table.isascii(), ascii_table
    yaml = g.cli('projects', 'show', 'churn', '-o', 'yaml').stdout
    assert 'name: churn\n' in yaml, yaml
    assert open(os.path.join(g.work, 'gyre.yaml')).read() == 'project: churn\n'
    assert g.cli_json('projects', 'show')['name'] == 'churn', 'gyre.yaml names the project of this folder'
    assert g.cli_json('projects', 'show', environment={'GYRE_PROJECT': 'default'})['name'] == 'default'
    assert g.cli('--quiet', 'init', 'silent').stdout == ''


def fields_and_pipes(g):
    """What is asked for by name is given or refused, and a reader may stop early."""
    with open(os.path.join(g.work, 'sales.csv'), 'w') as f:
        f.write('id,temp.in\n' + ''.join(f'{i},{i % 7}\n' for i in range(30000)))
    g.cli('add', 'sales.csv')
    assert json.loads(g.cli('datasets', '--json', 'name,rows').stdout) == [{'name': 'sales', 'rows': 30000}], 'columns of the table count as fields'
    assert json.loads(g.cli('datasets', '--json', 'latest.rows').stdout) == [{'latest.rows': 30000}]
    assert json.loads(g.cli('datasets', 'rows', 'sales', '-n', '1', '--json', 'temp.in').stdout) == [{'temp.in': 0}]
    for arguments, says in ((('datasets', '--json', 'name,rowz'), 'rowz'), (('datasets', 'show', 'sales', '--json', 'nmae'), 'reference'),
                            (('datasets', 'show', 'sales', '--json', 'schema.nope'), 'schema.nope')):
        done = g.cli(*arguments, check=False)
        error = json.loads(done.stderr)
        assert done.returncode == 2 and done.stdout == '' and error['code'] == 'GY4015' and says in done.stderr, (arguments, done)
    usage(g, 'datasets', '--columns', 'nmae', code=2, gy='GY4015', says='did you mean `name`?')
    assert g.cli('models', '--json', 'anything').stdout == '[]\n', 'nobody knows the fields of nothing'
    for command in (['datasets', 'export', 'sales'], ['datasets', 'rows', 'sales', '-n', '1000'], ['datasets', 'show', 'sales', '-o', 'json']):
        reader, writer = os.pipe()
        process = subprocess.Popen([GYRE, *command], cwd=g.work, env=g.environment, stdout=writer, stderr=subprocess.PIPE)
        os.close(writer)
        os.read(reader, 1)
        os.close(reader)
        said = process.communicate(timeout=60)[1]
        assert process.returncode in (0, 141) and said == b'', (command, process.returncode, said)


def project_file(g):
    """gyre.yaml counts in the folders below it, and is never quietly at odds with what was asked."""
    g.cli('init', 'churn')
    below = os.path.join(g.work, 'data', 'raw')
    os.makedirs(below)
    assert g.cli_json('projects', 'show', cwd=below)['name'] == 'churn', 'the nearest gyre.yaml above'
    said = g.cli('init', 'other').stderr
    assert 'kept gyre.yaml, which names project churn' in said and '--project other' in said, said
    assert g.cli_json('projects', 'show')['name'] == 'churn'
    assert g.cli('init', 'churn').stderr == '', 'nothing to say when it names this project'
    g.cli('init', 'raw', cwd=below)
    assert g.cli_json('projects', 'show', cwd=below)['name'] == 'raw', 'the nearest wins'
    with open(os.path.join(g.work, 'gyre.yaml'), 'a') as f:
        f.write('settings:\n  jobs:\n    cpu_slots: 4\n')
    os.remove(os.path.join(below, 'gyre.yaml'))
    row = g.cli_json('config', 'show', 'jobs.cpu_slots', '--origin', cwd=below)[0]
    assert (row['value'], row['origin']) == ('4', os.path.realpath(os.path.join(g.work, 'gyre.yaml'))), row
    place = {row['name']: row for row in g.cli_json('config', 'show', '--origin', '--project', 'p2', cwd=below)}
    assert (place['project']['value'], place['project']['origin']) == ('p2', '--project'), place['project']
    assert place['server']['value'] == '' and place['data']['value'] == os.path.realpath(g.data), place
    # Above the home folder nobody looks.
    home = os.path.join(below, 'home')
    os.makedirs(home)
    assert g.cli_json('projects', 'show', cwd=home, environment={'HOME': home})['name'] == 'default'


def jq(g):
    g.cli('init', 'churn', '--kpi', 'auc >= 0.84')
    assert g.cli('projects', '--jq', '.[].name').stdout == 'churn\ndefault\n'
    assert json.loads(g.cli('projects', 'show', 'churn', '--jq', '{name, kpi: .problem.kpis[0].value}').stdout) == {'name': 'churn', 'kpi': 0.84}
    assert g.cli('projects', '--jq', 'map(select(.name == "nobody"))[]').stdout == ''
    for wrong in ('.[', '.name'):
        done = g.cli('projects', '--jq', wrong, check=False)
        assert done.returncode == 2 and json.loads(done.stderr)['code'] == 'GY4043' and done.stdout == '', (wrong, done)


def on_a_terminal(g):
    """A terminal gets a table and colour; NO_COLOR takes the colour away."""
    g.cli('init', 'churn')
    environment = {**g.environment, 'TERM': 'xterm', 'LC_ALL': 'C.UTF-8'}
    environment.pop('NO_COLOR')
    for extra, colour in (({}, True), ({'NO_COLOR': '1'}, False), ({'TERM': 'dumb'}, False)):
        leader, follower = pty.openpty()
        process = subprocess.Popen([GYRE, 'init', 'again' + str(len(extra)) + str(colour)], cwd=g.work, env={**environment, **extra}, stdin=follower, stdout=follower, stderr=follower)
        os.close(follower)
        text = b''
        while select.select([leader], [], [], 10)[0]:
            try:
                piece = os.read(leader, 4096)
            except OSError:
                break
            if not piece:
                break
            text += piece
        assert process.wait(10) == 0, text
        os.close(leader)
        assert (b'\x1b[32m' in text) == colour, (extra, text)


def help_is_short(g):
    overview = g.cli('help').stdout
    assert len(overview.splitlines()) <= 25, overview
    assert g.cli().stdout == overview
    words = g.cli('__complete', '--', '').stdout.split()
    assert 'projects' in words and 'server' in words, words
    checked = 0
    for word in words:
        paths = [[word]] + [[word, sub] for sub in g.cli('__complete', '--', word, '').stdout.split() if not sub.startswith(':')]
        for path in paths:
            done = g.cli(*path, '--help', check=False)
            if done.returncode == 2:
                continue  # a noun without a list, or a name offered as an argument
            lines = done.stdout.splitlines()
            assert len(lines) < 25, f'{path}: {len(lines)} lines\n{done.stdout}'
            assert lines[0].startswith('gyre '), done.stdout
            first = lines[1] if lines[0].endswith(' has') else lines[2]
            assert first.strip().startswith(('gyre ', 'source ', 'echo ', 'curl ')), f'{path}: examples come first\n{done.stdout}'
            checked += 1
    assert checked > 10, checked
    assert '130' in g.cli('help', 'exit-codes').stdout
    assert g.cli('help', 'nonsense', check=False).returncode == 3
    assert g.cli('projects', 'show', '-h').stdout == g.cli('help', 'projects', 'show').stdout


def version_is_quick(g):
    """No timing is asserted: it opens no file of ours, no socket, no data directory."""
    begin = time.monotonic()
    for _ in range(10):
        assert g.cli('--version').stdout.startswith('gyre ')
    print(f'  gyre --version: {(time.monotonic() - begin) * 100:.1f} ms')
    assert not os.path.exists(g.data)


def completion(g):
    for shell in ('bash', 'zsh', 'fish'):
        assert 'gyre __complete' in g.cli('completion', shell).stdout
    assert g.cli('completion', 'tcsh', check=False).returncode == 2
    assert g.cli('__complete', '--', 'projects', 'show', '').stdout == '', 'nobody serves: completion stays silent and opens nothing'
    assert not os.path.exists(g.data)
    g.start()
    g.cli('init', 'churn')
    assert g.cli('__complete', '--', 'projects', 'show', 'ch').stdout == 'churn\n'
    assert g.cli('__complete', '--', 'proj').stdout == 'projects\n'
    assert '--origin' in g.cli('__complete', '--', 'config', 'show', '--o').stdout
    assert g.cli('__complete', '--', 'projects', '-o', 'j').stdout == 'json\n'
    assert g.cli('__complete', '--', 'projects', '--config', '').stdout == ':files\n'
    # bash itself takes the script and completes a live name.
    script = 'source <("$GYRE" completion bash); gyre() { "$GYRE" "$@"; }; COMP_WORDS=(gyre projects show ch); COMP_CWORD=3; _gyre; echo "${COMPREPLY[@]}"'
    done = subprocess.run(['bash', '-c', script], env={**g.environment, 'GYRE': GYRE}, capture_output=True, text=True, timeout=30)
    assert done.stdout.strip() == 'churn', (done.stdout, done.stderr)


def settings_and_their_origin(g):
    def origin(name, *flags, **environment):
        rows = g.cli_json('config', 'show', name, '--origin', *flags, environment=environment)
        return rows[0]['value'], rows[0]['origin']
    assert origin('jobs.cpu_slots') == ('2', 'default')
    user = os.path.join(g.directory, '.config', 'gyre')
    os.makedirs(user)
    open(os.path.join(user, 'config.yaml'), 'w').write('jobs:\n  cpu_slots: 3\n')
    assert origin('jobs.cpu_slots') == ('3', os.path.join(user, 'config.yaml'))
    open(os.path.join(g.work, 'gyre.yaml'), 'w').write('project: default\nsettings:\n  jobs:\n    cpu_slots: 4\n')
    assert origin('jobs.cpu_slots') == ('4', 'gyre.yaml')
    named = os.path.join(g.directory, 'named.yaml')
    open(named, 'w').write('jobs: {cpu_slots: 5}\n')
    assert origin('jobs.cpu_slots', '--config', named) == ('5', named)
    assert origin('jobs.cpu_slots', '--config', named, GYRE_JOBS_CPU_SLOTS='6') == ('6', 'GYRE_JOBS_CPU_SLOTS')
    for text, gy, says in (('jobs: {cpu_slot: 5}', 'GY1820', 'did you mean `jobs.cpu_slots`?'), ('jobs: {cpu_slots: many}', 'GY1821', 'many'),
                           ('jobs: {cpu_slots: 1e9}', 'GY1822', 'jobs.cpu_slots'), ('jobs: [1', 'GY1810', named), ('- a', 'GY1824', '')):
        open(named, 'w').write(text)
        done = g.cli('config', 'show', '--config', named, check=False)
        assert done.returncode == 2 and gy in done.stderr and says in done.stderr, (text, done.returncode, done.stderr)
    everything = g.cli_json('config', 'show')
    assert all(len(row['doc']) > 10 for row in everything), 'every value is documented'
    assert g.cli('config', 'show', 'server.lisen', check=False).returncode == 3
    # A flag of the server is the last word.
    g.start('--log-format', 'json')
    assert origin('log.format') == ('json', '--log-format')


# What `-o json` of version 1 (the v1 of /api/v1) promises: a member may be added, none may go or change its name.
DOCUMENTS = {
    ('projects',): 'created_at created_by id name problem',
    ('datasets',): 'created_at created_by id latest name project versions',
    ('datasets', 'versions', 'people'): 'bytes columns content_hash created_at created_by dataset format id notes parts project reference rows rows_quarantined schema source_bytes source_name tags version warnings',
    ('jobs',): 'cpu_seconds created_at created_by ended_at error id input kind memory_bytes_peak progress progress_text project result short started_at state title',
    ('models',): 'aliases created_at created_by description id latest name project versions',
    ('runs',): 'code created_at created_by ended_at environment error experiment id inputs job kind metrics name params parent project resources result seed source started_at status tags',
    ('config', 'show'): 'default doc hot name origin type value variable',
}


def json_documents_keep_their_members(g):
    g.cli('add', people(g))
    g.cli('train', 'people', '--target', 'buys', '--trials', '1')
    for command, members in DOCUMENTS.items():
        first = g.cli_json(*command)[0]
        missing = set(members.split()) - set(first)
        assert not missing, (command, missing)


def settings_that_can_be_tuned(g):
    g.start(environment={'GYRE_SERVING_ROWS_MAX': '7', 'GYRE_SERVER_BODY_BYTES_MAX': '128KiB', 'GYRE_TRAINING_BUDGET': '3s'})
    path = people(g)
    g.cli('add', path)
    assert g.cli_json('train', 'people', '--target', 'buys', '--dry-run')['budget_seconds'] == 3
    with open(path, 'a') as f:
        f.write('x' * 200_000)
    usage(g, 'add', path, code=1, gy='GY1604')
    shown = {row['name']: row for row in g.cli_json('config', 'show')}
    assert shown['serving.rows_max']['origin'] == 'GYRE_SERVING_ROWS_MAX' and shown['retention.events']['value'] == '90d'
    assert [name for name, row in shown.items() if row['hot']] == ['log.level']


def settings_are_read_again(g):
    user = os.path.join(g.directory, '.config', 'gyre')
    os.makedirs(user)
    settings = os.path.join(user, 'config.yaml')
    g.start()
    def level():
        return g.cli_json('config', 'show', 'log.level')[0]['value'], g.cli_json('config', 'show', 'jobs.cpu_slots')[0]['value']
    assert level() == ('info', '2')
    open(settings, 'w').write('log: {level: debug}\njobs: {cpu_slots: 5}\n')
    g.server.send_signal(signal.SIGHUP)
    wait_until(lambda: level() == ('debug', '2'), 'only what is hot changes')
    open(settings, 'w').write('log: {level: [')
    g.server.send_signal(signal.SIGHUP)
    wait_until(lambda: 'settings: kept what was read before' in g.log(), 'broken settings are said')
    assert level() == ('debug', '2') and g.server.poll() is None


def wait_until(condition, what):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def people(g):
    path = os.path.join(g.work, 'people.csv')
    with open(path, 'w') as f:
        f.write('id,age,city,buys\n')
        for i in range(1500):
            age = 18 + i * 7 % 70
            f.write(f"c{i},{age},{('Graz', 'Wien')[i % 2]},{'yes' if (age + i * 13 % 40) > 70 else 'no'}\n")
    return path


def dry_runs(g):
    """What would be changed is said, and nothing is changed, not even a data directory made."""
    path = people(g)
    scratch = os.path.join(g.work, 'scratch')
    os.makedirs(scratch)
    g.environment['TMPDIR'] = scratch
    planned = g.cli_json('init', 'churn', '--kpi', 'auc >= 0.8', '--dry-run')
    assert planned['dry_run'] and [r['method'] for r in planned['requests']] == ['POST'], planned
    assert planned['requests'][0]['body']['name'] == 'churn' and 'project' in planned['requests'][0]['summary'], planned
    added = g.cli_json('add', path, '--dry-run')
    assert added['version']['reference'] == 'people:v1' and not added['unchanged'], added
    assert [f['name'] for f in added['version']['schema']] == ['id', 'age', 'city', 'buys'], added
    plan = g.cli_json('train', path, '--target', 'buys', '--dry-run')
    assert (plan['task'], plan['metric'], plan['split']['kind']) == ('binary', 'auc', 'stratified'), plan
    assert not os.path.exists(g.data) and not os.path.exists(os.path.join(g.work, 'gyre.yaml'))
    assert os.listdir(scratch) == [], 'a throwaway data directory was left'

    g.cli('add', path)
    again = g.cli('add', path, '--dry-run').stdout
    assert 'would add nothing' in again and 'people:v1' in again, again
    with open(path, 'a') as f:
        f.write('c-1,40,Linz,no\n')
    assert 'would add people:v2' in g.cli('add', path, '--dry-run').stdout
    text = g.cli('train', 'people', '--target', 'buys', '--dry-run').stdout
    for word in ('binary', 'auc', 'stratified', 'LightGBM', 'age, city', 'left out', 'id', 'the baseline'):
        assert word in text, (word, text)
    usage(g, 'train', 'people', '--target', 'bus', '--dry-run', code=1, gy='GY3501', says='did you mean `buys`')
    removal = g.cli('datasets', 'rm', 'people', '--dry-run').stdout
    assert 'would: Remove a dataset' in removal and 'dataset: people' in removal and 'DELETE' in removal, removal
    usage(g, 'deploy', 'nosuch', '--dry-run', code=3, gy='GY3602')
    usage(g, 'datasets', 'rm', 'nobody', '--dry-run', code=3, gy='GY2101')
    usage(g, 'server', '--dry-run', code=2, gy='GY4029')
    assert [row['reference'] for row in g.cli_json('datasets', 'versions', 'people')] == ['people:v1']
    assert not [job for job in g.cli_json('jobs') if job['kind'].startswith('training')]
    # Questions are asked.
    assert g.cli('query', 'select count(*) as n from people', '--dry-run', '-o', 'csv', '--no-headers').stdout.strip() == '1500'


def answers_into_files(g):
    """All rows of an answer fit into a file, and no file is overwritten unasked."""
    path = os.path.join(g.work, 'many.csv')
    with open(path, 'w') as f:
        f.write('n,word\n' + ''.join(f'{i},{"ab"[i % 2]}\n' for i in range(12000)))
    g.cli('add', path)
    usage(g, 'query', 'select * from many', '-n', '20000', code=1, gy='GY2123', says='--out FILE')
    out = os.path.join(g.work, 'answer.csv')
    assert '12,000 rows' in g.cli('query', 'select n, word from many', '--out', out).stdout
    with open(out) as f:
        assert [next(f), next(f)] == ['n,word\n', '0,a\n'] and sum(1 for _ in f) == 11999
    usage(g, 'query', 'select 1 from many', '--out', out, code=6, gy='GY4068', says='--force')
    usage(g, 'datasets', 'export', 'many', '--out', out, code=6, gy='GY4068', says='--force')
    g.cli('query', 'select sum(n) as s from many', '--out', out, '--force')
    with open(out) as f:
        assert f.read() == 's\n71994000\n'
    lines = g.cli('query', 'select n from many where n > 11997', '--format', 'jsonl').stdout
    assert lines.split() == ['{"n":11998}', '{"n":11999}'], lines
    g.cli('query', 'select * from many', '--out', os.path.join(g.work, 'answer.parquet'))
    with open(os.path.join(g.work, 'answer.parquet'), 'rb') as f:
        assert f.read(4) == b'PAR1'
    wrong = g.cli('query', 'select m from many', check=False).stderr
    assert 'Binder' not in wrong and '--> LINE 1: select m from many' in wrong and 'gyre datasets show many' in wrong, wrong
    assert 'the newest 2 are shown' in g.cli('jobs', '-n', '2').stderr


def mistakes_are_told_with_their_remedy(g):
    path = people(g)
    g.cli('add', path)
    usage(g, 'train', 'nosuch.csv', '--target', 'buys', code=3, gy='GY4061', says=os.path.join(os.path.realpath(g.work), 'nosuch.csv'))
    usage(g, 'train', 'people', '--target', 'buys', '--split', 'time', code=1, gy='GY3501', says='--time-column')
    recipe = os.path.join(g.work, 'r.yaml')
    for text, gy in (('steps:\n - {id: a\n', 'GY1810'), ('stepz: []\n', 'GY3101')):
        with open(recipe, 'w') as f:
            f.write(text)
        for command in (('recipes', 'check', recipe), ('train', 'people', '--target', 'buys', '--recipe', recipe)):
            failed = g.cli(*command, check=False).stderr
            assert f'error[{gy}]' in failed and '--> ' + recipe in failed, (command, failed)
    g.start()
    g.cli('train', 'people', '--target', 'buys', '--trials', '1')
    scoring = g.cli('predict', 'people', '--in', path, '--out', 'scored.csv', '--dry-run').stdout
    assert 'out: scored.csv' in scoring and not os.path.exists(os.path.join(g.work, 'scored.csv')), scoring
    planned = g.cli('deploy', 'people', '--dry-run').stdout
    assert 'would: Deploy a model' in planned and 'endpoint: people' in planned, planned
    g.cli('deploy', 'people:v1')
    again = g.cli('endpoints', 'rollback', 'people', '--to', '1').stdout
    assert 'nothing changed' in again and 'people:v1' in again, again
    assert len(g.cli_json('endpoints', 'show', 'people')['deployments']) == 1
    g.stop()


def typed(g, text, *arguments):
    """The command on a terminal where somebody types an answer."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(g.work)
        os.execve(GYRE, [GYRE, *arguments], {**g.environment, 'TERM': 'xterm'})
    seen = b''
    answered = False
    while select.select([terminal], [], [], 20)[0]:
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            break
        seen += piece
        if b'to go on: ' in seen and not answered:
            answered = True
            os.write(terminal, text.encode() + b'\n')
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), seen.decode(), answered


def removals_are_confirmed(g):
    g.cli('add', people(g))
    usage(g, 'datasets', 'rm', 'people', code=2, gy='GY4062', says='--yes')
    usage(g, 'endpoints', 'rm', 'e', code=2, gy='GY4062', says='--yes')
    code, seen, asked = typed(g, 'poeple', 'datasets', 'rm', 'people')
    assert code == 130 and asked and 'GY4063' in seen, (code, seen)
    code, seen, asked = typed(g, '', 'datasets', 'rm', 'people', '--no-input')
    assert code == 2 and not asked, (code, seen)
    assert g.cli('datasets', '-o', 'name').stdout == 'people\n'
    code, seen, asked = typed(g, 'people', 'datasets', 'rm', 'people')
    assert code == 0 and asked and 'removed dataset people' in seen, (code, seen)
    assert g.cli('datasets', '-o', 'name').stdout == ''


def contexts(g):
    other = {'GYRE_DATA': ''}
    g.start()
    g.cli('init', 'churn')
    os.remove(os.path.join(g.work, 'gyre.yaml'))
    url = f'http://127.0.0.1:{g.port}'
    assert g.cli('config', 'contexts', '-o', 'json', environment=other).stdout.strip() == '[]'
    done = g.cli('config', 'use', 'nowhere', check=False, environment=other)
    assert done.returncode == 3 and 'GY4040' in done.stderr, done
    g.cli('config', 'use', 'here', '--data', g.data, '--project', 'churn', environment=other)
    g.cli('config', 'use', 'prod', '--server', url, environment=other)
    listed = {row['name']: row for row in json.loads(g.cli('config', 'contexts', '-o', 'json', environment=other).stdout)}
    assert listed['prod']['current'] and not listed['here']['current'] and listed['prod']['server'] == url and listed['here']['data'] == g.data, listed
    assert 'churn' in g.cli('projects', '-o', 'name', environment=other).stdout
    assert json.loads(g.cli('projects', 'show', '--context', 'here', '-o', 'json', environment=other).stdout)['name'] == 'churn'
    assert g.cli('projects', 'show', '-o', 'name', '--context', 'here', environment={**other, 'GYRE_PROJECT': 'default'}).stdout == 'churn\n', 'what was asked for by name wins'
    # Variables that say where win over the current one, and flags over everything.
    g.stop()
    assert g.cli('projects', check=False, environment=other).returncode == 1
    assert 'churn' in g.cli('projects', '-o', 'name').stdout
    assert 'churn' in g.cli('projects', '-o', 'name', '--data', g.data, environment=other).stdout
    assert g.cli('projects', '-o', 'name', '--context', 'hree', check=False).returncode == 3
    g.cli('config', 'forget', 'prod', environment=other)
    assert [row['name'] for row in json.loads(g.cli('config', 'contexts', '-o', 'json').stdout)] == ['here']
    assert g.cli('__complete', '--', 'config', 'use', '').stdout == 'here\n'


def doctor(g):
    def states(check, *flags, code=0, **environment):
        done = g.cli('doctor', '-o', 'json', *flags, check=False, environment={'GYRE_LISTEN': '127.0.0.1:0', **environment})  # 7171 may be somebody's
        assert done.returncode == code, (check, done.stdout, done.stderr)
        return {row['state'] for row in json.loads(done.stdout) if row['check'] == check}
    assert states('data directory') == {'ok'} and not os.path.exists(g.data), 'looking makes nothing'
    g.start()
    g.cli('add', people(g))
    for check in ('data directory', 'permissions', 'lock', 'disk space', 'libraries', 'port', 'exposure'):
        assert states(check) == {'ok'}, check
    for check in ('sync', 'clock', 'file system', 'memory', 'kernel'):  # they are the machine's
        assert states(check) <= {'ok', 'warn'}, check
    os.chmod(os.path.join(g.data, 'master.key'), 0o644)
    assert states('permissions', code=5) == {'fail'}
    os.chmod(os.path.join(g.data, 'master.key'), 0o600)
    os.makedirs(os.path.join(g.directory, '.config', 'gyre'), exist_ok=True)
    settings = os.path.join(g.directory, '.config', 'gyre', 'config.yaml')
    open(settings, 'w').write('jobs: [1')
    assert states('settings', code=5) == {'fail'}
    open(settings, 'w').write('jobs:\n  cpu_slot: 3\n')
    assert 'fail' in states('settings', code=5)
    assert 'jobs.cpu_slots' in g.cli('doctor', check=False).stdout
    os.remove(settings)
    os.kill(g.server.pid, signal.SIGSTOP)
    try:
        assert states('lock', code=5) == {'fail'}
    finally:
        os.kill(g.server.pid, signal.SIGCONT)
    with open(g.log_path, 'a') as f:  # where its standard error goes
        f.write('GET /setup?token=abcdef0123\nAuthorization: Bearer s3cr3t-value\n{"password": "hunter2", "rows": 3}\nfrom https://ana:pass@example.org and ' + g.directory + '/x\n')
    bundle = os.path.join(g.work, 'b.tar.gz')
    g.cli('doctor', '--bundle', '--out', bundle)
    with tarfile.open(bundle, 'r:gz') as archive:
        names = {os.path.basename(name) for name in archive.getnames()}
        assert {'findings.json', 'environment.json', 'jobs.json', 'config.json', 'server.log'} <= names, names
        text = ''.join(archive.extractfile(member).read().decode() for member in archive)
    for hidden in ('abcdef0123', 's3cr3t-value', 'hunter2', 'ana:pass', g.directory, 'people'):
        assert hidden not in text, (hidden, text)
    assert '(hidden)' in text and '"rows":3' in text
    assert 'server.log' not in g.cli('doctor', '--bundle', '--out', bundle, '--force').stderr
    g.stop()
    log_of_a_server_is_in_the_bundle_or_told(g, bundle)
    lacks = g.cli('doctor', '--bundle', '--out', bundle, '--force', environment={'GYRE_LISTEN': '127.0.0.1:0'}).stderr
    assert 'not in it: config.json: no server runs' in lacks, lacks
    with tarfile.open(bundle, 'r:gz') as archive:
        assert 'jobs.json: no server runs' in archive.extractfile('gyre-doctor/left-out.txt').read().decode()
    elsewhere = os.path.join(g.work, 'elsewhere.log')
    g.start('--log-file', elsewhere, '--auth', 'required')
    lacks = g.cli('doctor', '--bundle', '--out', bundle, '--force', check=False).stderr
    assert 'config.json: the server says' in lacks and 'standard error' not in lacks, lacks


def log_of_a_server_is_in_the_bundle_or_told(g, bundle):
    def bundled(*flags, stderr=None, until=lambda: True):
        """What a bundle holds of the log of a server whose standard error is there, and what it says that it lacks."""
        server = subprocess.Popen([GYRE, 'server', '--data', g.data, '--listen', '127.0.0.1:0', *flags], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=stderr, cwd=g.work, env=g.environment)
        try:
            g.server = server
            g.wait_ready()
            while not until():
                time.sleep(0.01)
            said = g.cli('doctor', '--bundle', '--out', bundle, '--force').stderr
        finally:
            g.stop()
        with tarfile.open(bundle, 'r:gz') as archive:
            inside = {os.path.basename(member.name): archive.extractfile(member).read().decode() for member in archive}
        missed = [line for line in inside.get('left-out.txt', '').splitlines() if line.startswith('server.log')]
        assert bool(missed) == ('not in it: server.log' in said) == ('server.log' not in inside), (missed, said, inside.keys())
        return inside.get('server.log', ''), ''.join(missed)
    here, there = socket.socketpair()  # what systemd's journal is to a service
    assert 'journalctl -u gyre' in bundled(stderr=here)[1]
    assert 'nobody keeps' in bundled(stderr=subprocess.DEVNULL)[1]
    assert 'add what caught it' in bundled(stderr=subprocess.PIPE)[1]
    elsewhere = os.path.join(g.work, 'far', 'gyre.log')
    os.makedirs(os.path.dirname(elsewhere))
    log, _ = bundled('--log-file', elsewhere, stderr=here, until=lambda: os.path.exists(elsewhere) and os.path.getsize(elsewhere) > 0)
    assert 'ready' in log and g.directory not in log, log
    here.close()
    there.close()
    # Of a server that has ended, by the setting.
    g.cli('doctor', '--bundle', '--out', bundle, '--force', environment={'GYRE_LOG_FILE': elsewhere, 'GYRE_LISTEN': '127.0.0.1:0'})
    with tarfile.open(bundle, 'r:gz') as archive:
        assert 'ready' in archive.extractfile('gyre-doctor/server.log').read().decode()


def doctor_sees_what_is_unsafe(g):
    def row(check, state, code=0, **environment):
        done = g.cli('doctor', '-o', 'json', check=False, environment={'GYRE_LISTEN': '127.0.0.1:0', **environment})
        assert done.returncode == code, (check, done.stdout, done.stderr)
        found = [row for row in json.loads(done.stdout) if row['check'] == check and row['state'] == state]
        assert found, (check, state, done.stdout)
        return found[0]
    assert 'the server will refuse' in row('exposure', 'fail', code=5, GYRE_LISTEN='0.0.0.0:0')['text']
    assert 'firewall' in row('exposure', 'warn', GYRE_LISTEN='0.0.0.0:0', GYRE_SERVER_BEHIND_PROXY='true')['fix']
    key = os.path.join(g.work, 'key.pem')
    open(key, 'w').write('x')
    tls = {'GYRE_LISTEN': '0.0.0.0:0', 'GYRE_SERVER_TLS_CERT': key, 'GYRE_SERVER_TLS_KEY': key}
    os.chmod(key, 0o644)
    assert 'private key' in row('exposure', 'fail', code=5, **tls)['text']
    os.chmod(key, 0o600)
    assert 'TLS' in row('exposure', 'ok', **tls)['text']
    assert '/nowhere.pem' in row('exposure', 'fail', code=5, **{**tls, 'GYRE_SERVER_TLS_CERT': '/nowhere.pem'})['text']
    assert 'one training may use' in row('memory', 'warn', GYRE_TRAINING_MEMORY='900TB')['text']
    settings = os.path.join(g.directory, '.config', 'gyre', 'config.yaml')
    os.makedirs(os.path.dirname(settings), exist_ok=True)
    open(settings, 'w').write('server:\n  listen: 0.0.0.0:0\n')
    environment = {k: v for k, v in g.environment.items() if k != 'GYRE_LISTEN'}
    read = subprocess.run([GYRE, 'doctor', '-o', 'json'], env=environment, capture_output=True, text=True, cwd=g.work)
    assert read.returncode == 5 and '0.0.0.0:0 is beyond this machine' in read.stdout, 'a settings file counts, not only the variable'
    os.chmod(settings, 0o666)
    assert 'chmod go-w' in row('settings', 'fail', code=5)['fix']
    os.remove(settings)
    if os.geteuid() == 0:
        os.makedirs(g.data)
        os.chown(g.data, 65534, 65534)
        assert 'doctor --data' in row('data directory', 'fail', code=5)['fix']


def a_bundle_keeps_names_and_secrets(g):
    """What a real server logs, in both formats, names nobody and nothing once it is in the bundle."""
    secrets = ['patients', 'diagnosis', 'annabel', 'correct horse battery']
    with open(os.path.join(g.work, 'patients.csv'), 'w') as f:
        f.write('diagnosis,y\n' + ''.join(f'{i % 9},{i % 9 * 2}\n' for i in range(300)))
    os.makedirs(g.data, mode=0o700)
    for log_format in ('text', 'json'):
        g.start('--log-file', os.path.join(g.data, 'server.log'), '--log-format', log_format, '--log-level', 'debug')
        g.cli('add', 'patients.csv', check=False)
        g.cli('train', 'patients', '--target', 'diagnosis', '--budget', '1s', check=False)
        g.cli('train', 'patients', '--target', 'y', '--metric', 'diagnosis', check=False)
        g.cli('users', 'add', 'annabel', '--role', 'admin', stdin='correct horse battery\n', check=False)
        g.cli('login', '--user', 'annabel', stdin='correct horse battery\n', check=False)
        token = g.cli('tokens', 'add', 'ci').stdout.split()
        secrets += [word for word in token if word.startswith('gyre_')]
        for path in ('/api/v1/projects/default/datasets/patients?token=' + secrets[-1], '/e/patients', '/v2/models/patients/ready', '/api/v1/users/annabel'):
            g.http('GET', path, headers={'Authorization': 'Bearer ' + secrets[-1]})
        g.stop()
    assert 'patients' in open(os.path.join(g.data, 'server.log')).read(), 'there is something to hide'
    bundle = os.path.join(g.work, 'b.tar.gz')
    hidden = {'GYRE_LISTEN': '127.0.0.1:0', 'GYRE_TOKEN': 'gyre_pat_' + '0123456789abcdef' * 4}
    g.cli('doctor', '--bundle', '--out', bundle, environment=hidden, check=False)
    with tarfile.open(bundle, 'r:gz') as archive:
        text = ''.join(archive.extractfile(member).read().decode() for member in archive)
    for word in [*secrets, hidden['GYRE_TOKEN'], g.directory]:
        assert word not in text, (word, [line for line in text.splitlines() if word in line][:3])
    assert 'path=/api/v1/projects/(name)/datasets/(name)' in text and '"path":"/api/v1/users/(name)' in text, text[:3000]


def tokens_are_kept_for_oneself(g):
    g.start()
    g.cli('users', 'add', 'ann', '--role', 'admin', stdin='a long enough password\n')
    g.cli('login', '--user', 'ann', stdin='a long enough password\n')
    kept = os.path.join(g.directory, '.config', 'gyre', 'credentials.json')
    assert os.stat(kept).st_mode & 0o777 == 0o600 and os.stat(os.path.dirname(kept)).st_mode & 0o777 == 0o700
    # A file that others could read is replaced by one that they cannot.
    os.chmod(kept, 0o644)
    g.cli('login', '--user', 'ann', stdin='a long enough password\n')
    assert os.stat(kept).st_mode & 0o777 == 0o600


def manual_pages(g):
    folder = os.path.join(g.work, 'man')
    assert 'pages into' in g.cli('help', '--man', folder).stdout
    pages = os.listdir(folder)
    assert {'gyre.1', 'gyre-train.1', 'gyre-datasets-show.1'} <= set(pages) and 'gyre-worker.1' not in pages and 'gyre-keeper.1' not in pages, pages
    train = open(os.path.join(folder, 'gyre-train.1')).read()
    assert train.startswith('.TH "gyre-train" 1') and '\\-\\-target' in train and '.SH EXAMPLES' in train, train
    main = open(os.path.join(folder, 'gyre.1')).read()
    assert '130' in main and 'GYRE_DATA' in main and 'config use' in main
    assert not os.path.exists(g.data)


def explain(g):
    text = g.cli('explain', 'gy3902').stdout
    assert text.startswith('GY3902'), text
    usage(g, 'explain', 'GY9999', code=3, gy='GY4012')


if __name__ == '__main__':
    run_scenarios([
        exit_codes, output_formats, jq, fields_and_pipes, project_file, on_a_terminal, help_is_short, version_is_quick, completion,
        settings_and_their_origin, json_documents_keep_their_members, settings_that_can_be_tuned, settings_are_read_again, dry_runs,
        removals_are_confirmed, contexts, doctor, doctor_sees_what_is_unsafe, a_bundle_keeps_names_and_secrets, tokens_are_kept_for_oneself, manual_pages, explain,
        answers_into_files, mistakes_are_told_with_their_remedy])
