# One sleep(0) of a task that awaits at depth 1, 100 and 10,000: resuming must not walk the chain.
import asyncio
import sys
import time

sys.setrecursionlimit(100_000)
SECONDS = 0.15   # about, for each measurement


async def sleep_often(count):
    start = time.perf_counter()
    for _ in range(count):
        await asyncio.sleep(0)
    return (time.perf_counter() - start) / count


async def nested(depth, count):
    if depth > 1:
        return await nested(depth - 1, count)
    return await sleep_often(count)


async def main():
    for depth in (1, 100, 10_000):
        seconds = await nested(depth, 20)                        # finds out how many there is time for
        count = max(20, min(200_000, int(SECONDS / seconds)))
        seconds = min([await nested(depth, count) for _ in range(3)])
        print('RESULT', 'await_depth_' + str(depth), seconds * 1e9, 'ns/sleep(0)')


asyncio.run(main())
