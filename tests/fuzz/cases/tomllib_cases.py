"""tomllib: documents by the grammar, with tables defined twice and out of order, and damaged ones."""
import decimal
import io
import tomllib

from tools import damaged, text

PIECES = ['=', '[', ']', '[[', ']]', '{', '}', ',', '.', '"', "'", '"""', "'''", '\\', '\\u', '\\U0001F600', '\\ud800', '\\UFFFFFFFF', '\\x41', '\\e', '#', '\n', '\r', '\r\n', '\t', ' ', '\0', '\x1f', '\x7f', '\x85', '\xa0', '\xe9',
          '\ufeff', '\U0001f600', '\udc80', 'true', 'inf', 'nan', '+', '-', '_', '0x', '0', '1e', 'T', 'Z', ':', '\u0663', '1979-05-27', '07:32:00']
WORDS = ['a', 'b', 'c', 'key', 'bare-key', 'bare_key', '1234', '"quoted"', "'literal'", '""', '"a.b"', '"\\u00e9"', '-', 'true', 'inf', '3']
VALUES = ['1', '+1', '-0', '0', '1_000', '0xdead_BEEF', '0o755', '0b1101', '9223372036854775808', '1' * 40, '3.14', '-0.01', '5e+22', '1e06', '6.626e-34', '1_0.0_1', 'inf', '+inf', '-nan', 'nan', 'true', 'false', '"s"', '"\\t\\n\\"\\\\"',
          "'C:\\x'", '""', '"""a\nb"""', '"""\na\\\n   b"""', "'''\nraw'''", '""""q"""""', "''''q'''''", '"\\u00E9\\U0001F600"', '1979-05-27T07:32:00Z', '1979-05-27T00:32:00-07:00', '1979-05-27 07:32:00.999999',
          '1979-05-27T07:32:00.1234567', '1979-05-27', '07:32:00', '00:32:00.5', '2021-02-30', '24:00:00', '1979-05-27t07:32:00z', '1979-05-27T07:32:00+24:00', '01', '1__0', '_1', '1.', '.5', '0x', 'True', '1e', '"""x', "'x", '0xg', '+0x1', '1e1_0']


def key(r): return r.choice(['.', '.', ' . ', '.\t']).join(r.choice(WORDS[:4] if r.random() < 0.7 else WORDS) for _ in range(r.choice([1, 1, 1, 2, 3])))


def value(r, depth=2):
    if not depth or r.random() < 0.7: return r.choice(VALUES)
    if r.random() < 0.5: return '[' + r.choice(['', ' ', '\n', ' # c\n']) + r.choice([',', ', ', ',\n', ', # c\n']).join(value(r, depth - 1) for _ in range(r.randrange(4))) + r.choice(['', '', ',', '\n', ',\n']) + ']'
    return '{' + r.choice(['', ' ']) + ', '.join(key(r) + ' = ' + value(r, depth - 1) for _ in range(r.randrange(4))) + r.choice(['', '', ' ', ',']) + '}'


def line(r):
    kind = r.randrange(10)
    if kind < 6: return key(r) + r.choice([' = ', '=', '\t=']) + value(r) + r.choice(['', '', ' ', ' # c'])
    if kind < 8: return '[' + r.choice(['', ' ']) + key(r) + r.choice(['', ' ']) + ']'
    if kind < 9: return '[[' + key(r) + ']]'
    return r.choice(['', '# comment', '  ', '# \xe9\t', '\t'])


def document(r): return r.choice(['\n', '\n', '\r\n', '\n\n']).join(line(r) for _ in range(r.randrange(7))) + r.choice(['', '\n'])


def raising(text): raise KeyError(text)


def loads(r): return tomllib.loads, damaged(r, document(r), PIECES) if r.random() < 0.6 else document(r), {'parse_float': r.choice([decimal.Decimal, str, float, raising, lambda s: [s], lambda s: {}])} if r.random() < 0.1 else {}
def one_value(r): return tomllib.loads, 'a = ' + damaged(r, value(r), PIECES)
def one_string(r):
    mark = r.choice(['"', "'", '"""', "'''"])
    return tomllib.loads, 'a = ' + mark + text(r, 12) + r.choice(['', '\\', '\\\n', '\\  \n x']) + mark
def load(r):
    def from_file(data): return tomllib.load(io.BytesIO(data))
    return from_file, damaged(r, document(r).encode(), [b'\xff', b'\xed\xa0\x80', b'\0', b'\r', b'\xc3'], 1)
def deep(r):
    n = r.choice([10, 60, 20000])
    return tomllib.loads, 'a = ' + r.choice(['[', '{b=', '[{b=']) * n + '1' + r.choice([']', '}', '}]', '']) * n


USES = [loads] * 12 + [one_value] * 5 + [one_string] * 3 + [load] * 2 + [deep]
