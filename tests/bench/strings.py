# Building strings, and a dictionary of words.
import time

N = 200_000
WORDS = ('the quick brown fox jumps over the lazy dog and runs away from the angry bear '
         'who sleeps in a deep dark wood').split()


def append():
    s = ''
    for i in range(N):
        s += 'word '
    return len(s) == 5 * N


def join():
    return len(', '.join([str(i) for i in range(N)])) > N


def format():
    total = 0
    for i in range(N):
        total += len(f'{i}: {i * 2} of {N}')
    return total > N


def dict_of_words():
    counts = {}
    for _ in range(N // len(WORDS)):
        for word in WORDS:
            counts[word] = counts.get(word, 0) + 1
    return counts['the'] == 3 * (N // len(WORDS))


def split_and_strip():
    line = ' a,b , c,d ,e '
    total = 0
    for i in range(N // 5):
        total += len([part.strip() for part in line.split(',')])
    return total == N


for function in (append, join, format, dict_of_words, split_and_strip):
    start = time.perf_counter()
    assert function()
    print('RESULT', 'str_' + function.__name__, (time.perf_counter() - start) * 1e9 / N, 'ns/op')
