#!/usr/bin/env python3
"""Random valid programs: asy must print what CPython 3.13 prints, and never crash.

programs.py [--seconds N] [--seed N] [--batches N] [--env NAME=value]... BINARY...

Each batch is one script of PROGRAMS small functions, made from a seed; every one prints what it computes and the type and
text of the exception that ends it. The script runs on CPython once and on each BINARY. A batch that differs is reduced to
the first function that does, and kept in build/fuzz. Without a CPython 3.13 only crashes count.
The closing line is `N passed, N failed`.
"""
import argparse
import difflib
import glob
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
KEPT = ROOT / 'build/fuzz'
PROGRAMS = 40   # functions in one batch
LIMIT = 60      # seconds for one run of a batch
SANITIZER = {'ASAN_OPTIONS': 'detect_stack_use_after_return=0:detect_leaks=0',
             'UBSAN_OPTIONS': 'halt_on_error=1:print_stacktrace=1'}

PRELUDE = '''import asyncio
def show(*values):
    print(*[repr(v)[:300] for v in values])
def number_hash(v): return hash(v) if isinstance(v, (int, float)) else hash(v) * 0   # that of a str is asy's own
class Base:
    kind = 'base'
    def __init__(self, n=0): self.n = n
    def __repr__(self): return f'{type(self).__name__}({self.n!r})'
    def __eq__(self, other): return isinstance(other, Base) and self.n == other.n
    def __hash__(self): return hash(self.n)
    def __lt__(self, other): return self.n < other.n
    def __add__(self, other): return type(self)(self.n + getattr(other, 'n', other))
    def __radd__(self, other): return type(self)(other + self.n)
    def __len__(self): return len(str(self.n))
    def __bool__(self): return bool(self.n)
    def __iter__(self): yield self.n; yield self.n
    def __contains__(self, item): return item == self.n
    def __getitem__(self, key): return (key, self.n)
    def __call__(self, *args, **kw): return (self.n, args, sorted(kw.items()))
    def __enter__(self): print('enter', self.n); return self
    def __exit__(self, kind, e, tb): print('exit', kind and kind.__name__); return self.n == 7
    def method(self, x=1, *rest, key=None): return (self.n, x, rest, key)
    @property
    def twice(self): return self.n * 2
    @classmethod
    def make(cls, n): return cls(n)
    @staticmethod
    def static(a, b=2): return (a, b)
class Derived(Base):
    __slots__ = ()
    def method(self, *args, **kw): return ('derived', super().method(*args, **kw))
    def __getattr__(self, name):
        if name.startswith('_'): raise AttributeError(name)
        return name
def counter(n):
    got = []
    try:
        for i in range(n):
            got.append((yield i))
    finally:   # says nothing: CPython runs it when the last reference goes, asy after a collection
        got.append('closed')
    return (n, got)
def delegate(n):
    result = yield from counter(n)
    yield ('result', result)
async def leaf(n, times):
    for _ in range(times): await asyncio.sleep(0)
    if n % 5 == 4: raise ValueError(n)
    return n * 2
async def stream(n):
    for i in range(n):
        await asyncio.sleep(0)
        yield i
'''

KINDS = ('int', 'float', 'str', 'list', 'dict', 'set', 'tuple', 'obj', 'bool')


class Writer:
    """Writes one function: names maps a kind to the variables that hold such a value (most of the time)."""

    def __init__(self, random):
        self.random, self.lines, self.indent, self.count, self.loops = random, [], 1, 0, 0
        self.names = {kind: [] for kind in KINDS}
        self.is_async = False

    # --- Expressions ---

    def expr(self, kind=None, depth=0):
        pick = self.random.choice
        kind = kind or pick(KINDS)
        if self.random.random() < 0.06:
            kind = pick(KINDS)   # a mistake of types, which both must report alike
        if self.names[kind] and self.random.random() < (0.45 if depth < 2 else 0.75):
            return pick(self.names[kind])
        return getattr(self, kind)(depth + 1)

    def literal_int(self):
        return str(self.random.choice([0, 1, 2, 3, 5, 7, 10, 100, -1, -2, 255, 2**31, 2**62, 2**63 - 1, -2**63, 10**20]))

    def int(self, d):
        if d > 3: return self.literal_int()
        e = self.expr
        return self.random.choice([
            self.literal_int, self.literal_int,
            lambda: f"({e('int', d)} {self.random.choice('+ - * // % & | ^'.split())} {e('int', d)})",
            lambda: f"({e('int', d)} {self.random.choice(['<<', '>>', '**'])} {self.random.randrange(8)})",
            lambda: f"len({e(self.random.choice(['str', 'list', 'dict', 'set', 'tuple', 'obj']), d)})",
            lambda: f"-{e('int', d)}", lambda: f"abs({e('int', d)})", lambda: f"int({e('float', d)})",
            lambda: f"int({e('str', d)})", lambda: f"sum({e('list', d)})", lambda: f"ord({e('str', d)}[0])",
            lambda: f"{e('obj', d)}.n", lambda: f"{e('list', d)}[{e('int', d)}]", lambda: f"{e('list', d)}.count({e(None, d)})",
            lambda: f"{e('dict', d)}.get({e('str', d)}, {e('int', d)})", lambda: f"{e('int', d)}.bit_length()",
            lambda: f"max({e('int', d)}, {e('int', d)})", lambda: f"divmod({e('int', d)}, {e('int', d)})[0]",
            lambda: f"({e('int', d)} if {e('bool', d)} else {e('int', d)})", lambda: f"round({e('float', d)})",
            lambda: f"{e('str', d)}.find({e('str', d)})", lambda: f"{e('tuple', d)}.index({e(None, d)})",
            lambda: f"pow({e('int', d)}, {self.random.randrange(5)}, {e('int', d)})",
            lambda: f"number_hash({e('int', d)})", lambda: f"(lambda a, b=2: a + b)({e('int', d)})",
        ])()

    def float(self, d):
        e = self.expr
        simple = self.random.choice(['0.0', '1.5', '-2.25', '1e300', '1e-7', '0.1', '123456789.125', '-0.0', "float('inf')"])
        if d > 3: return simple
        return self.random.choice([
            lambda: simple, lambda: simple,
            lambda: f"({e('float', d)} {self.random.choice('+ - * / // %'.split())} {e(self.random.choice(['float', 'int']), d)})",
            lambda: f"({e('int', d)} / {e('int', d)})", lambda: f"float({e('int', d)})",
            lambda: f"round({e('float', d)}, {self.random.randrange(-2, 4)})", lambda: f"abs({e('float', d)})",
            lambda: f"min({e('float', d)}, {e('float', d)})", lambda: f"({e('float', d)} ** {self.random.randrange(-2, 4)})",
        ])()

    def str(self, d):
        e = self.expr
        simple = repr(self.random.choice(['', 'a', 'abc', 'hello world', 'é', '日本', '12', '-7', 'x' * 40, 'a,b,c', 'Key', '\n', '\x00q']))
        if d > 3: return simple
        spec = self.random.choice(['', '>10', '<6', '^9', '!r', '!s:>8', '!r:.5', '*^12'])
        number_spec = self.random.choice(['', ':>8', ':+', ':x', ':,', ':08', ':b', ':e', ':.3f', ':_'])
        return self.random.choice([
            lambda: simple, lambda: simple,
            lambda: f"({e('str', d)} + {e('str', d)})", lambda: f"({e('str', d)} * {self.random.randrange(-1, 4)})",
            lambda: f"str({e(None, d)})", lambda: f"repr({e(None, d)})",
            lambda: "f'<{" + self.brace(d, None) + (spec if spec.startswith('!') or not spec else ':' + spec) + "}>'",
            lambda: "f'{" + self.brace(d, self.random.choice(['int', 'float'])) + number_spec + "}'",
            lambda: f"{e('str', d)}.{self.random.choice('upper lower strip title swapcase capitalize casefold'.split())}()",
            lambda: f"{e('str', d)}.replace({e('str', d)}, {e('str', d)})", lambda: f"{e('str', d)}[{self.slice(d)}]",
            lambda: f"{e('str', d)}[{e('int', d)}]", lambda: f"{e('str', d)}.join(map(str, {e('list', d)}))",
            lambda: f"{e('str', d)}.ljust({self.random.randrange(20)}, '.')", lambda: f"chr({e('int', d)} % 1000)",
            lambda: f"('%s|%r' % ({e(None, d)}, {e(None, d)}))", lambda: f"('%5d' % {e('int', d)})",
            lambda: f"'{{}}-{{!r}}'.format({e(None, d)}, {e(None, d)})", lambda: f"type({e(None, d)}).__name__",
            lambda: f"format({e('float', d)}, '.{self.random.randrange(6)}{self.random.choice('efg')}')",
        ])()

    def brace(self, d, kind):   # no quotes and backslashes needed: PEP 701 allows any
        text = self.expr(kind, d + 1)
        return f'({text})'

    def slice(self, d):
        part = lambda: self.random.choice(['', '', str(self.random.randrange(-4, 6)), self.expr('int', d + 2)])
        return f'{part()}:{part()}' + self.random.choice(['', '', f':{self.random.choice([-1, 2, -2, 3])}'])

    def items(self, d, kind=None):
        return ', '.join(self.expr(kind, d) for _ in range(self.random.randrange(5)))

    def comprehension(self, d, value):
        name = f'c{d}{self.random.randrange(3)}'
        source = self.random.choice([self.expr('list', d), f'range({self.random.randrange(6)})', self.expr('tuple', d),
                                     self.expr('str', d)])
        condition = self.random.choice(['', '', f' if {name}', f' if {self.expr("bool", d)}', f' if {name} != {self.expr(None, d)}'])
        return value(name) + f' for {name} in {source}{condition}'

    def list(self, d):
        e = self.expr
        if d > 3: return '[' + self.random.choice(['', '1, 2, 3', "'a', 'b'", '0', '5, 3, 9, 1']) + ']'
        return self.random.choice([
            lambda: f'[{self.items(d, "int")}]', lambda: f'[{self.items(d)}]',
            lambda: '[' + self.comprehension(d, lambda n: self.random.choice([n, f'({n}, {e("int", d)})', f'str({n})'])) + ']',
            lambda: f"list({e(self.random.choice(['str', 'tuple', 'dict', 'obj']), d)})", lambda: f"sorted({e('list', d)})",
            lambda: f"sorted({e('list', d)}, key=lambda v: (str(v), 1), reverse={e('bool', d)})",
            lambda: f"{e('list', d)}[{self.slice(d)}]", lambda: f"({e('list', d)} + {e('list', d)})",
            lambda: f"({e('list', d)} * {self.random.randrange(-1, 4)})", lambda: f"{e('str', d)}.split({e('str', d)})",
            lambda: f"[*{e('list', d)}, *{e('tuple', d)}]", lambda: f"list(zip({e('list', d)}, {e('str', d)}))",
            lambda: f"list(enumerate({e('list', d)}, {e('int', d)}))", lambda: f"list({e('dict', d)}.items())",
            lambda: f"list(map(lambda v: (v, {e('int', d)}), {e('list', d)}))", lambda: f"list(reversed({e('list', d)}))",
            lambda: f"list(filter(None, {e('list', d)}))", lambda: f"list(range({e('int', d)} % 9, {e('int', d)} % 20, {e('int', d)} % 4))",
            lambda: f"list(delegate({self.random.randrange(4)}))",
        ])()

    def tuple(self, d):
        e = self.expr
        if d > 3: return self.random.choice(['()', '(1,)', "(1, 'b')", '(0, 1, 2)'])
        return self.random.choice([
            lambda: f'tuple({e("list", d)})', lambda: f'({e(None, d)}, {e(None, d)})', lambda: f'({e("tuple", d)} + {e("tuple", d)})',
            lambda: f'{e("tuple", d)}[{self.slice(d)}]', lambda: f'divmod({e("int", d)}, {e("int", d)})',
            lambda: f'{e("str", d)}.partition({e("str", d)})', lambda: f'(*{e("list", d)}, {e(None, d)})',
            lambda: f'{e("obj", d)}.method({e("int", d)}, key={e(None, d)})', lambda: f'{e("obj", d)}(*{e("list", d)}, **{e("dict", d)})',
        ])()

    def dict(self, d):
        e = self.expr
        if d > 3: return self.random.choice(['{}', "{'a': 1}", "{'Key': 2, 'abc': 3}", '{1: 2, 3: 4}'])
        return self.random.choice([
            lambda: '{' + ', '.join(f"{e('str', d)}: {e(None, d)}" for _ in range(self.random.randrange(4))) + '}',
            lambda: '{' + self.comprehension(d, lambda n: f'{n}: {e(None, d)}') + '}', lambda: f"dict(zip({e('str', d)}, {e('list', d)}))",
            lambda: '{**' + e('dict', d) + ', **' + e('dict', d) + '}', lambda: f"({e('dict', d)} | {e('dict', d)})",
            lambda: f"dict.fromkeys({e('list', d)}, {e(None, d)})", lambda: f"dict(a={e(None, d)}, b={e(None, d)})",
        ])()

    def set(self, d):
        e = self.expr   # of small ints: their order is the same in both
        small = lambda: '{' + ', '.join(str(self.random.randrange(30)) for _ in range(self.random.randrange(1, 3))) + '}'
        if d > 3: return small()
        return self.random.choice([
            small, small, lambda: f"({e('set', d)} {self.random.choice('& | - ^'.split())} {e('set', d)})",
            lambda: f"set(range({self.random.randrange(9)}))", lambda: f"{e('set', d)}.union(range({self.random.randrange(5)}))",
            lambda: '{' + f'v % {self.random.randrange(1, 9)} for v in range({self.random.randrange(12)})' + '}',
        ])()

    def obj(self, d):
        e = self.expr
        return self.random.choice([
            lambda: f"{self.random.choice(['Base', 'Derived'])}({self.random.randrange(9)})", lambda: f"Derived({e('int', d + 1)})",
            lambda: f"({e('obj', d)} + {e(self.random.choice(['int', 'obj']), d)})" if d < 4 else 'Base(1)',
            lambda: f"Derived.make({e('int', d)})" if d < 4 else 'Base(2)',
        ])()

    def bool(self, d):
        e = self.expr
        if d > 3: return self.random.choice(['True', 'False'])
        kind = self.random.choice(KINDS)
        return self.random.choice([
            lambda: 'True', lambda: 'False', lambda: f"({e(kind, d)} {self.random.choice('== != < <= > >='.split())} {e(kind, d)})",
            lambda: f"({e(None, d)} in {e(self.random.choice(['list', 'dict', 'set', 'tuple', 'str', 'obj']), d)})",
            lambda: f"not {e(None, d)}", lambda: f"({e('bool', d)} and {e('bool', d)})", lambda: f"({e('bool', d)} or {e('bool', d)})",
            lambda: f"isinstance({e(None, d)}, {self.random.choice(['int', 'str', 'Base', '(list, tuple)'])})",
            lambda: f"({e('int', d)} < {e('int', d)} <= {e('int', d)})", lambda: f"all({e('list', d)})", lambda: f"any({e('tuple', d)})",
            lambda: f"{e('str', d)}.{self.random.choice('isdigit isalpha isupper isspace isidentifier'.split())}()",
            lambda: f"{e('str', d)}.startswith({e('str', d)})",
        ])()

    # --- Statements ---

    def line(self, text):
        self.lines.append('  ' * self.indent + text)

    def block(self, n=None):
        self.indent += 1
        known = {kind: list(names) for kind, names in self.names.items()}
        for _ in range(n or self.random.randrange(1, 4)):
            self.statement()
        if self.random.random() < 0.7:
            self.names = known   # else names that may be unbound are used later
        self.indent -= 1

    def assign(self):
        kind = self.random.choice(KINDS)
        name = self.random.choice(self.names[kind]) if self.names[kind] and self.random.random() < 0.4 else f'{kind[0]}{self.count}'
        self.count += 1
        self.line(f'{name} = {self.expr(kind)}')
        if name not in self.names[kind]:
            self.names[kind].append(name)

    def name_of(self, kind):
        if not self.names[kind]:
            self.count += 1
            self.line(f'{kind[0]}{self.count} = {self.expr(kind)}')
            self.names[kind].append(f'{kind[0]}{self.count}')
        return self.random.choice(self.names[kind])

    def augmented(self):
        kind = self.random.choice(['int', 'float', 'str', 'list', 'tuple', 'set'])
        op = {'int': '+ - * // % & | ^'.split(), 'float': '+ - * /'.split(), 'set': '| & - ^'.split()}.get(kind, ['+'])
        self.line(f'{self.name_of(kind)} {self.random.choice(op)}= {self.expr(kind, 2)}')

    def mutate(self):
        e = self.expr
        items, table, group, o = self.name_of('list'), self.name_of('dict'), self.name_of('set'), self.name_of('obj')
        self.line(self.random.choice([
            f'{items}.append({e()})', f'{items}.insert({e("int")}, {e()})', f'{items}.pop()', f'{items}.extend({e("list")})',
            f'{items}[{self.slice(2)}] = {e("list")}', f'del {items}[{self.slice(2)}]', f'{items}.sort()', f'{items}.reverse()',
            f'{items}[{e("int")}] = {e()}', f'{items}.remove({e()})', f'{items}.clear()', f'{table}[{e("str")}] = {e()}',
            f'del {table}[{e("str")}]', f'{table}.pop({e("str")}, None)', f'{table}.update({e("dict")})', f'{table}.popitem()',
            f'{table}.setdefault({e("str")}, [])', f'{table}.clear()', f'{group}.add({e("int")} % 50)', f'{group}.discard({e("int")})',
            f'{o}.n = {e("int")}', f'{o}.extra = {e()}', f'del {o}.extra', f'show({o}.extra, {o}.twice, {o}.kind)', f'{items}[0], {items}[-1] = {items}[-1], {items}[0]',
        ]))

    def show(self):
        self.line('show(' + ', '.join(self.expr() for _ in range(self.random.randrange(1, 4))) + ')')

    def condition(self):
        self.line(f'if {self.expr("bool")}:')
        self.block()
        if self.random.random() < 0.5:
            self.line('else:')
            self.block()

    def loop(self):
        if self.loops >= 2:
            return self.show()
        self.loops += 1
        name, kind = f'v{self.count}', self.random.choice(['int', 'int', 'str', 'tuple'])
        self.count += 1
        source = {'int': [f'range({self.random.randrange(8)})', f'counter({self.random.randrange(4)})', f'list({self.expr("set")})'],
                  'str': [self.expr('str'), self.expr('str') + '.split()'], 'tuple': [self.expr('dict') + '.items()', f'enumerate({self.expr("str")})']}[kind]
        self.line(f'for {name} in {self.random.choice(source)}:')
        self.names[kind].append(name)
        self.block()
        self.indent += 1
        if self.random.random() < 0.3:
            self.line(f'if {self.expr("bool")}: {self.random.choice(["break", "continue"])}')
        self.indent -= 1
        if self.random.random() < 0.25:
            self.line('else:')
            self.block(1)
        self.loops -= 1

    def mutating_loop(self):
        kind = self.random.choice(['list', 'dict', 'set'])
        name, step = self.name_of(kind), f'k{self.count}'
        self.count += 1
        self.line(f'k{self.count - 1}n = 0')
        self.line(f'for {step} in {name}:')
        self.line(f'  {step}n += 1')
        self.line(f'  if {step}n > 5: break')
        change = {'list': ['{}.append({}n)', '{}.pop()', '{}.clear()', 'del {}[0]', '{}.insert(0, {}n)'],
                  'dict': ['{}[{}n] = 1', '{}.pop({}, None)', '{}.clear()', '{}.update(q=1)'],
                  'set': ['{}.add({}n + 40)', '{}.discard({})', '{}.clear()', '{}.pop()']}[kind]
        self.line('  ' + self.random.choice(change).format(name, step))
        self.line(f'show({name})')

    def attempt(self):
        self.line('try:')
        self.block()
        if self.random.random() < 0.3:
            self.indent += 1
            self.line(f'raise {self.random.choice(["ValueError", "KeyError", "Base", "IndexError"])}({self.expr()})')
            self.indent -= 1
        caught = self.random.random() < 0.8
        if caught:
            kinds = self.random.choice(['Exception', 'ValueError', '(TypeError, KeyError)', 'LookupError', 'ArithmeticError'])
            self.line(f'except {kinds} as e:')
            self.line("  print('caught', type(e).__name__, e, type(e.__context__).__name__)")
            self.block(1)
        if not caught or self.random.random() < 0.4:
            self.line('finally:')
            self.line("  print('finally')")
            self.block(1)

    def with_block(self):
        self.line(f'with {self.expr("obj")} as w{self.count}:')
        self.names['obj'].append(f'w{self.count}')
        self.count += 1
        self.block()

    def match_block(self):
        n = f'm{self.count}'
        self.count += 1
        self.line(f'match {self.expr()}:')
        cases = [f'case [{n}, *{n}r]: show({n}, {n}r)', "case {'a': " + n + '}: show(' + n + ')', f'case int({n}) if {n} > 3: show({n})',
                 f'case str() as {n}: show({n})', f'case Base(n={n}): show({n})', f'case ({n}, 1) | (1, {n}): show({n})',
                 'case None | True | False: show(0)', 'case {}: show("mapping")', 'case 1 | 2.5 | "abc": show("literal")']
        for text in self.random.sample(cases, 4):
            self.line('  ' + text)
        self.line("  case _: show('default')")

    def function(self):
        f = f'f{self.count}'
        self.count += 1
        outer = self.name_of('int')
        args = self.random.choice(['a', 'a, b=2', 'a, *rest', 'a, *, key=3', 'a, b=2, *rest, **kw'])
        self.line(f'def {f}({args}):')
        if self.random.random() < 0.5:
            self.line(f'  nonlocal {outer}' if not self.is_global(outer) else '  pass')
            self.line(f'  {outer} = a')
        known, self.names = self.names, {kind: list(names) for kind, names in self.names.items()}
        self.line(f'  show(a, {outer})')
        self.names = known
        if self.random.random() < 0.3:
            self.line('  yield a')
        self.line(f'  return (a, {self.expr()})')
        self.line(f'show({f}({self.random.choice(["1", "1, 2", "1, key=5", "*(1, 2, 3)", "a=4", ""])}) if True else 0)'.replace(' if True else 0', '')
                  if not self.lines[-2].strip().startswith('yield') else f'show(list({f}(3)))')

    def is_global(self, name):
        return False

    def generator(self):
        g = f'g{self.count}'
        self.count += 1
        self.line(f'{g} = {self.random.choice(["counter", "delegate"])}({self.random.randrange(5)})')
        for _ in range(self.random.randrange(1, 5)):
            self.line(self.random.choice([f'show(next({g}))', f'show({g}.send({self.random.choice(["None", "5"])}))', f'{g}.close()',
                                          f'show({g}.throw(KeyError(1)))', f'show(list({g}))', f'show(next({g}, "end"))']))

    def warm_loop(self):
        """Caches warmed by 50 rounds, then the class, the object or a global changes under them."""
        c = f'C{self.count}'
        self.count += 1
        change = self.random.choice([
            f'{c}.x = 5', f'{c}.f = lambda self: "new"', f'del {c}.f', f'{c}.x = property(lambda self: 9)', 'o.y = 3', 'o.__dict__["x"] = 4',
            f'{c}.__getattr__ = lambda self, name: name', f'{c}.__bases__ = (Derived,)', f'o.__class__ = Derived', 'o.f = lambda: 8',
            f'{c}.__getattribute__ = lambda self, name: 6', f'{c}.__add__ = lambda self, other: "add"', 'del o.x', f'{c}.__len__ = lambda self: 77',
            f'{c}.__eq__ = lambda self, other: True', f'{c}.__slots__ = ()', f'{c}.__iter__ = lambda self: iter("ab")'])
        self.line(f'class {c}(Base):')
        self.line('  x = 1' if self.random.random() < 0.5 else '  pass')
        self.line('  def f(self): return self.x')
        self.line(f'o = {c}(3)')
        if self.random.random() < 0.7: self.line('o.x = 2')
        self.line('for i in range(60):')
        self.line('  try:')
        self.line('    r = ' + self.random.choice(['o.x', 'o.f()', '(o.f(), o.x)', 'o + 1', 'len(o)', 'o == 5', 'o.n', 'list(o)', '(o.twice, o.x)', 'o.make(4)']))
        self.line('  except Exception as e: r = (type(e).__name__, str(e))')
        self.line('  if i in (3, 50, 51, 59): show(r)')
        self.line('  if i == 50:')
        self.line('    try:')
        self.line(f'      {change}')
        self.line('    except Exception as e: print(type(e).__name__, e)')

    def class_statement(self):
        c = f'K{self.count}'
        self.count += 1
        base = self.random.choice(['Base', 'Derived', 'int', 'list', 'dict', 'str', 'tuple', 'Exception', 'object'])
        self.line(f'class {c}({base}):')
        for line in self.random.sample([
                "def __eq__(self, o): return 'eq'", 'def __hash__(self): return 3', "def __getattr__(self, n): return ('missing', n)",
                "def __missing__(self, k): return ('no', k)", "def __format__(self, spec): return 'F' + spec", 'def __index__(self): return 2',
                "def __contains__(self, o): return []", "def __mul__(self, o): return ('mul', o)", "def __iadd__(self, o): return ('iadd', o)",
                "def __bool__(self): return False", "def __str__(self): return 'S'", "def __setattr__(self, n, v): super().__setattr__(n, (v,))",
                "def __init_subclass__(cls, **kw): print('sub', cls.__name__)", "z: int = 4"], 4):
            self.line('  ' + line)
        self.line('try:')
        self.line(f'  k = {c}()')
        self.line('except Exception as e: k = e')
        use = self.random.sample(["k == 1", "hash(k) == 3", "k.foo", "k['q']", "f'{k:>3}'", '[1, 2, 3][k]', '1 in k', 'k * 2', 'bool(k)', 'str(k)', 'k.z',
                                  'len(k)', '[*k]', 'k + k', 'k < k', 'k()', f'isinstance(k, {base})', f'{c}.__mro__[1:]'], 4)
        for text in use:
            self.line('try: show(' + text + ')')
            self.line("except Exception as e: print(type(e).__name__, str(e).replace('program_', ''))")

    def aio(self):
        if not self.is_async:
            return self.show()
        n = self.count
        self.count += 1
        self.line(self.random.choice([
            f'show(await leaf({self.expr("int", 2)}, {self.random.randrange(3)}))',
            f'show(await asyncio.gather(leaf(1, 2), leaf({self.random.randrange(6)}, 1), return_exceptions={self.random.choice([True, False])}))',
            f'show([v async for v in stream({self.random.randrange(4)})])', 'await asyncio.sleep(0)',
            f't{n} = asyncio.create_task(leaf({self.random.randrange(6)}, {self.random.randrange(3)})); await asyncio.sleep(0); show(t{n}.done(), t{n}.cancel(), t{n}.cancelling())',
            f't{n} = asyncio.ensure_future(leaf(4, 1)); show(await asyncio.wait([t{n}]) and t{n}.exception())',
            f'show(await asyncio.wait_for(leaf({self.random.randrange(6)}, 1), 5))',
            f'async with asyncio.TaskGroup() as tg{n}: show([await tg{n}.create_task(leaf(i, i)) for i in range({self.random.randrange(6)})])',
            f'l{n} = asyncio.Lock(); await l{n}.acquire(); show(l{n}.locked()); l{n}.release()',
            f'q{n} = asyncio.Queue({self.random.randrange(3)}); q{n}.put_nowait({self.expr()}); show(await q{n}.get(), q{n}.qsize())',
            f'show(await asyncio.gather(*[leaf(i, 3 - i) for i in range({self.random.randrange(4)})]))',
        ]))

    def statement(self):
        if len(self.lines) > 45 or self.indent > 5:
            return self.assign()
        self.random.choices(
            [self.assign, self.augmented, self.mutate, self.show, self.condition, self.loop, self.mutating_loop, self.attempt, self.with_block,
             self.match_block, self.function, self.generator, self.warm_loop, self.class_statement, self.aio],
            [8, 4, 6, 6, 3, 4, 2, 3, 2, 2, 2, 2, 2, 2, 4])[0]()


def program(seed, number):
    """The text of one function that prints what it does, and its call."""
    writer = Writer(random.Random(f'{seed}.{number}'))
    writer.is_async = writer.random.random() < 0.35
    for _ in range(writer.random.randrange(4, 12)):
        writer.statement()
    writer.show()
    name = f'program_{number}'
    body = '\n'.join(writer.lines)
    if 'yield' in body and re.search(r'^  yield', body, re.M):
        body = re.sub(r'^  yield.*$', '  pass', body, flags=re.M)
    run = f'asyncio.run({name}())' if writer.is_async else f'{name}()'
    return (f'{"async " if writer.is_async else ""}def {name}():\n{body}\nprint({number!r}, "begins")\ntry: {run}\n'
            f'except BaseException as e: print(type(e).__name__, str(e)[:300])\n')


def valid(text):
    try:
        compile(text, 'program', 'exec')
        return True
    except (SyntaxError, ValueError):
        return False


def script(seed, numbers):
    return PRELUDE + '\n'.join(filter(valid, (program(seed, n) for n in numbers)))


def python313():
    candidates = [os.environ.get('PYTHON313'), shutil.which('python3.13'), *sorted(glob.glob(os.path.expanduser('~/.pyenv/versions/3.13*/bin/python3')))]
    return next((c for c in candidates if c and os.access(c, os.X_OK) and 'shims' not in c), None)


ADDRESS = re.compile(r'0x[0-9a-f]+')


def execute(binary, path, env):
    environment = {**os.environ, **SANITIZER, **env, 'PYTHONIOENCODING': 'utf-8', 'PYTHONHASHSEED': '0'}
    try:
        done = subprocess.run([binary, str(path)], capture_output=True, timeout=LIMIT, env=environment, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return None, '', 'over the limit of time'
    return done.returncode, ADDRESS.sub('0x', done.stdout.decode('utf-8', 'backslashreplace')), done.stderr.decode('utf-8', 'backslashreplace')


def by_program(output):
    return {part.split(' ', 1)[0]: part for part in re.split(r"^(?=\d+ begins$)", output, flags=re.M) if part.strip()}


def check(seed, options, reference):
    """Runs one batch everywhere; the descriptions of what is wrong."""
    path = KEPT / f'batch_{seed}.py'
    path.write_text(script(seed, range(PROGRAMS)), 'utf-8')
    wrong = []
    expected = execute(reference, path, {}) if reference else None
    for binary in options.binaries:
        status, output, errors = execute(binary, path, dict(e.split('=', 1) for e in options.env))
        if status != 0:
            wrong.append(f'{path}: {binary}: status {status}, after {output[-200:]!r}\n' + '\n'.join(errors.splitlines()[:25]))
        elif expected and output != expected[1]:
            mine, theirs = by_program(output), by_program(expected[1])
            for number in theirs:
                if mine.get(number) != theirs[number]:
                    diff = list(difflib.unified_diff(theirs[number].splitlines(), mine.get(number, '').splitlines(), 'CPython', 'asy', lineterm='', n=1))
                    wrong.append(f'{path}: program_{number}\n' + '\n'.join(line[:300] for line in diff[2:12]))
    if not wrong:
        path.unlink()
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--seconds', type=float, default=60)
    parser.add_argument('--seed', type=int, default=1, help='the first batch; the next ones follow')
    parser.add_argument('--batches', type=int, default=10**6)
    parser.add_argument('--env', action='append', default=[])
    parser.add_argument('binaries', nargs='+')
    options = parser.parse_args()
    KEPT.mkdir(parents=True, exist_ok=True)
    reference, end = python313(), time.monotonic() + options.seconds
    passed = failed = 0
    for seed in range(options.seed, options.seed + options.batches):
        wrong = check(seed, options, reference)
        failed += bool(wrong)
        passed += not wrong
        for text in wrong:
            print(text, flush=True)
        if time.monotonic() > end:
            break
    print(f'{passed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
