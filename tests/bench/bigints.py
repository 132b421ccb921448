# Integers beyond a word: factorial, Fibonacci, digits of pi, powers modulo, text both ways.
import sys
import time

sys.set_int_max_str_digits(0)


def factorial():
    product = 1
    for i in range(2, 2500):
        product *= i
    return product


def fibonacci():
    a, b = 0, 1
    for _ in range(20_000):
        a, b = b, a + b
    return a


def pi_digits():
    """Gibbons's unbounded spigot."""
    digits, q, r, t, i = [], 1, 180, 60, 2
    while len(digits) < 600:
        u = 3 * (3 * i + 1) * (3 * i + 2)
        y = (q * (27 * i - 12) + 5 * r) // (5 * t)
        digits.append(y)
        q, r, t, i = 10 * q * i * (2 * i - 1), 10 * u * (q * (5 * i - 2) + r - y * t), t * u, i + 1
    return digits[-1] + 1


def two_words():
    total = 1 << 64
    for i in range(100_000):
        total += i * 3
        total ^= 1 << 70
    return total


def powers():
    modulus = (1 << 521) - 1
    value = 3
    for _ in range(20):
        value = pow(value, modulus - 2, modulus)
    return value


def to_text():
    return len(str(7 ** 20_000)) + len(hex(7 ** 20_000))


def from_text():
    return int('1234567890' * 1500) & 0xFFFF | 1


for function in (factorial, fibonacci, pi_digits, two_words, powers, to_text, from_text):
    times = []
    for _ in range(5):
        start = time.perf_counter()
        assert function() > 0
        times.append(time.perf_counter() - start)
    print('RESULT', 'big_' + function.__name__, min(times) * 1e3, 'ms')
