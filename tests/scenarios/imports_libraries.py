"""gyre import of what the real libraries write: tensorboardX's logs, a repository that dvc made, XGBoost's and ONNX's model files, joblib files that attack."""
import json
import math
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import run_scenarios, skip
from imports import answers_of, compare, history, take, write

DEPS = os.path.expanduser('~/.cache/gyre-deps')
PYTHON = os.environ.get('GYRE_TEST_IMPORTS_PYTHON') or f'{DEPS}/venv-test-imports/bin/python'
DVC = os.environ.get('GYRE_TEST_DVC') or f'{DEPS}/venv-test-dvc/bin/dvc'


def python(program, *arguments):
    if not os.path.exists(PYTHON):
        skip('tools/deps test has not made the environment test-imports')
    subprocess.run([PYTHON, '-W', 'ignore', '-c', program, *arguments], check=True, stderr=subprocess.DEVNULL)


# --- TensorBoard ----------------------------------------------------------------------------------
WRITE_LOGS = """
import sys
from tensorboardX import SummaryWriter
with SummaryWriter(sys.argv[1] + '/vision') as w:
    for i in range(500):
        w.add_scalar('train/loss', 1 / (i + 3), i, walltime=1_600_000_000 + i)
        if i % 100 == 0:
            w.add_scalars('acc', {'a': i / 7, 'b': i / 11}, i, walltime=1_600_000_000 + i)
    w.add_text('note', 'first words', 0)
    w.add_histogram('weights', [1., 2., 3.], 0)
    w.add_hparams({'lr': 0.25, 'opt': 'adam', 'bias': True}, {'final': 0.75})
"""


def the_logs_of_tensorboardx(g):
    with tempfile.TemporaryDirectory() as d:
        python(WRITE_LOGS, d)
        rows = take(g, d, '--name', 'logs')
        names = [row[1] for row in rows if row[0] == 'taken']
        assert 'run vision' in names and len(names) == 4, rows  # add_scalars and add_hparams open logs of their own
        assert any('histograms' in row[1] for row in rows if row[0] == 'not taken'), rows
        run = g.cli_json('runs', 'show', 'vision')
        points = history(g, run['id'], 'train/loss')
        assert [p['step'] for p in points] == list(range(500))
        assert all(math.isclose(p['value'], 1 / (p['step'] + 3), rel_tol=1e-7) for p in points)  # they are written in 32 bits
        assert points[7]['time'] == '2020-09-13T12:26:47Z', points[7]
        runs = g.cli_json('runs', 'ls')
        assert {'lr': '0.25', 'opt': 'adam', 'bias': 'true'} in [g.cli_json('runs', 'show', item['id'])['params'] for item in runs], runs
        assert all(row[0] in ('there', 'not taken') for row in take(g, d, '--name', 'logs'))


# --- DVC -----------------------------------------------------------------------------------------
def a_repository_that_dvc_made(g):
    if not os.path.exists(DVC):
        skip('tools/deps test has not made the environment test-dvc')
    with tempfile.TemporaryDirectory() as d:
        environment = {**os.environ, 'HOME': d, 'DVC_NO_ANALYTICS': '1', 'DVC_SITE_CACHE_DIR': f'{d}/site', 'GIT_CONFIG_GLOBAL': '/dev/null',
                       'PATH': os.path.dirname(DVC) + ':' + os.environ['PATH']}
        for who in ('AUTHOR', 'COMMITTER'):
            environment |= {f'GIT_{who}_NAME': 'Ann', f'GIT_{who}_EMAIL': 'ann@example.org'}
        repository = f'{d}/forecasts'

        def call(*words, **more):
            subprocess.run(words, check=True, cwd=repository, env={**environment, **more}, stdout=subprocess.DEVNULL)

        def commit(month):
            date = f'2022-{month:02}-01T10:00:00Z'
            call('git', 'add', '-A')
            call('git', 'commit', '-q', '-m', f'month {month}', GIT_AUTHOR_DATE=date, GIT_COMMITTER_DATE=date)

        os.makedirs(repository)
        call('git', 'init', '-q')
        call(DVC, 'init', '-q')
        write(f'{repository}/raw/data.csv', 'a,b\n1,2\n')
        call(DVC, 'add', '-q', 'raw/data.csv')
        commit(1)
        write(f'{repository}/raw/data.csv', 'a,b\n1,2\n3,4\n')
        for part in range(3):
            write(f'{repository}/parts/p{part}.csv', f'x\n{part}\n')
        call(DVC, 'add', '-q', 'raw/data.csv', 'parts')
        commit(2)
        call(DVC, 'stage', 'add', '-q', '-n', 'prepare', '-d', 'raw/data.csv', '-o', 'made.csv', 'grep -v 1 raw/data.csv > made.csv')
        call(DVC, 'repro', '-q')
        commit(3)
        rows = take(g, repository)
        assert [row[0] for row in rows] == ['taken'] * 4, rows
        counts = {name: [v['rows'] for v in g.cli_json('api', 'GET', f'/api/v1/projects/default/datasets/{name}/versions')['items']]
                  for name in ('raw-data', 'parts', 'made')}
        assert counts == {'raw-data': [2, 1], 'parts': [3], 'made': [1]}, counts
        newest = g.cli_json('api', 'GET', '/api/v1/projects/default/datasets/raw-data/versions')['items'][0]
        assert newest['tags']['git.date'].startswith('2022-02-01') and newest['tags']['git.author'] == 'Ann <ann@example.org>', newest['tags']
        assert {row[0] for row in take(g, repository)} == {'there'}


# --- XGBoost --------------------------------------------------------------------------------------
MAKE_XGBOOST = """
import json, sys
import numpy as np, xgboost
folder = sys.argv[1]
rng = np.random.default_rng(11)
x = rng.normal(size=(500, 4)); x[rng.random(x.shape) < .1] = np.nan
y = (np.nan_to_num(x[:, 0]) + np.nan_to_num(x[:, 1]) ** 2 > .7).astype(int)
rows = rng.normal(size=(200, 4)).astype(np.float32).astype(float); rows[rng.random(rows.shape) < .1] = np.nan
answers = {'rows': rows.tolist()}
for name, params, target in (('binary', {'objective': 'binary:logistic', 'base_score': .3}, y), ('unset', {'objective': 'binary:logistic'}, y),
                             ('number', {'objective': 'reg:squarederror'}, y * 3.5 + x[:, 3]), ('many', {'objective': 'multi:softprob', 'num_class': 3}, np.arange(500) % 3),
                             ('dart', {'objective': 'reg:squarederror', 'booster': 'dart', 'rate_drop': .3}, y)):
    target = np.nan_to_num(target)
    model = xgboost.train({**params, 'nthread': 1, 'max_depth': 4}, xgboost.DMatrix(x, target, feature_names=list('abcd')), 15)
    for ending in ('ubj', 'json'):
        model.save_model(f'{folder}/{name}.{ending}')
    answers[name] = model.predict(xgboost.DMatrix(rows, feature_names=list('abcd'))).tolist()
json.dump(answers, open(folder + '/answers.json', 'w'))
"""


def xgboost_files_answer_as_the_library(g):
    with tempfile.TemporaryDirectory() as d:
        python(MAKE_XGBOOST, d)
        with open(f'{d}/answers.json') as f:
            expected = json.load(f)
        rows = expected.pop('rows')
        for name, wanted in expected.items():
            for ending in ('ubj', 'json'):
                model = f'{name}-{ending}'
                assert take(g, 'model', f'{d}/{name}.{ending}', '--name', model, '--target', 'y')[0][0] == 'taken'
                assert take(g, 'model', f'{d}/{name}.{ending}', '--name', model, '--target', 'y')[0][0] == 'there'
                for want, got in zip(wanted, answers_of(g, model, rows)):
                    compare(name, want, got)


# --- ONNX -----------------------------------------------------------------------------------------
MAKE_ONNX = """
import sys
import numpy as np, onnx, xgboost
from onnxmltools.convert import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skl2onnx import to_onnx
folder = sys.argv[1]
rng = np.random.default_rng(7)
x = rng.normal(size=(300, 4)).astype(np.float32)
y = (x[:, 0] > 0).astype(int)
onnx.save(to_onnx(make_pipeline(StandardScaler(), RandomForestClassifier(5)).fit(x, y), x[:1], target_opset=17), folder + '/forest.onnx')
onnx.save(convert_xgboost(xgboost.XGBClassifier(n_estimators=5).fit(x, y), initial_types=[('x', FloatTensorType([None, 4]))], target_opset=15), folder + '/trees.onnx')
weight = onnx.numpy_helper.from_array(np.ones((4, 1), np.float32), 'w')
graph = onnx.helper.make_graph([onnx.helper.make_node('MatMul', ['x', 'w'], ['y'])], 'g', [onnx.helper.make_tensor_value_info('x', 1, ['N', 4])],
                               [onnx.helper.make_tensor_value_info('y', 1, ['N', 1])], [weight])
onnx.save(onnx.helper.make_model(graph), folder + '/far.onnx', save_as_external_data=True, location='weights.bin', size_threshold=0)
"""


def onnx_files_are_kept_and_read(g):
    with tempfile.TemporaryDirectory() as d:
        python(MAKE_ONNX, d)
        forest = take(g, f'{d}/forest.onnx')
        assert forest[0][0] == 'taken' and 'ai.onnx 17' in forest[0][2] and 'kept, not run' in forest[0][2] and len(forest) == 1, forest
        assert take(g, f'{d}/forest.onnx')[0][0] == 'there'
        signature = g.cli_json('models', 'show', 'forest:v1')['signature']
        assert signature['inputs'] == [{'name': 'X', 'type': 'tensor(float)', 'shape': [None, 4]}], signature
        assert [(o['name'], o['type']) for o in signature['outputs']] == [('output_label', 'tensor(int64)'),
                                                                          ('output_probability', 'seq(map(int64,tensor(float)))')], signature
        take(g, f'{d}/trees.onnx')
        assert 'x tensor(float) [?, 4]' in g.cli('models', 'show', 'trees:v1').stdout
        far = take(g, f'{d}/far.onnx')
        assert [row[0] for row in far] == ['taken', 'not taken'] and 'weights' in far[1][1], far
        refused = g.cli('deploy', 'forest:v1', '--name', 'forest', check=False)
        assert refused.returncode == 1 and 'GY3211' in refused.stderr and 'ONNX' in refused.stderr and 'gyre train' in refused.stderr, refused.stderr
        with open(f'{d}/forest.onnx', 'rb') as f:
            whole = f.read()
        for size in (9, 40, len(whole) // 2, len(whole) - 30):
            write(f'{d}/cut.onnx', whole[:size])
            cut = g.cli('import', f'{d}/cut.onnx', check=False)
            assert 'GY3547' in cut.stderr, (size, cut.stderr)
        write(f'{d}/text.onnx', 'no model')
        assert 'GY3540' in g.cli('import', f'{d}/text.onnx', check=False).stderr


# --- joblib ----------------------------------------------------------------------------------------
MAKE_ATTACKS = """
import builtins, io, os, pickle, subprocess, sys
import joblib, numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
folder = sys.argv[1]
class Calls:
    def __init__(self, function, *arguments): self.all = function, arguments
    def __reduce__(self): return self.all
touch = 'touch ' + folder + '/marker'
system = Calls(os.system, touch)
model = LogisticRegression().fit([[0.], [1.]], [0, 1])
hidden = make_pipeline(StandardScaler(), model); hidden.note = [{'deep': (1, [system])}]
attacks = {'plain': system, 'nested': hidden, 'array': {'a': np.array([1, system], dtype=object)}, 'popen': {'m': model, 'x': Calls(subprocess.Popen, ['touch', folder + '/marker'])},
           'eval': [model, Calls(eval, '__import__("os").' + touch[:5])], 'load': {'x': Calls(pickle.loads, pickle.dumps(system))},
           'attribute': Calls(getattr, subprocess.Popen, 'communicate')}
for name, attack in attacks.items():
    joblib.dump(attack, f'{folder}/{name}.joblib')
for method in ('zlib', 'gzip', 'bz2', 'lzma', 'xz'):
    joblib.dump({'m': model, 'x': system}, f'{folder}/{method}.joblib', compress=(method, 3))
open(folder + '/lz4.joblib', 'wb').write(bytes([4, 0x22, 0x4d, 0x18]) + b'x' * 50)
for protocol in range(6):
    pickle.dump(hidden, open(f'{folder}/protocol{protocol}.pkl', 'wb'), protocol=protocol)
"""
NAMED = {'plain': 'system', 'nested': 'system', 'array': 'system', 'popen': 'Popen', 'eval': 'eval', 'load': 'loads', 'attribute': 'getattr', 'zlib': 'system',
         'gzip': 'system'}


def joblib_attacks_are_named_and_never_carried_out(g):
    with tempfile.TemporaryDirectory() as d:
        python(MAKE_ATTACKS, d)
        for name, call in NAMED.items():
            rows = take(g, f'{d}/{name}.joblib')
            assert rows[0][0] == 'taken' and any(row[0] == 'not taken' and call in row[1] for row in rows), (name, rows)
        for protocol in range(6):
            rows = take(g, f'{d}/protocol{protocol}.pkl')
            assert any('system`' in row[1] for row in rows), (protocol, rows)
        for method in ('bz2', 'lzma', 'xz', 'lz4'):
            refused = g.cli('import', f'{d}/{method}.joblib', check=False)
            assert 'GY3547' in refused.stderr and 'compress=0' in refused.stderr, (method, refused.stderr)
        assert not os.path.exists(f'{d}/marker'), 'nothing in a pickle is carried out'


if __name__ == '__main__':
    run_scenarios([the_logs_of_tensorboardx, a_repository_that_dvc_made, xgboost_files_answer_as_the_library, onnx_files_are_kept_and_read,
                   joblib_attacks_are_named_and_never_carried_out])
