"""Webhooks: made, read, changed, deleted."""
from framework import case, table

URL = 'https://192.31.196.1/hook'  # AS112's, where nothing listens; public, and no name to look up
EVENT = [{'entity': 'MODEL_VERSION', 'action': 'CREATED'}]


def make(t, **body):
    return t.post('webhooks', **{'name': t.name('hook'), 'url': URL, 'events': EVENT, **body})['webhook']


@case()
def create_and_get(t):
    made = make(t, description='what for ü', secret='geheim')
    got = t.get(f'webhooks/{made["webhook_id"]}')['webhook']
    t.same((got['name'], got['url'], got['events'], got['description'], got['status']), (made['name'], URL, EVENT, 'what for ü', 'ACTIVE'))
    assert 'secret' not in got and isinstance(got['creation_timestamp'], int), got
    t.send('DELETE', f'webhooks/{made["webhook_id"]}')


@case(since='3.3')
def by_the_client(t):
    made = t.client.create_webhook(name=t.name('hook'), url=URL, events=['registered_model.created'])
    t.same([str(e) for e in t.client.get_webhook(made.webhook_id).events], ['registered_model.created'])
    assert made.webhook_id in [w.webhook_id for w in t.client.list_webhooks(max_results=100)]
    t.same(str(t.client.update_webhook(made.webhook_id, status='DISABLED', description='off').status), 'DISABLED')
    t.client.delete_webhook(made.webhook_id)
    t.fails('RESOURCE_DOES_NOT_EXIST', None, t.client.get_webhook, made.webhook_id)


@case()
def update(t):
    id = make(t)['webhook_id']
    answer = t.answer(t.send('PATCH', f'webhooks/{id}', {'name': 'renamed', 'url': URL + '/2', 'events': [{'entity': 'REGISTERED_MODEL', 'action': 'CREATED'}], 'status': 'DISABLED'}), 'update')
    got = answer['webhook']
    t.same((got['name'], got['url'], got['events'], got['status']), ('renamed', URL + '/2', [{'entity': 'REGISTERED_MODEL', 'action': 'CREATED'}], 'DISABLED'))
    t.send('DELETE', f'webhooks/{id}')


@case()
def pages(t):
    ids = [make(t)['webhook_id'] for _ in range(3)]
    seen, token = set(), None
    while True:
        page = t.get('webhooks', max_results=2, **({'page_token': token} if token else {}))
        seen |= {w['webhook_id'] for w in page.get('webhooks', [])}
        token = page.get('next_page_token')
        if not token:
            break
    assert set(ids) <= seen
    for id in ids:
        t.same(t.send('DELETE', f'webhooks/{id}').status, 200)


@case()
def unknown(t):
    for method, body in (('GET', None), ('DELETE', None), ('PATCH', {'name': 'x'})):
        t.refused(t.send(method, 'webhooks/nothing', body), 404, 'RESOURCE_DOES_NOT_EXIST')


@table([({'name': None},), ({'url': None},), ({'events': None},), ({'events': []},), ({'url': 'ftp://example.com'},), ({'url': 'no url'},), ({'url': ''},), ({'name': ''},),
        ({'events': [{'entity': 'REGISTERED_MODEL', 'action': 'DELETED'}]},), ({'name': 5},)])
def refused(t, change):
    body = {'name': t.name('hook'), 'url': URL, 'events': EVENT, **change}
    t.refused(t.send('POST', 'webhooks', {k: v for k, v in body.items() if v is not None}), 400, 'INVALID_PARAMETER_VALUE')


@table(['http://169.254.169.254/latest', 'http://127.0.0.1:1/x', 'http://localhost/x', 'http://10.0.0.1/', 'http://[::1]/'])
def private_addresses(t, url):
    reply = t.send('POST', 'webhooks', {'name': t.name('hook'), 'url': url, 'events': EVENT})
    if reply.status == 200:  # then it is never called: its test says so
        id = reply.json()['webhook']['webhook_id']
        answer = t.send('POST', f'webhooks/{id}/test', {})
        assert answer.status >= 400 or not answer.json()['result']['success'], answer.text
        t.send('DELETE', f'webhooks/{id}')
