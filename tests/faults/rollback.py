"""kill -9 of the server at every named moment of a canary's way back, by its own judgement or because its run is cancelled: whatever dies, release, run and
endpoint name the reason that there was, and no share is left. What a crash has taken back is not read as somebody's doing."""
import http.client
import json
import os
import shutil
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from harness import Gyre  # noqa: E402
from scenarios.automation import first_model, release_until  # noqa: E402

P = '/api/v1/projects/default'
MOMENTS = ('canary.rolling_back', 'canary.ending', 'canary.ended')
GONE = (OSError, http.client.HTTPException)
PLANS = {'judged': {'weights': [0.3], 'bake_s': 0, 'rows_min': 1000, 'step_s_max': 1},  # nobody asks: too little traffic
         'cancelled': {'weights': [0.3], 'bake_s': 600, 'rows_min': 1000}}
REASONS = {'judged': 'traffic: 0 of 1000 rows', 'cancelled': 'its run was cancelled'}


def prepare(g):
    g.start()
    first_model(g)
    g.cli('train', 'visits', '--target', 'stays', '--budget', '1s', '--trials', '1', '--seed', '2', '--gate', 'judge', check=False)
    path = os.path.join(g.work, 'try.yaml')
    with open(path, 'w') as f:
        f.write('name: try\nparams: {plan: json}\nsteps:\n  canary: {kind: canary, endpoint: visits, model: visits:v2, plan: "${params.plan}"}\n')
    g.cli('pipelines', 'add', path)
    assert g.stop() == 0


def die(g, way, moment):
    g.start(environment={'GYRE_FAULT_POINT': moment}, wait=False)
    try:
        g.wait_ready()
        run = g.json('POST', f'{P}/pipeline_runs', {'pipeline': 'try', 'params': {'plan': PLANS[way]}})
        if way == 'cancelled':
            release_until(g, lambda release: release and release['progress'])
            g.json('POST', f"/api/v1/pipeline_runs/{run['id']}/cancel", {})
        deadline = time.monotonic() + 30
        while g.server.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
    except GONE:
        pass
    assert g.server.wait(10) == -9, f'{moment}: it ended with {g.server.returncode}'


def check(g, way):
    release = release_until(g, lambda release: release['state'] == 'rolled back')
    assert release['reason'].startswith(REASONS[way]), release
    assert [move['move'] for move in release['history']] == ['begin', 'roll back'], release
    if way == 'judged':
        assert any(c.startswith('pass errors') for c in release['history'][-1]['checks']), release
    endpoint = g.json('GET', f'{P}/endpoints/visits')
    assert [v['model'] for v in endpoint['variants']] == ['visits:v1'], endpoint['variants']
    for _ in range(200):
        run = g.json('GET', f"/api/v1/pipeline_runs/{release['run']}")
        if run['state'] != 'running':
            break
        time.sleep(0.05)
    assert run['state'] == ('failed' if way == 'judged' else 'cancelled'), run
    told = json.dumps(run) + g.cli('endpoints', 'logs', 'visits').stdout
    assert REASONS[way] in told and 'somebody' not in told, told


def main():
    with Gyre() as base:
        prepare(base)
        for way in PLANS:
            for moment in MOMENTS:
                directory = tempfile.mkdtemp(prefix='gyre-rollback-')
                shutil.copytree(base.directory, directory, dirs_exist_ok=True)
                with Gyre(directory=directory) as g:
                    try:
                        die(g, way, moment)
                        g.start()
                        check(g, way)
                    except BaseException:
                        print(f'FAILED {moment}, {way}\n{g.log()}', flush=True)
                        raise
                    assert g.stop() == 0
                shutil.rmtree(directory)
                print(f'ok {moment}, {way}', flush=True)
    print(f'{len(PLANS) * len(MOMENTS)} deaths on the way back: each with its reason, no share left')


if __name__ == '__main__':
    main()
