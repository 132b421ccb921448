#!/usr/bin/env python3
"""Run the tests; closes with one line `N passed, N failed[, N skipped]`.

Kinds, each a function below that yields tests:
  unit      Criterion programs tests/unit/test_*.c, each Criterion test counted
  script    tests/script/**/*.asy or .py beside a .out with the expected stdout (and a .err, where stderr is compared too)
  errors    tests/errors/**/*.asy beside a .err with the exact message; the exit status must not be 0
  counters  the script tests of asyncio again, under tests/support/counted.asy: no task, timer, handle or descriptor is left
  dis       tests/dis/*.asy beside a .out with the output of `asy --dis FILE`
  packages  tests/packages/*.py: programs of Debian's Python packages, once `./dev packages` has fetched those; .out from CPython
  samples   samples/**/*.asy beside a .out; seconds after TIME may differ a little
  tutorial  the programs of the asyncio tutorial (tests/tutorial/run.py)
  cli       the command line, case by case (tests/cli/cases.py)
  repl      the prompt on a pseudo-terminal, point by point (tests/repl/points.py)
  layers, symbols, size, embedded, dispatch, corpus, docs, conformance    tests/layers.py, tests/symbols.py, tests/size.py ...

A name that begins with _ and a folder with an __init__ belong to the test that imports them. The first comment lines of a
script say how it is run:
  # exit: 1            the expected exit status, when not 0
  # args: a "b c"      arguments
  # options: --seed 1  options of asy
  # env: NAME=value    an environment variable
  # timeout: 60        seconds, when the default does not fit
  # slow: why          left out by --quick (sanitizers and the stressed collector use it)
  # forks: why         children are forked beside threads: skipped with sanitizers, since no fork respects their allocator's locks
  # leaves: what       left behind by its loops on purpose: the kind counters compares it
  # differs: why       asy differs from CPython on purpose: tests/regen.py leaves it alone
A script that ends with status 77 cannot run here: it is skipped, and its stderr says why.
"""
import argparse
import concurrent.futures
import dataclasses
import difflib
import functools
import os
import pathlib
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import typing

ROOT = pathlib.Path(__file__).resolve().parent.parent
DIFF_LINES = 60          # of a failure's diff, before it is cut
SKIPPED = 77             # the status of a script or tool that cannot run here, and says why on stderr
OUTPUT_LIMIT = 16 << 20  # bytes a test may write to a file before a signal ends it


class Skipped(Exception):
    """The test cannot run here; the text says why."""


@dataclasses.dataclass
class Test:
    name: str
    run: typing.Callable    # () -> None when passed, else the text to show; may raise Skipped
    counts: bool = False    # run() returns a list of (name, failure or None) instead: one for each test inside


# --- Processes and comparison ----------------------------------------------------------------------------------------

@dataclasses.dataclass
class Result:
    stdout: str
    stderr: str
    status: int | None      # None: the time limit was passed; negative: a signal


def execute(command, options, timeout=None, env=()):
    """Run a command in the root of the project; paths below the root are printed relative to it."""
    environment = {**os.environ, **dict(options.env), **dict(env), 'PYTHONIOENCODING': 'utf-8'}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        # A session of its own, so that what the command started ends with it.
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                   start_new_session=True)
        try:
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (OUTPUT_LIMIT, OUTPUT_LIMIT))
            status = process.wait(timeout or options.timeout)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
        out.seek(0)
        err.seek(0)
        return Result(clean(out.read()), clean(err.read()), status)


# What says nothing about a program: addresses of objects, and lines of the library's own scripts.
NOISE = re.compile(r'(?<= at 0x)[0-9a-f]{6,}|(?<="<asy>/)([^"]+", line )\d+')


def clean(output):
    text = output.decode('utf-8', 'backslashreplace').replace(f'{ROOT}/', '')
    return NOISE.sub(lambda found: f'{found[1] or ""}_', text)


def read(path):
    return clean(path.read_bytes())


def difference(expected, actual, name):
    """A unified diff, or None where the texts are the same."""
    if expected == actual:
        return None
    lines = list(difflib.unified_diff(expected.splitlines(), actual.splitlines(), f'{name} expected', f'{name} printed',
                                      lineterm='', n=2))
    if len(lines) > DIFF_LINES:
        lines[DIFF_LINES:] = [f'... {len(lines) - DIFF_LINES} more lines']
    return '\n'.join(lines or ['they differ in the end of the last line only'])


def status_text(status):
    if status is None:
        return 'did not end in time'
    return f'killed by signal {-status}' if status < 0 else f'exit status {status}'


def report(result, expected_status, *differences):
    """What is wrong with a result, or None."""
    wrong = [text for text in differences if text]
    if result.status != expected_status:
        wrong.insert(0, f'{status_text(result.status)}, expected {status_text(expected_status)}')
    if wrong and result.stderr and not any('stderr' in text for text in wrong):
        wrong.append('stderr:\n' + '\n'.join(result.stderr.splitlines()[-25:]))
    return '\n'.join(wrong) or None


# --- Scripts and what stands beside them -----------------------------------------------------------------------------

def scripts(folder, suffixes=('.asy',)):
    """The tests below a folder, without the modules they import."""
    for path in sorted(folder.rglob('*')):
        inner = path.relative_to(folder).parts
        if path.suffix not in suffixes or any(part.startswith('_') for part in inner):
            continue
        if not any((path.parent / f'__init__{suffix}').exists() for suffix in suffixes):
            yield path


@functools.cache
def has_sanitizer(binary):
    return b'__asan_init' in pathlib.Path(binary).read_bytes()


def directives(path):
    """The `# name: value` comments before the first other line, as a dictionary; a .status file gives `exit`."""
    found = {}
    with open(path, 'rb') as file:
        for line in file:
            text = line.decode('utf-8', 'replace').strip()
            if text and not text.startswith('#'):
                break
            match = re.fullmatch(r'#\s*(exit|args|options|env|timeout|slow|forks|differs|leaves):\s*(.+)', text)
            if match:
                found[match[1]] = match[2]
    if path.with_suffix('.status').exists():
        found['exit'] = path.with_suffix('.status').read_text()
    return found


def relative(path):
    return str(path.relative_to(ROOT))


def run_script(path, options, *flags):
    """Run a script as its directives say; where --outputs asks for it, keep what it printed, without elapsed times."""
    said = directives(path)
    if 'forks' in said and has_sanitizer(options.bin[0]):
        raise Skipped('a child may wait for ever for a lock of the sanitizer')
    command = [*options.bin, *shlex.split(said.get('options', '')), *flags, relative(path), *shlex.split(said.get('args', ''))]
    env = [said['env'].split('=', 1)] if 'env' in said else []
    result = execute(command, options, timeout=float(said['timeout']) if 'timeout' in said else None, env=env)
    if options.outputs:
        target = options.outputs / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        for suffix, text in (('.out', result.stdout), ('.err', result.stderr), ('.status', status_text(result.status))):
            pathlib.Path(f'{target}{suffix}').write_text(TIME.sub(r'\1_', text), 'utf-8')
    return result


def compared(path, options, *flags, status=None, times=None):
    """Run a script and compare what stands beside it: .out with stdout, .err with stderr."""
    beside = {'stdout': path.with_suffix('.out'), 'stderr': path.with_suffix('.err')}
    if not any(file.exists() for file in beside.values()):
        return f'neither {beside["stdout"].name} nor {beside["stderr"].name} stands beside it'
    result = run_script(path, options, *flags)
    if result.status == SKIPPED and 'exit' not in directives(path):
        raise Skipped(result.stderr.strip())
    wrong = []
    for stream, file in beside.items():
        if file.exists():
            expected, actual = read(file), getattr(result, stream)
            if times:
                wrong.append(times(expected, actual, options.tolerance))
                expected, actual = TIME.sub(r'\1_', expected), TIME.sub(r'\1_', actual)
            wrong.append(difference(expected, actual, stream))
    if status is None:
        status = int(directives(path).get('exit', 0))
    if status == 'failure':
        status = result.status if result.status is not None and result.status > 0 else 1
    return report(result, status, *wrong)


TIME = re.compile(r'\b(TIME: +)(\d+(?:\.\d+)?(?:e-?\d+)?)')


def times_close(expected, actual, tolerance):
    """Elapsed times may be longer than expected by the tolerance: the machine is shared."""
    pairs = zip(TIME.finditer(expected), TIME.finditer(actual))
    late = [f'{b[0]} is not within {tolerance} s after {a[0]}' for a, b in pairs
            if not -0.05 <= float(b[2]) - float(a[2]) <= tolerance]
    return '\n'.join(late)


# --- The kinds -------------------------------------------------------------------------------------------------------

def script_tests(folder, options, suffixes=('.asy',), flags=(), **how):
    for path in scripts(ROOT / folder, suffixes):
        slow = 'slow' in directives(path)
        if slow and not options.quick or not slow and not options.slow:
            yield Test(relative(path), lambda path=path: compared(path, options, *flags, **how))


def unit(options):
    build = pathlib.Path(options.bin[0]).parent
    for source in sorted((ROOT / 'tests/unit').glob('test_*.c')):
        yield Test(relative(source), lambda source=source: criterion(build, build / source.stem, options), counts=True)


CASE = re.compile(r'^(ok|not ok) - (\S+)(.*)')


def criterion(build, program, options):
    """Run a Criterion program and read its TAP report: a list of (test, failure or None)."""
    if not (build / 'build.ninja').exists():
        raise Skipped('the binary does not lie in a build directory')
    if not program.exists():
        return [('build', f'{program.name} was not built')]
    with tempfile.NamedTemporaryFile() as tap:
        command = [program, f'--tap={tap.name}', '-j1', f'--timeout={options.timeout:g}']
        result = execute(command, options, timeout=options.timeout * 4)
        lines = pathlib.Path(tap.name).read_text('utf-8', 'replace').splitlines()
    found, planned = [], None
    for line in lines:
        plan, case = re.match(r'^1\.\.(\d+)$', line), CASE.match(line)
        if plan:
            planned = int(plan[1])
        elif case:
            failed = case[1] == 'not ok' and '# SKIP' not in case[3]
            found.append([case[2], f'failed{case[3]}' if failed else None])
        elif found and found[-1][1]:
            found[-1][1] += f'\n{line}'
    failures = [case for case in found if case[1]]
    if not planned or len(found) < planned or (result.status != 0 and not failures):
        failures.append(['all', f'{len(found)} of {planned} tests reported; {status_text(result.status)}'])
        found.append(failures[-1])
    # What a sanitizer or an assertion wrote, without Criterion's own log.
    written = [line for line in result.stderr.splitlines() if not line.startswith('[')]
    if failures and written:
        failures[-1][1] += '\n' + '\n'.join(written[-40:])
    return found


def tool(options, script, *arguments):
    """A test that is a program of its own: its output is shown when it fails, status 77 is skipped."""
    def run():
        result = execute([sys.executable, ROOT / script, *arguments], options, timeout=options.timeout * 6)
        text = result.stdout + result.stderr
        if result.status == SKIPPED:
            raise Skipped(text.strip())
        return None if result.status == 0 else f'{status_text(result.status)}\n{text.rstrip()}'
    return Test(script, run)


def counters(options):
    """What the loops of a script and its process have left behind: the last line of stderr; the rest was compared before."""
    def check(path):
        result = run_script(path, options, 'tests/support/counted.asy')
        last = result.stderr.strip().rpartition('\n')[2]
        return None if last == f'left behind: {directives(path).get("leaves", "nothing")}' else f'{status_text(result.status)}\n{last}'
    for folder in 'async', 'asyncio_api', 'asyncio_defects', 'deadlock', 'net', 'signal', 'subprocess':
        for path in scripts(ROOT / 'tests/script' / folder):
            if not options.slow:
                yield Test(f'counters {relative(path)}', functools.partial(check, path))


def packages(options):
    """Programs of packages as Debian has them, unmodified: `./dev packages` fetches those."""
    root = ROOT / 'build/packages'

    def check(path):
        if not (root / 'unpacked').exists():
            raise Skipped('no packages: ./dev packages')
        return compared(path, found)
    found = argparse.Namespace(**vars(options))
    found.env = [*options.env, ['ASYPATH', str(root / 'usr/lib/python3/dist-packages')]]
    for path in scripts(ROOT / 'tests/packages', ('.py',)):
        yield Test(relative(path), functools.partial(check, path))


def tutorial(options):
    arguments = ['--tolerance', str(max(0.5, options.tolerance))]
    for block in '123456':
        test = tool(options, 'tests/tutorial/run.py', '--block', block, *arguments, *options.bin)
        yield Test(f'{test.name} {block}', test.run)


def cli(options):
    sys.path.insert(0, str(ROOT / 'tests/cli'))
    import cases
    for name in cases.CASES:
        yield Test(f'cli/{name}', functools.partial(cases.check, name, options.bin))


def repl(options):
    sys.path.insert(0, str(ROOT / 'tests/repl'))
    import points
    command = [os.path.abspath(options.bin[0]), *options.bin[1:]]
    for name in points.POINTS:
        yield Test(f'repl/{name}', functools.partial(points.check, name, command))


KINDS = {
    'layers': lambda options: [tool(options, 'tests/layers.py')],
    'symbols': lambda options: [tool(options, 'tests/symbols.py', str(pathlib.Path(options.bin[0]).parent))],
    'size': lambda options: [tool(options, 'tests/size.py', options.bin[0])],
    'embedded': lambda options: [tool(options, 'tests/embedded.py', options.bin[0])],
    'dispatch': lambda options: [tool(options, 'tests/dispatch.py', str(pathlib.Path(options.bin[0]).parent))],
    'tutorial': tutorial,
    'unit': unit,
    'script': lambda options: script_tests('tests/script', options, ('.asy', '.py')),
    'packages': packages,
    'counters': counters,
    'errors': lambda options: script_tests('tests/errors', options, status='failure'),
    'dis': lambda options: script_tests('tests/dis', options, flags=['--dis']),
    'samples': lambda options: script_tests('samples', options, times=times_close),
    'corpus': lambda options: [tool(options, 'tests/corpus.py', options.bin[0])],
    'cli': cli,
    'repl': repl,
    'docs': lambda options: [tool(options, 'tests/docs.py', *options.bin)],
    'conformance': lambda options: [Test(f'tests/conformance.py {group}', tool(options, 'tests/conformance.py', options.bin[0], group).run)
                                    for group in ('lang', 'builtins')],
}


# --- Running them ----------------------------------------------------------------------------------------------------

def outcome(test):
    """A list of (name, 'passed' | 'failed' | 'skipped', text)."""
    try:
        found = test.run()
    except Skipped as why:
        return [(test.name, 'skipped', str(why))]
    except Exception as error:      # a broken test is a failed test, never the end of the run
        found = f'{type(error).__name__}: {error}'
        if test.counts:
            found = [('run', found)]
    cases = [(f'{test.name} {name}', text) for name, text in found] if test.counts else [(test.name, found)]
    return [(name, 'failed' if text else 'passed', text) for name, text in cases]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--bin', default=str(ROOT / 'build/release/asy'), help='the asy to test (build/release/asy)')
    parser.add_argument('--kind', help=f'comma-separated, of {",".join(KINDS)}; all when not given')
    parser.add_argument('--filter', default='', help='only tests whose name contains this')
    parser.add_argument('--env', action='append', default=[], metavar='K=V', help='set in each test process')
    parser.add_argument('--jobs', type=int, default=2)
    parser.add_argument('--timeout', type=float, default=20, help='seconds for one test')
    parser.add_argument('--tolerance', type=float, default=0.3, help='seconds by which an elapsed TIME may be late')
    parser.add_argument('--quick', action='store_true', help='leave out scripts marked # slow')
    parser.add_argument('--slow', action='store_true', help='only scripts marked # slow')
    parser.add_argument('--outputs', type=pathlib.Path, help='write what each script printed below this folder')
    parser.add_argument('--verbose', action='store_true', help='name each test, with skips and their reason')
    options = parser.parse_args()
    program, *rest = shlex.split(options.bin)
    options.bin = [os.path.abspath(shutil.which(program) or program), *rest]
    options.env = [pair.split('=', 1) for pair in options.env]
    kinds = options.kind.split(',') if options.kind else list(KINDS)
    for kind in kinds:
        if kind not in KINDS:
            parser.error(f'no kind is called {kind}')
    return options, kinds


def main():
    sys.stdout.reconfigure(encoding='utf-8', errors='backslashreplace')
    signal.signal(signal.SIGINT, signal.default_int_handler)   # in the background a shell has it ignored, and so would the programs
    options, kinds = arguments()
    if not os.access(options.bin[0], os.X_OK):
        print(f'{options.bin[0]} cannot be run\n0 passed, 1 failed')
        return 1
    tests = [test for kind in kinds for test in KINDS[kind](options) if options.filter in test.name]
    count = {'passed': 0, 'failed': 0, 'skipped': 0}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for cases in pool.map(outcome, tests):
            for name, how, text in cases:
                count[how] += 1
                if how == 'failed' or options.verbose:
                    print(f'--- {how}: {name}' + (f'\n{text}' if text else ''), flush=True)
    skipped = f', {count["skipped"]} skipped' if count['skipped'] else ''
    print(f'{count["passed"]} passed, {count["failed"]} failed{skipped}')
    return 1 if count['failed'] or not count['passed'] else 0


if __name__ == '__main__':
    sys.exit(main())
