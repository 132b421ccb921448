# The lines of the first block of a text, token by token.
import inspect, tokenize, io
for src in 'def f():\n    x = 1\n    # c\n\n    return x\n\ny = 2\n', '@deco\n@deco2(1,\n  2)\nclass C:\n    a = 1\n    def g(self):\n        pass\n# after\nz = 1\n', 'x = lambda a: (a,\n  1)\ny = 1\n', 'a = [1,\n 2]\nb = 2\n', 'async def f():\n    await x\n    # tail\n# out\nq = 3\n', 'if x:\n    y\nelse:\n    z\nw\n', 'lambda: 5\ndef f(): pass\n', '    assert a == (1,\n        2)\n    b\n':
    b = inspect.BlockFinder(); b.started = src[0].isspace()
    try:
        for tok in tokenize.generate_tokens(io.StringIO(src).readline): b.tokeneater(*tok)
        print('none', b.last)
    except (inspect.EndOfBlock, IndentationError) as e: print(type(e).__name__, b.last, b.indent)
