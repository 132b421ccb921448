#!/usr/bin/env python3
"""The program, stripped, with the whole standard library inside, takes less than two megabytes (of 10^6 bytes): size.py BINARY

Only the release build is meant; others are left out (exit status 77). Where the bytes are: `size -A`, `nm -S --size-sort`.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

LIMIT = 2_000_000
RELEASE = {'buildtype': 'release', 'optimization': '2', 'b_sanitize': 'none', 'hostile': False, 'dispatch': 'goto'}


def is_release(build):
    rows = json.loads((build / 'meson-info/intro-buildoptions.json').read_text())
    options = {row['name']: row['value'] for row in rows}
    return all(options[name] == value for name, value in RELEASE.items())


def main(binary):
    binary = pathlib.Path(binary)
    if not (binary.parent / 'meson-info').exists() or not is_release(binary.parent):
        print(f'{binary} is not a release build')
        return 77
    with tempfile.TemporaryDirectory() as folder:
        stripped = pathlib.Path(folder, 'asy')
        subprocess.run(['strip', '-o', stripped, binary], check=True)
        length = stripped.stat().st_size
    print(f'{length:,} bytes stripped, of less than {LIMIT:,}')
    return 1 if length >= LIMIT else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
