# bz2: whole, in pieces, as files, several streams, and what is wrong.
import bz2
import io
import os
import tempfile

data = b'the quick brown fox ' * 500 + bytes(range(256)) * 20
packed = bz2.compress(data)
print(packed[:3], bz2.decompress(packed) == data, bz2.decompress(packed + bz2.compress(b'more')) == data + b'more', bz2.decompress(b''))
for level in 1, 5, 9:
    print(level, bz2.decompress(bz2.compress(data, level)) == data)
c = bz2.BZ2Compressor(9)
print(bz2.decompress(c.compress(data[:100]) + c.compress(data[100:]) + c.flush()) == data)
d = bz2.BZ2Decompressor()
got = b''.join(d.decompress(packed[i:i + 7]) for i in range(0, len(packed), 7))
print(got == data, d.eof, d.unused_data, d.needs_input)
d = bz2.BZ2Decompressor()
pieces = [d.decompress(packed + b'tail', max_length=100)]
while not d.eof:
    pieces.append(d.decompress(b'', max_length=1000))
print(b''.join(pieces) == data, len(pieces[0]), d.unused_data)
with tempfile.TemporaryDirectory() as folder:
    name = os.path.join(folder, 'x.bz2')
    with bz2.open(name, 'wt', encoding='utf-8') as file:
        print(file.write('one\ntwo é\n'))
    with bz2.open(name, 'rt', encoding='utf-8') as file:
        print(file.readlines())
    with bz2.BZ2File(name, 'ab') as file:
        file.write(b'three\n')
    with bz2.BZ2File(name) as file:
        print(file.readable(), file.seekable(), file.writable(), file.read(5), file.tell(), file.seek(0), list(file), file.closed)
    print(file.closed)
    with bz2.BZ2File(name) as file:
        print(file.peek(2)[:3], file.readline(), file.read1(3), file.seek(-3, 2), file.read(), file.read())
with bz2.BZ2File(io.BytesIO(packed)) as file:
    buffer = bytearray(20)
    print(file.readinto(buffer), bytes(buffer))
for wrong in (lambda: bz2.decompress(b'nothing like it'), lambda: bz2.decompress(packed[:50]), lambda: bz2.compress('text'),
              lambda: bz2.compress(data, 0), lambda: bz2.BZ2File(io.BytesIO(packed), 'q'), lambda: d.decompress(b'x'),
              lambda: bz2.BZ2File(io.BytesIO(b'BZh9garbage')).read(), lambda: bz2.open('x', 'rbt'), lambda: c.compress(b'x'), lambda: c.flush(),
              lambda: bz2.BZ2File(5.5)):
    try:
        print(wrong())
    except (OSError, ValueError, TypeError, EOFError) as exc:
        print(type(exc).__name__, exc)
