"""The checkers must fail on a house that breaks the rules: each case plants one breach and looks for its line."""
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))


def house(files):
    folder = tempfile.TemporaryDirectory()
    for path, text in files.items():
        full = os.path.join(folder.name, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        open(full, 'w').write(text)
    return folder


def run(tool, files, *options):
    with house(files) as root:
        done = subprocess.run([sys.executable, os.path.join(ROOT, 'tools', tool), '--root', root, *options], capture_output=True, text=True)
        return done.returncode, done.stdout


SOUND = {
    'src/base/CMakeLists.txt': 'gyre_module(base SOURCES a.cc PUBLIC a.h)',
    'src/base/a.h': '#pragma once\n', 'src/base/a.cc': '#include "base/a.h"\n', 'src/base/README.md': '# base\n',
    'src/ml/data/CMakeLists.txt': 'gyre_module(ml/data SOURCES d.cc PUBLIC d.h DEPS base)',
    'src/ml/data/d.h': '#include "base/a.h"\n', 'src/ml/data/d.cc': '#include "ml/data/d.h"\n', 'src/ml/data/inner.h': '', 'src/ml/data/README.md': '# data\n',
}


class Floors(unittest.TestCase):
    def breach(self, files, text):
        code, out = run('floors', {**SOUND, **files})
        self.assertEqual(code, 1, out)
        self.assertIn(text, out)

    def test_sound_house_passes(self):
        self.assertEqual(run('floors', SOUND)[0], 0)

    def test_upward(self):
        self.breach({'src/base/a.cc': '#include "ml/data/d.h"\n'}, 'upward')

    def test_undeclared(self):
        self.breach({'src/ml/tracking/CMakeLists.txt': 'gyre_module(ml/tracking SOURCES t.cc)', 'src/ml/tracking/t.cc': '#include "base/a.h"\n'}, 'not in DEPS')

    def test_private_header(self):
        self.breach({'src/ml/registry/CMakeLists.txt': 'gyre_module(ml/registry SOURCES r.cc DEPS ml/data base)', 'src/ml/registry/r.cc': '#include "ml/data/inner.h"\n'}, 'is private')

    def test_same_step(self):
        self.breach({'src/ml/tracking/CMakeLists.txt': 'gyre_module(ml/tracking SOURCES t.cc DEPS ml/data)', 'src/ml/tracking/t.cc': '#include "ml/data/d.h"\n'}, 'stands on step')

    def test_cli_knows_no_domain(self):
        self.breach({'src/cli/CMakeLists.txt': 'gyre_module(cli SOURCES c.cc DEPS ml/data)', 'src/cli/c.cc': '#include "ml/data/d.h"\n'}, 'no domain module')


class Tidy(unittest.TestCase):
    def breach(self, files, text):
        code, out = run('tidy', {**SOUND, **files})
        self.assertEqual(code, 1, out)
        self.assertIn(text, out)

    def test_sound_house_passes(self):
        code, out = run('tidy', SOUND)
        self.assertEqual(code, 0, out)

    def test_drawer(self):
        self.breach({'src/base/utils.h': ''}, 'drawer')

    def test_wall(self):
        self.breach({'src/ml/data/d.cc': '#include <sqlite3.h>\n'}, 'behind its wall')

    def test_banned_call(self):
        self.breach({'src/ml/data/d.cc': 'void F() { throw 1; }\n'}, '`throw` is banned')

    def test_comment_is_no_code(self):
        self.assertEqual(run('tidy', {**SOUND, 'src/ml/data/d.cc': '// never throw here\n'})[0], 0)

    def test_long_function(self):
        self.breach({'src/ml/data/d.cc': 'void F(int a) {\n' + '  a;\n' * 200 + '}\n'}, 'a function of')

    def test_long_function_with_a_wrapped_head(self):
        self.breach({'src/ml/data/d.cc': 'Result<> F(int a,\n           int b) {\n' + '  a;\n' * 61 + '}\n'}, 'd.cc:1: a function of')

    def test_long_function_in_a_class(self):
        self.breach({'src/ml/data/d.cc': 'class A {\n  void F() {\n' + '    a;\n' * 61 + '  }\n};\n'}, 'd.cc:2: a function of')

    def test_a_table_and_a_namespace_are_no_function(self):
        table = 'constexpr int kRows[] = {\n' + '    1,\n' * 100 + '};\n'
        text = 'namespace gyre {\n' + table + 'constexpr char kText[] = R"(\n' + '  a\n' * 100 + ')";\n}  // namespace gyre\n'
        self.assertEqual(run('tidy', {**SOUND, 'src/ml/data/d.cc': text})[0], 0)

    def test_long_line(self):
        self.breach({'src/ml/data/d.cc': '// ' + 'a' * 98 + '\n'}, '101 columns')
        self.assertEqual(run('tidy', {**SOUND, 'src/ml/data/d.cc': 'F(R"(' + 'a' * 98 + ')");\n'})[0], 0)

    def test_readme(self):
        files = {k: v for k, v in SOUND.items() if k != 'src/ml/data/README.md'}
        code, out = run('tidy', files)
        self.assertEqual(code, 1)
        self.assertIn('has a README.md', out)

    def test_unbuilt_source(self):
        self.breach({'src/ml/data/lost.cc': ''}, 'is built nowhere')


class ErrorCodes(unittest.TestCase):
    def check(self, files):
        return run('error_codes', files, '--check')

    def test_one_code_for_two_errors(self):
        code, out = self.check({'src/base/a.cc': 'F("GY9901", "there is no dog");\n', 'src/base/b.cc': 'F("GY9901", "the cat is late");\n'})
        self.assertEqual(code, 1, out)
        for text in ('GY9901 is worded differently', 'src/base/a.cc: there is no dog', 'src/base/b.cc: the cat is late'):
            self.assertIn(text, out)

    def test_the_same_words_in_two_files_are_one_error(self):
        self.assertEqual(self.check({f'src/base/{name}.cc': 'F("GY9901", "there is no dog");\n' for name in 'ab'}), (0, ''))

    def test_what_only_tests_use_raises_nothing(self):
        self.assertEqual(self.check({'src/base/a.cc': 'F("GY9901", "there is no dog");\n', 'src/base/testing/b.h': 'F("GY9901", "x");\n'}), (0, ''))

    def test_an_exception_that_nothing_needs(self):
        code, out = self.check({'src/base/a.cc': 'F("GY1003", "the disk is full");\n'})
        self.assertEqual((code, out), (1, 'GY1003 needs no line in SHARED\n'))


class Deps(unittest.TestCase):
    """Debian packages go by name; what is recorded beside is only compared."""
    RECORDED = '# package version SHA-256\ncmake 3.25.1-1 aa\nlibssl-dev 3.0.22-1~deb12u2 bb\ngit 1:2.39.5-0+deb12u3 cc\n'

    def said(self, installed):
        answers = ''.join(f"    {package}) echo 'install ok installed {version}' ;;\n" for package, version in installed.items())
        fakes = {'bin/dpkg-query': f'#!/bin/sh\nfor last; do :; done\ncase $last in\n{answers}    *) exit 1 ;;\nesac\n', 'bin/sudo': '#!/bin/sh\n"$@"\n',
                 'bin/apt-get': '#!/bin/sh\necho "apt-get $*"\n'}
        with open(os.path.join(ROOT, 'tools', 'deps')) as script, house({**fakes, 'tools/deps': script.read(), 'deps/debian-check.txt': self.RECORDED}) as root:
            for name in fakes:
                os.chmod(os.path.join(root, name), 0o755)
            path = os.path.join(root, 'bin') + ':' + os.environ['PATH']
            done = subprocess.run(['bash', os.path.join(root, 'tools', 'deps'), 'check'], capture_output=True, text=True,
                                  env={**os.environ, 'PATH': path, 'GYRE_DEPS_DIR': os.path.join(root, 'cache')})
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout + done.stderr

    def test_what_is_recorded_says_nothing(self):
        self.assertEqual(self.said({'cmake': '3.25.1-1', 'libssl-dev': '3.0.22-1~deb12u3', 'git': '1:2.39.5-0+deb12u9'}), '', "Debian's own revision does not matter")

    def test_another_version_is_one_line_and_no_error(self):
        said = self.said({'cmake': '3.31.0-2', 'libssl-dev': '3.0.19-1~deb12u2', 'git': '1:2.39.5-0+deb12u3'})
        self.assertEqual(said, 'deps: other versions than in deps/debian-check.txt: cmake 3.31.0-2 (recorded: 3.25.1-1), libssl-dev 3.0.19-1~deb12u2 (recorded: 3.0.22-1~deb12u2)\n')

    def test_what_is_missing_is_installed_by_name(self):
        said = self.said({'cmake': '3.25.1-1', 'libssl-dev': '3.0.22-1~deb12u2'})
        self.assertIn('installing 1 Debian packages: git\n', said)
        self.assertIn('--no-install-recommends git\n', said)


if __name__ == '__main__':
    unittest.main()
