"""Traces: what the client writes and reads, and the bare calls."""
import json
import time
import uuid

from framework import case, once, row, table

V3 = '/api/3.0/mlflow/traces'


def traced(t, exp=None, name='outer'):
    """A trace of two spans by the client; its id."""
    import mlflow
    exp = exp or t.experiment()
    mlflow.set_experiment(experiment_id=exp)
    with mlflow.start_span(name) as outer:
        outer.set_inputs({'question': 'wie groß? 🧪'})
        with mlflow.start_span('inner', span_type='LLM') as inner:
            inner.set_attributes({'model': 'm', 'n': 3})
            inner.set_outputs([1, 2])
        outer.set_outputs({'answer': 42})
    if hasattr(mlflow, 'flush_trace_async_logging'):
        try:
            mlflow.flush_trace_async_logging()
        except Exception:
            pass
    return getattr(outer, 'trace_id', None) or outer.request_id


def got(t, id):
    return t.client.get_trace(id)


@case()
def log_and_read(t):
    exp = t.experiment()
    trace = got(t, traced(t, exp))
    t.same([s.name for s in trace.data.spans], ['outer', 'inner'])
    outer, inner = trace.data.spans
    t.same((outer.inputs, outer.outputs), ({'question': 'wie groß? 🧪'}, {'answer': 42}))
    t.same((inner.outputs, inner.get_attribute('model'), inner.get_attribute('n'), inner.parent_id), ([1, 2], 'm', 3, outer.span_id))
    t.same((trace.info.experiment_id, str(getattr(trace.info, 'state', trace.info.status)).split('.')[-1].replace('TraceStatus', '')), (exp, 'OK'))


@case()
def failure(t):
    import mlflow
    mlflow.set_experiment(experiment_id=t.experiment())
    try:
        with mlflow.start_span('broken') as span:
            raise ValueError('on purpose')
    except ValueError:
        pass
    trace = got(t, getattr(span, 'trace_id', None) or span.request_id)
    assert 'ERROR' in str(getattr(trace.info, 'state', trace.info.status)), trace.info
    assert any(e.name == 'exception' for e in trace.data.spans[0].events), trace.data.spans[0].events


@case(since='3.0')
def decorated_function(t):
    import mlflow
    exp = t.experiment()
    mlflow.set_experiment(experiment_id=exp)

    @mlflow.trace
    def add(a, b):
        return a + b
    t.same(add(2, b=3), 5)
    mlflow.flush_trace_async_logging()
    trace = t.client.search_traces([exp])[0]
    t.same((trace.data.spans[0].inputs, trace.data.spans[0].outputs), ({'a': 2, 'b': 3}, 5))


@case()
def tags(t):
    id = traced(t)
    t.client.set_trace_tag(id, 'k', 'ü')
    t.client.set_trace_tag(id, 'gone', 'x')
    t.client.delete_trace_tag(id, 'gone')
    tags = got(t, id).info.tags
    t.same((tags['k'], 'gone' in tags), ('ü', False))


@case()
def delete(t):
    exp = t.experiment()
    one, two = traced(t, exp), traced(t, exp)
    t.same(t.client.delete_traces(exp, **({'trace_ids': [one]} if hasattr(got(t, one).info, 'trace_id') else {'request_ids': [one]})), 1)
    ids = [getattr(x.info, 'trace_id', None) or x.info.request_id for x in t.client.search_traces([exp])]
    t.same(ids, [two])


@case()
def delete_by_age(t):
    exp = t.experiment()
    for _ in range(3):
        traced(t, exp)
    t.same(t.client.delete_traces(exp, max_timestamp_millis=int(time.time() * 1000) + 1000, max_traces=2), 2)
    t.same(len(t.client.search_traces([exp])), 1)


@case(since='3.2')
def assessments(t):
    import mlflow
    from mlflow.entities import AssessmentSource
    id = traced(t)
    source = AssessmentSource(source_type='HUMAN', source_id='ann')
    made = mlflow.log_feedback(trace_id=id, name='good', value=True, rationale='weil ü', source=source)
    mlflow.log_expectation(trace_id=id, name='answer', value={'n': 42}, source=source)
    found = {a.name: a for a in got(t, id).info.assessments}
    t.same((found['good'].value, found['good'].rationale, found['answer'].value), (True, 'weil ü', {'n': 42}))
    mlflow.delete_assessment(trace_id=id, assessment_id=made.assessment_id)
    t.same([a.name for a in got(t, id).info.assessments], ['answer'])


@case(since='3.0')
def a_trace_within_a_run(t):
    import mlflow
    exp = t.experiment()
    mlflow.set_experiment(experiment_id=exp)
    with mlflow.start_run() as run:
        id = traced(t, exp)
    t.same(got(t, id).info.trace_metadata['mlflow.sourceRun'], run.info.run_id)
    t.same([x.info.trace_id for x in mlflow.search_traces(locations=[exp], run_id=run.info.run_id, return_type='list')] if 'locations' in mlflow.search_traces.__code__.co_varnames
           else [x.info.trace_id for x in mlflow.search_traces(experiment_ids=[exp], run_id=run.info.run_id, return_type='list')], [id])


@case(since='3.5')
def link_to_a_run(t):
    exp = t.experiment()
    run, id = t.run_id(exp), traced(t, exp)
    t.same(t.post('traces/link-to-run', trace_ids=[id], run_id=run), {})
    found = t.client.search_traces([exp], filter_string=f"attributes.run_id = '{run}'")
    t.same([x.info.trace_id for x in found], [id])


@case(since='3.0')
def forty_spans(t):
    import mlflow
    mlflow.set_experiment(experiment_id=t.experiment())
    with mlflow.start_span('outer') as outer:
        for i in range(40):
            with mlflow.start_span(f's{i}'):
                pass
    mlflow.flush_trace_async_logging()
    t.same(len(got(t, outer.trace_id).data.spans), 41)


# --- the bare calls: v3 ------------------------------------------------------------------------------
def start(t, exp, id=None, state='OK', at='2026-01-02T03:04:05Z', duration='1.500s', **fields):
    info = {'trace_id': id or 'tr-' + uuid.uuid4().hex, 'trace_location': {'type': 'MLFLOW_EXPERIMENT', 'mlflow_experiment': {'experiment_id': exp}}, 'request_time': at,
            'execution_duration': duration, 'state': state, **fields}
    return t.answer(t.send('POST', V3, {'trace': {'trace_info': info}}), 'traces')['trace']['trace_info']


@case()
def start_on_the_wire(t):
    exp = t.experiment()
    made = start(t, exp, request_preview='q', response_preview='a', client_request_id='c1', trace_metadata={'m': 'n'}, tags={'k': 'v'})
    got = t.get(f'{V3}/{made["trace_id"]}')['trace']['trace_info']
    for key, value in {'request_time': '2026-01-02T03:04:05Z', 'execution_duration': '1.500s', 'state': 'OK', 'request_preview': 'q', 'response_preview': 'a', 'client_request_id': 'c1'}.items():
        t.same(got[key], value)
    t.same((got['trace_metadata']['m'], got['tags']['k']), ('n', 'v'))
    t.same(got['tags']['mlflow.artifactLocation'], f'mlflow-artifacts:/{exp}/traces/{made["trace_id"]}/artifacts')


@case()
def get_unknown(t):
    t.refused(t.send('GET', f'{V3}/tr-nothing'), 404, 'RESOURCE_DOES_NOT_EXIST')


@once
def corpus(t):
    exp = t.experiment()
    run = t.run_id(exp)
    ids = {}
    for i, (letter, fields) in enumerate({'a': {'state': 'OK', 'tags': {'k': 'x', 'mlflow.traceName': 'ask'}}, 'b': {'state': 'ERROR', 'tags': {'k': 'Y'}, 'duration': '0.100s'},
                                          'c': {'state': 'IN_PROGRESS', 'client_request_id': 'req-c'},
                                          'd': {'trace_metadata': {'mlflow.sourceRun': run, 'user': 'otto'}, 'tags': {'my key': 'z'}, 'duration': '9s'}}.items()):
        ids[letter] = start(t, exp, at=f'2026-01-02T03:04:0{i}Z', **fields)['trace_id']
    return exp, ids, run


def found(t, filter='', **body):
    exp, ids, run = corpus(t)
    letters = {id: letter for letter, id in ids.items()}
    for old, new in (('{run}', run), ('{a}', ids['a']), ('{b}', ids['b'])):
        filter = filter.replace(old, new)
    location = {'type': 'MLFLOW_EXPERIMENT', 'mlflow_experiment': {'experiment_id': exp}}
    answer = t.answer(t.send('POST', V3 + '/search', {'locations': [location], 'filter': filter, 'max_results': 100, **body}), 'search')
    return ''.join(letters[x['trace_id']] for x in answer.get('traces', []))


SECOND = int(time.mktime(time.strptime('2026-01-02 03:04:00', '%Y-%m-%d %H:%M:%S')) - time.timezone) * 1000


@table([('', 'abcd'), ("status = 'OK'", 'ad'), ("status != 'OK'", 'bc'), ("attributes.status = 'ERROR'", 'b'), ("trace.status = 'ERROR'", 'b'), ("tags.k = 'x'", 'a'), ("tag.k != 'x'", 'b'),
        ("tags.k LIKE 'x%'", 'a'), ("tags.k ILIKE 'y'", 'b'), ("tags.`my key` = 'z'", 'd'), ("name = 'ask'", 'a'), ("trace.name LIKE 'as%'", 'a'), ("run_id = '{run}'", 'd'),
        ("metadata.user = 'otto'", 'd'), ("request_metadata.user = 'otto'", 'd'), ("client_request_id = 'req-c'", 'c'), ("request_id = '{a}'", 'a'), ("request_id IN ('{a}', '{b}')", 'ab'),
        ("request_id NOT IN ('{a}', '{b}')", 'cd'), ('execution_time > 1000', 'acd'), ('execution_time_ms < 1000', 'b'), (f'timestamp > {SECOND}', 'bcd'), (f'timestamp_ms <= {SECOND}', 'a'),
        ("tags.k RLIKE '^[xy]$'", 'a'), ("status = 'OK' AND tags.k = 'x'", 'a'), ("tags.nothing = 'x'", ''), ('trace.text LIKE "%nothing%"', ''),
        row("status = 'OK' OR status = 'ERROR'", 'abd', real_server='knows no OR')])
def filters(t, text, letters):
    t.same(''.join(sorted(found(t, text))), letters)


@table([("nothing = 'x'",), ("status > 'OK'",), ("tags.k = 5",), ("timestamp = 'x'",), ("foo.bar = 'x'",), ('status',)])
def refused_filters(t, text):
    exp, _, _ = corpus(t)
    location = {'type': 'MLFLOW_EXPERIMENT', 'mlflow_experiment': {'experiment_id': exp}}
    t.refused(t.send('POST', V3 + '/search', {'locations': [location], 'filter': text}), 400, 'INVALID_PARAMETER_VALUE')


@table([([], 'dcba'), (['timestamp ASC'], 'abcd'), (['timestamp_ms DESC'], 'dcba'), (['execution_time DESC'], None), (['execution_time_ms ASC'], None), (['status'], None), (['name'], None)])
def orders(t, order_by, letters):
    got = found(t, order_by=order_by)
    t.same(got if letters else ''.join(sorted(got)), letters or 'abcd')


@table([(0,), (501,), (-1,)])
def refused_limits(t, limit):
    exp, _, _ = corpus(t)
    location = {'type': 'MLFLOW_EXPERIMENT', 'mlflow_experiment': {'experiment_id': exp}}
    t.refused(t.send('POST', V3 + '/search', {'locations': [location], 'max_results': limit}), 400, 'INVALID_PARAMETER_VALUE', 'max_results')


@case()
def pages(t):
    exp, ids, _ = corpus(t)
    location = {'type': 'MLFLOW_EXPERIMENT', 'mlflow_experiment': {'experiment_id': exp}}
    seen, token = [], None
    while True:
        page = t.answer(t.send('POST', V3 + '/search', {'locations': [location], 'max_results': 3, **({'page_token': token} if token else {})}), 'search')
        seen += [x['trace_id'] for x in page.get('traces', [])]
        token = page.get('next_page_token')
        if not token:
            break
    t.same(seen, [ids[x] for x in 'dcba'])


@case()
def tags_at_both_versions(t):
    id = start(t, t.experiment())['trace_id']
    t.answer(t.send('PATCH', f'{V3}/{id}/tags', {'key': 'a', 'value': '1'}), 'v3')
    t.answer(t.send('PATCH', f'traces/{id}/tags', {'key': 'b', 'value': '2'}), 'v2')
    tags = t.get(f'{V3}/{id}')['trace']['trace_info']['tags']
    t.same((tags['a'], tags['b']), ('1', '2'))
    t.answer(t.send('DELETE', f'traces/{id}/tags', {'key': 'b'}), 'v2')
    assert 'b' not in t.get(f'{V3}/{id}')['trace']['trace_info']['tags']


@case()
def delete_on_the_wire(t):
    exp = t.experiment()
    ids = [start(t, exp)['trace_id'] for _ in range(3)]
    t.same(t.answer(t.send('POST', V3 + '/delete-traces', {'experiment_id': exp, 'request_ids': ids[:2]}), 'delete'), {'traces_deleted': 2})
    t.same(t.send('GET', f'{V3}/{ids[0]}').status, 404)


@case()
def assessments_on_the_wire(t):
    id = start(t, t.experiment())['trace_id']
    body = {'assessment': {'assessment_name': 'good', 'trace_id': id, 'source': {'source_type': 'HUMAN', 'source_id': 'ann'}, 'feedback': {'value': 0.5}, 'rationale': 'r'}}
    made = t.answer(t.send('POST', f'{V3}/{id}/assessments', body), 'create')['assessment']
    t.same((made['assessment_name'], made['feedback']['value'], made['rationale']), ('good', 0.5, 'r'))
    path = f'{V3}/{id}/assessments/{made["assessment_id"]}'
    t.same(t.get(path)['assessment']['assessment_id'], made['assessment_id'])
    changed = {'assessment': {'assessment_id': made['assessment_id'], 'trace_id': id, 'rationale': 'other'}, 'update_mask': 'rationale'}
    t.same(t.answer(t.send('PATCH', path, changed), 'update')['assessment']['rationale'], 'other')
    t.same(t.send('DELETE', path).status, 200)
    t.same(t.send('GET', path).status, 404)


# --- v2, of clients before 3.0 ------------------------------------------------------------------------
@case()
def second_version(t):
    exp = t.experiment()
    body = {'experiment_id': exp, 'timestamp_ms': 1000, 'request_metadata': [{'key': 'm', 'value': 'n'}], 'tags': [{'key': 'k', 'value': 'v'}]}
    made = t.post('traces', **body)['trace_info']
    id = made['request_id']
    t.answer(t.send('PATCH', f'traces/{id}', {'request_id': id, 'timestamp_ms': 1500, 'status': 'OK', 'request_metadata': [{'key': 'o', 'value': 'p'}], 'tags': []}), 'end')
    got = t.get(f'traces/{id}/info')['trace_info']
    t.same((got['experiment_id'], got['timestamp_ms'], got['execution_time_ms'], got['status']), (exp, 1000, 500, 'OK'))
    t.same({x['key']: x['value'] for x in got['request_metadata'] if x['key'] in 'mo'}, {'m': 'n', 'o': 'p'})
    found = t.get('traces', experiment_ids=[exp], max_results=10)['traces']
    t.same([x['request_id'] for x in found], [id])


# --- OTLP ---------------------------------------------------------------------------------------------
@table([({}, (400, 422)), ({'x-mlflow-experiment-id': '0'}, (200, 400, 415, 501))])
def otlp_refuses_what_is_no_protobuf(t, headers, statuses):
    reply = t.send('POST', '/v1/traces', json.dumps({'resourceSpans': []}), {'Content-Type': 'text/plain', **headers})
    assert reply.status in statuses, (reply.status, reply.text)


@case(since='3.6')
def otlp_protobuf(t):
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span
    exp = t.experiment()
    id = uuid.uuid4().bytes
    now = time.time_ns()
    span = Span(trace_id=id, span_id=b'12345678', name='by otlp', start_time_unix_nano=now, end_time_unix_nano=now + 5_000_000)
    request = ExportTraceServiceRequest(resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=[span])])])
    reply = t.send('POST', '/v1/traces', request.SerializeToString(), {'Content-Type': 'application/x-protobuf', 'x-mlflow-experiment-id': exp})
    assert reply.status == 200, (reply.status, reply.text)
    trace = got(t, 'tr-' + id.hex())
    t.same([s.name for s in trace.data.spans], ['by otlp'])
