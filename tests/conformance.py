#!/usr/bin/env python3
"""CPython's own tests of the language and the built-in types: what passed once must pass: conformance.py BIN [GROUP ..]

tests/conformance/GROUP.ratchet lists the tests of a group that pass. They are run by the conformance kit (../shared/conformance, or
the folder in ASY_CONFORMANCE) on the test files that Debian brings as libpython3.11-testsuite; without either this is skipped with
exit status 77.

    conformance.py --update BIN     adds what passes now to the lists
"""
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent / 'conformance'
KIT = pathlib.Path(os.environ.get('ASY_CONFORMANCE') or HERE.parent.parent.parent / 'shared/conformance') / 'conform'
TESTS = pathlib.Path('/usr/lib/python3.11/test/test_grammar.py')


def run(binary, group, ratchet, option):
    return subprocess.run([sys.executable, KIT, '--bin', binary, '--mode', 'shim', '--suite', 'cpython', '--only', f'{group}/*', '-j', '2',
                           '--stall', '30', option, ratchet]).returncode


def main():
    arguments = sys.argv[1:]
    update = arguments[:1] == ['--update']
    binary, *groups = arguments[update:]
    for need in KIT, TESTS:
        if not need.exists():
            print(f'skipped: {need} is not there')
            return 77
    lists = [HERE / f'{group}.ratchet' for group in groups] or sorted(HERE.glob('*.ratchet'))
    option = '--ratchet-update' if update else '--ratchet'
    return max(run(os.path.abspath(binary), path.stem, path, option) for path in lists)


if __name__ == '__main__':
    sys.exit(main())
