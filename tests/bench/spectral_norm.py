# The spectral norm of an infinite matrix (a problem of the Benchmarks Game): floats, calls in an inner loop, generator sums.
import math
import time


def entry(i, j):
    return 1.0 / ((i + j) * (i + j + 1) // 2 + i + 1)


def times(u):
    return [sum([entry(i, j) * value for j, value in enumerate(u)]) for i in range(len(u))]


def transposed_times(u):
    return [sum([entry(j, i) * value for j, value in enumerate(u)]) for i in range(len(u))]


def norm(n):
    u = [1.0] * n
    for _ in range(10):
        v = transposed_times(times(u))
        u = transposed_times(times(v))
    return math.sqrt(sum(a * b for a, b in zip(u, v)) / sum(b * b for b in v))


start = time.perf_counter()
assert f'{norm(60):.6f}' == '1.274206', norm(60)
print('RESULT spectral_norm', (time.perf_counter() - start) * 1e3, 'ms')
