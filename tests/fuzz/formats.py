#!/usr/bin/env python3
"""Hostile bytes for the modules that read formats of data: struct, binascii, base64, zlib, gzip, csv, pickle, codecs, io.

formats.py [--seconds N] [--env NAME=value]... BINARY...

Each run is one program with a seed of its own: it takes good data, damages it (cut, doubled, bytes changed, counts made huge)
and hands it to every reader in USES. Any exception is fine; a signal, a sanitizer report or a hang is not. The closing line
is `N passed, N failed`.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
KEPT = ROOT / 'build/fuzz'
LIMIT = 60

PROGRAM = '''
import base64, binascii, codecs, csv, gzip, io, pickle, random, struct, zlib
from array import array
pick = random.Random(SEED)
GOOD = [
    b'', b'hello, world' * 20, bytes(range(256)), base64.b64encode(b'hello world'), binascii.hexlify(b'abcdef'), binascii.b2a_uu(b'some text'),
    zlib.compress(b'abc' * 500), gzip.compress(b'line\\n' * 50), pickle.dumps([1, 'a', {'k': (1, 2.5)}, {3}, b'x' * 50, 2 ** 90]),
    pickle.dumps([1, 'a', {'k': (1, 2.5)}], 0), b'a,b,"c ""d"\\r\\n1,2\\n"x\\ny",\\r\\n', 'h\\u00e9\\u20ac\\U0001f600\\n\\r\\nx'.encode(),
    'h\\u00e9\\U0001f600\\n'.encode('utf-16'), b'xn--bcher-kva.example', b'+AOkgrA-x', rb'\\N{BULLET}\\u20ac\\x41\\777\\q', base64.a85encode(b'hello'),
]
CODECS = ['utf-8', 'ascii', 'utf-16', 'utf-32-be', 'utf-8-sig', 'utf-7', 'cp1252', 'unicode_escape', 'raw_unicode_escape', 'idna', 'punycode', 'charmap']
ERRORS = ['strict', 'ignore', 'replace', 'backslashreplace', 'surrogateescape', 'surrogatepass', 'fuzz.back']
codecs.register_error('fuzz.back', lambda e: ('?', pick.randrange(len(e.object) + 2)) if pick.random() < .9 else ('', e.end))

def damaged():
    data = bytearray(pick.choice(GOOD))
    for _ in range(pick.randrange(6)):
        at = pick.randrange(len(data) + 1)
        how = pick.randrange(6)
        if how == 0: del data[at:]
        elif how == 1: del data[:at]
        elif how == 2: data[at:at] = pick.choice(GOOD)[:300]
        elif how == 3: data[at:at + 1] = bytes([pick.randrange(256)])
        elif how == 4: data[at:at + 4] = pick.choice([b'\\xff\\xff\\xff\\x7f', b'\\xff' * 8, b'\\0' * 8, b'\\x80\\0\\0\\0'])
        else: data[at:at] = data[:at]
    return bytes(data[:20000])

def number():
    return pick.choice([0, 1, -1, 2, 7, 255, 256, 65536, 2 ** 31 - 1, 2 ** 31, -2 ** 31, 2 ** 63 - 1, 2 ** 63, -2 ** 63, 2 ** 64, 10 ** 30])

def layout():
    return pick.choice(['', '<', '>', '!', '=', '@']) + ''.join(
        pick.choice(['', '0', '1', '3', '17', '99999', '9' * 25]) + pick.choice('xcbB?hHiIlLqQnNefdspPz \\0') for _ in range(pick.randrange(5)))

class Raw(io.RawIOBase):
    def __init__(self, data): self.data = data
    def readable(self): return True
    def seekable(self): return pick.random() < .5
    def tell(self): return number()
    def seek(self, at, whence=0): return number()
    def readinto(self, room):
        n = min(len(room), len(self.data), pick.randrange(1, 50))
        room[:n] = self.data[:n]
        self.data = self.data[n:]
        return pick.choice([n] * 30 + [None, -1, 10 ** 6, 'x'])

def text_stream():
    options = dict(encoding=pick.choice(CODECS), errors=pick.choice(ERRORS), newline=pick.choice([None, '', '\\n', '\\r', '\\r\\n']))
    raw = pick.choice([io.BytesIO, lambda d: io.BufferedReader(Raw(d), pick.choice([1, 7, 8192]))])
    return io.TextIOWrapper(raw(damaged()), **options)

def read_text():
    f = text_stream()
    for _ in range(12):
        pick.choice([f.readline, lambda: f.read(pick.randrange(9)), lambda: f.readline(pick.randrange(9)), lambda: next(f), f.tell,
                     lambda: f.seek(pick.choice([0, f.tell(), abs(number())])), lambda: f.reconfigure(newline='\\n'), f.read])()

def memory_stream():
    f = io.BytesIO(damaged())
    for _ in range(8):
        pick.choice([lambda: f.seek(number()), lambda: f.read(number()), lambda: f.write(damaged()), lambda: f.truncate(pick.randrange(99)),
                     lambda: f.getbuffer(), f.readline, lambda: f.readinto(bytearray(9))])()

def arrays():
    a = array(pick.choice('bBuwhHiIlLqQfd'))
    for _ in range(8):
        pick.choice([lambda: a.frombytes(damaged()), lambda: a.append(number()), lambda: a.insert(number(), 1), lambda: a.pop(number()),
                     lambda: a.__setitem__(slice(pick.randrange(9), pick.randrange(9), pick.choice([1, 2, -1])), a[:3]), lambda: a.byteswap(),
                     lambda: a.__delitem__(slice(None, None, pick.choice([2, -3]))), lambda: memoryview(a)[number()], lambda: a.__imul__(pick.randrange(5)), lambda: repr(a)])()

def unzip():
    o = zlib.decompressobj(pick.choice([15, -15, 31, 47]))
    for _ in range(5): o.decompress(damaged(), pick.randrange(99))
    o.flush()

USES = [
    lambda: struct.unpack(layout(), damaged()), lambda: struct.unpack_from(layout(), damaged(), number()), lambda: struct.calcsize(layout()),
    lambda: struct.pack(layout(), *[pick.choice([number(), b'abc', 1.5, 'x', None]) for _ in range(pick.randrange(6))]),
    lambda: struct.pack_into(layout(), bytearray(50), number(), number()), lambda: list(struct.iter_unpack(layout(), damaged())),
    lambda: binascii.a2b_base64(damaged(), strict_mode=pick.random() < .5), lambda: binascii.unhexlify(damaged()), lambda: binascii.a2b_uu(damaged()),
    lambda: binascii.a2b_qp(damaged()), lambda: binascii.b2a_qp(damaged(), pick.random() < .5, pick.random() < .5, pick.random() < .5),
    lambda: binascii.b2a_uu(damaged()), lambda: binascii.hexlify(damaged(), '-', number()), lambda: base64.b85decode(damaged()), lambda: base64.a85decode(damaged()),
    lambda: base64.b32decode(damaged()), lambda: zlib.decompress(damaged(), pick.choice([15, -15, 31, 47, 99])), unzip, lambda: gzip.decompress(damaged()),
    lambda: gzip.GzipFile(fileobj=io.BytesIO(damaged())).read(), lambda: list(csv.reader(damaged().decode('latin-1').splitlines(True), strict=pick.random() < .5,
        quoting=pick.randrange(6), escapechar=pick.choice([None, '\\\\']), doublequote=pick.random() < .5)), lambda: pickle.loads(damaged()),
    lambda: damaged().decode(pick.choice(CODECS), pick.choice(ERRORS)), lambda: damaged().decode('latin-1').encode(pick.choice(CODECS), pick.choice(ERRORS)),
    lambda: codecs.getincrementaldecoder(pick.choice(CODECS))(pick.choice(ERRORS)).decode(damaged()), lambda: codecs.escape_decode(damaged()), read_text, memory_stream, arrays,
    lambda: io.BufferedReader(Raw(damaged()), 8).read(pick.randrange(99)), lambda: io.StringIO(damaged().decode('latin-1'), newline=None).readlines(),
]
for _ in range(1500):
    try:
        pick.choice(USES)()
    except (Exception, RecursionError):
        pass
print('ended')
'''


def run(binary, seed, env):
    """The reason why the run is bad, or None."""
    KEPT.mkdir(parents=True, exist_ok=True)
    path = KEPT / f'formats-{seed}.py'
    path.write_text(PROGRAM.replace('SEED', str(seed)), 'utf-8')
    try:
        done = subprocess.run([binary, path], capture_output=True, text=True, errors='replace', timeout=LIMIT, env=env)
    except subprocess.TimeoutExpired:
        return f'{path}: no end within {LIMIT} s'
    if done.returncode or 'ended' not in done.stdout:
        return f'{path}: status {done.returncode}\n{done.stderr[-2000:]}'
    path.unlink()
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seconds', type=float, default=60)
    parser.add_argument('--seed', type=int, default=int(time.time()))
    parser.add_argument('--env', action='append', default=[])
    parser.add_argument('binaries', nargs='+')
    options = parser.parse_args()
    env = os.environ | dict(pair.split('=', 1) for pair in options.env)
    end, passed, failed, seed = time.time() + options.seconds, 0, 0, options.seed
    while time.time() < end and failed < 5:
        for binary in options.binaries:
            reason = run(binary, seed, env)
            if reason:
                failed += 1
                print(reason)
            else:
                passed += 1
        seed += 1
    print(f'{passed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
