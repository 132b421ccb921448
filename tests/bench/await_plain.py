# await of a coroutine that does not wait: in the end, a call.
import asyncio
import time

N = 500_000


async def plain(x):
    return x


async def main():
    total = 0
    start = time.perf_counter()
    for i in range(N):
        total += await plain(i)
    elapsed = time.perf_counter() - start
    assert total == N * (N - 1) // 2
    print('RESULT await_plain', elapsed * 1e9 / N, 'ns/await')


asyncio.run(main())
