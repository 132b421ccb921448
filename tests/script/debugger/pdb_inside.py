# The debugger called from a program: set_trace(), breakpoint(), post_mortem(), run(), runcall().
import io
import pdb
import sys


def ask(*lines):
    out = io.StringIO()
    debugger = pdb.Pdb(stdin=io.StringIO('\n'.join(lines) + '\n'), stdout=out, nosigint=True, readrc=False)
    return debugger, lambda: print(out.getvalue().replace(__file__, 'FILE'))


def stop(n):
    debugger, show = ask('n', 'p n', 'n = 7', 'n', 'w 5', 'c')
    debugger.set_trace()
    n += 1
    total = n * 2
    show()
    return total


print(stop(1))


def fails(value):
    local = value
    return 1 / local


try:
    fails(0)
except ZeroDivisionError as error:
    debugger, show = ask('p local', 'u', 'q')
    try:
        debugger.reset()
        debugger.interaction(None, error.__traceback__)
    finally:
        show()

debugger, show = ask('s', 's', 'p value', 'c')
try:
    debugger.runcall(fails, 4)
finally:
    show()
debugger, show = ask('n', 'p x', 'c')
debugger.run('x = 1\ny = x + 1\n', {})
show()
debugger, show = ask('s', 'q')
print(debugger.runeval('stop.__name__ + "!"'))
show()

sys.breakpointhook = lambda *args, **names: print('hook', args, names)
breakpoint(1, header='x')
try:
    pdb.post_mortem()
except ValueError as error:
    print(error)
print(sys.gettrace())
