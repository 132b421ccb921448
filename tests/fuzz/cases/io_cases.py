"""io, gzip and array: sequences of calls on streams in memory, with sizes and places at the limits, raw streams that lie and damaged files (only survived)."""
import gzip
import io
from array import array

from tools import damaged, data, integer, survived, text

LINES = ['a', 'b', '\n', '\n', '\r', '\r\n', 'x' * 9, '\xe9', '\u20ac', '\U0001f600']


def run(stream, calls):
    """What the calls answer, one after another."""
    def one(name, args):
        try: answer = getattr(stream, name)(*args)
        except (Exception, RecursionError) as e: return type(e).__name__
        return bytes(answer) if isinstance(answer, memoryview) else answer
    return [one(name, args) for name, *args in calls]


def small(r, most=40): return r.randrange(-2, most)
def place(r): return small(r, 30) if r.random() < 0.9 else r.choice([2**63, -2**63, 2**64, -2**64])   # nothing that fills the memory
def reading(r): return r.choice([('read', small(r)), ('read',), ('readline',), ('readline', small(r, 9)), ('readlines', small(r)), ('tell',), ('seek', place(r)), ('seek', place(r), r.choice([0, 1, 2, 3])), ('__next__',), ('read', None)])
def writing(r, content): return r.choice([('write', content), ('writelines', [content, content]), ('truncate',), ('truncate', small(r, 50)), ('getvalue',), ('flush',)])
def closing(r): return r.choice([('detach',), ('seekable',), ('fileno',), ('isatty',), ('readable',)])


def calls(r, content):
    return [closing(r) if roll < 0.04 else writing(r, content(r)) if roll < 0.4 else reading(r) for roll in (r.random() for _ in range(r.randrange(12)))]


def bytes_io(r):
    extra = [('readinto', bytearray(r.randrange(9))), ('read1', small(r)), ('getbuffer',), ('peek',)]
    return lambda given, todo: run(io.BytesIO(given), todo), data(r), calls(r, lambda r: data(r, 9)) + r.sample(extra, r.randrange(3)) + [('getvalue',), ('close',), ('read',)]


def string_io(r): return lambda given, newline, todo: run(io.StringIO(given, newline), todo), text(r, 8, LINES), r.choice(['\n', '', None, '\r', '\r\n']), calls(r, lambda r: text(r, 4, LINES)) + [('getvalue',)]


def text_stream(r):
    """Compared where nothing is malformed."""
    def used(given, names, todo): return run(io.TextIOWrapper(io.BytesIO(given), **names), todo)
    names = dict(encoding=r.choice(['utf-8', 'utf-8', 'utf-16', 'latin-1', 'ascii', 'utf-32']), errors=r.choice(['strict', 'replace', 'ignore', 'surrogateescape']), newline=r.choice([None, '', '\n', '\r', '\r\n']))
    good = text(r, 12, LINES).encode(names['encoding'], 'replace')
    given = damaged(r, good, [b'\xff', b'\n', b'\r', b'\xe2\x82', b'\0'])
    todo = [('read', r.randrange(9)) if name in ('seek', 'truncate', '__next__') else (name, *rest) for name, *rest in calls(r, lambda r: text(r, 4, LINES))]
    return used if given == good else survived(used), given, names, [call for call in todo if call[0] not in ('tell', 'getvalue', 'write', 'writelines', 'detach')]


def text_places(r):
    """Each place that tell() gave is one that seek() takes."""
    def used(given, encoding, newline):
        stream = io.TextIOWrapper(io.BytesIO(given), encoding, newline=newline)
        whole, found = stream.read(), []
        stream.seek(0)
        while True:
            found.append((stream.tell(), stream.read(2)))
            if not found[-1][1]: break
        def again(at):
            stream.seek(at)
            return stream.read()
        return whole, [again(at) == ''.join(t for _, t in found[i:]) for i, (at, _) in enumerate(found)]
    encoding = r.choice(['utf-8', 'utf-16', 'latin-1', 'utf-8-sig'])
    return used, text(r, 12, LINES).encode(encoding, 'replace'), encoding, r.choice([None, '', '\n'])


class Raw(io.RawIOBase):
    """Answers of a table, whether they are true or not."""
    def __init__(self, content, answers): self.content, self.answers = content, list(answers)
    def readable(self): return True
    def writable(self): return True
    def seekable(self): return True
    def tell(self): return 0
    def seek(self, at, whence=0): return at
    def write(self, content): return self.answers.pop() if self.answers else len(content)
    def readinto(self, room):
        n = min(len(room), len(self.content), 7)
        room[:n], self.content = self.content[:n], self.content[n:]
        return n if len(self.answers) % 2 or not self.answers else self.answers.pop()


def lying(r):
    def used(kind, size, given, answers, todo): return run(kind(Raw(given, answers), size), todo)
    answers = [r.choice([0, 1, None, -1, 10**6, 'x', 2**63]) for _ in range(r.randrange(3))]
    return survived(used), r.choice([io.BufferedReader, io.BufferedWriter, io.BufferedRandom]), r.choice([1, 7, 8192, 0, -1]), data(r), answers, [c for c in calls(r, lambda r: data(r, 9)) if c[0] not in ('getvalue', 'truncate', 'fileno', 'detach')]


def unzip(r):
    def read(given): gzip.decompress(given)
    return survived(read), damaged(r, gzip.compress(data(r), mtime=0) * r.randrange(3), [b'\0', b'\xff', b'\x1f\x8b', b'\x1f\x8b\x08\x08', b'\x04'])


def arrays(r):
    def used(code, todo):
        made = array(code)
        return run(made, todo), made
    letter = r.choice('bBuwhHiIlLqQfd')
    item = lambda: r.choice([integer(r), integer(r), 1, 0, 1.5, 'x', '\u20ac', None])
    todo = [r.choice([('append', item()), ('insert', place(r), item()), ('pop', place(r)), ('frombytes', data(r, 17)), ('fromlist', [item()]), ('extend', [1, 2, 3]), ('byteswap',), ('reverse',), ('tobytes',), ('index', item()), ('remove', item()),
                      ('__setitem__', slice(small(r, 9), small(r, 9), r.choice([1, 2, -1, 0])), array(letter)), ('__delitem__', slice(None, None, r.choice([2, -3]))), ('__imul__', r.randrange(-1, 4)), ('__getitem__', place(r)), ('count', item()),
                      ('fromunicode', 'a\u20ac'), ('tolist',), ('__repr__',)]) for _ in range(r.randrange(9))]
    return used, letter, [call for call in todo if not (letter in 'fd' and call[0] in ('frombytes', 'byteswap')) and not (letter in 'uw' and call[0] in ('frombytes', 'byteswap'))]


USES = [bytes_io] * 3 + [string_io] * 3 + [text_stream] * 3 + [text_places, lying, lying, unzip, arrays, arrays, arrays]
