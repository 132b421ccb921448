# Task switches: 1,000 tasks that give way to each other.
import asyncio
import time

TASKS = 1000
TURNS = 200


async def spin():
    for _ in range(TURNS):
        await asyncio.sleep(0)


async def main():
    tasks = [asyncio.create_task(spin()) for _ in range(TASKS)]
    await asyncio.sleep(0)
    start = time.perf_counter()
    await asyncio.gather(*tasks)
    print('RESULT switch', (time.perf_counter() - start) * 1e9 / (TASKS * TURNS), 'ns/switch')


asyncio.run(main())
