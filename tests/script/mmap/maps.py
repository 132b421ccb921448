# mmap: files and memory of its own, reading, writing, searching, resizing, views, and what is wrong.
import mmap
import os
import tempfile

with tempfile.TemporaryDirectory() as folder:
    name = os.path.join(folder, 'x')
    with open(name, 'wb') as file:
        file.write(b'line one\nline two\nline three')
    with open(name, 'r+b') as file:
        m = mmap.mmap(file.fileno(), 0)
        print(len(m), m[:4], m[0], m[-1], m[::5], m.find(b'two'), m.rfind(b'line'), m.find(b'none'), m.find(b'line', 1, 12), m.size())
        print(m.readline(), m.read(4), m.tell(), m.read_byte(), m.seek(0), m.seek(-5, 2), m.read(), m.read(), m.closed)
        m[0:4] = b'LINE'
        m[5] = 65
        m.seek(9)
        print(m.write(b'Line'), m.tell(), m.flush(), m[:20])
        m.write_byte(66)
        m.move(0, 9, 4)
        print(bytes(m[:]), list(m)[:3], b'two' in m[:], bool(m))
        view = memoryview(m)
        print(view[:3].tobytes(), view.readonly)
        view.release()
        m.resize(10)
        print(len(m), m[:])
        m.close()
        print(m.closed)
    print(open(name, 'rb').read())
    with open(name, 'rb') as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as m:
        for wrong in lambda: m.write(b'x'), lambda: m.__setitem__(0, 1), lambda: m.resize(3), lambda: m.write_byte(1), lambda: m[100]:
            try:
                print(wrong())
            except (TypeError, ValueError, IndexError, OSError) as exc:
                print(type(exc).__name__, exc)
    with open(name, 'r+b') as file, mmap.mmap(file.fileno(), 4, access=mmap.ACCESS_COPY) as m:
        m[:] = b'copy'
        print(m[:], open(name, 'rb').read(4), len(m))
    with open(name, 'rb') as file:
        for arguments in (file.fileno(), 10000), (file.fileno(), -1), (file.fileno(), 0, 99), (-2, 5):
            try:
                print(mmap.mmap(*arguments, access=mmap.ACCESS_READ))
            except (ValueError, OSError, OverflowError, TypeError) as exc:
                print(type(exc).__name__)
m = mmap.mmap(-1, 20)
print(len(m), m[:3], m.write(b'abc'), m[:4], m.seek(0), m.read(3))
m.close()
for wrong in lambda: m[0], lambda: len(m), lambda: m.read(), lambda: m.find(b'x'):
    try:
        print(wrong())
    except ValueError as exc:
        print(exc)
print(mmap.PAGESIZE == mmap.ALLOCATIONGRANULARITY, mmap.ACCESS_READ, mmap.ACCESS_WRITE, mmap.ACCESS_COPY, mmap.ACCESS_DEFAULT, mmap.error is OSError)
