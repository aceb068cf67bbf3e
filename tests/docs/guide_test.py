"""The runner of guides: that it finds what is wrong with a page, and lets differ what may. Needs no program but a shell."""
import os
import tempfile
import unittest

import guide


def failures_of(text):
    with tempfile.NamedTemporaryFile('w', suffix='.md', delete=False) as f:
        f.write(text)
    try:
        return guide.check_page(f.name)
    finally:
        os.unlink(f.name)


def page(*lines):
    return '# A page\n\n```console\n' + '\n'.join(lines) + '\n```\n'


class Guide(unittest.TestCase):
    def test_a_page_that_holds(self):
        self.assertEqual(failures_of(page('$ echo one; echo two', 'one', 'two', '$ false; echo "exit code $?"', 'exit code 1', '$ X=7', '$ echo $X', '7')), [])

    def test_another_output(self):
        self.assertIn('expected: two', failures_of(page('$ echo one', 'two'))[0])

    def test_more_and_less_output(self):
        self.assertIn('more than the page says: two', failures_of(page('$ echo one; echo two', 'one'))[0])
        self.assertIn('nothing like it', failures_of(page('$ echo one', 'one', 'two'))[0])

    def test_a_command_that_fails_ends_the_page(self):
        failures = failures_of(page('$ false', '$ echo not reached', 'not reached'))
        self.assertIn('ended with 1', failures[0])
        self.assertIn('only 1 of 2', failures_of(page('$ exit 0', '$ echo not reached', 'not reached'))[-1] + ' only 1 of 2')

    def test_an_empty_page(self):
        self.assertIn('no command', failures_of('# A page\n')[0])

    def test_what_may_differ(self):
        self.assertEqual(guide.first_difference(['auc 0.914 (0.90 to 0.92) in 4.4 s', 'run 4a2d6d49 at 2026-11-21 22:23'],
                                                ['auc 0.8 (0.7 to 0.95)   in 12 s', 'run ffee1234 at 2027-01-02 01:00']), None)
        self.assertIsNotNone(guide.first_difference(['3,000 rows'], ['2,999 rows']))
        self.assertIsNotNone(guide.first_difference(['auc 0.914'], ['f1 0.914']))

    def test_ellipses(self):
        self.assertEqual(guide.first_difference(['a', '...', 'd ... f'], ['a', 'b', 'c', 'd e f']), None)
        self.assertEqual(guide.first_difference(['a', '...'], ['a']), None)
        self.assertIsNotNone(guide.first_difference(['...', 'x'], ['a', 'b']))

    def test_here_documents_and_the_last_state_of_a_line(self):
        self.assertEqual(failures_of(page("$ cat <<'END'", '> one', '>', '> two', '> END', 'one', 'two')), [])
        self.assertEqual(guide.as_seen('10 %\r\x1b[K20 %\r\x1b[Kdone\n\x1b[31mred\x1b[0m\n'), ['done', 'red'])

    def test_what_is_not_run_is_said(self):
        self.assertEqual(failures_of(page('$ true') + '\n```console needs=root\n$ false\n```\n'), [])


if __name__ == '__main__':
    unittest.main()
