"""gyre run: any program, recorded with its output, files, code and end; what cannot be kept never costs the program its exit code."""
import json
import os
import subprocess
import sys
import time

from harness import GYRE, run_scenarios

PASSWORD = 'a long enough password\n'


def api(g, path, **kw):
    return json.loads(g.cli('api', 'GET', path, **kw).stdout)


def newest(g, **kw):
    return api(g, '/projects/default/runs/-', **kw)


def artifacts(g, run):
    return {item['path']: item for item in api(g, f"/projects/default/runs/{run['id']}/artifacts")['items']}


def python(*lines):
    return [sys.executable, '-c', '\n'.join(lines)]


def wait_for(path, seconds=20):
    deadline = time.monotonic() + seconds
    while not os.path.exists(path):
        assert time.monotonic() < deadline, path + ' does not appear'
        time.sleep(0.01)


def git(g, *words):
    return subprocess.run(['git', '-c', 'user.name=t', '-c', 'user.email=t@example.org', *words], cwd=g.work, env=g.environment, check=True, capture_output=True,
                          text=True).stdout.strip()


def output_exit_code_and_files(g):
    os.makedirs(os.path.join(g.work, 'outputs'))
    old = os.path.join(g.work, 'outputs', 'old.txt')
    open(old, 'w').write('of another day')
    os.utime(old, (1e9, 1e9))
    done = g.cli('run', *python('import sys, os', 'print("to stdout")', 'print("to stderr", file=sys.stderr)', 'os.makedirs("outputs/deep")',
                                'open("outputs/deep/a b.txt", "w").write("kept")', 'sys.exit(3)'), check=False)
    assert done.returncode == 3, (done.returncode, done.stderr)
    assert done.stdout == 'to stdout\n' and 'to stderr' in done.stderr, done
    run = newest(g)
    assert run['status'] == 'failed' and run['kind'] == 'program', run
    assert run['resources']['exit_code'] == 3 and run['resources']['wall_seconds'] > 0, run['resources']
    shown = g.cli('runs', 'show', '-').stdout
    for part in ('command    ', "-c 'import sys, os", 'exit code  3', 'folder     ', 'cpu_seconds', 'memory_bytes_peak'):
        assert part in shown, (part, shown)
    kept = artifacts(g, run)
    assert set(kept) == {'output.log', 'outputs/deep/a b.txt'}, kept
    log = g.cli('api', 'GET', f"/projects/default/runs/{run['id']}/log").stdout
    assert 'to stdout' in log and 'to stderr' in log, log
    missing = g.cli('run', 'no-such-program-anywhere', check=False)
    assert missing.returncode != 0 and 'GY1310' in missing.stderr, missing
    assert newest(g)['status'] == 'failed'


def what_cannot_be_kept_is_only_a_warning(g):
    # A name that no artifact can have, and (but for root, who may read everything) a file that may not be read.
    done = g.cli('run', *python('import os, sys', 'os.mkdir("outputs")', 'open("outputs/a\\\\b", "w").write("x")', 'open("outputs/good.txt", "w").write("y")',
                                'open("outputs/closed.txt", "w").write("z")', 'os.chmod("outputs/closed.txt", 0)', 'sys.exit(3)'), check=False)
    assert done.returncode == 3, (done.returncode, done.stderr)
    assert 'not kept: outputs/a\\b' in done.stderr, done.stderr
    run = newest(g)
    assert run['status'] == 'failed' and run['resources']['exit_code'] == 3, run
    assert 'outputs/good.txt' in artifacts(g, run)


def too_many_files_are_only_a_warning(g):
    done = g.cli('run', *python('import os', 'os.mkdir("outputs")', 'for i in range(10001): open(f"outputs/{i}", "w").close()'))
    assert 'not kept: ' in done.stderr and '10000 files' in done.stderr, done.stderr
    assert newest(g)['status'] == 'finished'


def memory_is_limited(g):
    program = python('import time', 'x = bytearray(1 << 29)', 'x[::4096] = b"x" * (1 << 17)', 'time.sleep(0.5)', 'print(len(x))')
    done = g.cli('run', '--mem', '256M', *program, check=False)
    assert done.returncode == 137 and 'of --mem' in done.stderr, (done.returncode, done.stderr)
    assert newest(g)['status'] == 'killed'
    assert g.cli('run', '--mem', '1G', *program).stdout == f'{1 << 29}\n'
    # Reserving is not using.
    assert g.cli('run', '--mem', '256M', *python('import mmap', 'm = mmap.mmap(-1, 8 << 30)', 'print(len(m))')).stdout == f'{8 << 30}\n'
    # The children count too, and end too.
    children = 'x = bytearray(100 << 20); import time; time.sleep(30)'
    done = g.cli('run', '--mem', '256M', *python('import subprocess, sys', f'p = [subprocess.Popen([sys.executable, "-c", {children!r}]) for _ in range(4)]', 'p[0].wait()'), check=False)
    assert done.returncode == 137, (done.returncode, done.stderr)
    assert subprocess.run(['pgrep', '-f', '100 << 20'], capture_output=True, text=True).stdout == ''


def cpus_are_limited(g):
    assert g.cli('run', '--cpu', '1', *python('import os', 'print(len(os.sched_getaffinity(0)))')).stdout == '1\n'


def code_is_recorded_and_run_again(g):
    git(g, 'init', '-q')
    script = os.path.join(g.work, 'p.py')
    open(script, 'w').write('print("as committed")\n')
    open(os.path.join(g.work, '.gitignore'), 'w').write('outputs/\n')
    os.makedirs(os.path.join(g.work, 'outputs'))
    open(os.path.join(g.work, 'outputs', 'old'), 'w').write('from before')
    git(g, 'add', 'p.py', '.gitignore')
    git(g, 'commit', '-q', '-m', 'first')
    commit = git(g, 'rev-parse', 'HEAD')
    g.cli('run', sys.executable, 'p.py')
    run = newest(g)
    assert run['code']['commit'] == commit and run['code']['dirty'] is False, run['code']
    assert 'code/changes.diff' not in artifacts(g, run)

    open(script, 'w').write('import os\nos.makedirs("outputs", exist_ok=True)\nopen("outputs/noise", "wb").write(os.urandom(16))\nprint("changed")\n')
    g.cli('run', sys.executable, 'p.py')
    run = newest(g)
    assert run['code']['commit'] == commit and run['code']['dirty'] is True, run['code']
    assert 'code/changes.diff' in artifacts(g, run)

    # The same again, though the folder holds something else by now.
    open(script, 'w').write('print("of today")\n')
    again = g.cli('runs', 'rerun', run['id'])
    assert 'changed' in again.stdout and 'of today' not in again.stdout, again.stdout
    assert 'outputs/noise: other bytes' in again.stdout, again.stdout
    assert 'output.log' not in again.stdout and 'exit code' not in again.stdout, again.stdout
    first = api(g, '/projects/default/runs?limit=10')['items'][-1]
    same = g.cli('runs', 'rerun', first['id'])
    assert 'as committed' in same.stdout and 'nothing differs' in same.stdout + same.stderr, same
    assert newest(g)['status'] == 'finished'


GYRE_WORDS = f"""
import os, subprocess
def gyre(*words):
    done = subprocess.run([{GYRE!r}, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout
"""


def add(g, name, *rows):
    open(os.path.join(g.work, name + '.csv'), 'w').write('\n'.join(['x', *map(str, rows)]) + '\n')
    g.cli('add', name + '.csv')


def data_are_recorded_and_read_again(g):
    """What a program reads with its token becomes its inputs; a rerun reads the same versions."""
    for name in ('sales', 'people', 'more', 'price'):
        add(g, name, 1, 2)
    program = os.path.join(g.work, 'read.py')
    open(program, 'w').write(GYRE_WORDS + """
os.makedirs('outputs', exist_ok=True)
gyre('datasets', 'export', 'sales', '--out', 'outputs/sales.csv', '--force')
print(gyre('datasets', 'query', 'select sum(x) as total from people'))
print(gyre('datasets', 'rows', 'price:v1'))
if os.environ.get('EXTRA'):
    gyre('datasets', 'rows', 'more')
""")
    g.cli('run', sys.executable, 'read.py')
    run = newest(g)
    inputs = {item['name']: item for item in run['inputs']}
    assert inputs.keys() == {'sales:v1', 'people:v1', 'price:v1'}, inputs
    assert inputs['sales:v1']['latest'] is True and inputs['price:v1']['latest'] is False, inputs
    version = api(g, '/projects/default/datasets/sales/versions/v1')
    assert inputs['sales:v1']['id'] == version['id'] and inputs['sales:v1']['digest'] == version['content_hash'], (inputs, version)
    assert 'sales:v1' in g.cli('runs', 'show', run['id']).stdout
    up = api(g, f"/projects/default/lineage?id={run['id']}&direction=up")
    assert {node['label'] for node in up['nodes']} >= {'sales:v1', 'people:v1', 'price:v1'}, up
    down = api(g, '/projects/default/lineage?id=sales:v1&direction=down')
    assert run['id'] in {node['id'] for node in down['nodes']}, down

    for name in ('sales', 'people', 'price'):
        add(g, name, 1, 2, 300)
    again = g.cli('runs', 'rerun', run['id'])
    assert 'nothing differs' in again.stdout + again.stderr, again
    assert 'data as the first run read them' in again.stderr and 'sales:v1' in again.stderr and 'people:v1' in again.stderr, again.stderr
    twice = newest(g)
    assert {item['id'] for item in twice['inputs']} == {item['id'] for item in run['inputs']}, twice['inputs']
    thrice = g.cli('runs', 'rerun', twice['id'])
    assert 'nothing differs' in thrice.stdout + thrice.stderr, thrice

    other = g.cli('runs', 'rerun', run['id'], environment={'EXTRA': '1'})
    assert 'data: also read more:v1, which the first run did not' in other.stdout, other
    new = g.cli('runs', 'rerun', run['id'], '--latest')
    assert 'data: also read sales:v2, which the first run did not' in new.stdout, new
    assert 'data: did not read sales:v1, which the first run read' in new.stdout, new

    g.cli('datasets', 'rm', 'sales:v1', '--yes', '--force')
    before = newest(g)['id']
    refused = g.cli('runs', 'rerun', run['id'], check=False)
    assert refused.returncode != 0 and 'GY3414' in refused.stderr and 'sales:v1' in refused.stderr and '--latest' in refused.stderr, refused
    assert newest(g)['id'] == before, 'it was begun'
    g.cli('runs', 'rerun', run['id'], '--latest')


def answers_of_others_are_not_read(g):
    """An answer that somebody else asked for would not stand among the inputs of the run."""
    add(g, 'people', 1, 2)
    g.cli('query', 'select sum(x) as total from people')
    job = next(job for job in api(g, '/jobs')['items'] if job['kind'] == 'dataset.query')['id']
    refused = g.cli('run', GYRE, 'jobs', 'output', job, check=False)
    assert refused.returncode != 0 and 'GY2125' in refused.stdout + refused.stderr, refused
    assert 'total' in g.cli('jobs', 'output', job).stdout
    add(g, 'more', 1, 2, 3)
    g.cli('report', 'people:v1', 'more:v1')
    job = next(job for job in api(g, '/jobs')['items'] if job['kind'] == 'monitoring.compare')['id']
    refused = g.cli('run', GYRE, 'api', 'GET', f'/projects/default/comparisons/{job}', check=False)
    assert refused.returncode != 0 and 'GY4532' in refused.stdout + refused.stderr, refused
    assert api(g, f'/projects/default/comparisons/{job}')['columns'], job


def files_that_git_ignores_are_named(g):
    git(g, 'init', '-q')
    for name, text in (('.gitignore', 'local.txt\n'), ('p.py', 'print(open("local.txt").read())\n'), ('local.txt', 'mine')):
        open(os.path.join(g.work, name), 'w').write(text)
    git(g, 'add', '.gitignore', 'p.py')
    git(g, 'commit', '-q', '-m', 'first')
    g.cli('run', sys.executable, 'p.py')
    run = newest(g)
    assert run['code']['ignored'] == ['local.txt'], run['code']
    again = g.cli('runs', 'rerun', run['id'], check=False)
    assert again.returncode == 1 and 'git ignores' in again.stderr and 'local.txt' in again.stderr, again


def what_it_used_is_booked(g):
    g.cli('run', '--name', 'night', *python('x = bytearray(64 << 20)', 'x[::4096] = b"x" * (1 << 14)', 'sum(range(10**7))', 'import time', 'time.sleep(0.2)'))
    run = newest(g)
    line = next(line for line in g.cli_json('usage') if line['id'] == run['id'])
    assert line['kind'] == 'run' and line['label'] == 'night' and line['project'] == 'default', line
    assert abs(line['cpu_seconds'] - run['resources']['cpu_seconds']) < 1e-5 and line['cpu_seconds'] > 0, (line, run['resources'])
    assert line['memory_mib_ms'] > 64 * 200 and line['bytes'] == run['resources']['read_bytes'] + run['resources']['written_bytes'], (line, run['resources'])


def a_program_outlives_the_server(g):
    """Whoever owns the directory next neither ends its run nor loses what it still has to store."""
    g.start()
    started, go = os.path.join(g.work, 'started'), os.path.join(g.work, 'go')
    running = subprocess.Popen([GYRE, 'run', *python('import os, sys, time', 'open("started", "w")', 'while not os.path.exists("go"): time.sleep(0.01)',
                                                     'os.mkdir("outputs")', 'open("outputs/late.txt", "w").write("late")', 'print("late")', 'sys.exit(3)')],
                               cwd=g.work, env=g.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(started)
    g.kill()
    assert newest(g)['status'] == 'running', 'the next owner does not end it'
    open(go, 'w').close()
    out, err = running.communicate(timeout=60)
    assert running.returncode == 3 and 'not kept' not in err, (running.returncode, err)
    run = newest(g)
    assert run['status'] == 'failed' and run['resources']['exit_code'] == 3, run
    assert set(artifacts(g, run)) == {'output.log', 'outputs/late.txt'}


def with_two_users_it_is_refused(g):
    g.start()
    g.cli('users', 'add', 'ann', '--role', 'admin', stdin=PASSWORD)
    g.cli('login', '--user', 'ann', stdin=PASSWORD)
    program = python('open("was-run", "w")')
    g.cli('run', *program)
    marker = os.path.join(g.work, 'was-run')
    os.remove(marker)
    g.cli('users', 'add', 'bob', '--role', 'viewer', stdin=PASSWORD)
    for served in (True, False):
        refused = g.cli('run', *program, check=False)
        assert refused.returncode != 0 and 'GY4027' in refused.stderr and 'GYRE_SERVER' in refused.stderr, refused
        assert not os.path.exists(marker), 'it was started'
        run = newest(g)
        assert run['status'] == 'killed' and 'several people' in run['error'], run
        if served:
            g.stop()
    # By URL, as somebody who need not own the data directory.
    g.start()
    by_url = {'GYRE_SERVER': f'http://{g.host}:{g.port}'}
    g.cli('login', '--user', 'ann', stdin=PASSWORD, environment=by_url)
    g.cli('run', *program, environment=by_url)
    assert os.path.exists(marker)


if __name__ == '__main__':
    run_scenarios([
        output_exit_code_and_files, what_cannot_be_kept_is_only_a_warning, too_many_files_are_only_a_warning, memory_is_limited, cpus_are_limited,
        code_is_recorded_and_run_again, data_are_recorded_and_read_again,
                   answers_of_others_are_not_read, files_that_git_ignores_are_named, what_it_used_is_booked,
        a_program_outlives_the_server, with_two_users_it_is_refused])
