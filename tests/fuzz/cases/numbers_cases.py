"""Numbers: texts for int, float, complex, Decimal and Fraction by their grammars and damaged; formats of every kind; bytes; the operators."""
import decimal
import fractions
import math
import operator
import re
import struct

from tools import damaged, data, integer, small

PIECES = ['_', '__', '.', '+', '-', 'e', 'E', 'e5', 'e-400', 'x', '0x', '0b', '0o', 'j', 'J', 'inf', 'nan', 'Infinity', ' ', '\t', '\n', '\x1c', '\x85', '\xa0', '\u2003', '\u200b', '\u0663', '\uff11', '\U0001d7d9', '\xb2', '\u2155', '\0',
          '\udc80', 'p', 'p5', 'p-1080', '/', '//', 'a', 'g', 'z', '(', ')', 'l', 'f', '0' * 30, '1' * 30]
DIGITS = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'


def digits(r, most=25, base=10):
    text = ''.join(r.choice(DIGITS[:base]) for _ in range(r.randrange(1, most)))
    return text if r.random() < 0.8 else '_'.join(text)


def spaced(r, text): return text if r.random() < 0.8 else r.choice([' ', '\t', '\u2003', '\n ']) + text + r.choice(['', ' ', '\x1c'])
def sign(r): return r.choice(['', '', '+', '-'])
def whole(r): return spaced(r, sign(r) + r.choice(['', '', '', '0x', '0b', '0o', '0', '0X']) + digits(r, r.choice([4, 25, 60])))
def real(r):
    return spaced(r, sign(r) + r.choice([digits(r, 22), digits(r, 5) + '.', '.' + digits(r), digits(r, 20) + '.' + digits(r, 30), repr(bits(r)), '0.' + '0' * 320 + digits(r), digits(r, 400), 'inf', 'NaN', 'infinity', '9007199254740993',
                                         '2.2250738585072011e-308', '1.7976931348623158079e308', '4.9406564584124654e-324', '2.4703282292062327e-324', '8.5e-1']) + r.choice(['', '', f'e{r.randrange(-345, 320)}', 'E+5', 'e0_1']))
def hexadecimal(r):
    return spaced(r, sign(r) + r.choice(['0x', '', '0X']) + digits(r, 20, 16).replace('_', '') + r.choice(['', '.', '.' + digits(r, 18, 16)]) + r.choice(['', f'p{r.randrange(-1100, 1040)}', 'p+0', 'P-1074', 'p99999999999999999999']))
def bits(r): return struct.unpack('<d', r.randbytes(8))[0] if r.random() < 0.5 else r.uniform(-1, 1) * 10.0 ** r.randrange(-30, 30)
def float_of(r): return r.choice([bits(r), bits(r), 0.0, -0.0, 0.5, 1.5, 2.5, 1e16, 1e22, 1e23, 5e-324, 1.7976931348623157e308, float('inf'), float('nan'), -float('inf'), 0.1, 123456.789, 9.5, 99.995, 2.675, 1e15, 1e-5, float(integer(r))])
def complex_of(r): return complex(float_of(r), float_of(r))
def decimal_text(r):
    return spaced(r, sign(r) + r.choice([digits(r, 40), digits(r, 20) + '.' + digits(r, 20), '.' + digits(r), digits(r, 6) + '.', 'Inf', 'Infinity', 'NaN', 'sNaN', 'nan123', 'sNaN007', '0', '0.000', '00012.500']) +
                  r.choice(['', '', f'E{r.randrange(-50, 50)}', 'e+999999', 'E-1000026', 'e999999999999999999', 'E-99999999999999999999']))
def decimal_of(r): return decimal.Decimal(f'{sign(r)}{r.randrange(10**r.randrange(1, 30))}E{r.randrange(-30, 20)}') if r.random() < 0.9 else decimal.Decimal(r.choice(['Inf', '-Inf', 'NaN', '-sNaN5', '0', '-0', '0E+7', '-0.000', '1E+400', '1E-400']))
def fraction_of(r): return fractions.Fraction(integer(r), r.choice([1, 2, 3, 7, 10, 64, 1000, 2**53, 10**20 + 7]))
def any_number(r): return r.choice([integer, integer, float_of, float_of, complex_of, decimal_of, fraction_of, lambda r: r.random() < 0.5])(r)


def read_int(r):
    given = damaged(r, whole(r), PIECES)
    if r.random() < 0.2: given = r.choice([bytes, bytearray])(given.encode('utf-8', 'replace'))
    if r.random() < 0.4: return int, given
    base = r.choice([0, 0, 2, 3, 7, 8, 10, 16, 16, 32, 36, 1, -1, 37, integer(r)])
    if r.random() < 0.4 and 2 <= base <= 36: given = damaged(r, sign(r) + digits(r, 40, min(base, 36)), PIECES, 1)
    return int, given, base


def read_long(r): return int, r.choice(['', '-', '0x']) + r.choice('19_a') * r.choice([4299, 4300, 4301, 9000]) + r.choice(['', '_1', 'z']), r.choice([10, 16, 2, 36, 0])
def read_float(r):
    given = damaged(r, real(r), PIECES)
    return float, given if r.random() < 0.85 else given.encode('utf-8', 'replace')
def read_complex(r): return complex, damaged(r, r.choice(['', '(', ' ']) + r.choice([real(r), real(r) + r.choice('+-') + real(r) + 'j', real(r) + 'J', 'j', '-j', '1+j', repr(complex_of(r))]) + r.choice(['', ')', ' ']), PIECES)
def read_hex(r): return float.fromhex, damaged(r, hexadecimal(r) if r.random() < 0.6 else float_of(r).hex(), PIECES)
def read_decimal(r): return decimal.Decimal, damaged(r, decimal_text(r), PIECES)
def rounded_decimal(r): return decimal.Context(r.choice([1, 5, 28]), r.choice([decimal.ROUND_HALF_EVEN, decimal.ROUND_DOWN, decimal.ROUND_UP, decimal.ROUND_05UP, decimal.ROUND_CEILING])).create_decimal, damaged(r, decimal_text(r), PIECES, 1)
def read_fraction(r):
    given = damaged(r, spaced(r, sign(r) + digits(r, 8) + r.choice(['', '/' + digits(r, 6), '.' + digits(r, 8), 'e%d' % r.randrange(-30, 30), '/0', ' / 2'])), PIECES)
    return fractions.Fraction, re.sub(r'([eE][+-]?\d{3})[\d_]+', r'\1', given)   # the power of ten is computed
def of_number(r):
    def hashed(value): return hash(value) if value == value else 'by identity'
    return r.choice([decimal.Decimal, fractions.Fraction, int, float, complex, math.floor, math.ceil, math.trunc, bool, repr, str, hashed]), any_number(r)
def from_parts(r): return r.choice([complex, fractions.Fraction]), any_number(r), any_number(r)
def literal(r): return eval, damaged(r, r.choice([whole(r).strip(), real(r).strip(), real(r).strip() + 'j']), [p for p in PIECES if '\0' < p < '\x7f' and p not in '()'], 1).strip()[:150] or '0'   # CPython cuts names in messages; brackets that do not close are the parser's


def spec(r):
    return (r.choice(['', '', r.choice(['<', '>', '^', '=', '*<', '0>', '\xe9^', '{=', '\U0001f600=', ' >'])]) + r.choice(['', '', '+', '-', ' ']) + r.choice(['', '', '', 'z']) + r.choice(['', '', '#']) + r.choice(['', '', '0']) +
            r.choice(['', '', str(r.randrange(40)), '4000', '9' * 25]) + r.choice(['', '', ',', '_', ',_', '__']) + r.choice(['', '', '.' + str(r.randrange(30)), '.0', '.400', '.', '.' + '9' * 25]) +
            r.choice(list('bcdeEfFgGnosxX%') + ['', '', 'q', 'dd', '\xe9']))


def formatted(r):
    value = any_number(r) if r.random() < 0.9 else r.choice(['text', None, b'x'])
    chosen = damaged(r, spec(r), list('<>=^+-#0,_.zdfxs%'), 1) if r.random() < 0.2 else spec(r)
    computed = isinstance(value, (fractions.Fraction, decimal.Decimal))
    def bearable(count): return count[0] if len(count[0].lstrip('0')) > 19 and not computed else count[0][:2 if computed else 5]   # CPython fills the memory, or refuses
    return format, value, re.sub(r'\d{6,}', bearable, chosen)


def percent(r):
    def apply(layout, values): return layout % values
    directive = '%' + r.choice(['', '', '(k)']) + ''.join(r.choice('-+ #0') for _ in range(r.randrange(3))) + r.choice(['', '', str(r.randrange(30)), '*', '9' * 25]) + r.choice(['', '', '.' + str(r.randrange(30)), '.*', '.', '.' + '9' * 25]) + r.choice(['', '', 'l', 'h']) + r.choice('diouxXeEfFgGcrsa%q')
    values = {'k': any_number(r)} if '(' in directive else tuple(r.choice([bounded(small(r, 20), 2**62) if i < directive.count('*') else any_number(r)]) for i in range(directive.count('*') + 1))
    if r.random() < 0.15 and '(' not in directive: return apply, directive.encode(), values
    return apply, directive, values


def bounded(value, beyond=math.inf):
    """A count that does not fill the memory, or is refused as too large."""
    return value if abs(value) < 400 or abs(value) >= beyond else 400


def shown(r): return r.choice([hex, oct, bin, repr, ascii, str]), any_number(r)
def float_methods(r): return lambda x: (x.hex(), x.is_integer(), repr(x), float(repr(x)) == x or x != x, float.fromhex(x.hex()) == x or x != x, hash(x), x.as_integer_ratio()), float_of(r)
def rounded(r): return round, any_number(r), *r.choice([(), (bounded(small(r, 20)),), (bounded(-small(r, 20)),), (None,)])
def from_bytes(r): return int.from_bytes, r.choice([data(r, 20), bytearray(data(r, 9)), [1, 2, 255], [256], 'x', range(5)]), r.choice(['big', 'little', 'BIG', 'middle', 5]), {'signed': True} if r.random() < 0.5 else {}
def to_bytes(r): return integer(r).to_bytes, bounded(small(r, 40)), r.choice(['big', 'little', 'x']), {'signed': True} if r.random() < 0.5 else {}
def int_methods(r): return lambda n: (n.bit_length(), n.bit_count(), n.as_integer_ratio(), int(str(n)) == n, int(hex(n), 16) == n, float(n) if abs(n) < 10**300 else None, hash(n)), integer(r) * r.choice([1, integer(r)])


def operated(r):
    def apply(name, a, b): return getattr(operator, name)(a, b)
    name = r.choice(['add', 'sub', 'mul', 'truediv', 'floordiv', 'mod', 'pow', 'and_', 'or_', 'xor', 'lshift', 'rshift', 'lt', 'eq', 'ge'])
    a, b = any_number(r), any_number(r)
    if name == 'pow' and not isinstance(b, (complex, float)): b = r.randrange(-4, 9)
    if name == 'pow' and isinstance(a, int) and isinstance(b, float) and abs(b) > 99: b = 0.5
    if name in ('lshift', 'rshift') and isinstance(b, int): b = bounded(b)
    return apply, name, a, b


def modular(r): return r.choice([pow, lambda a, b, c: divmod(a * b, c)]), integer(r), r.randrange(-20, 200), integer(r)
def mathematical(r): return r.choice([math.isqrt, math.sqrt, math.log, math.log2, math.log10, math.frexp, math.fabs, math.modf]), r.choice([integer(r), float_of(r)])
def pairs(r): return r.choice([math.gcd, math.lcm, math.fmod, math.copysign, math.nextafter, math.remainder]), integer(r), integer(r)


USES = [read_int] * 4 + [read_long] + [read_float] * 4 + [read_complex] * 2 + [read_hex] * 2 + [read_decimal, rounded_decimal, read_fraction, of_number, from_parts, literal, literal] + [formatted] * 6 + [percent] * 3 + \
       [shown, float_methods, rounded, from_bytes, to_bytes, int_methods, operated, operated, modular, mathematical, pairs]
