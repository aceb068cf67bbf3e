"""One trace from a caller's request through the job or the pipeline's run that it begins, its steps and what they ask for, down to the lines of the log; also when
the server dies in between. What arrived is decoded by the published definitions."""
import json
import os
import time

from churn_table import write_table
from harness import Gyre, run_scenarios
from otlp import PARENT, TRACE, Receiver, attributes, hex_of, until

SAMPLED, UNSAMPLED = f'00-{TRACE}-{PARENT}-01', f'00-{TRACE}-{PARENT}-00'
CHILD = 'name: child\nsteps:\n  inner: {shell: echo "$TRACEPARENT"}\n'
PIPELINE = '''name: nightly
steps:
  ask: {shell: "echo $TRACEPARENT; {gyre} projects >/dev/null"}
  twice: {shell: 'test "$GYRE_ATTEMPT" = 2', retries: {max: 1, backoff: 0.1s}}
  rows: {shell: 'cp {work}/churn.csv "$GYRE_OUTPUT_F"', outputs: {f: file}}
  add: {kind: add, dataset: people, file: "${steps.rows.outputs.f}"}
  more: {kind: pipeline, pipeline: child, needs: ask}
  wrong: {shell: exit 7, needs: [ask, twice]}
'''


def written(g, name, text):
    with open(os.path.join(g.work, name), 'w') as f:
        f.write(text)


def server(receiver, **more):
    return Gyre(environment=receiver.environment(GYRE_OTLP_SAMPLE='0', GYRE_OTLP_SEND='logs,traces', **more))


def spans(receiver):
    """By (name, span id); each came once, and has a parent that is known."""
    found = {}
    for span in receiver.decoded()['traces']:
        found.setdefault(hex_of(span['spanId']), []).append(span)
    assert all(len(same) == 1 for same in found.values()), {k: len(v) for k, v in found.items() if len(v) > 1}
    found = {own: same[0] for own, same in found.items()}
    for span in found.values():
        span['trace'], span['parent'] = hex_of(span['traceId']), hex_of(span.get('parentSpanId', ''))
        assert span['parent'] in {'', PARENT, *found}, span
        assert int(span['endTimeUnixNano']) >= int(span['startTimeUnixNano']), span
    return found


def named(found, name):
    return [(own, span) for own, span in found.items() if span['name'] == name]


def one(found, name):
    [(own, span)] = named(found, name)
    return own, span, attributes(span)


def a_job_belongs_to_the_request_that_began_it(_):
    with Receiver() as receiver, server(receiver) as g:
        write_table(os.path.join(g.work, 'churn.csv'))
        g.start()
        g.cli('projects')  # nobody asked for these requests, and nothing began in them: no spans
        g.cli('add', 'churn.csv')
        g.cli('train', 'churn', '--target', 'Churn', '--budget', '1s', environment={'TRACEPARENT': SAMPLED})
        failed = g.cli('train', 'churn', '--target', 'nobody', '--budget', '1s', check=False)
        g.stop()
        got = spans(receiver)
        _, asked, _ = one(got, 'POST /api/v1/projects/{project}/datasets/{dataset}/versions')
        _, added, about = one(got, 'dataset.import')
        assert added['trace'] == asked['trace'] != TRACE and asked['parent'] == '', (asked, added)
        trains = [(own, s) for own, s in named(got, 'POST /api/v1/projects/{project}/train') if s['trace'] == TRACE]
        [(request, span)] = trains
        assert span['parent'] == PARENT and span['kind'] == 'SPAN_KIND_SERVER', span
        job, span, about = one({k: v for k, v in got.items() if v['trace'] == TRACE}, 'training.train')
        assert span['parent'] == request and about['gyre.job.state'] == 'succeeded' and about['gyre.run.id'], span
        assert about['gyre.job.id'].startswith(job) and about['gyre.project'] == 'default' and about['gyre.cpu_seconds'] > 0, about
        assert 'status' not in span, span
        lines = [r for r in receiver.decoded()['logs'] if hex_of(r.get('traceId', '')) == TRACE]
        answered = {hex_of(r['spanId']) for r in lines if r['body'] == {'stringValue': 'answered'}}
        assert answered >= {request} and answered <= {*got}, (answered, request)
        assert failed.returncode == 1, failed


def a_run_its_steps_and_what_they_ask_for(_):
    with Receiver() as receiver, server(receiver) as g:
        write_table(os.path.join(g.work, 'churn.csv'))
        written(g, 'child.yaml', CHILD)
        written(g, 'nightly.yaml', PIPELINE.replace('{gyre}', os.environ['GYRE']).replace('{work}', g.work))
        g.start()
        g.cli('pipelines', 'add', 'child.yaml')
        done = g.cli('pipelines', 'run', 'nightly.yaml', '--wait', '-o', 'json', check=False, environment={'TRACEPARENT': SAMPLED})
        run = json.loads(done.stdout)
        assert run['state'] == 'failed', run
        told = g.cli('pipelines', 'logs', run['id'], 'ask').stdout.strip()
        g.stop()
        got = {own: s for own, s in spans(receiver).items() if s['trace'] == TRACE}
        own, span, about = one(got, 'RUN nightly')
        assert got[span['parent']]['name'] == 'POST /api/v1/projects/{project}/pipeline_runs', span
        assert about['cicd.pipeline.run.id'] == run['id'] and about['cicd.pipeline.name'] == 'nightly', about
        assert about['cicd.pipeline.result'] == 'failure' and about['error.type'] and span['status']['code'] == 'STATUS_CODE_ERROR', span
        assert 'wrong' in span['status']['message'] and span['kind'] == 'SPAN_KIND_SERVER', span

        ask, span, about = one(got, 'ask')
        assert span['parent'] == own and told == f'00-{TRACE}-{ask}-01', (span, told)
        assert about['cicd.pipeline.task.run.result'] == 'success' and about['process.exit.code'] == '0', about
        assert [s for s in got.values() if s['name'] == 'GET /api/v1/projects' and s['parent'] == ask], 'what a step asks for is inside it'
        attempts = sorted((attributes(s)['gyre.attempt'], attributes(s)['cicd.pipeline.task.run.result']) for _, s in named(got, 'twice'))
        assert attempts == [('1', 'failure'), ('2', 'success')], attempts
        _, span, about = one(got, 'wrong')
        assert about['process.exit.code'] == '7' and span['status']['message'].startswith('exit status 7'), span
        add, span, about = one(got, 'add')
        _, job, of_job = one(got, 'dataset.import')
        assert job['parent'] == add and of_job['cicd.pipeline.run.id'] == run['id'] and of_job['cicd.pipeline.task.name'] == 'add', job
        more, _, _ = one(got, 'more')
        child, span, _ = one(got, 'RUN child')
        assert span['parent'] == more, span
        assert one(got, 'inner')[1]['parent'] == child
        assert {s['parent'] for s in got.values()} <= {PARENT, *got}


def what_the_caller_does_not_sample_is_not_told(_):
    with Receiver() as receiver, server(receiver) as g:
        written(g, 'child.yaml', CHILD)
        g.start()
        run = g.cli_json('pipelines', 'run', 'child.yaml', '--wait', environment={'TRACEPARENT': UNSAMPLED})
        told = g.cli('pipelines', 'logs', run['id'], 'inner').stdout.strip()
        assert told.startswith(f'00-{TRACE}-') and told.endswith('-00') and PARENT not in told, told
        own = g.cli_json('pipelines', 'run', 'child.yaml', '--wait')
        told = g.cli('pipelines', 'logs', own['id'], 'inner').stdout.strip()
        g.stop()
        got = spans(receiver)
        assert not [s for s in got.values() if s['trace'] == TRACE], got
        _, span, about = one(got, 'RUN child')
        assert about['cicd.pipeline.run.id'] == own['id'] and span['trace'] == told.split('-')[1], (span, told)


def a_trace_outlives_the_server(_):
    with Receiver() as receiver, server(receiver) as g:
        write_table(os.path.join(g.work, 'churn.csv'))
        go = os.path.join(g.work, 'go')
        written(g, 'slow.yaml', f'name: slow\nsteps:\n  wait: {{shell: "while ! test -e {go}; do sleep 0.05; done"}}\n  last: {{shell: echo, needs: wait}}\n')
        g.start()
        g.cli('add', 'churn.csv')
        run = g.cli_json('pipelines', 'run', 'slow.yaml', environment={'TRACEPARENT': SAMPLED})
        job = g.cli_json('train', 'churn', '--target', 'Churn', '--budget', '60s', '--detach', environment={'TRACEPARENT': SAMPLED})
        until(lambda: g.cli_json('jobs', 'show', job['id'])['state'] == 'running', 'it runs')
        until(lambda: any(t['state'] == 'running' for t in g.cli_json('pipelines', 'status', run['id'])['tasks']), 'it waits')
        g.kill()
        g.start()
        written(g, 'go', '')
        until(lambda: g.cli_json('pipelines', 'status', run['id'])['state'] == 'succeeded', 'it goes on')
        g.stop()
        got = {}
        for span in receiver.decoded()['traces']:  # a server that is killed has not told everything
            if hex_of(span['traceId']) == TRACE:
                got[hex_of(span['spanId'])] = span
        own, span, _ = one(got, 'RUN slow')
        assert {hex_of(s['parentSpanId']) for name in ('wait', 'last') for _, s in named(got, name)} == {own}
        _, span, about = one(got, 'training.train')
        assert about['gyre.job.state'] == 'interrupted' and about['error.type'] == 'GY3303', span
        assert span['status']['code'] == 'STATUS_CODE_ERROR' and 'stopped' in span['status']['message'], span
        assert time.time() - int(span['endTimeUnixNano']) / 1e9 < 60, span


if __name__ == '__main__':
    run_scenarios([a_job_belongs_to_the_request_that_began_it, a_run_its_steps_and_what_they_ask_for, what_the_caller_does_not_sample_is_not_told,
                   a_trace_outlives_the_server])
