#!/usr/bin/env python3
"""Write the signatures and doc strings of natives, the texts of errors and the names of constants, each sort as one packed text:
native_texts.py OUTPUT.c SOURCE.c ...

They are the string literals in SIG(...) and DOC(...) of the sources (runtime/native_texts.h) and the third arguments of asy_raise, each
once, with a NUL behind it. Two texts of the same number, a SIG or DOC of anything but literals, or a text of an error that is put
together of literals and macros, end the build; so do two lists CONSTANTS(...) of the same tag.
"""
import ast
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from pack import numbers, packed   # noqa: E402 (the path comes first)

STRING = r'"(?:[^"\\\n]|\\.)*"'
LITERALS = re.compile(rf'{STRING}(?:[\s\\]*{STRING})*')
CHOSEN = re.compile(r'\?|^[a-z]\w*$')   # at run time: one of several literals, or what a variable names
TOKEN = re.compile(rf"{STRING}|'(?:[^'\\]|\\.)'|[()\[\]{{}},]|[^\"'()\[\]{{}},]+")
SAMPLES, PRIME = 32, 0x01000193   # as in native_texts.h
# With the bits of a number.
SORTS = {'SIG': ('asy_native_signatures', 32), 'DOC': ('asy_native_docs', 26), 'asy_raise': ('asy_native_errors', 32)}
CONSTANTS = re.compile(r'^[^/#*\n]*CONSTANTS\(\s*"(\w+)",([^()]*)\)', re.M)


def number(text, bits):
    value = len(text) + 1
    for i in range(SAMPLES):
        place = len(text) * i // SAMPLES
        value = value * PRIME + (text[place] if text else 0)
    return value & ((1 << bits) - 1)


def argument(source, at, index):
    """One argument of the call whose arguments begin there; None when there are fewer."""
    depth, arguments = 0, ['']
    while True:
        token = TOKEN.match(source, at)
        at = token.end()
        depth += (token[0] in '([{') - (token[0] in ')]}')
        if depth < 0:
            return arguments[index].strip(' \n\\') if index < len(arguments) else None
        if token[0] == ',' and depth == 0:
            arguments.append('')
        else:
            arguments[-1] += token[0]


def texts_of(path, sort):
    """The texts of one source, in their order, with their places."""
    source = path.read_text('utf-8')
    for use in re.finditer(rf'(?<!#define )\b{sort}\(', source):
        place = f"{path}:{source[:use.start()].count(chr(10)) + 1}"
        text = argument(source, use.end(), 2 if sort == 'asy_raise' else 0)
        if text and LITERALS.fullmatch(text):
            yield ''.join(map(ast.literal_eval, re.findall(STRING, text))).encode(), place
        elif sort != 'asy_raise' or not CHOSEN.search(text):
            sys.exit(f'{place}: {sort} takes string literals')


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
                sys.exit(f'{place}: the text has the number of that of {first}; word it otherwise, an error by asy_raise_format')
    text = b''.join(known + b'\0' for known, _ in places.values())
    return array(f'{sort}_texts', name, text) + f'const uint32_t {name}_count = {len(places)};\n'


def main(output, sources):
    paths = [pathlib.Path(name) for name in sources]
    text = '\n'.join([*(packed_sort(sort, paths) for sort in SORTS), packed_constants(paths)])
    pathlib.Path(output).write_text(f'/* Written by runtime/native_texts.py. */\n#include "runtime/native_texts.h"\n\n{text}', 'ascii')


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2:])
