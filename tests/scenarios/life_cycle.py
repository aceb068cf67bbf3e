"""The life of a data directory: who owns it, what happens when two come at once, when the owner is killed, and what a stop leaves behind."""
import contextlib
import http.client
import json
import os
import pty
import re
import select
import signal
import socket
import sqlite3
import stat
import subprocess
import time

from harness import GYRE, run_scenarios


def a_server_says_where_it_is(g):
    g.start()
    info = json.load(open(os.path.join(g.data, 'server.json')))
    assert info['pid'] == g.server.pid and info['url'] == f'http://127.0.0.1:{g.port}', info
    assert g.port != 0
    assert stat.S_IMODE(os.stat(os.path.join(g.data, 'gyre.sock')).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.join(g.data, 'server.json')).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(g.data).st_mode) == 0o700
    assert g.http('GET', '/healthz').status == 200
    assert g.json('GET', '/api/v1/openapi.json')['openapi'].startswith('3.1')
    status = g.cli_json('server', 'status')
    assert status['pid'] == g.server.pid and status['kind'] == 'server'
    # The printed tree names the address.
    assert f'http://127.0.0.1:{g.port}' in g.log()
    assert re.search(r'server ready in \d+ ms', g.log()), g.log()


def it_is_light(g):
    g.start()
    with open(f'/proc/{g.server.pid}/status') as f:
        resident_kb = int(re.search(r'VmRSS:\s+(\d+) kB', f.read())[1])
    print(f'  idle: {resident_kb / 1024:.1f} MiB resident')
    assert resident_kb < 40 * 1024, f'{resident_kb} kB resident'
    with open(f'/proc/{g.server.pid}/maps') as f:
        maps = f.read()
    assert 'duckdb' not in maps and 'lightgbm' not in maps, 'heavy libraries belong into workers'


def sigterm_drains(g):
    g.start()
    # A request that is half sent when SIGTERM comes is still answered.
    with socket.create_connection((g.host, g.port)) as s:
        body = json.dumps({'name': 'drained'}).encode()
        s.sendall(f'POST /api/v1/projects HTTP/1.1\r\nHost: {g.host}:{g.port}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n'.encode() + body[:5])
        time.sleep(0.2)
        g.server.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        s.sendall(body[5:])
        answer = http.client.HTTPResponse(s)
        answer.begin()
        assert answer.status == 201, answer.status
    assert g.server.wait(15) == 0
    g.server = None
    assert not os.path.exists(os.path.join(g.data, 'gyre.sock')) and not os.path.exists(os.path.join(g.data, 'server.json'))
    assert 'drained' in g.cli('projects', '-o', 'name').stdout.split()


def a_second_server_is_refused(g):
    g.start()
    second = g.cli('server', '--listen', '127.0.0.1:0', check=False)
    assert second.returncode == 6, second
    assert 'GY1830' in second.stderr and str(g.server.pid) in second.stderr, second.stderr
    assert g.http('GET', '/healthz').status == 200
    # The port of a server of another directory is refused with its name.
    other = g.cli('server', '--data', g.data + '2', '--listen', f'127.0.0.1:{g.port}', check=False)
    assert other.returncode == 6 and 'GY1610' in other.stderr, other.stderr
    assert not os.path.exists(os.path.join(g.data + '2', 'server.json'))


def a_server_without_its_port_ends_in_order(g):
    """It has taken up the jobs of its directory by then: they end before the rooms they use."""
    g.start()
    g.cli('add', people(g))
    g.json('PUT', '/api/v1/projects/default/datasets/people/expectations', {'expectations': [{'kind': 'rows_between', 'min': 1}]})
    job = g.wait_job(g.json('POST', '/api/v1/projects/default/datasets/people/versions/latest/check'))
    assert job['state'] == 'succeeded', job
    g.stop()
    for _ in range(5):
        # As a death leaves it. Checks are harmless to repeat, so the next start runs them.
        with contextlib.closing(sqlite3.connect(os.path.join(g.data, 'gyre.db'))) as database, database:
            database.execute("UPDATE job SET state = 'running', ended_us = 0 WHERE id = ?", (job['id'],))
        with socket.create_server(('127.0.0.1', 0)) as taken:
            refused = g.cli('server', '--listen', f'127.0.0.1:{taken.getsockname()[1]}', check=False)
        assert refused.returncode == 6 and 'GY1610' in refused.stderr, refused
    g.start()
    again = g.wait_job(g.json('GET', f"/api/v1/jobs/{job['id']}"))
    assert again['state'] == 'succeeded' and again['ended_at'] != job['ended_at'], again


def a_killed_owner_leaves_nothing_to_repair(g):
    g.start()
    g.cli('init', 'kept')
    g.kill()
    assert os.path.exists(os.path.join(g.data, 'gyre.sock')), 'a killed owner cannot remove its socket'
    names = g.cli('projects', '-o', 'name').stdout.split()  # becomes the owner over a stale socket
    assert 'kept' in names, names
    assert g.cli('server', 'status', check=False).returncode == 3
    g.start()
    assert g.json('GET', '/api/v1/projects/kept')['name'] == 'kept'


def stale_files_of_another_life(g):
    os.makedirs(g.data)
    open(os.path.join(g.data, 'server.json'), 'w').write('{"pid": 1, "url": "http://127.0.0.1:9"}')
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(os.path.join(g.data, 'gyre.sock'))
    open(os.path.join(g.data, 'lock'), 'w').write('1\n')
    assert g.cli('projects', '-o', 'name').stdout.split() == ['default']
    open(os.path.join(g.data, 'server.json'), 'w').write('not json')
    g.start()
    assert g.http('GET', '/readyz').status == 200


def two_commands_at_once(g):
    """Whoever comes first owns the directory; the others use its socket. Nobody fails and nothing is lost."""
    running = []
    for i in range(12):
        running.append(subprocess.Popen([GYRE, 'api', 'POST', '/projects', '--body', json.dumps({'name': f'p{i}'})], cwd=g.work, env=g.environment,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    for process in running:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, (process.returncode, out, err)
    names = set(g.cli('projects', '-o', 'name').stdout.split())
    assert names == {'default'} | {f'p{i}' for i in range(12)}, names


def commands_use_the_running_server(g):
    g.start()
    g.cli('init', 'through-socket')
    assert g.json('GET', '/api/v1/projects/through-socket')['name'] == 'through-socket'
    assert g.cli('api', 'GET', '/status', '--json', 'pid').stdout.find(str(g.server.pid)) > 0
    # By URL from elsewhere.
    elsewhere = g.cli('projects', '-o', 'name', '--server', f'http://127.0.0.1:{g.port}')
    assert 'through-socket' in elsewhere.stdout.split()


def stop_and_status(g):
    assert g.cli('server', 'status', check=False).returncode == 3
    assert 'no server' in g.cli('server', 'stop').stdout
    g.start()
    g.cli('server', 'stop')
    assert g.server.wait(15) == 0
    g.server = None
    assert g.cli('server', 'status', check=False).returncode == 3
    g.cli('add', people(g))
    g.start()
    training = start_command(g, 'train', 'people', '--target', 'buys', '--budget', '30s')
    wait_for('the training runs', lambda: training_state(g) == 'running')
    stopped = g.cli('server', 'stop')
    assert 'it ended `' in stopped.stderr and 'gyre jobs show' in stopped.stderr, stopped
    training.communicate(timeout=60)
    g.server.wait(15)
    g.server = None


def the_audit_log_is_anchored(g):
    """Its end stands outside of the database too: cut off there, it is missed."""
    g.start()
    g.cli('init', 'one')
    g.cli('init', 'two')
    g.stop()
    with open(os.path.join(g.data, 'audit.anchors')) as lines:
        anchors = [json.loads(line) for line in lines]
    assert f"hash={anchors[-1]['hash']}" in g.log(), g.log()
    verdict = g.cli_json('audit', 'verify')
    assert verdict['anchored']['sequence'] == anchors[-1]['sequence'] == verdict['anchor']['sequence'], (verdict, anchors)
    shown = g.cli('audit', 'verify')
    assert f"anchored up to entry {anchors[-1]['sequence']}, written down {anchors[-1]['at']}" in shown.stdout + shown.stderr, shown
    with contextlib.closing(sqlite3.connect(os.path.join(g.data, 'gyre.db'))) as database:
        database.execute('DELETE FROM audit_entry WHERE sequence = (SELECT max(sequence) FROM audit_entry)')
        database.commit()
    broken = g.cli('audit', 'verify', check=False)
    assert broken.returncode == 5 and f"the anchor names entry {anchors[-1]['sequence']}" in broken.stderr, broken


def base_path_works_everywhere(g):
    g.start('--base-path', '/ml/gyre', wait=False)
    deadline = time.monotonic() + 20
    while not os.path.exists(os.path.join(g.data, 'server.json')) and time.monotonic() < deadline:
        time.sleep(0.01)
    url = json.load(open(os.path.join(g.data, 'server.json')))['url']
    assert url.endswith('/ml/gyre'), url
    g.host, g.port = '127.0.0.1', int(re.search(r':(\d+)/', url)[1])
    assert g.http('GET', '/ml/gyre/healthz').status == 200
    assert g.http('GET', '/healthz').status == 404
    assert g.json('GET', '/ml/gyre/api/v1/projects')['items'][0]['name'] == 'default'
    assert 'default' in g.cli('projects', '-o', 'name').stdout
    assert 'default' in g.cli('projects', '-o', 'name', '--server', url).stdout


def listening_beyond_loopback_is_refused(g):
    refused = g.cli('server', '--listen', '0.0.0.0:0', check=False)
    assert refused.returncode != 0 and 'GY1611' in refused.stderr, refused.stderr
    assert '--behind-proxy' in refused.stderr, refused.stderr


def logs(g):
    log_file = os.path.join(g.directory, 'own.log')
    g.start('--log-file', log_file, '--log-format', 'json')
    g.json('POST', '/api/v1/projects', {'name': 'secret-in-body'})
    answer = g.http('GET', '/api/v1/projects/nothere')
    request_id = answer.headers['X-Request-Id']
    g.stop()
    lines = [json.loads(line) for line in open(log_file)]
    assert any(line.get('request_id') == request_id and line.get('status') == 404 for line in lines), lines
    assert not any('secret-in-body' in json.dumps(line) for line in lines), 'a body is in the log'


def people(g, rows=3000):
    path = os.path.join(g.work, 'people.csv')
    with open(path, 'w') as f:
        f.write('age,city,buys\n')
        for i in range(rows):
            age = 18 + i * 7 % 70
            f.write(f"{age},{('Graz', 'Wien')[i % 2]},{'yes' if (age + i * 13 % 40) > 70 else 'no'}\n")
    return path


def start_command(g, *arguments):
    return subprocess.Popen([GYRE, *arguments], cwd=g.work, env=g.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(what, condition, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError('never happened: ' + what)


def owner_of(g):
    done = g.cli('server', 'status', '-o', 'json', check=False)
    return json.loads(done.stdout) if done.returncode == 0 else None


def deploy_without_a_server_leaves_one_running(g):
    g.cli('add', people(g))
    trained = g.cli_json('train', 'people', '--target', 'buys', '--trials', '2', '--seed', '1')
    model = (trained.get('result') or trained)['model']
    assert owner_of(g) is None, 'add and train end with their command'
    deployed = g.cli('deploy', model)
    owner = owner_of(g)
    assert owner and owner['kind'] == 'server' and owner['url'], owner
    assert str(owner['pid']) in deployed.stderr and owner['url'] in deployed.stderr and 'gyre server stop' in deployed.stderr, deployed.stderr
    log_file = re.search(r'log +(\S+)', deployed.stderr)[1]
    assert os.path.exists(log_file), log_file
    assert os.getsid(owner['pid']) == owner['pid'], 'it has a session of its own'
    url = re.match(r'http://([^:]+):(\d+)', owner['url'])
    g.host, g.port = url[1], int(url[2])
    row = {'inputs': [{'age': 80, 'city': 'Graz'}]}
    assert g.json('POST', '/e/people', row)['outputs'][0]['prediction'] == 'yes'
    # A second deployment uses it; killed, the next command brings the endpoint back with a new server.
    g.cli('deploy', model, '--name', 'second')
    assert owner_of(g)['pid'] == owner['pid']
    os.kill(owner['pid'], signal.SIGKILL)
    wait_for('the owner is gone', lambda: owner_of(g) is None)
    g.cli('deploy', model, '--name', 'third')
    again = owner_of(g)
    g.port = int(re.match(r'http://[^:]+:(\d+)', again['url'])[1])
    for name in ('people', 'second', 'third'):
        assert g.json('POST', f'/e/{name}', row)['outputs'][0]['prediction'] == 'yes'
    g.cli('server', 'stop')
    wait_for('the server ends', lambda: owner_of(g) is None)
    listed = g.cli_json('endpoints')
    assert {(row['state'], row['ready']) for row in listed} == {('not served: no server runs', False)}, listed
    assert 'not served: no server runs' in g.cli('endpoints', 'show', 'people').stdout


def a_failed_deploy_leaves_no_server(g):
    failed = g.cli('deploy', 'nobody', check=False)
    assert failed.returncode == 3 and 'stopped the server again' in failed.stderr, (failed.returncode, failed.stderr)
    assert owner_of(g) is None


def a_taken_port_is_said(g):
    g.cli('add', people(g))
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        address = f'127.0.0.1:{taken.getsockname()[1]}'
        model = g.cli_json('train', 'people', '--target', 'buys', '--trials', '1')['model']
        deployed = g.cli('deploy', model, environment={'GYRE_LISTEN': address})
    url = owner_of(g)['url']
    assert f'{address} is taken by another program; using {url}' in deployed.stderr, deployed.stderr


def a_detached_training_needs_no_server(g):
    g.cli('add', people(g))
    job = g.cli('train', 'people', '--target', 'buys', '--trials', '1', '--detach').stdout
    assert re.fullmatch('[0-9a-f]{32}\n', job), f'stdout is the id of the job, for scripts: {job!r}'
    g.cli('wait', job.strip())
    again = g.cli('train', os.path.join(g.work, 'people.csv'), '--target', 'buys', '--trials', '1', '--detach', '-o', 'json')
    g.cli('wait', json.loads(again.stdout)['id'])
    wait_for('the keeper ends', lambda: owner_of(g) is None)


def a_second_command_works_beside_a_long_one(g):
    """A training owns the directory while it runs; others work through its socket, and it waits for what they began."""
    g.cli('add', people(g))
    first = start_command(g, 'train', 'people', '--target', 'buys', '--budget', '4s')
    wait_for('the training owns the directory', lambda: (owner_of(g) or {}).get('kind') == 'keeper')
    owner = owner_of(g)
    with open(f"/proc/{owner['pid']}/stat") as f:
        assert int(f.read().rsplit(')', 1)[1].split()[1]) == first.pid, 'its keeper owns it'
    assert 'people' in g.cli('datasets', '-o', 'name').stdout
    wait_for('the training runs', lambda: 'running' in g.cli('jobs', '-o', 'json').stdout)
    second = start_command(g, 'train', 'people', '--target', 'buys', '--trials', '1', '--model', 'other')
    out, err = first.communicate(timeout=120)
    assert first.returncode == 0, (out, err)
    out, err = second.communicate(timeout=120)
    assert second.returncode == 0, (out, err)
    states = [job['state'] for job in g.cli_json('jobs')]
    assert states == ['succeeded'] * 3, states


def deploy_waits_for_the_command_that_owns(g):
    g.cli('add', people(g))
    g.cli('train', 'people', '--target', 'buys', '--trials', '1')
    training = start_command(g, 'train', 'people', '--target', 'buys', '--budget', '2s')
    wait_for('the training owns the directory', lambda: (owner_of(g) or {}).get('kind') == 'keeper')
    keeper = owner_of(g)['pid']
    deployed = g.cli('deploy', 'people:v1')
    assert owner_of(g)['kind'] == 'server' and str(keeper) in deployed.stderr, deployed.stderr
    assert training.wait(60) == 0
    training.communicate()


def interrupt(process):
    process.send_signal(signal.SIGINT)
    return process.communicate(timeout=60)


def ctrl_c_leaves_the_job_to_the_server(g):
    g.start()
    g.cli('add', people(g))
    training = start_command(g, 'train', 'people', '--target', 'buys', '--budget', '3s')
    wait_for('the training runs', lambda: any(job['state'] == 'running' for job in g.cli_json('jobs')))
    out, err = interrupt(training)
    assert training.returncode == 130 and 'gyre jobs cancel' in err, (training.returncode, err)
    job = next(job for job in g.cli_json('jobs') if job['kind'].startswith('training'))
    assert job['state'] == 'running', job['state']
    assert g.wait_job(job, 60)['state'] == 'succeeded'


def on_terminal(g, *arguments):
    """The command in the foreground of a terminal of its own, and that terminal."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(g.work)
        os.execve(GYRE, [GYRE, *arguments], {**g.environment, 'TERM': 'xterm', 'LC_ALL': 'C.UTF-8'})
    return pid, terminal


def read_until_end(terminal):
    text = b''
    while select.select([terminal], [], [], 30)[0]:
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            break
        if not piece:
            break
        text += piece
    os.close(terminal)
    return text.decode(errors='replace')


def training_state(g):
    return next((job['state'] for job in g.cli_json('jobs') if job['kind'].startswith('training')), None)


def ctrl_c_leaves_the_job_to_the_keeper(g):
    """No server runs: the key goes to whatever is in the terminal's foreground, and the job goes on all the same."""
    g.cli('add', people(g))
    pid, terminal = on_terminal(g, 'train', 'people', '--target', 'buys', '--budget', '3s')
    wait_for('the training runs', lambda: training_state(g) == 'running')
    os.write(terminal, b'\x03')
    text = read_until_end(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 130, text
    found = re.search(r'gyre wait (\w+)', text)
    assert found and 'gyre jobs cancel' in text and 'goes on' in text, text
    assert training_state(g) == 'running'
    g.cli('wait', found[1])
    assert training_state(g) == 'succeeded'
    wait_for('the keeper ends', lambda: owner_of(g) is None)


def ctrl_c_twice_cancels(g):
    g.cli('add', people(g))
    for with_server in (False, True):
        if with_server:
            g.start()
        pid, terminal = on_terminal(g, 'train', 'people', '--target', 'buys', '--budget', '30s')
        wait_for('the training runs', lambda: training_state(g) == 'running')
        os.write(terminal, b'\x03')
        time.sleep(0.3)
        os.write(terminal, b'\x03')
        text = read_until_end(terminal)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 130 and 'cancelled' in text, text
        assert training_state(g) == 'cancelled'


def a_closed_terminal_leaves_the_job(g):
    g.cli('add', people(g))
    pid, terminal = on_terminal(g, 'train', 'people', '--target', 'buys', '--budget', '2s')
    wait_for('the training runs', lambda: training_state(g) == 'running')
    os.close(terminal)
    os.waitpid(pid, 0)
    wait_for('the training ends', lambda: training_state(g) == 'succeeded', 60)
    wait_for('the keeper ends', lambda: owner_of(g) is None)


def a_killed_keeper_is_replaced(g):
    g.cli('add', people(g))
    training = start_command(g, 'train', 'people', '--target', 'buys', '--budget', '30s')
    wait_for('the training runs', lambda: training_state(g) == 'running')
    os.kill(owner_of(g)['pid'], signal.SIGKILL)
    out, err = training.communicate(timeout=60)
    assert training.returncode == 1 and 'GY3303' in err, (training.returncode, out, err)
    wait_for('the keeper that took its place ends', lambda: owner_of(g) is None)


def a_server_collects_by_itself(g):
    g.start(environment={'GYRE_RETENTION_EVERY': '1s'})
    wait_for('the server collects', lambda: ' collected blobs=0' in g.log(), 20)
    g.stop()


def ctrl_c_leaves_a_query_to_the_keeper(g):
    """A question to the data is a job as well: left, it goes on until somebody stops it."""
    g.cli('add', people(g))
    sql = 'select count(*) from people a, people b, people c where a.age + b.age * c.age > 3'
    asking = start_command(g, 'query', sql)
    wait_for('the keeper owns the directory', lambda: (owner_of(g) or {}).get('kind') == 'keeper')
    time.sleep(0.3)
    out, err = interrupt(asking)
    assert asking.returncode == 130 and 'GY4026' in err and out == '', (asking.returncode, out, err)
    job = re.search(r'gyre jobs cancel (\w+)', err).group(1)
    g.cli('jobs', 'cancel', job)
    wait_for('the keeper ends', lambda: owner_of(g) is None)


if __name__ == '__main__':
    run_scenarios([
        deploy_without_a_server_leaves_one_running, a_failed_deploy_leaves_no_server, a_taken_port_is_said, a_detached_training_needs_no_server,
        a_second_command_works_beside_a_long_one, deploy_waits_for_the_command_that_owns, ctrl_c_leaves_the_job_to_the_server,
        ctrl_c_leaves_the_job_to_the_keeper, ctrl_c_twice_cancels, a_closed_terminal_leaves_the_job, a_killed_keeper_is_replaced,
        ctrl_c_leaves_a_query_to_the_keeper, a_server_collects_by_itself, a_server_says_where_it_is, it_is_light, sigterm_drains, a_second_server_is_refused,
        a_server_without_its_port_ends_in_order, a_killed_owner_leaves_nothing_to_repair, stale_files_of_another_life, two_commands_at_once,
        commands_use_the_running_server, stop_and_status, the_audit_log_is_anchored, base_path_works_everywhere, listening_beyond_loopback_is_refused, logs])
