#!/usr/bin/env python3
"""The scripts inside the binary are those of stdlib/, but for comments and private doc strings: embedded.py BINARY"""
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / 'stdlib'))
import embed   # noqa: E402 (the path comes first)

PRINT_SOURCES = '''
import importlib.machinery, json, sys
print(json.dumps({name: importlib.machinery.BuiltinImporter.get_source(name) for name in json.load(sys.stdin)}))
'''


def main(binary):
    paths = {embed.module_name(path)[0]: path for path in sorted((ROOT / 'stdlib').rglob('*.asy'))}
    run = subprocess.run([binary, '-c', PRINT_SOURCES], input=json.dumps(list(paths)), capture_output=True, text=True)
    if run.returncode:
        print(run.stderr)
        return 1
    sources = json.loads(run.stdout)
    wrong = [name for name, path in paths.items() if sources[name] != embed.stripped(path.read_text('utf-8'))]
    print(f'not as in stdlib: {", ".join(wrong)}' if wrong else f'{len(paths)} scripts come out as they went in')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
