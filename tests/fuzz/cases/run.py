"""Cases of ordinary and hostile data for one target, the same in asy and in CPython: made from their number alone.

run.py TARGET FIRST COUNT [show]

The module TARGET_cases has a list USES of functions: each takes a random.Random and returns a case, which is a function and its
arguments (a dict at the end holds keyword arguments). Case N is made by Random(N). A line `N result` is printed for each; the
result is a value as ascii() shows it, or the type and text of the exception. With `show`, each case is printed before it runs.
tests/fuzz/data.py runs many and compares; tests/script/robust/data.py runs a few of each target with the other scripts.
"""
import importlib
import random
import sys
import warnings
import zlib

KEPT = 300   # characters of a result; of more, the length and a checksum


def result(case):
    function, *arguments = case
    names = arguments.pop() if arguments and isinstance(arguments[-1], dict) else {}
    try:
        shown = ascii(function(*arguments, **names))
    except (RecursionError, MemoryError) as e:
        return type(e).__name__
    except Exception as e:
        text = str(e).replace('decimal.Decimal', 'Decimal')   # a class of a script has no module in messages
        shown = f'{type(e).__module__}.{type(e).__name__}: {ascii(text)}'
    return shown if len(shown) <= KEPT else f'{shown[:KEPT]}... {len(shown)} {zlib.crc32(shown.encode()):x}'


def described(case):
    function, *arguments = case
    return f'{function.__qualname__}({", ".join(ascii(a) for a in arguments)})'


def cases(target, first, count):
    """(number, case) of a target."""
    uses = importlib.import_module(target + '_cases').USES
    for number in range(first, first + count):
        r = random.Random(number)
        yield number, r.choice(uses)(r)


def main(target, first, count, show=''):
    warnings.simplefilter('ignore')
    for number, case in cases(target, int(first), int(count)):
        if show: print(number, described(case), flush=True)
        print(number, result(case), flush=bool(show))
    print('end')


if __name__ == '__main__':
    main(*sys.argv[1:])
