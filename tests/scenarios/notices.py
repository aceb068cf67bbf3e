"""Notices reach real receivers: signed webhooks that a receiver verifies, mail over STARTTLS; retries, dead letters, receivers that hang, a kill between
commit and delivery, credentials that nobody gets to see, addresses that nobody gets to.

python3 tests/scenarios/notices.py [signed|hanging|killed|dead|https|mail|masked|guarded]"""
import http.server
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from harness import SOURCE, run_scenarios  # noqa: E402

PYTHON = os.environ.get('GYRE_TEST_PYTHON') or sys.executable
SECRET = 'open sesame, said Ali Baba'
PATH = '/api/v1/projects/default'


def documented_check():
    """The lines that docs/notices.md tells people to copy."""
    text = open(os.path.join(SOURCE, 'docs', 'notices.md')).read()
    names = {}
    exec(re.search(r'```python\n(.*?)```', text, re.S)[1], names)
    return names['is_genuine']


class Receiver:
    """A webhook's receiver on loopback. `answer(request number, headers, body)` gives a status and a body, or None: it hangs until it is closed."""

    def __init__(self, answer=lambda n, headers, body: (200, 'thanks'), certificate=None):
        self.answer, self.heard, self.closing, self.lock = answer, [], threading.Event(), threading.Lock()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                headers = {k.lower(): v for k, v in self.headers.items()}
                body = self.rfile.read(int(headers['content-length']))
                with receiver.lock:
                    receiver.heard.append((self.path, headers, body))
                    number = len(receiver.heard)
                said = receiver.answer(number, headers, body)
                if said is None:
                    receiver.closing.wait()
                    return
                status, text, *more = said
                self.send_response(status)
                for name, value in more[0].items() if more else ():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        self.url = f'http://127.0.0.1:{self.server.server_address[1]}'
        if certificate:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(*certificate)
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
            self.url = f'https://localhost:{self.server.server_address[1]}'
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()


def until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        got = condition()
        if got:
            return got
        time.sleep(0.02)
    raise AssertionError('it did not come to pass')


def start(g, **settings):
    environment = {'GYRE_EGRESS_ALLOW': 'loopback', 'GYRE_NOTICES_RETRY_FIRST': '20ms',
                   **{'GYRE_NOTICES_' + name.upper(): value for name, value in settings.items()}}
    g.start(environment=environment)


def add(g, name, url, *more):
    g.cli('channels', 'add', name, '--webhook', url, *more)


def tell(g, title, **more):
    return g.json('POST', PATH + '/notices', {'title': title, **more})['id']


def notice(g, id):
    return g.json('GET', f'{PATH}/notices/{id}')


def metric(g, name):
    found = re.findall(rf'^{name}(?:{{.*}})? (\S+)$', g.http('GET', '/metrics').body.decode(), re.M)
    return sum(map(float, found))


def signed(g):
    is_genuine = documented_check()
    with Receiver(lambda n, headers, body: (200, 'thanks') if n > 2 else (500, 'not yet')) as receiver:
        start(g)
        g.cli('secrets', 'set', 'ops', stdin=SECRET)
        add(g, 'ops', receiver.url + '/hook?a=b', '--secret', 'secret:ops')
        id = tell(g, 'drift in tenure', kind='alert.firing', severity='warning', text='PSI 0.31', key='alert:1', links=[{'text': 'report', 'url': 'https://example.org/r'}],
                  payload={'psi': 0.31})
        assert tell(g, 'again', key='alert:1') == id
        done = until(lambda: notice(g, id)['state'] == 'delivered' and notice(g, id))
        assert done['deliveries'][0]['attempts'] == 3 and done['deliveries'][0]['answer'] == '200 thanks', done
        assert [headers['webhook-id'] for _, headers, _ in receiver.heard] == [id] * 3
        assert len({body for _, _, body in receiver.heard}) == 1 and receiver.heard[0][0] == '/hook?a=b'
        for _, headers, body in receiver.heard:
            assert is_genuine(headers, body, SECRET.encode())
            assert not is_genuine(headers, body + b' ', SECRET.encode()) and not is_genuine(headers, body, b'another')
            assert headers['idempotency-key'] == id
        said = json.loads(receiver.heard[2][2])
        assert said['type'] == 'alert.firing' and said['data']['payload'] == {'psi': 0.31} and said['data']['severity'] == 'warning', said
        assert [e['kind'] for e in g.json('GET', '/api/v1/events?kind=notice.')['items']] == ['notice.delivered']
        assert (metric(g, 'gyre_notices_delivered_total'), metric(g, 'gyre_notices_failed_total'), metric(g, 'gyre_notices_waiting')) == (1, 2, 0)
        tried = g.cli('channels', 'test', 'ops').stdout
        assert re.match(r'✓ ops took it after .*: 200 thanks\n', tried), tried
        assert len(receiver.heard) == 4 and is_genuine(*receiver.heard[3][1:], SECRET.encode())
        actions = {e['action'] for e in g.json('GET', '/api/v1/audit')['items']}
        assert {'channel.write', 'notice.write'} <= actions, actions


def hanging(g):
    """Receivers that hang: the others hear everything meanwhile, and the server ends at once."""
    with Receiver(lambda n, headers, body: None) as hangs, Receiver() as fast:
        start(g, timeout='5m')
        add(g, 'hangs-1', hangs.url)
        add(g, 'hangs-2', hangs.url)
        add(g, 'fast', fast.url)
        for i in range(20):
            tell(g, f'number {i}')
        until(lambda: len(fast.heard) == 20)
        titles = [json.loads(body)['data']['title'] for _, _, body in fast.heard]
        assert titles == [f'number {i}' for i in range(20)], titles
        assert len(hangs.heard) == 2, 'each of them holds one attempt, no more'
        until(lambda: metric(g, 'gyre_notices_waiting') == 40)
        trying = threading.Thread(target=lambda: g.http('POST', PATH + '/channels/hangs-1/test', {}))
        trying.start()
        until(lambda: len(hangs.heard) == 3)
        assert g.stop(seconds=10) == 0
        trying.join()


def killed(g):
    """kill -9 between the commit and the delivery: delivered after the restart, with the same key."""
    allowed = threading.Event()
    with Receiver(lambda n, headers, body: (200, 'thanks') if allowed.is_set() else None) as receiver:
        start(g, timeout='5m')
        add(g, 'ops', receiver.url)
        id = tell(g, 'the server is about to die')
        until(lambda: receiver.heard)
        g.kill()
        allowed.set()
        start(g)
        until(lambda: notice(g, id)['state'] == 'delivered')
        assert [headers['webhook-id'] for _, headers, _ in receiver.heard] == [id, id]
        assert receiver.heard[0][2] == receiver.heard[1][2]


def dead(g):
    well = threading.Event()
    with Receiver(lambda n, headers, body: (204, '') if well.is_set() else (503, 'closed', {'Retry-After': '0'})) as receiver:
        start(g, attempts_max='3')
        add(g, 'ops', receiver.url)
        id = tell(g, 'nobody takes it')
        until(lambda: notice(g, id)['state'] == 'dead')
        assert len(receiver.heard) == 3 and metric(g, 'gyre_notices_dead_total') == 1
        listed = g.cli('notices', 'ls', '--state', 'dead').stdout
        assert id[:12] in listed and 'GY4410 the receiver answered 503 closed' in listed, listed
        assert g.cli_json('channels')[0]['dead'] == 1
        assert g.json('GET', '/api/v1/events?kind=notice.dead')['items'][0]['payload']['attempts'] == 3
        well.set()
        g.cli('notices', 'retry', id[:8])
        until(lambda: notice(g, id)['state'] == 'delivered')
        again = g.cli('notices', 'retry', id, check=False)
        assert again.returncode == 6 and 'GY4408' in again.stderr, again
        g.cli('channels', 'rm', 'ops', '--yes')
        assert notice(g, tell(g, 'to nobody'))['state'] == 'unsent'
        assert g.stop() == 0
    # Without a server a command lets each channel hear it once before it goes.
    with Receiver() as receiver:
        g.environment['GYRE_EGRESS_ALLOW'] = 'loopback'
        add(g, 'ops', receiver.url)
        g.cli('notify', 'from a command', '--text', 'more')
        assert [json.loads(body)['data']['title'] for _, _, body in receiver.heard] == ['from a command']


MAIL_SERVER = '''
import json, ssl, sys, time
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
class Handler:
    async def handle_DATA(self, server, session, envelope):
        print(json.dumps({"from": envelope.mail_from, "to": envelope.rcpt_tos, "text": envelope.content.decode(), "tls": session.ssl is not None}), flush=True)
        return "250 kept as 1"
def login(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (b"gyre", sys.argv[3].encode()), handled=False)
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(sys.argv[1], sys.argv[2])
controller = Controller(Handler(), hostname="127.0.0.1", port=int(sys.argv[4]), tls_context=tls, require_starttls=True, authenticator=login, auth_required=True)
controller.start()
print("ready", flush=True)
time.sleep(600)
'''


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def make_certificate(g):
    certificate, key = os.path.join(g.directory, 'cert.pem'), os.path.join(g.directory, 'key.pem')
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost',
                    '-keyout', key, '-out', certificate], check=True, capture_output=True)
    return certificate, key


def https(g):
    certificate = make_certificate(g)
    with Receiver(certificate=certificate) as receiver:
        start(g)
        add(g, 'ops', receiver.url)
        tried = g.cli('channels', 'test', 'ops', check=False)
        assert tried.returncode == 5 and 'self-signed certificate' in tried.stderr and 'SSL_CERT_FILE' in tried.stderr and not receiver.heard, tried
        g.stop()
        g.environment['SSL_CERT_FILE'] = certificate[0]
        start(g)
        assert '200 thanks' in g.cli('channels', 'test', 'ops').stdout and len(receiver.heard) == 1
        # The certificate names localhost, not this address.
        add(g, 'other', receiver.url.replace('localhost', '127.0.0.1'))
        tried = g.cli('channels', 'test', 'other', check=False)
        assert tried.returncode == 5 and 'IP address mismatch' in tried.stderr and len(receiver.heard) == 1, tried


def mail(g):
    if subprocess.run([PYTHON, '-c', 'import aiosmtpd'], capture_output=True).returncode != 0:
        print('without a mail server: aiosmtpd is not there')
        return
    certificate, key = make_certificate(g)
    port = free_port()
    server = subprocess.Popen([PYTHON, '-W', 'ignore', '-c', MAIL_SERVER, certificate, key, SECRET, str(port)], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True)
    try:
        assert server.stdout.readline() == 'ready\n'
        g.environment['SSL_CERT_FILE'] = certificate
        start(g)
        g.cli('secrets', 'set', 'mail', stdin=SECRET)
        g.cli('secrets', 'set', 'wrong', stdin='a wrong word')
        arguments = ('--smtp', f'localhost:{port}', '--from', 'gyre@example.org', '--to', 'ops@example.org', '--to', 'ada@example.org', '--user', 'gyre', '--password')
        g.cli('channels', 'add', 'mail', *arguments, 'secret:mail')
        g.cli('channels', 'add', 'wrong', *arguments, 'secret:wrong', '--min-severity', 'critical')
        id = tell(g, 'Überdrift in tenure', text='PSI 0.31\n.\nend')
        got = json.loads(server.stdout.readline())
        assert got['tls'] and got['from'] == 'gyre@example.org' and got['to'] == ['ops@example.org', 'ada@example.org'], got
        import email
        import email.policy
        message = email.message_from_string(got['text'], policy=email.policy.default)
        assert message['Subject'] == '[default] info: Überdrift in tenure' and message['Message-ID'] == f'<{id}@example.org>', message
        assert message.get_content().startswith('Überdrift in tenure\n\nPSI 0.31\n.\nend\n'), message.get_content()
        until(lambda: notice(g, id)['state'] == 'delivered')
        assert notice(g, id)['deliveries'][0]['answer'] == '250 kept as 1'
        refused = g.cli('channels', 'test', 'wrong', check=False)
        assert refused.returncode == 5 and 'GY1632 the mail server refused the login of gyre: 535' in refused.stderr, refused
        address = g.cli('channels', 'add', 'plain', '--smtp', f'localhost:{port}', '--from', 'gyre@example.org', '--to', 'a@example.org', '--tls', 'none')
        assert address.returncode == 0
        refused = g.cli('channels', 'test', 'plain', check=False)
        assert refused.returncode == 5 and 'GY1632' in refused.stderr, refused
        assert 'a wrong word' not in g.log() and SECRET not in g.log()
    finally:
        server.kill()
        server.wait()


def masked(g):
    """A receiver that repeats what it was told in confidence, and an address that is a secret."""
    word = 'Sesame9Sesame8Sesame7'
    with Receiver(lambda n, headers, body: (500, f'you said {word} and /hooks/{word}')) as receiver:
        start(g, attempts_max='2')
        for url in (f'http://ada:{word}@example.org/', f'http://example.org/?token={word}', 'https://hooks.slack.com/services/T0/B0/x'):
            refused = g.cli('channels', 'add', 'ops', '--webhook', url, check=False)
            assert refused.returncode != 0 and 'GY4404' in refused.stderr and 'gyre secrets set' in refused.stderr and word not in refused.stderr, refused
        refused = g.cli('channels', 'add', 'ops', '--webhook', receiver.url, '--secret', word, check=False)
        assert 'GY4404' in refused.stderr and word not in refused.stderr, refused
        g.cli('secrets', 'set', 'key', stdin=word)
        g.cli('secrets', 'set', 'url', stdin=f'{receiver.url}/hooks/{word}')
        add(g, 'ops', 'secret:url', '--secret', 'secret:key', '--format', 'slack')
        id = tell(g, 'x')
        until(lambda: notice(g, id)['state'] == 'dead')
        assert receiver.heard[0][0] == f'/hooks/{word}' and json.loads(receiver.heard[0][2]) == {'text': '*[default] info: x*'}, receiver.heard
        tried = g.cli('channels', 'test', 'ops', check=False)
        shown = (tried.stdout + tried.stderr + g.cli('notices', 'show', id).stdout + g.cli('channels', 'show', 'ops', '-o', 'json').stdout + g.log()
                 + json.dumps(g.json('GET', '/api/v1/events')) + json.dumps(g.json('GET', '/api/v1/audit')))
        assert 'the receiver answered 500 you said ***' in shown and word not in shown, shown
        # What cannot be an address is not repeated either.
        g.cli('secrets', 'set', 'url', stdin=f'ftp://{word}')
        tried = g.cli('channels', 'test', 'ops', check=False)
        assert tried.returncode == 5 and word not in tried.stderr + g.log() and 'GY4403' in tried.stderr, tried


def guarded(g):
    with Receiver(lambda n, headers, body: (302, '', {'Location': 'http://169.254.169.254/latest/meta-data'})) as receiver:
        g.start()
        for host in ('127.0.0.1', '169.254.169.254', '10.0.0.1', '[::1]', '[::ffff:169.254.169.254]', '0.0.0.0'):
            refused = g.cli('channels', 'add', 'inside', '--webhook', f'http://{host}/', check=False)
            assert refused.returncode != 0 and 'GY1626' in refused.stderr and 'egress.allow' in refused.stderr, refused
        # A name is judged by the address that it leads to.
        add(g, 'inside', receiver.url.replace('127.0.0.1', 'localhost'))
        tried = g.cli('channels', 'test', 'inside', check=False)
        assert tried.returncode == 5 and 'GY1626' in tried.stderr and not receiver.heard, tried
        assert g.stop() == 0
        start(g)
        tried = g.cli('channels', 'test', 'inside', check=False)
        assert tried.returncode == 5 and '302' in tried.stderr and 'redirections are not followed' in tried.stderr and len(receiver.heard) == 1, tried


if __name__ == '__main__':
    run_scenarios([signed, hanging, killed, dead, https, mail, masked, guarded])
