# Sorting: random numbers, with a key, and what is in order already.
import time

N = 200_000


def random_numbers():
    seed = 12345
    numbers = []
    for _ in range(N):
        seed = (seed * 1103515245 + 12345) % 2147483648
        numbers.append(seed)
    return numbers


numbers = random_numbers()
words = [str(number) for number in numbers]
rows = [
    ('ints', numbers, None),
    ('strings', words, None),
    ('key', numbers, lambda n: n % 1000),
    ('sorted', sorted(numbers), None),
]
for name, items, key in rows:
    start = time.perf_counter()
    result = sorted(items, key=key)
    elapsed = time.perf_counter() - start
    assert len(result) == N
    print('RESULT', 'sort_' + name, elapsed * 1e9 / N, 'ns/item')
