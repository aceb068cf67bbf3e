"""Parameters: written once, cut when long."""
from framework import case, table
import re


@case()
def log_and_read(t):
    id = t.run_id()
    t.client.log_param(id, 'a', 1)
    t.client.log_param(id, 'größe', 'ß 値 🧪\nline')
    t.client.log_param(id, 'empty', '')
    t.same(t.client.get_run(id).data.params, {'a': '1', 'größe': 'ß 値 🧪\nline', 'empty': ''})


@case()
def the_same_value_again(t):
    id = t.run_id()
    t.client.log_param(id, 'a', 'b')
    t.client.log_param(id, 'a', 'b')
    t.post('runs/log-batch', run_id=id, params=[{'key': 'a', 'value': 'b'}])
    t.same(t.client.get_run(id).data.params, {'a': 'b'})


@case()
def another_value(t):
    id = t.run_id()
    t.client.log_param(id, 'a', 'b')
    t.refused(t.send('POST', 'runs/log-parameter', {'run_id': id, 'key': 'a', 'value': 'c'}), 400, 'INVALID_PARAMETER_VALUE',
              "Changing param values is not allowed. Param with key='a' was already logged with value='b' for run ID='%s'. Attempted logging new value 'c'." % id)
    t.same(t.client.get_run(id).data.params, {'a': 'b'})


@case()
def another_value_in_a_batch(t):
    id = t.run_id()
    t.client.log_param(id, 'a', 'b')
    reply = t.send('POST', 'runs/log-batch', {'run_id': id, 'params': [{'key': 'a', 'value': 'c'}, {'key': 'z', 'value': '1'}]})
    t.refused(reply, 400, 'INVALID_PARAMETER_VALUE',
              "Changing param values is not allowed. Params were already logged='[{'key': 'a', 'old_value': 'b', 'new_value': 'c'}]' for run ID='%s'." % id)


@case()
def two_other_values_in_a_batch(t):
    id = t.run_id()
    t.client.log_param(id, 'a', 'b')
    t.client.log_param(id, 'c', 'd')
    reply = t.send('POST', 'runs/log-batch', {'run_id': id, 'params': [{'key': 'a', 'value': 'x'}, {'key': 'c', 'value': "y'"}]})
    t.refused(reply, 400, 'INVALID_PARAMETER_VALUE', "[{'key': 'a', 'old_value': 'b', 'new_value': 'x'}, {'key': 'c', 'old_value': 'd', 'new_value': \"y'\"}]")


@case()
def the_client_explains(t):
    import mlflow
    mlflow.set_experiment(t.name())
    with mlflow.start_run():
        mlflow.log_param('a', 1)
        t.fails('INVALID_PARAMETER_VALUE', 'Changing param values is not allowed', mlflow.log_param, 'a', 2)


@case()
def value_of_6000(t):
    id = t.run_id()
    t.client.log_param(id, 'a', 'v' * 6000)
    t.same(len(t.client.get_run(id).data.params['a']), 6000)


@case()
def a_longer_value_is_cut(t):
    id = t.run_id()
    t.post('runs/log-parameter', run_id=id, key='a', value='é' * 6001)
    t.same(t.client.get_run(id).data.params['a'], 'é' * 6000)
    t.post('runs/log-batch', run_id=id, params=[{'key': 'b', 'value': 'v' * 7000}])
    t.same(t.client.get_run(id).data.params['b'], 'v' * 6000)


@table([('k' * 250, 200), ('k' * 251, 400), ('..', 400), ('.', 400), ('..a', 400), ('.a', 200), ('/abs', 400), ('a//b', 400), ('a/../b', 400), ('a/./b', 400),
        ('a/', 400), ('a/b', 200), ('a b', 200), ('a:b', 200), ('a,b', 400), ('a%b', 400), ('größe', 200), ('値', 200), ('🧪', 400), ('a\nb', 400), ('', 400)])
def keys(t, key, status):
    reply = t.send('POST', 'runs/log-parameter', {'run_id': t.run_id(), 'key': key, 'value': 'v'})
    assert reply.status == status, (reply.status, reply.text)
    if status == 400:
        t.refused(reply, 400, 'INVALID_PARAMETER_VALUE')


@case()
def text_of_a_bad_key(t):
    t.refused(t.send('POST', 'runs/log-parameter', {'run_id': t.run_id(), 'key': 'a,b', 'value': 'v'}), 400, 'INVALID_PARAMETER_VALUE',
              "Invalid value \"a,b\" for parameter 'key' supplied: Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) "
              'and slashes (/).')


@case()
def text_of_a_key_that_is_no_path(t):
    t.refused(t.send('POST', 'runs/log-parameter', {'run_id': t.run_id(), 'key': 'a//b', 'value': 'v'}), 400, 'INVALID_PARAMETER_VALUE',
              "Names may be treated as files in certain cases, and must not resolve to other names when treated as such. This name would resolve to 'a/b'")


@case()
def text_of_a_long_key(t):
    t.refused(t.send('POST', 'runs/log-parameter', {'run_id': t.run_id(), 'key': 'k' * 251, 'value': 'v'}), 400, 'INVALID_PARAMETER_VALUE',
              "'Param key' exceeds the maximum length of 250 characters")


@case()
def no_key(t):
    t.refused(t.send('POST', 'runs/log-parameter', {'run_id': t.run_id(), 'value': 'v'}), 400, 'INVALID_PARAMETER_VALUE', "Missing value for required parameter 'key'")


@case()
def no_value_is_an_empty_one(t):
    id = t.run_id()
    t.post('runs/log-parameter', run_id=id, key='a')
    t.same(t.client.get_run(id).data.params, {'a': ''})


@case()
def value_of_a_wrong_type(t):
    t.refused(t.send('POST', 'runs/log-parameter', {'run_id': t.run_id(), 'key': 'a', 'value': 5}), 400, 'INVALID_PARAMETER_VALUE',
              "Invalid value 5 for parameter 'value' supplied:  Hint: Value was of type 'int'.")


@case()
def a_key_twice_in_a_batch(t):
    body = {'run_id': t.run_id(), 'params': [{'key': 'a', 'value': '1'}, {'key': 'a', 'value': '1'}]}
    t.refused(t.send('POST', 'runs/log-batch', body), 400, 'INVALID_PARAMETER_VALUE', re.compile('Duplicate parameter keys have been submitted'))
