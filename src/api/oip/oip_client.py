"""Drives an endpoint with the unmodified tritonclient: oip_client.py HOST:PORT ENDPOINT. Prints OK, or dies with what is wrong."""
import sys

import numpy
import tritonclient.http as triton

address, model = sys.argv[1:]
client = triton.InferenceServerClient(url=address)
assert client.is_server_live() and client.is_server_ready()
assert client.is_model_ready(model) and client.is_model_ready(model, '1')
assert not client.is_model_ready(model, '99')
metadata = client.get_model_metadata(model)
assert metadata['name'] == model and metadata['versions'] == ['1'], metadata
inputs = {tensor['name']: tensor for tensor in metadata['inputs']}
assert inputs['amount']['datatype'] == 'FP64' and inputs['country']['datatype'] == 'BYTES' and inputs['active']['datatype'] == 'BOOL'
assert [tensor['name'] for tensor in metadata['outputs']] == ['prediction', 'probability']
assert 'binary_tensor_data' in client.get_server_metadata()['extensions']


def tensor(name, values, datatype, binary, shape=None):
    made = triton.InferInput(name, shape or [len(values)], datatype)
    dtype = numpy.object_ if datatype == 'BYTES' else triton_dtype[datatype]
    made.set_data_from_numpy(numpy.array(values, dtype=dtype).reshape(shape or [len(values)]), binary_data=binary)
    return made


triton_dtype = {'FP64': numpy.float64, 'FP32': numpy.float32, 'INT64': numpy.int64, 'INT8': numpy.int8, 'UINT32': numpy.uint32, 'BOOL': numpy.bool_}
answers = []
for binary in (True, False):
    for shape in (None, [3, 1]):
        amounts = [10.0, -10.0, float('nan')]
        sent = [
            tensor('amount', amounts, 'FP64', binary, shape),
            tensor('age', [30, 31, 32], 'INT64', binary, shape),
            tensor('country', ['NL', 'DE', ''], 'BYTES', binary, shape),
            tensor('active', [True, False, True], 'BOOL', binary, shape),
        ]
        for outputs in (None, [triton.InferRequestedOutput('probability', binary_data=binary), triton.InferRequestedOutput('prediction', binary_data=binary)]):
            answer = client.infer(model, sent, outputs=outputs, request_id='r1')
            assert answer.get_response()['id'] == 'r1' and answer.get_response()['model_version'] == '1'
            prediction = answer.as_numpy('prediction')
            assert prediction.shape == (3,), prediction
            texts = [value.decode() if isinstance(value, bytes) else value for value in prediction]
            assert texts[:2] == ['Yes', 'No'], texts
            probability = answer.as_numpy('probability')
            assert probability.shape == (3, 2) and numpy.allclose(probability.sum(axis=1), 1), probability
            answers.append(probability.tobytes())
assert len(set(answers)) == 1, 'JSON and binary tensors give other bits'

small = client.infer(model, [tensor('amount', [1.0], 'FP32', True), tensor('age', [7], 'INT8', True)])
assert small.as_numpy('probability').shape == (1, 2)

endless = [client.infer(model, [tensor('amount', [float('inf'), float('-inf')], 'FP64', binary)]).as_numpy('probability') for binary in (True, False)]
assert (endless[0] == endless[1]).all() and (endless[0][0] != endless[0][1]).all(), endless

for broken, word in (
        ([tensor('nonsense', [1.0], 'FP64', True)], 'nonsense'),
        ([tensor('amount', [1.0, 2.0], 'FP64', True), tensor('age', [1], 'INT64', True)], 'age'),
        ([tensor('country', [1.5], 'FP64', True)], 'country'),
        ([tensor('amount', [1.0, 2.0], 'FP64', True, [1, 2])], 'shape')):
    try:
        client.infer(model, broken)
        raise SystemExit(f'accepted: {word}')
    except triton.InferenceServerException as error:
        assert word in str(error), error
try:
    client.infer('nobody', [tensor('amount', [1.0], 'FP64', True)])
    raise SystemExit('an unknown model was accepted')
except triton.InferenceServerException as error:
    assert 'nobody' in str(error)
print('OK')
