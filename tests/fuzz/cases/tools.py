"""What the tables of cases share: choices of numbers, texts and bytes from a random.Random, and damage done to good data."""
import sys

EDGES = [0, 1, 2, 7, 9, 10, 63, 64, 127, 128, 255, 256, 999, 4299, 4300, 4301, 65535, 65536, 10**6, 2**30, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**52, 2**53,
         2**61, 2**62 - 1, 2**62, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**19, 10**30, 2**200]
LETTERS = ['a', 'b', 'z', 'A', 'E', 'e', '0', '1', '9', ' ', ' ', '\t', '\n', '\r', '\r\n', '.', ',', ';', ':', '-', '+', '_', '/', '\\', '"', "'", '%', '&', '=', '#', '?', '@', '[',
           ']', '{', '}', '(', ')', '<', '>', '!', '~', '*', '$', '|', '^', '\0', '\x1c', '\x7f', '\x85', '\xa0', '\xe9', '\u0663', '\u0130', '\u2003', '\u2028', '\uff11', '\ufeff', '\udc80',
           '\ud83d', '\U0001f600', '\U0001d7d9']


def integer(r):
    """An integer near a power of two or of ten, where limits are."""
    if r.random() < 0.3: return r.randrange(-20, 300)
    return r.choice([1, 1, -1]) * (r.choice(EDGES) + r.choice([0, 0, 0, 1, -1]))


def small(r, most=40):
    return r.randrange(-2, most) if r.random() < 0.9 else integer(r)


def text(r, most=8, letters=LETTERS):
    return ''.join(r.choice(letters) for _ in range(r.randrange(most + 1)))


def data(r, most=40):
    return bytes(r.choice([0, 1, 10, 13, 32, 61, 65, 97, 127, 128, 255, r.randrange(256)]) for _ in range(r.randrange(most + 1)))


def damaged(r, good, pieces, most=4):
    """A str or bytes with some places cut, doubled, replaced or filled with one of the pieces."""
    for _ in range(r.choice([0, 1, 1, 1, 2, most])):
        at, end = sorted((r.randrange(len(good) + 1), r.randrange(len(good) + 1)))
        end = min(end, at + 6) if r.random() < 0.7 else end
        kind = r.randrange(6)
        if kind == 0: good = good[:at] + good[end:]
        elif kind == 1: good = good[:at]
        elif kind == 2: good = good[:end] + good[at:]
        elif kind == 3: good = good[:at] + r.choice(pieces) + good[at + 1:]
        else: good = good[:at] + r.choice(pieces) + good[at:]
        good = good[:4000]
    return good


def survived(function):
    """The function, whose answers are not compared: asy runs it, and must not die."""
    def run(*given, **names):
        if sys.implementation.name == 'cpython': return
        try: function(*given, **names)
        except (Exception, RecursionError): pass
    return run


def options(r, **choices):
    """Some of the keyword arguments, each with one of its values."""
    return {name: r.choice(values) for name, values in choices.items() if r.random() < 0.4}
