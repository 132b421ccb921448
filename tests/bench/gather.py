# A task's whole life: made, run and finished in gather, 1,000 at once.
import asyncio
import time

AT_ONCE = 1000
ROUNDS = 50


async def work(x):
    return x


async def main():
    start = time.perf_counter()
    for _ in range(ROUNDS):
        results = await asyncio.gather(*[work(i) for i in range(AT_ONCE)])
    elapsed = time.perf_counter() - start
    assert results[-1] == AT_ONCE - 1
    print('RESULT gather', elapsed * 1e9 / (AT_ONCE * ROUNDS), 'ns/task')


asyncio.run(main())
