#!/usr/bin/env python3
"""Random regular expressions on random texts: asy must find what CPython 3.13 finds, and raise the errors it raises.

patterns.py [--seconds N] [--seed N] [--batches N] BINARY...

A batch is PATTERNS patterns made from a seed, each with some texts; a program prints every match, with its groups, and every
error's text. Cases that differ are printed. The closing line is `N passed, N failed`, counted in patterns.

Some sorts of patterns are only survived (docs/library/text.md): those that repeat what can match the empty text (how often the turn
that matches nothing is taken, and what its groups hold, differs), that repeat references, have groups in look-aheads, atomic groups or
possessive repetitions, or ask in a group for that group (CPython reads marks of branches and turns that failed), that begin with a
flag (?a: or (?u: (CPython's search does not see it), and those with sets that name letters beyond U+FFFF.
"""
import argparse
import glob
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time
import warnings
from re import _parser

PATTERNS = 400   # in one batch
TEXTS = 6        # for each pattern
LIMIT = 120      # seconds for one run of a batch

PROGRAM = '''import re, sys
def show(m):
    return m and (m.span(), m.groups(), m.regs, m.lastindex)
def attempt(p, t):
    for name in ('search', 'match', 'fullmatch'):
        yield show(getattr(p, name)(t))
    yield show(p.search(t, 1, 5))
    yield [show(m) for m in p.finditer(t)]
    yield p.findall(t)
    yield p.split(t)
    yield p.subn(lambda m: m[0] + m[0][:0], t)
for number, (pattern, flags, texts, loose) in enumerate(CASES):
    try:
        p = re.compile(pattern, flags)
    except (re.error, OverflowError, ValueError) as e:
        print(number, type(e).__name__, e, getattr(e, 'pos', 0))
        continue
    try: found = [ascii(list(attempt(p, t))) for t in texts]
    except (RuntimeError, SystemError): found = 'wrong span'   # CPython finds spans that end before they begin
    print(number, ascii(p), p.groups, dict(p.groupindex), found if not loose else 'survived')
'''

LETTERS = ['a', 'b', 'c', 'A', 'B', '1', ' ', '_', '-', '\n', 'é', 'É', 'µ', 'ſ', 's', 'k', '\u212a', 'i', 'ı', 'я', 'Я', 'ß',
           '\U00010400', '\U00010428', '\x1c', '\xa0', '٣']
ESCAPES = [r'\w', r'\W', r'\d', r'\D', r'\s', r'\S', r'\n', r'\.', r'\x61', r'\141', '.']
PLACES = ['^', '$', r'\A', r'\Z', r'\b', r'\B']
COUNTS = ['*', '+', '?', '{2}', '{1,2}', '{,2}', '{0}', '{2,}']
SCOPES = ['i', 's', 'm', 'a', '-i', 'i-s', 'u', 'x']
RUBBISH = ['(', ')', '[', ']', '*', '+', '?', '{', '}', '|', '\\', '(?', '(?P<', '(?P=a)', '(?<', '(?(', r'\8', r'\q', '{1', '[z-a]', '(?i)']


CLOSED = 'ASSERT', 'ATOMIC_GROUP', 'POSSESSIVE_REPEAT'


def differs(tree, repeated=False, closed=False, opened=()):
    """Whether a part of a parsed pattern is of a sort that differs on purpose: `closed`, in a look-ahead or atomic group; `opened`: the groups around it."""
    for operation, operand in tree:
        name = str(operation)
        repeats = name.endswith('_REPEAT') and operand[1] > 1
        if repeats and operand[2].getwidth()[0] == 0: return True
        if name == 'IN' and any(str(kind) in ('LITERAL', 'RANGE') and '\uffff' < chr(c[1] if str(kind) == 'RANGE' else c) for kind, c in operand): return True
        if repeated and name.startswith('GROUPREF') or name == 'GROUPREF_EXISTS' and operand[0] in opened: return True
        group = name == 'SUBPATTERN' and operand[0]
        if closed and group: return True
        inside = operand[1] if name == 'BRANCH' else operand if isinstance(operand, (tuple, list)) else [operand]
        if any(isinstance(part, _parser.SubPattern) and differs(part, repeated or repeats, closed or name in CLOSED, (*opened, group)) for part in inside): return True
    return False


def begins_with_flag(tree):
    while tree and str(tree[0][0]) == 'SUBPATTERN':
        if tree[0][1][1] & (re.ASCII | re.UNICODE): return True
        tree = tree[0][1][3]
    return False


def is_loose(pattern, flags):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            tree = _parser.parse(pattern, flags)
            return begins_with_flag(tree) or differs(tree)
    except (re.error, OverflowError, ValueError):
        return False


class Maker:
    def __init__(self, seed, is_text):
        self.random = random.Random(seed)
        self.is_text = is_text
        self.letters = LETTERS if is_text else [c for c in LETTERS if c < '\x80'] + ['\xe9', '\xff']
        self.groups = 0
        self.names = 0
        self.closed = []

    def pick(self, *choices):
        return self.random.choice(choices)

    def letter(self):
        return self.random.choice(self.letters[:6] if self.random.random() < 0.7 else self.letters)

    def member(self):
        roll = self.random.random()
        if roll < 0.5:
            return self.letter().replace('-', r'\-')
        if roll < 0.75:
            return self.pick('a-c', 'A-C', '0-9', ' -~', 'b-b', '\\x00-\\x7f') if not self.is_text or self.random.random() < 0.7 else self.pick('à-ÿ', 'а-я', 'Z-я')
        return self.pick(r'\w', r'\W', r'\d', r'\s', r'\S', r'\D', '.', '^')

    def atom(self, depth):
        roll = self.random.random()
        if depth <= 0 or roll < 0.45:
            return self.letter()
        if roll < 0.55:
            return self.random.choice(ESCAPES)
        if roll < 0.65:
            members = ''.join(self.member() for _ in range(self.random.randint(1, 3)))
            return '[' + self.pick('', '', '^') + (members if members[0] != '^' else '\\' + members) + ']'
        if roll < 0.70 and self.closed:
            return '\\%d(?:)' % self.random.choice(self.closed)
        return self.group(depth)

    def group(self, depth):
        kind = self.random.randrange(10)
        if kind < 4:
            self.groups += 1
            number = self.groups
            inside = self.branches(depth - 1)
            self.closed.append(number)
            if self.random.random() < 0.2:
                self.names += 1
                return f'(?P<n{self.names}>{inside})'
            return f'({inside})'
        inside = self.branches(depth - 1)
        if kind == 4:
            return f'(?{self.pick("=", "!")}{inside})'
        if kind == 5:
            return f'(?<{self.pick("=", "!")}{self.letter()}{self.pick("", self.letter())})'
        if kind == 6:
            return f'(?>{inside})'
        if kind == 7:
            return f'(?{self.random.choice(SCOPES if self.is_text else SCOPES[:-2])}:{inside})'
        if kind == 8 and self.groups:
            return f'(?({self.random.randint(1, self.groups)}){self.sequence(depth - 1)}|{self.sequence(depth - 1)})'
        return f'(?:{inside})'

    def sequence(self, depth):
        parts = []
        for _ in range(self.random.randint(0 if self.random.random() < 0.1 else 1, 3)):
            if self.random.random() < 0.1:
                parts.append(self.random.choice(PLACES))
                continue
            parts.append(self.atom(depth))
            if self.random.random() < 0.35:
                parts.append(self.random.choice(COUNTS) + self.pick('', '', '', '?', '+'))
        return ''.join(parts)

    def branches(self, depth):
        return '|'.join(self.sequence(depth) for _ in range(self.pick(1, 1, 1, 2, 3)))

    def case(self):
        self.groups = self.names = 0
        self.closed = []
        pattern = self.branches(3)
        if self.random.random() < 0.1:
            at = self.random.randint(0, len(pattern))
            pattern = pattern[:at] + self.random.choice(RUBBISH) + pattern[at:]
        flags = sum(bit for bit in (2, 8, 16, 256) if self.random.random() < 0.2)
        texts = [''.join(self.letter() for _ in range(self.random.randint(0, 9))) for _ in range(TEXTS)]
        if not self.is_text:
            pattern, texts = pattern.encode('latin-1'), [text.encode('latin-1') for text in texts]
        return pattern, flags, texts, is_loose(pattern, flags)


def run(binary, path):
    try:
        done = subprocess.run([binary, path], capture_output=True, timeout=LIMIT, text=True, errors='backslashreplace')
    except subprocess.TimeoutExpired:
        return ['timeout']
    lines = done.stdout.splitlines()
    return lines + ([f'exit {done.returncode}: {done.stderr[-600:]}'] if done.returncode else [])


def check(seed, options, reference):
    maker = Maker(seed, is_text=seed % 4 != 0)
    cases = [maker.case() for _ in range(PATTERNS)]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'program.py')
        pathlib.Path(path).write_text('# -*- coding: utf-8 -*-\nCASES = ' + ascii(cases) + '\n' + PROGRAM, 'utf-8')
        expected = run(reference, path)
        if expected == ['timeout']: return None   # a pattern that takes CPython for ever
        failed = 0
        for binary in options.binaries:
            found = run(binary, path)
            for i in range(max(len(expected), len(found))):
                want, got = (lines[i] if i < len(lines) else 'nothing' for lines in (expected, found))
                if want == got or 'wrong span' in want:
                    continue
                failed += 1
                same = len(os.path.commonprefix([want, got]))
                start = max(0, same - 60)
                print(f'seed {seed}: {ascii(cases[i]) if i < len(cases) else ""}\n  expected {want[start:same + options.show]}\n'
                      f'  {binary} {got[start:same + options.show]}', flush=True)
                if got == 'nothing' or got.startswith('exit'):
                    break
        return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--seconds', type=float, default=60)
    parser.add_argument('--seed', type=int, default=1, help='the first batch; the next ones follow')
    parser.add_argument('--batches', type=int, default=10**6)
    parser.add_argument('--show', type=int, default=150, help='characters shown where a result differs')
    parser.add_argument('binaries', nargs='+')
    options = parser.parse_args()
    found = sorted(glob.glob(os.path.expanduser('~/.pyenv/versions/3.13*/bin/python3')))
    reference, end = (found or ['python3.13'])[-1], time.monotonic() + options.seconds
    failed = batches = 0
    for seed in range(options.seed, options.seed + options.batches):
        wrong = check(seed, options, reference)
        if wrong is not None:
            failed += wrong
            batches += 1
        if time.monotonic() > end:
            break
    print(f'{batches * PATTERNS - failed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
