# What ./dev fuzz evil and io found: the __buffer__ of an argument closes or exports the stream that asked for it; a closed BytesIO is made anew; far places.
import io
import os
import sys
import tempfile


class Evil:
    def __init__(self, action): self.action = action

    def __buffer__(self, flags):
        self.action()
        return memoryview(bytearray(b'wxyz'))


def attempt(what, f, *args):
    try: print(what, f(*args))
    except Exception as e: print(what, type(e).__name__, e)


s = io.BytesIO(b'abc')
s.close()
attempt('again', s.__init__, b'cde')
print(s.closed, s.read(), s.getvalue())
kept = []
for stop in ('close', 'getbuffer') if sys.implementation.name == 'asy' else ():   # CPython dies
    s = io.BytesIO(b'ab\ncd\nef')
    try: s.write(Evil(lambda: kept.append(getattr(s, stop)())))
    except (ValueError, BufferError): pass
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, 'x')
    for buffering in 0, -1:
        for stop in 'close', 'detach':
            f = open(path, 'w+b', buffering)
            if hasattr(f, stop): attempt(f'write {buffering} {stop}', f.write, Evil(lambda: kept.append(getattr(f, stop)())))
    f = open(path, 'rb', 0)
    attempt('type first', f.write, 5)
    f.close()
    attempt('closed', f.write, b'')
for kind in io.BufferedReader, io.BufferedRandom:
    for place in -2**63, -2**63 + 1, 2**63 - 1:
        for whence in 0, 1:
            f = kind(io.BytesIO(b'abc\ndef'))
            f.readline()
            attempt('far', f.seek, place, whence)
            print(f.tell(), f.read())
