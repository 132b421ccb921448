#!/usr/bin/env python3
"""Print the manual page asy(1), made from `asy --help`: man.py ASY [ARG...] > docs/asy.1

tests/cli compares docs/asy.1 with what this prints.
"""
import re
import subprocess
import sys

ABOUT = '''asy runs programs in the syntax of Python 3.13. Tasks, timers and streams of asyncio are part of the runtime, and a program
may await outside functions. Without a file, asy reads standard input, or prompts when that is a terminal.'''

EXAMPLES = [('asy server.asy', 'Run a script.'),
            ('asy -c "import asyncio; await asyncio.sleep(1)"', 'Run a line of text.'),
            ('asy --virtual-time --seed 7 test.asy', 'Run a test without waiting, in an order that can be repeated.'),
            ('asy --completions bash > /etc/bash_completion.d/asy', 'Install completions.')]


def escape(text):
    text = text.replace('\\', r'\e').replace('-', r'\-')
    return re.sub(r"^([.'])", r'\\&\1', text)


def bold(text):
    """Options and names in bold, arguments in italics."""
    words = []
    for word in text.split(' '):
        style = 'I' if re.fullmatch(r'\[?[A-Z=\[\]]{1,}', word) else 'B'
        words.append(f'\\f{style}{escape(word)}\\fR')
    return ' '.join(words)


def sections(text):
    """(usage lines, [(title, [(term, description)] or text)]) of a help text."""
    usage, *rest = text.split('\n\n')
    found = []
    for block in rest:
        title, *lines = block.rstrip('\n').split('\n')
        rows = [re.fullmatch(r'  (\S.*?)  +(\S.*)', line) for line in lines]
        found.append((title.rstrip(':'), [row.groups() for row in rows] if all(rows) else ' '.join(map(str.strip, lines))))
    return usage.removeprefix('usage: ').split('\n'), found


def page(help_text, version):
    usage, rest = sections(help_text)
    yield f'.TH ASY 1 "" "{version}" "User Commands"'
    yield '.SH NAME'
    yield r'asy \- run programs in the syntax of Python, with asyncio as part of the runtime'
    yield '.SH SYNOPSIS'
    for line in usage:
        command = re.split(r'   +', line.strip())[0]
        yield f'.B asy\n{bold(command.removeprefix("asy "))}\n.br'
    yield '.SH DESCRIPTION'
    yield escape(ABOUT)
    for title, content in rest:
        yield f'.SH {title.upper()}'
        if isinstance(content, str):
            yield escape(content)
            continue
        for term, description in content:
            yield f'.TP\n{bold(term)}\n{escape(description)}'
    yield '.SH EXAMPLES'
    for command, description in EXAMPLES:
        yield f'.TP\n\\fB{escape(command)}\\fR\n{escape(description)}'
    yield '.SH SEE ALSO\n\\fBpython3\\fR(1); docs/cli.md and docs/repl.md in the sources'


def main(asy):
    def ask(option):
        return subprocess.run([*asy, option], check=True, capture_output=True, text=True).stdout
    print('\n'.join(page(ask('--help'), ask('--version').strip())))


if __name__ == '__main__':
    main(sys.argv[1:])
