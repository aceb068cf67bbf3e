"""The image in a container: nobody's rights, no network, a root that cannot be written; the whole loop turns."""
import filecmp
import os
import sys
import tempfile

from packages import COMPILERS, Container, make, need


def main():
    need('buildah', 'runc')
    with tempfile.TemporaryDirectory(prefix='gyre-image-') as folder:
        archive = make('image', os.path.join(folder, 'a'))
        assert filecmp.cmp(archive, make('image', os.path.join(folder, 'b')), shallow=False), 'the same tree gave other bytes'
        container = Container(archive, folder)
        config = container.config
        assert config['User'] == '10001:10001' and config['ExposedPorts'] == {'7171/tcp': {}} and config['Volumes'] == {'/data': {}}, config
        assert config['Labels']['org.opencontainers.image.title'] == 'gyre', config
        for program in ('sh', 'bash', 'apt', 'dpkg', *COMPILERS):
            assert not os.path.exists(os.path.join(container.root, 'usr/bin', program)), program
        assert container.run('--version').startswith('gyre ')
        for library in ('libduckdb.so', 'lib_lightgbm.so'):
            assert f'lib/gyre/{library}' in container.run('doctor')
        assert container.run('datasets', '-o', 'name') == '' and os.path.exists(os.path.join(container.root, 'data/gyre.db')), 'what it keeps is in the volume'
        told = container.run('demo', '--check', '--budget', '12s')
        assert 'all 8 stages have run' in told and ' 0 wrong' in told, told
        print(told.splitlines()[-2])
    print('ok')


if __name__ == '__main__':
    sys.exit(main())
