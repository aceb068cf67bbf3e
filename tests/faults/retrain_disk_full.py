"""The disk fills up while a model is retrained: the champion keeps answering, the firing ends explained, nothing is half, and with room again the next one works.

Needs a small tmpfs, so root (or a mount namespace); skipped elsewhere."""
import os
import shutil
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from faults.retrain import PARAMS, P, ask, prepare  # noqa: E402
from harness import Gyre, fill, skip, small_disk  # noqa: E402
from scenarios.automation import firings, visits  # noqa: E402

FULL_SECONDS = 2


def until(g, so, what, seconds=60):
    deadline = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < deadline, (what, firings(g), g.log())
        ask(g, visits(7, 20, turned=True))
        time.sleep(0.02)


def whole(g, model):
    """The alias, the endpoint and the history say the same, and no canary is left."""
    endpoint = g.json('GET', f'{P}/endpoints/visits')
    champion = g.json('GET', f'{P}/models/visits/versions/champion')['name']
    assert champion == endpoint['deployment']['model'], (champion, endpoint)
    assert [v['name'] for v in endpoint['variants']] == ['champion'], endpoint['variants']
    if model:
        assert champion == model, champion


def ended(g):
    return bool(firings(g)[0]['ended_at'])


def fills_up(g, key, moment):
    filler = os.path.join(g.directory, 'filler')
    g.json('POST', f'{P}/triggers/again/fire', {'key': key})
    until(g, lambda: moment(g), f'the moment of {key}')
    fill(filler)
    deadline = time.monotonic() + FULL_SECONDS
    until(g, lambda: time.monotonic() > deadline, 'the champion answers')
    os.unlink(filler)
    until(g, lambda: ended(g), f'{key} ends')
    fired = firings(g)[0]
    assert fired['state'] in ('succeeded', 'failed') and fired['reason'], fired
    # What a run left is taken back a moment after its end.
    until(g, lambda: [v['name'] for v in g.json('GET', f'{P}/endpoints/visits')['variants']] == ['champion'], 'no canary', 10)
    whole(g, None)
    print(f"ok full during {key}: {fired['state']}, {fired['reason']}", flush=True)


def training(g):
    return any(job['kind'] == 'training.train' for job in g.json('GET', '/api/v1/jobs?state=running')['items'])


def canary(g):
    return len(g.json('GET', f'{P}/endpoints/visits')['variants']) > 1


def scenario(g):
    g.start()
    slow = {**PARAMS, 'canary': {**PARAMS['canary'], 'rows_min': 600}}
    trigger = {'name': 'again', 'on': {'kind': 'hand'}, 'run': {'pipeline': 'retrain', 'params': slow}, 'guards': {'cooldown_s': 0}}
    g.json('PUT', f'{P}/triggers/again', trigger)
    fills_up(g, 'training', training)
    fills_up(g, 'canary', canary)
    g.json('POST', f'{P}/triggers/again/fire', {'key': 'with room'})
    until(g, lambda: ended(g), 'it ends with room')
    fired = firings(g)[0]
    run = g.json('GET', f"/api/v1/pipeline_runs/{fired['run']}")
    assert fired['state'] == 'succeeded', (fired, run)
    whole(g, run['outputs']['model'] if run['outputs']['promoted'] else None)
    assert g.stop() == 0


def main():
    with small_disk(64) as mount:
        if not mount:
            skip('no small file system can be mounted here')
        with Gyre() as before:
            prepare(before)
            shutil.copytree(before.directory, mount, dirs_exist_ok=True)
        with Gyre(directory=mount) as g:
            try:
                scenario(g)
            except BaseException:
                print(g.log(), flush=True)
                raise
    print('a full disk stops no answer, and no retraining for good')


if __name__ == '__main__':
    main()
