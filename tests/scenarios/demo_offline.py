"""gyre demo in a network namespace that has nothing but loopback: it tells the whole story, and nobody even tries to reach the world."""
import os
import re
import subprocess
import sys

from harness import GYRE, Gyre, skip

# Runs inside: raises the loopback interface (SIOCSIFFLAGS: IFF_UP | IFF_RUNNING), runs the demo, prints what the kernel counted.
INSIDE = r'''
import fcntl, socket, struct, subprocess, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    fcntl.ioctl(s, 0x8914, struct.pack('16sH14s', b'lo', 0x41, b''))
code = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL).returncode
names, values = [line.split() for line in open('/proc/net/snmp') if line.startswith('Ip:')]
tried = int(dict(zip(names, values))['OutNoRoutes'])
try:
    tried += sum(int(line.split()[1]) for line in open('/proc/net/snmp6') if line.startswith('Ip6OutNoRoutes'))
except OSError:
    pass
interfaces = [line.split(':')[0].strip() for line in open('/proc/net/dev') if ':' in line]
print(f'interfaces {interfaces}, {tried} packets without a route')
sys.exit(code)
'''


def inside(*command, **how):
    return subprocess.run(['unshare', '--user', '--map-root-user', '--net', sys.executable, '-c', INSIDE, *command], capture_output=True, text=True, **how)


def counted(told):
    found = re.search(r"interfaces \['lo'\], (\d+) packets without a route", told.stdout)
    assert found, told.stdout + told.stderr
    return int(found[1])


def main():
    try:
        empty = inside('true')
    except OSError as error:
        skip(f'no unshare: {error}')
    if empty.returncode != 0:
        skip('no network namespaces here: ' + empty.stderr.strip()[-200:])
    call = "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect_ex(('192.0.2.1', 53))"
    assert counted(inside(sys.executable, '-c', call)) >= 1, 'a call into the world would not be noticed'
    with Gyre() as g:
        environment = dict(g.environment, TMPDIR=g.work)
        environment.pop('GYRE_DATA', None)
        told = inside(GYRE, 'demo', '--budget', '25s', env=environment, cwd=g.work)
        sys.stdout.write(told.stdout + told.stderr)
        assert told.returncode == 0, told.returncode
        assert 'all 8 stages have run' in told.stdout, told.stdout
        assert counted(told) == 0, told.stdout
        assert os.listdir(g.work) == [], f'left behind: {os.listdir(g.work)}'


if __name__ == '__main__':
    main()
