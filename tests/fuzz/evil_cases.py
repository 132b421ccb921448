"""Hostile callbacks: each expression of USES, with objects whose hook changes what the expression is working on.

evil_cases.py [KIND HOOK [FIRST [LAST]]]  or  evil_cases.py every N

A case is a way to make a container (c), an expression over it, a hook of HOOKS and an action of ACTIONS. Objects made by
e() have that one hook, which does the action to c and then answers; f does so when the hook is `function`. An expression
that does not call the hook at all (tried with an action that does nothing) makes no case. Each case prints its number and
text before it runs, so that the last line of a program that died tells which. Any exception is fine. The last line is
`end COUNT`. tests/fuzz/evil.py runs all of them, tests/script/robust/hostile.py each Nth.
"""
import array, asyncio, bisect, collections, contextvars, copy, functools, gc, heapq, io, itertools, json, math, operator
import pickle, random, re, struct, sys, weakref

n, depth, active, action, hook, c, use, E = 0, 0, False, None, None, None, None, None
spare = []                  # what the actions keep alive
variable = contextvars.ContextVar('variable')


# --- What a hook does, before it answers -----------------------------------------------------------------------------------

def grow_list(c, k): c.extend(range(k))
def grow_dict(c, k): c.update({('g', i): i for i in range(k)})
def grow_class(c, k):
    for i in range(k % 100): setattr(c, f'g{i}', i)
def cut_dict(c):
    for k in list(c)[:2]: dict.pop(c, k, None)
def cut_class(c):
    for k in [k for k in list(vars(c)) if not k.startswith('__')][:2]: delattr(c, k)
def bare_class(c):
    for k in [k for k in list(vars(c)) if not k.startswith('__')]: delattr(c, k)
def step_iterator(c): return next(c, None)
def rewind(c): c.seek(0); c.truncate()
def cancel_all(c):
    for t in asyncio.all_tasks(): t.cancel()

# type: (grow by k, shrink, clear)
CHANGES = {
    list: (grow_list, lambda c: c.__delitem__(slice(0, 2)), list.clear),
    dict: (grow_dict, cut_dict, dict.clear),
    set: (lambda c, k: c.update(range(k)), lambda c: [c.discard(v) for v in list(c)[:2]], set.clear),
    bytearray: (lambda c, k: c.extend(bytes(k)), lambda c: c.__delitem__(slice(0, 2)), bytearray.clear),
    collections.deque: (grow_list, collections.deque.popleft, collections.deque.clear),
    array.array: (lambda c, k: c.extend([1] * k), lambda c: c.__delitem__(slice(0, 2)), lambda c: c.__delitem__(slice(None))),
    memoryview: (lambda c, k: spare.append(c[1:]), lambda c: c.obj.clear(), memoryview.release),
    io.BytesIO: (lambda c, k: c.write(bytes(k)), rewind, io.BytesIO.close),
    io.StringIO: (lambda c, k: c.write('g' * k), rewind, io.StringIO.close),
    type: (grow_class, cut_class, bare_class),
    weakref.WeakSet: (lambda c, k: [c.add(E) for _ in range(k % 100)], lambda c: spare.clear(), weakref.WeakSet.clear),
    io.IOBase: (lambda c, k: c.write('g' if isinstance(c, io.TextIOBase) else b'g'), lambda c: c.detach(), io.IOBase.close),
}

def change(c):
    for kind, changes in CHANGES.items():
        if isinstance(c, kind): return changes
    return lambda c, k: step_iterator(c), lambda c: spare.append(copy.copy(c)), lambda c: c.close()

def resize():
    grow, shrink, clear = change(c)
    grow(c, 3000); shrink(c); clear(c); grow(c, 500)
def replace():
    grow, shrink, clear = change(c)
    clear(c); grow(c, 20)
def fail(): raise KeyError('evil')
def again():
    global depth
    depth += 1
    if depth < 12 and use is not None: use()
def collect():
    if n < 4: gc.collect()
    [bytearray(64) for _ in range(100)]

ACTIONS = {
    'nothing': lambda: None,
    'clear': lambda: change(c)[2](c),
    'append': lambda: change(c)[0](c, 1),
    'delete': lambda: change(c)[1](c),
    'resize': resize,
    'replace': replace,
    'raise': fail,
    'recurse': again,
    'collect': collect,
    'cancel': lambda: cancel_all(c),    # only where a loop runs
}

def act():
    global n
    if active:
        n += 1
        if n < 60: action()


# --- Hooks and their answers; n counts the calls ------------------------------------------------------------------------------

def step():
    if n > 12: raise StopIteration
    return n

HOOKS = {
    'function': None,
    '__eq__': lambda self, other: n % 3 == 0, '__hash__': lambda self: 7, '__lt__': lambda self, other: n % 2 == 0, '__gt__': lambda self, other: n % 2 == 0,
    '__le__': lambda self, other: n % 2 == 0, '__index__': lambda self: 1, '__len__': lambda self: 3, '__bool__': lambda self: n % 2 == 0,
    '__iter__': lambda self: iter([E(), E(), E()]), '__next__': lambda self: step(), '__getitem__': lambda self, key: step(), '__contains__': lambda self, key: n % 2 == 0,
    '__repr__': lambda self: 'E', '__str__': lambda self: 'E', '__format__': lambda self, spec: 'E', '__add__': lambda self, other: other, '__radd__': lambda self, other: other,
    '__mul__': lambda self, other: other, '__call__': lambda self, *args, **names: n, '__getattr__': lambda self, name: [E()] if not name.startswith('__') else fail(),
    '__length_hint__': lambda self: 5, '__int__': lambda self: 3, '__float__': lambda self: 1.5, '__complex__': lambda self: 1j, '__del__': lambda self: None,
    '__set__': lambda self, o, v: None, '__get__': lambda self, o, t=None: E(), '__set_name__': lambda self, o, name: None, '__delete__': lambda self, o: None,
    '__enter__': lambda self: self, '__exit__': lambda self, *e: True, '__reversed__': lambda self: iter([E()]), '__missing__': lambda self, k: 1,
    '__instancecheck__': lambda self, o: True, '__subclasscheck__': lambda self, o: True, '__bytes__': lambda self: b'ab', '__setitem__': lambda self, k, v: None,
    '__delitem__': lambda self, k: None, '__iadd__': lambda self, o: self, '__abs__': lambda self: 1, '__round__': lambda self, digits=0: 1, '__trunc__': lambda self: 1,
    '__await__': lambda self: iter([None]), '__setattr__': lambda self, k, v: None, '__getattribute__': lambda self, k: step() if not k.startswith('__') else object.__getattribute__(self, k),
    '__reduce_ex__': lambda self, protocol: (list, (), None, iter([E, 1])), '__getstate__': lambda self: {'a': E}, '__setstate__': lambda self, state: None,
    '__copy__': lambda self: self, '__deepcopy__': lambda self, memo: self, '__fspath__': lambda self: 'nowhere', '__mro_entries__': lambda self, bases: (dict,),
    '__class_getitem__': lambda self, key=0: 1, '__neg__': lambda self: 1, '__buffer__': lambda self, flags: memoryview(bytearray(b'abc')), '__release_buffer__': lambda self, view: None,
    '__aiter__': lambda self: self, '__anext__': lambda self: asyncio.sleep(0), '__aenter__': lambda self: asyncio.sleep(0), '__aexit__': lambda self, *e: asyncio.sleep(0),
    '__sub__': lambda self, other: 1, '__or__': lambda self, other: other, '__ror__': lambda self, other: other, '__pow__': lambda self, other, mod=0: 1, '__divmod__': lambda self, other: (1, 1),
    '__floordiv__': lambda self, other: 1, '__dir__': lambda self: ['a', 'b'], '__prepare__': lambda self, *a: {}, '__matmul__': lambda self, other: 1, '__floor__': lambda self: 1, '__ceil__': lambda self: 1,
    'keys': lambda self: ['a', 'b'], 'write': lambda self, text: 1, 'read': lambda self, size=-1: b'', 'readinto': lambda self, view: fill(view), 'close': lambda self: None,
}
ALONGSIDE = {       # what a class with this hook needs to be of use
    '__eq__': {'__hash__': lambda self: 7}, '__next__': {'__iter__': lambda self: self}, 'keys': {'__getitem__': lambda self, key: 'abc'[key] if isinstance(key, int) else 1},
    '__enter__': {'__exit__': lambda self, *e: True}, '__exit__': {'__enter__': lambda self: self}, '__set__': {'__get__': lambda self, o, t=None: 1},
    '__hash__': {'__eq__': lambda self, other: self is other}, '__reversed__': {'__len__': lambda self: 3, '__getitem__': lambda self, k: 'abcdefghi'[k]},
    '__anext__': {'__aiter__': lambda self: self}, '__aenter__': {'__aexit__': HOOKS['__aexit__']}, '__aexit__': {'__aenter__': HOOKS['__aenter__']},
    '__release_buffer__': {'__buffer__': HOOKS['__buffer__']}, '__len__': {'__getitem__': lambda self, k: 'abcdefghi'[k]}, '__missing__': {'__hash__': lambda self: 7},
    'readinto': {'readable': lambda self: True, 'writable': lambda self: True, 'seekable': lambda self: False, 'write': lambda self, b: len(b)},
    'write': {'readable': lambda self: True, 'writable': lambda self: True, 'seekable': lambda self: False, 'readinto': lambda self, b: 0},
    'close': {'readable': lambda self: True, 'writable': lambda self: True, 'seekable': lambda self: False, 'write': lambda self, b: len(b)},
}
BASES = {'__missing__': (dict,), 'readinto': (io.RawIOBase,), 'write': (io.RawIOBase,), 'close': (io.RawIOBase,)}

def hostile(name):
    """The class whose hook `name` acts."""
    answer = HOOKS[name]
    if answer is None: return type('E', (), {'__call__': lambda self, *args, **names: 1})
    def method(self, *args, **names):
        act()
        return answer(self, *args, **names)
    return type('E', BASES.get(name, ()), {**ALONGSIDE.get(name, {}), name: method})

def e(): return E()
def f(*args, **names):
    if hook == 'function': act()
    return n
def true(*args): return f() or True
def key(v): return (f(), 1)[1]


# --- What the expressions use --------------------------------------------------------------------------------------------------

def fill(view):
    view[:3] = b'a\nb'
    return 3 if n < 12 else 0
def raise_(e):
    try: raise e
    except e: pass
def match_(c):
    match c:
        case [1, *r]: return r
        case {"a": x, **r}: return r
        case {1: x}: return x
        case object(q=1): return 1
        case [a, b, c]: return 2
        case "x" | 2.5: return 3
def with_(e):
    with e as q: raise KeyError(q)
def for_(c, f=f):
    for i, v in enumerate(c):
        f(v)
        if i > 50: break
def unpack(c): a, b, *d = c
def unpack_three(c): a, b, d = c
def generate(c):
    for v in itertools.islice(c, 50):
        try: yield f(v)
        finally: f(v)
def relay(c): return (yield from c)
def derive(base):
    class D(base):
        def __init__(self): super().__init__()
        def m(self): return super().x
    return D
def decorated(e):
    @e
    class D: a = e
def named(e):
    class D:
        a = e
        b = e
    return D()
def other_meta(e):
    class D(metaclass=e): pass
def with_bases(e):
    class D(e, e): pass
def copied(c): return copy.deepcopy(c)
def pickled(c): return pickle.loads(pickle.dumps(c))
def lazily(c, k=30): return list(itertools.islice(c, k))
def parts(c): return list(re.finditer('a|b', 'xaybz' * 3))
def partly(c): return [f(m) for m in re.finditer('a', 'xayaz')]
def referred(c):
    spare[:] = [type('R', (), {})() for _ in range(4)]
    refs = [weakref.ref(v, f) for v in spare]
    spare.clear(); gc.collect()
    return refs
def finalized(c):
    spare[:] = [type('R', (), {})() for _ in range(4)]
    for v in spare: weakref.finalize(v, f, v.__class__)
    spare.clear(); gc.collect()
def weak_values(c):
    keep = [type('R', (), {})() for _ in range(5)]
    w = weakref.WeakValueDictionary((i, v) for i, v in enumerate(keep))
    for k, v in w.items(): f(k, keep.clear()); del v
    return list(w)
def weak_keys(c):
    w = weakref.WeakKeyDictionary()
    k = e(); w[k] = 1; w[e()] = 2
    return w.get(k), list(w), e() in w
def cycle(c):
    a = [e(), c]; a.append(a); del a; gc.collect()
def cycles(c):
    a = [e() for _ in range(9)]
    for v in a:
        try: v.other = a
        except Exception: break
    del a, v; gc.collect()
def in_context(c):
    context = contextvars.copy_context()
    def inside(): token = variable.set(e()); f(); variable.reset(token); context.run(f)
    return context.run(inside), context == contextvars.copy_context(), list(context.items())
def cached(c):
    g = functools.lru_cache(maxsize=2)(f)
    for v in c: g(v); g(v, q=v)
    return g(e()), g.cache_info(), g.cache_clear()
def cached_self(c):
    g = functools.lru_cache(maxsize=None)(lambda v: (f(v), 1)[1])
    return [g(v) for v in c]
def dispatched(c):
    g = functools.singledispatch(f)
    g.register(int, f)
    return g(1), g(e()), g(c)
def text_stream(c):
    raw = e()
    t = io.TextIOWrapper(io.BufferedReader(raw, 4), encoding='utf-8')
    return t.read(3), t.readline(), [f(line) for line in itertools.islice(t, 5)], t.tell()
def text_writer(c):
    t = io.TextIOWrapper(io.BufferedWriter(e(), 4), encoding='utf-8', write_through=True)
    t.write('abcdefgh' * 9); t.flush(); t.writelines(['x', 'y']); t.close()
def pair_stream(c):
    p = io.BufferedRWPair(e(), e(), 4)
    return p.read(5), p.write(b'abcdefgh'), p.flush()
def exported(c):
    view = c.getbuffer()
    c.write(b'x' * 9); c.truncate(e()); f(); view.release()

async def aio(c):
    async def one(v): await asyncio.sleep(0); return v == c
    r = await asyncio.gather(*[one(v) for v in c], return_exceptions=True)
    loop = asyncio.get_running_loop()
    loop.call_soon(*c); fut = loop.create_future()
    for v in c: fut.add_done_callback(v)
    fut.set_result(r); await asyncio.sleep(0)
    async with asyncio.timeout(1): await c[0]
async def aio_callbacks(c):
    loop = asyncio.get_running_loop(); fut = loop.create_future()
    for _ in range(4): fut.add_done_callback(f); fut.add_done_callback(lambda x: fut.remove_done_callback(f))
    fut.set_result(1); await asyncio.sleep(0); f(); await asyncio.sleep(0)
async def aio_tasks(c):
    async def child(k):
        try: await asyncio.sleep(0 if k % 2 else 0.001); f(k)
        finally: f(k); await asyncio.sleep(0)
    tasks = [asyncio.create_task(child(k)) for k in range(4)]
    for t in tasks: t.add_done_callback(f)
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED); f()
    return await asyncio.gather(*tasks, return_exceptions=True)
async def aio_group(c):
    async def child(k): await asyncio.sleep(0); f(k); await asyncio.sleep(0)
    async with asyncio.TaskGroup() as g:
        for k in range(4): g.create_task(child(k)).add_done_callback(f)
        f()
async def aio_timeouts(c):
    loop = asyncio.get_running_loop()
    handles = [loop.call_later(0.0001 * k, f) for k in range(4)]
    handles[0].cancel(); await asyncio.sleep(0.001); handles[1].cancel()
    try:
        async with asyncio.timeout(0.001): f(); await asyncio.sleep(1)
    except TimeoutError: f()
async def aio_locks(c):
    lock, event, queue = asyncio.Lock(), asyncio.Event(), asyncio.Queue(2)
    async def child(k):
        async with lock: f(k); await asyncio.sleep(0)
        await queue.put(k); f(k); await event.wait()
    tasks = [asyncio.create_task(child(k)) for k in range(4)]
    for _ in range(4): await asyncio.wait_for(queue.get(), 0.05); f()
    event.set(); await asyncio.gather(*tasks, return_exceptions=True)
async def aio_hostile(c):
    loop = asyncio.get_running_loop(); fut = loop.create_future()
    fut.add_done_callback(e()); loop.call_soon(e()); loop.call_later(e(), e())
    fut.remove_done_callback(e()); fut.set_result(e()); await asyncio.sleep(0)
    await e()
async def aio_iterate(c):
    async for v in e(): f(v)
    async with e() as v: f(v)
async def aio_generator(c):
    async def g():
        try:
            for k in range(3): yield f(k); await asyncio.sleep(0)
        finally: f()
    a = g()
    async for v in a:
        f(v)
        if v: break
    await a.aclose()
async def aio_shield(c):
    async def child(): await asyncio.sleep(0.001); return f()
    t = asyncio.create_task(child()); t.add_done_callback(f)
    s = asyncio.shield(t); s.cancel(); f(); t.cancel()
    for done in asyncio.as_completed([asyncio.create_task(child()) for _ in range(3)], timeout=0.05):
        try: f(await done)
        except asyncio.CancelledError: f()
def run(main): return asyncio.run(asyncio.wait_for(main(c), 2))

LISTS = ['[e() for _ in range(6)]', '[1, e(), "x", e(), 2.5]']
NUMBERS = ['[3, 1, 2, 5, 4, 0]']
USES = {
    'list': (LISTS, [
        'sorted(c)', 'sorted(c, reverse=True)', 'c.sort()', 'c.sort(key=f)', 'c.sort(key=f, reverse=True)', 'min(c)', 'min(c, key=f)', 'max(c, key=f)', 'max(c, default=e())', 'sum(c, e())', 'sum(c)', 'c.index(e())', 'c.count(e())',
        'c.remove(e())', 'e() in c', 'c == [e() for _ in range(6)]', 'c != c[:]', 'c < [e() for _ in range(6)]', 'c >= c[:]', 'repr(c)', 'str(c)', 'f"{c}"', 'f"{c[0]!r:>9}"', 'f"{c[0]:{c[1]}}"', 'set(c)', 'frozenset(c)',
        'dict.fromkeys(c)', 'dict(zip(c, c))', 'any(c)', 'all(c)', 'tuple(c)', 'c[e()]', 'c[e():e()]', 'c[e()::e()]', 'c.__setitem__(slice(e(), e()), c)', 'c.__delitem__(slice(e(), e(), e()))', 'c.__delitem__(e())', 'c.__setitem__(e(), e())',
        'c.pop(e())', 'c.insert(e(), e())', 'c * e()', 'e() * c', 'c.__imul__(e())', 'c.extend(e())', 'c.extend(c)', 'c.__iadd__(e())', 'c.__setitem__(slice(0, 4), e())', 'c.__setitem__(slice(0, 6, 2), e())', 'c.__setitem__(slice(0, 6, 2), [e(), e(), c])',
        'c.extend(generate(c))', 'c.__setitem__(slice(1, 3), generate(c))', 'c.__init__(generate(c))', 'c.__init__(e())', 'list(e())', 'tuple(e())', 'c[:] + [e()]', '"".join(c)', '"".join(e())', '",".join(map(str, c))', 'bytes(c)', 'bytearray(c)', 'list(reversed(c))', 'list(reversed(e()))',
        'range(e(), e(), e())', 'c.index(e(), e(), e())', 'print(*c)', '[*c, *e()]', '{*c, *e()}', 'f(*c)', 'f(*e())', 'f(**{"a": e()}, **e())', 'c.copy() == c', '(lambda a, *b: b)(*c)', 'isinstance(1, tuple(c))', '"%s %r" % (c, c)', '"%s" % e()', '"%d" % e()', '"%f %x" % (e(), e())',
        '"%*d" % (e(), 1)', '"{} {!r:>5}".format(c, e())', '"{0[0].q}".format(c)', 'tuple(c) == tuple(c[:5] + [e()])', 'tuple(c) < tuple(c)', 'tuple(c).index(e())', 'tuple(c).count(e())', 'e() in tuple(c)', 'tuple(c) * e()', 'tuple(c)[e():e()]', 'hash(tuple(c))', 'sorted(c, key=lambda v: (v, c))',
        'sorted(c, key=functools.cmp_to_key(f))', 'unpack(c)', 'unpack(e())', 'unpack_three(e())', 'type("T", tuple(c), {})', 'hasattr(e(), "q")', 'dir(e())', 'vars(e())', 'ExceptionGroup("g", c)', 'ExceptionGroup("g", [ValueError(e())]).split(f)', 'raise_(e())', 'c[0] < c[-1] < c[0]',
        'e() + c', 'c += e()', 'del c[e()]', 'c[e()] += 1', 'c[0] += e()', 'match_(c)', 'match_(e())', 'for_(c)', 'for_(e())', '[v for v in c if v]', '[v for v in e()]', '{v: v for v in c}', '{v for v in c}', 'list(generate(c))', 'list(relay(c))', 'list(relay(e()))', 'print(e(), sep=e())', 'print(c, file=e())', 'print(1, 2, file=e(), flush=e())',
        'c[-1] if c[0] and c[1] or c[2] else 0', 'c.pop() == c', 'c.reverse() or c.sort(key=key)', 'c.sort(key=lambda v: c.append(f()))', 'eval("1", {"__builtins__": e()})', 'exec("x = y", {}, e())', 'exec("def g(): return y\\ng()", e(), {})', 'slice(e(), e()) == slice(e(), e())', 'hash(slice(e(), 1))', 'slice(e(), e(), e()).indices(e())',
        'compile(e(), "x", "eval")', 'compile("1", e(), "eval")', 'open(e(), closefd=False)', '__import__(e())', 'setattr(e(), "q", e())', 'getattr(e(), e(), 1)', 'delattr(e(), "q")', 'callable(e())', 'id(e())', 'ascii(c)', 'input(e())', 'format(e(), "9")', 'format(1, e())', 'aiter(e())', 'iter(e())', 'list(iter(e()))', 'bool(c[0])', 'len(e())', 'not e()', 'e()()', 'e()[e()]', 'next(e())', 'next(e(), 1)', 'e() @ e()', '-e()', 'e() | e()', 'e() ** e()', 'e() - e()', 'with_(e())']),
    'numbers': (NUMBERS, [
        'divmod(e(), e())', 'int(e())', 'float(e())', 'complex(e())', 'complex(e(), e())', 'complex(1, e())', 'round(e())', 'round(2.5, e())', 'round(25, e())', 'abs(e())', 'chr(e())', 'bin(e())', 'hex(e())', 'oct(e())', 'pow(e(), e(), e())', 'pow(2, e(), 5)', 'int("12", e())', 'int.from_bytes(c, "big")', 'int.from_bytes(e(), "big")', 'int.from_bytes(e(), e())',
        '(5).to_bytes(e(), "big")', '(5).to_bytes(2, "big", signed=e())', '2 + e()', '2 ** e()', '2.5 * e()', '1 << e()', '1 == e()', '1.5 < e()', '2 in [e()]', 'e() // 2', 'float.fromhex(e())', 'range(9)[e()]', 'range(9)[e():e()]', 'e() in range(9)', 'range(9).index(e())', 'range(9).count(e())', 'range(e())', 'range(1, e(), 2) == range(e())', 'math.fsum([e(), e()])', 'math.gcd(e(), e())', 'math.lcm(e(), 4)',
        'math.prod([e(), e()])', 'math.prod(e())', 'math.sin(e())', 'math.hypot(e(), e())', 'math.dist([e()], [e()])', 'math.dist(c, [e()] * 6)', 'math.comb(e(), e())', 'math.perm(e())', 'math.factorial(e())', 'math.isqrt(e())', 'math.floor(e())', 'math.ceil(e())', 'math.trunc(e())', 'math.ldexp(1.0, e())', 'math.isclose(e(), e(), rel_tol=e())', 'math.log(e(), e())', 'math.sumprod(c, [e()] * 6)', 'math.sumprod([e()], e())', 'math.fmod(e(), e())', 'math.nextafter(1.0, 2.0, steps=e())',
        'sum([e(), e()], 1.5)', 'sum(c, e())', 'min(1, e())', 'max(e(), 2.5, e())', 'random.randrange(e())', 'random.shuffle(c)', 'random.choice(e())', 'random.sample(c, e())', 'random.choices(c, e(), k=e())', 'random.choices(c, cum_weights=e())', 'random.seed(e())', 'random.getrandbits(e())', 'random.Random(e())', 'random.shuffle(e())', 'struct.pack("iI", e(), e())', 'struct.pack("d?", e(), e())', 'struct.pack("s", e())', 'struct.pack_into("i", bytearray(9), e(), e())', 'struct.unpack("i", e())', 'struct.unpack_from("b", b"abcd", e())', 'list(struct.iter_unpack("b", e()))', 'struct.calcsize(e())', 'struct.pack(e(), 1)', 'sys.setrecursionlimit(e())', 'sys.intern(e())', 'sys.getsizeof(e())', 'sys.exit(e())']),
    'text': (['["a", "bc", "d"]'], [
        '"abc"[e()]', '"abc"[e():e()]', '"abc".replace("a", "b", e())', '"abc".find("c", e(), e())', '"abc".count("c", e(), e())', '"abc".startswith("a", e())', '"abc".startswith(e())', '"abc".startswith(("x", e()))', '"a" * e()', '"abc".center(e())', '"abc".ljust(e())', '"abc".zfill(e())', '"a\\tb".expandtabs(e())', '"abc".split("b", e())', '"abc".rsplit(None, e())', '"a\\nb".splitlines(e())', '"abc".translate(e())', '"abc".translate({97: e()})',
        'str.maketrans(e())', 'str.maketrans({e(): 1})', '"abc".join(e())', '"abc".join(generate(c))', '",".join(v for v in c if f(v))', '"abc".strip(e())', '"abc" + e()', '"abc" == e()', '"abc" < e()', '"abc" in e()', 'e() in "abc"', '"abc".encode(e())', 'str(b"ab", e())', 'str(e(), "utf-8")', '"%(a)s" % e()', '"%s" % (e(),)', '"%r %s %a" % (e(), e(), e())', '"%c" % e()', '"%.*f" % (e(), e())', '"%i" % e()', '"{a.b[c]}".format(a=e())', '"{0} {1}".format(*e())', '"{:{}}".format(1, e())', '"{a}".format_map(e())', 'f"{e()}"', 'f"{e()!r:{e()}}"', 'f"{c}{e():x}{c}"', 'f"{1:{e()}}"',
        're.sub("a", f, "xax")', 're.sub("a", lambda m: (f(), "q")[1], "xaxa")', 're.sub("(a)", lambda m: (f(), m.group(1))[1], "xaxa" * 9)', 're.sub("a", e(), "xax")', 're.subn("a|b", lambda m: (f(m), re.sub("x", lambda m: (f(), "y")[1], "axb"))[1], "ab")', 're.sub("a", "b", "aaa", count=e())', 're.compile("a").search("aaa", e(), e())', 're.compile("a").match("aaa", e())', 're.match("(a)(b)", "ab").group(e(), e())', 're.match("(a)", "a")[e()]', 're.match("(a)", "ab").groups(e())', 're.match("a", "a").start(e())', 're.compile(e())', 're.search("a", e())', 're.split("b", "abc", maxsplit=e())', 're.findall("a", e())', 're.escape(e())', 'parts(c)', 'partly(c)', 're.compile("a") == e()', 're.Scanner([("a", f)]).scan("aaab")',
        'json.dumps(c, default=f)', 'json.dumps([e(), e()], default=f)', 'json.dumps({e(): 1}, skipkeys=e())', 'json.dumps(e(), default=lambda v: (f(), [1, c])[1])', 'json.dumps([e()] * 3, default=lambda v: (c.append(v), f(), c)[2])', 'json.dumps(c, indent=e())', 'json.dumps(c, separators=e())', 'json.dumps({"b": e(), "a": 1}, sort_keys=True, default=f)', 'json.loads("[{\\"a\\": {}}]", object_hook=f)', 'json.loads("{\\"a\\": {}}", object_pairs_hook=f)', 'json.loads("[{}, 1, 2.5]", object_hook=lambda d: (f(), d)[1], parse_int=f, parse_float=f, parse_constant=f)', 'json.loads("[NaN, 1]", parse_constant=f, parse_int=e())', 'json.loads(e())', 'json.dump(c, e())', 'json.load(e())', 'json.JSONEncoder(default=e()).encode([e()])', 'list(json.JSONEncoder(default=f).iterencode([e(), {1: e()}]))', 'json.JSONDecoder(object_hook=e()).decode("{\\"a\\": {}}")']),
    'iterators': (['[e() for _ in range(6)]', '{i: e() for i in range(6)}', 'collections.deque([e(), e(), e()])', 'generate([1, 2, 3])', 'iter([1, e(), 3])'], [
        'list(map(f, c))', 'list(map(f, c, c, e()))', 'list(map(e(), c))', 'list(filter(f, c))', 'list(filter(None, c))', 'list(filter(e(), c))', 'list(zip(c, e()))', 'list(zip(c, c, strict=e()))', 'list(zip(generate(c), c, strict=True))', 'list(enumerate(c, e()))', 'list(enumerate(e()))', 'lazily(iter(f, e()))', 'list(zip(iter(f, 3), range(30)))', 'lazily(iter(f, 5))', 'functools.reduce(f, c)', 'functools.reduce(f, e(), e())', 'functools.partial(f, *e())(*e())', 'functools.partial(e(), 1)(2)', 'sorted(c, key=key)', 'max(c, key=e())', 'sum(generate(c))', 'set(generate(c))', 'dict.fromkeys(generate(c))', 'any(generate(c))', 'tuple(generate(c))', 'frozenset(generate(c))', 'list(relay(generate(c)))',
        'lazily(itertools.chain(c, e()))', 'lazily(itertools.chain.from_iterable([c, e(), generate(c)]))', 'lazily(itertools.chain.from_iterable(e()))', 'lazily(itertools.cycle(c))', 'lazily(itertools.cycle(generate(c)))', 'lazily(itertools.repeat(e(), e()))', 'lazily(itertools.count(e(), e()))', 'lazily(itertools.accumulate(c))', 'lazily(itertools.accumulate(c, f))', 'lazily(itertools.accumulate(c, e(), initial=e()))', 'lazily(itertools.batched(c, e()))', 'lazily(itertools.batched(generate(c), 2))', 'lazily(itertools.combinations(c, e()))', 'lazily(itertools.combinations_with_replacement(generate(c), 2))', 'lazily(itertools.compress(c, e()))', 'lazily(itertools.compress(generate(c), generate(c)))', 'lazily(itertools.dropwhile(f, c))', 'lazily(itertools.dropwhile(e(), c))', 'lazily(itertools.takewhile(true, c))', 'lazily(itertools.filterfalse(f, c))', 'lazily(itertools.filterfalse(None, c))',
        'lazily(itertools.groupby(c))', 'lazily(itertools.groupby(c, f))', '[list(g) for k, g in itertools.groupby(c, key)]', '[(next(h), list(g)) for h in [itertools.groupby(c, key)] for k, g in h]', 'list(itertools.islice(c, e(), e(), e()))', 'list(itertools.islice(generate(c), 1, 3))', 'lazily(itertools.pairwise(c))', 'lazily(itertools.pairwise(generate(c)))', 'lazily(itertools.permutations(c, e()))', 'lazily(itertools.permutations(generate(c), 2))', 'lazily(itertools.product(c, e(), repeat=e()))', 'lazily(itertools.product(generate(c), c))', 'lazily(itertools.starmap(f, zip(c, c)))', 'lazily(itertools.starmap(f, e()))', '[lazily(t) for t in itertools.tee(c, e())]', '[lazily(t) for t in itertools.tee(generate(c), 3)]', 'lazily(itertools.zip_longest(c, e(), fillvalue=e()))', 'lazily(itertools.zip_longest(generate(c), generate(c)))', 'for_(itertools.tee(iter(c))[0])', 'copy.copy(iter(c))', 'operator.length_hint(e(), e())', 'list(c.__iter__())', 'for_(c)', 'for_(reversed(c))', 'unpack(generate(c))',
        'heapq.heapify(c)', 'heapq.heappush(c, e())', 'heapq.heappop(c)', 'heapq.heapreplace(c, e())', 'heapq.heappushpop(c, e())', 'heapq.nlargest(e(), c)', 'heapq.nlargest(3, c, key=f)', 'heapq.nsmallest(2, generate(c), key=f)', 'list(heapq.merge(c, c, e()))', 'list(heapq.merge(c, key=f))', 'heapq._heapify_max(c)', 'heapq._heappop_max(c)', 'bisect.bisect(c, e())', 'bisect.bisect_left(c, e(), key=f)', 'bisect.insort(c, e())', 'bisect.insort(c, e(), e(), e())', 'bisect.insort_left(c, e(), key=key)', 'bisect.bisect_left(e(), e())',
        'operator.itemgetter(e(), e())(c)', 'operator.itemgetter(0)(e())', 'operator.attrgetter("a.b", "q")(e())', 'operator.methodcaller("append", e())(c)', 'operator.methodcaller("q", 1)(e())', 'operator.contains(c, e())', 'operator.countOf(c, e())', 'operator.indexOf(c, e())', 'operator.countOf(generate(c), 1)', 'operator.concat(c, e())', 'operator.setitem(c, e(), e())', 'operator.delitem(c, e())', 'operator.index(e())', 'operator.truth(e())', 'operator.iadd(c, e())', 'operator.lt(c, c)', 'operator.call(e(), e())', 'cached(c)', 'cached_self(c)', 'dispatched(c)', 'sorted(c, key=functools.cmp_to_key(lambda a, b: f() % 3 - 1))', 'functools.total_ordering(type("T", (), {"__lt__": f, "__eq__": f}))() >= e()', 'c.send(None)', 'c.throw(e())', 'c.throw(KeyError(e()))', 'c.close()', 'c.gi_frame', 'c.__setstate__(e())', 'c.__length_hint__()']),
    'dict': (['{e(): e() for _ in range(5)}', '{1: e(), "a": e(), e(): 3}', '{i: e() for i in range(9)}'], [
        'c[e()]', 'c.__setitem__(e(), e())', 'c.get(e())', 'c.get(e(), e())', 'c.pop(e(), 1)', 'c.popitem()', 'c.setdefault(e(), e())', 'e() in c', 'c.update(c)', 'c.update(e())', 'c.update(e(), a=e())', 'c.update(generate([(1, 2)]))', 'c.update([(e(), e()), e()])', 'c.update({e(): 1, e(): 2})', 'c.__init__(e())', 'c == {e(): e() for _ in range(5)}', 'c != dict(c)', 'c == {i: e() for i in range(9)}', 'dict(c)', 'c | {e(): 1}', 'c | c', 'c | e()', 'e() | c', 'repr(c)', 'list(c.items())', 'sorted(c.items())', 'sorted(c)', 'c.__delitem__(e())', 'dict(e())', 'dict(e(), a=1)', 'dict([[e(), e()], e()])', '{**c, **e()}', '{e(): e(), e(): e()}', 'f(**c)', 'f(**e())', 'f(*c, **c)',
        'c.keys() & [e()]', 'c.keys() & e()', 'c.keys() ^ {e()}', 'c.keys() == {e(), e()}', 'c.items() == {e(): e()}.items()', '(e(), e()) in c.items()', 'e() in c.items()', 'e() in c.values()', 'c.keys() | e()', 'c.keys() - c.keys()', 'c.items() - c.items()', 'c.items() <= c.items()', 'c.items() & {(e(), 1)}', 'c.keys() < {e() for _ in range(9)}', 'c.keys().isdisjoint(e())', 'c.keys().isdisjoint(c)', 'repr(c.items())', 'repr(c.values())', 'for_(c)', 'for_(c.items())', 'for_(c.values())', 'for_(reversed(c))', 'for_(reversed(c.items()))', 'c.keys().mapping[e()]', '{k: v for k, v in c.items() if k == v}', 'dict.fromkeys(c, e())', 'dict.fromkeys(e())', 'c.fromkeys(generate(c), 1)', '"{a}".format_map(e())', '"{0[q]}".format(e())', '"%(a)s" % c',
        'type("T", (), c)', 'type("T", (), dict(c, a=e()))', 'c.copy() == c', 'max(c)', 'set(c)', 'sum(c)', 'sum(c.values())', 'any(c.values())', 'list(map(f, c.values()))', 'list(map(f, c.items()))', 'eval("zz", c)', 'eval("zz", {}, c)', 'exec("a = zz", c)', 'exec("class K: a = b", c)', 'match_(c)', 'next(iter(c.items()))', 'json.dumps(c, default=f)', 'json.dumps(c, default=f, sort_keys=True)', 'json.dumps(c, default=f, skipkeys=True, indent=2)', 'pickled(c)', 'copied(c)', 'copy.copy(c)', 'c.__ior__(e())', 'c.__ior__([(e(), 1)])', 'c.__ior__(c)', 'random.choices(c)', 'str(c)', 'f"{c}"', '"%r" % c', 'hash(c.keys())', 'vars(e()).update(c)', 'c.__class_getitem__(e())', 'operator.eq(c, c.copy())', 'list(zip(c, c.values()))', '[c.pop(k) for k in list(c)]', 'min(c.items(), key=f)', 'sorted(c, key=c.get)', 'sorted(c, key=c.__getitem__)', 'heapq.nlargest(2, c, key=c.get)', 'list(filter(c.get, c))', 'list(map(c.pop, list(c)))', 'list(map(c.setdefault, [e(), e()]))']),
    'set': (['{e() for _ in range(6)}', '{1, 2, e(), "a"}'], [
        'e() in c', 'c.add(e())', 'c.discard(e())', 'c.remove(e())', 'c | {e()}', 'c & {e(), e()}', 'c - {e()}', 'c - {e(): 1}.keys()', 'c ^ {e(), e()}', 'c == {e() for _ in range(6)}', 'c != {e(), e(), e()}', 'c < {e() for _ in range(8)}', 'c > {e()}', 'c <= c', 'c.update(e())', 'c.update(e(), c)', 'c.update(c)', 'c.update({e(): 1, e(): 2})', 'c.update(generate(c))', 'c.__init__(e())', 'c.intersection_update({e()})', 'c.intersection_update(e(), c)', 'c.intersection(e())', 'c.intersection(generate(c))', 'c.intersection({e(): 1})', 'c.difference_update({e()})', 'c.difference_update(e())', 'c.difference(e())', 'c.difference({e(): 1})', 'c.difference(generate(c))', 'c.symmetric_difference_update({e(), e()})', 'c.symmetric_difference_update({e(): 1})', 'c.symmetric_difference(e())', 'c.issubset(e())', 'c.issubset([e()] * 9)', 'c.issuperset(e())', 'c.isdisjoint(e())', 'c.isdisjoint({e()})',
        'c.union(e(), c)', 'repr(c)', 'sorted(c)', 'min(c)', 'sum(c)', 'for_(c)', 'frozenset(c) == c', 'frozenset(c) | {e()}', 'frozenset(c) - {e()}', 'frozenset(c).union(e())', 'e() in frozenset(c)', 'hash(frozenset(c))', 'set(e())', '{frozenset(c), frozenset(c)}', '{frozenset(c): 1}[frozenset(c)]', 'c.copy()', 'list(map(f, c))', 'list(map(c.add, [e(), e()]))', 'list(map(c.discard, list(c)))', 'c.__ior__({e()})', 'c.__iand__({e()})', 'c.__ixor__({e()})', 'c.__isub__(c)', 'c.__isub__({e()})', 'c.pop()', 'c in {1, frozenset(c)}', 'c.discard(frozenset([e()]))', 'pickled(c)', 'copied(c)', 'tuple(c) == tuple(c)', 'dict.fromkeys(c, 1)', '"{}".format(c)', '{*c, e()}', 'f(*c)', 'list(c)', 'unpack(c)', 'any(c)', 'random.sample(sorted(c, key=key), 2)', 'len(c | c)', 'list(itertools.product(c, c))', 'collections.Counter(c)', 'all(v == v for v in c)', 'max(c, key=f)']),
    'bytes': (['bytearray(b"abcdef")', 'memoryview(bytearray(b"abcdef"))', 'memoryview(array.array("i", range(9)))', 'array.array("i", range(6))', 'array.array("d", range(6))'], [
        'c[e()]', 'c.__setitem__(e(), e())', 'c.__setitem__(slice(e(), e()), e())', 'c.__setitem__(slice(0, 2), e())', 'c.__setitem__(slice(0, 2), [e(), e()])', 'c.__setitem__(slice(0, 6, 2), [e(), e(), e()])', 'c.__setitem__(slice(e(), 3), b"xyz")', 'c.__setitem__(0, e())', 'c.extend(e())', 'c.extend([e(), e()])', 'c.extend(generate([1, 2]))', 'c.insert(e(), e())', 'c.append(e())', 'c.pop(e())', 'c.find(e())', 'c.find(b"c", e(), e())', 'c.index(e())', 'c.index(1, e(), e())', 'c * e()', 'c.__imul__(e())', 'c.join([b"a", c, e()])', 'c.join(e())', 'c.join(generate([1]))', 'c.replace(b"a", b"b", e())', 'c.replace(e(), b"x")', 'c.remove(e())', 'e() in c', 'c.count(e(), e(), e())', 'c.count(e())', 'c.__delitem__(slice(e(), e(), e()))', 'c.__delitem__(e())', 'c.center(e())', 'c.ljust(e(), b"x")', 'c.zfill(e())', 'c.expandtabs(e())', 'c.split(b"c", e())', 'c.split(e())', 'c.strip(e())', 'c.partition(e())', 'c.__iadd__(e())', 'c + e()', 'e() + c', 'c.fromhex(e())', 'c.maketrans(e(), e())', 'c.splitlines(e())',
        'memoryview(c)[e()]', 'memoryview(c).__setitem__(e(), e())', 'memoryview(c).__setitem__(0, e())', 'memoryview(c)[e():e()]', 'memoryview(c).cast(e())', 'memoryview(c).cast("B", e())', 'memoryview(c).cast("B", [e(), 3])', 'memoryview(c).tobytes(e())', 'memoryview(c) == e()', 'memoryview(c).hex("-", e())', 'memoryview(e())', 'c.cast("B", [e()])', 'c == e()', 'c < e()', 'c % e()', 'b"%s %d" % (e(), e())', 'b"%b" % e()', 'c.startswith(e(), e())', 'c.endswith((b"x", e()))', 'c.hex("-", e())', 'c.hex(e())', 'int(c, e())', 'c.decode(e())', 'c.translate(e())', 'c.translate(None, e())', 'bytes(e())', 'bytearray(e())', 'bytes([e(), e()])', 'bytes(generate([1]))', 'bytearray([e(), 1])', 'c.__init__(e())', 'c.__init__([e(), e()])', 'c.fromlist([e(), e()])', 'c.frombytes(e())', 'c.fromfile(e(), e())', 'c.tofile(e())', 'c.fromunicode(e())', 'array.array("i", e())', 'array.array("i", [e(), e()])', 'array.array(e(), [1])', 'array.array("d", generate([1]))', 'c.buffer_info()', 'for_(c)', 'list(map(f, c))', 'sorted(c, key=f)', 'sum(c, e())', 'list(reversed(c))', 'list(zip(c, map(f, c)))', 'struct.pack_into("i", c, e(), e())', 'struct.unpack_from("b", c, e())', 'list(map(f, struct.iter_unpack("b", c)))', 'int.from_bytes(c, e())', 'b"".join([c, e()])', 'b"abc".find(c, e())', 'c.tolist() == e()', 're.sub(b"a", lambda m: (f(), b"q")[1], c)', 'list(map(f, re.finditer(b"[a-f]", c)))', 're.compile(b"a").search(c, e())', 'copied(c)', 'pickled(c)', 'hash(c)', 'io.BytesIO(c).readinto(c)', 'io.BytesIO(e())', 'unpack(c)', 'random.shuffle(c)', 'bisect.insort(c, e())', 'c.release()', 'json.loads(c)', 'any(map(f, c))']),
    'collections': (['collections.deque([e() for _ in range(5)])', 'collections.deque([1, e(), e()], 4)', 'collections.OrderedDict((e(), e()) for _ in range(4))', 'collections.OrderedDict((i, e()) for i in range(4))', 'collections.defaultdict(f, {e(): 1})', 'collections.Counter([1, e(), e()])', 'collections.UserList([e(), e()]).data', 'collections.UserDict({1: e()}).data'], [
        'c.append(e())', 'c.appendleft(e())', 'c.extend(e())', 'c.extend(c)', 'c.extend(generate(c))', 'c.extendleft(e())', 'c.extendleft(c)', 'c.count(e())', 'c.index(e())', 'c.index(e(), e(), e())', 'c.remove(e())', 'c.insert(e(), e())', 'c.rotate(e())', 'c[e()]', 'c.__setitem__(e(), e())', 'c.__delitem__(e())', 'e() in c', 'c == c.copy()', 'c == type(c)(c)', 'c < c.copy()', 'c != e()', 'c + e()', 'c + c', 'c * e()', 'c.__imul__(e())', 'c.__iadd__(e())', 'c.__init__(e(), e())', 'repr(c)', 'str(c)', 'for_(c)', 'for_(reversed(c))', 'list(map(f, c))', 'list(map(f, reversed(c)))', 'sorted(c)', 'max(c, key=f)', 'copy.copy(c)', 'copied(c)', 'pickled(c)', 'collections.deque(e(), e())', 'collections.deque(c, 2)', 'hash(tuple(c))', 'bool(c) and c.pop()', 'c.popleft() == c.pop()',
        'c.get(e())', 'c.pop(e(), 1)', 'c.setdefault(e(), e())', 'c.update(e())', 'c.update({e(): e()})', 'c.update(c)', 'c.move_to_end(e())', 'c.move_to_end(e(), last=e())', 'c.popitem(e())', 'c.popitem()', 'c | {e(): 1}', 'c.__ior__(e())', 'e() | c', 'c.items() == c.copy().items()', 'for_(c.items())', 'for_(reversed(c.items()))', 'for_(c.values())', 'list(map(f, c.values()))', 'c.fromkeys(e())', 'c.keys() & e()', 'c == {e(): 1}', 'c == collections.OrderedDict([(e(), e())])', 'c.__missing__(e())', 'collections.defaultdict(e())[1]', 'collections.defaultdict(e, c)[e()]', 'collections.defaultdict(lambda: (f(), c.pop(1, 2)))[1]', 'c["new"]', 'collections.Counter(e())', 'collections.Counter(c)', 'collections.Counter(generate(c))', 'c.most_common(e())', 'c.most_common()', 'c.subtract(e())', 'c.subtract({e(): e()})', 'list(c.elements())', 'c.total()', 'c & c', 'c - collections.Counter([e()])', '+c', 'collections.ChainMap(c, {e(): 1})[e()]', 'list(collections.ChainMap(c, {e(): 1}))', 'collections.ChainMap(c)["q"]', 'collections.ChainMap(e(), c).get(1)', 'collections.namedtuple("N", ["a"])(e()) == (e(),)', 'collections.namedtuple("N", e())', 'collections.namedtuple("N", "a b")._make(e())', 'collections.namedtuple("N", "a b")(1, 2)._replace(**e())', 'collections.UserList(e())', 'collections.UserList(c) == e()', 'collections.UserDict(e())', 'collections.UserString(e())', 'copied([e(), c, e()])', 'pickled([e(), c])', 'copied({e(): e()})', 'pickled({e(): e()})', 'copied((e(), [e()]))', 'copied({e()})', 'pickle.dumps(e())', 'pickle.dumps([e(), e(), c], e())', 'pickle.loads(e())', 'pickle.load(e())', 'pickle.dump(c, e())', 'pickle.Unpickler(e()).load()', 'pickle.dumps(c, buffer_callback=e())', 'copy.copy(e())', 'copy.replace(e(), a=1)', 'copy.deepcopy(c, e())', 'copy.deepcopy(c, {id(c): e()})']),
    'classes': (['type("K", (), {"x": e(), "y": e(), "m": f})', 'type("K", (dict,), {"x": e(), "__getattr__": f})', 'type("K", (type("B", (), {"x": e()}),), {"__eq__": f, "__hash__": f, "__slots__": ("s",)})', 'type("K", (), {"__init_subclass__": f, "__getattribute__": f, "__setattr__": f, "__len__": f, "__bool__": f})', 'type("K", (), {"__iter__": f, "__next__": f, "__index__": f, "__call__": f, "__lt__": f, "__add__": f, "__getitem__": f, "__contains__": f})'], [
        'c.x', 'c().x', 'c().y', 'c().m()', 'c().zz', 'c.zz', 'setattr(c(), "x", 1)', 'setattr(c(), "q", e())', 'setattr(c, "x", e())', 'setattr(c, "__eq__", e())', 'setattr(c, "__name__", e())', 'delattr(c(), "x")', 'delattr(c, "x")', 'hasattr(c(), "x")', 'getattr(c(), "x", 1)', 'getattr(c, e())', 'dir(c())', 'dir(c)', 'vars(c())', 'vars(c).get("x")', 'list(vars(c).items())', 'for_(vars(c))', 'c(e())', 'c()()', 'c() == c()', 'c() in [c(), 1]', '{c(): 1}', '{c(), c()}', 'hash(c())', 'len(c())', 'bool(c())', 'list(c())', 'next(c())', 'c()[1]', 'c()[c()]', '[1, 2][c()]', 'c() < c()', 'sorted([c(), c(), c()])', 'c() + c()', 'sum([c(), c()], c())', '1 in c()', 'range(c())', '"%d" % c()', 'repr(c())', 'str(c())', 'f"{c()}"', 'c().__dict__', 'c().__class__', 'setattr(c(), "__class__", c)', 'setattr(c(), "__dict__", e())', 'setattr(c(), "__dict__", {"x": e()})', 'setattr(c, "__bases__", (e(),))', 'setattr(c, "__bases__", (type("B2", (), {"x": e()}),))', 'derive(c)', 'derive(c)()', 'derive(c)().m()', 'derive(c).x', 'super(c, c()).x', 'super(c, e()).x', 'super(e(), c).x', 'super(c, c).__init__()', 'object.__getattribute__(c(), "x")', 'type.__getattribute__(c, "x")', 'type.mro(c)', 'c.__subclasses__()', 'c.__mro__', 'c.__doc__', 'c.__call__()', 'type(c)("L", (c,), {"z": e()})', 'type("L", (c, e()), {})', 'type("L", (e(),), {})', 'type(e(), (), {})', 'type("L", (), e())', 'type("L", (), {"__slots__": e()})', 'type("L", (), {"__slots__": ("a", e())})', 'type("L", (), {"__doc__": e(), "__qualname__": e()})', 'type("L", (c,), {"a": e()}, k=e())', 'decorated(e())', 'named(e())', 'other_meta(e())', 'with_bases(e())', 'type("T", (), {"a": e(), "b": e(), "c": e()})', 'type("T", (), {"a": e()})().a', 'setattr(type("T", (), {"a": e()})(), "a", 1)', 'delattr(type("T", (), {"a": e()})(), "a")', 'type("T", (), {"__eq__": e()})() == 1', 'type("T", (), {"__len__": e()}).__len__', 'len(type("T", (), {"__len__": e()})())', 'type("T", (), {"__getattr__": e()})().q', 'type("T", (), {"__iter__": e()})().__iter__', 'list(type("T", (), {"__iter__": e()})())', 'type("T", (), {"__get__": e()})()', 'type("T", (), {"__new__": f})()', 'type("T", (), {"__init__": e()})()', 'type("T", (type,), {"mro": f})("U", (), {})', 'type("T", (type,), {"__call__": f})("U", (), {})()', 'isinstance(1, e())', 'isinstance(e(), c)', 'isinstance(c(), (e(), c))', 'issubclass(int, e())', 'issubclass(e(), c)', 'issubclass(c, (e(), int))', 'isinstance(1, type("M", (type,), {"__instancecheck__": f})("N", (), {}))', 'issubclass(int, type("M", (type,), {"__subclasscheck__": f})("N", (), {}))', 'isinstance(1, int | e())', 'property(e(), e(), e()).__get__(1)', 'property(f, f, f).__set__(1, 2)', 'type("T", (), {"p": property(f, f, f)})().p', 'type("T", (), {"p": property(e())})().p', 'setattr(type("T", (), {"p": property(f, f)})(), "p", 1)', 'classmethod(e()).__get__(1, c)()', 'type("T", (), {"p": classmethod(e())}).p()', 'staticmethod(e())()', 'functools.cached_property(f).__get__(c(), c)', 'type("T", (), {"p": functools.cached_property(f)})().p', 'c.__class_getitem__(1)', 'c[e()]', 'list[e()] == list[e()]', 'list[e()][e()]', 'hash(list[e()])', 'repr(list[e()])', 'int | e()', 'e().__class__', 'e().q', 'e().q.r', 'e().append(1)', 'copy.copy(c())', 'copied(c())', 'pickled(c())', 'match_(c())', 'with_(c())', 'raise_(c)', 'object.__new__(c).x', 'object.__reduce_ex__(c(), e())', 'object.__eq__(c(), e())', 'object.__dir__(e())', 'type.__call__(c, e())', 'c.__init__(e())', 'f.__get__(e(), c)()', 'f.__setattr__("__defaults__", (e(),))', 'type(f)(e(), {})', 'type(f)(f.__code__, {"__builtins__": e()})()', 'types_(c)'] ),
    'instances': (['vars(type("K", (), {})()) | {"a": e(), "b": e()}', 'spare_instance()'], [
        'c.update(e())', 'instance.a', 'instance.zz', 'setattr(instance, "a", e())', 'setattr(instance, "q", e())', 'delattr(instance, "a")', 'instance.a == instance.b', 'instance.a + instance.b', 'instance.a[instance.b]', 'instance.a(instance.b)', 'for_(vars(instance))', 'list(vars(instance).values())', 'repr(vars(instance))', 'vars(instance) == vars(instance).copy()', 'sorted(vars(instance), key=f)', 'vars(instance).pop(e(), 1)', 'vars(instance)[e()]', 'vars(instance).setdefault(e(), 1)', 'vars(instance).update({e(): 1})', 'copied(instance)', 'copy.copy(instance)', 'pickled(instance)', 'dir(instance)', 'match_(instance)', 'instance.__class__.__eq__(instance, e())', 'setattr(instance, "__dict__", {e(): e()})', 'setattr(instance, "a", [f() for _ in range(4)])', 'exec("instance.a += e()")', 'exec("instance.a = instance.b = e()")', 'exec("del instance.a, instance.b")', 'exec("instance.zz += f()")', 'exec("instance.a[e()] = f()")', 'exec("instance.a, instance.b = e()")', 'exec("for instance.a in e(): f()")', 'exec("with e() as instance.a: f()")', 'getattr(instance, "a", f())', 'operator.attrgetter("a", "b")(instance)', 'f(instance.a, *instance.b, **vars(instance))', 'f"{instance.a}{instance.b!r}"', 'print(instance.a, instance.b)', 'object.__setattr__(instance, "a", e())', 'object.__delattr__(instance, "b")', '[instance.a for _ in map(f, range(4))]', '[setattr(instance, f"g{i}", f()) for i in range(9)]']),
    'streams': (['io.BytesIO(b"ab\\ncd\\nef")', 'io.StringIO("ab\\ncd\\nef")', 'io.BufferedReader(io.BytesIO(b"ab\\ncd"))', 'io.BufferedWriter(io.BytesIO())', 'io.TextIOWrapper(io.BytesIO(b"ab\\ncd"))', 'io.BufferedRandom(io.BytesIO(b"ab\\ncd"))'], [
        'c.read(e())', 'c.read1(e())', 'c.readline(e())', 'c.readlines(e())', 'c.readinto(e())', 'c.readinto(bytearray(4))', 'c.peek(e())', 'c.write(e())', 'c.writelines(e())', 'c.writelines(generate(["a", "b"]))', 'c.writelines(f() and "x" for _ in range(4))', 'c.writelines((f(), b"x")[1] for _ in range(4))', 'c.writelines((f(), "x")[1] for _ in range(4))', 'c.seek(e())', 'c.seek(0, e())', 'c.seek(e(), 2)', 'c.truncate(e())', 'c.getbuffer()[e()]', 'c.getbuffer().__setitem__(e(), e())', 'exported(c)', 'for_(c)', 'list(map(f, c))', 'sorted(c, key=f)', 'c.__setstate__((e(), e(), {}))', 'c.__setstate__(e())', 'c.__init__(e())', 'c.reconfigure(newline=e())', 'c.reconfigure(line_buffering=e())', 'with_(c)', 'print(e(), file=c)', 'print(*[e(), e()], sep="x", file=c, flush=True)', 'json.dump(e(), c, default=f)', 'json.dump([e()] * 3, c, default=f)', 'pickle.dump([e()], c)', 'pickle.load(c)', 'copied(c)', 'pickled(c)', 'c.detach()', 'text_stream(c)', 'text_writer(c)', 'pair_stream(c)', 'io.BufferedReader(e(), e())', 'io.BufferedReader(e(), 4).read(9)', 'io.BufferedReader(e(), 4).read()', 'io.BufferedReader(e(), 4).readline()', 'io.BufferedReader(e(), 4).peek()', 'io.BufferedReader(e(), 4).readinto(bytearray(9))', 'io.BufferedWriter(e(), 4).write(b"abcdefghi")', 'io.BufferedWriter(e(), 4).write(e())', 'io.BufferedRandom(e(), 4)', 'io.TextIOWrapper(e(), e())', 'io.TextIOWrapper(e())', 'io.TextIOWrapper(e(), newline=e()).read()', 'io.TextIOWrapper(io.BytesIO(b"abc"), errors=e()).read(e())', 'io.StringIO(e())', 'io.StringIO("a\\nb", newline=e())', 'io.BytesIO(b"abc").readinto(e())', 'io.RawIOBase.read(e(), 3)', 'io.RawIOBase.readall(e())', 'io.IOBase.readline(e())', 'io.IOBase.readlines(e())', 'io.IOBase.writelines(e(), [b"a"])', 'io.open_code(e())', 'io.open(e(), "r", e(), closefd=False)', 'io.FileIO(e(), closefd=False)', 'io.FileIO("nowhere", "r", opener=lambda *a: (e()(), -1)[1])', 'open("/dev/null", "w", opener=lambda *a: (f(), -1)[1])', 'io.text_encoding(e())', 'array.array("i", [1]).tofile(c)', 'array.array("i").fromfile(c, e())', 'io.TextIOWrapper(c).read()', 'io.BufferedReader(c).read()', 'c.fileno()', 'c.isatty()']),
    'weak': (['[e() for _ in range(4)]', 'weakref.WeakSet()'], [
        'referred(c)', 'finalized(c)', 'weak_values(c)', 'weak_keys(c)', 'cycle(c)', 'cycles(c)', 'weakref.ref(e(), f)', 'weakref.ref(e()) == weakref.ref(e())', 'hash(weakref.ref(e()))', 'weakref.proxy(e()).q', 'weakref.proxy(c[0]).q', 'len(weakref.proxy(c[0]))', 'weakref.proxy(c[0]) + 1', 'weakref.proxy(c[0]) == 1', 'repr(weakref.proxy(c[0]))', 'str(weakref.proxy(c[0]))', 'list(weakref.proxy(c[0]))', 'weakref.proxy(c[0])()', 'weakref.proxy(c[0], f)', 'weakref.WeakSet(c)', 'weakref.WeakSet(c) == weakref.WeakSet([e()])', 'e() in weakref.WeakSet(c)', 'c.add(c)', 'weakref.WeakSet([e()]).add(e())', 'weakref.WeakKeyDictionary({c[0]: 1})[e()]', 'weakref.WeakKeyDictionary({c[0]: 1}).pop(e(), 1)', 'weakref.WeakValueDictionary({1: c[0]}).setdefault(e(), e())', 'weakref.WeakValueDictionary(e())', 'weakref.WeakMethod(e())', 'weakref.getweakrefs(e())', 'weakref.getweakrefcount(c[0])', 'c.clear()', 'c.pop()', 'c[:] = []', 'del c[0]', 'c[0] = c[1] = 1', '[e() for _ in range(40)] and gc.collect()', 'gc.collect()', 'gc.get_referrers(e())', 'gc.get_referents(c)', 'gc.get_objects()[:1]', 'gc.callbacks.append(f) or gc.collect()', 'gc.callbacks.remove(f)', 'in_context(c)', 'variable.set(e())', 'variable.get(e())', 'contextvars.copy_context().run(e(), e())', 'contextvars.copy_context().run(f)', 'contextvars.copy_context() == e()', 'contextvars.ContextVar("v", default=e()).get()', 'contextvars.ContextVar(e())', 'sys.settrace(e()) or sys.settrace(None)', 'sys.setprofile(e()) or sys.setprofile(None)', 'sys.getrefcount(e())', 'sys.unraisablehook(e())', 'sys.excepthook(e(), e(), e())', 'sys.displayhook(e())', 'sys.call_tracing(f, ())', 'raise_(type("X", (Exception,), {"__str__": f, "__init__": f}))', 'str(KeyError(e()))', 'repr(ValueError(e(), e()))', 'ValueError().with_traceback(e())', 'ValueError().add_note(e())', 'ValueError().__setstate__(e())', 'setattr(ValueError(), "__cause__", e())', 'OSError(e(), e(), e())', 'str(OSError(1, e(), e()))', 'UnicodeDecodeError("x", b"a", e(), e(), e())', 'str(UnicodeEncodeError("x", "a", 0, 1, "r"))', 'SystemExit(e()).code', 'StopIteration(e()).value', 'ImportError(name=e())', 'SyntaxError("m", e())', 'SyntaxError(e(), ("f", e(), e(), e()))', 'ExceptionGroup(e(), [ValueError()])', 'ExceptionGroup("g", e())', 'ExceptionGroup("g", [ValueError()]).subgroup(e())', 'ExceptionGroup("g", [ValueError(), KeyError()]).split(f)', 'ExceptionGroup("g", [ValueError()]).derive(e())', 'BaseExceptionGroup("g", [e()])']),
    'tasks': (['[e(), f, e()]'], ['asyncio.run(e())', 'asyncio.run(aio(c))', *(f'run({name})' for name in list(globals()) if name.startswith('aio_'))]),
}

class Instance: pass
instance = Instance()
def spare_instance():
    vars(instance).clear(); instance.a = e(); instance.b = e()
    return vars(instance)
def types_(c):
    import types
    types.new_class('N', (c,), {}, f); types.MappingProxyType(e()); types.SimpleNamespace(a=e()) == types.SimpleNamespace(a=e())
    types.prepare_class('N', (e(),)); types.GenericAlias(e(), e()); types.MethodType(e(), e())(); types.coroutine(e())

RUNS_STATEMENTS = re.compile(r'del |\S+( \+=| = )')


# --- Running the cases ------------------------------------------------------------------------------------------------------------

@functools.cache
def compiled(text):
    return compile(text, 'evil', 'exec' if RUNS_STATEMENTS.match(text) else 'eval')

def drive(make, text, name):
    """Runs one case; how often the hook was called."""
    global n, c, use, depth, active, action
    n = depth = 0
    action = ACTIONS[name]
    code = compiled(text)
    try:
        c = eval(compiled(make))
        def use(): eval(code)
        active = True
        use()
    except (Exception, SystemExit, asyncio.CancelledError): pass
    finally: active = False
    c = use = None
    sys.setrecursionlimit(1000)
    return n

def cases(kind, name):
    """Generates the cases of a kind with a hook: (make, text, action)."""
    global hook, E
    hook, E = name, hostile(name)
    makes, uses = USES[kind]
    for text in uses:
        for make in makes:
            if drive(make, text, 'nothing'):
                for chosen in list(ACTIONS)[1:]:
                    if chosen != 'cancel' or kind == 'tasks': yield make, text, chosen

def main(words):
    pairs = [(kind, name) for kind in USES for name in HOOKS]
    each, first, last = 1, 0, 1 << 60
    if words[:1] == ['every']: each = int(words[1])
    elif words:
        pairs = [(words[0], words[1])]
        first, last = int((words + ['0'])[2]), int((words + ['', last])[3]) if len(words) > 3 else last
    sys.unraisablehook = lambda *args: None
    count = 0
    for kind, name in pairs:
        for make, text, chosen in cases(kind, name):
            if count % each == 0 and first <= count <= last:
                print(f'\ncase {count} {kind} {name} {chosen}: {make}: {text}', flush=True)
                drive(make, text, chosen)
            count += 1
    gc.collect()
    print(f'\nend {count}')

if __name__ == '__main__':
    main(sys.argv[1:])
