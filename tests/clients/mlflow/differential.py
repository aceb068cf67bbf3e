"""The same calls to MLflow's own server and to gyre, the answers compared field by field.

    differential.py                     starts both
    differential.py --uris REAL OTHER   two servers that are there already

Ids, times and tokens are made equal first. A difference that differences.tsv does not list fails; so does a row of it that nothing matched."""
import argparse
import contextlib
import fnmatch
import json
import os
import re
import sys
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import calls  # noqa: E402
import servers  # noqa: E402
from framework import Target  # noqa: E402

UNORDERED = {'tags', 'params', 'metrics', 'aliases', 'dataset_summaries', 'dataset_inputs'}


def at(answer, path):
    for part in path.split('.'):
        answer = answer[part]
    return answer


def send(t, method, path, fields, kept):
    fields = calls.filled(fields, kept)
    path = calls.filled(path, kept)
    return t.send(method, path, **fields) if method == 'GET' else t.send(method, path, fields)


def plain(value, kept, key=''):
    """What two servers must agree on."""
    if isinstance(value, dict):
        return {k: plain(v, kept, k) for k, v in value.items()}
    if isinstance(value, list):
        items = [plain(v, kept, key) for v in value]
        return sorted(items, key=lambda v: json.dumps(v, sort_keys=True)) if key in UNORDERED else items
    if key.endswith(('_time', '_timestamp', '_timestamp_ms')) and isinstance(value, int) and value > 10**11:
        return '<now>'
    if key == 'next_page_token':
        return '<token>'
    if not isinstance(value, str):
        return value
    if key == 'value' and value.startswith(('[', '{')):
        with contextlib.suppress(ValueError):
            return {'json': plain(json.loads(value), kept)}
    for name, text in sorted(kept.items(), key=lambda item: -len(item[1])):
        if len(text) > 5 or key in ('experiment_id', 'artifact_uri', 'artifact_location', 'root_uri', 'message'):
            value = re.sub(rf'(?<![0-9a-zA-Z]){re.escape(text)}(?![0-9a-zA-Z])', f'<{name}>', value) if len(text) <= 5 else value.replace(text, f'<{name}>')
    # The sets of Python come in any order.
    return re.sub(r"\{('[^{}]*)\}", lambda m: '{' + ', '.join(sorted(p.strip() for p in m[1].replace('}', '').split(','))) + '}', value)


def body_of(reply):
    try:
        return json.loads(reply.body)
    except ValueError:
        return {'text': reply.text if reply.status == 200 else '<not JSON>'}


def differences(one, other, path=''):
    """(path, one, other) of each leaf that differs; a text that only goes on where the first one ends has the path with a '+'."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}):
            yield from differences(one.get(key, '<absent>'), other.get(key, '<absent>'), f'{path}.{key}' if path else key)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for i, (a, b) in enumerate(zip(one, other)):
            yield from differences(a, b, f'{path}[{i}]')
    elif path == 'body.message' and one != other and str(other).startswith(str(one)):
        yield path + '+', one, other
    elif one != other or type(one) is not type(other) and not (isinstance(one, (int, float)) and isinstance(other, (int, float))):
        yield path, one, other


def play(uri):
    """Every call in order; {name: (status, plain body)}."""
    t, kept, answers = Target(uri), {'mark': uuid.uuid4().hex}, {}
    for name, method, path, fields, keep in calls.everything():
        reply = send(t, method, path, fields, kept)
        body = body_of(reply)
        for word, where in keep.items():
            try:
                kept[word] = at(body, where)
            except (KeyError, TypeError):
                kept[word] = f'<{word} was not given>'
        answers[name] = {'status': reply.status, 'body': plain(body, kept)}
    return answers


def allowed():
    rows = []
    with open(os.path.join(HERE, 'differences.tsv'), encoding='utf-8') as f:
        for line in f:
            if line.strip() and not line.startswith('#'):
                call, field, reason = line.rstrip('\n').split('\t')
                rows.append([call, field, reason, 0])
    return rows


def listed(rows, call, field):
    for item in rows:
        if fnmatch.fnmatchcase(call, item[0]) and fnmatch.fnmatchcase(field, item[1]):
            item[3] += 1
            return True
    return False


def compare(real, other, rows):
    problems = 0
    for name, expected in real.items():
        for field, one, two in differences(expected, other[name]):
            if not listed(rows, name, field):
                problems += 1
                print(f'DIFFERS {name}: {field}: MLflow {json.dumps(one, ensure_ascii=False)[:200]}, here {json.dumps(two, ensure_ascii=False)[:200]}')
    for call, field, reason, count in rows:
        if not count:
            problems += 1
            print(f'NO LONGER TRUE differences.tsv: {call}, {field}: {reason}')
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--uris', nargs=2)
    options = parser.parse_args()
    if not options.uris and not os.path.exists(servers.environment_of()):
        print('SKIPPED: no environment with MLflow: tools/deps mlflow')
        return 77
    with contextlib.ExitStack() as stack:
        real, other = options.uris or (stack.enter_context(servers.real_server()).uri, stack.enter_context(servers.gyre_server()).uri)
        rows = allowed()
        answers = play(real)
        problems = compare(answers, play(other), rows)
    print(f'{len(answers)} calls, {sum(r[3] for r in rows)} differences for {len(rows)} listed reasons, {problems} others')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
