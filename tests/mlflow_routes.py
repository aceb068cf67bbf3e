"""MLflow's routes of this server for the tests: what the tables in src/api/mlflow state, and the permissions of src/ledger/access."""
import collections
import glob
import os
import re

from harness import SOURCE

ROLES = {'viewer': 'v', 'developer': 'd', 'approver': 'a', 'deployer': 'p', 'admin': 'A'}
PREFIXES = {'kApi2': ('/api/2.0', '/ajax-api/2.0'), 'kApi3': ('/api/3.0', '/ajax-api/3.0'), 'kAjax2': ('/ajax-api/2.0',), 'kRoot': ('',)}
API = ('/api/2.0', '/ajax-api/2.0', '/p/default/api/2.0', '/p/default/ajax-api/2.0')

Route = collections.namedtuple('Route', 'method path permission prefixes of_server')


def read(path):
    with open(os.path.join(SOURCE, path), encoding='utf-8') as f:
        return f.read()


def table_of(text):
    """The rows between the braces of kEndpoints, with what they call spelled out: helpers of the same file that make a row of a path."""
    start = re.search(r'\bkEndpoints(\[\]| =)[^{]*\{', text)
    body, depth = [], 1
    for c in text[start.end():]:
        depth += {'{': 1, '}': -1}.get(c, 0)
        if depth == 0:
            break
        body.append(c)
    return ''.join(body)


def rows_of(table):
    """Splits at the commas that stand in no bracket and no text."""
    table = re.sub(r'^\s*//.*$', '', table, flags=re.M)
    rows, depth, quoted, row = [], 0, False, ''
    for c in table:
        quoted ^= c == '"'
        depth += 0 if quoted else {'{': 1, '(': 1, '}': -1, ')': -1}.get(c, 0)
        if c == ',' and depth == 0 and not quoted:
            rows.append(row)
            row = ''
        else:
            row += c
    return [text.strip() for text in rows + [row] if text.strip()]


def permission_of(row, text):
    found = re.search(r'\.permission = (?:net::)?(\w+)(?:\("([\w.]+)"\))?', row)
    if found[2]:
        return found[2]
    if found[1] == 'kPublic':
        return 'public'
    named = re.search(found[1] + r'(?: = (?:net::)?Permission)?\("([\w.]+)"\)', text)
    assert named, f'no permission behind {found[1]}'
    return named[1]


def spelled_out(row, text):
    """A row that a helper makes: its text with the path, and the method where that is given, put in."""
    call = re.match(r'(\w+)\(', row)
    if not call:
        return row
    body = re.search(r'constexpr Endpoint ' + call[1] + r'\(([^)]*)\)\s*\{(.*?)\n\}', text, re.S)
    assert body, f'no helper {call[1]}'
    path, method = re.search(r'"([^"]+)"', row)[1], re.search(r'Method::\w+', row)
    made = re.sub(r'\.path = path\b', f'.path = "{path}"', body[2])
    return re.sub(r'\.method = method\b', f'.method = {method[0]}', made) if method else made


def routes():
    """All that is stated, but not what answers that nothing is there."""
    found = []
    for name in sorted(glob.glob(os.path.join(SOURCE, 'src/api/mlflow/*.cc'))):
        text = read(name)
        if name.endswith('_test.cc') or not re.search(r'\bkEndpoints(\[\]| =)', text):
            continue
        for row in rows_of(table_of(text)):
            row = spelled_out(row, text)
            method, path = re.search(r'Method::k(\w+)', row), re.search(r'\.path = "([^"]+)"', row)
            assert method and path, f'{name}: {row[:300]}'
            doors = re.search(r'\.doors = Doors::(\w+)', row)
            if '{rest*}' not in path[1]:
                found.append(Route(method[1].upper(), path[1], permission_of(row, text), PREFIXES[doors[1] if doors else 'kApi2'], '.of_server = true' in row))
    assert len(found) > 60, f'only {len(found)} routes were understood'
    return found


def addresses(route, project):
    """The route at each of its prefixes, without and with the project where it has one."""
    for prefix in route.prefixes:
        yield prefix + route.path
        if not route.of_server:
            yield f'/p/{project}{prefix}{route.path}'


def permissions():
    """The letters of the roles that have each permission."""
    table = dict(re.findall(r'\{"([\w.]+)",\s*"(\w+)"\}', read('src/ledger/access/roles.cc')))
    assert len(table) > 30 and table['run.write'] == 'dA', table
    return table
