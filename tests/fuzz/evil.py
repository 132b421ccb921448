#!/usr/bin/env python3
"""Evil callbacks: all the cases of evil_cases.py, a process for each kind of container and hook.

evil.py [--seconds N] [--jobs N] [--only TEXT] [--env NAME=value]... BINARY

The outcome of a case does not matter (any exception is fine), only that its process ends without a signal, a sanitizer
report or a hang. After a case that fails, the process is started again behind it. The closing line is `N passed, N failed`,
in cases.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import evil_cases

CASES = evil_cases.__file__
LIMIT = 60            # seconds for a process
RESTARTS = 8          # failures of one process, before the rest of its cases is left
CASE = re.compile(rb'^case (\d+) (.*)$', re.M)
END = re.compile(rb'^end (\d+)$', re.M)
REPORT = re.compile(rb'ERROR: AddressSanitizer|runtime error:|SUMMARY:')


def attempt(command, environment):
    """The status (None: over the limit), the output and the errors of a process."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=environment)
    try:
        output, errors = process.communicate(timeout=LIMIT)
        return process.returncode, output, errors
    except subprocess.TimeoutExpired:
        process.kill()
        output, errors = process.communicate()
        return None, output, errors


def run(binary, kind, hook, environment, end):
    """(passed, texts of failures) of a kind with a hook; None when the time is over."""
    first, passed, failures = 0, 0, []
    while len(failures) < RESTARTS:
        if time.monotonic() > end: return None
        status, output, errors = attempt([binary, CASES, kind, hook, str(first)], environment)
        started = CASE.findall(output)
        if status == 0 and END.search(output) and not REPORT.search(errors):
            return passed + len(started), failures
        number, text = started[-1] if started else (str(first).encode(), f'{kind} {hook}'.encode())
        lines = errors.decode('utf-8', 'backslashreplace').splitlines()
        at = next((i for i, line in enumerate(lines) if REPORT.search(line.encode())), max(0, len(lines) - 25))
        end_of_it = 'over the limit of time' if status is None else f'status {status}'
        failures.append(f'{CASES} {kind} {hook} {number.decode()}: {text.decode("utf-8", "backslashreplace")}: {end_of_it}\n'
                        + '\n'.join(lines[at:at + 25]))
        passed += max(0, len(started) - 1)
        first = int(number) + 1
        if not started or END.search(output): break
    return passed, failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--seconds', type=float, default=120)
    parser.add_argument('--jobs', type=int, default=os.cpu_count())
    parser.add_argument('--only', default='', help='kinds and hooks with this text in "KIND HOOK"')
    parser.add_argument('--env', action='append', default=[])
    parser.add_argument('binary')
    options = parser.parse_args()
    environment = {**os.environ, 'ASAN_OPTIONS': 'detect_stack_use_after_return=0:detect_leaks=0',
                   'UBSAN_OPTIONS': 'halt_on_error=1:print_stacktrace=1', **dict(e.split('=', 1) for e in options.env)}
    end, passed, failed, skipped = time.monotonic() + options.seconds, 0, 0, 0
    pairs = [(kind, hook) for kind in evil_cases.USES for hook in evil_cases.HOOKS if options.only in f'{kind} {hook}']
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        running = [pool.submit(run, os.path.abspath(options.binary), kind, hook, environment, end) for kind, hook in pairs]
        for done in concurrent.futures.as_completed(running):
            result = done.result()
            if result is None:
                skipped += 1
                continue
            passed += result[0]
            failed += len(result[1])
            for text in result[1]: print(text, flush=True)
    print(f'{passed} passed, {failed} failed' + (f', {skipped} groups skipped' if skipped else ''))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
