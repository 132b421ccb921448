#!/usr/bin/env python3
"""Write asy_native_modules, the list of the modules of natives: natives.py OUTPUT.c SOURCE.c ...

A module of natives is a definition `const asy_module_def asy_module_NAME = {` at the start of a line of one of the sources.
"""
import pathlib
import re
import sys

DEFINITION = re.compile(r'^const asy_module_def (asy_module_\w+) =', re.M)


def main(output, sources):
    found = sorted(name for path in sources for name in DEFINITION.findall(pathlib.Path(path).read_text('utf-8')))
    lines = ['/* Written by stdlib/natives.py. */', '#include "runtime/asy.h"', '']
    lines += [f'extern const asy_module_def {name};' for name in found]
    lines += ['', 'const asy_module_def *const asy_native_modules[] = {']
    lines += [f'  &{name},' for name in found]
    lines += ['  NULL,', '};', '']
    pathlib.Path(output).write_text('\n'.join(lines), 'ascii')


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2:])
