# differs: CPython ends in a signal for slices of slices and others
# slow: millions of objects
# Objects nested far deeper than the C stack: an exception of Python, or a result, never a signal.
N = 100_000


def nested(wrap, innermost=()):
    x = innermost
    for _ in range(N):
        x = wrap(x)
    return x


def attempt(name, action):
    try:
        result = action()
        print(name, 'gives', result)
    except (RecursionError, MemoryError) as e:
        print(name, type(e).__name__)


attempt('repr of lists', lambda: repr(nested(lambda x: [x])))
attempt('repr of tuples', lambda: repr(nested(lambda x: (x,))))
attempt('repr of dicts', lambda: repr(nested(lambda x: {1: x})))
attempt('repr of sets', lambda: repr(nested(lambda x: frozenset([x]))))
attempt('repr of views', lambda: repr(nested(lambda x: {1: x}.values())))
attempt('== of lists', lambda: nested(lambda x: [x]) == nested(lambda x: [x]))
attempt('< of lists', lambda: nested(lambda x: [x]) < nested(lambda x: [x]))
attempt('== of dicts', lambda: nested(lambda x: {1: x}) == nested(lambda x: {1: x}))
attempt('repr of slices', lambda: repr(nested(slice)))
attempt('call of staticmethods', nested(staticmethod, len))
attempt('str of exceptions', lambda: repr(nested(ValueError)))
proxy = type(type.__dict__)
attempt('| of proxies', lambda: nested(proxy, {1: 2}) | {3: 4})
attempt('keys of proxies', lambda: nested(proxy, {1: 2}).keys())


def depth(n=0):
    return sorted([n], key=lambda v: depth(v + 1))


attempt('keys that sort', depth)
try: # how deep the C stack reaches depends on the compiler: either end is right
    made = list(nested(lambda x: map(lambda y: y, x), iter([1])))
except RecursionError:
    made = [1]
print('maps of maps', made)
print(round(-7, -10), round(150, -2), round(250, -2), round(6 * 10**19, -20), round(5 * 10**19, -20), round(2**64 - 1, -20), round(2**64, -21))
