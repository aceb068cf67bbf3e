#!/usr/bin/env python3
"""Runs a page of docs/ as a reader would: guide.py [--show] PAGE...

Every ```console block of a page is typed, top to bottom, into one shell with a HOME of its own, an empty folder and the built program; what it
prints on a terminal of 100 columns must be what the page says.

    $ command            a command; lines that begin with `> ` belong to it (here-documents)
    output               each line must come, in this order, and no other
    ...                  alone: any lines; within a line: anything

What differs from run to run may differ: numbers with a point, times, dates, ids. Whole numbers may not: write `...`. Spaces align tables and do not
count. A command must end with 0; of one that must not, the page shows the code: `$ gyre apply --check; echo "exit code $?"`. The port 7171 of a page is a free one here.

A block that opens with ```console needs=root or the like is not run, and the runner says so. --show prints what each command printed: to write a page."""
import fcntl
import os
import pty
import re
import shlex
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from harness import GYRE, SOURCE  # noqa: E402  (also runs without PYTHONPATH)

COLUMNS = 100
SECONDS_MAX = 240
ADDRESS = '127.0.0.1:7171'
# What may differ, and what stands in its place while lines are compared.
VARYING = [
    (r'20\d\d-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?Z?)?', '<time>'),
    (r'\b\d\d:\d\d(?::\d\d)?\b', '<time>'),
    (r'\b(?=[0-9a-f]*\d)[0-9a-f]{8,}(?:-[0-9a-f]+)*\b', '<id>'),
    (r'(?<![\w.])-?\d[\d,]*(?:\.\d+)? ?(?:us|ms|s|min|KB|MB|GB|KiB|MiB|GiB)\b', '<amount>'),
    (r'(?<![\w.])-?\d[\d,]*\.\d+(?:e-?\d+)?', '<number>'),
    (r'\bpid \d+', 'pid <id>'),
]


class Command:
    def __init__(self, line, text):
        self.line, self.text, self.expected = line, text, []


def read_text(path):
    with open(path, encoding='utf-8') as f:
        return f.read()


def commands_of(path):
    """The commands of a page and what it says they print; and the blocks that are not run, with what they need."""
    commands, left_out, inside, last = [], [], False, None
    for number, line in enumerate(read_text(path).split('\n'), 1):
        if not inside:
            match = re.fullmatch(r'```console(?: needs=(\S+))?\s*', line)
            if match and match[1]:
                left_out.append((number, match[1]))
            elif match:
                inside, last = True, None
        elif line.startswith('```'):
            inside = False
        elif line.startswith('$ '):
            last = Command(number, line[2:])
            commands.append(last)
        elif last is not None and line.startswith('> ') and not last.expected:
            last.text += '\n' + line[2:]
        elif line == '>' and last is not None and not last.expected:
            last.text += '\n'
        elif last is None:
            raise SystemExit(f'{path}:{number}: output before any command')
        else:
            last.expected.append(line)
    return commands, left_out


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def as_seen(text):
    """What is left on a screen: no colours, and of a line that was written over, its last state."""
    lines = []
    for line in text.replace('\r\n', '\n').split('\n'):
        line = re.split(r'\r|\x1b\[K', line)[-1]
        lines.append(re.sub(r'\x1b\[[0-9;?]*[A-Za-z]', '', line).rstrip())
    return [line for line in lines if line.strip()]


def plain(line):
    for pattern, name in VARYING:
        line = re.sub(pattern, name, line)
    return re.sub(r'\s+', ' ', line).strip()


def line_matches(expected, got):
    pieces = [re.escape(plain(p)) for p in expected.split('...')]
    return re.fullmatch(r'\s*.*\s*'.join(pieces), plain(got)) is not None


def first_difference(expected, got):
    """None when the lines are as expected; else the expected line that did not come, or the line that nobody expected."""
    at, anything = 0, False
    for line in [e for e in expected if e.strip()]:
        if line.strip() == '...':
            anything = True
            continue
        while anything and at < len(got) and not line_matches(line, got[at]):
            at += 1
        if at == len(got) or not line_matches(line, got[at]):
            return f'expected: {line}\n  got:      {got[at] if at < len(got) and not anything else "nothing like it"}'
        at, anything = at + 1, False
    return None if anything or at == len(got) else f'more than the page says: {got[at]}'


class Shell:
    """A shell of a new user, who looks at a terminal."""

    def __init__(self):
        self.home = tempfile.mkdtemp(prefix='gyre-guide-')
        os.mkdir(self.home + '/bin')
        os.symlink(os.path.abspath(GYRE), self.home + '/bin/gyre')
        os.mkdir(self.home + '/work')
        self.address = f'127.0.0.1:{free_port()}'
        kept = {k: v for k, v in os.environ.items() if k in ('GYRE_LIB_DIR', 'LANG', 'TZ')}
        # The tools' own interpreter stands first: a page may use what `make test` installs for tests.
        python = os.environ.get('GYRE_TEST_PYTHON')
        if python and os.path.exists(python):
            os.symlink(python, self.home + '/bin/python3')
        self.environment = {'LC_ALL': 'C.UTF-8', **kept, 'HOME': self.home, 'PATH': f'{self.home}/bin:{os.environ["PATH"]}', 'TERM': 'xterm', 'NO_COLOR': '1',
                            'COLUMNS': str(COLUMNS), 'GYRE_LISTEN': self.address, 'USER': 'ann', 'LOGNAME': 'ann', 'GIT_CONFIG_NOSYSTEM': '1'}

    def run(self, commands):
        """[(exit code or None, lines)] of the commands; the first that fails is the last."""
        script = ['exec </dev/null']
        for number, command in enumerate(commands):
            text = command.text.replace(ADDRESS, self.address)
            script += [f"printf '\\001%d\\n' {number}", f'eval {shlex.quote(text)}', 'code=$?', "printf '\\002%d\\n' $code; [ $code = 0 ] || exit 1"]
        with open(self.home + '/page.sh', 'w', encoding='utf-8') as f:
            f.write('\n'.join(script) + '\n')
        mine, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack('HHHH', 40, COLUMNS, 0, 0))
        shell = subprocess.Popen(['bash', self.home + '/page.sh'], cwd=self.home + '/work', env=self.environment, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
                                 start_new_session=True)
        os.close(theirs)
        output = self.read(mine, shell)
        results = []
        for part in output.split('\x01')[1:]:
            body, _, end = part.partition('\x02')
            code = end.strip().split('\n')[0].strip()
            lines = as_seen(body.split('\n', 1)[1] if '\n' in body else '')
            results.append((int(code) if code.isdigit() else None, [line.replace(self.address, ADDRESS) for line in lines]))
        return results

    def read(self, descriptor, shell):
        chunks, deadline = [], threading.Timer(SECONDS_MAX, lambda: shell.kill())
        deadline.start()

        def pump():
            try:
                while chunk := os.read(descriptor, 65536):
                    chunks.append(chunk)
            except OSError:  # the last writer is gone
                pass

        # A server that a page leaves behind may hold the terminal: the shell's end is the end.
        reader = threading.Thread(target=pump, daemon=True)
        reader.start()
        shell.wait()
        deadline.cancel()
        reader.join(1)
        return b''.join(chunks).decode('utf-8', 'replace')

    def end(self):
        for folder, _, files in os.walk(self.home):
            if 'server.json' in files:
                subprocess.run([GYRE, 'server', 'stop', '--data', folder], env=self.environment, check=False, capture_output=True, timeout=60)
        shutil.rmtree(self.home, ignore_errors=True)


def failure(page, command, code, lines):
    said = '\n'.join('    ' + line for line in lines)
    if code is None:
        return f'{page}:{command.line}: did not end\n  $ {command.text}\n{said}'
    if code != 0:
        return f'{page}:{command.line}: ended with {code}\n  $ {command.text}\n{said}'
    difference = first_difference(command.expected, lines)
    return difference and f'{page}:{command.line}: printed something else\n  $ {command.text}\n  {difference}\n  in all:\n{said}'


def check_page(path, show=False):
    """The failures of a page, as text."""
    page, begin = os.path.relpath(path, SOURCE), time.monotonic()
    commands, left_out = commands_of(path)
    shell = Shell()
    try:
        results = shell.run(commands)
    finally:
        shell.end()
    failures = []
    for command, (code, lines) in zip(commands, results):
        if show:
            print(f'$ {command.text}\n' + '\n'.join(lines))
        failures.append(failure(page, command, code, lines))
    failures = [f for f in failures if f]
    if not failures and len(results) < len(commands):
        failures.append(f'{page}: only {len(results)} of {len(commands)} commands were run')
    for line, need in left_out:
        print(f'{page}:{line}: not run here, it needs {need}')
    if not commands and not left_out:
        failures.append(f'{page}: no command')
    print(f'{"FAILED" if failures else "ok"} {page}: {len(results)} commands in {time.monotonic() - begin:.1f} s')
    return failures


def main():
    arguments = sys.argv[1:]
    show = '--show' in arguments
    failures = []
    for path in [a for a in arguments if a != '--show']:
        failures += check_page(os.path.abspath(path), show)
    if not show:
        print('\n'.join(failures))
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
