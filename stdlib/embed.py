#!/usr/bin/env python3
"""Write the given .asy files of the standard library as one C file: embed.py OUTPUT.c FILE.asy ...

The result defines asy_embedded_modules (runtime/asy.h), sorted by name so that it can be searched, ending with {0}. Each row says in
which block a text lies and where. Blocks hold what is imported together; one by one, the files would take a quarter more. The first
block, which nearly every program needs anyway, is known to the packer of the others.

Lines that are only a comment are left out, but stay as empty lines: no trace and no help shows them. Before packing, indentation and
the most frequent words become single bytes (runtime/finders.c knows them), which saves a twentieth.
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

# What each block begins with; a package stands for all in it that was not named before, with a dot for itself alone. What no block
# names comes behind them, by name. Blocks that become longer than BLOCK_LENGTH are cut.
BLOCKS = [
    # the floor of nearly every program
    '''asyncio. asyncio.runners asyncio.events asyncio.unix_events asyncio.selector_events asyncio.base_events asyncio.log
       asyncio.exceptions asyncio.taskgroups asyncio.timeouts asyncio.queues asyncio.locks asyncio.mixins abc types os posixpath
       re keyword _collections_abc collections io functools enum _weakrefset weakref warnings struct threading contextlib contextvars signal linecache traceback copyreg copy string fnmatch heapq datetime operator''',
    # programs that wait
    'asyncio socket selectors ssl concurrent subprocess queue _queue _os _environ tempfile shutil hashlib random logging atexit json',
    # annotations and tests
    'typing _typing dataclasses inspect argparse unittest textwrap pprint difflib doctest ast _ast tokenize token dis',
    # the internet
    'base64 urllib quopri email http html xml mimetypes smtplib socketserver uuid',
]
BLOCK_LENGTH = 250_000   # but the first

# Bytes that do not occur in scripts: 1 to 8 stand for so many times four spaces, ESCAPE says that the next one is itself, those
# from FIRST_WORD on stand for words.
ESCAPE, FIRST_WORD, INDENT = 0x7F, 0x80, 4
WORD = re.compile(rb'[A-Za-z]{2,}')


def module_name(path):
    """stdlib/asyncio/tasks.asy is asyncio.tasks; stdlib/asyncio/__init__.asy is the package asyncio."""
    parts = path.resolve().relative_to(STDLIB).with_suffix('').parts
    is_package = parts[-1] == '__init__'
    return '.'.join(parts[:-1] if is_package else parts), is_package


def stripped(source):
    """The text with its comment lines empty."""
    lines = source.splitlines(keepends=True)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        row, column = token.start
        if token.type == tokenize.COMMENT and not lines[row - 1][:column].strip():
            lines[row - 1] = '\n'
    return ''.join(lines)


def frequent_words(texts):
    """Those that take the most room, the longest first."""
    room = collections.Counter()
    for text in texts:
        for word in WORD.findall(text):
            room[word] += len(word) - 1
    ordered = sorted(room, key=lambda word: (-room[word], word))
    return sorted(ordered[:256 - FIRST_WORD], key=lambda word: (-len(word), word))


def coded(text, words):
    """The text with indentation and words as single bytes."""
    codes = {word: bytes([FIRST_WORD + i]) for i, word in enumerate(words)}
    pieces = re.compile(rb'(\n)((?:    ){1,8})|([\x7f-\xff])|' + b'|'.join(words))

    def code(match):
        if match[1]:
            return match[1] + bytes([len(match[2]) // INDENT])
        return bytes([ESCAPE]) + match[3] if match[3] else codes[match[0]]

    assert not re.search(rb'[\x01-\x08]', text)
    return pieces.sub(code, text)


def in_blocks(texts):
    """The names of the modules, a list for each block."""
    left = sorted(texts)
    groups = []
    for leaders in BLOCKS:
        groups.append([])
        for leader in leaders.split():
            groups[-1] += [name for name in left if name + '.' == leader or name == leader or name.startswith(leader + '.')]
            left = [name for name in left if name not in groups[-1]]
    blocks = groups[:1]
    for group in groups[1:] + [left]:
        length = BLOCK_LENGTH
        for name in group:
            if length + len(texts[name]) > BLOCK_LENGTH:
                blocks.append([])
                length = 0
            blocks[-1].append(name)
            length += len(texts[name])
    return blocks


def main(output, names):
    packages, texts = {}, {}
    for path in map(pathlib.Path, names):
        name, packages[name] = module_name(path)
        texts[name] = stripped(path.read_text('utf-8')).encode() + b'\0'
    rows, blocks, known, words = [], [], b'', frequent_words(texts.values())
    codes = {name: coded(text, words) for name, text in texts.items()}
    with open(output, 'w', encoding='ascii') as out:
        out.write('/* Written by stdlib/embed.py. */\n#include "runtime/asy.h"\n')
        for number, block in enumerate(in_blocks(texts)):
            start = 0
            for name in block:
                length = len(texts[name]) - 1
                rows.append((name, f'  {{"{name}", {start}, {length}, {number}, {int(packages[name])}}},\n'))
                start += len(codes[name])
            text = b''.join(codes[name] for name in block)
            out.write(f'\nstatic const uint8_t block_{number}[] = {{\n{numbers(packed(text, known))}\n}};\n')
            blocks.append(f'  {{block_{number}, {start}}},\n')
            known = known or text
        out.write('\nconst char *const asy_embedded_words[] = {\n')
        out.writelines(f'  "{word.decode()}",\n' for word in words)
        out.write('};\n')
        out.write(f'\nconst unsigned asy_embedded_block_count = {len(blocks)};\nconst asy_packed asy_embedded_blocks[] = {{\n')
        out.writelines(blocks)
        out.write('};\n\nconst asy_embedded asy_embedded_modules[] = {\n')
        out.writelines(row for _, row in sorted(rows))
        out.write('  {0},\n};\n')


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2:])
