# Tasks that meet: a queue, a lock and a semaphore that are fought over, an event, an async generator.
import asyncio
import time

ITEMS = 300_000
ROUNDS = 100_000
WORKERS = 10


def report(name, start, n, unit):
    print('RESULT', name, (time.perf_counter() - start) * 1e9 / n, unit)


async def produce(queue):
    for i in range(ITEMS):
        await queue.put(i)
    await queue.put(None)


async def consume(queue):
    total = 0
    while (item := await queue.get()) is not None:
        total += item
    return total


async def fight(gate, rounds):
    for _ in range(rounds):
        async with gate:
            await asyncio.sleep(0)


async def numbers(n):
    for i in range(n):
        yield i


async def main():
    for size in 0, 100:
        queue = asyncio.Queue(size)
        start = time.perf_counter()
        producer = asyncio.create_task(produce(queue))
        assert await consume(queue) == ITEMS * (ITEMS - 1) // 2
        await producer
        report(f'queue_{size}', start, ITEMS, 'ns/item')

    for name, gate in ('lock', asyncio.Lock()), ('semaphore', asyncio.Semaphore(3)):
        start = time.perf_counter()
        await asyncio.gather(*[fight(gate, ROUNDS // WORKERS) for _ in range(WORKERS)])
        report(name, start, ROUNDS, 'ns/round')

    lock = asyncio.Lock()
    start = time.perf_counter()
    for _ in range(ROUNDS):
        async with lock:
            pass
    report('lock_free', start, ROUNDS, 'ns/round')

    start = time.perf_counter()
    total = 0
    async for i in numbers(ITEMS):
        total += i
    report('async_generator', start, ITEMS, 'ns/item')


asyncio.run(main())
