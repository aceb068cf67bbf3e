"""What the cases of bench/mlflow.py work on, the same for each server: gyre is filled through its API, MLflow straight into its tables, which is faster by hours."""
import json

from mlflow_servers import Connection, MLflow, spread

CHARTED, MODELS, VERSIONS = 100, 1000, 2
FILL_CONNECTIONS, FILL_AT_ONCE = 16, 50
T0 = 1_700_000_000_000
API = '/api/2.0/mlflow/'
USER_TAGS = {'mlflow.user': 'ana', 'mlflow.source.name': 'train.py', 'mlflow.source.type': 'LOCAL'}


def entries(values):
    return [{'key': key, 'value': value} for key, value in values.items()]


def points(count, offset, key, keys=1):
    return [{'key': f'{key}{j % keys}', 'value': j * 0.5, 'timestamp': T0 + offset + j, 'step': offset + j} for j in range(count)]


def searched_run(i):
    """Metrics, params and tags of a run that is searched."""
    return ({f'm{k}': (i * 7919 + k * 31) % 10007 / 10007 for k in range(5)}, {f'p{k}': str((i + k) % (k * 50 + 7)) for k in range(5)},
            {'mlflow.user': 'ana', 'mlflow.source.name': 'train.py', 'team': f't{i % 10}'})


class World:
    """One server and the names of what is in it; things are made when a case first needs them."""

    def __init__(self, server):
        self.server, self.made = server, {}
        self.connection = Connection(server.port)

    def call(self, method, path, body=None):
        text = b'' if body is None else json.dumps(body).encode()
        self.connection.send(self.connection.head(method, API + path, len(text)) + text)
        status, answer = self.connection.answer()
        if status != 200:
            raise SystemExit(f'{self.server.name}: {method} {path[:80]}: {status} {answer[:300]}')
        return json.loads(answer)

    def again(self):
        """A new connection: an idle one may have been closed."""
        self.connection.close()
        self.connection = Connection(self.server.port)

    def get(self, thing):
        if thing not in self.made:
            self.again()
            name, _, number = thing.partition(':')
            self.made[thing] = getattr(self, name)(*([int(number)] if number else []))
            self.server.rest()
            self.again()
        return self.made[thing]

    def experiment(self, name):
        return self.call('POST', 'experiments/create', {'name': name})['experiment_id']

    def new_runs(self, count):
        body = {'experiment_id': self.get('writes'), 'start_time': T0, 'user_id': 'ana', 'tags': []}
        return [self.call('POST', 'runs/create', body)['run']['info']['run_id'] for _ in range(count)]

    # --- things
    def writes(self):
        return self.experiment('writes')

    def written_runs(self):
        return self.new_runs(8)

    def long_run(self):
        """10,000 points of one metric."""
        [run] = self.new_runs(1)
        for batch in range(10):
            self.call('POST', 'runs/log-batch', {'run_id': run, 'metrics': points(1000, batch * 1000, 'h')})
        return run

    def charted_runs(self):
        """1,000 points of one metric each."""
        runs = self.new_runs(CHARTED)
        for run in runs:
            self.call('POST', 'runs/log-batch', {'run_id': run, 'metrics': points(1000, 0, 'b')})
        return runs

    def searched(self, count):
        experiment = self.experiment(f'searched {count}')
        (mlflow_runs if isinstance(self.server, MLflow) else gyre_runs)(self.server, experiment, count)
        return experiment

    def some_runs(self, count):
        return [run['info']['run_id'] for run in self.call('POST', 'runs/search', {'experiment_ids': [self.get(f'searched:{count}')], 'max_results': 100})['runs']]

    def deep_token(self, count):
        """Of the page behind 9,000 runs."""
        token = None
        for _ in range(3):
            token = self.call('POST', 'runs/search', search(self.get(f'searched:{count}'), max_results=3000, **({'page_token': token} if token else {}))).get('next_page_token')
        return token

    def models(self):
        source = f'mlflow-artifacts:/{self.get("writes")}/{self.get("long_run")}/artifacts/model'
        (mlflow_models if isinstance(self.server, MLflow) else gyre_models)(self.server, source, self.get('long_run'))
        return MODELS


def search(experiment, **more):
    return {'experiment_ids': [experiment], 'filter': 'metrics.m0 > 0.1', 'order_by': ['metrics.m1 DESC'], 'max_results': 100, **more}


# --- MLflow
def mlflow_runs(server, experiment, count):
    ids = [f'{int(experiment):08x}{i:024x}' for i in range(count)]
    store, connection = server.store, server.store.connect()
    columns = ('run_uuid', 'name', 'source_type', 'source_name', 'entry_point_name', 'user_id', 'status', 'start_time', 'end_time', 'source_version', 'lifecycle_stage', 'artifact_uri',
               'experiment_id')
    store.insert(connection, 'runs', columns, ((id, f'run-{i}', 'UNKNOWN', '', '', 'ana', 'FINISHED', T0 + i, T0 + i + 5, '', 'active',
                                                f'mlflow-artifacts:/{experiment}/{id}/artifacts', experiment) for i, id in enumerate(ids)))
    for table in ('metrics', 'latest_metrics'):
        store.insert(connection, table, ('key', 'value', 'timestamp', 'step', 'is_nan', 'run_uuid'),
                     ((key, value, T0 + i, 0, False, id) for i, id in enumerate(ids) for key, value in searched_run(i)[0].items()))
    store.insert(connection, 'params', ('key', 'value', 'run_uuid'), ((key, value, id) for i, id in enumerate(ids) for key, value in searched_run(i)[1].items()))
    store.insert(connection, 'tags', ('key', 'value', 'run_uuid'),
                 ((key, value, id) for i, id in enumerate(ids) for key, value in {**searched_run(i)[2], 'mlflow.runName': f'run-{i}'}.items()))
    done(connection)


def mlflow_models(server, source, run):
    store, connection = server.store, server.store.connect()
    names = [f'model-{i}' for i in range(MODELS)]
    store.insert(connection, 'registered_models', ('name', 'creation_time', 'last_updated_time', 'description'), ((name, T0, T0 + i, '') for i, name in enumerate(names)))
    store.insert(connection, 'registered_model_tags', ('key', 'value', 'name'), (('team', f't{i % 10}', name) for i, name in enumerate(names)))
    columns = ('name', 'version', 'creation_time', 'last_updated_time', 'description', 'user_id', 'current_stage', 'source', 'run_id', 'status', 'storage_location')
    store.insert(connection, 'model_versions', columns,
                 ((name, version, T0, T0, '', '', 'None', source, run, 'READY', source) for name in names for version in range(1, VERSIONS + 1)))
    done(connection)


def done(connection):
    """With the statistics that its planner needs to choose well."""
    connection.commit()
    connection.cursor().execute('ANALYZE')
    connection.commit()
    connection.close()


# --- gyre
def asked(connection, requests):
    """All at once, then their answers."""
    messages = []
    for path, body in requests:
        text = json.dumps(body).encode()
        messages += [connection.head('POST', API + path, len(text)), text]
    connection.send(b''.join(messages))
    answers = [connection.answer() for _ in requests]
    for status, answer in answers:
        if status != 200:
            raise SystemExit(f'gyre: {status} {answer[:300]}')
    return [json.loads(answer) for _, answer in answers]


def gyre_runs(server, experiment, count):
    def work(connection, place):
        for begin in range(place * FILL_AT_ONCE, count, FILL_CONNECTIONS * FILL_AT_ONCE):
            some = range(begin, min(begin + FILL_AT_ONCE, count))
            made = asked(connection, [('runs/create', {'experiment_id': experiment, 'start_time': T0 + i, 'user_id': 'ana', 'run_name': f'run-{i}', 'tags': entries(searched_run(i)[2])})
                                      for i in some])
            rest = []
            for i, answer in zip(some, made):
                id, (metrics, params, _) = answer['run']['info']['run_id'], searched_run(i)
                rest.append(('runs/log-batch', {'run_id': id, 'params': entries(params), 'metrics': [{**entry, 'timestamp': T0 + i, 'step': 0} for entry in entries(metrics)]}))
                rest.append(('runs/update', {'run_id': id, 'status': 'FINISHED', 'end_time': T0 + i + 5}))
            asked(connection, rest)
    spread(server, FILL_CONNECTIONS, work)


def gyre_models(server, source, run):
    def work(connection, place):
        for i in range(place, MODELS, FILL_CONNECTIONS):
            asked(connection, [('registered-models/create', {'name': f'model-{i}', 'tags': entries({'team': f't{i % 10}'})})])
            asked(connection, [('model-versions/create', {'name': f'model-{i}', 'source': source, 'run_id': run})] * VERSIONS)
    spread(server, FILL_CONNECTIONS, work)
