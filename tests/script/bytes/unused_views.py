# A buffer can be resized as soon as no view of it is in use, without a word to the collector.

def f(buf):
    b = (memoryview(buf)[1:3]).tobytes()
    if len(b) > 1:
        del buf[:1]
    return b
def g(buf):
    memoryview(buf)
    len(buf); len(buf)
    del buf[:1]
def h(buf):
    x = memoryview(buf)[0]
    del buf[:1]
def k(buf):
    sum(memoryview(buf))
    buf.extend(b'abc')
def m(buf):
    bytes(memoryview(buf)[:2])
    buf += b'abc'
def n(buf):
    b = memoryview(buf)[0:2].tobytes()
    b = len(b)
    buf.clear()
def o(self):
    b = (memoryview(self.b)[0 : 2]).tobytes()
    self.pos += 1
    del self.b[:2]
def p(self):
    b = (memoryview(self.b)[0 : 2]).tobytes()
    self.b += b'abc'
class S: pass
s = S(); s.b = bytearray(b'abcdef'); s.pos = 0
for fn in f, g, h, k, m, n:
    try: fn(bytearray(b'abcdef')); print(fn.__name__, 'ok')
    except BufferError as e: print(fn.__name__, e)
for fn in o, p:
    try: fn(s); print(fn.__name__, 'ok')
    except BufferError as e: print(fn.__name__, e)
import array, io
def views_of_array(a):
    sum(memoryview(a))
    a.append(4)
views_of_array(array.array('b', b'abc'))
def views_of_bytesio(b):
    bytes(b.getbuffer()[1:])
    b.write(b'more than before')
    return b.getvalue()
print(views_of_bytesio(io.BytesIO(b'abc')))
kept = memoryview(s.b)
for change in s.b.clear, lambda: s.b.extend(b'x'), lambda: s.b.__delitem__(0), lambda: s.b.__iadd__(b'a'):
    try: change()
    except BufferError as e: print(e)
print(bytes(kept) == s.b)
kept = [kept]
try: s.b.clear()
except BufferError as e: print(e)
del kept
s.b.clear()
