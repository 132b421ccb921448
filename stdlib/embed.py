#!/usr/bin/env python3
"""Write the given .asy files of the standard library as one C file: embed.py OUTPUT.c FILE.asy ...

The result defines asy_embedded_modules (runtime/asy.h), sorted by name so that it can be searched, ending with {0}. The texts
are packed (zlib, about a quarter of their length), which keeps the binary small; unpacking takes less than parsing.
"""
import pathlib
import sys
import zlib

STDLIB = pathlib.Path(__file__).resolve().parent
BYTES_PER_LINE = 32


def module_name(path):
    """stdlib/asyncio/tasks.asy is asyncio.tasks; stdlib/asyncio/__init__.asy is the package asyncio."""
    parts = path.resolve().relative_to(STDLIB).with_suffix('').parts
    is_package = parts[-1] == '__init__'
    return '.'.join(parts[:-1] if is_package else parts), is_package


def rows_of(data):
    """The bytes as rows of a C array."""
    for start in range(0, len(data), BYTES_PER_LINE):
        yield '  ' + ''.join(f'{byte},' for byte in data[start:start + BYTES_PER_LINE]) + '\n'


def main(output, names):
    rows = []
    with open(output, 'w', encoding='ascii') as out:
        out.write('/* Written by stdlib/embed.py. */\n#include "runtime/asy.h"\n')
        for index, path in enumerate(map(pathlib.Path, names)):
            name, is_package = module_name(path)
            source = path.read_bytes()
            packed = zlib.compress(source, 9)
            out.write(f'\n/* {name} */\nstatic const unsigned char packed_{index}[] = {{\n')
            out.writelines(rows_of(packed))
            out.write('};\n')
            rows.append((name, f'  {{"{name}", {int(is_package)}, packed_{index}, {len(packed)}, {len(source)}}},\n'))
        out.write('\nconst asy_embedded asy_embedded_modules[] = {\n')
        out.writelines(row for _, row in sorted(rows))
        out.write('  {0},\n};\n')


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2:])
