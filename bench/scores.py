"""`gyre train` beside LightGBM and FLAML from PyPI on real tables: the same scikit-learn 80/20 split, the same leaks removed, the same seconds.

Seeds 0 to 4 and 60 s with GYRE_BENCH=full; else seeds 0 and 1 and 10 s. For each table: the mean over the seeds of the metric on the held-out fifth, and the
paired difference of gyre to the better peer with its standard error. GYRE_BENCH_TABLES=adult,iris picks tables; GYRE_BENCH_PEERS=lightgbm leaves FLAML out."""
import json
import os
import subprocess
import sys
import tempfile
import warnings

import numpy
import pandas
from sklearn.metrics import accuracy_score, log_loss, mean_squared_error, roc_auc_score
from sklearn.model_selection import train_test_split

warnings.filterwarnings('ignore')
GYRE = os.environ['GYRE']
FULL = os.environ.get('GYRE_BENCH') == 'full'
SEEDS = range(5) if FULL else range(2)
SECONDS = 60 if FULL else 10
PEERS = os.environ.get('GYRE_BENCH_PEERS', 'lightgbm,flaml').split(',')
HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.environ.get('GYRE_TEST_DATA') or os.path.join(HERE, '..', '..', 'shared', 'data')

# table, target, metric, leaks (removed for all)
TABLES = [
    ('adult', 'income', 'auc', []),
    ('bike_sharing_hourly', 'cnt', 'rmse', ['casual', 'registered']),
    ('abalone', 'Rings', 'rmse', []),
    ('titanic', 'Survived', 'auc', ['boat', 'body']),
    ('dna', 'LABEL', 'log_loss', []),
    ('iris', 'class', 'accuracy', []),
    ('reviews_sst', 'label', 'auc', []),
]
HIGHER = {'auc': True, 'accuracy': True, 'rmse': False, 'log_loss': False}


def score(metric, truth, predicted, classes=None):
    if metric == 'rmse':
        return mean_squared_error(truth, predicted) ** 0.5
    if metric == 'auc':
        return roc_auc_score(truth, predicted[:, 1])
    if metric == 'log_loss':
        return log_loss(truth, predicted, labels=classes)
    return accuracy_score(truth, numpy.asarray(classes)[predicted.argmax(axis=1)])


def numbers(frame):
    """What a LightGBM user does: dates to parts, text columns to categories."""
    out = frame.copy()
    for column in out.columns:
        if out[column].dtype == object or str(out[column].dtype) in ('str', 'string'):
            dates = pandas.to_datetime(out[column], errors='coerce', format='%Y-%m-%d')
            if dates.notna().all():
                out[column + '.day'], out[column + '.month'], out[column + '.dow'] = dates.dt.day, dates.dt.month, dates.dt.dayofweek
                out[column] = dates.astype('int64') // 86_400_000_000_000
            else:
                out[column] = out[column].astype('category')
    return out


def run_lightgbm(task, metric, train_x, train_y, test_x, test_y, seed):
    import lightgbm
    both = numbers(pandas.concat([train_x, test_x]))
    a, b = both.iloc[:len(train_x)], both.iloc[len(train_x):]
    if len(train_x.columns) == 1:  # free text: the usual answer is TF-IDF and a linear model
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
        model = LogisticRegression(C=4, max_iter=1000).fit(words.fit_transform(train_x.iloc[:, 0]), train_y)
        return score(metric, test_y, model.predict_proba(words.transform(test_x.iloc[:, 0])), model.classes_)
    options = dict(learning_rate=0.05, n_estimators=3000, random_state=seed, n_jobs=1, verbose=-1)
    results = {}
    fit_a, valid_a, fit_y, valid_y = train_test_split(a, train_y, test_size=0.15, random_state=seed, stratify=None if task == 'regression' else train_y)
    for name, make in (('default', dict(random_state=seed, n_jobs=1, verbose=-1)), ('stopped', options)):
        model = (lightgbm.LGBMRegressor if task == 'regression' else lightgbm.LGBMClassifier)(**make)
        if name == 'stopped':
            model.fit(fit_a, fit_y, eval_set=[(valid_a, valid_y)], callbacks=[lightgbm.early_stopping(50, verbose=False)])
        else:
            model.fit(a, train_y)
        predicted = model.predict(b) if task == 'regression' else model.predict_proba(b)
        results[name] = score(metric, test_y, predicted, None if task == 'regression' else model.classes_)
    return max(results.values()) if HIGHER[metric] else min(results.values())


def run_flaml(task, metric, train_x, train_y, test_x, test_y, seed):
    from flaml import AutoML
    both = numbers(pandas.concat([train_x, test_x]))
    a, b = both.iloc[:len(train_x)], both.iloc[len(train_x):]
    model = AutoML()
    model.fit(a, train_y, task='regression' if task == 'regression' else 'classification', time_budget=SECONDS, n_jobs=1, seed=seed, verbose=0,
              metric={'auc': 'roc_auc', 'rmse': 'rmse', 'log_loss': 'log_loss', 'accuracy': 'accuracy'}[metric])
    predicted = model.predict(b) if task == 'regression' else model.predict_proba(b)
    return score(metric, test_y, predicted, None if task == 'regression' else model.classes_)


def gyre(folder, *arguments):
    done = subprocess.run([GYRE, *arguments, '--project', 'default'], cwd=folder, capture_output=True, text=True,
                          env={**os.environ, 'GYRE_DATA': os.path.join(folder, 'data')})
    if done.returncode != 0:
        raise RuntimeError(f"gyre {' '.join(arguments)}: {done.stderr[-2000:]}")
    return done.stdout


def run_gyre(task, metric, train_x, train_y, test_x, test_y, seed, target):
    with tempfile.TemporaryDirectory(prefix='gyre-bench-') as folder:
        train = train_x.copy()
        train[target] = train_y
        train.to_csv(os.path.join(folder, 'train.csv'), index=False)
        test_x.to_csv(os.path.join(folder, 'test.csv'), index=False)
        gyre(folder, 'add', 'train.csv', '--name', 'table')
        gyre(folder, 'train', 'table', '--target', target, '--budget', f'{SECONDS}s', '--seed', str(seed), '--metric', metric, '--gate', 'none')
        gyre(folder, 'predict', 'table:v1', '--in', 'test.csv', '--out', 'scored.csv')
        scored = pandas.read_csv(os.path.join(folder, 'scored.csv'))
        gyre(folder, 'server', 'stop') if os.path.exists(os.path.join(folder, 'data', 'server.json')) else None
    if task == 'regression':
        return score(metric, test_y, scored['prediction'].to_numpy())
    classes = sorted(pandas.unique(train_y), key=str)
    columns = [f'probability_{c}' for c in classes]
    return score(metric, test_y, scored[columns].to_numpy(), classes)


def main():
    chosen = os.environ.get('GYRE_BENCH_TABLES')
    if not os.path.isdir(DATA):
        print(f'no tables at {DATA}: set GYRE_TEST_DATA')
        return
    print(f'{SECONDS} s a fit, seeds {list(SEEDS)}; mean on the held-out fifth; difference = gyre - better peer, positive is better, with its standard error')
    for table, target, metric, leaks in TABLES:
        if chosen and table not in chosen.split(','):
            continue
        frame = pandas.read_csv(os.path.join(DATA, table + '.csv')).drop(columns=leaks)
        task = 'regression' if metric == 'rmse' else 'binary' if frame[target].nunique() == 2 else 'multiclass'
        scores = {'gyre': [], **{p: [] for p in PEERS}}
        for seed in SEEDS:
            x, y = frame.drop(columns=[target]), frame[target]
            a, b, ya, yb = train_test_split(x, y, test_size=0.2, random_state=seed, stratify=None if task == 'regression' else y)
            if task == 'binary':
                order = sorted(y.unique(), key=str)
                truth = (yb == order[1]).astype(int)
            else:
                truth = yb
            scores['gyre'].append(run_gyre(task, metric, a, ya, b, truth if metric == 'auc' else yb, seed, target))
            for peer in PEERS:
                run = run_lightgbm if peer == 'lightgbm' else run_flaml
                if peer == 'flaml' and len(x.columns) == 1:
                    continue
                labels = (ya == order[1]).astype(int) if metric == 'auc' else ya
                scores[peer].append(run(task, metric, a, labels, b, truth if metric == 'auc' else yb, seed))
        sign = 1 if HIGHER[metric] else -1
        ours = numpy.array(scores['gyre'])
        peers = {p: numpy.array(v) for p, v in scores.items() if p != 'gyre' and len(v) == len(ours)}
        best = max(peers, key=lambda p: sign * peers[p].mean())
        difference = sign * (ours - peers[best])
        error = difference.std(ddof=1) / len(difference) ** 0.5 if len(difference) > 1 else float('nan')
        print(f'{table:20s} {metric:9s} gyre {ours.mean():9.4f}  ' + '  '.join(f'{p} {v.mean():9.4f}' for p, v in peers.items()) +
              f'  difference to {best} {difference.mean():+.4f} +- {error:.4f}', flush=True)


if __name__ == '__main__':
    main()
