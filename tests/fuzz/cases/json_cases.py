"""json: documents by the grammar and damaged ones, every option of loads; values of all types, every option of dumps."""
import collections
import decimal
import enum
import json
import json.decoder
import json.encoder

from tools import EDGES, damaged, integer, options, small, text

PIECES = ['{', '}', '[', ']', ',', ':', '"', '\\', '\\u', '\\ud83d', '\\ude00', '\\u00e9', '\\x', '\\"', 'null', 'nul', 'true', 'false', 'NaN', 'Infinity', '-Infinity', '-', '+', '0', '00', '1', '1e',
          '.5', 'e+', 'E-3', ' ', '\t', '\n', '\r', '\0', '\x1f', '\x7f', '\ufeff', '\u2028', '\xa0', '\udc80', '\xe9', '\u20ac', '\U0001f600', "'", '//', '{"a":', '[1,']
INSIDE = ['a', 'key', ' ', '\\n', '\\"', '\\\\', '\\/', '\\b', '\\u0041', '\\u0000', '\\ud83d\\ude00', '\\ud83d', '\\ude00\\ud83d', '\xe9', '\u20ac', '\U0001f600', '\x7f', 'x' * 30]
NUMBERS = ['0', '-0', '1', '-1', '0.0', '-0.0', '0.1', '1e5', '1E+5', '1e-5', '1e400', '-1e400', '1e-400', '5e-324', '1.7976931348623157e308', '0.30000000000000004', '123456789012345678901234567890',
           '1.0000000000000000000000000000001', '9007199254740993', '9007199254740993.0', '4611686018427387904', '9' * 400, '0.' + '3' * 60, '1' * 4301]


class Word(str): pass
class Small(int): pass
class Real(float): pass
class Color(enum.IntEnum): RED = 1
class Level(enum.StrEnum): HIGH = 'high'
class Bag(dict): pass
class Row(list): pass
class Odd:
    def __repr__(self): return 'Odd'
Point = collections.namedtuple('Point', 'x y')


def number(r):
    kind = r.randrange(4)
    if kind == 0: return r.choice(NUMBERS)
    if kind == 1: return str(integer(r))
    if kind == 2: return repr(r.uniform(-1, 1) * 10.0 ** r.randrange(-330, 308))
    return f'{r.randrange(1000)}{r.choice(["", "." + str(r.randrange(10**r.randrange(1, 25)))])}{r.choice(["", "e%d" % r.randrange(-340, 320)])}'


def string(r):
    return '"' + ''.join(r.choice(INSIDE) for _ in range(r.randrange(5))) + '"'


def document(r, depth=3):
    space = r.choice(['', '', ' ', '\n  ', '\t\r'])
    kind = r.randrange(8) if depth else r.randrange(5)
    if kind < 1: return r.choice(['null', 'true', 'false', 'NaN', '-Infinity', 'Infinity'])
    if kind < 3: return number(r)
    if kind < 5: return string(r)
    items = [document(r, depth - 1) for _ in range(r.randrange(5))]
    if kind < 7: items = [string(r) + r.choice(['', ' ']) + ':' + item for item in items]
    return ('{' if kind < 7 else '[') + space + (',' + space).join(items) + space + ('}' if kind < 7 else ']')


def broken(r):
    return damaged(r, document(r), PIECES)


def raising(*args): raise KeyError(len(args))
def pairs(items): return [('pairs', len(items)), *items]
def hooked(value): return ('object', *value.items())


def loads(r):
    choices = options(r, parse_float=[decimal.Decimal, str, raising, float, None], parse_int=[float, str, Small, raising, None], parse_constant=[str, raising, None],
                      object_hook=[hooked, raising, None], object_pairs_hook=[pairs, dict, collections.OrderedDict, None], strict=[False, True])
    return json.loads, broken(r) if r.random() < 0.7 else document(r), choices


def loads_bytes(r):
    encoded = broken(r).encode(r.choice(['utf-8', 'utf-8', 'utf-8-sig', 'utf-16', 'utf-16-le', 'utf-16-be', 'utf-32', 'utf-32-be', 'utf-32-le']), 'surrogatepass')
    return json.loads, damaged(r, encoded, [b'\0', b'\xff', b'\xfe', b'\xef\xbb\xbf', b'\x80', b'"', b'\xed\xa0\x80', b'\xf4\x90\x80\x80'], 1), {}


def deep(r):
    n = r.choice([50, 600, 200000])
    return json.loads, r.choice(['[', '{"a":', '[{"":']) * n + r.choice(['', '1', ']' * n, '}' * n, '}]' * n]), {}


def raw_decode(r):
    return json.JSONDecoder(**options(r, strict=[False])).raw_decode, broken(r), small(r, 12)


def scanstring(r):
    return json.decoder.scanstring, damaged(r, string(r), PIECES), small(r, 6), r.random() < 0.5


def value(r, depth=3):
    kind = r.randrange(24) if depth else r.randrange(14)
    if kind < 2: return r.choice([None, True, False])
    if kind < 4: return integer(r)
    if kind < 6: return r.uniform(-1, 1) * 10.0 ** r.randrange(-330, 308)
    if kind < 7: return r.choice([0.0, -0.0, 1e16, 1e22, 123456789.0, 5e-324, float('inf'), -float('inf'), float('nan'), 1e15, 0.0001, 0.00001])
    if kind < 11: return text(r)
    if kind < 13: return r.choice([Word('w"'), Small(7), Real(2.5), Color.RED, Level.HIGH, Real('nan'), 'x' * 300, 'caf\xe9' * 20])
    if kind < 14: return r.choice([b'bytes', 1j, Odd(), Odd, range(3), decimal.Decimal('1.5')]) if r.random() < 0.3 else ''
    if kind < 18: return r.choice([list, tuple, Row, list])(value(r, depth - 1) for _ in range(r.randrange(5)))
    if kind < 19: return Point(value(r, 0), value(r, 0))
    if kind < 20 and r.random() < 0.2:
        circle = [1]
        circle.append(r.choice([circle, {'a': circle}, (circle,)]))
        return circle
    return r.choice([dict, Bag, dict])((key(r), value(r, depth - 1)) for _ in range(r.randrange(5)))


def key(r):
    return text(r, 4) if r.random() < 0.7 else r.choice([1, 2.5, True, None, 10**20, Word('k'), Small(3), Color.RED, Level.HIGH, float('inf'), -0.0, (1, 2), b'k'])


def choices(r):
    return options(r, indent=[0, 1, 4, '\t', '--', '', None, -1, True], separators=[(',', ':'), ('; ', ' = '), ('', ''), ('\xe9', '\u20ac')], sort_keys=[True, False], skipkeys=[True], ensure_ascii=[False, True],
                   allow_nan=[False], default=[repr, raising, lambda o: o, lambda o: [1, {'d': 2}]], cls=[None])


def dumps(r): return json.dumps, value(r), choices(r)


def encoder_pieces(r):
    def joined(value, **names): return ''.join(json.JSONEncoder(**names).iterencode(value))
    names = choices(r)
    names.pop('cls', None)
    return joined, value(r), names


def round_trip(r):
    def there_and_back(value):
        written = json.dumps(value)
        return json.dumps(json.loads(written)) == written
    return there_and_back, value(r)


def basestring(r): return r.choice([json.encoder.encode_basestring, json.encoder.encode_basestring_ascii]), text(r, 20) if r.random() < 0.95 else 5


USES = [loads] * 8 + [loads_bytes] * 2 + [deep, raw_decode, raw_decode, scanstring, scanstring] + [dumps] * 8 + [encoder_pieces] * 2 + [round_trip, basestring]
