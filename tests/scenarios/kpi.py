"""The goals of a project are measured by themselves: metrics of the champion and of live answers, feedback and cost in one expression; what cannot be
known says why; a goal that is missed is an event, a notice and a trigger's occasion."""
import os
import random
import time

from churn_table import write_table
from harness import Gyre, run_scenarios

BASE = '/api/v1/projects/default/'
KPIS = ['auc >= 0.5', 'live.accuracy[7d] >= 80%', 'cost.total[30d] / feedback.true_positive[30d] <= 12', 'predictions.count[7d] >= 10', 'nps >= 40']
PRICES = {'currency': 'EUR', 'cpu_hour_micros': 36_000_000, 'memory_gib_hour_micros': 0, 'gigabyte_micros': 0, 'thousand_requests_micros': 0}


def deployed(g):
    write_table(os.path.join(g.work, 'churn.csv'))
    g.cli('add', 'churn.csv')
    g.cli('train', 'churn', '--target', 'Churn', '--budget', '1s')
    g.cli('deploy', 'churn@champion')


def measured(g):
    return {k['kpi']: k for k in g.cli_json('kpi')}


def events(g, kind):
    return [e for e in g.json('GET', '/api/v1/events?limit=1000')['items'] if e['kind'] == kind]


def answers(g, rows=60):
    r = random.Random(2)
    inputs = [{'tenure': r.randrange(1, 72), 'charges': round(r.uniform(20, 120), 2), 'contract': r.choice(['monthly', 'yearly'])} for _ in range(rows)]
    got = g.json('POST', '/e/churn', {'inputs': inputs})
    return [got['inference_id'] + (f'-{i}' if i else '') for i in range(rows)], [o['prediction'] for o in got['outputs']]


def label(g, ids, labels, seconds_ahead=0):
    when = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + seconds_ahead))
    g.json('POST', BASE + 'endpoints/churn/feedback', {'rows': [{'inference_id': i, 'label': v, 'time': when} for i, v in zip(ids, labels)]})


def expressions_are_measured(g):
    g.start(environment={'GYRE_KPIS_EVERY': '0'})
    deployed(g)
    wrong = g.cli('projects', 'edit', 'default', '--kpi', 'live.acuracy[7d] >= 1', check=False)
    assert wrong.returncode != 0 and 'GY3011' in wrong.stderr and 'did you mean `live.accuracy`?' in wrong.stderr, wrong.stderr
    g.cli('projects', 'edit', 'default', *(w for k in KPIS for w in ('--kpi', k)))
    g.cli('triggers', 'add', 'churn', '--on', 'kpi', '--cooldown', '0s')
    now = measured(g)
    auc, live, cost, count, nps = (now[k.replace('80%', '0.8')] for k in KPIS)
    assert auc['state'] == 'met' and auc['value'] > 0.5, auc
    assert live['state'] == 'unknown' and '0 labelled answers, 30 are needed' in live['reason'], live
    assert cost['state'] == 'unknown' and cost['value'] is None and 'price' in cost['reason'], cost
    assert count['state'] == 'missed' and count['value'] == 0, count
    assert nps['state'] == 'unknown' and 'reports' in nps['reason'], nps
    assert len(events(g, 'kpi.breached')) == 1

    ids, predicted = answers(g)
    label(g, ids, predicted)
    positive = predicted.count('Yes')
    assert positive > 0
    g.json('PUT', '/api/v1/usage/prices', PRICES)
    now = measured(g)
    live, cost, count = (now[k.replace('80%', '0.8')] for k in KPIS[1:4])
    assert live['state'] == 'met' and live['value'] == 1, live
    assert count['state'] == 'met' and count['value'] == 60, count
    assert [e['payload']['kpi'] for e in events(g, 'kpi.met')] == [KPIS[3]], 'what was met from the first is no news'
    assert cost['state'] in ('met', 'missed'), cost
    g.cli('projects', 'edit', 'default', *(w for k in KPIS + ['cost.total[30d] >= 0', 'feedback.true_positive[30d] >= 1', 'feedback.count >= 0',
                                                           'feedback.positive + feedback.false_negative - feedback.positive >= 0'] for w in ('--kpi', k)))
    now = measured(g)
    assert now['feedback.true_positive[30d] >= 1']['value'] == positive and now['feedback.count >= 0']['value'] == 60, now
    total = now['cost.total[30d] >= 0']['value']
    assert total > 0 and abs(now[KPIS[2]]['value'] - total / positive) < 1e-9, (total, now[KPIS[2]])
    a_goal_is_missed(g, ids, predicted)


def a_goal_is_missed(g, ids, predicted):
    label(g, ids, ['No' if p == 'Yes' else 'Yes' for p in predicted], seconds_ahead=60)
    live = measured(g)['live.accuracy[7d] >= 0.8']
    assert live['state'] == 'missed' and live['value'] == 0 and live['trend']['change'] == -1, live
    [told] = [e for e in events(g, 'kpi.breached') if e['payload']['kpi'].startswith('live.')]
    assert told['payload']['endpoint'] == 'churn', told
    deadline = time.monotonic() + 20
    while True:
        fired = [cause['text'] for f in g.json('GET', BASE + 'firings')['items'] for cause in (f, *f['joined'])]  # a firing that waits is joined
        if any('live.accuracy[7d] >= 0.8, it is 0' in text for text in fired):
            break
        assert time.monotonic() < deadline, fired
        time.sleep(0.1)
    label(g, ids, predicted, seconds_ahead=120)
    assert measured(g)['live.accuracy[7d] >= 0.8']['state'] == 'met'
    label(g, ids, ['No' if p == 'Yes' else 'Yes' for p in predicted], seconds_ahead=180)
    assert measured(g)['live.accuracy[7d] >= 0.8']['state'] == 'missed'
    told = [n['kind'] for n in g.json('GET', BASE + 'notices')['items'] if 'live.accuracy' in n['title']]
    assert sorted(told) == ['kpi.breached', 'kpi.breached', 'kpi.met'], f'each change is told, also the second time: {told}'
    text = g.http('GET', '/metrics').body.decode()
    assert 'gyre_kpi_met{kpi="live.accuracy[7d] >= 0.8",project="default"} 0\n' in text and 'gyre_kpi_value{kpi="auc >= 0.5"' in text
    shown = g.cli('kpi', 'show', 'live.acc', '--history').stdout
    assert shown.count('missed') == 3 and 'met' in shown and 'unknown' in shown and 'trend      -1' in shown, shown
    for wrong in ('nobody', '40'):
        assert g.cli('kpi', 'show', wrong, check=False).returncode == 3
    table = g.cli('kpi').stdout
    assert 'unknown' in table and 'met' in table and 'KPI' in table, table
    g.cli('projects', 'edit', 'default', '--kpi', 'auc >= 0.5')
    assert list(measured(g)) == ['auc >= 0.5']


def goals_are_measured_by_themselves(_):
    with Gyre(environment={'GYRE_KPIS_EVERY': '0.2s'}) as g:
        g.start()
        deployed(g)
        g.cli('projects', 'edit', 'default', '--kpi', 'predictions.count[7d] >= 10')
        deadline = time.monotonic() + 20
        while not events(g, 'kpi.breached') and time.monotonic() < deadline:
            time.sleep(0.1)
        assert len(events(g, 'kpi.breached')) == 1
        answers(g)
        while not events(g, 'kpi.met') and time.monotonic() < deadline + 20:
            time.sleep(0.1)
        assert len(events(g, 'kpi.met')) == 1
        g.stop()
        g.start()
        time.sleep(1)
        assert len(events(g, 'kpi.breached')) == 1 and len(events(g, 'kpi.met')) == 1, 'a restart tells nothing again'


if __name__ == '__main__':
    run_scenarios([expressions_are_measured, goals_are_measured_by_themselves])
