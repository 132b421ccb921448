"""struct: layouts with counts, paddings and byte orders; values that fit and values that do not; buffers too short and damaged."""
import struct

from tools import data, integer, small

VALUES = [b'', b'a', b'abc', b'x' * 300, bytearray(b'ba'), 1.5, -0.0, 1e39, 1e308, 65504.0, 65520.0, 5e-324, 2.0**-24, 1e-8, float('inf'), float('-inf'), float('nan'), 'x', None, True, 1j]


class Index:
    def __index__(self): return 77
    def __repr__(self): return 'Index'
class Truth:
    def __bool__(self): raise KeyError('truth')
    def __repr__(self): return 'Truth'


def layout(r):
    if r.random() < 0.05: return r.choice(['99999999999999999999x', '9' * 25 + 's', '4611686018427387904q', 'i' * 30, '1', '3 i', 'é', '\0', 'ii\0', '<P', '>n', '=N', '!P', '$i'])
    order = r.choice(['', '<', '>', '!', '=', '@', ''])
    return order + ''.join(r.choice(['', '', '', '0', '1', '2', '3', '17', ' ']) + r.choice('xcbB?hHiIlLqQnNefdspP' if not order or order == '@' else 'xcbB?hHiIlLqQefdsp')
                           for _ in range(r.randrange(6))).replace('0p', 'p')   # CPython writes a byte behind it


def fitting(r, letters):
    """Values for a layout, sometimes wrong ones."""
    values, count = [], ''
    for c in letters:
        if c.isdigit():
            count += c
            continue
        n, count = min(int(count or 1), 20), ''
        if c in 'sp': values.append(r.choice([b'', b'abc', b'x' * 30, bytearray(b'q'), data(r)]))
        elif c == 'c': values += [r.choice([b'a', b'\xff', bytearray(b'z')]) for _ in range(n)]
        elif c in 'efd': values += [r.choice([r.uniform(-1, 1) * 10.0**r.randrange(-46, 40), r.choice(VALUES[5:17]), integer(r)]) for _ in range(n)]
        elif c in 'bBhHiIlLqQnNP?': values += [r.choice([r.randrange(-128, 128), r.randrange(128), integer(r), Index(), True]) for _ in range(n)]
    for _ in range(r.choice([0, 0, 0, 1, 2])):
        at = r.randrange(len(values) + 1)
        values[at:at + r.randrange(2)] = [r.choice(VALUES + [Truth(), Index(), integer(r)])]
    return values


def pack(r):
    chosen = layout(r)
    return struct.pack, chosen, *fitting(r, chosen)


def pack_into(r):
    def filled(layout, size, offset, *values):
        room = bytearray(b'.' * size)
        try: struct.pack_into(layout, room, offset, *values)
        except struct.error as e: return None if str(e)[:3] in ("'q'", "'Q'") else room, str(e)   # CPython has written the low bytes by then
        return room
    chosen = layout(r)
    return filled, chosen, r.randrange(40), r.choice([0, 0, 1, small(r)]), *fitting(r, chosen)


def unpack(r): return struct.unpack, layout(r), data(r, 30)


def unpack_exact(r):
    def exact(layout, content): return struct.unpack(layout, (content * 40)[:min(struct.calcsize(layout), 2000)])
    return exact, layout(r), data(r, 30) or b'\1'


def unpack_from(r): return struct.unpack_from, layout(r), data(r, 60), small(r)
def iter_unpack(r):
    def listed(layout, content): return list(struct.iter_unpack(layout, content))
    return listed, layout(r), data(r, 60)
def calcsize(r): return struct.calcsize, r.choice([layout(r), layout(r).encode('utf-8'), '9999999999x', None])
def there_and_back(r):
    def back(layout, *values): return struct.unpack(layout, struct.pack(layout, *values))
    chosen = layout(r)
    return back, chosen, *fitting(r, chosen)
def compiled(r):
    def attributes(layout):
        s = struct.Struct(layout)
        return s.size, s.format, s.unpack(bytes(s.size)) if s.size < 10000 else None
    return attributes, layout(r)


USES = [pack, pack, pack_into, unpack, unpack_exact, unpack_from, iter_unpack, calcsize, there_and_back, compiled]
