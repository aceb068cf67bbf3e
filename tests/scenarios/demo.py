"""gyre demo --check: the whole road on made-up data, each printed claim asked again, and nothing left behind."""
import os
import re
import subprocess
import sys

from harness import GYRE, Gyre

STATIONS = [r'server ready in', r'project churn +goal: auc >= 0\.84', r'dataset customers:v1 +50,000 rows', r'refund_amount.*almost perfectly', r'recipe +\d+ steps',
            r'run +\d+ candidates', r'gate .*baseline', r'model churn:v1', r'endpoint churn live', r'try: curl -d', r'batch +5,000 customers',
            r'monitor churn +windows of 1d', r'trigger churn-drift +drift of churn', r'replaying 30 days of traffic.*drift is hidden on day 21', r'drift: calls_last_month \d\.\d+, monthly_charge \d\.\d+ standard',
            r'trigger churn-drift started retrain', r'churn:v2 learned from 2,000 labelled answers', r'gate not inferior to champion', r'canary 10 %', r'canary 50 %',
            r'churn:v2 \S+ @champion, 100 %', r'month +45,000 answers', r'lineage +alert:churn:drift/22 .*model:churn:v2', r'all 8 stages have run']


def run(g, *arguments):
    environment = dict(g.environment, TMPDIR=g.work)
    environment.pop('GYRE_DATA', None)
    return subprocess.run([GYRE, 'demo', *arguments], env=environment, cwd=g.work, capture_output=True, text=True)


def main():
    with Gyre() as g:
        # More seconds than a person waits: other tests may run beside this one.
        told = run(g, '--check', '--budget', '25s')
        sys.stdout.write(told.stdout + told.stderr)
        assert told.returncode == 0, told.returncode
        position = 0
        for station in STATIONS:
            found = re.compile(station).search(told.stdout, position)
            assert found, f'no line like {station!r} after the ones before it'
            position = found.start()
        claims = re.search(r'(\d+) claims, 0 wrong', told.stdout)
        assert claims and int(claims[1]) >= 32, told.stdout
        assert os.listdir(g.work) == [], f'left behind: {os.listdir(g.work)}'
        refused = run(g, '--server', 'http://127.0.0.1:1')
        assert refused.returncode != 0 and 'GY4081' in refused.stderr, refused.stderr
        blocked = run(g, '--data', '/proc/gyre-demo')  # no folder can be made there: the first station fails
        assert blocked.returncode != 0 and 'error[' in blocked.stderr, blocked.stderr


if __name__ == '__main__':
    main()
