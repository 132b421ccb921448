#!/usr/bin/env python3
"""Look at the symbols of every object file of a build: symbols.py BUILD_DIR

Fails when a file other than runtime/gate.c refers to a clock or a random source (all that is not deterministic goes through
the gate), and when any file defines writable data (no global state: everything hangs on an asy_vm).
"""
import pathlib
import re
import subprocess
import sys

GATE = re.compile(r'runtime_gate\.c\.o$')   # as Meson names the object

# What reads a clock or makes randomness, in libc and libuv. uv_update_time is allowed: it only refreshes what uv_now returns.
NOT_DETERMINISTIC = set('''
    clock clock_gettime clock_getres gettimeofday time times timespec_get ftime getrusage
    uv_hrtime uv_now uv_clock_gettime uv_gettimeofday uv_getrusage
    getrandom getentropy rand rand_r srand random random_r srandom initstate drand48 erand48 lrand48 mrand48 srand48
    arc4random arc4random_buf arc4random_uniform uv_random
'''.split())

# Writable data that may stay, each with its reason.
ALLOWED_DATA = {
    'receiver',   # runtime/signal.c: the VM that gets signals; a signal handler has no argument
    'raw_terminal',   # cli/repl.c: what a fatal signal puts back
}

WRITABLE = re.compile(r'^(\.data(?!\.rel\.ro)|\.bss|\.tdata|\.tbss|\*COM\*)')
# objdump -t: address, flags, section, size, [.hidden], name. Flag O is data, d a section's own symbol.
ROW = re.compile(r'^[0-9a-f]+ (.{7}) (\S+)\t([0-9a-f]+) +(?:\.hidden )?(\S+)$')


def complaints(path, symbols):
    for row in filter(None, map(ROW.match, symbols.splitlines())):
        flags, section, size, name = row.groups()
        bare = name.split('@')[0]
        if section == '*UND*' and bare in NOT_DETERMINISTIC and not GATE.search(path.name):
            yield f'{path.name}: calls {bare}, which only runtime/gate.c may'
        elif WRITABLE.match(section) and 'd' not in flags and int(size, 16) and bare not in ALLOWED_DATA:
            yield f'{path.name}: {bare} is writable global data ({section})'


def main(build):
    objects = sorted(path for path in pathlib.Path(build).glob('*.p/*.o') if not path.parent.name.startswith('test_'))
    if not objects:
        print(f'no object file of ours lies in {build}')
        return 77
    found = []
    for path in objects:
        listing = subprocess.run(['objdump', '-t', path], capture_output=True, text=True, check=True).stdout
        found += complaints(path, listing)
    print('\n'.join(found) or f'{len(objects)} object files: one gate, no global state')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
