#!/usr/bin/env python3
"""Evil callbacks: every built-in that calls back, with a hook that changes what the built-in is working on.

evil.py [--seconds N] [--env NAME=value]... BINARY...

The table USES says which expressions call which hooks; each hook does each of ACTIONS on the container at work, at each
call. The outcome does not matter (any exception is fine), only that the process ends without a signal, a sanitizer
report or a hang. The closing line is `N passed, N failed`.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
KEPT = ROOT / 'build/fuzz'
LIMIT = 60

# What a hook does to the container at work (c: a list, dict, set or bytearray) before it answers.
ACTIONS = {
    'clear': 'c.clear()',
    'append': 'grow(c, 1)',
    'delete': 'shrink(c)',
    'resize': 'grow(c, 3000); shrink(c); c.clear(); grow(c, 500)',
    'raise': 'raise KeyError("evil")',
    'recurse': 'again()',
    'collect': 'drop(); gc.collect()',
    'replace': 'swap(c)',
}

# What a hook answers after the action; n counts its calls.
HOOKS = {
    '__eq__': ('self, other', 'n % 3 == 0'), '__hash__': ('self', '7'), '__lt__': ('self, other', 'n % 2 == 0'),
    '__gt__': ('self, other', 'n % 2 == 0'), '__index__': ('self', '1'), '__len__': ('self', '3'), '__bool__': ('self', 'n % 2 == 0'),
    '__iter__': ('self', 'iter([E(), E(), E()])'), '__next__': ('self', 'step()'), '__getitem__': ('self, key', 'step()'),
    '__contains__': ('self, key', 'n % 2 == 0'), '__repr__': ('self', '"E"'), '__str__': ('self', '"E"'), '__format__': ('self, spec', '"E"'),
    '__add__': ('self, other', 'other'), '__radd__': ('self, other', 'other'), '__mul__': ('self, other', 'other'),
    '__call__': ('self, *args', 'n'), '__getattr__': ('self, name', '[E()]'), '__length_hint__': ('self', '5'), '__int__': ('self', '3'),
    '__float__': ('self', '1.5'), '__del__': ('self', 'None'), '__set__': ('self, o, v', 'None'), '__get__': ('self, o, t', 'E()'),
    '__enter__': ('self', 'self'), '__exit__': ('self, *e', 'True'), '__reversed__': ('self', 'iter([E()])'), '__missing__': ('self, k', '1'),
    '__instancecheck__': ('self, o', 'True'), '__bytes__': ('self', 'b"ab"'), '__setitem__': ('self, k, v', 'None'), '__keys__': ('self', '[]'),
    '__delitem__': ('self, k', 'None'), '__iadd__': ('self, o', 'self'), '__abs__': ('self', '1'), '__round__': ('self, n=0', '1'),
    '__await__': ('self', 'iter([None])'), '__setattr__': ('self, k, v', 'None'), '__getattribute__': ('self, k', 'step()'),
    '__eq2__': ('self, other', 'True'),
}

# Container at work: how it is made. e() makes an evil object.
LISTS = ['[e() for _ in range(6)]', '[e()]', '[1, e(), "x", e(), 2.5]']
USES = {
    'list': (LISTS, [
        'sorted(c)', 'c.sort()', 'c.sort(key=f)', 'c.sort(key=f, reverse=True)', 'min(c)', 'max(c, key=f)', 'sum(c, e())', 'c.index(e())', 'c.count(e())',
        'c.remove(e())', 'e() in c', 'c == [e() for _ in range(6)]', 'c < [e() for _ in range(6)]', 'repr(c)', 'str(c)', 'f"{c}"', 'set(c)', 'frozenset(c)',
        'dict.fromkeys(c)', 'dict(zip(c, c))', 'list(map(f, c))', 'list(filter(f, c))', 'list(filter(None, c))', 'any(c)', 'all(c)', 'tuple(c)',
        'c[e()]', 'c[e():e()]', 'c.__setitem__(slice(e(), e()), c)', 'c.__delitem__(slice(e(), e(), e()))', 'c.__setitem__(e(), e())', 'c.pop(e())',
        'c.insert(e(), e())', 'c * e()', 'c.extend(e())', 'c.extend(c)', 'c.__iadd__(e())', 'c.__setitem__(slice(0, 4), e())', 'c.__setitem__(slice(0, 6, 2), e())',
        'list(e())', 'tuple(e())', 'c[:] + [e()]', '"".join(c)', '",".join(map(str, c))', 'bytes(c)', 'bytearray(c)', 'bytearray(b"abc").extend(c)',
        'list(zip(c, e()))', 'list(enumerate(c, e()))', 'list(reversed(c))', 'list(reversed(e()))', 'range(e(), e(), e())', 'c.index(e(), e(), e())', 'print(*c)',
        '[*c, *e()]', 'f(*c)', 'f(*e())', 'c.copy() == c', '(lambda a, *b: b)(*c)', 'isinstance(1, tuple(c))', '"%s %r" % (c, c)', '"{} {!r:>5}".format(c, e())',
        'tuple(c) == tuple(c[:5] + [e()])', 'hash(tuple(c))', 'sorted(c, key=lambda v: (v, c))', 'functools.reduce(f, c)', 'sorted(c, key=functools.cmp_to_key(f))',
        'divmod(e(), e())', 'int(e())', 'float(e())', 'round(e())', 'abs(e())', 'chr(e())', 'bytes(e())', 'str(e())', 'pow(e(), e(), e())', 'next(iter(f, e()))',
        'list(zip(iter(f, 3), range(30)))', 'math.fsum(c)', 'math.gcd(e(), e())', 'math.prod(c)', 'type("T", tuple(c), {})', 'type("T", (), {"a": e()})', 'a, *b = c', 'hasattr(e(), "q")',
        'e().q = 1', 'del e().q', 'dir(e())', 'vars(e())', 'ExceptionGroup("g", c)', 'raise_(e())', 'c[0] < c[-1] < c[0]', 'e() + c', 'c += e()', 'bytearray(3).__setitem__(slice(0, 2), c)',
        '"abc"[e()]', '"abc".replace("a", "b", e())', '"abc".find("c", e(), e())', '"a" * e()', '"abc".center(e())', '"abc".split("b", e())', 'memoryview(bytearray(9))[e()]',
        'memoryview(bytearray(9)).__setitem__(e(), e())', 'range(9)[e()]', 'e() in range(9)', 'range(9).index(e())', 'slice(e(), e(), e()).indices(e())', 'int.from_bytes(c, "big")',
        '(5).to_bytes(e(), "big")', 'int("12", e())', 'isinstance(1, e())', 'issubclass(int, e())', 'eval("1", {"__builtins__": e()})', 'exec("x = y", {}, e())', 'getattr(e(), "zz", 1)',
        'functools.partial(f, *c)(*c)', 'len(e())', 'bool(e())', 'not e()', 'e()()', 'e()[e()]', 'e()[e()] == 1', 'next(e())', 'list(map(f, c, c, e()))', 'max(*c)', 'print(e(), sep=e())',
        'print(c, file=e())', 'sys.setrecursionlimit(e())', 'asyncio.run(e())', 'asyncio.run(aio(c))', 'asyncio.run(aio([f for v in c]))', 'match_(c)', 'match_(e())', 'with_(e())', 'for_(c, f)', 'for_(e(), f)']),
    'dict': (['{e(): e() for _ in range(5)}', '{1: e(), "a": e(), e(): 3}', '{i: e() for i in range(9)}'], [
        'c[e()]', 'c.__setitem__(e(), e())', 'c.get(e())', 'c.pop(e(), 1)', 'c.setdefault(e(), e())', 'e() in c', 'c.update(c)', 'c.update(e())', 'c.update({e(): 1, e(): 2})', 'c == {e(): e() for _ in range(5)}',
        'dict(c)', 'c | {e(): 1}', 'c | c', 'repr(c)', 'list(c.items())', 'sorted(c.items())', 'c.__delitem__(e())', 'dict(e())', 'dict([[e(), e()], e()])', '{**c, **e()}', 'f(**c)', 'f(**e())', 'c.keys() & [e()]',
        'c.keys() == {e(), e()}', 'c.items() == {e(): e()}.items()', '(e(), e()) in c.items()', 'e() in c.values()', 'c.keys() | e()', 'c.keys() - c.keys()', 'c.items() <= c.items()', 'c.keys().isdisjoint(e())', 'for_(c, f)', 'for_(c.items(), f)',
        'for_(reversed(c), f)', '{k: v for k, v in c.items() if k == v}', 'dict.fromkeys(c, e())', 'dict.fromkeys(e())', '"{a}".format_map(e())', '"{0[q]}".format(e())', '"%(a)s" % e()', '"%(a)s" % c', 'type("T", (), c)', 'c.copy() == c', 'max(c)', 'set(c)', 'sum(c)',
        'eval("zz", c)', 'exec("a = zz", c)', 'match_(c)', 'next(iter(c.items()))', 'list(map(f, c.values()))', 'json_(c)', 'c.__ior__(e())', 'c.__ior__([(e(), 1)])']),
    'set': (['{e() for _ in range(6)}', '{1, 2, e(), "a"}'], [
        'e() in c', 'c.add(e())', 'c.discard(e())', 'c.remove(e())', 'c | {e()}', 'c & {e(), e()}', 'c - {e()}', 'c ^ {e(), e()}', 'c == {e() for _ in range(6)}', 'c < {e() for _ in range(8)}', 'c <= c', 'c.update(e())', 'c.update(c)', 'c.intersection_update({e()})', 'c.intersection(e())',
        'c.difference_update({e()})', 'c.difference(e())', 'c.symmetric_difference_update({e(), e()})', 'c.symmetric_difference(e())', 'c.issubset(e())', 'c.issuperset(e())', 'c.isdisjoint(e())', 'c.union(e(), c)', 'repr(c)', 'sorted(c)', 'for_(c, f)', 'frozenset(c) == c', 'hash(frozenset(c))', 'set(e())',
        '{frozenset(c), frozenset(c)}', '{frozenset(c): 1}[frozenset(c)]', 'c.copy()', 'list(map(f, c))', 'c.__ior__({e()})', 'c.__isub__(c)', 'c.pop()', 'c in {1, frozenset(c)}']),
    'bytearray': (['bytearray(b"abcdef")'], [
        'c[e()]', 'c.__setitem__(e(), e())', 'c.__setitem__(slice(e(), e()), e())', 'c.extend(e())', 'c.extend([e(), e()])', 'c.insert(e(), e())', 'c.append(e())', 'c.pop(e())', 'c.find(e())', 'c * e()', 'c.__imul__(e())', 'c.join([b"a", c, e()])', 'c.replace(b"a", b"b", e())', 'c.remove(e())', 'e() in c', 'c.count(e(), e(), e())',
        'c.__delitem__(slice(e(), e(), e()))', 'c.center(e())', 'c.split(b"c", e())', 'c.__iadd__(e())', 'memoryview(c)[e()]', 'memoryview(c).__setitem__(e(), e())', 'memoryview(c)[e():e()]', 'c == e()', 'c % e()', 'b"%s %d" % (e(), e())', 'c.startswith(e(), e())', 'c.hex("-", e())', 'int(c, e())', 'c.decode(e())', 'c.translate(e())', 'bytes(e())', 'bytearray(e())']),
}

PRELUDE = '''import asyncio, functools, gc, math, sys
n, c, use, depth, active = 0, None, None, 0, False
def grow(c, k):
    for i in range(k):
        if isinstance(c, dict): c[('g', i)] = i
        elif isinstance(c, set): c.add(('g', i))
        elif isinstance(c, bytearray): c.append(i % 256)
        else: c.append(i)
def shrink(c):
    if isinstance(c, (dict, set)):
        for k in list(c)[:2]: c.pop(k, None) if isinstance(c, dict) else c.discard(k)
    else: del c[:2]
def swap(c):
    if isinstance(c, list): c[:] = [object() for _ in range(20)]
    else: c.clear(); grow(c, 20)
def drop(): [bytearray(64) for _ in range(300)]
def again():
    global depth
    depth += 1
    if depth < 12 and use is not None: use()
def step():
    if n > 12: raise StopIteration
    return n
def raise_(e):
    try: raise e
    except e: pass
def match_(c):
    match c:
        case [1, *r]: return r
        case {"a": x, **r}: return r
        case E(q=1): return 1
        case [a, b, c]: return 2
        case "x" | 2.5: return 3
def with_(e):
    with e as q: raise KeyError(q)
def for_(c, f):
    for i, v in enumerate(c):
        f(v)
        if i > 50: break
def json_(c): return [(k, v) for k, v in c.items()]
async def aio(c):
    async def one(v): await asyncio.sleep(0); return v == c
    r = await asyncio.gather(*[one(v) for v in c], return_exceptions=True)
    loop = asyncio.get_running_loop()
    loop.call_soon(*c); fut = loop.create_future()
    for v in c: fut.add_done_callback(v)
    fut.set_result(r); await asyncio.sleep(0)
    async with asyncio.timeout(1): await c[0]
def f(*args, **kw):
    act()
    return n
'''

LOOPS = '''
def drive(make, text):
    global n, c, use, depth, active
    n = depth = 0
    c = make()
    code = compile(text, "evil", "exec" if " = " in text or "+= " in text or text.startswith("del ") else "eval")
    def use():
        scope = {**globals(), "c": c}
        eval(code, scope)
    active = True
    try: use()
    except RecursionError: pass
    except Exception: pass
    active = False
'''


def script(kind, makes, uses, hook, action):
    parameters, answer = HOOKS[hook]
    name = '__eq__' if hook == '__eq2__' else hook
    lines = [PRELUDE, 'def act():', '    global n', '    if not active: return', '    n += 1', '    if n < 60:', f'        {ACTIONS[action]}']
    lines += ['class E:', f'    def {name}({parameters}):', '        act()', f'        return {answer}']
    if name == '__eq__': lines.append('    def __hash__(self): return 7')
    if name == '__next__': lines.append('    def __iter__(self): return self')
    if name == '__missing__': lines[-3:] = ['    __hash__ = lambda self: 7', *lines[-3:]]; lines[lines.index('class E:')] = 'class E(dict):'
    lines += ['def e(): return E()', LOOPS]
    for make in makes:
        for text in uses:
            lines.append(f'drive(lambda: {make}, {text!r})')
    lines.append('gc.collect(); print("end")')
    return '\n'.join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--seconds', type=float, default=120)
    parser.add_argument('--env', action='append', default=[])
    parser.add_argument('binaries', nargs='+')
    options = parser.parse_args()
    KEPT.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, 'ASAN_OPTIONS': 'detect_stack_use_after_return=0:detect_leaks=0',
                   'UBSAN_OPTIONS': 'halt_on_error=1:print_stacktrace=1', **dict(e.split('=', 1) for e in options.env)}
    end, passed, failed, skipped = time.monotonic() + options.seconds, 0, 0, 0
    for kind, (makes, uses) in USES.items():
        for hook in HOOKS:
            for action in ACTIONS:
                if time.monotonic() > end:
                    skipped += 1
                    continue
                path = KEPT / f'evil_{kind}_{hook.strip("_")}_{action}.py'
                path.write_text(script(kind, makes, uses, hook, action), 'utf-8')
                wrong = None
                for binary in options.binaries:
                    try:
                        done = subprocess.run([binary, str(path)], capture_output=True, timeout=LIMIT, env=environment, stdin=subprocess.DEVNULL)
                        if done.returncode or not done.stdout.endswith(b'end\n'):
                            errors = done.stderr.decode('utf-8', 'backslashreplace').splitlines()
                            wrong = f'status {done.returncode}\n' + '\n'.join(errors[:20])
                    except subprocess.TimeoutExpired:
                        wrong = 'over the limit of time'
                    if wrong: print(f'{path}: {binary}: {wrong}', flush=True)
                failed += bool(wrong)
                passed += not wrong
                if not wrong: path.unlink()
    print(f'{passed} passed, {failed} failed' + (f', {skipped} skipped' if skipped else ''))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
