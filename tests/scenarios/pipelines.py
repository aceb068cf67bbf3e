"""Pipelines from the command line: programs, scripts, code from git, loops, conditions, cache, retry, cancel, the kinds that are verbs of the loop.

python3 tests/scenarios/pipelines.py"""
import json
import os
import random
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from harness import GYRE, SOURCE, run_scenarios  # noqa: E402


def write(g, name, text):
    path = os.path.join(g.work, name)
    with open(path, 'w') as out:
        out.write(text)
    return path


def run(g, *arguments, expect='succeeded'):
    done = g.cli('pipelines', 'run', *arguments, '--wait', '-o', 'json', check=False)
    document = json.loads(done.stdout)
    assert document['state'] == expect, (document['state'], document['reason'], done.stderr)
    assert done.returncode == (0 if expect == 'succeeded' else 1), done.returncode
    return g.cli_json('pipelines', 'status', document['id'])


def tasks(document):
    return {task['task']: task for task in document['tasks']}


def versions_params_and_refusals(g):
    g.start()
    write(g, 'a.yaml', 'name: a\nparams: {n: int}\nsteps:\n  x: {command: [echo, "n is ${params.n}"]}\n')
    first = g.cli_json('pipelines', 'add', 'a.yaml')
    assert first['reference'] == 'a:v1' and g.cli_json('pipelines', 'add', 'a.yaml')['reference'] == 'a:v1'
    write(g, 'b.yaml', 'name: a\nparams: {n: int}\nsteps:\n  x: {command: [echo, "${params.m}"]}\n')
    refused = g.cli('pipelines', 'add', 'b.yaml', check=False)
    assert refused.returncode == 1 and 'b.yaml:4' in refused.stderr and 'GY4703' in refused.stderr, refused
    missing = g.cli('pipelines', 'run', 'a', check=False)
    assert 'needs the parameter `n`' in missing.stderr and '-p n=' in missing.stderr, missing.stderr
    done = run(g, 'a', '-p', 'n=7')
    assert g.cli('pipelines', 'logs', done['id'], 'x').stdout == 'n is 7\n'
    assert 'x [command]' in g.cli('pipelines', 'graph', 'a').stdout
    assert g.cli_json('pipelines', 'runs')[0]['id'] == done['id']
    g.cli('pipelines', 'rm', 'a', '--yes')
    assert 'GY4711' in g.cli('pipelines', 'run', 'a', check=False).stderr


def a_cached_step_is_taken_again_and_explained(g):
    g.start()
    write(g, 'p.yaml', 'name: p\nparams: {n: {type: int, default: 1}}\nsteps:\n  x:\n    shell: echo $GYRE_PARAM_N > "$GYRE_OUTPUT_F"\n'
                       '    outputs: {f: file}\n    cache: true\n  y: {command: [cat, "${steps.x.outputs.f}"]}\n')
    run(g, 'p.yaml')
    again = run(g, 'p.yaml')
    drawn = g.json('GET', f'/api/v1/pipeline_runs/{again["id"]}?layout=true')['layout']
    assert [(n['id'], n['layer']) for n in drawn['nodes']] == [('x', 0), ('y', 1)] and drawn['crossings'] == 0, drawn
    assert tasks(again)['x']['cached_from'] and 'taken from run' in tasks(again)['x']['reason'], again
    other = run(g, 'p.yaml', '-p', 'n=2')
    assert 'params.n changed' in g.cli('pipelines', 'status', other['id'], '--explain').stdout
    assert g.cli('pipelines', 'logs', other['id'], 'y').stdout == '2\n'


def failing_steps_are_retried_by_hand(g):
    g.start()
    there = os.path.join(g.work, 'there')
    write(g, 'p.yaml', f'name: p\nsteps:\n  x: {{command: [echo, once]}}\n  y: {{shell: "test -e {there} || (echo no file; exit 4)", needs: x}}\n'
                       '  z: {command: [echo, after], needs: y}\n  tell: {command: [echo, "${run.state}"], always: true}\n')
    failed = run(g, 'p.yaml', expect='failed')
    assert failed['reason'] == 'step `y` failed: exit status 4: no file', failed['reason']
    assert tasks(failed)['z']['state'] == 'skipped' and tasks(failed)['tell']['state'] == 'succeeded'
    write(g, 'there', '')
    g.cli('pipelines', 'retry', failed['id'], '--wait')
    done = g.cli_json('pipelines', 'status', failed['id'])
    assert done['state'] == 'succeeded' and len(tasks(done)['x']['attempts']) == 1 and len(tasks(done)['y']['attempts']) == 2, done
    assert g.cli('pipelines', 'logs', done['id'], 'y', '--attempt', '1').stdout == 'no file\n'


def a_run_is_followed_and_cancelled(g):
    g.start()
    write(g, 'p.yaml', 'name: p\nsteps:\n  x: {shell: "echo begun; (trap \'\' TERM; exec sleep 61) & sleep 60"}\n')
    begun = g.cli_json('pipelines', 'run', 'p.yaml')
    follower = subprocess.Popen([GYRE, 'pipelines', 'logs', begun['id'], 'x', '--follow'], cwd=g.work, env=g.environment, stdout=subprocess.PIPE, text=True)
    assert follower.stdout.readline() == 'begun\n'
    g.cli('pipelines', 'cancel', begun['id'])
    assert follower.wait(30) == 0
    g.cli('pipelines', 'status', begun['id'], '--wait', check=False)
    assert g.cli_json('pipelines', 'status', begun['id'])['state'] == 'cancelled'
    assert 'sleep 61' not in subprocess.run(['ps', '-eo', 'args'], capture_output=True, text=True).stdout


def code_comes_from_git_at_a_commit(g):
    g.start()
    repository = os.path.join(g.work, 'code')
    os.makedirs(repository)
    git = lambda *words: subprocess.run(['git', '-C', repository, '-c', 'user.name=a', '-c', 'user.email=a@example.org', *words], check=True,
                                        capture_output=True, text=True).stdout.strip()
    git('init', '-q', '-b', 'main')
    commits = []
    for branch in ('main', 'other'):
        if branch == 'other':
            git('checkout', '-q', '-b', 'other')
        write(g, 'code/say.sh', f'echo "this is {branch} with $1"\n')
        git('add', '.')
        git('commit', '-qm', branch)
        commits.append(git('rev-parse', 'HEAD'))
    write(g, 'p.yaml', f'name: p\nparams: {{branches: {{type: list, default: [main, other]}}}}\nsteps:\n  x:\n    git: {repository}\n    commit: "${{item}}"\n'
                       '    test: [sh, -c, "test -e say.sh"]\n    command: [sh, say.sh, "a b"]\n    for_each: ${params.branches}\n'
                       'outputs: {commits: "${steps.x.outputs.commit}", tests: "${steps.x.outputs.test}"}\n')
    done = run(g, 'p.yaml')
    assert done['outputs'] == {'commits': commits, 'tests': ['passed', 'passed']}, done['outputs']
    assert 'this is other with a b' in g.cli('pipelines', 'logs', done['id'], 'x[1]').stdout


def a_loop_over_branches_is_compared(g):
    g.start()
    repository = os.path.join(g.work, 'code')
    os.makedirs(repository)
    git = lambda *words: subprocess.run(['git', '-C', repository, '-c', 'user.name=a', '-c', 'user.email=a@example.org', *words], check=True,
                                        capture_output=True, text=True).stdout.strip()
    git('init', '-q', '-b', 'main')
    commits = {}
    for branch, accuracy in (('main', 0.8125), ('wider', 0.9375)):
        git('checkout', '-q', '-B', branch)
        write(g, 'code/fit.sh', f'echo {accuracy} > "$GYRE_OUTPUT_ACCURACY"\n')
        git('add', '.')
        git('commit', '-qm', branch)
        commits[branch] = git('rev-parse', 'HEAD')
    write(g, 'p.yaml', f'name: p\nparams: {{branches: {{type: list, default: [main, wider]}}}}\nsteps:\n  fit:\n    git: {repository}\n'
                       '    commit: "${item}"\n    command: [sh, fit.sh]\n    for_each: ${params.branches}\n    outputs: {accuracy: number}\n')
    done = run(g, 'p.yaml')
    table = g.cli('pipelines', 'status', done['id'], '--compare', 'fit', '--by', 'accuracy', '-o', 'tsv')
    header, *rows = [line.split('\t') for line in table.stdout.splitlines()]
    assert header[:4] == ['ITEM', 'STATE', 'TOOK', 'CPU'] and {'ACCURACY', 'COMMIT'} <= set(header), header
    shown = [(row[0], row[header.index('COMMIT')], float(row[header.index('ACCURACY')])) for row in rows]
    assert shown == [('wider', commits['wider'], .9375), ('main', commits['main'], .8125)], shown
    assert 'test none' in table.stderr, table.stderr
    items = g.cli_json('pipelines', 'status', done['id'], '--compare', 'fit', '--by', 'accuracy', '--ascending')
    assert [(one['item'], one['outputs']['accuracy']) for one in items] == [('main', .8125), ('wider', .9375)], items
    refused = g.cli('pipelines', 'status', done['id'], '--compare', 'fit', '--by', 'acuracy', check=False)
    assert refused.returncode and 'GY4727' in refused.stderr and 'accuracy' in refused.stderr, refused


def runs_that_ended_long_ago_are_collected(g):
    write(g, 'p.yaml', 'name: p\nsteps:\n  x: {shell: \'echo hello > "$GYRE_OUTPUT_F"\', outputs: {f: file}}\n')
    g.start(environment={'GYRE_RETENTION_PIPELINES': '1s'})
    old = run(g, 'p.yaml')
    folder = os.path.join(g.data, 'pipelines', old['id'])
    assert os.path.isdir(folder)
    time.sleep(1.1)
    assert 'and 1 pipeline runs' in g.cli('gc', '--grace-hours', '0').stdout
    assert not os.path.exists(folder) and not g.cli_json('pipelines', 'runs')
    assert g.cli_json('gc')['pipeline_runs_removed'] == 0


def a_pipeline_is_scheduled(g):
    g.start()
    write(g, 'p.yaml', 'name: p\nparams: {day: text, n: int}\nsteps:\n  x: {command: [echo, "${params.day} ${params.n}"]}\n')
    g.cli('pipelines', 'add', 'p.yaml')
    for arguments, gy in ((('p',), 'GY4002'), (('p', '--cron', '0 3 * *'), 'GY4742'), (('p', '--cron', '@daily', '--tz', 'Mars'), 'GY4741'),
                          (('p', '--cron', '@daily'), 'GY4705'), (('p', '--cron', '@daily', '--catch-up', 'some'), 'GY4743'), (('q', '--cron', '@daily'), 'GY4711')):
        refused = g.cli('pipelines', 'schedule', *arguments, check=False)
        assert refused.returncode and gy in refused.stderr, (arguments, refused.stderr)
    made = g.cli_json('pipelines', 'schedule', 'p', '--cron', 'every 1s', '--tz', 'Europe/Zurich', '--overlap', 'skip', '-p', 'day=7', '-p', 'n=8')
    assert made['name'] == 'p-schedule' and made['on']['overlap'] == 'skip' and made['on']['catch_up'] == 'last' and made['run']['params'] == {'day': '7', 'n': 8}, made
    assert g.cli('pipelines', 'schedule', 'p', '--cron', '@daily', '-p', 'day=7', '-p', 'n=8', check=False).returncode, 'there is one of that name'
    until = time.monotonic() + 15
    while not [one for one in g.cli_json('pipelines', 'runs') if one['state'] == 'succeeded']:
        assert time.monotonic() < until, g.cli('triggers', 'firings').stdout
        time.sleep(.2)
    done = g.cli_json('pipelines', 'runs')[0]
    assert done['triggered_by'].startswith('trigger p-schedule: due at'), done


def what_the_page_shows_runs(g):
    """Each example of docs/pipelines.md, those that others use first."""
    with open(os.path.join(SOURCE, 'docs', 'pipelines.md')) as page:
        examples = re.findall(r'```yaml\n(.*?)```', page.read(), re.S)
    names = {re.search(r'^(?:name|component): (\S+)', example).group(1): example for example in examples}
    g.start()
    for name in ('table', 'rows', *(name for name in names if name not in ('table', 'rows'))):
        write(g, name + '.yaml', names[name])
        g.cli('pipelines', 'add', name + '.yaml')
    assert g.cli('pipelines', 'logs', run(g, 'hello', '-p', 'who=Ann')['id'], 'greet').stdout == 'hello Ann\n'
    assert run(g, 'measure')['outputs'] == {'parts': [100, 200]}
    again = run(g, 'measure', '--no-cache')
    assert 'nothing was to be taken' in tasks(again)['make']['reason'], tasks(again)['make']
    repository = os.path.join(g.work, 'code')
    os.makedirs(repository)
    write(g, 'code/fit.sh', 'echo 0.9 > "$GYRE_OUTPUT_ACCURACY"\n')
    for words in (('init', '-q', '-b', 'main'), ('add', '.'), ('-c', 'user.name=a', '-c', 'user.email=a@example.org', 'commit', '-qm', 'fit')):
        subprocess.run(['git', '-C', repository, *words], check=True)
    assert run(g, 'branches', '-p', 'repository=' + repository)['outputs']['accuracies'] == [.9]
    assert run(g, 'answers')['outputs'] == {'model': 'answers:v1', 'copy': 'answers-copy:v1'}


def secrets_reach_programs_alone(g):
    g.start()
    g.cli('secrets', 'set', 'token', stdin='open sesame')
    write(g, 'p.yaml', 'name: p\nsteps:\n  x: {shell: \'echo "it is $TOKEN"; exit 3\', environment: {TOKEN: "secret:token"}}\n')
    failed = run(g, 'p.yaml', expect='failed')
    assert failed['reason'] == 'step `x` failed: exit status 3: it is ***********', failed['reason']
    assert g.cli('pipelines', 'logs', failed['id'], 'x').stdout == 'it is ***********\n'
    write(g, 'q.yaml', 'name: q\nsteps:\n  x: {command: [a], environment: {TOKEN: "secret:other"}}\n')
    assert 'GY4142' in g.cli('pipelines', 'run', 'q.yaml', check=False).stderr
    g.stop()
    for folder, _, files in os.walk(g.data):
        for path in (os.path.join(folder, name) for name in files):
            if os.path.isfile(path):  # a claim is a link that leads nowhere
                with open(path, 'rb') as stored:
                    assert b'open sesame' not in stored.read(), path


def a_person_is_asked(g):
    """A run waits for a yes, also over the death of its server; a no fails it; both are in the audit."""
    g.start()
    with open(os.path.join(SOURCE, 'docs', 'pipelines.md')) as page:
        write(g, 'careful.yaml', re.search(r'```yaml\n(name: careful\n.*?)```', page.read(), re.S).group(1))
    begun = g.cli_json('pipelines', 'run', 'careful.yaml')['id']
    for _ in range(200):
        status = g.cli('pipelines', 'status', begun).stdout
        if '? ask' in status:
            break
        time.sleep(0.05)
    assert 'the new model has an AUC of 0.91: may it answer?' in status and f'gyre pipelines approve {begun[:8]} ask' in status, status
    told = [n for n in g.json('GET', '/api/v1/projects/default/notices')['items'] if n['kind'] == 'pipeline.approval']
    assert len(told) == 1 and f'gyre pipelines approve {begun[:8]} ask' in told[0]['text'], told
    wrong = g.cli('pipelines', 'approve', begun[:8], 'tell', check=False)
    assert wrong.returncode != 0 and 'GY4746' in wrong.stderr and 'ask' in wrong.stderr, wrong.stderr
    g.kill()
    g.start()
    said = g.cli('pipelines', 'approve', begun[:8], 'ask', '--reason', 'checked the slices').stdout
    assert 'step ask' in said and 'approved' in said, said
    done = g.json('GET', f'/api/v1/pipeline_runs/{begun}?wait_ms=10000')
    assert done['state'] == 'succeeded' and done['approvals'][0]['reason'] == 'checked the slices', done
    assert 'agreed' in g.cli('pipelines', 'logs', begun, 'tell').stdout
    twice = g.cli('pipelines', 'reject', begun[:8], 'ask', check=False)
    assert twice.returncode != 0 and 'GY4747' in twice.stderr, twice.stderr
    begun = g.cli_json('pipelines', 'run', 'careful.yaml')['id']
    for _ in range(200):
        if g.json('GET', f'/api/v1/pipeline_runs/{begun}')['approvals']:
            break
        time.sleep(0.05)
    g.cli('pipelines', 'reject', begun[:8], 'ask', '--reason', 'not in December')
    done = g.json('GET', f'/api/v1/pipeline_runs/{begun}?wait_ms=10000')
    assert done['state'] == 'failed' and 'said no: not in December' in done['reason'], done['reason']
    assert 'rejected by' in g.cli('pipelines', 'status', begun).stdout
    assert [e for e in g.json('GET', '/api/v1/audit?limit=50')['items'] if e['action'] == 'model.approve'], 'nothing in the audit'
    write(g, 'gpus.yaml', 'name: gpus\nsteps:\n  x: {command: [echo, x], resources: {gpus: 999}}\n')
    none = g.cli('pipelines', 'run', 'gpus.yaml', check=False)
    assert 'GY4733' in none.stderr and 'asks for 999 GPUs' in none.stderr and 'GYRE_PIPELINES_GPUS' in none.stderr, none.stderr


def the_loop_itself_is_steps(g):
    g.start()
    pick = random.Random(3)
    write(g, 'rows.csv', 'a,b,answer\n' + ''.join(f'{a:.4f},{pick.randint(0, 9)},{"yes" if a > .5 else "no"}\n' for a in (pick.random() for _ in range(600))))
    write(g, 'p.yaml', f'''name: loop
steps:
  fetch: {{shell: 'cp {g.work}/rows.csv "$GYRE_OUTPUT_ROWS"', outputs: {{rows: file}}}}
  add: {{kind: add, dataset: rows, file: "${{steps.fetch.outputs.rows}}"}}
  check: {{kind: check, dataset: "${{steps.add.outputs.dataset}}", allow_findings: true}}
  count: {{sql: "select count(*) as n from rows", format: csv, needs: add}}
  shown: {{command: [cat, "${{steps.count.outputs.file}}"]}}
  recipe: {{kind: recipe, dataset: "${{steps.add.outputs.dataset}}", target: answer, needs: check}}
  train: {{kind: train, dataset: "${{steps.add.outputs.dataset}}", target: answer, trials: 2, recipe: "${{steps.recipe.outputs.recipe}}"}}
  evaluate: {{kind: evaluate, model: "${{steps.train.outputs.model}}", dataset: "${{steps.add.outputs.dataset}}"}}
  report: {{kind: report, reference: "${{steps.add.outputs.dataset}}", current: rows, needs: check}}
  page: {{command: [head, -c, "15", "${{steps.report.outputs.page}}"]}}
  deploy: {{kind: deploy, model: "${{steps.train.outputs.model}}", endpoint: answers, needs: evaluate}}
  tell: {{kind: notify, title: "it ${{run.state}}", always: true}}
outputs: {{model: "${{steps.train.outputs.model}}", dataset: "${{steps.add.outputs.dataset}}"}}
''')
    done = run(g, 'p.yaml')
    assert done['outputs'] == {'model': 'rows:v1', 'dataset': 'rows:v1'}, done['outputs']
    assert g.cli('pipelines', 'logs', done['id'], 'shown').stdout.split() == ['n', '600']
    assert g.cli('pipelines', 'logs', done['id'], 'page').stdout.lower() == '<!doctype html>'
    assert g.json('POST', '/e/answers', {'inputs': [{'a': .9, 'b': 1}]})
    graph = g.cli_json('lineage', 'model:rows:v1')
    assert any(node['kind'] == 'pipeline_run' for node in graph['nodes']), graph
    assert len([notice for notice in g.cli_json('notices') if notice['title'] == 'it succeeded']) == 1


def training_job(g):
    for _ in range(200):
        for job in g.cli_json('jobs'):
            if job['kind'] == 'training.train' and job['state'] == 'running':
                return job['id']
        time.sleep(0.1)
    raise AssertionError('nothing trains')


def who_cancels_a_steps_job_cancels_the_run(g):
    g.start()
    pick = random.Random(3)
    write(g, 'rows.csv', 'a,b,answer\n' + ''.join(f'{pick.random():.6f},{pick.random():.6f},{pick.choice("xy")}\n' for _ in range(20_000)))
    g.cli('add', 'rows.csv', '--name', 'rows')
    write(g, 'p.yaml', '''name: long
steps:
  train: {kind: train, dataset: rows, target: answer, trials: 400, retries: {max: 3}}
  after: {command: [echo, never], needs: train}
  tell: {kind: notify, title: "it was ${run.state}", always: true}
''')
    begun = g.cli_json('pipelines', 'run', 'p.yaml')
    training = training_job(g)
    g.cli('jobs', 'cancel', training)
    waited = g.cli('wait', training, check=False)
    job = g.cli_json('jobs', 'show', training)
    who = job['cancelled_by']
    assert job['state'] == 'cancelled' and who and f'the job was cancelled by {who}' in waited.stderr, (job, waited.stderr)
    assert f'cancelled by {who}' in g.cli('jobs', 'show', job['id']).stdout
    assert g.cli('pipelines', 'status', begun['id'], '--wait', check=False).returncode == 1
    ended = g.cli_json('pipelines', 'status', begun['id'])
    assert ended['state'] == 'cancelled', (ended['state'], ended['reason'])
    assert ended['reason'].startswith(f'step `train` was cancelled: GY3317 the job was cancelled by {who}: '), ended['reason']
    steps = tasks(ended)
    assert steps['train']['state'] == 'cancelled' and f'by {who}' in steps['train']['reason'] and steps['after']['state'] == 'skipped', steps
    assert [notice for notice in g.cli_json('notices') if notice['title'] == 'it was cancelled']
    # The other way round the job says what ended it.
    begun = g.cli_json('pipelines', 'retry', begun['id'])
    training = training_job(g)
    g.cli('pipelines', 'cancel', begun['id'])
    g.cli('wait', training, check=False)
    assert g.cli_json('jobs', 'show', training)['cancelled_by'] == 'its pipeline run'


def a_model_of_another_program_is_registered(g):
    g.start()
    write(g, 'model.txt', 'tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=1\nobjective=binary sigmoid:1\n'
                          'feature_names=age income\nfeature_infos=[18:90] [0:1000]\ntree_sizes=300\n\nTree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\n'
                          'split_gain=1\nthreshold=40.5\ndecision_type=2\nleft_child=-1\nright_child=-2\nleaf_value=-1 1\nleaf_weight=1 1\nleaf_count=1 1\n'
                          'internal_value=0\ninternal_weight=0\ninternal_count=2\nis_linear=0\nshrinkage=1\n\n\nend of trees\n')
    write(g, 'p.yaml', f'''name: p
params: {{copy: {{type: text, default: model.txt}}}}
steps:
  fit:
    shell: 'cp "{g.work}/$GYRE_PARAM_COPY" "$GYRE_OUTPUT_MODEL"; echo 0.91 > "$GYRE_OUTPUT_AUC"'
    outputs: {{model: file, auc: number}}
  register:
    kind: register
    file: ${{steps.fit.outputs.model}}
    name: leavers
    target: left
    classes: ["no", "yes"]
    metrics: {{auc: "${{steps.fit.outputs.auc}}"}}
    description: made elsewhere
  stage: {{kind: promote, model: "${{steps.register.outputs.model}}", alias: candidate}}
  deploy: {{kind: deploy, model: leavers@candidate, endpoint: leavers, needs: stage}}
outputs: {{model: "${{steps.register.outputs.model}}", unchanged: "${{steps.register.outputs.unchanged}}"}}
''')
    assert run(g, 'p.yaml')['outputs'] == {'model': 'leavers:v1', 'unchanged': False}
    assert run(g, 'p.yaml')['outputs'] == {'model': 'leavers:v1', 'unchanged': True}
    card = g.cli_json('models', 'show', 'leavers:v1')
    assert card['metrics'] == {'auc': .91} and 'candidate' in card['aliases'] and card['notes'] == 'made elsewhere', card
    answers = g.json('POST', '/e/leavers', {'inputs': [{'age': 50, 'income': 1}, {'age': 30, 'income': 1}]})
    assert [row['prediction'] for row in answers['outputs']] == ['yes', 'no'], answers
    write(g, 'broken.txt', 'pickled')
    refused = run(g, 'p.yaml', '-p', 'copy=broken.txt', expect='failed')
    assert 'GY3540' in refused['reason'] and 'step `register`' in refused['reason'], refused['reason']


def what_a_step_prints_takes_only_so_much(g):
    g.start(environment={'GYRE_PIPELINES_LOG': '1MiB'})
    write(g, 'p.yaml', 'name: p\nsteps:\n  x: {shell: "seq 1 3000000; sleep 1; echo the end"}\n')
    done = run(g, 'p.yaml')
    told = g.cli('pipelines', 'logs', done['id'], 'x').stdout
    assert told.startswith('1\n2\n3\n') and told.endswith('2999999\n3000000\nthe end\n'), (told[:100], told[-100:])
    assert 'MB of output were left out here]' in told and '\0' not in told and len(told) < 2 << 20, len(told)


def commands_without_a_server_work_too(g):
    write(g, 'p.yaml', 'name: p\nsteps:\n  x: {command: [echo, "${item}"], for_each: [1, 2, 3]}\n')
    done = run(g, 'p.yaml')
    assert done['steps'][0]['tasks'] == 3
    begun = time.monotonic()
    g.cli('pipelines', 'runs')
    assert time.monotonic() - begun < 20


if __name__ == '__main__':
    run_scenarios([versions_params_and_refusals, a_cached_step_is_taken_again_and_explained, failing_steps_are_retried_by_hand,
                   a_run_is_followed_and_cancelled, code_comes_from_git_at_a_commit, a_loop_over_branches_is_compared,
                   runs_that_ended_long_ago_are_collected, a_pipeline_is_scheduled, what_the_page_shows_runs, secrets_reach_programs_alone, a_person_is_asked,
                   the_loop_itself_is_steps, who_cancels_a_steps_job_cancels_the_run, a_model_of_another_program_is_registered, what_a_step_prints_takes_only_so_much,
                   commands_without_a_server_work_too])
