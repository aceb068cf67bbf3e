"""mlflow.models.evaluate and validate_evaluation_results: what they write, and what they decide; the verdict as a gate's."""
import json

from framework import case


def frame():
    import numpy as np
    import pandas as pd
    rng = np.random.default_rng(5)
    x = rng.normal(size=(80, 2))
    return pd.DataFrame({'a': x[:, 0], 'b': x[:, 1], 'y': (x[:, 0] > 0).astype(int)})


def evaluated(t, kind='classifier', **fields):
    import mlflow
    data = frame()
    data['p'] = data['y'] if kind == 'regressor' else (data['a'] + data['b'] * 0.2 > 0).astype(int)
    exp = mlflow.set_experiment(t.name())
    with mlflow.start_run() as run:
        result = mlflow.models.evaluate(data=data[['y', 'p']], targets='y', predictions='p', model_type=kind, evaluators=['default'], **fields)
    return result, run, exp


@case()
def of_predictions(t):
    result, run, _ = evaluated(t)
    assert 0.8 < result.metrics['accuracy_score'] <= 1, result.metrics
    stored = t.client.get_run(run.info.run_id).data.metrics
    t.same(stored['accuracy_score'], result.metrics['accuracy_score'])
    assert any(f.path.endswith('.png') for f in t.client.list_artifacts(run.info.run_id)), 'no plots'


@case()
def of_a_regressor(t):
    result, run, _ = evaluated(t, 'regressor')
    t.same((result.metrics['mean_absolute_error'], t.client.get_run(run.info.run_id).data.metrics['r2_score']), (0.0, 1.0))


@case()
def with_a_metric_of_ones_own(t):
    from mlflow.models import make_metric

    def own(predictions, targets):
        return float((predictions == targets).sum())
    result, run, _ = evaluated(t, 'regressor', extra_metrics=[make_metric(eval_fn=own, greater_is_better=True)])
    t.same((result.metrics['own'], t.client.get_run(run.info.run_id).data.metrics['own']), (80.0, 80.0))


def logged(t, name):
    import mlflow
    from sklearn.linear_model import LogisticRegression
    data = frame()
    model = LogisticRegression().fit(data[['a', 'b']], data['y'])
    argument = {'name': 'm'} if int(mlflow.__version__.split('.')[0]) >= 3 else {'artifact_path': 'm'}
    return mlflow.sklearn.log_model(model, **argument, pip_requirements=['numpy'], registered_model_name=name), data


@case()
def of_a_logged_model(t):
    import mlflow
    mlflow.set_experiment(t.name())
    with mlflow.start_run() as run:
        info, data = logged(t, None)
        result = mlflow.models.evaluate(info.model_uri, data, targets='y', model_type='classifier', evaluators=['default'], evaluator_config={'default': {'log_explainer': False}})
    got = t.client.get_run(run.info.run_id)
    t.same(got.data.metrics['accuracy_score'], result.metrics['accuracy_score'])
    t.same(len(got.inputs.dataset_inputs), 1)


@case(since='3.0')
def metrics_go_to_the_model_too(t):
    import mlflow
    mlflow.set_experiment(t.name())
    with mlflow.start_run():
        info, data = logged(t, None)
        mlflow.models.evaluate(info.model_uri, data, targets='y', model_type='classifier', evaluators=['default'], evaluator_config={'default': {'log_explainer': False}})
    metrics = {m.key: m for m in mlflow.get_logged_model(info.model_id).metrics}
    assert metrics['accuracy_score'].dataset_name, metrics


def candidate(t, threshold, **fields):
    import mlflow
    from mlflow.models import MetricThreshold
    result, _, _ = evaluated(t)
    baseline = fields.pop('baseline', None)
    return mlflow.validate_evaluation_results, dict(candidate_result=result, baseline_result=baseline,
                                                    validation_thresholds={'accuracy_score': MetricThreshold(threshold=threshold, greater_is_better=True, **fields)})


@case(since='2.18')
def validation_that_passes(t):
    validate, arguments = candidate(t, 0.5)
    t.same(validate(**arguments), None)


@case(since='2.18')
def validation_that_fails(t):
    from mlflow.models.evaluation.validation import ModelValidationFailedException
    validate, arguments = candidate(t, 1.0)
    try:
        validate(**arguments)
    except ModelValidationFailedException as e:
        assert 'accuracy_score' in str(e), e
    else:
        raise AssertionError('it passed')


@case(since='2.18')
def validation_against_a_baseline(t):
    from mlflow.models.evaluation.validation import ModelValidationFailedException
    baseline, _, _ = evaluated(t)
    validate, arguments = candidate(t, 0.1, baseline=baseline, min_absolute_change=0.5)
    try:
        validate(**arguments)
    except ModelValidationFailedException as e:
        assert 'accuracy_score' in str(e), e
    else:
        raise AssertionError('it passed')


def registered_and_evaluated(t, name):
    """A version whose numbers evaluate() has logged, and the result."""
    import mlflow
    mlflow.set_experiment(t.name())
    with mlflow.start_run():
        info, data = logged(t, name)
        result = mlflow.models.evaluate(info.model_uri, data, targets='y', model_type='classifier', evaluators=['default'], evaluator_config={'default': {'log_explainer': False}})
    return max(t.client.search_model_versions(f"name = '{name}'"), key=lambda v: int(v.version)).version, result


def verdict(t, name, version):
    return t.get(f'/api/v1/projects/default/models/{name}/versions/v{version}')['verdict']


@case(since='2.18', real_server='keeps no verdicts')
def validation_is_kept_as_the_verdict_of_a_gate(t):
    import mlflow
    from mlflow.models import MetricThreshold
    name = t.name()
    version, result = registered_and_evaluated(t, name)
    thresholds = {'accuracy_score': MetricThreshold(threshold=0.8, min_absolute_change=0.01, greater_is_better=True)}
    t.client.set_model_version_tag(name, version, 'gyre.gate', json.dumps(thresholds, default=vars))
    kept = verdict(t, name, version)
    t.same((kept['pass'], kept['reasons'][0]['rule']), (True, 'accuracy_score >= 0.8'))
    t.client.set_registered_model_alias(name, 'champion', version)
    # The next one is as good, and no better.
    version, second = registered_and_evaluated(t, name)
    try:
        mlflow.validate_evaluation_results(thresholds, second, result)
        raise AssertionError('it passed')
    except mlflow.exceptions.MlflowException as e:
        assert 'accuracy_score' in str(e), e
    t.client.set_model_version_tag(name, version, 'gyre.gate', json.dumps(thresholds, default=vars))
    t.same([r['pass'] for r in verdict(t, name, version)['reasons']], [True, False, True])
    t.fails('INVALID_PARAMETER_VALUE', 'the gate said no to', t.client.set_registered_model_alias, name, 'champion', version)
    t.same(t.client.get_model_version_by_alias(name, 'champion').version, '1')
    t.client.delete_model_version_tag(name, version, 'gyre.gate')
    t.client.set_registered_model_alias(name, 'champion', version)


@case(real_server='has no policies')
def what_is_evaluated_is_judged_by_the_policy_of_an_alias(t):
    name = t.name()
    version, result = registered_and_evaluated(t, name)
    policy = f'/api/v1/projects/default/models/{name}/policies/champion'
    for least, passes in ((1.01, False), (result.metrics['accuracy_score'], True)):
        assert t.send('PUT', policy, {'rules': [{'metric': 'accuracy_score', 'op': '>=', 'value': least}]}).status == 200
        if not passes:
            t.fails('INVALID_PARAMETER_VALUE', 'the gate said no to', t.client.set_registered_model_alias, name, 'champion', version)
    t.client.set_registered_model_alias(name, 'champion', version)
    assert 'logged' in verdict(t, name, version)['reasons'][-1]['rule'], verdict(t, name, version)


@case()
def tables_of_an_evaluation(t):
    import mlflow
    import pandas as pd
    mlflow.set_experiment(t.name())
    data = pd.DataFrame({'inputs': ['a', 'b'], 'ground_truth': ['x', 'y'], 'predictions': ['x', 'z']})
    with mlflow.start_run() as run:
        result = mlflow.models.evaluate(data=data, targets='ground_truth', predictions='predictions', evaluators=['default'], extra_metrics=[mlflow.metrics.exact_match()])
    t.same(result.metrics['exact_match/v1'], 0.5)
    t.same(t.client.get_run(run.info.run_id).data.metrics['exact_match/v1'], 0.5)
