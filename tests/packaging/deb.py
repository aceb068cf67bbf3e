"""The .deb in a bare Debian: only what it depends on comes with it, the whole loop turns, an upgrade keeps everything, a purge asks before data."""
import os
import re
import sys
import tempfile

from harness import SOURCE
from packages import COMPILERS, Root, control, make, need, with_version

AS_GYRE = 'setpriv --reuid=gyre --regid=gyre --clear-groups env HOME=/var/lib/gyre GYRE_DATA=/var/lib/gyre'


def install(root, deb):
    """Apt fetches what it depends on; nothing that is only recommended."""
    os.link(deb, os.path.join(root.path, 'gyre.deb'))
    root.run('apt-get update -qq && apt-get install -y -qq --no-install-recommends /gyre.deb', network=True)
    assert root.run('stat -c "%U %a" /var/lib/gyre').split() == ['gyre', '700']
    assert root.run('gyre --version').startswith('gyre ')
    found = root.run(f'for p in {" ".join(COMPILERS)}; do command -v $p || true; done')
    assert found == '', f'not a root without compilers: {found}'


def loop_turns(root):
    root.run('useradd --create-home ann')
    told = root.run('cd && gyre demo --check --budget 12s', user='ann')
    assert 'all 8 stages have run' in told and ' 0 wrong' in told, told
    print(told.splitlines()[-2])


def page_is_true(root):
    """Each gyre command of docs/install.md, beside a server that runs as the unit's would."""
    lines = re.findall(r'^    (sudo -u gyre )?(gyre [^#\n]*)', open(os.path.join(SOURCE, 'docs/install.md')).read(), re.M)
    commands = [(f'{AS_GYRE} ' if as_gyre else '') + command for as_gyre, command in lines if ' login ' not in command]
    assert len(commands) >= 4, commands
    server = f'cd /var/lib/gyre; {AS_GYRE} gyre server >/tmp/server.out & for i in 1 2 3 4 5 6 7 8 9; do grep -q "works once" /tmp/server.out 2>/dev/null || sleep 1; done; '
    link = 'link=$(sed -n "s/.*Set up  *\\([^ ]*\\).*/\\1/p" /tmp/server.out); '
    login = 'printf "a long enough password\\n" | gyre --server http://127.0.0.1:7171 login --user admin --setup "$link"; '
    told = root.run(server + link + 'cd /root; GYRE_LISTEN=127.0.0.1:0; export GYRE_LISTEN; ' + '; '.join(commands) + '; unset GYRE_LISTEN; ' + login + 'kill %1 2>/dev/null || true')
    assert 'a server runs on /var/lib/gyre' in told and 'logged in' in told.lower(), told
    assert root.has('/root/gyre-doctor.tar.gz')


def upgrade_keeps_everything(root, deb):
    root.run('printf "a,y\\n1,2\\n3,4\\n5,6\\n" > /a.csv; chmod 644 /a.csv; echo "jobs: {cpu_slots: 1}" > /etc/gyre/config.yaml')
    root.run(f'cd /var/lib/gyre; {AS_GYRE} gyre add /a.csv --name kept')
    version = control(deb)['Version']
    with_version(deb, version + '.1', os.path.join(root.path, 'later.deb'))
    root.run('apt-get install -y -qq --reinstall /gyre.deb; dpkg -i /later.deb')
    assert root.run('dpkg-query -W -f \'${Version}\' gyre') == version + '.1'
    assert 'kept' in root.run(f'cd /var/lib/gyre; {AS_GYRE} gyre datasets -o name')
    assert open(os.path.join(root.path, 'etc/gyre/config.yaml')).read() == 'jobs: {cpu_slots: 1}\n', 'an edited settings file stays'


def purge_asks(root):
    root.run('apt-get remove -y -qq gyre')
    assert not root.has('/usr/bin/gyre') and root.has('/var/lib/gyre/gyre.db') and root.has('/etc/gyre/config.yaml')
    told = root.run('dpkg --purge gyre')
    assert 'are kept' in told and root.has('/var/lib/gyre/gyre.db') and not root.has('/etc/gyre/config.yaml'), told
    root.run('dpkg -i /gyre.deb')
    assert 'kept' in root.run(f'cd /var/lib/gyre; {AS_GYRE} gyre datasets -o name'), 'the next installation finds them'
    root.run('echo "gyre gyre/purge-data boolean true" | debconf-set-selections; dpkg --purge gyre')
    assert not root.has('/var/lib/gyre'), 'somebody said yes'
    left = root.run('find / -xdev -name "*gyre*" -not -path "/proc/*" -not -path "/home/*" -not -path "/root/*" -not -path "/tmp/*" -not -name "*.deb" | grep -v "^/var/log" || true')
    assert left == '', left


def main():
    need('unshare', 'dpkg-deb', 'mmdebstrap')
    with tempfile.TemporaryDirectory(prefix='gyre-root-') as folder:
        root = Root(folder)
        deb = make('deb', folder)
        install(root, deb)
        loop_turns(root)
        page_is_true(root)
        upgrade_keeps_everything(root, deb)
        purge_asks(root)
    print('ok')


if __name__ == '__main__':
    sys.exit(main())
