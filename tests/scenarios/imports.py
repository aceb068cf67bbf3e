"""gyre import: what other tools made is taken once, with its steps and dates; what is not taken is said; a killed import is run again."""
import json
import math
import os
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
        planned = take(g, d, '--dry-run')
        assert ('would take', 'one.csv', 'dataset one, 12 B') in planned, planned
        assert g.cli_json('datasets') == [], 'a dry run changes nothing'
        taken = take(g, d, check=False)
        states = {name: state for state, name, _ in taken}
        assert states == {'one.csv': 'taken', 'deep/two.csv': 'taken', 'sales': 'taken', 'sales, `year`': 'not taken', 'broken.csv': 'failed',
                          'notes.md': 'not taken'}, taken
        assert g.cli('import', d, check=False).returncode == 1
        again = {name: state for state, name, _ in take(g, d, check=False)}
        assert again['one.csv'] == again['sales'] == again['deep/two.csv'] == 'there', again
        assert {row['name'] for row in g.cli_json('datasets')} == {'one', 'sales', 'deep-two'}
        write(f'{d}/one.csv', 'a,b\n1,2\n3,5\n')
        news = take(g, 'folder', d, check=False)
        assert [row for row in news if row[0] == 'taken'] == [('taken', 'one.csv', 'one:v2: 2 rows, 2 columns')], news
        for name in ('broken.csv', 'deep/two.csv', 'sales/year=2024/p.csv'):
            os.remove(f'{d}/{name}')
        differ = take(g, d, '--one', 'all', check=False)
        assert differ[0][0] == 'failed' and 'p.csv' in differ[0][2], differ
        write(f'{d}/nothing/a.bin', 'x')
        assert 'GY4952' in g.cli('import', f'{d}/nothing', check=False).stderr


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


if __name__ == '__main__':
    run_scenarios([folders_become_datasets, tensorboard_runs_keep_steps_and_dates, a_killed_import_goes_on])
