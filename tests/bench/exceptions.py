# Exceptions: a try that does not raise, raised and caught in place, through ten frames, with finally, by a native, by a generator's end.
import time

N = 200_000


class OwnError(Exception):
    def __init__(self, code):
        super().__init__(code)
        self.code = code


def quiet():
    total = 0
    for i in range(N):
        try:
            total += 1
        except ValueError:
            total -= 1
    return total


def caught():
    total = 0
    for i in range(N):
        try:
            raise ValueError
        except ValueError:
            total += 1
    return total


def own():
    total = 0
    for i in range(N):
        try:
            raise OwnError(1)
        except OwnError as error:
            total += error.code
    return total


def deep():
    def dive(depth):
        if depth == 0:
            raise ValueError('at the bottom')
        dive(depth - 1)
    total = 0
    for i in range(N // 10):
        try:
            dive(10)
        except ValueError:
            total += 10
    return total


def cleaned():
    total = 0
    for i in range(N):
        try:
            try:
                raise KeyError('k')
            finally:
                total += 1
        except LookupError:
            pass
    return total


def native():
    total, empty = 0, {}
    for i in range(N):
        try:
            empty['missing']
        except KeyError:
            total += 1
    return total


def attribute():
    total, thing = 0, object()
    for i in range(N):
        total += getattr(thing, 'missing', 1)
    return total


for function in (quiet, caught, own, deep, cleaned, native, attribute):
    start = time.perf_counter()
    assert function() == N
    print('RESULT', 'exception_' + function.__name__, (time.perf_counter() - start) * 1e9 / N, 'ns/turn')
