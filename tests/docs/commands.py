"""Every command that a page of docs/ or the README names is one of this program, with those options and no argument too many: it is read with --help, so nothing of
it is carried out. The commands of docs/guide and of other pages' ```console blocks are run as well (guide.py)."""
import os
import re
import shlex
import subprocess

from harness import GYRE, SOURCE, run_scenarios

DOCS = os.path.join(SOURCE, 'docs')
ENDS = {'|', '||', '&&', ';', '>', '>>', '2>', '<', '&'}


def pages():
    yield os.path.join(SOURCE, 'README.md')
    for folder in (DOCS, os.path.join(DOCS, 'guide')):
        for name in sorted(os.listdir(folder)):
            # That of errors is written from messages: prose, too.
            if name.endswith('.md') and name != 'errors.md':
                yield os.path.join(folder, name)


def places(text):
    """(line number, text) of whatever may hold commands: code spans, fenced and indented lines."""
    fenced = None
    joined = ''
    for number, line in enumerate(text.split('\n'), 1):
        if line.startswith('```'):
            fenced = None if fenced is not None else line[3:].split(' ')[0]
            continue
        if fenced is not None or line.startswith('    '):
            code = joined + line.strip().removeprefix('$ ')
            joined = code[:-1] if code.endswith('\\') else ''
            # What a program prints may look like a command; only what is typed counts.
            if not joined and (fenced != 'console' or line.startswith('$ ')):
                yield number, code
            continue
        for span in re.findall(r'`([^`]+)`', line):
            yield number, span


def words_of(code):
    """The gyre commands of a line, each as its words; without what a shell does with them."""
    code = re.split(r'(?:^|\s)#(?:\s|$)|\s{3,}', code)[0]
    try:
        lexer = shlex.shlex(code, posix=True, punctuation_chars='|&;<>()')
        lexer.whitespace_split, lexer.commenters = True, ''
        words = list(lexer)
    except ValueError:
        return  # a quote that goes on in the next line
    command = None
    for word in words + [';']:
        if word in ENDS or set(word) <= set('|&;<>()'):
            if command:
                yield command
            command = None
        elif command is not None and (command or word != 'gyre'):  # sudo -u gyre gyre
            command.append(word)
        elif word == 'gyre':
            command = []
        elif '=' not in word and word not in ('sudo', 'env', 'exec', 'nohup', 'time'):
            command = None


def alternatives(words):
    """`--check|--dry-run` and `[FILE]`: each that a reader could type."""
    text = [re.sub(r'^\[+|\]+$', '', word) for word in words]
    return [word.split('|')[0] for word in text if word and word != '...']


def known_commands():
    rows = re.findall(r'^\| \[`gyre ([^`]+)`\]', open(os.path.join(DOCS, 'commands', 'README.md'), encoding='utf-8').read(), flags=re.M)
    return {tuple(row.split()) for row in rows}


def wrong(g, words, known):
    """What the program says about it, or None."""
    if not words or words[0].startswith('-') or words[0] == 'help' or not re.fullmatch(r'[a-z-]+', words[0]):
        return None
    verb = next((n for n in (3, 2) if tuple(words[:n]) in known), 1)  # a bare noun is its list
    done = subprocess.run([GYRE, *words[:verb], '--help', *words[verb:]], capture_output=True, text=True, env=g.environment, cwd=g.work, timeout=30, check=False)
    # "`gyre cost --by`": of an option that is only named, the value may be missing.
    only_named = words[-1].startswith('-') and 'GY4004' in done.stderr
    return None if done.returncode == 0 or only_named else done.stderr.strip()


def every_command_of_the_pages(g):
    known, seen, problems = known_commands(), set(), []
    for path in pages():
        text = open(path, encoding='utf-8').read()
        for number, code in places(text):
            for words in words_of(code):
                words = alternatives(words)
                if tuple(words) in seen:
                    continue
                said = wrong(g, words, known)
                if said is None:
                    seen.add(tuple(words))
                else:
                    problems.append(f'{os.path.relpath(path, SOURCE)}:{number}: gyre {" ".join(words)}\n  {said}')
    assert not problems, '\n'.join(problems)
    assert len(seen) > 150, len(seen)
    assert not os.path.exists(g.data), 'nothing is carried out'
    print(f'{len(seen)} commands of the pages')


if __name__ == '__main__':
    run_scenarios([every_command_of_the_pages])
