#!/usr/bin/env python3
"""Run the examples of README.md and docs/*.md: docs.py ASY [ARG...]

A page's examples share one temporary folder and run in order. In a ```python block, comments say what must be printed:

    print(1 + 1)        # prints: 2
    # prints:           (alone on its line: the comments below it are the lines)
    # one
    # two

All of them in a block, in the order of the text, are its whole output. A block without one is not run.
`# file: NAME` as the first line saves the block in the folder, for the commands below it.
In a ```sh block, lines `$ asy ...` are run in the folder and what follows up to the next `$` is the output; a line
`...` stands for any number of lines. Other commands are not run: an example of ./dev would run this test again.
"""
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BLOCK = re.compile(r'^```(python|sh)\n(.*?)^```$', re.MULTILINE | re.DOTALL)


def expected_output(block):
    """The lines a python block says it prints, or None when it says nothing."""
    said, listing = None, False
    for line in block.splitlines():
        inline = re.search(r'#\s*prints:\s*(.*)$', line)
        if inline:
            said = said or []
            listing = not inline[1] and line.lstrip().startswith('#')
            if not listing:
                said.append(inline[1])
        elif listing and line.lstrip().startswith('#'):
            said.append(re.sub(r'^\s*# ?', '', line))
        else:
            listing = False
    return said


def run(asy, arguments, folder):
    done = subprocess.run([*asy, *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=30)
    return done.stdout.decode('utf-8', 'backslashreplace').rstrip('\n').replace(f'{folder}/', '')


def matches(expected, printed):
    pattern = ''.join(r'(?:.*\n)*?' if line == '...' else re.escape(f'{line}\n') for line in expected)
    return re.fullmatch(pattern, f'{printed}\n' if printed else '') is not None


def commands(block):
    """The (command, expected lines) of a sh block."""
    found = []
    for line in block.splitlines():
        if line.startswith('$ '):
            found.append((line[2:], []))
        elif found:
            found[-1][1].append(line)
    return found


def complaints(page, asy, folder):
    """(number of examples run, what is wrong with them)."""
    ran, wrong = 0, []
    text = page.read_text('utf-8')
    for number, match in enumerate(BLOCK.finditer(text)):
        language, block = match.groups()
        place = f'{page.relative_to(ROOT)}:{text[:match.start()].count(chr(10)) + 1}'
        examples = []
        if language == 'python':
            name = re.match(r'#\s*file:\s*(\S+)', block)
            file = folder / (name[1] if name else f'block{number}.asy')
            file.write_text(block, 'utf-8')
            expected = expected_output(block)
            if expected is not None:
                examples.append(([file.name], expected))
        else:
            examples += [(shlex.split(line)[1:], expected) for line, expected in commands(block) if line.startswith('asy ')]
        for arguments, expected in examples:
            ran += 1
            printed = run(asy, arguments, folder)
            if not matches(expected, printed):
                wrong.append(f'{place}: expected\n' + '\n'.join(expected) + f'\nprinted\n{printed}')
    return ran, wrong


def main(asy):
    ran, wrong = 0, []
    for page in [ROOT / 'README.md', *sorted((ROOT / 'docs').rglob('*.md'))]:
        with tempfile.TemporaryDirectory() as folder:
            more, found = complaints(page, asy, pathlib.Path(folder).resolve())
            ran, wrong = ran + more, wrong + found
    print('\n\n'.join(wrong) or f'{ran} examples print what their page says')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
