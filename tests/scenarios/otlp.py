"""Metrics, logs and traces leave for an OpenTelemetry receiver: what arrived is decoded by the published definitions, what a receiver does not take comes
again, what it refuses or hangs on slows nobody."""
import http.server
import json
import os
import subprocess
import tempfile
import threading
import time

from harness import Gyre, run_scenarios

PYTHON = os.environ.get('GYRE_TEST_OTLP_PYTHON') or os.path.expanduser('~/.cache/gyre-deps/venv-test-otlp/bin/python')
TRACE, PARENT = '4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'
# Runs where the published definitions are installed: files of requests -> their documents.
DECODE = '''
import json, sys
from google.protobuf.json_format import MessageToDict
from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
KINDS = {'logs': ExportLogsServiceRequest, 'metrics': ExportMetricsServiceRequest, 'traces': ExportTraceServiceRequest}
for line in sys.stdin:
    kind, path = line.split()
    with open(path, 'rb') as f:
        request = KINDS[kind].FromString(f.read())
    assert len(UnknownFieldSet(request)) == 0
    print(json.dumps([kind, MessageToDict(request)]))
'''


class Receiver:
    """Keeps what comes; answers with `status`, after `hang` seconds."""

    def __init__(self):
        self.status, self.hang, self.got, self.headers = 200, 0, [], []
        self.folder = tempfile.TemporaryDirectory()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_POST(self):
                body = self.rfile.read(int(self.headers['Content-Length']))
                time.sleep(outer.hang)
                if outer.status == 200:
                    path = os.path.join(outer.folder.name, str(len(outer.got)))
                    with open(path, 'wb') as f:
                        f.write(body)
                    outer.headers.append(dict(self.headers))
                    outer.got.append((self.path, path))
                self.send_response(outer.status)
                self.send_header('Content-Length', '0')
                self.end_headers()

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.folder.cleanup()

    @property
    def url(self):
        return f'http://127.0.0.1:{self.server.server_address[1]}/base'

    def environment(self, **more):
        return {'GYRE_OTLP_ENDPOINT': self.url, 'GYRE_OTLP_INTERVAL': '0.2s', 'GYRE_OTLP_SAMPLE': '1', 'GYRE_EGRESS_ALLOW': 'loopback', **more}

    def decoded(self):
        lines = ''.join(f"{url.rsplit('/', 1)[1]} {path}\n" for url, path in list(self.got))
        done = subprocess.run([PYTHON, '-c', DECODE], input=lines, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        kinds = {'metrics': [], 'logs': [], 'traces': []}
        for line in done.stdout.splitlines():
            kind, document = json.loads(line)
            for resource in document[{'metrics': 'resourceMetrics', 'logs': 'resourceLogs', 'traces': 'resourceSpans'}[kind]]:
                names = {a['key']: a['value'].get('stringValue') for a in resource['resource']['attributes']}
                assert names['service.name'] == 'gyre' and names['service.version'] and names['service.instance.id'], names
                for scope in resource[{'metrics': 'scopeMetrics', 'logs': 'scopeLogs', 'traces': 'scopeSpans'}[kind]]:
                    assert scope['scope']['name'] == 'gyre'
                    kinds[kind] += scope[{'metrics': 'metrics', 'logs': 'logRecords', 'traces': 'spans'}[kind]]
        return kinds


def until(condition, what, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def attributes(item):
    return {a['key']: next(iter(a['value'].values())) for a in item.get('attributes', [])}


def hex_of(text):
    import base64
    return base64.b64decode(text).hex()


def all_three_arrive(_):
    with Receiver() as receiver, Gyre(environment=receiver.environment(GYRE_OTLP_HEADERS='x-scope=ml, authorization=secret:OTLP')) as g:
        g.cli('secrets', 'set', 'OTLP', stdin='Bearer s3cret')
        g.start()
        for _ in range(5):
            g.json('GET', '/api/v1/projects')
        answer = g.http('GET', '/api/v1/projects/nobody', headers={'traceparent': f'00-{TRACE}-{PARENT}-01'})
        assert answer.status == 404
        g.http('GET', '/api/v1/projects/unsampled', headers={'traceparent': f'00-{TRACE}-{PARENT}-00'})
        own = g.http('GET', '/api/v1/projects').headers['X-Request-Id']
        g.stop()  # sends what is left
        got = receiver.decoded()
        assert {h.get('x-scope') or h.get('X-Scope') for h in receiver.headers} == {'ml'}
        assert {h.get('authorization') or h.get('Authorization') for h in receiver.headers} == {'Bearer s3cret'}
        assert {h['Content-Type'] for h in receiver.headers} == {'application/x-protobuf'}
        assert all(path.startswith('/base/v1/') for path, _ in receiver.got)

        last = {m['name']: m for m in got['metrics']}  # the newest of each
        requests = last['gyre_http_requests_total']['sum']
        assert requests['aggregationTemporality'] == 'AGGREGATION_TEMPORALITY_CUMULATIVE' and requests['isMonotonic'], requests
        listed = [p for p in requests['dataPoints'] if attributes(p).get('route') == '/api/v1/projects' and attributes(p)['status'] == '200']
        assert [p['asDouble'] for p in listed] == [6.0], listed
        assert int(listed[0]['startTimeUnixNano']) < int(listed[0]['timeUnixNano']), listed
        seconds = last['gyre_http_request_seconds' if 'gyre_http_request_seconds' in last else next(n for n, m in last.items() if 'histogram' in m)]['histogram']
        point = seconds['dataPoints'][0]
        assert len(point['bucketCounts']) == len(point['explicitBounds']) + 1 and sum(map(int, point['bucketCounts'])) == int(point['count']), point
        assert any('gauge' in m for m in last.values())

        lines = {attributes(r).get('request_id'): r for r in got['logs'] if r['body'] == {'stringValue': 'answered'}}
        mine = lines[own]
        assert mine['severityNumber'] == 'SEVERITY_NUMBER_INFO' and attributes(mine)['path'] == '/api/v1/projects', mine
        assert hex_of(mine['traceId']) == own

        continued = [s for s in got['traces'] if hex_of(s['traceId']) == TRACE]
        [span] = continued  # the one that was not sampled is not there
        assert hex_of(span['parentSpanId']) == PARENT and span['kind'] == 'SPAN_KIND_SERVER', span
        assert span['name'] == 'GET /api/v1/projects/{project}' and attributes(span)['http.response.status_code'] == '404', span
        assert int(span['endTimeUnixNano']) >= int(span['startTimeUnixNano'])
        assert any(hex_of(s['traceId']) == own for s in got['traces'])


def what_is_not_taken_comes_again(_):
    with Receiver() as receiver, Gyre(environment=receiver.environment(GYRE_OTLP_SEND='traces')) as g:
        receiver.status = 503
        g.start()
        ids = [g.http('GET', '/api/v1/projects').headers['X-Request-Id'] for _ in range(20)]
        until(lambda: failures(g) >= 2, 'it is tried')
        receiver.status = 200
        until(lambda: set(ids) <= {hex_of(s['traceId']) for s in receiver.decoded()['traces']}, 'all of it comes')
        spans = [hex_of(s['traceId']) for s in receiver.decoded()['traces']]
        assert all(spans.count(i) == 1 for i in ids), 'each once'
        assert 'gyre_otlp_dropped_total{signal="traces"} 0\n' in g.http('GET', '/metrics').body.decode()
        receiver.hang = 3
        for _ in range(200):
            g.json('GET', '/api/v1/projects')  # nobody waits for a receiver that hangs
        receiver.hang = 0


def failures(g):
    return next(float(line.split()[-1]) for line in g.http('GET', '/metrics').body.decode().splitlines() if line.startswith('gyre_otlp_failures_total '))


def only_where_it_may_go(_):
    with Receiver() as receiver:
        with Gyre(environment=receiver.environment(GYRE_EGRESS_ALLOW='')) as g:
            g.start()
            until(lambda: failures(g) >= 1, 'the guard refuses')
            assert receiver.got == []
        with Gyre(environment={'GYRE_OTLP_ENDPOINT': 'collector:4318'}) as g:
            done = g.cli('server', check=False)
            assert done.returncode != 0 and 'GY1081' in done.stderr, done


if __name__ == '__main__':
    run_scenarios([all_three_arrive, what_is_not_taken_comes_again, only_where_it_may_go])
