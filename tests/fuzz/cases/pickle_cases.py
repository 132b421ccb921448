"""pickle: values of all types there and back by every protocol; damaged pickles, which may name few globals only."""
import array
import collections
import datetime
import fractions
import io
import pickle

from tools import damaged, data, integer, survived, text

KNOWN = {(kind.__module__, kind.__qualname__): kind for kind in (set, frozenset, bytearray, complex, range, slice, list, dict, tuple, int, collections.OrderedDict, collections.deque, datetime.date, datetime.timedelta, fractions.Fraction)}
PIECES = [b'.', b'(', b')', b'0', b'1', b'2', b'N', b'I01\n', b'K\xff', b'M\0\1', b'J\xff\xff\xff\xff', b'\x8a\x01\x80', b'G' + bytes(8), b'U\x03abc', b'X\xff\xff\xff\x7f', b'\x8c\x01x', b'\x8e' + b'\xff' * 8, b'}', b']', b'l', b'd', b't', b's', b'u',
          b'a', b'e', b'q\0', b'h\0', b'h\xff', b'r\0\0\0\x7f', b'j\xff\xff\xff\xff', b'p0\n', b'g9\n', b'\x85', b'\x86', b'\x87', b'\x88', b'\x8f', b'\x90', b'\x91', b'\x94', b'\x95' + bytes(8), b'\x80\x04', b'\x80\x09', b'R', b'b', b'\x81', b'\x92',
          b'cbuiltins\nset\n', b'\x93', b'\x96' + bytes(7) + b'\x40', b'\x97', b'\x98', b'F1e400\n', b'L-12L\n', b'S"a\\"\n', b'V\\ud800\n', b'Q', b'P1\n', b'\x82\1']


def value(r, depth=3):
    kind = r.randrange(18) if depth else r.randrange(9)
    if kind < 2: return r.choice([None, True, False, Ellipsis])
    if kind < 4: return integer(r) * r.choice([1, integer(r)])
    if kind < 5: return r.choice([0.0, -0.0, 1.5, float('inf'), float('nan'), 1e-300, 2 + 3j])
    if kind < 7: return text(r)
    if kind < 8: return r.choice([bytes, bytearray])(data(r, 12))
    if kind < 9: return r.choice([range(3), datetime.date(2020, 1, 2), datetime.timedelta(3, 4), fractions.Fraction(1, 3), array.array('h', [1, -2]), len, int])
    if kind < 12: return [value(r, depth - 1) for _ in range(r.randrange(5))]
    if kind < 14: return tuple(value(r, depth - 1) for _ in range(r.randrange(5)))
    if kind < 16: return {r.choice([text(r, 3), integer(r), (1, 2)]): value(r, depth - 1) for _ in range(r.randrange(4))}
    if kind < 17: return r.choice([set, frozenset])([integer(r)])
    circle = [1]
    circle.append(r.choice([circle, (circle,), {'a': circle}]))
    return circle if r.random() < 0.3 else collections.OrderedDict(a=value(r, 0), b=collections.deque([1], 3))


def there_and_back(r):
    def again(value, protocol):
        pickled = pickle.dumps(value, protocol)
        return pickle.loads(pickled), len(pickled) > 0
    return again, value(r), r.randrange(6)


class Careful(pickle.Unpickler):
    def find_class(self, module, name):
        try: return KNOWN[module, name]
        except KeyError: raise pickle.UnpicklingError('unknown')


def hostile(r):
    """Only survived: CPython checks frames, and makes a memo as large as the pickle says."""
    def read(given): repr(Careful(io.BytesIO(given)).load())
    return survived(read), damaged(r, pickle.dumps(value(r), r.randrange(6)), PIECES)


def random_operations(r):
    return hostile(r)[0], b'\x80\x04' + b''.join(r.choice(PIECES) for _ in range(r.randrange(14))) + b'.'


USES = [there_and_back] * 2 + [hostile] * 4 + [random_operations] * 2
