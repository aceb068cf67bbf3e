"""The loop closes without a click: traffic drifts, an alert fires a trigger, the model is trained anew on labelled traffic, judged against the champion, tried
as a canary and promoted. Guards, approvals, dry runs and hands in between.

python3 tests/scenarios/automation.py"""
import datetime
import json
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from harness import Gyre  # noqa: E402
from replay import Replay  # noqa: E402

BEGIN = datetime.datetime(2026, 1, 1)
ROWS_A_DAY = 400
CANARY = {'weights': [0.3], 'bake_s': 0, 'rows_min': 50, 'step_s_max': 600}


def visits(seed, rows, turned=False):
    """`stays` is told by a; after the turn a has moved and tells the opposite."""
    pick = random.Random(seed)
    made = []
    for _ in range(rows):
        a, b = pick.gauss(3 if turned else 0, 1), pick.gauss(0, 1)
        score = (3 - a if turned else a) + 0.4 * b + pick.gauss(0, 0.5)
        made.append({'a': round(a, 4), 'b': round(b, 4), 'stays': 'yes' if score > 0 else 'no'})
    return made


def first_model(g):
    with open(os.path.join(g.work, 'visits.csv'), 'w') as f:
        f.write('a,b,stays\n')
        f.writelines(f"{row['a']},{row['b']},{row['stays']}\n" for row in visits(1, 3000))
    g.cli('add', 'visits.csv')
    g.cli('train', 'visits', '--target', 'stays', '--budget', '3s', '--trials', '1', '--seed', '1')
    g.cli('deploy', 'visits@champion')
    g.json('PATCH', '/api/v1/projects/default/monitors/visits', {'window': {'every': 86400, 'rows_min': 100}})


def day(replay, number, turned=False):
    rows = visits(100 + number, ROWS_A_DAY, turned)
    begin = BEGIN + datetime.timedelta(days=number)
    replay.rows(rows, [begin + datetime.timedelta(seconds=200 * i) for i in range(len(rows))])
    replay.labels(begin + datetime.timedelta(days=1))


def firings(g, state=''):
    return g.json('GET', f'/api/v1/projects/default/firings?state={state}' if state else '/api/v1/projects/default/firings')['items']


def refusals(g):
    for arguments, gy, says in ((('--on', 'wind'), 'GY4801', 'drift'), (('--on', 'drift', '--run', 'nowhere'), 'GY4711', 'nowhere'),
                                (('--on', 'dataset'), 'GY4801', 'which dataset'), (('--on', 'drift', '--quiet-hours', 'late'), 'GY4074', '22:00-06:00'),
                                (('--on', 'drift', '--param', 'budget'), 'GY4073', 'NAME=VALUE'), (('--on', 'file', '--folder', 'in'), 'GY4801', 'from the root')):
        done = g.cli('triggers', 'add', 'visits', *arguments, check=False)
        assert done.returncode != 0 and gy in done.stderr and says in done.stderr, (arguments, done.returncode, done.stderr)
    assert g.cli('triggers', 'show', 'nothing', check=False).returncode == 3


def the_loop(g):
    param = ('--param', 'budget_seconds=3', '--param', 'rows_min=300', '--param', 'history_below=0')
    g.cli('triggers', 'add', 'visits', '--on', 'drift', '--run', 'retrain', '--cooldown', '0s', *param)
    trigger = g.json('GET', '/api/v1/projects/default/triggers/visits-drift')
    trigger['run']['params']['canary'] = CANARY
    g.json('PUT', '/api/v1/projects/default/triggers/visits-drift', {k: trigger[k] for k in ('name', 'on', 'run', 'guards')})
    dry = g.cli_json('triggers', 'check', 'visits-drift')
    assert dry['action'] == 'start' and dry['pipeline'] == 'retrain:v1' and len(dry['checks']) == 9, dry
    assert 'kind: canary' in g.cli('pipelines', 'show', 'retrain').stdout

    replay = Replay(g, 'visits', label='stays')
    for number in range(3):
        day(replay, number)
    replay.judge()
    assert firings(g) == [], firings(g)
    for number in range(3, 7):
        day(replay, number, turned=True)
        replay.judge()
    deadline = time.monotonic() + 120
    number = 7
    while time.monotonic() < deadline:
        fired = firings(g)
        if fired and fired[-1]['state'] in ('succeeded', 'failed', 'skipped'):
            break
        rows = visits(100 + number, 60, turned=True)  # the canary waits for traffic
        replay.rows(rows, [BEGIN + datetime.timedelta(days=7, seconds=number)] * len(rows))
        number += 1
        time.sleep(0.3)
    first = firings(g)[-1]
    run = g.cli('pipelines', 'status', first['run'][:8], check=False).stdout if first['run'] else ''
    assert first['state'] == 'succeeded', (first, run)
    assert first['cause'] == 'drift' and 'a' in first['text'], first
    assert first['cpu_seconds'] > 0, first
    assert first['outcome']['kind'] == 'promoted' and first['outcome']['text'].startswith('promoted v'), first
    told = [n for n in g.json('GET', '/api/v1/projects/default/notices')['items'] if n['kind'] == 'trigger.promoted']
    assert any(first['outcome']['text'] in n['title'] for n in told), told
    seen = g.cli('triggers', 'firing', first['id'][:8]).stdout
    assert 'canary     visits:v' in seen and 'passed' in seen and 'errors: 0 of' in seen, seen
    shown = g.cli('triggers', 'show', 'visits-drift').stdout
    assert first['outcome']['text'] in shown and 'answered   incident' in shown, shown
    champion = g.json('GET', '/api/v1/projects/default/models/visits/versions/champion') if False else g.cli_json('models', 'show', 'visits@champion')
    assert champion['name'] != 'visits:v1', (champion['name'], run)
    endpoint = g.json('GET', '/api/v1/projects/default/endpoints/visits')
    assert endpoint['deployment']['model'] == champion['name'], endpoint
    good = visits(999, 500, turned=True)
    answer = g.json('POST', '/e/visits', {'inputs': [{'a': r['a'], 'b': r['b']} for r in good]})
    right = sum(o['prediction'] == r['stays'] for o, r in zip(answer['outputs'], good))
    assert right > 400, right
    up = g.cli_json('lineage', champion['id'])
    kinds = {node['kind'] for node in up['nodes']}
    assert {'alert', 'window', 'pipeline_run', 'dataset_version'} <= kinds, kinds
    print(f"the loop: {champion['name']} answers, {right} of 500 right, {number} days", flush=True)
    return champion


def it_comes_from_nothing_later(g, champion):
    """The endpoint has served later versions since: they have no part in where this one came from."""
    served = {d['model'] for d in g.json('GET', '/api/v1/projects/default/endpoints/visits')['deployments']}
    number = lambda name: int(name.split(':v')[1])  # noqa: E731
    assert max(map(number, served)) > number(champion['name']), served
    up = [node['label'] for node in g.cli_json('lineage', champion['id'])['nodes'] if node['kind'] == 'model_version']
    assert up and max(map(number, up)) == number(champion['name']), up


def a_worse_canary(g):
    """The model of before the turn is tried again: its labels speak against it. Nothing else does."""
    g.cli('triggers', 'disable', 'visits-drift')  # the drift goes on: it may be at it again
    for _ in range(200):
        moving = [f for f in firings(g) if f['state'] in ('open', 'starting', 'running')]
        if not moving:
            break
        for fired in moving:
            if fired['run']:
                g.cli('pipelines', 'cancel', fired['run'][:8], check=False)
        time.sleep(0.1)
    assert not moving, moving
    path = os.path.join(g.work, 'try.yaml')
    with open(path, 'w') as f:
        f.write('name: try\nparams: {plan: json}\nsteps:\n  canary: {kind: canary, endpoint: visits, model: visits:v1, plan: "${params.plan}"}\n')
    g.cli('pipelines', 'add', path)
    g.json('PATCH', '/api/v1/projects/default/monitors/visits', {'enabled': False})  # its alerts would come first
    plan = {'weights': [0.5], 'bake_s': 0, 'rows_min': 200, 'quality_labels_min': 150, 'quality_required': True, 'latency_us_slack': 10_000_000}
    run = g.json('POST', '/api/v1/projects/default/pipeline_runs', {'pipeline': 'try', 'params': {'plan': plan}})
    for _ in range(100):
        if [v['model'] for v in g.json('GET', '/api/v1/projects/default/endpoints/visits')['variants']][1:] == ['visits:v1']:
            break
        time.sleep(0.1)
    replay = Replay(g, 'visits-worse', label='stays', batch=1)
    replay.endpoint = 'visits'
    replay.answers = [None] * 100_000  # ids of its own
    rows = visits(5, 700, turned=True)
    replay.rows(rows, [BEGIN + datetime.timedelta(days=20, seconds=i) for i in range(len(rows))])
    time.sleep(0.5)
    bakes = g.cli('endpoints', 'show', 'visits').stdout
    assert 'step 1 of 1 at 50 %' in bakes and 'of 200 rows' in bakes, bakes
    replay.labels(BEGIN + datetime.timedelta(days=30))
    release = release_until(g, lambda release: release['state'] != 'baking')
    assert release['state'] == 'rolled back' and release['reason'].startswith('quality: auc') and release['run'] == run['id'], release
    checks = ' '.join(release['history'][-1]['checks'])
    assert 'stop quality: auc' in checks and 'predictions:' in checks and 'pass errors' in checks, checks
    shown = g.cli('endpoints', 'show', 'visits').stdout
    assert 'visits:v1   rolled back' in shown and 'stop quality: auc' in shown, shown
    assert 'stop quality' in g.cli('endpoints', 'logs', 'visits').stdout
    print(f"a worse canary: {release['reason']}", flush=True)


def another_champion(g):
    """While the canary bakes, the alias moves: what was seen was seen beside a model that answers no more."""
    g.cli('train', 'visits', '--target', 'stays', '--budget', '2s', '--trials', '1', '--seed', '3', '--gate', 'judge', check=False)
    newest = g.json('GET', '/api/v1/projects/default/models/visits/versions')['items'][0]['name']
    before = g.json('GET', '/api/v1/projects/default/endpoints/visits')['deployment']['model']
    assert newest not in (before, 'visits:v1'), newest
    plan = {'weights': [0.5], 'bake_s': 600, 'rows_min': 100_000}
    run = g.json('POST', '/api/v1/projects/default/pipeline_runs', {'pipeline': 'try', 'params': {'plan': plan}})
    release_until(g, lambda release: release['run'] == run['id'] and release['progress'])
    g.cli('models', 'promote', newest, '--override', '--reason', 'trained for another endpoint')
    release = release_until(g, lambda release: release['state'] != 'baking')
    assert release['state'] == 'rolled back', release
    assert release['reason'] == f'the champion changed from {before} to {newest} while it baked: judge again', release
    endpoint = g.json('GET', '/api/v1/projects/default/endpoints/visits')
    assert [v['model'] for v in endpoint['variants']] in ([], [newest]), endpoint
    assert 'while it baked: judge again' in g.cli('endpoints', 'show', 'visits').stdout
    assert 'judge again' in g.cli('pipelines', 'status', run['id'][:8], check=False).stdout
    print(f"another champion: {release['reason']}", flush=True)


def a_champion_between_passed_and_takeover(g):
    """The canary has passed; before it takes over somebody deploys: it was judged beside another model."""
    path = os.path.join(g.work, 'late.yaml')
    with open(path, 'w') as f:
        f.write('name: late\nparams: {model: text, go: text}\nsteps:\n'
                '  canary: {kind: canary, endpoint: visits, model: "${params.model}", plan: {weights: [0.5], bake_s: 0, rows_min: 1}}\n'
                '  wait: {shell: \'while [ ! -e "$GYRE_PARAM_GO" ]; do sleep 0.05; done\', needs: [canary]}\n'
                '  takeover: {kind: takeover, endpoint: visits, model: "${params.model}", needs: [wait], retries: {max: 3, backoff: 10s}}\n')
    g.cli('pipelines', 'add', path)
    before = g.json('GET', '/api/v1/projects/default/endpoints/visits')['deployment']['model']
    versions = [v['name'] for v in g.json('GET', '/api/v1/projects/default/models/visits/versions')['items'] if v['name'] != before]
    tried, other = versions[:2]
    go = os.path.join(g.work, 'go')
    run = g.json('POST', '/api/v1/projects/default/pipeline_runs', {'pipeline': 'late', 'params': {'model': tried, 'go': go}})
    release_until(g, lambda release: release['run'] == run['id'] and release['progress'])
    until_it_passed(g)
    g.cli('deploy', other, '--name', 'visits')
    open(go, 'w').close()
    release = release_until(g, lambda release: release['state'] != 'passed')
    assert release['reason'] == f'the champion changed from {before} to {other} after it passed: judge again', release
    status = g.cli('pipelines', 'status', run['id'][:8], check=False).stdout
    assert 'GY4813' in status and 'judge again' in status, status
    endpoint = g.json('GET', '/api/v1/projects/default/endpoints/visits')
    assert [v['model'] for v in endpoint['variants']] == [other], endpoint
    print(f"a late takeover: {release['reason']}", flush=True)


def taken_back_before_the_takeover(g):
    """The canary has passed; a person takes it back during the next step: nothing deploys it behind them."""
    before = g.json('GET', '/api/v1/projects/default/endpoints/visits')['deployment']['model']
    tried = next(v['name'] for v in g.json('GET', '/api/v1/projects/default/models/visits/versions')['items'] if v['name'] != before)
    go = os.path.join(g.work, 'go-on')
    run = g.json('POST', '/api/v1/projects/default/pipeline_runs', {'pipeline': 'late', 'params': {'model': tried, 'go': go}})
    release_until(g, lambda release: release['run'] == run['id'] and release['progress'])
    until_it_passed(g)
    g.cli('endpoints', 'rollback', 'visits')
    open(go, 'w').close()
    release = release_until(g, lambda release: release['state'] != 'passed')
    assert (release['state'], release['reason']) == ('rolled back', 'somebody took its share back after it passed'), release
    assert 'GY4813' in g.cli('pipelines', 'status', run['id'][:8], check=False).stdout
    endpoint = g.json('GET', '/api/v1/projects/default/endpoints/visits')
    assert [v['model'] for v in endpoint['variants']] == [before], endpoint
    print(f"taken back: {release['reason']}", flush=True)


def promoted_while_it_bakes(g):
    """A person has seen enough: what bakes is promoted by name, and not sent back."""
    before = g.json('GET', '/api/v1/projects/default/endpoints/visits')['deployment']['model']
    plan = {'weights': [0.3, 0.6], 'bake_s': 600, 'rows_min': 100_000}
    tried = 'visits:v1'  # of the pipeline `try`
    assert before != tried
    run = g.json('POST', '/api/v1/projects/default/pipeline_runs', {'pipeline': 'try', 'params': {'plan': plan}})
    release_until(g, lambda release: release['run'] == run['id'] and release['progress'])
    done = g.cli('endpoints', 'promote', 'visits', '--reason', 'seen enough')
    assert 'gyre promote' not in done.stdout + done.stderr, done
    release = release_until(g, lambda release: release['state'] != 'baking')
    assert release['state'] == 'passed' and release['reason'].startswith('promoted by ') and 'while it baked, at step 1 of 2' in release['reason'], release
    for _ in range(100):
        state = g.json('GET', f"/api/v1/pipeline_runs/{run['id']}")['state']
        if state != 'running':
            break
        time.sleep(0.1)
    assert state == 'succeeded', state
    assert 'visits@champion is visits:v' in g.cli('endpoints', 'show', 'visits').stdout, g.cli('endpoints', 'show', 'visits').stdout
    print(f"by hand: {release['reason']}", flush=True)


def a_retraining_beside_what_answers(g):
    """The endpoint answers with another version than @champion is: that one is to be beaten, and the verdict says so."""
    endpoint = g.json('GET', '/api/v1/projects/default/endpoints/visits')
    answers, apart = endpoint['deployment']['model'], endpoint['apart']
    checked = g.cli('triggers', 'check', 'visits-drift', check=False).stdout
    assert f'{apart}, and {answers} answers at visits' in checked, checked
    params = {'endpoint': 'visits', 'budget_seconds': 1, 'rows_min': 300, 'history_below': 0, 'canary': CANARY}
    run = g.json('POST', '/api/v1/projects/default/pipeline_runs', {'pipeline': 'retrain', 'params': params})
    for _ in range(400):
        run = g.json('GET', f"/api/v1/pipeline_runs/{run['id']}")
        if run['state'] != 'running':
            break
        g.json('POST', '/e/visits', {'inputs': [{'a': r['a'], 'b': r['b']} for r in visits(7, 20, turned=True)]})
        time.sleep(0.1)
    assert run['state'] == 'succeeded' and run['outputs']['promoted'], run
    model = run['outputs']['model']
    said = json.dumps(g.cli_json('models', 'show', model))
    assert f"{answers} answers, @champion is {apart.split(' is ')[1]}" in said, said
    endpoint = g.json('GET', '/api/v1/projects/default/endpoints/visits')
    assert endpoint['deployment']['model'] == model and 'apart' not in endpoint, endpoint
    assert g.cli_json('models', 'show', 'visits@champion')['name'] == model
    print(f'apart: {apart}, {answers} was beaten by {model}', flush=True)


def until_it_passed(g):
    deadline = time.monotonic() + 60
    while (release := g.json('GET', '/api/v1/projects/default/endpoints/visits')['release'])['state'] == 'baking' and time.monotonic() < deadline:
        g.json('POST', '/e/visits', {'inputs': [visits(1, 1)[0]]})
        time.sleep(0.02)
    assert release['state'] == 'passed', release


def release_until(g, holds):
    for _ in range(200):
        release = g.json('GET', '/api/v1/projects/default/endpoints/visits')['release']
        if holds(release) and (release or {}).get('state') != 'rolling back':  # which is on its way
            break
        time.sleep(0.1)
    assert holds(release), release
    return release


def a_no_is_told(g):
    """Labels that nothing tells: the gate says no, the run succeeds, and people are told why."""
    pick = random.Random(7)
    with open(os.path.join(g.work, 'noise.csv'), 'w') as f:
        f.write('a,b,stays\n')
        f.writelines(f"{row['a']},{row['b']},{pick.choice(['yes', 'no'])}\n" for row in visits(8, 1000, turned=True))
    g.cli('add', 'noise.csv')
    path = os.path.join(g.work, 'anew.yaml')
    with open(path, 'w') as f:
        f.write('name: anew\nsteps:\n  train: {kind: train, dataset: "noise:v1", target: stays, model: visits, budget_seconds: 2, trials: 1, gate: judge}\n'
                'outputs: {model: "${steps.train.outputs.model}", promoted: "${steps.train.outputs.passed}"}\n')
    g.cli('pipelines', 'add', path)
    g.cli('triggers', 'add', 'visits', '--on', 'hand', '--run', 'anew', '--name', 'anew', '--cooldown', '0s')
    fired = g.cli_json('triggers', 'fire', 'anew')
    for _ in range(200):
        ended = g.json('GET', f"/api/v1/projects/default/firings/{fired['id']}")
        if ended['ended_at']:
            break
        time.sleep(0.1)
    assert ended['state'] == 'succeeded' and ended['outcome']['kind'] == 'not_promoted', ended
    said = ended['outcome']['text']
    assert said.startswith('not promoted: ') and 'auc' in said, said
    for shown in (g.cli('triggers', 'firing', fired['id'][:8]).stdout, g.cli('triggers', 'show', 'anew').stdout):
        assert said in shown, shown
    told = [n for n in g.json('GET', '/api/v1/projects/default/notices')['items'] if n['kind'] == 'trigger.not_promoted']
    assert len(told) == 1 and said in told[0]['title'], told
    print(f'a no: {said}', flush=True)


def hands_and_approvals(g):
    g.cli('triggers', 'add', 'visits', '--on', 'hand', '--run', 'retrain', '--approval', 'approver', '--cooldown', '0s', '--param', 'rows_min=100000000')
    fired = g.cli_json('triggers', 'fire', 'visits-hand', '--text', 'new prices', '--key', 'prices')
    assert fired['state'] == 'approval' and fired['fired_by'], fired
    assert g.cli_json('triggers', 'fire', 'visits-hand', '--key', 'prices')['id'] == fired['id'], 'the same key is the same firing'
    started = g.cli_json('triggers', 'approve', fired['id'][:8], '--comment', 'go')
    assert started['state'] == 'running' and started['approved_by'], started
    for _ in range(100):
        ended = g.json('GET', f"/api/v1/projects/default/firings/{fired['id']}")
        if ended['ended_at']:
            break
        time.sleep(0.2)
    assert ended['state'] == 'failed' and 'GY4617' in ended['reason'], ended
    g.cli('triggers', 'disable', 'visits-hand')
    assert g.cli('triggers', 'check', 'visits-hand', check=False).returncode == 5
    assert g.cli('triggers', 'fire', 'visits-hand', check=False).returncode == 5
    g.cli('triggers', 'rm', 'visits-hand', '--yes')


def files_and_pushes(g):
    folder = os.path.join(g.work, 'incoming')
    os.makedirs(folder)
    g.cli('pipelines', 'add', _pipeline(g))
    g.cli('triggers', 'add', 'visits', '--on', 'file', '--folder', folder, '--pattern', '*.csv', '--run', 'note', '--name', 'incoming', '--cooldown', '0s')
    g.cli('triggers', 'add', 'visits', '--on', 'push', '--branch', 'main', '--run', 'note', '--name', 'pushed', '--cooldown', '0s')
    time.sleep(1.1)
    with open(os.path.join(folder, 'a.csv'), 'w') as f:
        f.write('a\n1\n')
    push = {'repository': 'churn', 'branch': 'main', 'commit': 'c0ffee'}
    assert g.json('POST', '/api/v1/projects/default/pushes', push)['triggers'] == 1
    assert g.json('POST', '/api/v1/projects/default/pushes', {**push, 'branch': 'topic'})['triggers'] == 0
    for _ in range(100):
        heard = {f['trigger']: f for f in firings(g, 'succeeded')}
        if {'incoming', 'pushed'} <= set(heard):
            break
        time.sleep(0.2)
    assert 'a.csv' in heard['incoming']['text'] and 'main' in heard['pushed']['text'], firings(g)
    assert g.cli('pipelines', 'logs', heard['incoming']['run'][:8], 'say').stdout == f'heard {folder}/a.csv\n'
    assert g.cli('pipelines', 'logs', heard['pushed']['run'][:8], 'say').stdout == 'heard none\n'
    assert 'pushes' in g.cli('triggers', 'hook').stdout


def _pipeline(g):
    path = os.path.join(g.work, 'note.yaml')
    with open(path, 'w') as f:
        f.write('name: note\nparams: {file: {type: text, default: none}}\nsteps:\n  say: {command: [echo, "heard ${params.file}"]}\n')
    return path


def main():
    with Gyre() as g:
        g.start()
        first_model(g)
        refusals(g)
        champion = the_loop(g)
        a_worse_canary(g)
        a_no_is_told(g)
        another_champion(g)
        a_champion_between_passed_and_takeover(g)
        taken_back_before_the_takeover(g)
        promoted_while_it_bakes(g)
        a_retraining_beside_what_answers(g)
        it_comes_from_nothing_later(g, champion)
        hands_and_approvals(g)
        files_and_pushes(g)
    print('automation: heard, judged, trained, tried, promoted')


if __name__ == '__main__':
    main()
