"""A deployed model is watched: stable traffic is quiet, shifted columns are named and alert, labels bring performance, people take note, restarts forget nothing."""
import os
import re
import sqlite3
import time

from harness import run_scenarios
from watched import ROWS, alert, deployed, events, judged, start


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
    assert 'window churn/window-8' in lineage and 'endpoint churn' not in lineage and 'model_version churn:v1' in lineage, lineage
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
    acked = [entry for entry in g.cli_json('alerts', 'show', 'churn:drift')['history'] if entry['reason'].startswith('acknowledged by')]
    assert acked[0]['time'] == acked[0]['changed'], acked
    for columns, there, other in ('window,rows', 'ROWS', 'ALERT'), ('alert,state', 'ALERT', 'WINDOW  '):
        shown = g.cli('monitors', 'show', 'churn', '--columns', columns).stdout
        assert there in shown and other not in shown, shown
    nowhere = g.cli('monitors', 'show', 'churn', '--columns', 'colour', check=False)
    assert nowhere.returncode == 2 and 'GY4015' in nowhere.stderr, nowhere
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


run_scenarios([drift_is_named_and_alerts_and_labels_bring_performance, lost_values_and_damaged_files_are_said])
