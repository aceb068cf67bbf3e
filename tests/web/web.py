"""The web UI in a real browser against the built program: each part is a script of this folder, which says what it checks.

python3 tests/web/web.py [door|pages|acts|types]"""
import json
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from churn_project import fill  # noqa: E402
from harness import SOURCE, Gyre, skip  # noqa: E402

NODE = os.environ.get('GYRE_TEST_NODE') or shutil.which('node') or ''
CHROMIUM = os.environ.get('GYRE_TEST_CHROMIUM') or shutil.which('chromium') or ''


def node(*words, **environment):
    done = subprocess.run([NODE, *words], env={**os.environ, 'GYRE_TEST_CHROMIUM': CHROMIUM, **environment}, capture_output=True, text=True, timeout=280)
    sys.stdout.write(done.stdout)
    assert done.returncode == 0, f'{words}: {done.returncode}\n{done.stderr}'


def need_chromium():
    if not os.path.exists(CHROMIUM):
        skip('no chromium (tools/deps test)')


def script(name, g, base='', **environment):
    need_chromium()
    node(os.path.join(SOURCE, 'tests/web', name), GYRE_URL=f'http://{g.host}:{g.port}{base}/', **environment)


def door(g):
    g.start('--auth', 'required', '--base-path', '/gyre')  # the page finds everything below a path too
    for _ in range(200):
        if found := re.search(r'http\S+/setup\?token=\S+', g.log()):
            break
        time.sleep(0.05)
    script('door.mjs', g, '/gyre', GYRE_SETUP=found[0])


def pages(g):
    g.start()
    fill(g)
    script('pages.mjs', g)


def acts(g):
    """The script asks for what is done elsewhere: somebody adds a table, the server goes and comes again."""
    need_chromium()
    g.start()
    fill(g)
    port = g.port
    does = {'add': lambda: g.cli('add', 'customers.csv', '--name', 'more', '--project', 'churn'), 'stop': g.stop,
            'start': lambda: g.start(listen=f'127.0.0.1:{port}')}
    done = subprocess.Popen([NODE, os.path.join(SOURCE, 'tests/web/acts.mjs')], env={**os.environ, 'GYRE_TEST_CHROMIUM': CHROMIUM, 'GYRE_URL': f'http://{g.host}:{port}/',
                                 'GYRE_FILE': os.path.join(g.work, 'customers.csv')},
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in done.stdout:
        if not line.startswith('please '):
            sys.stdout.write(line)
            continue
        does[line.split()[1]]()
        done.stdin.write('done\n')
        done.stdin.flush()
    assert done.wait() == 0, done.stderr.read()


def types(g):
    """The types that the UI is built on are those of this server, and it keeps to them; its colours can be read."""
    g.start()
    path = os.path.join(g.directory, 'openapi.json')
    with open(path, 'w') as out:
        json.dump(g.json('GET', '/api/v1/openapi.json'), out)
    node(os.path.join(SOURCE, 'web/tools/api.mjs'), path, '--check')
    node(os.path.join(SOURCE, 'web/tools/contrast.mjs'))
    node(os.path.join(SOURCE, 'web/node_modules/typescript/bin/tsc'), '--noEmit', '-p', os.path.join(SOURCE, 'web'))


if __name__ == '__main__':
    if not NODE or not os.path.isdir(os.path.join(SOURCE, 'web/node_modules')):
        skip('no Node, or no packages of the web UI (tools/deps web)')
    for part in (door, pages, acts, types):
        if sys.argv[1:] and part.__name__ not in sys.argv[1:]:
            continue
        with Gyre() as g:
            begin = time.monotonic()
            try:
                part(g)
            except BaseException:
                print(f'FAILED {part.__name__}\n{g.log() if hasattr(g, "log_path") else ""}')
                raise
            print(f'ok {part.__name__} ({time.monotonic() - begin:.2f} s)')
