"""Monitors as things: made, changed and removed; killed at any moment; what they say when their endpoint goes or captures are dropped."""
import json
import random
import re
import time
from concurrent.futures import ThreadPoolExecutor

from harness import run_scenarios
from watched import World, alert, deployed, events, notices, send, start


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
    # Looks that keep no window take nothing from what the next one counts.
    send(g, 0, [f'first-{i}' for i in range(10)])
    time.sleep(0.5)
    assert '0 windows judged' in g.cli('monitors', 'run', 'churn-fast').stdout
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

    # Another endpoint of that name begins anew.
    g.cli('deploy', 'churn@champion')
    world.hour += 30 * 24
    assert g.json('GET', '/api/v1/projects/default/monitors/churn')['windows'] == 0
    time.sleep(0.5)
    assert g.json('GET', '/api/v1/projects/default/monitors/churn')['windows'] == 0


def an_endpoint_that_goes_ends_what_fires(g):
    world = deployed(g, '0', '0.2s')
    world.hours(2)
    world.hours(4, shifted=True)
    g.cli('monitors', 'run', 'churn')
    assert alert(g, 'churn:drift')['state'] == 'firing'
    assert re.search(r'gyre_alert_state\{.*signal="drift".*\} 2', g.http('GET', '/metrics').body.decode())
    g.cli('endpoints', 'rm', 'churn', '--yes')
    assert not g.json('GET', '/api/v1/projects/default/monitors')['items']
    (ended,) = [e['payload'] for e in events(g, 'alert.resolved') if e['payload']['signal'] == 'drift']
    assert ended['reason'] == 'endpoint churn was removed' and ended['columns'] and ended['window_number'] == 5, ended
    told = [n for n in notices(g, 'alert.resolved') if 'churn:drift' in n['title']]
    assert len(told) == 1 and 'endpoint churn was removed' in told[0]['text'], told
    assert alert(g, 'churn:drift') is None
    assert not re.search(r'gyre_alert_state\{.*signal="drift".*\} 2', g.http('GET', '/metrics').body.decode())
    g.json('GET', '/api/v1/projects/default/monitors')
    assert len(events(g, 'alert.resolved')) == len({e['payload']['signal'] for e in events(g, 'alert.resolved')}), 'each ends once'


def rows_that_are_not_captured_are_said(g):
    """Requests that are larger than all that may be held: they are answered, and counted as dropped."""
    deployed(g)
    g.stop()
    g.start(environment={'GYRE_MONITORING_EVERY': '0', 'GYRE_CAPTURE_SEAL': '0.2s', 'GYRE_CAPTURE_BUFFER': '64KiB'})
    world = World(g)
    world.hours(1)
    send(g, 0, [f'large-{i:060d}' for i in range(5_000)])
    world.hours(1)
    time.sleep(0.6)
    status = g.json('GET', '/api/v1/projects/default/endpoints/churn/captures')
    assert status['dropped'] > 0, status
    g.cli('monitors', 'edit', 'churn', '--every', '1h', '--rows-min', '1')
    g.cli('monitors', 'run', 'churn')
    first = g.json('GET', '/api/v1/projects/default/monitors/churn')['judged'][-1]
    service = next(s for s in first['signals'] if s['signal'] == 'service')
    assert service['level'] == 'bad' and 'answered but not captured' in service['what'], (service, first['health'], status)
    assert re.search(r'gyre_capture_dropped_rows_total\{endpoint="churn"\} [1-9]', g.http('GET', '/metrics').body.decode())


def changes_at_the_same_time_lose_nothing(g):
    deployed(g, '0', '0.2s')
    path = '/api/v1/projects/default/monitors/churn'
    for number in range(1, 21):
        changes = [{'coverage_min': 0.01 * number}, {'label_wait': 3600 * number}, {'ignore': ['age'] if number % 2 else []}, {'quiet': ['drift'] if number % 2 else []}]
        with ThreadPoolExecutor(len(changes)) as pool:
            answers = list(pool.map(lambda change: g.http('PATCH', path, change), changes))
        assert all(a.status == 200 for a in answers), [a.body for a in answers]
        spec = g.json('GET', path)['spec']
        lost = [(key, value, spec[key]) for change in changes for key, value in change.items() if spec[key] != value]
        assert not lost, (number, lost)


run_scenarios([a_kill_at_any_moment_repeats_nothing, monitors_are_made_changed_and_removed, an_endpoint_that_goes_ends_what_fires,
               rows_that_are_not_captured_are_said, changes_at_the_same_time_lose_nothing])
