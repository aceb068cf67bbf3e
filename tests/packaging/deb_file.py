"""The .deb without installing it: what it holds and asks for, and that the same tree gives the same bytes."""
import filecmp
import os
import shutil
import subprocess
import sys
import tempfile

from packages import control, make


def main():
    with tempfile.TemporaryDirectory(prefix='gyre-deb-') as folder:
        deb = make('deb', os.path.join(folder, 'a'))
        again = make('deb', os.path.join(folder, 'b'))
        assert filecmp.cmp(deb, again, shallow=False), 'the same tree gave other bytes'
        fields = control(deb)
        for part in ('libc6 (>=', 'libstdc++6', 'libgomp1', 'libsqlite3-0', 'libssl3', 'adduser', 'debconf'):
            assert part in fields['Depends'], (part, fields['Depends'])
        assert '-dev' not in fields['Depends'] and not fields['Version'].startswith('+'), fields
        tree = os.path.join(folder, 'tree')
        subprocess.run(['dpkg-deb', '-R', deb, tree], check=True)
        assert open(os.path.join(tree, 'DEBIAN/conffiles')).read() == '/etc/gyre/config.yaml\n'
        for script in ('postinst', 'prerm', 'postrm'):
            subprocess.run(['sh', '-n', os.path.join(tree, 'DEBIAN', script)], check=True)
        for path in ('usr/bin/gyre', 'usr/lib/gyre/libduckdb.so', 'usr/lib/gyre/lib_lightgbm.so', 'usr/lib/systemd/system/gyre.service', 'usr/share/man/man1/gyre.1.gz',
                     'usr/share/doc/gyre/copyright', 'usr/share/doc/gyre/changelog.gz', 'usr/share/doc/gyre/licences/duckdb.txt'):
            assert os.path.isfile(os.path.join(tree, path)), path
        ours = subprocess.run(['readelf', '-d', os.path.join(tree, 'usr/bin/gyre')], check=True, capture_output=True, text=True).stdout
        assert 'RUNPATH' not in ours and 'RPATH' not in ours, ours
        if os.environ.get('GYRE_TEST_TIER') == 'full' and shutil.which('lintian'):
            judged = subprocess.run(['lintian', '--allow-root', '--fail-on', 'error,warning', '--tag-display-limit', '0', deb], capture_output=True, text=True)
            assert judged.returncode == 0, judged.stdout
            print('lintian: nothing to say')
        print('ok', fields['Version'])


if __name__ == '__main__':
    sys.exit(main())
