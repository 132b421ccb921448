#!/usr/bin/env python3
"""Front end against front end: the time to parse and compile the .py files of CPython's library, in turns.

compile.py [--rounds N] ASY    runs `ASY --parse-bench LISTFILE`, which prints seconds, and compile() in CPython 3.13
Reading the files is not timed on either side. Files that CPython refuses are left out.
"""
import argparse
import importlib.util
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent

# argv: a file with one path a line. Prints the paths compiled, then their total size and the seconds.
CPYTHON = '''
import gc, sys, time, tokenize, warnings
warnings.simplefilter("ignore")
sources = []
for name in open(sys.argv[1]).read().splitlines():
    try:
        with tokenize.open(name) as file:
            text = file.read()
        compile(text, name, "exec", dont_inherit=True)
        sources.append((name, text))
    except (SyntaxError, UnicodeDecodeError, ValueError, RecursionError, MemoryError):
        pass
start = time.perf_counter()
for name, text in sources:
    compile(text, name, "exec", dont_inherit=True)
elapsed = time.perf_counter() - start
if len(sys.argv) > 2:
    with open(sys.argv[2], "w") as out:
        out.writelines(name + "\\n" for name, _ in sources)
print(sum(len(text.encode("utf-8", "surrogatepass")) for _, text in sources), elapsed)
'''


def cpython313():
    spec = importlib.util.spec_from_file_location('bench_run', HERE / 'run.py')
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    return bench.python((3, 13))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('asy')
    parser.add_argument('--rounds', type=int, default=3)
    options = parser.parse_args()
    python = cpython313()
    if not python:
        print('no CPython 3.13 found')
        return 0
    where = subprocess.run([python, '-c', 'import os; print(os.path.dirname(os.__file__))'], capture_output=True, text=True)
    library = pathlib.Path(where.stdout.strip())
    files = [path for path in sorted(library.rglob('*.py')) if 'site-packages' not in path.parts]
    with tempfile.TemporaryDirectory() as folder:
        everything, accepted = pathlib.Path(folder) / 'all', pathlib.Path(folder) / 'accepted'
        everything.write_text(''.join(f'{path}\n' for path in files))
        subprocess.run([python, '-c', CPYTHON, everything, accepted], check=True, stdout=subprocess.DEVNULL)
        times = {'asy': [], 'cpython3.13': []}
        for _ in range(options.rounds):
            asy = subprocess.run([options.asy, '--parse-bench', accepted], capture_output=True, text=True)
            if asy.returncode != 0:
                print(asy.stderr, file=sys.stderr)
                return 1
            times['asy'].append(float(asy.stdout.split()[-1]))
            reference = subprocess.run([python, '-c', CPYTHON, accepted], capture_output=True, text=True, check=True)
            size, seconds = reference.stdout.split()
            times['cpython3.13'].append(float(seconds))
        count = len(accepted.read_text().splitlines())
    for peer, values in times.items():
        best = min(values)
        print(f'{peer}: {count} files, {int(size) / 1e6:.1f} MB in {best:.3f} s')
        print('PEER', peer, {'compile': (best * 1e9 / int(size), 'ns/byte')})
    return 0


if __name__ == '__main__':
    sys.exit(main())
