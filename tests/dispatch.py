#!/usr/bin/env python3
"""Count the dispatch jumps of the instruction loop in a build: dispatch.py BUILD_DIR

Each handler is to end in an indirect jump of its own, which the branch predictor learns apart from the others. A compiler (or a
flag) that merges them costs 10-20 % and shows nowhere else. Fails when the loop has fewer indirect jumps than the opcode table
has rows; skipped for builds that dispatch in another way or are not optimised.
"""
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
ROW = re.compile(r'^ +OP\((\w+),', re.MULTILINE)
JUMP = re.compile(r'\tjmp +\*|\tnotrack jmp +\*|\tbr\tx', re.MULTILINE)   # x86-64, arm64


def skipped(build):
    options = json.loads(subprocess.run(['meson', 'introspect', '--buildoptions', build], capture_output=True, text=True,
                                        check=True).stdout)
    values = {option['name']: option['value'] for option in options}
    if values.get('dispatch') != 'goto':
        return f'dispatch is {values.get("dispatch")}'
    if values.get('optimization') in ('0', 'g') or values.get('b_sanitize', 'none') != 'none':
        return 'not an optimised build'
    return None


def main(build):
    objects = list(pathlib.Path(build).glob('*.p/runtime_vm.c.o'))
    reason = skipped(build) if objects else f'no runtime/vm.c was compiled in {build}'
    if reason:
        print(reason)
        return 77
    rows = len(ROW.findall((ROOT / 'lang/opcode.h').read_text(encoding='utf-8')))
    code = subprocess.run(['objdump', '-d', '--no-show-raw-insn', objects[0]], capture_output=True, text=True, check=True).stdout
    jumps = len(JUMP.findall(code))
    print(f'{jumps} indirect jumps for {rows} instructions')
    if jumps >= rows:
        return 0
    print('dispatch was merged: see vm_args in meson.build')
    return 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
