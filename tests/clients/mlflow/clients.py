"""MLflow's unmodified client against gyre, or against MLflow's own server: each case of cases/.

    clients.py                      gyre with the newest client; with GYRE_TEST_TIER=full all three clients
    clients.py --real               the same cases against `mlflow server`: what a case claims is true there, or marked why not
    clients.py --uri http://...     a server that is there already
    clients.py --client 2.22 search_runs        one client, cases whose title holds one of the words
"""
import argparse
import contextlib
import functools
import os
import subprocess
import sys
import tempfile
import types

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import servers  # noqa: E402

SKIPPED = 77
# A refusal is never worth a retry here, and nothing may leave this machine.
CLIENT = {**servers.QUIET, 'MLFLOW_HTTP_REQUEST_MAX_RETRIES': '0', 'MLFLOW_HTTP_REQUEST_TIMEOUT': '60', 'GIT_PYTHON_REFRESH': 'quiet', 'MPLBACKEND': 'Agg',
          'OMP_NUM_THREADS': '1', 'MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT': 'true', 'MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR': 'false',
          'PYTHONDONTWRITEBYTECODE': '1', 'MLFLOW_LOGGING_LEVEL': 'ERROR', 'MLFLOW_ENABLE_ASYNC_TRACE_LOGGING': 'false', 'LOGNAME': 'somebody'}


def here(options):
    """In the client's own Python: the cases."""
    import warnings
    warnings.filterwarnings('ignore')
    import framework
    import cases
    framework.import_all(cases)
    full = os.environ.get('GYRE_TEST_TIER') == 'full'
    settings = types.SimpleNamespace(auth_uri=options.auth_uri, admin=(servers.ADMIN, servers.ADMIN_PASSWORD))
    offers = {'auth'} if options.auth_uri else set()
    return framework.run_cases(options.uri, options.only, options.real and not options.server, full, offers, options.timing, settings)


def with_client(version, options, uri, auth_uri):
    python = servers.environment_of(version)
    if not os.path.exists(python):
        print(f'SKIPPED: {os.path.dirname(os.path.dirname(python))} is not there: tools/deps mlflow{"-older" if version else ""}')
        return SKIPPED
    flags = ['--uri', uri, *(['--auth-uri', auth_uri] if auth_uri else []), *(['--real'] if options.real else []), *(['--server', options.server] if options.server else []), *(['--timing'] if options.timing else [])]
    environment = {k: v for k, v in os.environ.items() if not k.startswith('MLFLOW_')}
    with tempfile.TemporaryFile() as chatter:  # what MLflow and the libraries say on the way; shown when the cases could not be run
        done = subprocess.run([python, os.path.join(HERE, 'clients.py'), '--here', *flags, *options.only], env={**environment, **CLIENT, **servers.torch()},
                              stderr=None if os.environ.get('GYRE_TEST_TRACE') else chatter)
        if done.returncode not in (0, 1):
            chatter.seek(0)
            print(chatter.read().decode(errors='replace')[-4000:])
    return done.returncode


def wants_auth(options):
    return not options.only or any('auth'.startswith(word) or word.startswith('auth') for word in options.only)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--real', action='store_true')
    parser.add_argument('--server', default='', help='with --real: 2.22 or 3.1 (default: the newest, for which alone the marks of the cases are true)')
    parser.add_argument('--uri', default=os.environ.get('GYRE_MLFLOW_URI', ''))
    parser.add_argument('--auth-uri', default='')
    parser.add_argument('--client', action='append', help='2.22, 3.1 or new')
    parser.add_argument('--timing', action='store_true')
    parser.add_argument('--here', action='store_true', help=argparse.SUPPRESS)
    parser.add_argument('only', nargs='*')
    options = parser.parse_args()
    if options.here:
        return 1 if here(options) else 0
    full = os.environ.get('GYRE_TEST_TIER') == 'full'
    versions = [v.replace('new', '') for v in options.client or (['new', '3.1', '2.22'] if full else ['new'])]
    if not os.path.exists(servers.environment_of(options.server if options.real else versions[0])):
        print('SKIPPED: no environment with MLflow: tools/deps mlflow')
        return SKIPPED
    if options.uri:
        return max(with_client(v, options, options.uri, options.auth_uri) for v in versions)
    start = functools.partial(servers.real_server, options.server) if options.real else servers.gyre_server
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(start())
        guarded = stack.enter_context(start(auth=True)).uri if wants_auth(options) else ''
        return max(with_client(v, options, server.uri, guarded) for v in versions)


if __name__ == '__main__':
    sys.exit(main())
