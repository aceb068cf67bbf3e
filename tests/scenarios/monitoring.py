"""A deployed model is watched: stable traffic is quiet, shifted columns are named and alert, labels bring performance, people take note, restarts forget nothing."""
import datetime
import json
import os
import random
import re
import sqlite3
import subprocess
import time

from harness import run_scenarios

ROWS = 400  # of an hour
BEGIN = datetime.datetime(2026, 3, 2)
# `tools/deps test` fetches it.
PROMTOOL = os.environ.get('GYRE_TEST_PROMTOOL') or os.path.expanduser('~/.cache/gyre-deps/bin/promtool')
PLANS = ['basic', 'plus', 'pro', 'team']

RULES_TEST = """
rule_files: [rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: 'gyre_alert_state{endpoint="churn", monitor="churn", signal="drift"}'
        values: '0 1 2 2 0'
      - series: 'gyre_alert_state{endpoint="churn", monitor="churn", signal="kpi"}'
        values: '0 0 0 2 2'
    alert_rule_test:
      - eval_time: 1m
        alertname: GyreAlertFiring
      - eval_time: 2m
        alertname: GyreAlertFiring
        exp_alerts:
          - exp_labels: {severity: warning, endpoint: churn, monitor: churn, signal: drift}
            exp_annotations: {summary: drift of endpoint churn, description: 'gyre alerts show churn:drift'}
      - eval_time: 3m
        alertname: GyreModelPerformance
        exp_alerts:
          - exp_labels: {severity: critical, endpoint: churn, monitor: churn, signal: kpi}
            exp_annotations: {summary: the model behind churn answers worse than promised, description: gyre monitors show churn}
"""


def row_of(rng, shifted=False, broken=False):
    age, income = rng.gauss(40, 10), rng.lognormvariate(10, 0.4)
    calls = rng.randint(0, 9)
    plan = PLANS[int(4 * rng.random() ** (3 if shifted else 1))]
    if shifted:
        age += 9
    row = {'age': round(age, 1), 'income': None if broken else round(income), 'calls': calls, 'plan': plan}
    # What is true of a row: after the shift the world also answers otherwise.
    drive = 0.5 * (calls - 4.5) + (0.08 * (age - 40) if not shifted else -0.08 * (age - 49)) + (1 if plan == 'pro' else 0)
    return row, 'yes' if rng.random() < 1 / (1 + 2.718281828 ** -drive) else 'no'


class World:
    """Traffic of one hour after another; remembers what is true."""

    def __init__(self, g, seed=7):
        self.g, self.rng, self.hour, self.truth = g, random.Random(seed), 0, []

    def hours(self, count, **how):
        for _ in range(count):
            rows = [row_of(self.rng, **how) for _ in range(ROWS)]
            begin = BEGIN + datetime.timedelta(hours=self.hour)
            times = [(begin + datetime.timedelta(seconds=int(i * 3600 / ROWS))).isoformat() + 'Z' for i in range(ROWS)]
            ids = [f'{self.hour}-{i}' for i in range(ROWS)]
            answer = self.g.http('POST', '/e/churn', {'inputs': [row for row, _ in rows], 'event_times': times, 'inference_ids': ids})
            assert answer.status == 200, answer.body[:500]
            self.truth += [(name, label) for name, (_, label) in zip(ids, rows)]
            self.hour += 1

    def send_labels(self):
        self.g.json('POST', '/api/v1/projects/default/endpoints/churn/feedback',
                    {'rows': [{'inference_id': name, 'label': label} for name, label in self.truth]})
        self.truth = []


def start(g, seconds='0.2s'):
    g.start(environment={'GYRE_MONITORING_EVERY': seconds, 'GYRE_CAPTURE_SEAL': seconds})


def deployed(g):
    rng = random.Random(1)
    with open(os.path.join(g.work, 'churn.csv'), 'w') as f:
        f.write('age,income,calls,plan,churned\n')
        for _ in range(4000):
            row, label = row_of(rng)
            f.write(','.join(str(v) for v in row.values()) + f',{label}\n')
    start(g)
    g.cli('projects', 'edit', 'default', '--kpi', 'auc >= 0.75')
    g.cli('add', 'churn.csv', '--name', 'churn')
    g.cli('train', 'churn', '--target', 'churned', '--trials', '2')
    done = g.cli('deploy', 'churn@champion')
    assert re.search(r'watched: every 1h, at least 500 rows', done.stdout), done.stdout
    g.cli('monitors', 'edit', 'churn', '--every', '1h', '--rows-min', '200')
    return World(g)


def judged(g, windows):
    """Once so many windows are judged by the server itself."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        monitor = g.json('GET', '/api/v1/projects/default/monitors/churn')
        if monitor['windows'] >= windows:
            return monitor
        time.sleep(0.05)
    raise AssertionError(f'{windows} windows are not judged: {json.dumps(monitor)[:2000]}')


def alert(g, name):
    return next((a for a in g.json('GET', '/api/v1/projects/default/alerts?all=true')['items'] if a['name'] == name), None)


def events(g, kind):
    return [e for e in reversed(g.json('GET', f'/api/v1/events?kind={kind}')['items'])]


def drift_is_named_and_alerts_and_labels_bring_performance(g):
    world = deployed(g)
    world.hours(6)
    monitor = judged(g, 5)
    assert monitor['firing'] == 0 and not events(g, 'alert.'), monitor['alerts']
    assert all(w['rows'] == ROWS for w in monitor['judged'])
    assert g.cli('monitors', 'check', 'churn').returncode == 0

    world.hours(1, shifted=True)
    world.hours(1, shifted=True)
    monitor = judged(g, 7)
    first = next(w for w in monitor['judged'] if w['number'] == 7)
    assert sorted(c['name'] for c in first['columns']) == ['age', 'plan'], first['columns']
    assert alert(g, 'churn:drift')['state'] == 'pending'
    world.hours(1, shifted=True)
    judged(g, 8)
    drift = alert(g, 'churn:drift')
    assert drift['state'] == 'firing' and sorted(drift['columns']) == ['age', 'plan'], drift
    (event,) = [e for e in events(g, 'alert.firing') if e['payload']['signal'] == 'drift']
    assert event['subject'] == drift['window'] and sorted(event['payload']['columns']) == ['age', 'plan'], event
    assert event['payload']['endpoint'] == 'churn' and event['payload']['model'] == 'churn:v1', event
    assert g.cli('monitors', 'check', 'churn', check=False).returncode == 5
    lineage = g.cli('lineage', drift['incident']).stdout
    assert 'window churn/window-8' in lineage and 'endpoint churn' in lineage and 'model_version churn:v1' in lineage, lineage
    shown = g.cli('monitors', 'show', 'churn').stdout
    assert 'age, plan' in shown or 'plan, age' in shown, shown
    print(shown)

    told = [n for n in g.json('GET', '/api/v1/projects/default/notices')['items'] if n['kind'] == 'alert.firing' and 'churn:drift' in n['title']]
    assert len(told) == 1 and 'age, plan' in told[0]['title'].replace('plan, age', 'age, plan'), told

    # Labels come late: earlier windows are judged again, and performance has fallen since the shift.
    before = g.json('GET', f"/api/v1/projects/default/windows/{first['id']}")
    assert before['labelled'] == 0 and not before['performance'] and before['estimate'], before
    world.hours(1, shifted=True)
    world.send_labels()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and (alert(g, 'churn:kpi') or {}).get('state') != 'firing':
        time.sleep(0.1)
    assert alert(g, 'churn:kpi')['state'] == 'firing', alert(g, 'churn:kpi')
    assert alert(g, 'churn:performance')['state'] == 'firing', alert(g, 'churn:performance')
    assert 'auc >= 0.75' in alert(g, 'churn:kpi')['what'], alert(g, 'churn:kpi')
    after = g.json('GET', f"/api/v1/projects/default/windows/{first['id']}")
    assert after['labelled'] == ROWS and after['state'] == 'final' and after['revision'] == 2, after
    assert sorted(after['attributions']) == ['age', 'calls', 'income', 'plan'] and after['attributions']['calls'] > after['attributions']['income'], after['attributions']
    assert after['revisions'][0]['labelled'] == 0 and after['performance'][0]['model'] == 'churn:v1'

    # People take note; a restart keeps all of it.
    g.cli('alerts', 'ack', 'churn:drift')
    g.cli('alerts', 'snooze', 'churn:kpi', '--for', '4h')
    g.stop()
    start(g)
    assert alert(g, 'churn:drift')['acked_by'] and alert(g, 'churn:kpi')['snoozed_until']
    metrics = g.http('GET', '/metrics').body.decode()
    assert re.search(r'gyre_alert_state\{.*signal="drift".*\} 2', metrics), metrics[-2000:]
    history = g.cli('alerts', 'show', 'churn:drift').stdout
    assert 'acknowledged by' in history, history
    print(history)
    print(g.cli('monitors', 'show', 'churn').stdout)
    world.hours(4)
    judged(g, 13)
    assert alert(g, 'churn:drift')['state'] == 'ok'
    assert [e['payload']['signal'] for e in events(g, 'alert.resolved')].count('drift') == 1
    metrics = g.http('GET', '/metrics').body.decode()
    assert re.search(r'gyre_drift_score\{[^}]*column="age"', metrics), metrics[-2000:]


def lost_values_and_damaged_files_are_said(g):
    world = deployed(g)
    world.hours(1)
    world.hours(4, broken=True)
    judged(g, 4)
    quality = alert(g, 'churn:data_quality')
    assert quality['state'] == 'firing' and quality['columns'] == ['income'], quality
    g.stop()

    # A segment that nobody has judged yet breaks: the window is made of the rest, and that is said.
    g.start(environment={'GYRE_MONITORING_EVERY': '0', 'GYRE_CAPTURE_SEAL': '0.1s'})
    for _ in range(2):
        world.hours(1)
        time.sleep(0.6)
    with sqlite3.connect(os.path.join(g.data, 'gyre.db')) as database:
        (digest,) = database.execute('SELECT digest FROM inference_segment ORDER BY event_max_us DESC LIMIT 1').fetchone()
    (path,) = [os.path.join(folder, name) for folder, _, names in os.walk(os.path.join(g.data, 'blobs')) for name in names
               if digest.removeprefix('sha256:') in os.path.join(folder, name).replace('/', '') and not name.endswith('.sums')][:1]
    os.chmod(path, 0o600)
    with open(path, 'r+b') as f:
        f.seek(os.path.getsize(path) // 2)
        f.write(b'broken here')
    world.hours(2)
    time.sleep(0.6)
    ran = g.cli_json('monitors', 'run', 'churn')
    assert 'damaged' in ran['problem'], ran
    shown = g.json('GET', '/api/v1/projects/default/monitors/churn')
    assert shown['windows'] >= 6 and re.match(r'rows from \S+ until \S+ are lost: segment', ran['problem']), ran['problem']
    assert not any(w.get('problems') for w in shown['judged']), shown['judged']


def a_kill_at_any_moment_repeats_nothing(g):
    world = deployed(g)
    world.hours(3)
    for _ in range(4):
        world.hours(1, shifted=True)
        time.sleep(random.Random(world.hour).random() * 0.6)
        g.kill()
        start(g, '0.1s')
    time.sleep(1)
    world.hours(2, shifted=True)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and (alert(g, 'churn:drift') or {}).get('state') != 'firing':
        time.sleep(0.1)
    items = g.json('GET', '/api/v1/projects/default/monitors/churn/windows?limit=100')['items']
    assert len({w['begin'] for w in items}) == len(items) and sorted(w['number'] for w in items) == list(range(1, len(items) + 1)), items
    assert len([e for e in events(g, 'alert.firing') if e['payload']['signal'] == 'drift']) == 1


def monitors_are_made_changed_and_removed(g):
    world = deployed(g)
    g.cli('monitors', 'create', 'churn-fast', '--endpoint', 'churn', '--rows', '150', '--quiet-signal', 'service')
    listed = g.cli('monitors').stdout
    assert 'churn-fast' in listed and '150 rows' in listed, listed
    for _ in range(20):
        assert g.http('POST', '/e/churn', '{').status == 400
    world.hours(1)
    time.sleep(0.5)
    ran = g.cli('monitors', 'run', 'churn-fast').stdout
    fast = g.json('GET', '/api/v1/projects/default/monitors/churn-fast')
    assert fast['windows'] == 2, ran
    # The other monitor of the endpoint has looked before it: each counts for itself.
    window = g.json('GET', f"/api/v1/projects/default/windows/{fast['judged'][0]['id']}")
    assert window['health']['failed_share'] > 0.5, window['health']
    assert g.cli('monitors', 'create', 'churn-fast', '--endpoint', 'churn', check=False).returncode == 6
    wrong = g.cli('monitors', 'show', 'churm', check=False)
    assert wrong.returncode == 3 and 'did you mean' in wrong.stderr, wrong.stderr
    assert g.cli('monitors', 'edit', 'churn-fast', '--rows', '3', check=False).returncode != 0
    assert 'off' in g.cli('monitors', 'edit', 'churn-fast', '--off', '-o', 'json').stdout
    g.cli('monitors', 'rm', 'churn-fast', '--yes')
    g.cli('monitors', 'rm', 'churn', '--yes')
    time.sleep(0.5)
    assert not g.json('GET', '/api/v1/projects/default/monitors')['items']
    g.cli('endpoints', 'rm', 'churn', '--yes')
    rules = g.cli('monitors', 'rules').stdout
    assert 'gyre_alert_state == 2' in rules
    with open(os.path.join(g.work, 'rules.yml'), 'w') as f:
        f.write(rules)
    checked = subprocess.run([PROMTOOL, 'check', 'rules', f.name], capture_output=True, text=True)
    assert checked.returncode == 0 and '3 rules found' in checked.stdout, checked.stdout + checked.stderr
    # They fire on what /metrics says, as Prometheus computes it.
    path = os.path.join(g.work, 'rules_test.yml')
    with open(path, 'w') as f:
        f.write(RULES_TEST)
    tested = subprocess.run([PROMTOOL, 'test', 'rules', path], capture_output=True, text=True)
    assert tested.returncode == 0, tested.stdout + tested.stderr

    # Another endpoint of that name begins anew.
    g.cli('deploy', 'churn@champion')
    world.hour += 30 * 24
    assert g.json('GET', '/api/v1/projects/default/monitors/churn')['windows'] == 0
    time.sleep(0.5)
    assert g.json('GET', '/api/v1/projects/default/monitors/churn')['windows'] == 0


def notices(g, kind):
    return [n for n in g.json('GET', '/api/v1/projects/default/notices?limit=200')['items'] if n['kind'] == kind]


def send(g, hour, names):
    rng = random.Random(hour)
    time_of = (BEGIN + datetime.timedelta(hours=hour, minutes=30)).isoformat() + 'Z'
    answer = g.http('POST', '/e/churn', {'inputs': [row_of(rng)[0] for _ in names], 'event_time': time_of, 'inference_ids': names})
    assert answer.status == 200, answer.body


def what_comes_late_is_counted_and_an_end_is_told(g):
    world = deployed(g)
    g.cli('monitors', 'edit', 'churn', '--label-wait', '2h')
    world.hours(6)
    judged(g, 5)
    final = [w['number'] for w in g.json('GET', '/api/v1/projects/default/monitors/churn')['judged'] if w['state'] == 'final']
    assert final == [2, 1] or final == [3, 2, 1], final
    send(g, 0, ['late-0', 'late-1', 'late-2'])
    send(g, 4, ['late-3', 'late-4'])
    g.json('POST', '/api/v1/projects/default/endpoints/churn/feedback', {'rows': [{'inference_id': i, 'label': 'yes'} for i in ('0-5', '0-6', '4-5')]})
    g.cli('monitors', 'run', 'churn')
    monitor = g.json('GET', '/api/v1/projects/default/monitors/churn')
    assert monitor['late'] == {'rows': 2, 'labels': 1, 'left_out_rows': 3, 'left_out_labels': 2}, monitor['late']
    first = next(w for w in monitor['judged'] if w['number'] == 1)
    assert first['rows'] == ROWS and first['late']['left_out_rows'] == 3, first
    shown = g.cli('monitors', 'show', 'churn').stdout
    assert 'left out   rows 3, labels 2: came when their window was final' in shown, shown
    print(shown)

    # A century is a mistake, a day may be a clock: refused, and counted at its arrival.
    refused = g.http('POST', '/e/churn', {'inputs': [row_of(world.rng)[0]], 'event_time': '2999-01-01T00:00:00Z'})
    assert refused.status == 400 and b'2999-01-01T00:00:00Z is more than a year ahead of the clock' in refused.body, refused.body

    # Trouble in windows that are judged together is told once, as it ended.
    g.stop()
    g.start(environment={'GYRE_MONITORING_EVERY': '0', 'GYRE_CAPTURE_SEAL': '0.2s'})
    g.cli('monitors', 'edit', 'churn', '--renotify', '1h')
    for shifted in (True, False, True, False):
        world.hours(3, shifted=shifted)
    g.cli('monitors', 'run', 'churn')
    drift = alert(g, 'churn:drift')
    assert drift['state'] == 'ok' and len([e for e in events(g, 'alert.firing') if e['payload']['signal'] == 'drift']) == 2, drift
    told = [n for n in notices(g, 'alert.firing') + notices(g, 'alert.resolved') if 'churn:drift' in n['title']]
    assert [n['title'] for n in told] == ['churn:drift is over'] and '; then: ' in told[0]['text'], told

    # Nobody watches any more: what fires is over, and that is told.
    world.hours(4, shifted=True)
    g.cli('monitors', 'run', 'churn')
    assert alert(g, 'churn:drift')['state'] == 'firing'
    g.cli('monitors', 'rm', 'churn', '--yes')
    resolved = [e['payload'] for e in events(g, 'alert.resolved') if e['payload']['signal'] == 'drift'][-1]
    assert resolved['reason'] == 'monitor churn was removed', resolved
    told = [n for n in notices(g, 'alert.resolved') if 'churn:drift' in n['title'] and 'was removed' in n['text']]
    assert len(told) == 1, notices(g, 'alert.resolved')


def level(window, name):
    return next(s['level'] for s in window['signals'] if s['signal'] == name)


def three_classes_are_estimated_and_judged(g):
    rng = random.Random(3)

    def flower(spread):
        """Three heaps; those that are spread lie between them."""
        kind = rng.randint(0, 2)
        x, y = ((0, 0), (4, 0), (2, 4))[kind]
        row = {'x': round(x * (1 - spread) + 2 * spread + rng.gauss(0, 0.9), 2), 'y': round(y * (1 - spread) + 1.3 * spread + rng.gauss(0, 0.9), 2)}
        return row, ('red', 'green', 'blue')[kind]

    with open(os.path.join(g.work, 'flowers.csv'), 'w') as f:
        f.write('x,y,colour\n')
        for _ in range(2500):
            row, label = flower(0)
            f.write(f"{row['x']},{row['y']},{label}\n")
    g.start(environment={'GYRE_MONITORING_EVERY': '0', 'GYRE_CAPTURE_SEAL': '0.2s'})
    g.cli('add', 'flowers.csv', '--name', 'flowers')
    g.cli('train', 'flowers', '--target', 'colour', '--trials', '1')
    g.cli('deploy', 'flowers@champion')
    g.cli('monitors', 'edit', 'flowers', '--every', '1h', '--rows-min', '100')

    def hour(number, spread):
        time_of = (BEGIN + datetime.timedelta(hours=number, minutes=5)).isoformat() + 'Z'
        assert g.http('POST', '/e/flowers', {'inputs': [flower(spread)[0] for _ in range(ROWS)], 'event_time': time_of}).status == 200

    def newest():
        g.cli('monitors', 'run', 'flowers')
        return g.json('GET', '/api/v1/projects/default/monitors/flowers')['judged'][0]

    hour(0, 0), hour(1, 0), hour(2, 0)
    calm = newest()
    calm_first = g.json('GET', '/api/v1/projects/default/monitors/flowers')['judged'][-1]
    assert level(calm, 'estimated_performance') == 'calm' and calm['estimate'][0]['reference'] > 0.8, calm
    hour(3, 0.9), hour(4, 0.9)
    fell = newest()
    assert level(fell, 'estimated_performance') == 'bad', fell
    what = next(s['what'] for s in fell['signals'] if s['signal'] == 'estimated_performance')
    assert 'estimated on rows held out' in what, what
    print('  ' + what)

    # Attributions, too, may be held against the window before.
    g.cli('monitors', 'edit', 'flowers', '--against', 'previous')
    hour(5, 0.9), hour(6, 0.9)
    same = newest()
    assert level(same, 'attribution_drift') == 'calm', same

    # Another model, with other answers, takes nothing from what is known of these windows.
    with open(os.path.join(g.work, 'sizes.csv'), 'w') as f:
        f.write('x,y,size\n')
        for _ in range(1500):
            row, _ = flower(0)
            f.write(f"{row['x']},{row['y']},{row['x'] + row['y'] + rng.gauss(0, 0.3):.2f}\n")
    g.cli('add', 'sizes.csv', '--name', 'sizes')
    g.cli('train', 'sizes', '--target', 'size', '--trials', '1')
    g.cli('deploy', 'sizes@champion', '--name', 'flowers')
    hour(7, 0), hour(8, 0)
    newest()
    windows = g.json('GET', '/api/v1/projects/default/monitors/flowers')['judged']
    assert [w['model'] for w in windows[:2]] == ['sizes:v1', 'flowers:v1'], [w['model'] for w in windows]
    assert all(w['estimate'] for w in windows[1:]) and windows[-1]['estimate'] == calm_first['estimate'], windows


run_scenarios([drift_is_named_and_alerts_and_labels_bring_performance, lost_values_and_damaged_files_are_said, a_kill_at_any_moment_repeats_nothing,
               monitors_are_made_changed_and_removed, what_comes_late_is_counted_and_an_end_is_told,
               three_classes_are_estimated_and_judged])
