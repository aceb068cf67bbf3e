"""gyre import: what other tools made is taken once, with its steps and dates; what is not taken is said; a killed import is run again."""
import csv
import hashlib
import json
import math
import os
import pickle
import signal
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import GYRE, run_scenarios

CRC = []
for byte in range(256):
    for _ in range(8):
        byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
    CRC.append(byte)


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb' if isinstance(content, bytes) else 'w') as f:
        f.write(content)


def report(answer):
    return [(row['state'], row['name'], row['detail']) for row in answer]


def take(g, *arguments, check=True):
    return report(json.loads(g.cli('import', *arguments, '-o', 'json', check=check).stdout))


def history(g, run, metric):
    return g.cli_json('api', 'GET', f'/api/v1/projects/default/runs/{run}/metrics/{metric}?limit=1000000')['items']


# --- event files, by the description of the format -------------------------------------------------
def masked_crc(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = CRC[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return struct.pack('<I', (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


def varint(value):
    out = b''
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number, value):
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack('<d', value)
    return varint(number << 3) + varint(value)


def record(event):
    length = struct.pack('<Q', len(event))
    return length + masked_crc(length) + event + masked_crc(event)


def event(seconds, step, summary):
    return record(field(1, float(seconds)) + field(2, step) + field(5, field(1, summary)))


def first(seconds):
    return record(field(1, float(seconds)) + field(3, b'brain.Event:2'))


def scalar(tag, value):
    return field(1, tag.encode()) + b'\x15' + struct.pack('<f', value)


def plugin(name, content=b''):
    return field(9, field(1, field(1, name) + field(2, content)))


def tensor_scalar(tag, value):
    return field(1, tag.encode()) + plugin(b'scalars') + field(8, field(1, 1) + field(4, struct.pack('<f', value)))


def text(tag, words):
    return field(1, tag.encode()) + plugin(b'text') + field(8, field(1, 7) + field(8, words))


def hparams(**values):
    session = b''
    for name, value in values.items():
        shown = field(3, value.encode()) if isinstance(value, str) else field(2, float(value))
        session += field(1, field(1, name.encode()) + field(2, shown))
    return field(1, b'_hparams_/session_start_info') + plugin(b'hparams', field(1, 0) + field(3, session))


BEGAN = 1_600_000_000  # 2020-09-13T12:26:40Z


# --- scenarios -------------------------------------------------------------------------------------
def folders_become_datasets(g):
    with tempfile.TemporaryDirectory() as d:
        write(f'{d}/one.csv', 'a,b\n1,2\n3,4\n')
        write(f'{d}/deep/two.csv', 'a,b\n1,x\n')
        write(f'{d}/sales/year=2023/p.csv', 'a\n1\n')
        write(f'{d}/sales/year=2024/p.csv', 'a\n2\n')
        write(f'{d}/broken.csv', 'a,b\n"1')
        write(f'{d}/notes.md', 'no table')
        for link, to in (('again.csv', 'one.csv'), ('gone.csv', 'nowhere.csv'), ('shallow', 'deep')):
            os.symlink(to, f'{d}/{link}')
        planned = take(g, d, '--dry-run')
        assert ('would take', 'one.csv', 'dataset one, 12 B') in planned, planned
        assert g.cli_json('datasets') == [], 'a dry run changes nothing'
        taken = take(g, d, check=False)
        states = {name: state for state, name, _ in taken}
        assert states == {'one.csv': 'taken', 'deep/two.csv': 'taken', 'sales': 'taken', 'broken.csv': 'failed',
                          'notes.md': 'not taken', 'again.csv': 'not taken', 'gone.csv': 'not taken', 'shallow': 'not taken'}, taken
        assert ('not taken', 'again.csv', 'a link to one.csv; links are not followed') in taken, taken
        assert g.cli('import', d, check=False).returncode == 1
        assert ('taken', 'sales', 'sales:v1: 2 rows, 2 columns') in taken, taken
        g.cli('add', f'{d}/sales', '--name', 'whole')
        assert 'year' in g.cli('datasets', 'show', 'whole').stdout
        again = {name: state for state, name, _ in take(g, d, check=False)}
        assert again['one.csv'] == again['sales'] == again['deep/two.csv'] == 'there', again
        assert {row['name'] for row in g.cli_json('datasets')} == {'one', 'sales', 'whole', 'deep-two'}
        write(f'{d}/one.csv', 'a,b\n1,2\n3,5\n')
        news = take(g, 'folder', d, check=False)
        assert [row for row in news if row[0] == 'taken'] == [('taken', 'one.csv', 'one:v2: 2 rows, 2 columns')], news
        for name in ('broken.csv', 'deep/two.csv', 'sales/year=2024/p.csv'):
            os.remove(f'{d}/{name}')
        differ = take(g, d, '--one', 'all', check=False)
        assert differ[0][0] == 'failed' and 'p.csv' in differ[0][2], differ
        write(f'{d}/nothing/a.bin', 'x')
        assert 'GY4952' in g.cli('import', f'{d}/nothing', check=False).stderr


def a_dataset_of_ours_takes_no_other_table(g):
    with tempfile.TemporaryDirectory() as d:
        write(f'{d}/mine.csv', 'id,age\n1,20\n')
        g.cli('add', f'{d}/mine.csv', '--name', 'sales')
        write(f'{d}/in/sales.csv', 'id,price\n1,9.5\n')
        write(f'{d}/in/zones.csv', 'zone\nA\n')
        assert any('only if its columns are the same' in row[2] for row in take(g, f'{d}/in', '--dry-run'))
        answer = g.cli('import', f'{d}/in', '-o', 'json', check=False)
        rows = {name: (state, detail) for state, name, detail in report(json.loads(answer.stdout))}
        assert answer.returncode == 1 and rows['zones.csv'][0] == 'taken', rows
        state, why = rows['sales.csv']
        assert state == 'not taken' and why.startswith('GY2115 sales.csv has other columns than sales:v1: it lacks age, and has also price'), rows
        assert '--as sales.csv=NAME' in why and '--join sales' in why, why
        assert g.cli_json('datasets', 'show', 'sales')['reference'] == 'sales:v1'
        assert 'GY4954' in g.cli('import', f'{d}/in', '--as', 'sales', check=False).stderr
        wrong = g.cli('import', f'{d}/in', '--as', 'sale.csv=prices', check=False)
        assert wrong.returncode == 1 and 'the source has no such table' in wrong.stdout, wrong.stdout
        assert ('taken', 'sales.csv', 'prices:v1: 1 rows, 2 columns') in take(g, f'{d}/in', '--as', 'sales.csv=prices')
        # What an import has made may get other columns from where it came.
        write(f'{d}/in/zones.csv', 'zone,region\nA,N\n')
        again = take(g, f'{d}/in', '--as', 'sales.csv=prices')
        assert [row[0] for row in again] == ['there', 'taken'] and again[1][2].startswith('zones:v2'), again
        joined = take(g, f'{d}/in', '--join', 'sales')
        assert ('taken', 'sales.csv', 'sales:v2: 1 rows, 2 columns') in joined, joined
        # The same columns are the same table.
        write(f'{d}/in/sales.csv', 'price,id\n9.5,1\n8.5,2\n')
        assert ('taken', 'sales.csv', 'sales:v3: 2 rows, 2 columns') in take(g, f'{d}/in')


def tensorboard_runs_keep_steps_and_dates(g):
    with tempfile.TemporaryDirectory() as d:
        log = first(BEGAN) + event(BEGAN, 0, hparams(lr=0.1, opt='adam'))
        for i in range(3):
            log += event(BEGAN + i, i, scalar('loss', 1 / (i + 1))) + event(BEGAN + i, i, tensor_scalar('acc', i / 4))
        log += event(BEGAN + 3, 3, scalar('loss', math.nan)) + event(BEGAN + 3, 3, text('note', b'hello'))
        log += event(BEGAN + 3, 3, field(1, b'sample') + field(4, b'png'))
        write(f'{d}/train/events.out.tfevents.1600000000.host', log + event(BEGAN + 9, 9, scalar('loss', 1))[:-3])
        write(f'{d}/eval/events.out.tfevents.1600000001.host', first(BEGAN + 1) + event(BEGAN + 1, 0, scalar('loss', 2)))
        write(f'{d}/empty/events.out.tfevents.1600000001.host', b'')
        taken = take(g, d, '--name', 'vision')
        assert [row[0] for row in taken].count('taken') == 2, taken
        left = {row[1] for row in taken if row[0] == 'not taken'}
        assert left == {'run empty', 'run train, end of events.out.tfevents.1600000000.host', 'run train, 1 images'}, left
        run = g.cli_json('runs', 'show', 'train')
        assert run['params'] == {'lr': '0.1', 'opt': 'adam'} and run['experiment'] == 'vision', run
        assert run['started_at'].startswith('2020-09-13T12:26:40') and run['ended_at'].startswith('2020-09-13T12:26:43'), run
        assert run['status'] == 'finished'
        points = history(g, run['id'], 'acc')
        assert [(p['step'], p['value'], p['time']) for p in points] == [(i, i / 4, f'2020-09-13T12:26:4{i}Z') for i in range(3)], points
        assert {row[0] for row in take(g, d, '--name', 'vision') if row[1] in ('run train', 'run eval')} == {'there'}
        # The log grows, its last record becomes whole; the folder has moved.
        os.rename(f'{d}/train', f'{d}/x')
        os.rename(f'{d}/x', f'{d}/train')
        write(f'{d}/train/events.out.tfevents.1600000000.host', log + event(BEGAN + 9, 9, scalar('loss', 0.25)))
        grown = [row for row in take(g, d, '--name', 'vision') if row[1] == 'run train']
        assert grown[0][0] == 'taken' and '1 new of 8 points' in grown[0][2], grown
        run = g.cli_json('runs', 'show', run['id'])
        assert run['metrics']['loss'] == 0.25, run['metrics']
        assert len(history(g, run['id'], 'loss')) == 5
        # Other points under the same beginning.
        write(f'{d}/train/events.out.tfevents.1600000000.host', first(BEGAN) + event(BEGAN, 0, scalar('loss', 7)))
        refused = [row for row in take(g, d, '--name', 'vision', check=False) if row[1] == 'run train']
        assert refused[0][0] == 'failed' and 'GY4955' in refused[0][2], refused
        assert len(g.cli_json('runs', 'ls')) == 2


def a_killed_import_goes_on(g):
    with tempfile.TemporaryDirectory() as d:
        count = 60_000
        write(f'{d}/long/events.out.tfevents.1.host', first(BEGAN) + b''.join(event(BEGAN + i, i, scalar('loss', i)) for i in range(count)))
        for pause in (0.3, 0.5, 0.8, 1.2):
            process = subprocess.Popen([GYRE, 'import', d], cwd=g.work, env=g.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(pause)
            process.send_signal(signal.SIGKILL)
            process.wait()
        rows = take(g, d)
        assert rows[0][0] in ('taken', 'there'), rows
        runs = g.cli_json('runs', 'ls')
        assert len(runs) == 1 and runs[0]['status'] == 'finished', runs
        assert [p['step'] for p in history(g, runs[0]['id'], 'loss')] == list(range(count))
        assert take(g, d)[0][0] == 'there'


# --- DVC, in the layout that its version 3 writes -------------------------------------------------
def cached(repository, content):
    digest = hashlib.md5(content).hexdigest()
    write(f'{repository}/.dvc/cache/files/md5/{digest[:2]}/{digest[2:]}', content)
    return digest


def commit(repository, month):
    date = f'2021-{month:02}-01T10:00:00Z'
    words = ['git', '-C', repository, '-c', 'user.name=Ann', '-c', 'user.email=ann@example.org']
    for arguments in (['add', '-A'], ['commit', '-q', '-m', f'month {month}']):
        subprocess.run(words + arguments, check=True, env={**os.environ, 'GIT_AUTHOR_DATE': date, 'GIT_COMMITTER_DATE': date})


def a_dvc_repository_keeps_its_versions(g):
    with tempfile.TemporaryDirectory() as d:
        subprocess.run(['git', 'init', '-q', d], check=True)
        write(f'{d}/.dvc/config', "['remote \"far\"']\n    url = s3://bucket/path\n")
        write(f'{d}/.gitignore', '.dvc/cache\n')
        first, second, wider = (cached(d, rows) for rows in (b'a,b\n1,2\n', b'a,b\n3,4\n', b'a,b,c\n3,4,5\n'))
        parts = [{'md5': cached(d, f'a\n{i}\n'.encode()), 'relpath': f'p{i}.csv'} for i in range(2)]
        listing = json.dumps(parts).encode()
        folder = hashlib.md5(listing).hexdigest() + '.dir'
        write(f'{d}/.dvc/cache/files/md5/{folder[:2]}/{folder[2:]}', listing)
        write(f'{d}/raw/data.csv.dvc', f'outs:\n- md5: {first}\n  hash: md5\n  path: data.csv\n')
        write(f'{d}/parts.dvc', f'outs:\n- md5: {folder}\n  nfiles: 2\n  hash: md5\n  path: parts\n')
        write(f'{d}/model.pkl.dvc', 'outs:\n- md5: "' + '0' * 32 + '"\n  path: model.pkl\n')
        commit(d, 1)
        write(f'{d}/raw/data.csv.dvc', f'outs:\n- md5: {second}\n  hash: md5\n  path: data.csv\n')
        commit(d, 2)
        write(f"{d}/dvc.lock", "schema: '2.0'\nstages:\n  prepare:\n    cmd: make\n    outs:\n    - path: far.csv\n      md5: '" + "1" * 32 + "'\n")
        write(f'{d}/raw/data.csv.dvc', f'outs:\n- md5: {wider}\n  hash: md5\n  path: data.csv\n')
        commit(d, 3)
        rows = take(g, d)
        assert [row[0] for row in rows].count('taken') == 4, rows
        left = [(name, why) for state, name, why in rows if state == 'not taken']
        assert any(name.startswith('far.csv') and 's3://bucket/path' in why for name, why in left), left
        assert any(name.startswith('model.pkl') for name, _ in left) and len(left) == 2, left
        versions = g.cli_json('api', 'GET', '/api/v1/projects/default/datasets/raw-data/versions')['items']
        assert [v['tags']['git.date'][:7] for v in versions] == ['2021-03', '2021-02', '2021-01'], versions
        assert len(versions[0]['schema']) == 3, 'a history may get columns'
        assert versions[0]['tags']['git.author'] == 'Ann <ann@example.org>'
        assert {row[0] for row in take(g, d)} == {'there', 'not taken'}
        # Back to the first content: no new version, and the newest is not what is checked out.
        write(f'{d}/raw/data.csv.dvc', f'outs:\n- md5: {first}\n  hash: md5\n  path: data.csv\n')
        commit(d, 4)
        back = [row for row in take(g, d) if 'raw/data.csv' in row[1] and row not in rows]
        assert any(name.startswith('raw/data.csv of 2021-04-01') and why.startswith('the same bytes as raw/data.csv of 2021-01-01') for _, name, why in back), back
        assert ('there', 'raw/data.csv as it is checked out', 'raw-data:v1; the newest is raw-data:v3, so name the version') in back, back


def what_a_strange_repository_names_is_never_started(g):
    with tempfile.TemporaryDirectory() as d:
        subprocess.run(['git', 'init', '-q', d], check=True)
        write(f'{d}/.dvc/config', '')
        write(f'{d}/.gitattributes', '* diff=evil filter=evil\n')
        write(f'{d}/data.csv.dvc', 'outs:\n- md5: ' + '0' * 32 + '\n  path: data.csv\n')
        commit(d, 1)
        missing = subprocess.run(['git', '-C', d, 'rev-parse', 'HEAD:data.csv.dvc'], check=True, capture_output=True, text=True).stdout.strip()
        os.unlink(f'{d}/.git/objects/{missing[:2]}/{missing[2:]}')
        touch = f'touch {d}/marker; false'
        for name, value in (('core.repositoryFormatVersion', '1'), ('extensions.partialClone', 'evil'), ('remote.evil.promisor', 'true'),
                            ('remote.evil.url', d), ('remote.evil.uploadpack', touch), ('protocol.file.allow', 'always'), ('core.fsmonitor', touch),
                            ('core.sshCommand', touch), ('core.pager', touch), ('diff.external', touch), ('diff.evil.textconv', touch), ('diff.evil.command', touch),
                            ('filter.evil.smudge', touch), ('filter.evil.clean', touch), ('gpg.program', touch), ('log.showSignature', 'true')):
            subprocess.run(['git', '-C', d, 'config', name, value], check=True)
        write(f'{d}/.git/hooks/post-index-change', f'#!/bin/sh\n{touch}\n')
        os.chmod(f'{d}/.git/hooks/post-index-change', 0o755)
        for arguments in (['import', d], ['import', 'dvc', d]):
            refused = g.cli(*arguments, check=False)
            assert not os.path.exists(f'{d}/marker'), refused
            assert refused.returncode != 0 and 'GY4956' in refused.stderr and 'nothing is fetched' in refused.stderr, refused


# --- model files ------------------------------------------------------------------------------------
MAKE_MODELS = """
import json, sys
import numpy as np
folder = sys.argv[1]
rng = np.random.default_rng(7)
x = rng.normal(size=(400, 4)); x[rng.random(x.shape) < .1] = np.nan
y = (np.nan_to_num(x[:, 0]) + np.nan_to_num(x[:, 1]) ** 2 > .7).astype(int)
rows = rng.normal(size=(50, 4)).astype(np.float32).astype(float)
answers = {'rows': rows.tolist()}
import lightgbm
model = lightgbm.train({'objective': 'binary', 'verbose': -1, 'num_threads': 1}, lightgbm.Dataset(x, y, feature_name=list('abcd')), 20)
model.save_model(folder + '/light.txt')
answers['light'] = model.predict(rows).tolist()
import joblib, pickle, os
from sklearn.linear_model import LogisticRegression
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
z = np.nan_to_num(x)
joblib.dump(LogisticRegression(C=.25).fit(z, y), folder + '/plain.joblib')
joblib.dump(make_pipeline(StandardScaler(), RandomForestClassifier(5)).fit(z, y), folder + '/packed.joblib', compress=3)
class Bomb:
    def __reduce__(self):
        return os.system, ('touch ' + folder + '/marker',)
pickle.dump(Bomb(), open(folder + '/bomb.pkl', 'wb'))
joblib.dump({'model': LogisticRegression().fit(z, y), 'more': Bomb()}, folder + '/bomb.joblib', compress=('zlib', 3))
open(folder + '/lz4.joblib', 'wb').write(bytes([4, 0x22, 0x4d, 0x18]) + b'x' * 50)
json.dump(answers, open(folder + '/answers.json', 'w'))
"""


LIGHTGBM = """tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=1
objective=binary sigmoid:1
feature_names=age income
feature_infos=[18:90] [0:1000]
tree_sizes=300

Tree=0
num_leaves=2
num_cat=0
split_feature=0
split_gain=1
threshold=40.5
decision_type=2
left_child=-1
right_child=-2
leaf_value=-1 1
leaf_weight=1 1
leaf_count=1 1
internal_value=0
internal_weight=0
internal_count=2
is_linear=0
shrinkage=1


end of trees

pandas_categorical:[]
"""
TREE = {'left_children': [1, -1, -1], 'right_children': [2, -1, -1], 'split_indices': [0, 0, 0], 'split_conditions': [0.5, -1, 1], 'default_left': [1, 0, 0],
        'split_type': [0, 0, 0]}


def xgboost_json(booster):
    learner = {'attributes': {}, 'feature_names': ['age', 'income'], 'feature_types': [],
               'gradient_booster': {'name': booster, 'model': {'tree_info': [0], 'trees': [TREE]}},
               'learner_model_param': {'base_score': '5E-1', 'num_class': '0', 'num_feature': '2'}, 'objective': {'name': 'binary:logistic'}}
    return json.dumps({'learner': learner, 'version': [2, 1, 4]}, separators=(',', ':'))


def onnx_model():
    operator = field(4, b'Scaler') + field(7, b'ai.onnx.ml')
    shape = field(2, field(1, field(1, 4)))
    value = field(1, b'X') + field(2, field(1, field(1, 1) + shape))
    return field(1, 8) + field(7, field(1, operator) + field(11, value)) + field(8, field(1, b'') + field(2, 17))


def the_model_files_of_a_folder_become_models(g):
    with tempfile.TemporaryDirectory() as d:
        write(f'{d}/models/light.txt', LIGHTGBM)
        write(f'{d}/models/boost.json', xgboost_json('gbtree'))
        write(f'{d}/models/linear.json', xgboost_json('gblinear'))
        write(f'{d}/models/deep/scaler.onnx', onnx_model())
        write(f'{d}/models/plain.pkl', pickle.dumps({'weights': [1, 2]}))
        write(f'{d}/models/cut.joblib', pickle.dumps({'weights': [1, 2]})[:-3])
        write(f'{d}/models/._light.onnx', 'what a desktop leaves')
        write(f'{d}/models/weights.bin', 'no model')
        os.symlink('light.txt', f'{d}/models/again.txt')
        planned = {row[1]: row[0] for row in take(g, f'{d}/models', '--dry-run')}
        assert planned['light.txt'] == planned['cut.joblib'] == 'would take' and planned['weights.bin'] == 'not taken', planned
        assert g.cli_json('models', 'ls') == [], 'a dry run changes nothing'
        unsaid = {row[1]: row for row in take(g, f'{d}/models', check=False)}
        assert unsaid['light.txt'][0] == 'failed' and unsaid['light.txt'][2].startswith('GY3541') and '--target COLUMN' in unsaid['light.txt'][2], unsaid
        answer = g.cli('import', f'{d}/models', '--target', 'left', '-o', 'json', check=False)
        rows = {name: (state, detail) for state, name, detail in report(json.loads(answer.stdout))}
        assert answer.returncode == 1, answer
        assert {name: state for name, (state, _) in rows.items()} == {
            'light.txt': 'taken', 'boost.json': 'taken', 'deep/scaler.onnx': 'there', 'plain.pkl': 'there', 'linear.json': 'failed', 'cut.joblib': 'failed',
            '._light.onnx': 'not taken', 'weights.bin': 'not taken', 'again.txt': 'not taken'}, rows
        assert rows['light.txt'][1].startswith('light:v1: lightgbm') and rows['boost.json'][1].startswith('boost:v1: xgboost'), rows
        assert unsaid['deep/scaler.onnx'][2].startswith('deep-scaler:v1: onnx') and 'kept, not run' in unsaid['plain.pkl'][2], unsaid
        assert rows['linear.json'][1].startswith('GY3545') and rows['cut.joblib'][1].startswith('GY3546'), rows
        assert 'no table and no model' in rows['weights.bin'][1] and 'links are not followed' in rows['again.txt'][1], rows
        assert g.cli_json('datasets') == [], 'no model is a dataset'
        assert sorted(model['name'] for model in g.cli_json('models', 'ls')) == ['boost', 'deep-scaler', 'light', 'plain']
        again = {row[1]: row[0] for row in take(g, f'{d}/models', '--target', 'left', check=False)}
        assert again['light.txt'] == again['boost.json'] == again['deep/scaler.onnx'] == again['plain.pkl'] == 'there', again
        # Tables and models side by side; `model` takes only models.
        write(f'{d}/both/sales.csv', 'a\n1\n')
        write(f'{d}/both/learners.json', '{"learner": "ann", "age": 3}\n')
        write(f'{d}/both/trees.txt', 'tree\noak\n')
        write(f'{d}/both/scaler.onnx', onnx_model())
        both = {row[1]: row[0:3:2] for row in take(g, f'{d}/both', '--as', 'scaler.onnx=scaling')}
        assert {state for state, _ in both.values()} == {'taken'} and both['scaler.onnx'][1].startswith('scaling:v1'), both
        assert {row['name'] for row in g.cli_json('datasets')} == {'sales', 'learners', 'trees'}
        only = {row[1]: row[0] for row in take(g, 'model', f'{d}/both', '--as', 'scaler.onnx=scaling')}
        assert only == {'scaler.onnx': 'there', 'sales.csv': 'not taken', 'learners.json': 'not taken', 'trees.txt': 'not taken'}, only


def answers_of(g, model, rows):
    table = 'a,b,c,d\n' + ''.join(','.join(map(repr, row)) + '\n' for row in rows)
    path = os.path.join(g.work, 'rows.csv')
    write(path, table)
    g.cli('predict', model, '--in', path, '--out', path + '.out.csv', '--force')
    with open(path + '.out.csv') as f:
        return list(csv.DictReader(f))


def model_files_answer_as_their_library(g):
    python = os.environ.get('GYRE_TEST_PYTHON')
    if not python:
        return print('no Python with LightGBM: model files are not tried')
    with tempfile.TemporaryDirectory() as d:
        subprocess.run([python, '-c', MAKE_MODELS, d], check=True)
        with open(f'{d}/answers.json') as f:
            expected = json.load(f)
        rows = expected.pop('rows')
        for name, wanted in expected.items():
            file = f'{d}/{name}.txt'
            assert take(g, 'model', file, '--name', name, '--target', 'y')[0][0] == 'taken'
            assert take(g, 'model', file, '--name', name, '--target', 'y')[0][0] == 'there'
            for want, got in zip(wanted, answers_of(g, name, rows)):
                compare(name, want, got)
        plain = take(g, f'{d}/plain.joblib')
        assert plain[0][0] == 'taken' and 'LogisticRegression' in plain[0][2] and 'kept, not run' in plain[0][2] and len(plain) == 1, plain
        assert len(take(g, f'{d}/packed.joblib')) == 1
        assert 'GY3211' in g.cli('deploy', 'plain:v1', '--name', 'plain', check=False).stderr
        for name in ('bomb.pkl', 'bomb.joblib'):
            named = take(g, f'{d}/{name}')
            assert any('.system`' in row[1] for row in named), named
            assert ('sklearn' if name == 'bomb.joblib' else 'pickle') in named[0][2], named
        assert 'sklearn' not in g.cli('models', 'show', 'bomb:v1').stdout
        assert 'GY3547' in g.cli('import', f'{d}/lz4.joblib', check=False).stderr
        write(f'{d}/cut.pkl', open(f'{d}/bomb.pkl', 'rb').read()[:-4])
        assert 'GY3546' in g.cli('import', f'{d}/cut.pkl', check=False).stderr
        assert not os.path.exists(f'{d}/marker'), 'nothing in a pickle is carried out'


def compare(name, want, got):
    if isinstance(want, list):
        numbers = [float(got[f'probability_{k}']) for k in range(len(want))]
    else:
        want, numbers = [want], [float(got['probability_1'] if 'probability_1' in got else got['prediction'])]
    bound = 1e-15 if name == 'light' else 2e-6
    assert all(abs(n - w) <= bound * max(1, abs(w)) for n, w in zip(numbers, want)), (name, want, got)


if __name__ == '__main__':
    run_scenarios([folders_become_datasets, a_dataset_of_ours_takes_no_other_table, tensorboard_runs_keep_steps_and_dates, a_killed_import_goes_on, a_dvc_repository_keeps_its_versions, what_a_strange_repository_names_is_never_started,
                   the_model_files_of_a_folder_become_models, model_files_answer_as_their_library])
