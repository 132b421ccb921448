"""codecs: good and damaged texts through the encodings written here, with every error handler; in pieces, and damaged in utf-7 and punycode, they are only survived."""
import codecs

from tools import damaged, data, survived, text

NAMES = ['utf-8', 'utf-8', 'ascii', 'latin-1', 'utf-16', 'utf-16-le', 'utf-16-be', 'utf-32', 'utf-32-le', 'utf-32-be', 'utf-8-sig', 'utf-7', 'cp1252', 'cp437', 'koi8-r', 'unicode_escape', 'raw_unicode_escape',
         'punycode']
ERRORS = ['strict', 'ignore', 'replace', 'backslashreplace', 'surrogateescape', 'surrogatepass']
LETTERS = ['a', 'Z', '0', ' ', '+', '-', '&', '~', '\\', '\\u', '\\x4', '\\N{BULLET}', '\\777', '\0', '\n', '\r', '\x7f', '\x80', '\xe9', '\xff', '\u0100', '\u0416', '\u20ac', '\u2022', '\ud800', '\udc80', '\udfff',
           '\uffff', '\U0001f600', '\U0010ffff']
PIECES = [b'\0', b'\xff', b'\xfe', b'\xff\xfe', b'\xfe\xff', b'\xef\xbb\xbf', b'\xc0\x80', b'\xe2\x82', b'\xed\xa0\x80', b'\xf4\x90\x80\x80', b'\xf0\x9f', b'\x80', b'+AOk-', b'+', b'-', b'+2D3', b'\\u12', b'\\U0011', b'\\x', b'\\', b'\xd8\x00', b'\x00\xdc', b'\x11\x00']


def back(e):
    """Goes on where the bytes begin or behind them, never before: both would begin again for ever."""
    if isinstance(e, UnicodeDecodeError): return '<%d-%d>' % (e.start, e.end), e.end - len(e.object) if e.end % 2 and e.end < len(e.object) else e.end
    return ('?' * (e.end - e.start) if e.start % 2 else b'!', e.end)


codecs.register_error('fuzz.back', back)


def encoded(r, name):
    made = text(r, 12, LETTERS)
    try: made = made.encode(name, 'surrogatepass')
    except UnicodeError: made = made.encode('utf-8', 'surrogatepass')
    return damaged(r, made, PIECES)


def errors(r): return r.choice(ERRORS + ['fuzz.back'])


def decode(r):
    name = r.choice(NAMES)
    return survived(bytes.decode) if name in ('utf-7', 'punycode') else bytes.decode, encoded(r, name) if r.random() < 0.9 else data(r), name, errors(r)


def encode(r): return str.encode, text(r, 12, LETTERS), r.choice(NAMES), errors(r)


def decode_in_pieces(r):
    def in_pieces(name, errors, given, size):
        decoder = codecs.getincrementaldecoder(name)(errors)
        return [decoder.decode(given[i:i + size]) for i in range(0, len(given), size)] + [decoder.decode(b'', True)]
    name = r.choice([name for name in NAMES if name != 'punycode'])
    return survived(in_pieces), name, errors(r), encoded(r, name), r.randrange(1, 5)


def encode_in_pieces(r):
    def in_pieces(name, errors, given, size):
        encoder = codecs.getincrementalencoder(name)(errors)
        return [encoder.encode(given[i:i + size]) for i in range(0, len(given), size)] + [encoder.encode('', True)]
    return survived(in_pieces), r.choice([name for name in NAMES if name != 'punycode']), errors(r), text(r, 12, LETTERS), r.randrange(1, 5)


def escapes(r): return r.choice([codecs.escape_decode, codecs.unicode_escape_decode, codecs.raw_unicode_escape_decode]), damaged(r, text(r, 8, LETTERS[:13]).encode('latin-1'), PIECES[-10:])
def stateful(r): return survived(r.choice([codecs.utf_8_decode, codecs.utf_16_decode, codecs.utf_16_be_decode, codecs.utf_32_decode])), encoded(r, r.choice(NAMES)), errors(r), r.random() < 0.5
def escape_encode(r): return codecs.escape_encode, data(r)
def charmap(r): return codecs.charmap_decode, data(r, 8), errors(r), r.choice(['abc', 'ab\ufffe', {0: 'x', 1: None, 10: 65, 13: 0x110000, 32: 'long', 61: 'y'}, None])
def charmap_encode(r): return codecs.charmap_encode, text(r, 8, LETTERS), errors(r), r.choice([{97: 65, 90: b'zz', 48: None, 32: 256, 43: 'x'}, None])


USES = [decode] * 8 + [encode] * 4 + [decode_in_pieces] * 4 + [encode_in_pieces, escapes, stateful, stateful, escape_encode, charmap, charmap_encode]
