"""The `mlflow` command of the same package, within this process."""
import json
import os

from framework import case


def mlflow_command(*arguments):
    from click.testing import CliRunner
    from mlflow.cli import cli
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, f'{arguments}: {done.output} {done.exception!r}'
    return done.output


def pointed(t):
    os.environ['MLFLOW_TRACKING_URI'] = t.uri


@case()
def experiments(t):
    pointed(t)
    name = t.name()
    assert 'Created experiment' in mlflow_command('experiments', 'create', '-n', name)
    id = t.client.get_experiment_by_name(name).experiment_id
    mlflow_command('experiments', 'rename', '-x', id, '--new-name', name + ' new')
    assert name + ' new' in mlflow_command('experiments', 'search', '--view', 'active_only')
    mlflow_command('experiments', 'delete', '-x', id)
    t.same(t.client.get_experiment(id).lifecycle_stage, 'deleted')
    mlflow_command('experiments', 'restore', '-x', id)
    t.same(t.client.get_experiment(id).lifecycle_stage, 'active')


@case()
def runs(t):
    pointed(t)
    exp = t.experiment()
    run = t.run_id(exp, run_name='läuft')
    t.client.log_metric(run, 'm', 2.5)
    assert 'läuft' in mlflow_command('runs', 'list', '--experiment-id', exp)
    t.same(json.loads(mlflow_command('runs', 'describe', '--run-id', run))['data']['metrics'], {'m': 2.5})
    mlflow_command('runs', 'delete', '--run-id', run)
    t.same(t.client.get_run(run).info.lifecycle_stage, 'deleted')
    mlflow_command('runs', 'restore', '--run-id', run)
    t.same(t.client.get_run(run).info.lifecycle_stage, 'active')


@case()
def as_csv(t):
    pointed(t)
    exp = t.experiment()
    t.client.log_param(t.run_id(exp), 'p', 'ü,"x"')
    mlflow_command('experiments', 'csv', '-x', exp, '-o', f'{t.tmp}/runs.csv')
    text = open(f'{t.tmp}/runs.csv', encoding='utf-8').read()
    assert 'params.p' in text and '"ü,""x"""' in text, text


@case()
def artifacts(t):
    pointed(t)
    run = t.run_id()
    with open(f'{t.tmp}/a.txt', 'w') as f:
        f.write('content')
    mlflow_command('artifacts', 'log-artifact', '-l', f'{t.tmp}/a.txt', '-r', run, '-a', 'dir')
    t.same(json.loads(mlflow_command('artifacts', 'list', '-r', run, '-a', 'dir'))[0]['path'], 'dir/a.txt')
    mlflow_command('artifacts', 'download', '-r', run, '-a', 'dir', '-d', f'{t.tmp}/out')
    t.same(open(f'{t.tmp}/out/dir/a.txt').read(), 'content')
