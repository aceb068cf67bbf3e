"""adult.csv with a shift planted in two columns: stable traffic raises no alert, and the alert that the shift raises names exactly these two.

GYRE_LOOP_STORY=FILE keeps what tools/loop_pictures draws for docs/loop.md."""
import csv
import datetime
import json
import os
import random

from harness import data_directory, run_scenarios, skip
from replay import Replay, text_of

BEGIN = datetime.datetime(2026, 3, 2)
DAY = datetime.timedelta(days=1)
SHIFTED = ['age', 'hours_per_week']
TRAINED, ROWS = 20_000, 1_200  # and of a day
STABLE, MOVED = (7, 3)


def value_of(text):
    try:
        return int(text)
    except ValueError:
        return text or None


def read_rows(path):
    with open(path, newline='') as f:
        return [{name: value_of(text) for name, text in row.items()} for row in csv.DictReader(f)]


def write_rows(path, rows):
    with open(path, 'w', newline='') as f:
        writer = csv.DictWriter(f, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def planted(row):
    """Older people who work longer; nothing else about them is touched."""
    return {**row, 'age': row['age'] + 6, 'hours_per_week': row['hours_per_week'] + 5}


def exactly_the_shifted_columns_are_named(g):
    rows = read_rows(os.path.join(data_directory(), 'adult.csv'))
    random.Random(11).shuffle(rows)
    write_rows(os.path.join(g.work, 'adult.csv'), rows[:TRAINED])
    g.start()
    g.cli('add', 'adult.csv')
    g.cli('train', 'adult', '--target', 'income', '--budget', '3s', '--seed', '1')
    g.cli('deploy', 'adult@champion')
    g.cli('monitors', 'edit', 'adult', '--every', '1d', '--rows-min', '500')
    replay = Replay(g, 'adult', 'income', delay=2 * DAY)
    for day in range(STABLE + MOVED):
        begin = BEGIN + day * DAY
        part = rows[TRAINED + day * ROWS:TRAINED + (day + 1) * ROWS]
        if day >= STABLE:
            part = [planted(row) for row in part]
        replay.rows(part, [begin + i * DAY / ROWS for i in range(len(part))])
        replay.labels(until=begin + DAY)
        replay.judge()
        if day == STABLE:
            assert (replay.alert('drift') or {'state': 'ok'})['state'] == 'ok', replay.alert('drift')
    windows = replay.windows()
    for window in windows:
        print(window['begin'], window['rows'], [c['name'] for c in window['columns']])
    assert len(windows) == STABLE + MOVED - 1, len(windows)  # the last day is still open
    for window in windows[STABLE:]:
        assert sorted(c['name'] for c in window['columns']) == SHIFTED, window['columns']
    if os.environ.get('GYRE_LOOP_STORY'):
        with open(os.environ['GYRE_LOOP_STORY'], 'w') as f:
            judged = [g.json('GET', f"/api/v1/projects/default/windows/{window['id']}") for window in windows]
            json.dump({'windows': judged, 'moved_at': text_of(BEGIN + STABLE * DAY)}, f)
    drift = replay.alert('drift')
    assert drift['state'] == 'firing' and sorted(drift['columns']) == SHIFTED, drift
    print(drift['what'])


if __name__ == '__main__':
    if not data_directory():
        skip('the real tables; set GYRE_TEST_DATA to their folder')
    run_scenarios([exactly_the_shifted_columns_are_named])
