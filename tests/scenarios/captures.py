"""What endpoints answered comes back: captured rows and labels in any order join exactly; a kill loses at most what was not sealed, and no
acknowledged label; a full disk costs nobody an answer and every row is stored or counted; a damaged segment is named; both become a dataset."""
import csv
import io
import json
import os
import random
import re
import time

from harness import Gyre, fill, run_scenarios, small_disk

E = '/api/v1/projects/default/endpoints/churn'


def write_table(path, rows=800):
    r = random.Random(1)
    with open(path, 'w') as f:
        f.write('tenure,charges,contract,Churn\n')
        for _ in range(rows):
            tenure, charges, contract = r.randrange(1, 72), round(r.uniform(20, 120), 2), r.choice(['monthly', 'yearly'])
            risk = 0.6 * (contract == 'monthly') + 0.3 * (charges > 80) - tenure / 150
            f.write(f'{tenure},{charges},{contract},{"Yes" if r.random() < risk else "No"}\n')


def deployed(g):
    write_table(os.path.join(g.work, 'churn.csv'))
    g.start()
    g.cli('add', 'churn.csv')
    g.cli('train', 'churn', '--target', 'Churn', '--budget', '1s')
    g.cli('deploy', 'churn@champion')


def row(i):
    return {'customer': f'c-{i}', 'tenure': i % 71, 'charges': 20 + i % 90 + 0.25, 'contract': 'monthly' if i % 3 else None}


def predict(g, count, first=0):
    """Some of one row, some of several; the ids of the rows."""
    ids = []
    while len(ids) < count:
        rows = min(1 + len(ids) % 4, count - len(ids))
        at = first + len(ids)
        answer = g.json('POST', '/e/churn', {'inputs': [row(at + i) for i in range(rows)], 'event_time': f'2026-11-{1 + at % 20:02}T08:00:00Z'})
        ids += [answer['inference_id'] + (f'-{i}' if i else '') for i in range(rows)]
    return ids


def exported(g, *options):
    return list(csv.DictReader(io.StringIO(g.cli('captures', 'export', 'churn', *options).stdout)))


def status(g):
    return g.json('GET', E + '/captures?labels=true')


def feedback(g, rows, lines=False):
    if lines:
        body = ''.join(json.dumps(r) + '\n' for r in rows)
        return g.json('POST', E + '/feedback', body, headers={'Content-Type': 'application/x-ndjson'})
    return g.json('POST', E + '/feedback', {'rows': rows})


def labels_come_in_any_order_and_join_once(g):
    deployed(g)
    g.cli('captures', 'policy', 'churn', '--key', 'customer')
    ids = predict(g, 500)
    g.cli('tokens', 'add', 'shop', '--scope', 'predict:churn')
    shown = g.cli('endpoints', 'show', 'churn').stdout
    assert 'keys       1 with scope predict:churn\n' in shown and 'usage      ' in shown, shown
    truth = {name: random.Random(name).choice(['Yes', 'No']) for name in ids[:400]}
    labels = [{'inference_id': name, 'label': label, 'time': '2026-11-21T00:00:00Z'} for name, label in truth.items()]
    labels += labels[:50]                                                                            # repeats
    labels += [{'inference_id': name, 'label': 'No' if truth[name] == 'Yes' else 'Yes', 'time': '2026-11-20T00:00:00Z'} for name in ids[:30]]  # superseded
    labels += [{'inference_id': f'nobody-{i}', 'label': 'Yes'} for i in range(7)]
    random.Random(3).shuffle(labels)
    assert feedback(g, labels[:200]) == {'accepted': 200, 'unknown_classes': {}}
    assert feedback(g, labels[200:], lines=True)['accepted'] == len(labels) - 200
    got = {r['inference_id']: r for r in exported(g)}
    assert len(got) == 500 and set(got) == set(ids)
    assert {name: r['label'] for name, r in got.items() if r['label']} == truth
    assert got[ids[5]]['key'] == 'c-5' and got[ids[5]]['tenure'] == '5' and got[ids[5]]['charges'] == '25.25', got[ids[5]]
    assert got[ids[3]]['contract'] == '' and got[ids[3]]['model_version'] == 'churn:v1' and got[ids[3]]['role'] == 'champion'
    assert {r['event_time'][:10] for r in exported(g, '--from', '2026-11-02', '--to', '2026-11-07')} == {'2026-11-02', '2026-11-04'}
    now = status(g)
    assert (now['captured'], now['dropped'], now['pending']) == (500, 0, 0), now
    counts = now['counts']
    assert (counts['rows'], counts['labelled'], counts['unknown'], counts['duplicates'], counts['corrected']) == (500, 400, 7, 50, 30), counts
    listed = g.cli_json('captures')[0]
    assert (listed['captured'], listed['labelled']) == (500, 400) and listed['labels'] > 400, listed
    assert re.search(r'ENDPOINT\s.*LABELLED', g.cli('captures').stdout)
    open_inference(g)
    # By key, and from a file; the same file again changes nothing.
    with open(os.path.join(g.work, 'late.csv'), 'w') as f:
        f.write('customer,Churn\n' + ''.join(f'c-{i},Yes\n' for i in range(400, 450)))
    for repeated in (0, 50):
        said = g.cli('feedback', 'churn', 'late.csv').stdout
        assert '50 labels of churn: 50 ' + ('repeated' if repeated else 'new') + '\n' in said, said
        counts = status(g)['counts']
        assert (counts['labelled'], counts['duplicates']) == (450, 50 + repeated), counts
    wrong_labels_are_named(g, ids)
    fresh_data(g)
    storm(g, ids)


def open_inference(g):
    """The other protocol is captured too, under the client's own id."""
    inputs = [{'name': 'tenure', 'shape': [2], 'datatype': 'INT64', 'data': [3, 4]}, {'name': 'charges', 'shape': [2], 'datatype': 'FP64', 'data': [30.5, 40.5]},
              {'name': 'contract', 'shape': [2], 'datatype': 'BYTES', 'data': ['monthly', 'yearly']}]
    g.json('POST', '/v2/models/churn/infer', {'id': 'order-9', 'inputs': inputs})
    rows = {r['inference_id']: r for r in exported(g) if r['inference_id'].startswith('order-9')}
    assert set(rows) == {'order-9', 'order-9-1'} and rows['order-9-1']['charges'] == '40.5', rows
    assert status(g)['captured'] == 502


def wrong_labels_are_named(g, ids):
    wrong = g.http('POST', E + '/feedback', {'rows': [{'inference_id': ids[0], 'label': 'Yes'}, {'inference_id': ids[1], 'label': None}]})
    assert wrong.status == 422 and wrong.json()['code'] == 'GY4611' and wrong.json()['where'] == 'rows[1].label', wrong.body
    assert feedback(g, [{'inference_id': ids[499], 'label': 'Perhaps'}])['unknown_classes'] == {'Perhaps': 1}
    feedback(g, [{'inference_id': ids[499], 'label': 'No'}])
    with open(os.path.join(g.work, 'when.csv'), 'w') as f:
        f.write(f'inference_id,label,time\n{ids[0]},Yes,soon\n')
    when = g.cli('feedback', 'churn', 'when.csv', check=False)
    assert when.returncode != 0 and 'gyre feedback ENDPOINT FILE' in when.stderr and 'gyre add' not in when.stderr, when.stderr
    missing = g.cli('feedback', 'nobody', 'late.csv', check=False)
    assert missing.returncode == 3 and 'GY3802' in missing.stderr, missing


def fresh_data(g):
    """Inputs and labels as a version whose columns training knows; the same content again is no new one."""
    first = g.cli_json('captures', 'to-dataset', 'churn', 'fresh', '--labelled')
    assert first['reference'] == 'fresh:v1' and first['rows'] == 451, first
    assert g.cli_json('captures', 'to-dataset', 'churn', 'fresh', '--labelled')['unchanged']
    names = [c['name'] for c in g.json('GET', '/api/v1/projects/default/datasets/fresh/versions/1')['schema']]
    assert sorted(names) == ['Churn', 'charges', 'contract', 'tenure'], names
    lineage = g.cli('lineage', 'fresh:v1').stdout
    assert 'model_version churn:v1' in lineage and 'captured' in lineage, lineage


def storm(g, ids):
    def resident():
        with open(f'/proc/{g.server.pid}/status') as f:
            return next(int(line.split()[1]) for line in f if line.startswith('VmHWM')) / 1024
    before = resident()
    body = ''.join(f'{{"inference_id":"{ids[i % 500]}","label":"No","time":"2026-11-19"}}\n' for i in range(200_000))
    begin = time.monotonic()
    assert g.json('POST', E + '/feedback', body, headers={'Content-Type': 'application/x-ndjson'})['accepted'] == 200_000
    print(f'  200,000 labels in {time.monotonic() - begin:.2f} s; peak memory {before:.0f} -> {resident():.0f} MiB')
    assert resident() - before < 64, 'a storm of labels takes no memory'
    assert 'duckdb' not in open(f'/proc/{g.server.pid}/maps').read(), 'heavy libraries belong into workers'


def a_kill_loses_at_most_what_was_not_sealed(g):
    deployed(g)
    ids = predict(g, 120)
    deadline = time.monotonic() + 20
    while g.json('GET', E + '/captures')['captured'] < 120 and time.monotonic() < deadline:
        time.sleep(0.1)
    young = predict(g, 30, first=120)
    feedback(g, [{'inference_id': name, 'label': 'Yes'} for name in ids + young])
    g.kill()
    g.start()
    rows = {r['inference_id']: r for r in exported(g)}
    assert set(ids) <= set(rows) <= set(ids + young), 'sealed rows stay, and none is invented'
    assert all(r['label'] == 'Yes' for r in rows.values()), 'an acknowledged label is there'
    counts = status(g)['counts']
    assert counts['labelled'] == len(rows) and counts['labelled'] + counts['unknown'] == 150, counts
    # An ordered end writes everything.
    more = predict(g, 10, first=150)
    assert g.stop() == 0
    g.start()
    assert set(more) <= {r['inference_id'] for r in exported(g)}


def a_damaged_segment_is_named(g):
    deployed(g)
    first = predict(g, 40)
    assert len(exported(g)) == 40  # and is sealed by that
    blobs = os.path.join(g.data, 'blobs', 'objects')
    segments = [p for p in (os.path.join(d, f) for d, _, files in os.walk(blobs) for f in files) if open(p, 'rb').read(7) == b'GYRLOG1']
    assert len(segments) == 1, segments
    second = predict(g, 15, first=40)
    assert len(exported(g)) == 55
    g.stop()
    os.chmod(segments[0], 0o600)
    with open(segments[0], 'r+b') as f:
        f.seek(600)
        f.write(b'????')
    g.start()
    assert {r['inference_id'] for r in exported(g)} == set(second)
    counts = status(g)['counts']
    digest = os.path.basename(os.path.dirname(segments[0])) + os.path.basename(segments[0])
    assert (counts['rows'], counts['damaged_segments'], counts['damaged_rows']) == (15, 1, len(first)), counts
    assert digest[:12] in counts['problems'][0], counts
    shown = g.cli('captures', 'churn')
    assert digest[:12] in shown.stderr, shown.stderr


def a_full_disk_costs_no_answer(_):
    with small_disk(48) as mount:
        if not mount:
            print('  skipped: no small file system can be mounted here')
            return
        with Gyre(directory=mount, environment={'GYRE_CAPTURE_BUFFER': '65536', 'GYRE_CAPTURE_SEAL': '0.2s'}) as g:
            deployed(g)
            answered = len(predict(g, 40))
            filler = os.path.join(mount, 'filler')
            fill(filler)
            wide = {'inputs': [row(i) for i in range(200)]}
            for _ in range(40):
                assert len(g.json('POST', '/e/churn', wide)['outputs']) == 200, 'answers go on'
                answered += 200
            full = g.json('GET', E + '/captures')
            assert full['dropped'] > 0 and full['captured'] + full['pending'] + full['dropped'] == answered, (full, answered)
            os.unlink(filler)
            deadline = time.monotonic() + 20
            while g.json('GET', E + '/captures')['pending'] > 0 and time.monotonic() < deadline:
                time.sleep(0.1)
            after = g.json('GET', E + '/captures')
            assert after['dropped'] == full['dropped'] and after['captured'] + after['dropped'] == answered, (after, full, answered)
            metric = g.http('GET', '/metrics').body.decode()
            assert f'gyre_capture_dropped_rows_total{{endpoint="churn"}} {after["dropped"]}\n' in metric
            g.stop()
            g.start()
            assert g.json('GET', E + '/captures')['dropped'] == after['dropped'], 'the count is kept'
            assert len(exported(g)) == after['captured']


def a_retraining_keeps_classes_and_inputs(g):
    """One slip of the hand makes no third class, and hashes are neither learned from nor judged on."""
    deployed(g)
    ids = predict(g, 300)
    feedback(g, [{'inference_id': name, 'label': 'Yess' if i == 7 else random.Random(i).choice(['Yes', 'No'])} for i, name in enumerate(ids)])
    fresh = g.cli('captures', 'to-dataset', 'churn', 'fresh', '--labelled')
    assert '299 rows' in fresh.stdout and '1 of 300 labelled rows set aside' in fresh.stderr and '`Yess`' in fresh.stderr, fresh
    assert g.cli_json('captures', 'to-dataset', 'churn', 'wider', '--labelled', '--new-classes')['rows'] == 300

    g.cli('triggers', 'add', 'churn', '--on', 'hand', '--run', 'retrain', '--cooldown', '0s', '--param', 'rows_min=100', '--param', 'history_below=0', '--param', 'budget_seconds=2')

    def retrain():
        fired = g.cli_json('triggers', 'fire', 'churn-hand')
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            fired = g.json('GET', f"/api/v1/projects/default/firings/{fired['id']}")
            if fired['ended_at']:
                break
            if any(v['name'] != 'champion' for v in g.json('GET', '/api/v1/projects/default/endpoints/churn')['variants']):
                g.cli('pipelines', 'cancel', fired['run'][:8], check=False)
            time.sleep(0.2)
        return fired

    # Labels of chance: now and then what learned from them passes the gate, and its canary is cancelled.
    slip = next((fired for fired in (retrain() for _ in range(8)) if fired['guard'] != 'cancelled'), None)
    assert slip and 'GY4618' not in slip['reason'] and '`Yess`' in slip['reason'], slip
    feedback(g, [{'inference_id': name, 'label': 'Perhaps', 'version': 2} for name in ids[100:130]])
    novel = retrain()
    assert novel['state'] == 'failed' and 'GY4618' in novel['reason'] and '`Perhaps`' in novel['reason'] and '--new-classes' in novel['reason'], novel
    warned = g.cli('captures', 'policy', 'churn', '--hash', 'contract')
    assert 'the model reads `contract`' in warned.stderr, warned.stderr
    hashed = retrain()
    assert hashed['state'] == 'failed' and 'GY4619' in hashed['reason'] and '--keep contract' in hashed['reason'], hashed
    assert g.cli_json('models', 'show', 'churn@champion')['name'] == 'churn:v1'


if __name__ == '__main__':
    run_scenarios([labels_come_in_any_order_and_join_once, a_kill_loses_at_most_what_was_not_sealed, a_damaged_segment_is_named, a_retraining_keeps_classes_and_inputs, a_full_disk_costs_no_answer])
