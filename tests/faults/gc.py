"""The collector runs without any grace, again and again, while others store: nothing that somebody is about to name is taken away under their hands.

python3 tests/faults/gc.py"""
import os
import random
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from harness import Gyre  # noqa: E402

PROJECT = '/api/v1/projects/default'
ROUNDS = 40 if os.environ.get('GYRE_TEST_TIER') == 'full' else 8


def write(g, number):
    pick = random.Random(number)
    with open(os.path.join(g.work, f'sales-{number}.csv'), 'w') as out:
        out.write('tenure,charge,Churn\n')
        for _ in range(200):
            tenure, charge = pick.randint(1, 72), pick.uniform(20, 120)
            out.write(f'{tenure},{charge:.2f},{"Yes" if charge / 40 - tenure / 20 + pick.gauss(0, 1) > 0 else "No"}\n')


def main():
    with Gyre() as g:
        g.start()
        write(g, 0)
        g.cli('add', 'sales-0.csv', '--name', 'sales')
        g.cli('train', 'sales', '--target', 'Churn', '--trials', '1', '--seed', '1')
        g.cli('deploy', 'sales@champion', '--name', 'live')
        over, collected, refused = threading.Event(), [], []

        def collect():
            while not over.is_set():
                answer = g.http('POST', '/api/v1/maintenance/gc?grace_hours=0')
                (collected if answer.status == 200 else refused).append(answer.body)

        collector = threading.Thread(target=collect)
        collector.start()
        try:
            for number in range(1, ROUNDS + 1):
                write(g, number)
                g.cli('add', f'sales-{number}.csv', '--name', 'sales')
                ids = [g.json('POST', '/e/live', {'inputs': [{'tenure': 3, 'charge': 50.0 + number}]})['inference_id'] for _ in range(20)]
                g.json('POST', f'{PROJECT}/endpoints/live/feedback', {'rows': [{'inference_id': one, 'label': 'Yes'} for one in ids]})
                with open(os.path.join(g.work, 'labels.csv'), 'w') as out:
                    out.write('inference_id,label\n' + ''.join(f'{one},No\n' for one in ids))
                g.cli('feedback', 'live', 'labels.csv')
                g.cli('captures', 'export', 'live', '--out', 'rows.csv', '--force')
                if number % 4 == 0:
                    g.cli('evaluate', 'sales@champion', '--resamples', '100')
                    g.cli('captures', 'to-dataset', 'live', 'fresh', '--labelled')
        finally:
            over.set()
            collector.join()
        assert len(collected) > ROUNDS and not refused, refused[:3]
        assert g.cli_json('fsck')['sound']
        captured = g.json('GET', f'{PROJECT}/endpoints/live/captures?labels=true')
        assert captured['captured'] == 20 * ROUNDS and captured['dropped'] == 0, captured
        print(f'{len(collected)} collections without grace beside {ROUNDS} rounds of writers: nothing was lost')


if __name__ == '__main__':
    main()
