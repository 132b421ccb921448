# A raw stream without readinto or write of its own raises; it does not crash.
import io

class Bare(io.RawIOBase): pass

for work in (lambda r: r.readinto(bytearray(3)), lambda r: r.write(b'a'), lambda r: r.read(3), lambda r: r.read()):
    for raw in (io.RawIOBase(), Bare()):
        try: work(raw)
        except NotImplementedError as e: print(repr(e))
