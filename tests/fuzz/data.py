#!/usr/bin/env python3
"""Hostile and ordinary data for the modules that read it: asy must answer what CPython 3.13 answers, and end well.

data.py [--seconds N] [--seed N] [--env NAME=value]... TARGET BINARY

A batch is BATCH cases of cases/TARGET_cases.py (cases/run.py says how they are made), numbered from SEED * BATCH; CPython and the
binary run it side by side. Cases whose answers differ are printed with their inputs, as is the case at which a process died;
`cases/run.py TARGET NUMBER 1 show` repeats one. The closing line is `N passed, N failed`, counted in cases.
"""
import argparse
import glob
import os
import pathlib
import subprocess
import sys
import time

RUN = str(pathlib.Path(__file__).resolve().parent / 'cases/run.py')
BATCH = 2000
LIMIT = 300         # seconds for a batch
MOST = 12           # differing cases after which a run ends


def start(binary, *words, environment):
    return subprocess.Popen([binary, RUN, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, errors='backslashreplace', env=environment)


def finish(process):
    """(status, lines, errors); the status None: over the limit."""
    try:
        output, errors = process.communicate(timeout=LIMIT)
        return process.returncode, output.splitlines(), errors
    except subprocess.TimeoutExpired:
        process.kill()
        output, errors = process.communicate()
        return None, output.splitlines(), errors


def described(reference, target, number, environment):
    return finish(start(reference, target, number, 1, 'show', environment=environment))[1][0]


def death(binary, target, first, environment):
    """Where and how the process ends that did not come to its end: each case is printed before it runs."""
    status, lines, errors = finish(start(binary, target, first, BATCH, 'show', environment=environment))
    where = next((line for line in reversed(lines) if line != 'end'), 'before the first case')
    return f'{target}: {where}: status {status}\n{errors[-3000:]}'


def batch(options, reference, first, environment):
    """Texts of what is wrong, one for each case."""
    running = [start(binary, options.target, first, BATCH, environment=environment) for binary in (reference, options.binary)]
    (_, expected, complaint), (status, found, errors) = map(finish, running)
    if expected[-1:] != ['end']: sys.exit(f'CPython did not end: {complaint}')
    wrong = []
    for want, got in zip(expected, found):
        if want != got:
            number = want.split(' ')[0]
            wrong.append(f'{options.target} {described(reference, options.target, number, environment)}\n  CPython {want}\n  asy     {got}')
    if status or len(found) != len(expected): wrong.append(death(options.binary, options.target, first, environment))
    elif errors: wrong.append(f'{options.target} {first}: errors are written: {errors[-2000:]}')
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--seconds', type=float, default=60)
    parser.add_argument('--seed', type=int, default=1, help='the first batch; the next ones follow')
    parser.add_argument('--env', action='append', default=[])
    parser.add_argument('target')
    parser.add_argument('binary')
    options = parser.parse_args()
    environment = {'ASAN_OPTIONS': 'detect_leaks=0', **os.environ, 'TZ': 'UTC', 'PYTHONHASHSEED': '0', 'ASYHASHSEED': '0', 'PYTHONWARNINGS': 'ignore', 'ASYWARNINGS': 'ignore', **dict(pair.split('=', 1) for pair in options.env)}
    options.binary = os.path.abspath(options.binary)
    found = sorted(glob.glob(os.path.expanduser('~/.pyenv/versions/3.13*/bin/python3')))
    reference, end = (found or ['python3.13'])[-1], time.monotonic() + options.seconds
    passed, failed, seed = 0, 0, options.seed
    while failed < MOST and (time.monotonic() < end or seed == options.seed):
        wrong = batch(options, reference, seed * BATCH, environment)
        for text in wrong[:MOST]: print(text, flush=True)
        failed += len(wrong)
        passed += BATCH - len(wrong)
        seed += 1
    print(f'{passed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
