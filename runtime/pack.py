"""What the build's scripts share: packing for runtime/unpack.c, and arrays as C source."""
import subprocess
import tempfile

PADDING = bytes(8)   # the reader of bits reads whole words
WIDTH = 118


def packed(data):
    """The bytes as blocks of Zstandard."""
    with tempfile.NamedTemporaryFile() as file:   # by its name: the length, known beforehand, helps
        file.write(data)
        file.flush()
        frame = subprocess.run(['zstd', '--quiet', '--ultra', '-22', '--single-thread', '--no-check', '--stdout', file.name],
                               check=True, capture_output=True).stdout
    # The header of a frame: magic number, flags, window unless the whole is one segment, dictionary, length.
    flags = frame[4]
    whole = flags >> 5 & 1
    return frame[5 + (1 - whole) + (0, 1, 2, 4)[flags & 3] + (whole, 2, 4, 8)[flags >> 6]:] + PADDING


def numbers(values):
    """The values as lines of C."""
    out, line = [], ' '
    for value in values:
        text = f' {value},'
        if len(line) + len(text) > WIDTH:
            out.append(line)
            line = ' '
        line += text
    out.append(line)
    return '\n'.join(out)
