"""bike_sharing_hourly: a model of 2011 answers 2012 hour by hour. Twice as many people ride, the labels say so, and the loop trains, judges, tries and
promotes without a click: the error of what was answered is lower than that of the first model on the same hours.

GYRE_LOOP_STORY=FILE keeps what tools/loop_pictures draws for docs/loop.md."""
import csv
import datetime
import json
import os

from harness import FULL, data_directory, run_scenarios, skip
from replay import Replay, rmse, text_of

TARGET = 'cnt'
# What is known only afterwards, and what only numbers the hours: the event time says when it was.
NOT_ASKED = ['casual', 'registered', 'instant', 'dteday', 'yr']
WEEK = datetime.timedelta(days=7)
WEEKS = 53 if FULL else 9
BUDGET = '10s' if FULL else '3s'
PARAMS = {'budget_seconds': '6' if FULL else '3', 'seed': '1', 'last_s': str(8 * 7 * 86_400), 'rows_min': '300', 'history_below': '0',
          # One slow answer of thirty is no harm where tests share a machine.
          'canary': json.dumps({'weights': [0.25, 0.5], 'bake_s': 0, 'rows_min': 30, 'latency_us_slack': 1_000_000})}


def hours():
    """(time, row) of each hour, in order."""
    with open(os.path.join(data_directory(), 'bike_sharing_hourly.csv'), newline='') as f:
        for row in csv.DictReader(f):
            moment = datetime.datetime.fromisoformat(row['dteday']) + datetime.timedelta(hours=int(row['hr']))
            yield moment, {name: float(text) if '.' in text else int(text) for name, text in row.items() if name not in NOT_ASKED}


def write_rows(path, rows):
    with open(path, 'w', newline='') as f:
        writer = csv.DictWriter(f, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def deployed(g, rows):
    write_rows(os.path.join(g.work, 'bike.csv'), rows)
    g.start()
    g.cli('add', 'bike.csv')
    g.cli('train', 'bike', '--target', TARGET, '--budget', BUDGET, '--seed', '1')
    g.cli('deploy', 'bike@champion')
    # Seasons that a model of some weeks has not seen are no broken data: they raise no alert that would hold a retraining back.
    g.cli('monitors', 'edit', 'bike', '--every', '7d', '--rows-min', '100', '--quiet-signal', 'data_quality')
    given = [word for name, value in PARAMS.items() for word in ('--param', f'{name}={value}')]
    for cause in ('performance', 'drift'):
        g.cli('triggers', 'add', 'bike', '--on', cause, '--run', 'retrain', '--cooldown', '0s', '--runs-per-day', '100', *given)


def replayed(g, traffic):
    replay = Replay(g, 'bike', TARGET, delay=datetime.timedelta(days=1), batch=1)
    begin = traffic[0][0]
    for week in range(WEEKS):
        # A week is over with the first hour of the next, and its last labels are there a day later: what follows from it meets the rest.
        start = begin + week * WEEK
        for first, last in ((start, start + WEEK / 7), (start + WEEK / 7, start + WEEK)):
            part = [(moment, row) for moment, row in traffic if first <= moment < last]
            if not part:
                continue
            replay.rows([row for _, row in part], [moment for moment, _ in part])
            replay.labels(until=last)
            replay.judge()
            replay.settle()
    return replay


def frozen(g, rows):
    """What the first model would have answered."""
    write_rows(os.path.join(g.work, 'asked.csv'), [{name: value for name, value in row.items() if name != TARGET} for row in rows])
    g.cli('predict', 'bike:v1', '--in', 'asked.csv', '--out', 'frozen.csv')
    with open(os.path.join(g.work, 'frozen.csv'), newline='') as f:
        return [float(row['prediction']) for row in csv.DictReader(f)]


def the_loop_ends_with_a_lower_error_than_the_first_model(g):
    every = list(hours())
    deployed(g, [row for moment, row in every if moment.year == 2011])
    traffic = [(moment, row) for moment, row in every if moment.year == 2012]
    traffic = [(moment, row) for moment, row in traffic if moment < traffic[0][0] + WEEKS * WEEK]
    replay = replayed(g, traffic)
    truths = [truth for _, truth, _, _ in replay.answers]
    served = [output['prediction'] for _, _, output, _ in replay.answers]
    first = frozen(g, [row for _, row in traffic])
    loop_error, frozen_error = rmse(list(zip(truths, served))), rmse(list(zip(truths, first)))
    firings = replay.firings()
    for firing in firings:
        print(f"{firing['trigger']}: {firing['text']} -> {firing['state']} {firing['reason']}")
    history = g.json('GET', '/api/v1/projects/default/models/bike/history')['items']
    print(f'{len(truths)} hours of 2012: rmse {loop_error:.1f} with the loop, {frozen_error:.1f} by the first model; champions: {[move["version"] for move in history]}')
    if os.environ.get('GYRE_LOOP_STORY'):
        with open(os.environ['GYRE_LOOP_STORY'], 'w') as f:
            json.dump({'answers': [[text_of(moment), truth, output['prediction'], model, was] for (moment, truth, output, model), was in zip(replay.answers, first)],
                       'windows': replay.windows(), 'firings': firings, 'history': history}, f)
    assert len(history) > 1, history
    assert loop_error < frozen_error, (loop_error, frozen_error)


if __name__ == '__main__':
    if not data_directory():
        skip('the real tables; set GYRE_TEST_DATA to their folder')
    run_scenarios([the_loop_ends_with_a_lower_error_than_the_first_model])
