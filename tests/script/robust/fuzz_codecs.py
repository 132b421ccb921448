# What ./dev fuzz codecs and io found: handlers of errors, marks, texts in pieces, arrays, lines up to a hint.
import codecs
import io
from array import array


def show(f, *args):
    try: print(ascii(f(*args)))
    except Exception as e: print(type(e).__name__, ascii(str(e)))


codecs.register_error('robust.str', lambda e: ('?' * (e.end - e.start), e.end))
codecs.register_error('robust.byte', lambda e: (b'!', e.end))
codecs.register_error('robust.pair', lambda e: (b'!!', e.end))
codecs.register_error('robust.back', lambda e: ('!', e.end - len(e.object) if e.end < len(e.object) else e.end))
codecs.register_error('robust.far', lambda e: ('!', -99))
for name in 'utf-16', 'utf-16-be', 'utf-32', 'utf-8-sig', 'koi8-r', 'cp1252', 'utf-7', 'ascii':
    for errors in 'strict', 'robust.str', 'robust.byte', 'robust.pair', 'surrogateescape', 'surrogatepass', 'backslashreplace', 'robust.back', 'robust.far':
        for text in 'a\ud800\udfffb', '\udc80\udc81', '\udc80\ud800': show(text.encode, name, errors)
for text in '++', '\u20ac+', '+\u20ac', '++\udc80~', '~+': show(text.encode, 'utf-7')
for errors in 'robust.back', 'robust.far': show(b'+\xff-'.decode, 'utf-7', errors)
for text in b'\\x4', b'a\\u', b'\\N{BULLET', b'\\N', b'\\N{', b'\\N{}x', b'\\Nx', b'a\\N{BULLET b': show(codecs.unicode_escape_decode, text)
show(codecs.unicode_escape_decode, b'a\\x4', 'strict', False)
show(codecs.raw_unicode_escape_decode, b'a\\u12')
show(b'a -'.decode, 'punycode')
show(lambda: io.TextIOWrapper(io.BytesIO(b'\xff\r\xff\rxxxxxxx'), 'utf-8', 'ignore', '').read(8))
for hint in 7, 8, 9, 0: show(io.StringIO('a\nbcd\nef\ngh\n').readlines, hint)
for hint in 7, 8, 9: show(io.BytesIO(b'a\nbcd\nef\ngh\n').readlines, hint)
items = array('l', [1, 2, 3, 4])
items[::2] = array('l')
print(items)
items[3:0:-1] = array('l')
print(items)
show(items.pop, 2**63)
show(array('b').pop, 2**70)
print(codecs.escape_encode(b"trn\\'\t\r\n\0\xff"))
for name in 'raw_unicode_escape', 'unicode_escape':
    try: b'+2\\U00112D3D3'.decode(name)
    except UnicodeDecodeError as e: print(e)
