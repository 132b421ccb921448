# Strings built from pieces: by +=, join, %, format, f-strings, and taken apart again.
import time

N = 200_000


def append():
    text = ''
    for i in range(N):
        text += 'ab'
    return len(text)


def join():
    return len(''.join(['ab' for i in range(N)]))


def join_numbers():
    return len(','.join(str(i) for i in range(N)))


def fstring():
    total = 0
    for i in range(N):
        total += len(f'{i}: <{i + 1}>')
    return total


def fstring_formats():
    total = 0
    for i in range(N):
        total += len(f'{i:>8} {i:x} {i * 0.5:.2f}')
    return total


def percent():
    total = 0
    for i in range(N):
        total += len('%d: <%s>' % (i, i))
    return total


def format_method():
    total = 0
    for i in range(N):
        total += len('{}: <{}>'.format(i, i))
    return total


def methods():
    total = 0
    for i in range(N):
        total += len('  Some Text '.strip().lower().replace('t', 'tt'))
    return total


def characters():
    total = 0
    for c in 'some text that is long enough' * (N // 29):
        if c == 't':
            total += 1
    return total


def slices():
    text = 'some text that is long enough'
    total = 0
    for i in range(N):
        total += len(text[i % 20:i % 20 + 5])
    return total


for function in (append, join, join_numbers, fstring, fstring_formats, percent, format_method, methods, characters, slices):
    start = time.perf_counter()
    assert function() > 0
    print('RESULT', 'text_' + function.__name__, (time.perf_counter() - start) * 1e9 / N, 'ns/turn')
