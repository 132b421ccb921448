# Closures, comprehensions, lambdas, keyword and star arguments, natives called often.
import time

N = 200_000


def counter():
    count = 0

    def increase():
        nonlocal count
        count += 1
        return count
    return increase


def closure():
    increase = counter()
    for _ in range(N):
        increase()
    return increase()


def lambdas():
    add = lambda a, b: a + b
    total = 0
    for i in range(N):
        total = add(total, 1)
    return total


def keywords():
    def f(a, b=2, *, c=3):
        return a + b + c
    total = 0
    for i in range(N):
        total += f(1, c=4) + f(a=1, b=1)
    return total


def stars():
    def f(*args, **kwargs):
        return len(args) + len(kwargs)
    pair, names = (1, 2), {'x': 1}
    total = 0
    for i in range(N):
        total += f(*pair, **names)
    return total


def list_comprehension():
    return len([i * 2 for i in range(N) if i & 1])


def dict_comprehension():
    return len({i: i + 1 for i in range(N)})


def set_comprehension():
    return len({i & 1023 for i in range(N)})


def generator_expression():
    return sum(i for i in range(N))


def nested_comprehension():
    return sum([len([j for j in range(10)]) for i in range(N // 10)])


def mapped():
    return sum(map(lambda i: i + 1, range(N))) + len(list(filter(None, range(N))))


def zipped():
    total = 0
    for i, (a, b) in enumerate(zip(range(N), range(N))):
        total += a - b + i
    return total


def natives():
    total = 0
    for i in range(N):
        total += min(i, 5) + max(i, 5) + abs(-i) + len('abc')
    return total


def isinstances():
    total = 0
    for i in range(N):
        total += isinstance(i, int) + isinstance(i, (str, bytes))
    return total


def unpacking():
    a, b, c = 1, 2, 3
    for i in range(N):
        a, b = b, a
        c, *rest = (a, b, c)
    return a + b + c


for function in (closure, lambdas, keywords, stars, list_comprehension, dict_comprehension, set_comprehension,
                 generator_expression, nested_comprehension, mapped, zipped, natives, isinstances, unpacking):
    start = time.perf_counter()
    assert function() > 0
    print('RESULT', function.__name__, (time.perf_counter() - start) * 1e9 / N, 'ns/turn')
