"""Rows and labels that come late are counted, and what they change is told once; three classes are estimated and judged; another model begins anew."""
import os
import random
import signal
import time
from datetime import timedelta

from harness import run_scenarios
from watched import BEGIN, ROWS, alert, deployed, events, judged, notices, row_of, send


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
        time_of = (BEGIN + timedelta(hours=number, minutes=5)).isoformat() + 'Z'
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
    g.cli('deploy', 'sizes@champion', '--name', 'flowers', '--replace')
    hour(7, 0), hour(8, 0)
    newest()
    windows = g.json('GET', '/api/v1/projects/default/monitors/flowers')['judged']
    assert [w['model'] for w in windows[:2]] == ['sizes:v1', 'flowers:v1'], [w['model'] for w in windows]
    assert all(w['estimate'] for w in windows[1:]) and windows[-1]['estimate'] == calm_first['estimate'], windows


def workers_of(g):
    def is_ours(pid):
        try:
            return open(f'/proc/{pid}/stat').read().rsplit(')', 1)[1].split()[1] == str(g.server.pid)
        except OSError:
            return False
    return [int(name) for name in os.listdir('/proc') if name.isdigit() and is_ours(name)]


def a_batch_that_takes_too_long_is_said_and_halved(g):
    """Workers that stand still: nothing is judged and the monitor says why; when they go on, all is judged and it says so no more."""
    world = deployed(g, '0', '0.2s')
    world.hours(6)
    g.stop()
    g.start(environment={'GYRE_MONITORING_EVERY': '0.2s', 'GYRE_CAPTURE_SEAL': '0.2s', 'GYRE_QUERY_TIMEOUT': '1s'})
    problem = ''
    deadline = time.monotonic() + 40
    while not problem and time.monotonic() < deadline:
        for pid in workers_of(g):
            os.kill(pid, signal.SIGSTOP)
        time.sleep(0.005)
        problem = g.json('GET', '/api/v1/projects/default/monitors/churn')['problem']
    for pid in workers_of(g):
        os.kill(pid, signal.SIGCONT)
    assert problem == 'judged in smaller batches: `monitoring.window` did not end within 1000 ms', problem
    assert judged(g, 5)['windows'] == 5
    deadline = time.monotonic() + 20
    while g.json('GET', '/api/v1/projects/default/monitors/churn')['problem'] and time.monotonic() < deadline:
        time.sleep(0.05)
    shown = g.cli('monitors', 'show', 'churn').stdout
    assert 'problem' not in shown, shown


run_scenarios([what_comes_late_is_counted_and_an_end_is_told, three_classes_are_estimated_and_judged, a_batch_that_takes_too_long_is_said_and_halved])
