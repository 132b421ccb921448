#!/usr/bin/env python3
"""Write the doc strings of natives as one packed text: docs.py OUTPUT.c SOURCE.c ...

They are the string literals in DOC(...) of the sources (docs.h). The result defines asy_native_docs: each text once, with a
NUL behind it. Two texts of the same number, or a DOC of anything but literals, end the build.
"""
import ast
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from pack import numbers, packed   # noqa: E402 (the path comes first)

STRING = r'"(?:[^"\\\n]|\\.)*"'
LITERALS = re.compile(rf'{STRING}(?:\s*{STRING})*(?=\s*\))')
SAMPLES, PRIME = 32, 0x01000193   # as in docs.h


def number(text):
    value = len(text) + 1
    for i in range(SAMPLES):
        place = len(text) * i // SAMPLES
        value = (value * PRIME + (text[place] if text else 0)) & 0xFFFFFFFF
    return value


def texts_of(path):
    """The texts of one source, in their order."""
    source = path.read_text('utf-8')
    for use in re.finditer(r'(?<!#define )\bDOC\(\s*', source):
        line = source[:use.start()].count('\n') + 1
        literals = LITERALS.match(source, use.end())
        if not literals:
            sys.exit(f'{path}:{line}: DOC takes string literals')
        yield ast.literal_eval(f'({literals[0]})').encode(), f'{path}:{line}'


def main(output, sources):
    places = {}
    for path in map(pathlib.Path, sources):
        for text, place in texts_of(path):
            known, first = places.setdefault(number(text), (text, place))
            if known != text:
                sys.exit(f'{place}: the text has the number of that of {first}; word it otherwise')
    text = b''.join(known + b'\0' for known, _ in places.values())
    pathlib.Path(output).write_text(
        '/* Written by runtime/docs.py. */\n#include "runtime/docs.h"\n\n'
        f'static const uint8_t docs[] = {{\n{numbers(packed(text))}\n}};\nconst asy_packed asy_native_docs = {{docs, {len(text)}}};\n', 'ascii')


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2:])
