#!/usr/bin/env python3
"""Write the signatures and doc strings of natives and the names of constants, each sort as one packed text:
native_texts.py OUTPUT.c SOURCE.c ...

They are the string literals in SIG(...) and DOC(...) of the sources (runtime/native_texts.h), each once, with a NUL behind it. Two
texts of the same number, or a SIG or DOC of anything but literals, end the build; so do two lists CONSTANTS(...) of the same tag.
"""
import ast
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from pack import numbers, packed   # noqa: E402 (the path comes first)

STRING = r'"(?:[^"\\\n]|\\.)*"'
LITERALS = re.compile(rf'{STRING}(?:[\s\\]*{STRING})*(?=[\s\\]*\))')
SAMPLES, PRIME = 32, 0x01000193   # as in native_texts.h
SORTS = {'SIG': ('asy_native_signatures', 32), 'DOC': ('asy_native_docs', 26)}   # with the bits of a number
CONSTANTS = re.compile(r'^[^/#*\n]*CONSTANTS\(\s*"(\w+)",([^()]*)\)', re.M)
LONGEST = 0xFFFF   # as offsets of signatures are kept


def number(text, bits):
    value = len(text) + 1
    for i in range(SAMPLES):
        place = len(text) * i // SAMPLES
        value = value * PRIME + (text[place] if text else 0)
    return value & ((1 << bits) - 1)


def texts_of(path, sort):
    """The texts of one source, in their order, with their places."""
    source = path.read_text('utf-8')
    for use in re.finditer(rf'(?<!#define )\b{sort}\([\s\\]*', source):
        place = f"{path}:{source[:use.start()].count(chr(10)) + 1}"
        literals = LITERALS.match(source, use.end())
        if not literals:
            sys.exit(f'{place}: {sort} takes string literals')
        joined = re.sub(r'"\s*\\\s*"', '" "', literals[0])
        yield ast.literal_eval(f'({joined})').encode(), place


def packed_constants(paths):
    """The C source of all lists of constants: their tags and names."""
    lists = {}
    for path in paths:
        for tag, names in CONSTANTS.findall(path.read_text('utf-8')):
            if tag in lists:
                sys.exit(f'{path}: a second list of constants {tag}')
            lists[tag] = re.findall(r'\w+', names)
    return array('constants', 'asy_constant_names', b''.join(f'{name}\0'.encode() for tag in lists for name in (tag, *lists[tag])))


def array(variable, name, text):
    return f'static const uint8_t {variable}[] = {{\n{numbers(packed(text))}\n}};\nconst asy_packed {name} = {{{variable}, {len(text)}}};\n'


def packed_sort(sort, paths):
    """The C source of all texts of one sort."""
    name, bits = SORTS[sort]
    places = {}
    for path in paths:
        for text, place in texts_of(path, sort):
            known, first = places.setdefault(number(text, bits), (text, place))
            if known != text:
                sys.exit(f'{place}: the text has the number of that of {first}; word it otherwise')
    text = b''.join(known + b'\0' for known, _ in places.values())
    if sort == 'SIG' and len(text) >= LONGEST:
        sys.exit(f'{len(text)} bytes of signatures, more than slots in native_texts.c can name')
    return array(f'{sort.lower()}_texts', name, text)


def main(output, sources):
    paths = [pathlib.Path(name) for name in sources]
    text = '\n'.join([*(packed_sort(sort, paths) for sort in SORTS), packed_constants(paths)])
    pathlib.Path(output).write_text(f'/* Written by runtime/native_texts.py. */\n#include "runtime/native_texts.h"\n\n{text}', 'ascii')


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2:])
