# Small integers in a loop inside a function.
import time

N = 2_000_000
EXPECTED = N * (N - 1) * (N - 2) // 3


def while_loop(n):
    s = 0
    i = 0
    while i < n:
        s += i * i - i
        i += 1
    return s


def for_range(n):
    s = 0
    for i in range(n):
        s += i * i - i
    return s


for function in (while_loop, for_range):
    start = time.perf_counter()
    assert function(N) == EXPECTED
    print('RESULT', 'intloop_' + function.__name__, (time.perf_counter() - start) * 1e9 / N, 'ns/turn')
