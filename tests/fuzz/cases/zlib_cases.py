"""zlib and gzip: streams written with every option and damaged; read at once and in pieces, with limits, dictionaries, copies."""
import gzip
import io
import zlib

from tools import damaged, data, options

PIECES = [b'\0', b'\xff', b'\x78\x9c', b'\x1f\x8b\x08', b'\x03\x00', b'\x01\x00\x00\xff\xff', b'\x4b', b'\xff\xff\xff\x7f', b'\0\0\0\0', b'\x80']
WINDOWS = [15, 15, -15, 31, 47, 9, -9, 25, 0]
WORDS = b'the quick brown fox'


def content(r):
    return r.choice([data(r), data(r, 300), data(r, 6) * r.randrange(400), WORDS * r.randrange(9)])


def written(r, wbits=None, words=None):
    """What a compressor makes of some content."""
    wbits = wbits or r.choice([15, 15, -15, 9] if words else [15, 15, -15, 31, 9, -9, 25])
    extra = {'zdict': words} if words else {}
    c = zlib.compressobj(r.choice([-1, 0, 1, 6, 9]), zlib.DEFLATED, wbits, r.choice([1, 8, 9]), r.choice([0, 1, 2, 3, 4]), **extra)
    out = b''
    for _ in range(r.randrange(3)):
        out += c.compress(content(r))
        if r.random() < 0.5: out += c.flush(r.choice([zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH, zlib.Z_NO_FLUSH, zlib.Z_PARTIAL_FLUSH, zlib.Z_BLOCK]))
    return out + c.flush()


def broken(r, **kind):
    return damaged(r, written(r, **kind), PIECES)


def decompress(r): return zlib.decompress, broken(r), options(r, wbits=WINDOWS + [-8, 8, 7, 32, 99, -16], bufsize=[1, 2, 100, 0, -1, 16384])


def in_pieces(r):
    def steps(pieces, limits, names):
        d = zlib.decompressobj(**names)
        out = []
        for piece, limit in zip(pieces, limits):
            try: out.append(d.decompress(piece, limit))
            except (zlib.error, ValueError) as e: out.append(str(e))
            out.append((d.eof, d.unused_data, d.unconsumed_tail))
        for length in (1, 100):
            try: out.append(d.flush(length))
            except zlib.error as e: out.append(str(e))
        return out, d.eof, d.unused_data, d.unconsumed_tail
    words = WORDS if r.random() < 0.3 else None
    whole = broken(r, words=words)
    cuts = sorted(r.randrange(len(whole) + 1) for _ in range(3))
    pieces = [whole[a:b] for a, b in zip([0] + cuts, cuts + [len(whole)])]
    return steps, pieces, [r.choice([0, 0, 1, 10, 1000, -1]) for _ in pieces], options(r, wbits=WINDOWS, zdict=[WORDS, b'', b'other', bytearray(WORDS)])


def tail_again(r):
    def drained(whole, limit):
        d, out = zlib.decompressobj(47), []
        while len(out) < 200:
            out.append(d.decompress(whole, limit))
            if not d.unconsumed_tail or d.eof: break
            whole = d.unconsumed_tail
        return out, d.eof
    return drained, broken(r), r.choice([1, 7, 100])


def copies(r):
    def split(whole, at):
        d = zlib.decompressobj(47)
        first = d.decompress(whole[:at])
        e = d.copy()
        return first, d.decompress(whole[at:]), e.decompress(whole[at:]), e.flush(), d.flush(), d.eof, e.eof
    return split, broken(r), r.randrange(60)


def compress(r): return zlib.compress, content(r), options(r, level=[-1, 0, 1, 9, 10, -2], wbits=[15, -15, 31, 9, 8, 99])


def compressor(r):
    def steps(names, pieces, modes):
        c, out = zlib.compressobj(**names), []
        for piece, mode in zip(pieces, modes):
            out.append(c.compress(piece))
            try: out.append(c.flush(mode))
            except zlib.error as e: out.append(str(e))
            if mode == zlib.Z_FINISH: break
        return out
    return steps, options(r, level=[0, 1, 9, -1, 99], method=[8, 7], wbits=[15, -15, 31, 9, 0, 99], memLevel=[1, 8, 9, 0, 10], strategy=[0, 1, 2, 3, 4, 9], zdict=[WORDS, b'']), \
        [content(r) for _ in range(3)], [r.choice([0, 1, 2, 3, 4, 5, 6]) for _ in range(3)]


def checksum(r): return r.choice([zlib.crc32, zlib.adler32]), data(r, 99), r.choice([0, 1, -1, 2**32 - 1, 2**32, 2**64 + 5, 0x12345678])
def gunzip(r): return gzip.decompress, damaged(r, b''.join(written(r, wbits=31) for _ in range(r.choice([1, 1, 2]))) + r.choice([b'', b'\0\0', b'x']), PIECES)


def gzip_file(r):
    def read(whole, sizes):
        f, out = gzip.GzipFile(fileobj=io.BytesIO(whole)), []
        for size in sizes: out.append(f.read(size) if size != 7 else f.readline())
        f.seek(3)
        return out, f.tell(), f.read()
    return read, damaged(r, written(r, wbits=31), PIECES), [r.choice([1, 7, 50, 0, -1]) for _ in range(3)]


USES = [decompress, decompress, in_pieces, in_pieces, in_pieces, tail_again, copies, compress, compressor, checksum, gunzip, gunzip, gzip_file]
