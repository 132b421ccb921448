#!/usr/bin/env python3
"""Compile every .py file of CPython 3.13's library with asy: corpus.py ASY

What CPython accepts must compile; what CPython refuses must be refused, on the same line. Exits 77 (skipped) where no CPython
3.13 is found. Programs for the differences in trees and messages: tests/parse_corpus.py.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

# What differs, and why: path below the library.
KNOWN = {
    'test/encoded_modules/module_koi8_r.py': 'only UTF-8, Latin-1 and ASCII sources are decoded',
    'turtledemo/clock.py': 'only UTF-8, Latin-1 and ASCII sources are decoded',
    'test/encoded_modules/module_iso_8859_1.py': 'only UTF-8, Latin-1 and ASCII sources are decoded',
}

# Run by CPython: prints `path<TAB>line` of each listed file that it refuses.
REFERENCE = '''
import sys, warnings
warnings.simplefilter("ignore")
for path in open(sys.argv[1], encoding="utf-8").read().splitlines():
    try:
        with open(path, "rb") as file:
            compile(file.read(), path, "exec", dont_inherit=True)
    except SyntaxError as error:
        print(path, error.lineno or 0, sep="\\t")
    except ValueError:
        print(path, 0, sep="\\t")
'''


def cpython313():
    candidates = [os.environ.get('ASY_CPYTHON'), 'python3.13', os.path.expanduser('~/.pyenv/versions/3.13.0/bin/python3')]
    candidates += sorted(map(str, pathlib.Path.home().glob('.pyenv/versions/3.13*/bin/python3')))
    for name in filter(None, candidates):
        path = shutil.which(name)
        check = [path, '-c', 'import sys; sys.exit(sys.version_info[:2] != (3, 13))']
        if path and subprocess.run(check, stderr=subprocess.DEVNULL).returncode == 0:
            return path
    return None


def refused_by_cpython(python, listing):
    result = subprocess.run([python, '-I', '-c', REFERENCE, listing], capture_output=True, text=True, check=True)
    rows = (line.rsplit('\t', 1) for line in result.stdout.splitlines())
    return {path: int(line) for path, line in rows}


def refused_by_asy(asy, listing):
    """Path to (line, message), and how many files were read."""
    result = subprocess.run([asy, '--parse-bench', listing], capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f'asy --parse-bench ended with status {result.returncode}\n{result.stderr}')
    *rows, summary = result.stdout.splitlines()
    refused = {}
    for row in rows:
        path, line, message = row.split(':', 2)
        refused[path] = int(line), message.strip()
    return refused, int(summary.split()[0])


def main(asy):
    python = cpython313()
    if not python:
        print('skipped: no CPython 3.13 is here')
        return 77
    where = subprocess.run([python, '-I', '-c', 'import os; print(os.path.dirname(os.__file__))'], capture_output=True, text=True)
    library = pathlib.Path(where.stdout.strip())
    files = [path for path in sorted(library.rglob('*.py')) if 'site-packages' not in path.parts]
    with tempfile.TemporaryDirectory() as folder:
        listing = pathlib.Path(folder) / 'files'
        listing.write_text(''.join(f'{path}\n' for path in files), 'utf-8')
        ours, count = refused_by_asy(asy, str(listing))
        theirs = refused_by_cpython(python, str(listing))
    wrong = [f'{len(files) - count} files were not read'] if count != len(files) else []
    for path in sorted(ours.keys() | theirs.keys()):
        name = pathlib.Path(path).relative_to(library).as_posix()
        if name in KNOWN:
            continue
        line, message = ours.get(path, (None, 'accepted'))
        # A file that is no text at all has no line in CPython's message.
        if path not in theirs:
            wrong.append(f'{name}: CPython accepts it; asy says, line {line}: {message}')
        elif path not in ours:
            wrong.append(f'{name}: CPython refuses it at line {theirs[path]}; asy accepts it')
        elif theirs[path] and line != theirs[path]:
            wrong.append(f'{name}: CPython refuses it at line {theirs[path]}; asy at line {line}: {message}')
    print('\n'.join(wrong) or f'{len(files)} files: the {len(theirs)} that CPython refuses are refused, the others compile')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
