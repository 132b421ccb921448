# Generator steps, and exceptions raised and caught.
import time

N = 500_000


def count(n):
    i = 0
    while i < n:
        yield i
        i += 1


def delegate(n):
    yield from count(n)


def fail(i):
    raise ValueError(i)


def generator_step():
    return sum_of(count(N))


def yield_from_step():
    return sum_of(delegate(N))


def sum_of(numbers):
    total = 0
    for i in numbers:
        total += i
    return total


def try_without_raise():
    total = 0
    for i in range(N):
        try:
            total += i
        except ValueError:
            total = 0
    return total


def raise_and_catch():
    total = 0
    for i in range(N):
        try:
            fail(i)
        except ValueError as error:
            total += error.args[0]
    return total


for function in (generator_step, yield_from_step, try_without_raise, raise_and_catch):
    start = time.perf_counter()
    assert function() == N * (N - 1) // 2
    print('RESULT', function.__name__, (time.perf_counter() - start) * 1e9 / N, 'ns/turn')
