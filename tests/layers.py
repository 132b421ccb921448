#!/usr/bin/env python3
"""Fail when an include points up: lang <- runtime <- stdlib <- cli. Prints each such line."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')
LANG_FOR_RUNTIME = 'unit compile opcode dis diagnostic source arena buf ast parse unparse name_tables'

LIBRARIES = ('uv.h', 'gmp.h', 'zlib.h', 'pcre2.h', 'sqlite3.h', 'openssl/evp.h', 'bzlib.h', 'lzma.h')   # known not to be libc

# Layer: what may be included from the root, as patterns, and which libraries beside libc. FOLDER is the file's own folder.
RULES = {
    'lang': (r'lang/\w+\.h', ()),
    'runtime': (rf'runtime/[\w/]+\.h|lang/(?:{"|".join(LANG_FOR_RUNTIME.split())})\.h', ('uv.h', 'gmp.h')),
    'stdlib': (r'runtime/asy\.h|FOLDER/\w+\.h', LIBRARIES),
    'cli': (r'runtime/asy\.h|lang/\w+\.h|cli/\w+\.h', ('uv.h',)),
}


def complaints(path):
    layer = path.relative_to(ROOT).parts[0]
    pattern, libraries = RULES[layer]
    allowed = re.compile(pattern.replace('FOLDER', re.escape(path.parent.relative_to(ROOT).as_posix())))
    for number, line in enumerate(path.read_text('utf-8').splitlines(), 1):
        include = INCLUDE.match(line)
        if not include:
            continue
        own, system = include.groups()
        if own and not allowed.fullmatch(own):
            yield f'{path.relative_to(ROOT)}:{number}: {layer} may not include "{own}"'
        elif system in LIBRARIES and system not in libraries:
            yield f'{path.relative_to(ROOT)}:{number}: {layer} may not include <{system}>'


def main():
    files = [path for layer in RULES for path in sorted((ROOT / layer).rglob('*')) if path.suffix in ('.c', '.h', '.re', '.y')]
    found = [text for path in files for text in complaints(path)]
    print('\n'.join(found) or f'{len(files)} files, every include points down')
    return 1 if found or not files else 0


if __name__ == '__main__':
    sys.exit(main())
