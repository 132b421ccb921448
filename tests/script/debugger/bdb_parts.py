# The parts of bdb that need no trace of lines.
import bdb
import pdb
import sys

base = bdb.Bdb(skip=['os', 'email.*'])
print(base.canonic('<string>'), base.canonic('/a/../b.py'), base.is_skipped_module('email.mime'), base.is_skipped_module('sys'),
      base.is_skipped_module(None))
print(issubclass(bdb.BdbQuit, Exception), pdb.bdb.BdbQuit is bdb.BdbQuit if hasattr(pdb, 'bdb') else True)


def fails(x):
    return 1 / x


try:
    fails(0)
except ZeroDivisionError as exc:
    stack, at = base.get_stack(None, exc.__traceback__)
    print([(frame.f_code.co_name, line) for frame, line in stack], at)
    print([base.format_stack_entry(entry).rpartition('/')[2] for entry in stack])
base.reset()
stack, at = base.get_stack(sys._getframe(), None)
print(len(stack), at)
