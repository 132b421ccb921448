# More decorators, annotations and keyword defaults than a frame has registers.
def deco(n):
    def d(f):
        log.append(n); return f
    made.append(n)
    return d
log, made = [], []
src = ''.join(f'@deco({i})\n' for i in range(300)) + 'def f(' + ', '.join(f'a{i}: int' for i in range(100)) + ', *, ' + ', '.join(f'k{i}: "k{i}" = {i}' for i in range(100)) + ') -> str: return a99, k99\n'
exec(src)
print(made == list(range(300)), log == made[::-1], len(f.__annotations__), list(f.__annotations__)[-3:], f.__kwdefaults__['k99'], f(*range(100)))
log.clear()
exec(''.join(f'@deco({i})\n' for i in range(20)) + 'class C[T]: pass\n')
print(C, log)
log.clear()
exec(''.join(f'@deco({i})\n' for i in range(20)) + 'def g[T](x: T, *, y=1): return x\n')
print(g(3), log, g.__annotations__, g.__kwdefaults__)
async def h():
    @deco(1)
    @deco(2)
    async def k(): return 5
    return await k()
import asyncio; print(asyncio.run(h()))
