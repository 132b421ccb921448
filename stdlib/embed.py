#!/usr/bin/env python3
"""Write the given .asy files of the standard library as one C file: embed.py OUTPUT.c FILE.asy ...

The result defines what runtime/scripts.h declares: an index, and the texts, packed as one (by itself, each would take a quarter more).
They are unpacked from the front as far as a program needs them, so what is imported most comes first.

Comments and the doc strings of private functions and classes are left out: no trace and no help shows them. Before packing, indentation
and the most frequent words become codes of one or two bytes (runtime/scripts.c reads them), which saves a fifteenth.
"""
import collections
import io
import pathlib
import re
import sys
import tokenize

STDLIB = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(STDLIB.parent / 'runtime'))
from pack import numbers, packed   # noqa: E402 (the path comes first)

# What comes first; a package stands for all in it that was not named before, with a dot for itself alone. The others follow by name.
ORDER = '''
    asyncio. asyncio.events asyncio.unix_events asyncio.selector_events asyncio.base_events asyncio.log asyncio.exceptions
    _repl. _repl.editor _repl.history _repl.keys _repl.more
    asyncio.runners asyncio.taskgroups asyncio.timeouts asyncio.queues asyncio.locks asyncio.mixins
    abc types os _environ posixpath re keyword _collections_abc collections io functools enum _weakrefset weakref warnings struct
    threading contextlib contextvars signal linecache traceback copyreg copy string fnmatch heapq datetime operator
    asyncio socket selectors json random logging atexit typing _typing dataclasses inspect argparse tempfile shutil hashlib pathlib
    concurrent subprocess queue _queue ssl _repl base64 urllib textwrap pprint difflib unittest ast _ast
    tokenize token dis decimal fractions numbers statistics importlib http email html mimetypes uuid xml
'''

# As in runtime/scripts.c: 1 to 8 stand for so many times four spaces, ESCAPE says that the next byte is itself, those from FIRST_WORD on
# stand for SHORT words; behind these, each with a byte that follows stands for 256 others.
ESCAPE, FIRST_WORD, INDENT, SHORT = 0x7F, 0x80, 4, 124
LONG = (256 - FIRST_WORD - SHORT) * 256
PUNCTUATION = [b', ', b' = ', b': ']   # counts as words
WORD = re.compile(rb'[A-Za-z]{2,}')


def module_name(path):
    """stdlib/asyncio/tasks.asy is asyncio.tasks; stdlib/asyncio/__init__.asy is the package asyncio."""
    parts = path.resolve().relative_to(STDLIB).with_suffix('').parts
    is_package = parts[-1] == '__init__'
    return '.'.join(parts[:-1] if is_package else parts), is_package


def private_docs(tokens):
    """The doc strings of functions and classes that begin with one underscore, unless they are all there is of them."""
    tokens = [token for token in tokens if token.type not in (tokenize.COMMENT, tokenize.NL)]
    private = False
    for i, (definer, name) in enumerate(zip(tokens, tokens[1:])):
        if definer.string in ('def', 'class') and definer.type == tokenize.NAME:
            private = re.match('_[^_]', name.string)
        elif definer.type == tokenize.INDENT:
            is_alone = tokens[i + 2].type == tokenize.NEWLINE
            if private and name.type == tokenize.STRING and is_alone and tokens[i + 3].type != tokenize.DEDENT:
                yield name
            private = False


def stripped(source):
    """The text without comments and private doc strings, line for line."""
    lines = source.splitlines(keepends=True)
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    for token in tokens:
        row, column = token.start
        if token.type == tokenize.COMMENT:
            lines[row - 1] = lines[row - 1][:column].rstrip() + '\n'
    for doc in private_docs(tokens):
        for row in range(doc.start[0], doc.end[0] + 1):
            lines[row - 1] = '\n'
    return ''.join(lines)


def frequent_words(texts):
    """The words of one byte and those of two: those with which most room is saved."""
    counts = collections.Counter(word for text in texts for word in WORD.findall(text))

    def best(number, size):
        return sorted(counts, key=lambda word: (counts[word] * (size - len(word)), word))[:number]

    short = PUNCTUATION + best(SHORT - len(PUNCTUATION), 1)
    for word in short:
        del counts[word]
    return short, sorted(best(LONG, 2))


def coded(text, short, long):
    """The text with indentation and words as codes; in a word that has none, short ones may be part of it."""
    codes = {word: bytes([FIRST_WORD + i]) for i, word in enumerate(short)}
    codes.update((word, bytes([FIRST_WORD + SHORT + i // 256, i % 256])) for i, word in enumerate(long))
    parts = re.compile(b'|'.join(sorted(short, key=len, reverse=True)))
    pieces = re.compile(rb'(\n)((?:    ){1,8})|([\x7f-\xff])|[A-Za-z]{2,}|' + b'|'.join(PUNCTUATION))

    def code(match):
        if match[1]:
            return match[1] + bytes([len(match[2]) // INDENT])
        if match[3]:
            return bytes([ESCAPE]) + match[3]
        return codes.get(match[0]) or parts.sub(lambda part: codes[part[0]], match[0])

    assert not re.search(rb'[\x01-\x08]', text)
    return pieces.sub(code, text)


def ordered(names):
    """By ORDER, then by name."""
    left, chosen = sorted(names), []
    for leader in ORDER.split():
        chosen += [name for name in left if name + '.' == leader or name == leader or name.startswith(leader + '.')]
        left = [name for name in left if name not in chosen]
    return chosen + left


def array(name, data):
    """The data packed, as C source."""
    return (f'static const uint8_t packed_{name}[] = {{\n{numbers(packed(data))}\n}};\n'
            f'const asy_packed asy_scripts_{name} = {{packed_{name}, {len(data)}}};\n')


def main(output, names):
    packages, texts = {}, {}
    for path in map(pathlib.Path, names):
        name, packages[name] = module_name(path)
        texts[name] = stripped(path.read_text('utf-8')).encode()
    short, long = frequent_words(texts.values())
    index, packing = [*short, *long], bytearray()
    for name in ordered(texts):
        text = coded(texts[name], short, long)
        packing += text
        index += [name.encode(), f'{len(text)}{"p" if packages[name] else ""}'.encode()]
    source = array('index', b''.join(entry + b'\0' for entry in index)) + array('texts', packing)
    pathlib.Path(output).write_text(f'/* Written by stdlib/embed.py. */\n#include "runtime/scripts.h"\n\n{source}'
                                    f'const uint32_t asy_scripts_count = {len(texts)};\n', 'ascii')


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2:])
