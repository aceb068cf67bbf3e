"""Models of the flavors that people use: logged, registered, found by alias, loaded, and what autologging writes."""
import json
import os
import sys

from framework import Skip, case, table, version_of


def rows():
    import numpy as np
    rng = np.random.default_rng(3)
    x = rng.normal(size=(60, 3))
    return x, (x[:, 0] + x[:, 1] > 0).astype(int)


def sklearn_model():
    from sklearn.linear_model import LogisticRegression
    return LogisticRegression(max_iter=20).fit(*rows())


def xgboost_model():
    import xgboost
    return xgboost.train({'max_depth': 2, 'nthread': 1, 'objective': 'binary:logistic'}, xgboost.DMatrix(*rows()), 3)


def lightgbm_model():
    import lightgbm
    return lightgbm.train({'num_leaves': 4, 'verbose': -1, 'num_threads': 1, 'objective': 'binary'}, lightgbm.Dataset(*rows()), 3)


def torch():
    """Debian's python3-torch, installed or unpacked by tools/deps, where it works with this Python."""
    place = os.environ.get('GYRE_TEST_TORCH') or '/usr/lib/python3/dist-packages'
    sys.path.append(place)
    try:
        import torch
        torch.zeros(2).numpy()
        return torch
    except Exception as e:
        raise Skip('PyTorch does not import (Debian: python3-torch)') from e
    finally:
        sys.path.remove(place)


def torch_model():
    t = torch()
    t.manual_seed(1)
    return t.nn.Sequential(t.nn.Linear(3, 4), t.nn.ReLU(), t.nn.Linear(4, 1))


def need_what_it_saves_with(flavor):
    """Debian's PyTorch is 1.13; mlflow's flavor asks for torch.export since 3.1x."""
    import importlib
    import mlflow
    if flavor == 'pytorch' and version_of(mlflow.__version__) >= (3, 10):
        torch()
        try:
            importlib.import_module('torch.export')
        except ImportError as e:
            raise Skip(f'mlflow {mlflow.__version__} saves PyTorch models with torch.export, which this PyTorch lacks') from e


MAKE = {'sklearn': sklearn_model, 'xgboost': xgboost_model, 'lightgbm': lightgbm_model, 'pytorch': torch_model}


def named(mlflow, name):
    """The argument was artifact_path before 3.0."""
    return {'name': name} if int(mlflow.__version__.split('.')[0]) >= 3 else {'artifact_path': name}


def log(t, flavor, **fields):
    import importlib

    import mlflow
    need_what_it_saves_with(flavor)
    model = MAKE[flavor]()
    module = importlib.import_module(f'mlflow.{flavor}')
    mlflow.set_experiment(t.name())
    # Without pip_requirements the client loads the model in another process to see what it needs.
    with mlflow.start_run() as run:
        info = module.log_model(model, **named(mlflow, 'model'), pip_requirements=['numpy'], **fields)
    return model, info, run


def same_answers(flavor, model, loaded):
    import numpy as np
    x, _ = rows()
    if flavor == 'pytorch':
        expected = model(torch().tensor(x, dtype=torch().float32)).detach().numpy()
        got = loaded.predict(x.astype('float32'))
    elif flavor == 'xgboost':
        import xgboost
        expected, got = model.predict(xgboost.DMatrix(x)), loaded.predict(x)
    else:
        expected, got = model.predict(x), loaded.predict(x)
    assert np.allclose(got, expected), (got[:3], expected[:3])


@table(list(MAKE))
def log_and_load(t, flavor):
    import mlflow.pyfunc
    model, info, run = log(t, flavor)
    same_answers(flavor, model, mlflow.pyfunc.load_model(info.model_uri))
    same_answers(flavor, model, mlflow.pyfunc.load_model(f'runs:/{run.info.run_id}/model'))


@table(list(MAKE))
def register_alias_load(t, flavor):
    import mlflow.pyfunc
    name = t.name(flavor)
    model, info, run = log(t, flavor, registered_model_name=name)
    version = t.client.get_model_version(name, '1')
    t.same((version.run_id, version.status), (run.info.run_id, 'READY'))
    t.client.set_registered_model_alias(name, 'champion', '1')
    same_answers(flavor, model, mlflow.pyfunc.load_model(f'models:/{name}@champion'))
    same_answers(flavor, model, mlflow.pyfunc.load_model(f'models:/{name}/1'))


@case()
def load_by_stage_and_latest(t):
    import mlflow.sklearn
    name = t.name()
    model, _, _ = log(t, 'sklearn', registered_model_name=name)
    t.client.transition_model_version_stage(name, '1', 'Production')
    for uri in (f'models:/{name}/Production', f'models:/{name}/latest'):
        same_answers('sklearn', model, mlflow.pyfunc.load_model(uri))


@case()
def register_later(t):
    import mlflow.pyfunc
    model, info, run = log(t, 'sklearn')
    name = t.name()
    made = [mlflow.register_model(info.model_uri, name).version for _ in range(2)]
    t.same(made, ['1', '2'])
    same_answers('sklearn', model, mlflow.pyfunc.load_model(f'models:/{name}/2'))


@case()
def signature_and_input_example(t):
    import mlflow
    import pandas as pd
    from mlflow.models import infer_signature
    x, y = rows()
    frame = pd.DataFrame(x, columns=['a', 'b', 'ü'])
    signature = infer_signature(frame, y)
    _, info, _ = log(t, 'sklearn', signature=signature, input_example=frame.head(2), metadata={'note': 'ö'})
    got = mlflow.models.get_model_info(info.model_uri)
    t.same((got.signature, got.metadata['note']), (signature, 'ö'))


@case(since='3.0')
def what_a_logged_model_holds(t):
    import mlflow
    _, info, run = log(t, 'sklearn', params={'p': 'q'}, tags={'k': 'v'}, model_type='tree')
    model = mlflow.get_logged_model(info.model_id)
    t.same((model.name, model.source_run_id, model.params['p'], model.tags['k'], model.model_type, str(model.status)), ('model', run.info.run_id, 'q', 'v', 'tree', 'READY'))
    t.same([m.model_id for m in mlflow.get_run(run.info.run_id).outputs.model_outputs], [info.model_id])
    files = {f['path'] for f in t.get(f'logged-models/{info.model_id}/artifacts/directories')['files']}
    assert {'MLmodel', 'conda.yaml', 'python_env.yaml', 'requirements.txt'} <= files, files
    t.same([m.model_id for m in mlflow.search_logged_models([run.info.experiment_id], output_format='list')], [info.model_id])


@case(since='3.0')
def checkpoints_with_steps(t):
    import mlflow
    mlflow.set_experiment(t.name())
    with mlflow.start_run() as run:
        ids = []
        for step in (1, 2):
            info = mlflow.sklearn.log_model(sklearn_model(), name=f'at-{step}', step=step, pip_requirements=['numpy'])
            mlflow.log_metric('acc', step / 2, step=step, model_id=info.model_id)
            ids.append(info.model_id)
    t.same(sorted((m.model_id, m.step) for m in mlflow.get_run(run.info.run_id).outputs.model_outputs), sorted(zip(ids, (1, 2))))
    found = mlflow.search_logged_models([run.info.experiment_id], order_by=[{'field_name': 'metrics.acc', 'ascending': False}], output_format='list')
    t.same([m.model_id for m in found], ids[::-1])


@case(since='3.0')
def version_links_to_its_logged_model(t):
    name = t.name()
    _, info, _ = log(t, 'sklearn', registered_model_name=name)
    version = t.client.get_model_version(name, '1')
    t.same(version.source, f'models:/{info.model_id}')
    tags = t.client.get_logged_model(info.model_id).tags
    assert name in tags.get('mlflow.modelVersions', ''), tags


@case(until='3.0')
def history_of_models_as_a_tag(t):
    _, _, run = log(t, 'sklearn')
    assert 'sklearn' in t.client.get_run(run.info.run_id).data.tags['mlflow.log-model.history']


@case()
def old_clients_metadata_is_kept(t):
    run = t.run_id()
    text = '{"artifact_path": "m", "flavors": {"python_function": {}}, "utc_time_created": "2026-01-01 00:00:00.000000", "model_uuid": "x", "run_id": "%s"}' % run
    t.post('runs/log-model', run_id=run, model_json=text)
    t.same(json.loads(t.client.get_run(run).data.tags['mlflow.log-model.history'])[0]['artifact_path'], 'm')


@case()
def pyfunc_of_ones_own(t):
    import mlflow.pyfunc

    class Twice(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):
            return model_input * 2
    mlflow.set_experiment(t.name())
    with mlflow.start_run():
        info = mlflow.pyfunc.log_model(python_model=Twice(), **named(mlflow, 'twice'), pip_requirements=['numpy'])
    import numpy as np
    t.same(mlflow.pyfunc.load_model(info.model_uri).predict(np.array([1, 2])).tolist(), [2, 4])


# --- autologging -------------------------------------------------------------------------------------
def autolog(t, module, fit, **fields):
    """One run of `fit` with autologging on."""
    import mlflow
    exp = mlflow.set_experiment(t.name())
    module.autolog(silent=True, **fields)
    try:
        with mlflow.start_run() as run:
            fit()
    finally:
        module.autolog(disable=True, silent=True)
    return t.client.get_run(run.info.run_id), exp


def fit_sklearn():
    from sklearn.linear_model import LogisticRegression
    LogisticRegression(max_iter=20, C=0.5).fit(*rows())


def models_of(t, run):
    if hasattr(run, 'outputs') and run.outputs is not None:
        return len(run.outputs.model_outputs)
    return len(t.client.list_artifacts(run.info.run_id, 'model')) > 0


@case()
def autolog_sklearn(t):
    import mlflow.sklearn
    run, _ = autolog(t, mlflow.sklearn, fit_sklearn)
    t.same((run.data.params['C'], run.data.params['max_iter'], run.data.tags['estimator_name']), ('0.5', '20', 'LogisticRegression'))
    assert {'training_accuracy_score', 'training_f1_score', 'training_log_loss', 'training_score'} <= set(run.data.metrics), run.data.metrics
    t.same(models_of(t, run), 1)
    t.same([x.value for d in run.inputs.dataset_inputs for x in d.tags if x.key == 'mlflow.data.context'], ['train'])
    assert any(f.path.endswith('.png') for f in t.client.list_artifacts(run.info.run_id)), 'no plots'


@case()
def autolog_sklearn_registers(t):
    import mlflow.sklearn
    name = t.name()
    autolog(t, mlflow.sklearn, fit_sklearn, registered_model_name=name)
    t.same(t.client.get_model_version(name, '1').status, 'READY')


@case()
def autolog_sklearn_search(t):
    import mlflow.sklearn
    from sklearn.model_selection import GridSearchCV
    from sklearn.tree import DecisionTreeClassifier

    def fit():
        GridSearchCV(DecisionTreeClassifier(random_state=1), {'max_depth': [1, 2]}, cv=2).fit(*rows())
    run, exp = autolog(t, mlflow.sklearn, fit, log_models=False)
    children = t.client.search_runs([exp.experiment_id], f"tags.mlflow.parentRunId = '{run.info.run_id}'")
    t.same(sorted(c.data.params['max_depth'] for c in children), ['1', '2'])
    assert 'best_max_depth' in run.data.params, run.data.params


@case()
def autolog_sklearn_metrics_after_fit(t):
    import mlflow.sklearn

    def fit():
        from sklearn.linear_model import LogisticRegression
        from sklearn.metrics import accuracy_score
        x, y = rows()
        predicted = LogisticRegression().fit(x, y).predict(x)
        accuracy_score(y, predicted)
    run, _ = autolog(t, mlflow.sklearn, fit, log_models=False)
    assert any(k.startswith('accuracy_score') for k in run.data.metrics), run.data.metrics


@case()
def autolog_xgboost(t):
    import mlflow.xgboost
    import xgboost

    def fit():
        data = xgboost.DMatrix(*rows())
        xgboost.train({'max_depth': 2, 'nthread': 1, 'objective': 'binary:logistic', 'eval_metric': 'logloss'}, data, 5, evals=[(data, 'train')], verbose_eval=False)
    run, _ = autolog(t, mlflow.xgboost, fit)
    t.same((run.data.params['max_depth'], run.data.params['num_boost_round']), ('2', '5'))
    t.same([p.step for p in t.client.get_metric_history(run.info.run_id, 'train-logloss')], [0, 1, 2, 3, 4])
    t.same(models_of(t, run), 1)


@case()
def autolog_lightgbm(t):
    import lightgbm
    import mlflow.lightgbm

    def fit():
        data = lightgbm.Dataset(*rows())
        lightgbm.train({'num_leaves': 4, 'verbose': -1, 'num_threads': 1, 'objective': 'binary'}, data, 5, valid_sets=[data], valid_names=['train'])
    run, _ = autolog(t, mlflow.lightgbm, fit)
    t.same((run.data.params['num_leaves'], run.data.params['num_boost_round']), ('4', '5'))
    t.same([p.step for p in t.client.get_metric_history(run.info.run_id, 'train-binary_logloss')], [0, 1, 2, 3, 4])
    t.same(models_of(t, run), 1)


@case()
def autolog_starts_its_own_run(t):
    import mlflow.sklearn
    exp = mlflow.set_experiment(t.name())
    mlflow.sklearn.autolog(silent=True, log_models=False, log_input_examples=False)
    try:
        fit_sklearn()
    finally:
        mlflow.sklearn.autolog(disable=True, silent=True)
    runs = t.client.search_runs([exp.experiment_id])
    t.same([(r.info.status, r.data.tags['mlflow.autologging']) for r in runs], [('FINISHED', 'sklearn')])


@case()
def autolog_pytorch_by_hand(t):
    import mlflow
    net = torch_model()
    x, y = rows()
    data, target = torch().tensor(x, dtype=torch().float32), torch().tensor(y, dtype=torch().float32).reshape(-1, 1)
    step = torch().optim.SGD(net.parameters(), lr=0.1)
    mlflow.set_experiment(t.name())
    with mlflow.start_run() as run:
        for epoch in range(5):
            step.zero_grad()
            loss = torch().nn.functional.binary_cross_entropy_with_logits(net(data), target)
            loss.backward()
            step.step()
            mlflow.log_metric('loss', float(loss), step=epoch)
    points = t.client.get_metric_history(run.info.run_id, 'loss')
    assert len(points) == 5 and points[-1].value < points[0].value
