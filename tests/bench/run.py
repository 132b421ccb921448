#!/usr/bin/env python3
"""Time asy beside the other runtimes found on this machine: run.py [NAME...]

A benchmark is NAME.py, run unmodified by asy and each Python, with counterparts NAME.js and NAME.lua where there are any. It
measures its own inner part and prints lines `RESULT name value unit` (less is better). All runtimes take turns for
--rounds rounds, and the best of each counts: single times mean nothing on a shared machine. Two more, made here:
  startup    from exec to exit of an empty script (the Pythons with -I -S)
  compile    the front end on CPython's library (compile.py)
A file whose first line says `# heavy: why` runs only when named, and one round.
"""
import argparse
import ast
import glob
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
RESULT = re.compile(r'^RESULT\s+(\S+)\s+(\S+)\s+(\S+)', re.MULTILINE)
UVLOOP = 'import sys, runpy, uvloop; uvloop.install(); del sys.argv[0]; runpy.run_path(sys.argv[0], run_name="__main__")'
SPAWNS = 40


def works(command):
    try:
        return subprocess.run(command, capture_output=True, timeout=20).returncode == 0
    except OSError:
        return False


def first_working(candidates, *arguments):
    return next((c for c in candidates if c and works([c, *arguments])), None)


def python(version):
    """A CPython of this version: on the PATH, in /usr/bin, in pyenv."""
    check = f'import sys; sys.exit(sys.version_info[:2] != {version} or sys.implementation.name != "cpython")'
    name = '%d.%d' % version
    pyenv = sorted(glob.glob(os.path.expanduser(f'~/.pyenv/versions/{name}*/bin/python3')))
    return first_working([shutil.which(f'python{name}', path='/usr/bin:/usr/local/bin'), *pyenv, shutil.which('python3')],
                         '-c', check)


def peers(asy):
    """Rows (name, command, suffix of the programs it runs), asy first; only what is found here."""
    cpython313, cpython311 = python((3, 13)), python((3, 11))
    uvloop = first_working([cpython313, cpython311, '/usr/bin/python3'], '-c', 'import uvloop')
    rows = [
        ('asy', [asy], '.py'),
        ('cpython3.13', [cpython313], '.py'),
        ('cpython3.11', [cpython311], '.py'),
        ('uvloop', [uvloop, '-c', UVLOOP], '.py'),
        ('pypy3', [shutil.which('pypy3')], '.py'),
        ('node', [shutil.which('node')], '.js'),
        ('lua5.4', [shutil.which('lua5.4')], '.lua'),
        ('luajit', [shutil.which('luajit')], '.lua'),
        ('luajit-joff', [shutil.which('luajit'), '-joff'], '.lua'),
    ]
    return [row for row in rows if row[1][0]]


class Table:
    """Results by name, then by peer: the best of all rounds."""

    def __init__(self, columns):
        self.columns = columns
        self.rows = {}      # name -> (unit, {peer: value})
        self.failures = {}  # (file, peer) -> text

    def add(self, peer, name, value, unit):
        values = self.rows.setdefault(name, (unit, {}))[1]
        values[peer] = min(value, values.get(peer, value))

    def print(self):
        """Each value, and in brackets how many times asy's it is."""
        width = max([len(name) for name in self.rows] + [4])
        print(f'{"":{width}} {"unit":>12}' + ''.join(f'{column:>20}' for column in self.columns))
        for name, (unit, values) in self.rows.items():
            cells = []
            for column in self.columns:
                value, base = values.get(column), values.get(self.columns[0])
                ratio = f' ({value / base:.3g}x)' if value is not None and base and column != self.columns[0] else ''
                cells.append(f'{"-" if value is None else f"{value:.4g}" + ratio:>20}')
            print(f'{name:{width}} {unit:>12}' + ''.join(cells))
        for (name, peer), text in self.failures.items():
            print(f'failed: {name} on {peer}: {text}')


def run_program(table, peer, command, file, timeout):
    try:
        done = subprocess.run([*command, file], capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        table.failures[file.name, peer] = f'longer than {timeout} s'
        return
    for name, value, unit in RESULT.findall(done.stdout):
        table.add(peer, name, float(value), unit)
    if done.returncode != 0:
        last = (done.stderr.strip() or f'status {done.returncode}').splitlines()[-1]
        table.failures[file.name, peer] = last[:200]


def bench_programs(table, runtimes, names, options):
    for name in names:
        rounds = 1 if is_heavy(HERE / f'{name}.py') else options.rounds
        for _ in range(rounds):
            for peer, command, suffix in runtimes:
                file = HERE / f'{name}{suffix}'
                if file.exists() and (file.name, peer) not in table.failures:
                    run_program(table, peer, command, file, options.timeout)
        print('.', end='', file=sys.stderr, flush=True)
    print(file=sys.stderr)


def is_heavy(file):
    with open(file, encoding='utf-8') as program:
        return program.readline().startswith('# heavy:')


def bench_startup(table, runtimes):
    """From exec to exit of an empty script, in turns; the median too, since the best of many is a lucky one."""
    with tempfile.TemporaryDirectory() as folder:
        commands = []
        for peer, command, suffix in runtimes:
            if peer == 'uvloop':
                continue
            file = pathlib.Path(folder) / f'empty{suffix}'
            file.write_text('')
            isolated = ['-I', '-S'] if suffix == '.py' and peer != 'asy' else []
            commands.append((peer, [*command, *isolated, str(file)]))
        times = {peer: [] for peer, _ in commands}
        for _ in range(SPAWNS):
            for peer, command in commands:
                times[peer].append(spawn(command))
    for peer, values in times.items():
        table.add(peer, 'startup', min(values) * 1e3, 'ms')
        table.add(peer, 'startup_median', statistics.median(values) * 1e3, 'ms')


def spawn(command):
    start = time.perf_counter()
    process = os.posix_spawn(command[0], command, os.environ)
    status = os.waitpid(process, 0)[1]
    elapsed = time.perf_counter() - start
    if status != 0:
        raise SystemExit(f'{" ".join(command)}: status {status}')
    return elapsed


def bench_compile(table, asy, rounds):
    done = subprocess.run([sys.executable, HERE / 'compile.py', '--rounds', str(rounds), asy], capture_output=True, text=True)
    for peer, values in re.findall(r'^PEER (\S+) (\{.*\})$', done.stdout, re.MULTILINE):
        for name, (value, unit) in ast.literal_eval(values).items():
            table.add(peer, name, value, unit)
    if done.returncode != 0:
        table.failures['compile', 'asy'] = (done.stderr or done.stdout).strip()[-200:]


def main():
    programs = sorted(path.stem for path in HERE.glob('*.py') if path.stem not in ('run', 'compile'))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('names', nargs='*', metavar='NAME', help=f'of startup, compile, {", ".join(programs)}')
    parser.add_argument('--bin', default=str(HERE.parents[1] / 'build/release/asy'))
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--timeout', type=float, default=120, help='seconds for one program')
    parser.add_argument('--peers', help='only these, comma-separated')
    options = parser.parse_args()
    names = options.names or ['startup', 'compile'] + [n for n in programs if not is_heavy(HERE / f'{n}.py')]
    for name in names:
        if name not in [*programs, 'startup', 'compile']:
            parser.error(f'no benchmark is called {name}')
    runtimes = peers(os.path.abspath(options.bin))
    if options.peers:
        runtimes = [row for row in runtimes if row[0] in ('asy', *options.peers.split(','))]
    table = Table([row[0] for row in runtimes])
    if 'startup' in names:
        bench_startup(table, runtimes)
    if 'compile' in names:
        bench_compile(table, os.path.abspath(options.bin), min(options.rounds, 3))
    bench_programs(table, runtimes, [name for name in names if name in programs], options)
    table.print()
    return 1 if any(peer == 'asy' for _, peer in table.failures) else 0


if __name__ == '__main__':
    sys.exit(main())
