"""Datasets of GenAI evaluation, which the server keeps."""
from framework import case

V3 = '/api/3.0/mlflow/datasets'


@case(since='3.4')
def by_the_client(t):
    from mlflow.genai import datasets
    exp = t.experiment()
    made = datasets.create_dataset(name=t.name('set'), experiment_id=[exp], tags={'k': 'v'})
    made.merge_records([{'inputs': {'q': 'wie? 🧪'}, 'expectations': {'a': 'so'}}, {'inputs': {'q': 'was'}}])
    got = datasets.get_dataset(dataset_id=made.dataset_id)
    t.same((got.name, got.tags['k'], len(got.to_df())), (made.name, 'v', 2))
    t.same(sorted(x['q'] for x in got.to_df()['inputs']), ['was', 'wie? 🧪'])
    t.same([d.dataset_id for d in datasets.search_datasets(experiment_ids=[exp])], [made.dataset_id])
    datasets.delete_dataset(dataset_id=made.dataset_id)
    t.same(datasets.search_datasets(experiment_ids=[exp]), [])


@case(since='3.4')
def the_same_record_twice(t):
    from mlflow.genai import datasets
    made = datasets.create_dataset(name=t.name('set'), experiment_id=[t.experiment()])
    for _ in range(2):
        made.merge_records([{'inputs': {'q': 'x'}}])
    t.same(len(datasets.get_dataset(dataset_id=made.dataset_id).to_df()), 1)


@case(since='3.4')
def tags(t):
    from mlflow.genai import datasets
    made = datasets.create_dataset(name=t.name('set'), experiment_id=[t.experiment()], tags={'a': '1'})
    datasets.set_dataset_tags(dataset_id=made.dataset_id, tags={'b': '2'})
    datasets.delete_dataset_tag(dataset_id=made.dataset_id, key='a')
    got = datasets.get_dataset(dataset_id=made.dataset_id).tags
    t.same((got.get('a'), got['b']), (None, '2'))


@case()
def unknown(t):
    t.refused(t.send('GET', f'{V3}/d-nothing'), 404, 'RESOURCE_DOES_NOT_EXIST')
