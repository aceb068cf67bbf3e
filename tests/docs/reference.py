"""docs/commands and docs/settings.md are what this program writes, and the pages of docs lead to pages that are there."""
import filecmp
import os
import re
import tempfile

from harness import SOURCE, Gyre, run_scenarios

DOCS = os.path.join(SOURCE, 'docs')


def written_again(g):
    with tempfile.TemporaryDirectory() as folder:
        g.cli('help', '--markdown', folder)
        new = {os.path.relpath(os.path.join(d, f), folder) for d, _, files in os.walk(folder) for f in files}
        old = {'commands/' + f for f in os.listdir(os.path.join(DOCS, 'commands'))} | {'settings.md'}
        stale = [f for f in new & old if not filecmp.cmp(os.path.join(folder, f), os.path.join(DOCS, f), shallow=False)]
        assert not stale and new == old, f'`make docs` brings these up to date: {sorted(stale)} {sorted(new ^ old)}'


def links(_):
    """Of every page: a file that is there."""
    broken = []
    for folder, _, files in os.walk(DOCS):
        for name in [f for f in files if f.endswith('.md') and f != 'errors.md']:
            text = re.sub(r'```.*?```', '', open(os.path.join(folder, name), encoding='utf-8').read(), flags=re.S)
            for target in re.findall(r'\]\(([^)#\s]+)', text):
                if not target.startswith('http') and not os.path.exists(os.path.join(folder, target)):
                    broken.append(f'{name}: {target}')
    assert not broken, broken


def every_page_is_in_the_index_and_in_help(g):
    index = open(os.path.join(DOCS, 'README.md'), encoding='utf-8').read()
    listed = g.cli('help', 'topics').stdout
    for folder in ('', 'guide/'):
        for name in os.listdir(os.path.join(DOCS, folder)):
            if name.endswith('.md') and name != 'README.md':
                assert f'({folder}{name})' in index, f'docs/README.md does not name {folder}{name}'
                if name != 'errors.md':
                    stem = name[:-3].lower()
                    # A command of that name says its own help.
                    names = [asked for asked in (stem, f'docs/{folder}{stem}') if f'gyre help {asked} ' in listed]
                    assert len(names) == 1, (stem, listed)
                    assert open(os.path.join(DOCS, folder, name), encoding='utf-8').readline().strip('# \n') in g.cli('help', names[0]).stdout, names
                    assert len(g.cli('help', f'docs/{folder}{stem}').stdout) > 200, stem


def help_about_words(g):
    """A command first, and the page of its name is pointed at; a page else; a guess else."""
    assert 'gyre captures rows' in g.cli('help', 'captures').stdout
    assert 'gyre help docs/captures' in g.cli('help', 'captures').stdout
    assert g.cli('help', 'docs/captures').stdout.startswith('Captures and feedback\n')
    assert g.cli('help', 'first-model').stdout.startswith('A first model\n')
    both = g.cli('help', 'config').stdout  # a topic and a noun
    assert 'settings, each source' in both and 'gyre config show' in both
    wrong = g.cli('help', 'frist-model', check=False)
    assert wrong.returncode == 3 and 'gyre help first-model' in wrong.stderr, wrong.stderr
    found = g.cli('help', '--search', 'Quarantine').stdout
    assert 'gyre datasets quarantine' in found and 'gyre help own-data' in found, found
    assert g.cli('help', '--search', 'nosuchwordanywhere', check=False).returncode == 3
    page = g.cli('help', 'first-model', environment={'CLICOLOR_FORCE': '1', 'NO_COLOR': ''}).stdout
    assert '\x1b[1m' in page and '\x1b' not in g.cli('help', 'first-model').stdout


run_scenarios([written_again, links, every_page_is_in_the_index_and_in_help, help_about_words])
