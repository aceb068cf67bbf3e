"""The service below a real systemd, in a container that boots: the unit's walls let the loop turn, and starting, reloading, dying, upgrading and purging do what they say."""
import contextlib
import os
import re
import subprocess
import sys
import tempfile

from harness import skip
from packages import Root, control, make, need, with_version

UNIT = """[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/inside.sh
ExecStopPost=/usr/bin/systemctl poweroff --no-block
"""
INSIDE = r"""#!/bin/sh
exec > /told 2>&1
say() { echo "== $*"; }
main() { systemctl show -p MainPID --value gyre; }
as_gyre() { setpriv --reuid=gyre --regid=gyre --clear-groups env HOME=/var/lib/gyre GYRE_DATA=/var/lib/gyre "$@"; }
say before $(systemctl is-active gyre) $(systemctl is-enabled gyre)
systemctl enable --now gyre; say started $? $(systemctl is-active gyre)
cd /var/lib/gyre
as_gyre gyre add /rows.csv --name rows; say added $?
as_gyre gyre train rows --target y --budget 3s; say trained $?
as_gyre gyre deploy rows@champion; say deployed $?
as_gyre gyre doctor; say doctor $?
old=$(main); systemctl reload gyre; say reloaded $?; sleep 1; [ "$old" = "$(main)" ]; say same $?
kill -9 "$old"; for i in 1 2 3 4 5 6 7 8 9; do sleep 1; [ "$(main)" != 0 ] && [ "$(main)" != "$old" ] && systemctl is-active -q gyre && break; done
say back $(systemctl is-active gyre) $(as_gyre gyre endpoints -o name)
old=$(main); dpkg -i /later.deb; say upgraded $? $(systemctl is-active gyre) $(as_gyre gyre endpoints -o name); [ "$old" != "$(main)" ]; say other $?
systemd-analyze security gyre --no-pager | tail -1
dpkg --remove gyre; say removed $? $(systemctl is-active gyre)
journalctl -u gyre --no-pager | grep -c 'works once' | sed 's/^/== links /'
say end
"""


GROUPS = [f'/sys/fs/cgroup/systemd/{name}' for name in ('payload', 'supervisor')]  # what the container leaves behind where groups are of both kinds


def boot(root):
    with open(os.path.join(root.path, 'etc/systemd/system/try.service'), 'w') as f:
        f.write(UNIT)
    with open(os.path.join(root.path, 'inside.sh'), 'w') as f:
        f.write(INSIDE)
    os.chmod(os.path.join(root.path, 'inside.sh'), 0o755)
    wants = os.path.join(root.path, 'etc/systemd/system/multi-user.target.wants')
    os.makedirs(wants, exist_ok=True)
    os.symlink('/etc/systemd/system/try.service', os.path.join(wants, 'try.service'))
    booted = subprocess.run(['timeout', '-k', '5', '150', 'systemd-nspawn', '--quiet', '--directory', root.path, '--boot', '--private-network', '--register=no', '--keep-unit',
                             '--console=pipe'], stdin=subprocess.DEVNULL, capture_output=True, text=True, env={**os.environ, 'SYSTEMD_NSPAWN_UNIFIED_HIERARCHY': '1'})
    for group in GROUPS:
        for at, _, _ in os.walk(group, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(at)
    told = os.path.join(root.path, 'told')
    if not os.path.exists(told):
        skip('no container boots here: ' + (booted.stdout + booted.stderr).strip()[-300:])
    return open(told).read()


def main():
    need('systemd-nspawn')
    with tempfile.TemporaryDirectory(prefix='gyre-service-') as folder:
        root = Root(folder)
        deb = make('deb', folder)
        os.link(deb, os.path.join(root.path, 'gyre.deb'))
        with_version(deb, control(deb)['Version'] + '.1', os.path.join(root.path, 'later.deb'))
        with open(os.path.join(root.path, 'rows.csv'), 'w') as f:
            f.write('a,b,y\n' + ''.join(f'{i * 37 % 101 / 7:.3f},{i * 53 % 97 / 3:.3f},{i * 37 % 101 + i * 53 % 97}\n' for i in range(400)))
        root.run('apt-get update -qq && apt-get install -y -qq --no-install-recommends systemd systemd-sysv dbus libjq1 /gyre.deb', network=True)
        told = boot(root)
        for line in ('before inactive disabled', 'started 0 active', 'added 0', 'trained 0', 'deployed 0', 'doctor 0', 'reloaded 0', 'same 0', 'back active rows',
                     'upgraded 0 active rows', 'other 0', 'removed 0 inactive', 'links [1-9]', 'end'):
            assert re.search(f'^== {line}$', told, re.M), (line, told)
        print(re.search('Overall.*', told)[0])
    print('ok')


if __name__ == '__main__':
    sys.exit(main())
