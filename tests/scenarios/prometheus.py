"""The real Prometheus loads the alert rules and scrapes a running gyre; the rules fire on what they should."""
import contextlib
import json
import os
import socket
import subprocess
import time
import urllib.request

from harness import run_scenarios, skip

# `tools/deps test` fetches both programs.
PROMTOOL = os.environ.get('GYRE_TEST_PROMTOOL') or os.path.expanduser('~/.cache/gyre-deps/bin/promtool')
PROMETHEUS = os.path.join(os.path.dirname(PROMTOOL), 'prometheus')

RULES_TEST = """
rule_files: [rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: 'gyre_alert_state{endpoint="churn", monitor="churn", signal="drift"}'
        values: '0 1 2 2 0'
      - series: 'gyre_alert_state{endpoint="churn", monitor="churn", signal="kpi"}'
        values: '0 0 0 2 2'
      - series: 'gyre_capture_dropped_rows_total{endpoint="busy"}'
        values: '0 0 0 7 14 21 28 35 42 49 56'
      - series: 'gyre_capture_dropped_rows_total{endpoint="churn"}'
        values: '3x10'
    alert_rule_test:
      - eval_time: 1m
        alertname: GyreAlertFiring
      - eval_time: 2m
        alertname: GyreAlertFiring
        exp_alerts:
          - exp_labels: {severity: warning, endpoint: churn, monitor: churn, signal: drift}
            exp_annotations: {summary: drift of endpoint churn, description: 'gyre alerts show churn:drift'}
      - eval_time: 3m
        alertname: GyreModelPerformance
        exp_alerts:
          - exp_labels: {severity: critical, endpoint: churn, monitor: churn, signal: kpi}
            exp_annotations: {summary: the model behind churn answers worse than promised, description: gyre monitors show churn}
      - eval_time: 5m
        alertname: GyreCapturesDropped
      - eval_time: 9m
        alertname: GyreCapturesDropped
        exp_alerts:
          - exp_labels: {severity: warning, endpoint: busy}
            exp_annotations:
              summary: 'answers of busy are not captured: its monitors see a sample'
              description: gyre captures busy
"""

CONFIG = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [rules.yml]
scrape_configs:
  - job_name: gyre
    static_configs: [{{targets: ['{target}']}}]
"""


def written(g, name, text):
    path = os.path.join(g.work, name)
    with open(path, 'w') as f:
        f.write(text)
    return path


def the_rules_fire_on_what_they_should(g):
    g.start()
    checked = subprocess.run([PROMTOOL, 'check', 'rules', written(g, 'rules.yml', g.cli('monitors', 'rules').stdout)], capture_output=True, text=True)
    assert checked.returncode == 0 and '4 rules found' in checked.stdout, checked.stdout + checked.stderr
    tested = subprocess.run([PROMTOOL, 'test', 'rules', written(g, 'rules_test.yml', RULES_TEST)], capture_output=True, text=True)
    assert tested.returncode == 0, tested.stdout + tested.stderr


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def prometheus(g, config, *flags, program=PROMETHEUS):
    """Its URL; it keeps what it knows in the test's folder and listens on loopback only."""
    config, address = written(g, 'prometheus.yml', config), f'127.0.0.1:{free_port()}'
    with open(os.path.join(g.work, 'prometheus.log'), 'w') as log:
        server = subprocess.Popen([program, f'--config.file={config}', f'--storage.tsdb.path={g.work}/tsdb', f'--web.listen-address={address}', *flags],
                                  stdout=log, stderr=log)
        try:
            yield f'http://{address}'
        finally:
            server.terminate()
            server.wait()


def ask(url, path):
    try:
        with urllib.request.urlopen(url + path, timeout=5) as answer:
            return json.load(answer)['data']
    except (OSError, ValueError):
        return {}


def eventually(what, g, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = what()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(open(os.path.join(g.work, 'prometheus.log')).read()[-3000:])


def prometheus_loads_the_rules_and_scrapes(g):
    if not os.path.exists(PROMETHEUS):
        skip('needs prometheus (tools/deps test)')
    g.start()
    written(g, 'rules.yml', g.cli('monitors', 'rules').stdout)
    with prometheus(g, CONFIG.format(target=f'{g.host}:{g.port}')) as url:
        def judged():
            rules = [rule for group in ask(url, '/api/v1/rules').get('groups', []) for rule in group['rules']]
            return rules if rules and all(rule['health'] == 'ok' for rule in rules) else None

        def seen():
            return ask(url, '/api/v1/query?query=gyre_http_requests_total').get('result')

        assert sorted(rule['name'] for rule in eventually(judged, g)) == ['GyreAlertFiring', 'GyreCapturesDropped', 'GyreModelPerformance', 'GyreRequestsRefused']
        series = eventually(seen, g)
        assert all(one['metric']['job'] == 'gyre' for one in series), series
        assert ask(url, '/api/v1/query?query=up')['result'][0]['value'][1] == '1'
        print(f'  {len(series)} series of gyre_http_requests_total in Prometheus')


if __name__ == '__main__':
    run_scenarios([the_rules_fire_on_what_they_should, prometheus_loads_the_rules_and_scrapes])
