# lzma: formats, checks, presets, filters, in pieces, as files, and what is wrong.
import io
import lzma
import os
import tempfile

data = b'the quick brown fox ' * 500 + bytes(range(256)) * 20
packed = lzma.compress(data)
print(packed[:6], lzma.decompress(packed) == data, lzma.decompress(packed + lzma.compress(b'more')) == data + b'more')
for arguments in ({'format': lzma.FORMAT_ALONE}, {'check': lzma.CHECK_CRC32}, {'check': lzma.CHECK_NONE}, {'check': lzma.CHECK_SHA256},
                  {'preset': 0}, {'preset': 9 | lzma.PRESET_EXTREME},
                  {'filters': [{'id': lzma.FILTER_DELTA, 'dist': 4}, {'id': lzma.FILTER_LZMA2, 'preset': 3}]}):
    print(sorted(arguments), lzma.decompress(lzma.compress(data, **arguments)) == data)
raw = [{'id': lzma.FILTER_LZMA2, 'dict_size': 65536}]
print(lzma.decompress(lzma.compress(data, lzma.FORMAT_RAW, filters=raw), lzma.FORMAT_RAW, filters=raw) == data)
c = lzma.LZMACompressor()
print(lzma.decompress(c.compress(data[:100]) + c.compress(data[100:]) + c.flush()) == data)
d = lzma.LZMADecompressor()
got = b''.join(d.decompress(packed[i:i + 7]) for i in range(0, len(packed), 7))
print(got == data, d.eof, d.unused_data, d.needs_input, d.check == lzma.CHECK_CRC64)
d = lzma.LZMADecompressor()
pieces = [d.decompress(packed + b'tail', max_length=100)]
while not d.eof:
    pieces.append(d.decompress(b'', max_length=1000))
print(b''.join(pieces) == data, len(pieces[0]), d.unused_data, lzma.is_check_supported(lzma.CHECK_CRC32), lzma.is_check_supported(99))
with tempfile.TemporaryDirectory() as folder:
    name = os.path.join(folder, 'x.xz')
    with lzma.open(name, 'wt', encoding='utf-8') as file:
        print(file.write('one\ntwo é\n'))
    with lzma.open(name, 'rt', encoding='utf-8') as file:
        print(file.readlines())
    with lzma.LZMAFile(name, 'a') as file:
        file.write(b'three\n')
    with lzma.LZMAFile(name) as file:
        print(file.readable(), file.seekable(), file.writable(), file.read(5), file.tell(), file.seek(0), list(file), file.closed)
    with lzma.LZMAFile(name) as file:
        print(file.peek(2)[:3], file.readline(), file.read1(3), file.seek(-3, 2), file.read(), file.read())
for wrong in (lambda: lzma.decompress(b'nothing like it'), lambda: lzma.decompress(packed[:50]), lambda: lzma.compress('text'),
              lambda: lzma.compress(data, preset=77), lambda: lzma.LZMAFile(io.BytesIO(packed), 'q'), lambda: d.decompress(b'x'),
              lambda: lzma.compress(data, lzma.FORMAT_RAW), lambda: lzma.LZMADecompressor(lzma.FORMAT_RAW),
              lambda: lzma.compress(data, filters=[{'id': 5}]), lambda: lzma.compress(data, filters=[{}]), lambda: lzma.open('x', 'rbt'),
              lambda: c.compress(b'x'), lambda: c.flush(), lambda: lzma.LZMAFile(5.5)):
    try:
        print(wrong())
    except (OSError, ValueError, TypeError, EOFError, lzma.LZMAError) as exc:
        print(type(exc).__name__, exc)
