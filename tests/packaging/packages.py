"""What the tests of this folder share: packages made from the build under test, a bare Debian root, a container."""
import glob
import json
import os
import shutil
import subprocess
import sys

from harness import GYRE, SOURCE, skip

BUILD = os.path.dirname(os.path.realpath(GYRE))
DEPS = os.environ.get('GYRE_DEPS_DIR') or os.path.expanduser('~/.cache/gyre-deps')
COMPILERS = ('cc', 'c++', 'gcc', 'g++', 'clang', 'make', 'cmake', 'ninja', 'ld', 'as', 'python3')

# SIOCSIFFLAGS: IFF_UP | IFF_RUNNING
RAISE_LOOPBACK = "import fcntl, socket, struct; fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sh', b'lo', 0x41) + bytes(22))"


def make(kind, out):
    subprocess.run([os.path.join(SOURCE, 'tools/package'), '--build', BUILD, '--out', out, '--fast', kind], check=True, cwd=SOURCE)
    return glob.glob(os.path.join(out, '*.deb' if kind == 'deb' else '*.oci.tar'))[0]


def control(deb):
    lines = subprocess.run(['dpkg-deb', '-f', deb], check=True, capture_output=True, text=True).stdout
    return dict(line.split(': ', 1) for line in lines.splitlines() if not line.startswith(' '))


def with_version(deb, version, out):
    """The same package under a later number, as an upgrade brings it."""
    tree = out + '.tree'
    subprocess.run(['dpkg-deb', '-R', deb, tree], check=True)
    path = os.path.join(tree, 'DEBIAN/control')
    old = control(deb)['Version']
    text = open(path).read().replace(f'Version: {old}\n', f'Version: {version}\n')
    open(path, 'w').write(text)
    subprocess.run(['dpkg-deb', '--root-owner-group', '-Zgzip', '-z1', '-b', tree, out], check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(tree)


def need(*programs):
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        skip(f'{", ".join(missing)} missing: tools/deps package')
    if os.geteuid() != 0:
        skip('a root of its own and a container need root')


class Root:
    """A Debian with dpkg and apt and nothing else; each command runs in mounts and processes of its own."""

    def __init__(self, folder):
        archive = os.path.join(DEPS, 'roots/bookworm.tar')
        if not os.path.exists(archive):
            skip('no root of Debian: tools/deps package')
        self.path = os.path.join(folder, 'root')
        os.makedirs(self.path)
        subprocess.run(['tar', '-C', self.path, '--exclude=./dev/*', '-xf', archive], check=True)
        shutil.copy('/etc/resolv.conf', os.path.join(self.path, 'etc/resolv.conf'))
        ways = subprocess.run(['apt-config', 'dump'], check=True, capture_output=True, text=True).stdout
        with open(os.path.join(self.path, 'etc/apt/apt.conf.d/99host'), 'w') as f:  # how this machine reaches Debian
            f.write(''.join(line + '\n' for line in ways.splitlines() if line.startswith('Acquire::')))

    def run(self, script, *, code=0, network=False, user=None):
        inside = ['/usr/bin/env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL=C.UTF-8', 'DEBIAN_FRONTEND=noninteractive']
        if user:
            inside = ['/usr/bin/setpriv', f'--reuid={user}', f'--regid={user}', '--clear-groups', *inside, f'HOME=/home/{user}']
        raise_loopback = 'true' if network else f'{sys.executable} -c "{RAISE_LOOPBACK}"'
        around = f'{raise_loopback} && mount --make-rprivate / && mount -t proc proc {self.path}/proc && mount --rbind /dev {self.path}/dev && exec chroot {self.path} "$@"'
        done = subprocess.run(['unshare', '--mount', '--pid', '--fork', '--kill-child', *([] if network else ['--net']), 'sh', '-c', around, 'sh', *inside, 'sh', '-ec',
                               script], capture_output=True, text=True)
        assert done.returncode == code, (script, done.returncode, done.stdout[-3000:], done.stderr[-3000:])
        return done.stdout + done.stderr

    def has(self, path):
        return os.path.lexists(os.path.join(self.path, path.lstrip('/')))


class Container:
    """The image under runc: no capabilities, no network, nothing writable but /data and /tmp."""

    def __init__(self, archive, folder):
        self.bundle = os.path.join(folder, 'bundle')
        self.root = os.path.join(self.bundle, 'rootfs')
        layout = os.path.join(folder, 'layout')
        for path in (layout, self.root):
            os.makedirs(path)
        subprocess.run(['tar', '-C', layout, '-xf', archive], check=True)
        blob = lambda digest: os.path.join(layout, 'blobs', digest.replace(':', '/'))  # noqa: E731
        manifest = json.load(open(blob(json.load(open(os.path.join(layout, 'index.json')))['manifests'][0]['digest'])))
        for layer in manifest['layers']:
            subprocess.run(['tar', '-C', self.root, '--numeric-owner', '-xzpf', blob(layer['digest'])], check=True)
        self.config = json.load(open(blob(manifest['config']['digest'])))['config']

    def run(self, *arguments, code=0):
        uid, gid = (int(n) for n in self.config['User'].split(':'))
        subprocess.run(['runc', 'spec'], cwd=self.bundle, check=True)
        path = os.path.join(self.bundle, 'config.json')
        spec = json.load(open(path))
        spec['process'].update(terminal=False, user={'uid': uid, 'gid': gid}, args=[*self.config['Entrypoint'], *arguments], env=self.config['Env'],
                               cwd=self.config['WorkingDir'], capabilities={}, noNewPrivileges=True)
        del spec['process']['rlimits']
        spec['mounts'] += [{'destination': '/tmp', 'type': 'tmpfs', 'source': 'tmpfs', 'options': ['nosuid', 'nodev', 'mode=1777']},
                           {'destination': '/data', 'type': 'bind', 'source': os.path.join(self.root, 'data'), 'options': ['bind', 'rw']}]
        json.dump(spec, open(path, 'w'))
        done = subprocess.run(['runc', '--root', os.path.join(self.bundle, 'state'), 'run', f'gyre-{os.getpid()}'], cwd=self.bundle, capture_output=True, text=True)
        os.remove(path)
        assert done.returncode == code, (arguments, done.returncode, done.stdout[-3000:], done.stderr[-3000:])
        return done.stdout + done.stderr
