"""Everything that a trigger can listen to fires one run, which says what triggered it; every guard holds one back and says why; what cannot work is refused when
it is written down.

python3 tests/scenarios/triggers.py [scenario ...]"""
import datetime
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from harness import GYRE, run_scenarios  # noqa: E402
from replay import Replay  # noqa: E402
from scenarios.automation import day, first_model, visits  # noqa: E402

P = '/api/v1/projects/default'
PIPELINES = {
    'note': 'name: note\nparams: {about: {type: text, default: ""}}\nsteps:\n  say: {command: [echo, hello]}\n',
    'slow': 'name: slow\nsteps:\n  rest: {command: [sleep, "60"]}\n',
    'busy': 'name: busy\nsteps:\n  spin: {shell: "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"}\n',
    'bad': 'name: bad\nsteps:\n  fail: {shell: "echo no space on the moon >&2; exit 7"}\n',
    'learn': 'name: learn\nparams: {endpoint: text}\nsteps:\n  say: {command: [echo, "${params.endpoint}"]}\n'}


def pipelines(g, *names):
    for name in names:
        path = os.path.join(g.work, name + '.yaml')
        with open(path, 'w') as f:
            f.write(PIPELINES[name])
        g.cli('pipelines', 'add', path)


def add(g, name, *arguments, run='note', on='webhook', cooldown='0s'):
    g.cli('triggers', 'add', 'visits', '--on', on, '--name', name, '--run', run, '--cooldown', cooldown, *arguments)


def call(g, name, hand=False):
    """As a program, or as a person."""
    return g.cli_json('triggers', 'fire', name, *([] if hand else ['--webhook']), check=False)


def firings(g, trigger):
    return g.json('GET', f'{P}/firings?trigger={trigger}')['items']


def fired(g, trigger, state='succeeded', seconds=30):
    """The one firing of that trigger, at its end, and its run."""
    deadline = time.monotonic() + seconds
    while True:
        items = firings(g, trigger)
        if items and items[0]['ended_at']:
            break
        assert time.monotonic() < deadline, (trigger, items)
        time.sleep(0.1)
    assert len(items) == 1 and items[0]['state'] == state, items
    run = g.json('GET', f"/api/v1/pipeline_runs/{items[0]['run']}")
    assert run['triggered_by'] == f"trigger {trigger}: {items[0]['text']}", (run['triggered_by'], items[0]['text'])
    return items[0], run


def a_form_calls_too(g):
    """What calls a webhook often sends a form; anything else is told both ways."""
    g.start()
    pipelines(g, 'note')
    add(g, 'called')
    path = f'{P}/triggers/called/fire'
    form = g.http('POST', path, 'webhook=true&text=build%20done+now&key=7', {'Content-Type': 'application/x-www-form-urlencoded'})
    assert form.status == 201, form.body
    assert form.json()['cause'] == 'webhook' and form.json()['text'] == 'build done now', form.json()
    again = g.json('POST', path, {'webhook': True, 'key': '7'})
    assert again['id'] == form.json()['id']
    other = g.http('POST', path, '<x/>', {'Content-Type': 'text/xml'})
    assert other.status == 415 and b'application/json' in other.body and b'form' in other.body, (other.status, other.body)
    wrong = g.http('POST', path, 'colour=red', {'Content-Type': 'application/x-www-form-urlencoded'})
    assert wrong.status == 400 and b'colour' in wrong.body, (wrong.status, wrong.body)


def what_traffic_tells(g):
    """Drift, performance, a goal of the project and lost values, each by its own alert."""
    g.start()
    first_model(g)
    pipelines(g, 'note', 'learn')
    g.cli('projects', 'edit', 'default', '--kpi', 'accuracy >= 0.8')
    for cause in ('drift', 'performance', 'kpi', 'quality'):
        g.json('POST', f'{P}/triggers', {'name': f'on-{cause}', 'on': {'kind': cause, 'endpoint': 'visits'}, 'run': {'pipeline': 'note'},
                                         'guards': {'cooldown_s': 0, 'runs_per_day_max': 0, 'one_at_a_time': False}})
    replay = Replay(g, 'visits', label='stays')
    for number in range(2):
        day(replay, number)
    replay.judge()
    assert g.json('GET', f'{P}/firings')['items'] == []
    for number in range(2, 6):
        day(replay, number, turned=True)
    replay.judge()
    heard(g, (('drift', 'visits:'), ('performance', 'visits:'), ('kpi', 'accuracy >= 0.8'), ('quality', 'visits:data_quality')))
    for number in range(6, 9):
        begin = datetime.datetime(2026, 1, 1) + datetime.timedelta(days=number)
        rows = [{**row, 'b': None} for row in visits(number, 400, turned=True)]
        replay.rows(rows, [begin + datetime.timedelta(seconds=200 * i) for i in range(len(rows))])
    replay.judge()
    # While values are lost nothing is learned from them, whatever asks; and a trigger about something else goes on.
    add(g, 'learns', '--param', 'endpoint=visits', run='learn')
    held = call(g, 'learns')
    assert (held['state'], held['guard']) == ('skipped', 'quality') and 'data_quality' in held['reason'], held
    add(g, 'notes')
    call(g, 'notes')
    fired(g, 'notes')


def heard(g, expected):
    for cause, says in expected:
        deadline = time.monotonic() + 30
        while not any(f['state'] == 'succeeded' for f in firings(g, f'on-{cause}')):
            assert time.monotonic() < deadline, (cause, firings(g, f'on-{cause}'))
            time.sleep(0.1)
        first = [f for f in firings(g, f'on-{cause}') if f['run']][-1]
        run = g.json('GET', f"/api/v1/pipeline_runs/{first['run']}")
        assert first['cause'] == cause and says in first['text'], first
        assert run['triggered_by'] == f"trigger on-{cause}: {first['text']}", run


def what_happens_elsewhere(g):
    """A schedule, a dataset, a file, a push by a real hook, an alias, a call, a hand."""
    g.start()
    first_model(g)
    pipelines(g, 'note')
    slips_are_refused(g)
    folder = os.path.join(g.work, 'incoming')
    os.makedirs(folder)
    add(g, 'data', '--dataset', 'visits', on='dataset')
    add(g, 'file', '--folder', folder, '--pattern', '*.csv', on='file')
    add(g, 'push', '--repository', 'shop', '--branch', 'main', on='push')
    add(g, 'alias', '--model', 'visits', '--alias', 'staging', on='registry')
    add(g, 'call')
    add(g, 'hand', on='hand')
    add(g, 'timer', '--at', 'every 2s', '--cooldown', '1h', on='schedule')

    with open(os.path.join(g.work, 'visits.csv'), 'a') as f:
        f.write('1,1,yes\n')
    g.cli('add', 'visits.csv')
    with open(os.path.join(folder, 'a.csv'), 'w') as f:
        f.write('a\n1\n')
    push(g)
    g.cli('models', 'promote', 'visits:v1', '--alias', 'staging', '--override', '--reason', 'to look at')
    shown = g.cli('triggers', 'show', 'call').stdout
    assert f':{g.port}{P}/triggers/call/fire' in shown and "curl -H 'Content-Type: application/json'" in shown, shown
    g.json('POST', f'{P}/triggers/call/fire', {'webhook': True, 'key': 'order 7'})
    g.json('POST', f'{P}/triggers/call/fire', {'webhook': True, 'key': 'order 7'})  # told twice
    call(g, 'hand', hand=True)
    for name, cause, says in (('data', 'dataset', 'visits:v2'), ('file', 'file', 'a.csv'), ('push', 'push', 'push to main of shop'),
                              ('alias', 'registry', '@staging'), ('call', 'webhook', 'called by'), ('hand', 'hand', 'fired by')):
        firing, _ = fired(g, name)
        assert firing['cause'] == cause and says in firing['text'], firing
    deadline = time.monotonic() + 10
    while not (due := firings(g, 'timer')):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert due[-1]['cause'] == 'schedule' and due[-1]['text'].startswith('due at '), due
    g.cli('triggers', 'disable', 'timer')


def push(g):
    repository = os.path.join(g.work, 'shop')
    environment = {**g.environment, 'PATH': os.path.dirname(os.path.abspath(GYRE)) + ':' + os.environ['PATH'], 'GIT_CONFIG_GLOBAL': '/dev/null'}

    def git(*arguments):
        subprocess.run(['git', '-c', 'user.name=ann', '-c', 'user.email=ann@example.org', *arguments], cwd=repository, check=True, env=environment,
                       capture_output=True)
    os.makedirs(repository)
    git('init', '-b', 'main')
    hook = os.path.join(repository, '.git', 'hooks', 'post-commit')
    with open(hook, 'w') as f:
        f.write(g.cli('triggers', 'hook').stdout)
    os.chmod(hook, 0o755)
    git('commit', '--allow-empty', '-m', 'a change')


def guards_hold(g):
    g.start()
    pipelines(g, *(name for name in PIPELINES if name != 'learn'))

    def told(name, first, second):
        """What the guards say to the first call and to the second."""
        assert call(g, name)['state'] in first, firings(g, name)
        deadline = time.monotonic() + 20
        while first == ('running', 'succeeded') and not firings(g, name)[0]['ended_at']:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        held = call(g, name)
        assert (held['state'], held['guard']) == second, held
        assert len(held['checks']) == 9, held
    begun = ('running', 'succeeded')
    add(g, 'cool', cooldown='1h')
    told('cool', begun, ('skipped', 'cooldown'))
    add(g, 'twice', '--runs-per-day', '1')
    told('twice', begun, ('skipped', 'runs a day'))
    add(g, 'poor', '--cpu-per-month', '1ms', run='busy')
    dry = g.cli('triggers', 'check', 'poor').stdout
    assert 'now it would start' in dry and 'its cost is not known' in dry, dry
    told('poor', begun, ('skipped', 'budget'))
    dry = g.cli('triggers', 'check', 'poor', check=False)
    assert dry.returncode == 5 and 'of CPU each' in dry.stdout, dry.stdout

    now = datetime.datetime.now(datetime.timezone.utc)
    quiet = '{:%H:%M}-{:%H:%M}'.format(now - datetime.timedelta(hours=1), now + datetime.timedelta(hours=1))
    add(g, 'quiet', '--quiet-hours', quiet)
    add(g, 'elsewhere', '-q', '--quiet-hours', quiet + '@Asia/Tokyo')  # there it is another time
    assert [(f['state'], f['guard']) for f in [call(g, 'quiet')]] == [('waiting', 'quiet hours')]
    assert call(g, 'elsewhere')['state'] in begun
    assert call(g, 'quiet', hand=True)['state'] in begun, 'a person is awake'

    # A person's run of the same pipeline is waited for.
    run = g.cli_json('pipelines', 'run', 'slow')
    add(g, 'beside', run='slow')
    held = call(g, 'beside')
    assert (held['state'], held['guard']) == ('waiting', 'one at a time') and run['id'][:8] in held['reason'], held
    g.cli('pipelines', 'cancel', run['id'][:8])
    add(g, 'asks', '--approval', 'approver')
    assert call(g, 'asks')['state'] == 'approval'
    assert 'first an approver is asked' in g.cli('triggers', 'check', 'asks').stdout


def a_failure_is_told(g):
    g.start()
    pipelines(g, 'bad')
    add(g, 'fails', run='bad')
    call(g, 'fails')
    firing, _ = fired(g, 'fails', state='failed')
    assert 'no space on the moon' in firing['reason'], firing
    shown = g.cli('triggers', 'show', 'fails').stdout
    assert 'failed' in shown and 'no space on the moon' in shown, shown
    notices = [n for n in g.json('GET', f'{P}/notices')['items'] if n['kind'] == 'trigger.failed']
    assert len(notices) == 1 and 'no space on the moon' in notices[0]['text'] and 'fails' in notices[0]['title'], notices
    for _ in range(2):
        call(g, 'fails')
        deadline = time.monotonic() + 10
        while not firings(g, 'fails')[0]['ended_at']:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    held = call(g, 'fails')
    assert (held['state'], held['guard']) == ('skipped', 'failures'), held
    call(g, 'fails')
    asked = [n['title'] for n in g.json('GET', f'{P}/notices')['items'] if n['kind'] == 'trigger.stopped']
    assert asked == ['trigger fails starts nothing until somebody has looked'], asked


def slips_are_refused(g):
    near = 'did you mean `visits`?'
    for subject, arguments, gy, says in (
            ('vists', ('--on', 'drift'), 'GY4811', near),
            ('vists', ('--on', 'schedule', '--at', 'every 1h'), 'GY4811', near),
            ('visits', ('--on', 'dataset', '--dataset', 'vists'), 'GY4811', near),
            ('visits', ('--on', 'registry', '--model', 'visit'), 'GY4811', near),
            ('visits', ('--on', 'file', '--folder', '/no/such/folder'), 'GY4812', '/no/such/folder'),
            ('visits', ('--on', 'drift', '--param', 'budget_second=3'), 'GY4705', 'did you mean `budget_seconds`?'),
            ('visits', ('--on', 'drift', '--param', 'budget_seconds=soon'), 'GY4705', 'number'),
            ('visits', ('--on', 'drift', '--run', 'note', '--param', 'abuot=x'), 'GY4705', 'did you mean `about`?')):
        done = g.cli('triggers', 'add', subject, *arguments, check=False)
        assert done.returncode != 0 and gy in done.stderr and says in done.stderr, (subject, arguments, done.stderr)
    assert g.json('GET', f'{P}/triggers')['items'] == []
    add(g, 'numbers', '--param', 'about="5"')
    assert g.json('GET', f'{P}/triggers/numbers')['run']['params'] == {'about': '5'}


if __name__ == '__main__':
    run_scenarios([what_traffic_tells, what_happens_elsewhere, guards_hold, a_failure_is_told, a_form_calls_too])
