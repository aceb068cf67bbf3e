"""A server that stops tells everybody so in time, and SIGHUP brings a new certificate; below another path every address names it; a path that two programs could read differently is refused."""
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

from harness import Gyre

SLOW = 'SELECT count(*) FROM range(300000) a, range(300000) b WHERE hash(a.range + b.range) % 1000003 = 1'


def stopping(g):
    """A query, a stream and half a head do not hold it up, and the query is told."""
    g.start()
    answers = []

    def ask():
        connection = http.client.HTTPConnection(g.host, g.port, timeout=60)
        connection.request('POST', '/api/v1/projects/default/query', json.dumps({'sql': SLOW}))
        answers.append(connection.getresponse())
        answers.append(answers[0].read())

    asking = threading.Thread(target=ask)
    asking.start()
    stream = http.client.HTTPConnection(g.host, g.port, timeout=60)
    stream.request('GET', '/api/v1/events/stream')
    stream.getresponse()
    half = socket.create_connection((g.host, g.port))
    half.sendall(b'GET /healthz HTTP/1.1\r\nHo')
    time.sleep(1)  # the query runs
    began = time.monotonic()
    g.server.send_signal(signal.SIGTERM)
    assert half.recv(100) == b''
    asking.join()
    assert answers and answers[0].status == 503, answers
    assert json.loads(answers[1])['code'] == 'GY1628', answers
    assert g.server.wait(60) == 0
    g.server = None
    print(f'ok: told and stopped within {time.monotonic() - began:.1f} s')


def base_path(g):
    g.start('--base-path', '/gyre/x-1')
    made = g.http('POST', '/gyre/x-1/api/v1/projects', {'name': 'below'})
    assert made.status == 201 and made.headers['Location'] == '/gyre/x-1/api/v1/projects/below', made.headers.items()
    assert g.http('GET', made.headers['Location']).status == 200
    assert g.json('GET', '/gyre/x-1/api/v1/openapi.json')['servers'] == [{'url': '/gyre/x-1'}]
    assert g.http('GET', '/healthz').status == 404
    assert g.stop() == 0
    for path in ('/a/../b', '/a b', '/%41', '/a//b', '/./a', 'a', '/a?b', '/ä'):
        refused = g.cli('server', '--listen', '127.0.0.1:0', '--base-path', path, check=False)
        assert refused.returncode == 2 and 'GY1841' in refused.stderr, (path, refused)
    print('ok: below another path')


def wrong_settings(g):
    for flags in (('--listen', 'nowhere'), ('--log-level', 'loud'), ('--tls-cert', '/nowhere')):
        refused = g.cli('server', *flags, check=False)
        assert refused.returncode == 2, (flags, refused)
    print('ok: a wrong setting is a usage error')


def certificate(g, name):
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=' + name,
                    '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', 'key.pem', '-out', 'cert.pem'], cwd=g.work, check=True, capture_output=True)
    with open(os.path.join(g.work, 'cert.pem')) as f:
        return f.read()


def new_certificate(g):
    """SIGHUP: who connects then gets the new one, who is connected goes on, and broken files change nothing."""
    def shown():
        return ssl.get_server_certificate((g.host, g.port))

    def wait_for(said):
        deadline = time.monotonic() + 20
        while said not in g.log():
            assert time.monotonic() < deadline and g.server.poll() is None, g.log()
            time.sleep(0.05)

    def reload(said):
        g.server.send_signal(signal.SIGHUP)
        wait_for(said)

    first = certificate(g, 'one')
    g.start('--tls-cert', os.path.join(g.work, 'cert.pem'), '--tls-key', os.path.join(g.work, 'key.pem'), wait=False)
    wait_for('ready data=' + g.data + ' url=https:')
    with open(os.path.join(g.data, 'server.json')) as f:
        g.host, g.port = '127.0.0.1', urllib.parse.urlparse(json.load(f)['url']).port
    assert shown() == first
    context = ssl.create_default_context(cadata=first)
    kept = http.client.HTTPSConnection(g.host, g.port, timeout=60, context=context)
    kept.request('GET', '/healthz')
    assert kept.getresponse().read() == b'ok\n'
    second = certificate(g, 'two')
    assert shown() == first, 'only when it is told'
    reload('certificate read again')
    assert shown() == second != first
    os.remove(os.path.join(g.work, 'cert.pem'))
    os.makedirs(os.path.join(g.directory, '.config', 'gyre'))
    settings = os.path.join(g.directory, '.config', 'gyre', 'config.yaml')
    open(settings, 'w').write('log: {level: debug}\n')
    reload('certificate: kept what was read before')
    assert shown() == second and 'settings: kept' not in g.log()
    third = certificate(g, 'three')
    open(settings, 'w').write('log: {level: [')
    reload('settings: kept what was read before')
    deadline = time.monotonic() + 20
    while shown() != third:
        assert time.monotonic() < deadline, 'broken settings keep no certificate from being renewed'
        time.sleep(0.05)
    kept.request('GET', '/healthz')
    assert kept.getresponse().read() == b'ok\n', 'its connection was cut'
    kept.close()
    assert g.stop() == 0
    print('ok: a new certificate without a restart')


def main():
    with Gyre() as g:
        stopping(g)
        base_path(g)
        wrong_settings(g)
        new_certificate(g)


if __name__ == '__main__':
    sys.exit(main())
