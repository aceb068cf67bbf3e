"""The real Prometheus 3 takes gyre's metrics over OTLP, and PromQL answers with the numbers that /metrics shows.

`tools/deps otlp` builds it."""
import json
import os
import re
import urllib.parse

from churn_table import write_table
from harness import Gyre, run_scenarios, skip
from prometheus import PROMTOOL, ask, eventually, prometheus

PROMETHEUS = os.path.join(os.path.dirname(PROMTOOL), 'prometheus-otlp')
LINE = re.compile(r'(\w+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
OWN = {'job', 'instance', '__name__', 'service_name', 'service_version', 'service_instance_id'}  # what the receiver adds


def shown(g):
    """{(name, labels): value} of /metrics; what grows by asking for it, or by itself, is no number to compare."""
    series = {}
    for line in g.http('GET', '/metrics').body.decode().splitlines():
        found = None if line.startswith('#') else LINE.match(line)
        if found:
            labels = {name: json.loads(f'"{text}"') for name, text in LABEL.findall(found[2] or '')}
            series[key(found[1], labels)] = float(found[3])
    return series


def key(name, labels):
    if 'le' in labels:
        labels = {**labels, 'le': str(float(labels['le']))}
    return name, tuple(sorted((k, v) for k, v in labels.items() if k not in OWN))


def known(url):
    asked = ask(url, '/api/v1/query?' + urllib.parse.urlencode({'query': '{job="gyre"}'}))
    return {key(one['metric']['__name__'], one['metric']): float(one['value'][1]) for one in asked.get('result', [])}


def value(url, query):
    found = ask(url, '/api/v1/query?' + urllib.parse.urlencode({'query': query})).get('result', [])
    return float(found[0]['value'][1]) if found else None


def promql_returns_what_metrics_shows(_):
    if not os.path.exists(PROMETHEUS):
        skip('needs prometheus 3 (tools/deps otlp)')
    with Gyre() as g, prometheus(g, 'global: {scrape_interval: 1h}\n', '--web.enable-otlp-receiver', program=PROMETHEUS) as url:
        eventually(lambda: ask(url, '/api/v1/status/buildinfo').get('version', '').startswith('3.'), g)
        g.environment.update({'GYRE_OTLP_ENDPOINT': url + '/api/v1/otlp', 'GYRE_OTLP_SEND': 'metrics', 'GYRE_OTLP_INTERVAL': '0.2s',
                              'GYRE_EGRESS_ALLOW': 'loopback'})
        g.start()
        for n in range(30):
            g.http('GET', f'/api/v1/projects/{"default" if n % 3 else "nobody"}')
        write_table(os.path.join(g.work, 'churn.csv'))
        g.cli('add', 'churn.csv')
        g.cli('train', 'churn', '--target', 'Churn', '--budget', '1s')
        g.cli('deploy', 'churn@champion')
        for n in range(7):
            g.json('POST', '/e/churn', {'inputs': [{'tenure': n, 'charges': 20.5, 'contract': 'monthly'}]})

        def agree():
            before, there, after = shown(g), known(url), shown(g)
            still = {k: v for k, v in before.items() if after.get(k) == v and '/metrics' not in str(k)}
            return (still, there) if still and all(there.get(k) == v for k, v in still.items()) else None

        still, there = eventually(agree, g)
        kinds = [sum(name.endswith(end) for name, _ in still) for end in ('_total', '_bucket', '_sum', '_count')]
        assert len(still) > 100 and all(kinds), (len(still), kinds)
        answers = 'gyre_http_requests_total{job="gyre",route="/api/v1/projects/{project}"'
        assert (value(url, answers + ',status="200"}'), value(url, answers + ',status="404"}')) == (20, 10)
        assert value(url, 'sum(gyre_http_requests_total{method="POST",route="/e/{endpoint}"})') == 7
        quantile = 'histogram_quantile(0.5, gyre_http_request_seconds_bucket{job="gyre",route="/api/v1/projects/{project}"})'
        assert 0 < value(url, quantile) < 10
        assert value(url, 'target_info{job="gyre"}') == 1
        g.stop()
        g.start()
        g.http('GET', '/api/v1/projects/default')
        again = 'gyre_http_requests_total{job="gyre",route="/api/v1/projects/{project}",status="200"}'
        eventually(lambda: value(url, again) == 1, g)  # a counter that began anew, in the same series
        assert value(url, f'count({again})') == 1 and value(url, f'increase({again}[1m])') is not None
        dropped = {k: v for k, v in shown(g).items() if k[0] in ('gyre_otlp_dropped_total', 'gyre_otlp_failures_total')}
        assert not any(dropped.values()), dropped
        print(f'  {len(still)} of {len(there)} series in Prometheus did not move meanwhile: all are as /metrics shows them')


if __name__ == '__main__':
    run_scenarios([promql_returns_what_metrics_shows])
