# What ./dev fuzz json, csv, struct, tomllib and base64 found.
import binascii
import csv
import io
import json
import json.decoder
import struct
import tomllib


def show(f, *args, **names):
    try: print(ascii(f(*args, **names)))
    except Exception as e: print(type(e).__name__, ascii(str(e)))


print('json')
for text in (r'"\u12', r'"\u123"', r'"\ud83d\ude0', r'"\ud83d\uzzzz"', r'"\ud83d\u0041"', '"\\', r'"\u00eG"', '"\\u00e\u0663"', '"\\u\uff11\uff11\uff11\uff11"', '"abc', '[1,]', '{"a" 1}'): show(json.loads, text)
for end in 0, 1, 3: show(json.decoder.scanstring, 'a"b', end)
for options in {}, {'indent': 1}: show(json.dumps, {(1, 2): 3}, skipkeys=True, **options)
show(json.dumps, {(1, 2): 3, 'a': [], 'b': {}}, skipkeys=True, indent=2)
show(json.dumps, 'a\x00\u20ac\U0001f600\udc80' * 9)
print('csv')
for quoting in 2, 4, 5, 3:
    for text in 'a;', '1;', '1;;2', ';', '', ' ; ', '"";""', '1; ', '\\;1', ';\r\n', ' 1 ;2', '""', ' ""':
        show(lambda: list(csv.reader([text], delimiter=';', quoting=quoting, skipinitialspace=True, escapechar='\\')))
for quoting in range(6):
    for row in [None, 1], ['', 1], [1, ''], [None], [''], [' ', 1], [' x']:
        out = io.StringIO(newline='')
        show(csv.writer(out, delimiter=' ', skipinitialspace=True, quoting=quoting, escapechar='\\').writerow, row)
        print(ascii(out.getvalue()))
print('struct')
for layout, value in ('>f', 10**400), ('>e', 10**400), ('e', 65520.0), ('f', 1e300), ('>f', 1e300), ('f', 'x'), ('d', 10**400), ('>q', 2**63), ('Q', -1), ('P', -2**63), ('P', 2**64): show(struct.pack, layout, value)
show(struct.unpack_from, 'b', b'abc', 2**70)
show(struct.pack_into, 'b', bytearray(3), 2**70, 1)
print('binascii')
for text in b'!', b'$86)C\n', b'$86\n', b'#0\x00V\n', b' \n', b'$\r\n', b'$86)C  \n', b'$86)C x\n': show(binascii.a2b_uu, text)
for group in 2**40, 0, -2, 3: show(binascii.hexlify, b'abcdef', '-', group)
print('tomllib')
for text in ('a.b = 1\n[a]', '[a.b]\n[a]\nb.c = 1', '[[a]]\n[a]', 'a = {}\n[a.b]', 'a = []\n[[a]]', '[a]\n[a]', '[[a.b]]\n[a]\nc = 1\n[[a.b]]', 'a = {b = 1, b.c = 2}', 'a = {b.c = 1, b.d = 2}', '[a.b.c]\n[a]\nb.d = 1', "a = '\x01'",
             "a = '''\r\nb\r'''", 'a = 1979-05-27T25:00:00', '[[a]]\nb = 1\n[[a]]\nb = 2\n[a.c]\nd = 3', 'a = +inf\nb = -nan', 'a = 0x_1', 'a = 1_000.5e1_0'):
    show(tomllib.loads, text)
show(tomllib.loads, 'a = 1.5', parse_float=lambda text: [])
