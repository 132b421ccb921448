# differs: CPython does not count some of these towards its limit, and ends in a signal for others
# slow: millions of objects
# Iterators, proxies, aliases and methods nested far deeper than the C stack.
N = 200_000


def nested(wrap, innermost):
    x = innermost
    for _ in range(N):
        x = wrap(x)
    return x


def attempt(name, action):
    try:
        action()
    except RecursionError:
        pass
    print(name)   # how deep it gets depends on the build


proxy, alias, method = type(type.__dict__), type(list[int]), type(attempt.__get__(1))
attempt('zip', lambda: list(nested(zip, [1])))
attempt('enumerate', lambda: list(nested(enumerate, [1])))
attempt('filter', lambda: list(nested(lambda x: filter(None, x), [1])))
attempt('length of proxies', lambda: len(nested(proxy, {1: 2})))
attempt('item of proxies', lambda: nested(proxy, {1: 2})[1])
attempt('in proxies', lambda: 1 in nested(proxy, {1: 2}))
attempt('iteration of proxies', lambda: list(nested(proxy, {1: 2})))
attempt('truth of proxies', lambda: bool(nested(proxy, {1: 2})))
attempt('attribute of aliases', lambda: nested(lambda x: alias(x, int), int).from_bytes)
attempt('name of methods', lambda: nested(lambda x: method(x, 1), len).__name__)
attempt('repr of methods', lambda: repr(nested(lambda x: method(x, 1), len)))
attempt('name of static methods', lambda: nested(staticmethod, len).__name__)
attempt('property of properties', lambda: nested(property, len).__isabstractmethod__)
