"""kill -9 while a thing is removed, put back and ended, again and again: it is always in its tables, or in the trash, or gone, and whole.

python3 tests/faults/trash.py"""
import http.client
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from harness import Gyre  # noqa: E402

PROJECT = '/api/v1/projects/default'
ROUNDS = 60 if os.environ.get('GYRE_TEST_TIER') == 'full' else 8


def add(g, name, rows):
    path = os.path.join(g.work, name + '.csv')
    with open(path, 'w') as out:
        out.write('a,b\n' + ''.join(f'{i},{i % 7}\n' for i in range(rows)))
    g.cli('add', path)


def trashed(g, name):
    return g.json('GET', f'/api/v1/trash?noun=dataset&name={name}')['items']


def there(g, name):
    return g.http('GET', f'{PROJECT}/datasets/{name}').status == 200


def to_and_fro(g, done):
    """One thing is removed and put back, another one removed and ended, until nobody answers."""
    try:
        while True:
            g.json('DELETE', f'{PROJECT}/datasets/kept')
            g.json('POST', f"{PROJECT}/trash/{trashed(g, 'kept')[0]['number']}/restore", {})
            done.append(1)
            g.http('DELETE', f'{PROJECT}/datasets/lost')
            g.json('POST', '/api/v1/trash/empty')
    except (OSError, http.client.HTTPException, ValueError):
        pass


def main():
    pick = random.Random(int(os.environ.get('GYRE_TEST_SEED', '1')))
    done, deaths = [], {'there': 0, 'in the trash': 0}
    with Gyre() as g:
        g.start()
        add(g, 'kept', 500)
        rows = g.json('GET', f'{PROJECT}/datasets/kept/versions/v1/rows?limit=1000')
        for number in range(ROUNDS):
            add(g, 'lost', 20 + number)
            worker = threading.Thread(target=to_and_fro, args=(g, done))
            worker.start()
            time.sleep(pick.uniform(0, 0.12))
            g.kill()
            worker.join()
            g.start()
            items = trashed(g, 'kept')
            assert there(g, 'kept') + len(items) == 1, (number, there(g, 'kept'), items)
            deaths['in the trash' if items else 'there'] += 1
            if items:
                g.json('POST', f"{PROJECT}/trash/{items[0]['number']}/restore", {})
            assert g.json('GET', f'{PROJECT}/datasets/kept/versions/v1/rows?limit=1000') == rows, number
            assert there(g, 'lost') + len(trashed(g, 'lost')) <= 1, number
            if there(g, 'lost'):
                g.json('DELETE', f'{PROJECT}/datasets/lost')
            g.json('POST', '/api/v1/trash/empty')
        g.cli('gc', '--grace-hours', '0')
        assert 'sound' in g.cli('fsck').stdout
        assert not [part for part in g.json('GET', '/api/v1/maintenance/space')['parts'] if part['part'] in ('trash', 'unreferenced')]
    print(f'ok {ROUNDS} deaths ({deaths}), {len(done)} times to and fro: nothing lost, nothing half')


if __name__ == '__main__':
    main()
