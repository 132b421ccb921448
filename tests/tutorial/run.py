#!/usr/bin/env python3
"""Run the programs of the asyncio tutorial, word for word, and check what they print: run.py [OPTIONS] ASY [ARG...]

The tutorial is a document beside the project (../shared/design/tutorial.md); without it this is skipped (status 77).
Each ```python block is a program; sample output after its line `# 输出结果` is not part of it. Checked are the order and the
values of what is printed, and that elapsed times are the longest sleep and not the sum.
"""
import argparse
import concurrent.futures
import pathlib
import re
import subprocess
import sys
import tempfile

DOCUMENT = pathlib.Path(__file__).resolve().parents[3] / 'shared/design/tutorial.md'
OUTPUT_FOLLOWS = '# 输出结果'

# What each block prints: lines to match exactly. {file} and {line} (of `async def do_some_work`) are filled in; the last
# line is the elapsed time, given here as the number of seconds slept.
EXPECTED = [
    (['Waiting:  2'], 0),
    (['<Task pending{name} coro=<do_some_work() running at {file}:{line}>>', 'Waiting:  2',
      '<Task finished{name} coro=<do_some_work() done, defined at {file}:{line}> result=None>'], 0),
    (['Waiting:  2', 'Callback:  Done after 2s'], 0),
    (['Waiting:  2', 'Done after 2s'], 0),
    (['Waiting:  4', 'Done after 4s'], 4),
    (['Waiting:  1', 'Waiting:  2', 'Waiting:  4', 'Done after 1s', 'Done after 2s', 'Done after 4s'], 4),
]


def programs(document):
    blocks = re.findall(r'^```python\n(.*?)^```$', document.read_text('utf-8'), re.MULTILINE | re.DOTALL)
    return [block.split(OUTPUT_FOLLOWS)[0] for block in blocks]


def check(index, program, folder, options):
    """The first thing that is wrong with one program, or None."""
    path = folder / f'{index + 1}.asy'
    path.write_text(program, 'utf-8')
    result = subprocess.run([*options.command, path], capture_output=True, text=True, encoding='utf-8', timeout=60)
    if result.returncode != 0:
        return f'exit status {result.returncode}\n{result.stdout}{result.stderr}'
    *lines, elapsed = result.stdout.splitlines() or ['']
    wanted, slept = EXPECTED[index]
    place = {'file': path, 'line': program[:program.index('async def do_some_work')].count('\n') + 1,
             'name': " name='Task-1'" if options.reference else ''}
    wanted = [line.format(**place) if line.startswith('<Task') else line for line in wanted]
    if lines != wanted:
        return 'expected\n' + '\n'.join(wanted) + '\nprinted\n' + '\n'.join(lines) + '\n' + result.stderr
    time = re.fullmatch(r'TIME:  (\d+\.\d+(?:e-\d+)?)', elapsed)
    if not time or not slept - 0.005 <= float(time[1]) <= slept + options.tolerance:
        return f'elapsed: expected {slept} s, at most {options.tolerance} s more; printed {elapsed!r}'
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--tolerance', type=float, default=0.5, help='seconds by which an elapsed time may be late')
    parser.add_argument('--block', type=int, help='only this program, counted from 1')
    parser.add_argument('--reference', action='store_true', help='the command is CPython, which names every task')
    parser.add_argument('command', nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if not DOCUMENT.exists():
        print('the tutorial does not lie beside the project')
        return 77
    blocks = programs(DOCUMENT)
    if len(blocks) != len(EXPECTED):
        print(f'the tutorial has {len(blocks)} programs, known are {len(EXPECTED)}')
        return 1
    chosen = [options.block - 1] if options.block else range(len(blocks))
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor() as pool:
        # They sleep most of the time, so all run at once.
        wrong = pool.map(lambda index: check(index, blocks[index], pathlib.Path(folder), options), chosen)
        failures = [f'program {index + 1}: {text}' for index, text in zip(chosen, wrong) if text]
    print('\n'.join(failures) or f'{len(chosen)} programs of the tutorial print what they should')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
