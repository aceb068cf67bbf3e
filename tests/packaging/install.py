"""make install: everything is below the prefix, the program finds its libraries there and nowhere else, and uninstall leaves nothing."""
import glob
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile

from harness import GYRE, SOURCE

BUILD = os.path.dirname(os.path.realpath(GYRE))


def files_below(folder):
    return sorted(os.path.relpath(os.path.join(at, name), folder) for at, _, names in os.walk(folder) for name in names)


def install(prefix, destdir=''):
    subprocess.run(['cmake', '--install', BUILD, '--prefix', prefix, '--strip'], check=True, stdout=subprocess.DEVNULL, env={**os.environ, 'DESTDIR': destdir})


def run(prefix, home, *arguments):
    """As somebody who has only what was installed: no variable says where the libraries are."""
    return subprocess.run([os.path.join(prefix, 'bin/gyre'), *arguments], env={'HOME': home, 'PATH': '/usr/bin:/bin', 'LC_ALL': 'C.UTF-8', 'GYRE_LISTEN': '127.0.0.1:0'},
                          capture_output=True, text=True, cwd=home)


def works_from_its_prefix(prefix, home):
    rows = json.loads(run(prefix, home, 'doctor', '-o', 'json').stdout)
    libraries = [row for row in rows if row['check'] == 'libraries' and row['state'] == 'ok']
    assert len(libraries) == 2, rows
    for row in libraries:
        assert os.path.realpath(row['text']).startswith(os.path.realpath(prefix) + '/'), f'not its own library: {row}'
    with open(os.path.join(home, 'a.csv'), 'w') as f:
        f.write('a,b,y\n' + ''.join(f'{i * 37 % 101 / 7:.3f},{i * 53 % 97 / 3:.3f},{i * 37 % 101 + i * 53 % 97}\n' for i in range(400)))
    added = run(prefix, home, 'add', 'a.csv')  # DuckDB reads it
    assert added.returncode == 0 and '400 rows' in added.stdout, (added.stdout, added.stderr)
    trained = run(prefix, home, 'train', 'a', '--target', 'y', '--budget', '1s')  # LightGBM is among the candidates
    assert trained.returncode in (0, 5), (trained.stdout, trained.stderr)
    shutil.move(os.path.join(prefix, 'lib/gyre'), os.path.join(prefix, 'lib/elsewhere'))
    missing = run(prefix, home, 'doctor')
    shutil.move(os.path.join(prefix, 'lib/elsewhere'), os.path.join(prefix, 'lib/gyre'))
    assert missing.returncode == 5 and 'libduckdb.so is not installed' in missing.stdout and 'install gyre again' in missing.stdout, missing.stdout


def describes_itself(prefix, home):
    commands = {page for page in glob.glob(os.path.join(prefix, 'share/man/man1/*.gz'))}
    assert os.path.join(prefix, 'share/man/man1/gyre.1.gz') in commands and len(commands) > 100, len(commands)
    page = gzip.open(os.path.join(prefix, 'share/man/man1/gyre-train.1.gz'), 'rt').read()
    assert '.SH NAME\ngyre\\-train' in page, page[:200]
    bash = subprocess.run(['bash', '-c', f'PATH={prefix}/bin:$PATH; . {prefix}/share/bash-completion/completions/gyre; COMP_WORDS=(gyre doc); COMP_CWORD=1; _gyre; echo "${{COMPREPLY[@]}}"'],
                          capture_output=True, text=True, env={'HOME': home, 'PATH': '/usr/bin:/bin'})
    assert bash.stdout.split() == ['doctor'], (bash.stdout, bash.stderr)
    for path in ('share/zsh/vendor-completions/_gyre', 'share/fish/vendor_completions.d/gyre.fish', 'lib/sysusers.d/gyre.conf', 'share/doc/gyre/README.md',
                 'share/doc/gyre/licences/duckdb.txt', 'share/doc/gyre/licences/lightgbm.txt', 'share/doc/gyre/examples/config.yaml'):
        assert os.path.getsize(os.path.join(prefix, path)) > 0, path
    unit = open(os.path.join(prefix, 'lib/systemd/system/gyre.service')).read()
    assert f'ExecStart={prefix}/bin/gyre server' in unit and '@GYRE' not in unit, unit


def unit_is_hardened(prefix):
    analyze = shutil.which('systemd-analyze')
    if not analyze:
        print('no systemd-analyze: the unit is not judged')
        return
    unit = os.path.join(prefix, 'lib/systemd/system/gyre.service')
    verified = subprocess.run([analyze, '--man=no', 'verify', unit], capture_output=True, text=True)
    assert verified.returncode == 0 and 'gyre.service' not in verified.stderr, verified.stderr
    exposure = subprocess.run([analyze, 'security', '--offline=true', '--threshold=20', unit], capture_output=True, text=True)
    assert exposure.returncode == 0, exposure.stdout[-400:]
    print(exposure.stdout.strip().splitlines()[-1])


def main():
    with tempfile.TemporaryDirectory(prefix='gyre-install-') as folder:
        prefix, home = os.path.join(folder, 'prefix'), os.path.join(folder, 'home')
        os.makedirs(home)
        install(prefix)
        works_from_its_prefix(prefix, home)
        describes_itself(prefix, home)
        unit_is_hardened(prefix)
        install('/usr', destdir=os.path.join(folder, 'stage'))
        assert files_below(os.path.join(folder, 'stage/usr')) == files_below(prefix), 'DESTDIR only moves it'
        assert 'ExecStart=/usr/bin/gyre server' in open(os.path.join(folder, 'stage/usr/lib/systemd/system/gyre.service')).read()
        data = files_below(home)
        subprocess.run([os.path.join(SOURCE, 'packaging/uninstall'), prefix], check=True, env={'PATH': '/usr/bin:/bin'})
        assert files_below(prefix) == [] and files_below(home) == data, files_below(prefix)
    print('ok')


if __name__ == '__main__':
    sys.exit(main())
