#!/usr/bin/env python3
"""Write the given .asy files of the standard library as one C file: embed.py OUTPUT.c FILE.asy ...

The result defines asy_embedded_modules (stdlib/stdlib.h), sorted by name so that it can be searched, ending with {0}.
"""
import pathlib
import sys

STDLIB = pathlib.Path(__file__).resolve().parent
ESCAPES = {ord('\n'): r'\n', ord('\t'): r'\t', ord('"'): r'\"', ord('\\'): r'\\'}


def module_name(path):
    """stdlib/asyncio/tasks.asy is asyncio.tasks; stdlib/asyncio/__init__.asy is the package asyncio."""
    parts = path.resolve().relative_to(STDLIB).with_suffix('').parts
    is_package = parts[-1] == '__init__'
    return '.'.join(parts[:-1] if is_package else parts), is_package


def literal(line):
    """One source line as a C string; three-digit octal, because hexadecimal escapes swallow what follows."""
    return '"' + ''.join(ESCAPES.get(b) or (chr(b) if 32 <= b < 127 else f'\\{b:03o}') for b in line) + '"'


def main(output, names):
    rows = []
    with open(output, 'w', encoding='ascii') as out:
        out.write('/* Written by stdlib/embed.py. */\n#include "stdlib/stdlib.h"\n')
        for index, path in enumerate(map(pathlib.Path, names)):
            name, is_package = module_name(path)
            source = path.read_bytes()
            lines = [literal(line) for line in source.splitlines(keepends=True)] or ['""']
            out.write(f'\n/* {name} */\nstatic const char source_{index}[] =\n  ' + '\n  '.join(lines) + ';\n')
            rows.append((name, f'  {{"{name}", {int(is_package)}, source_{index}, {len(source)}}},\n'))
        out.write('\nconst asy_embedded asy_embedded_modules[] = {\n')
        out.writelines(row for _, row in sorted(rows))
        out.write('  {0},\n};\n')


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2:])
