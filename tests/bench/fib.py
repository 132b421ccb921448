# Calls: recursive Fibonacci.
import time


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


start = time.perf_counter()
assert fib(27) == 196418
print('RESULT fib', (time.perf_counter() - start) * 1e9 / 832040, 'ns/call')
