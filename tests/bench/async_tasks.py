# The life of tasks in numbers: made and finished, with callbacks, cancelled, and timers that never fire.
import asyncio
import time

TASKS = 200_000
TIMERS = CANCELLED = 100_000


async def one(x):
    return x


async def sleeper():
    await asyncio.sleep(1000)


def report(name, start, n, unit):
    print('RESULT', name, (time.perf_counter() - start) * 1e9 / n, unit)


async def main():
    start = time.perf_counter()
    tasks = [asyncio.create_task(one(i)) for i in range(TASKS)]
    for task in tasks:
        await task
    report('task_create', start, TASKS, 'ns/task')
    del tasks

    loop = asyncio.get_running_loop()
    called = []
    start = time.perf_counter()
    for i in range(TASKS):
        future = loop.create_future()
        future.add_done_callback(called.append)
        future.set_result(i)
        if i % 1000 == 0:
            await asyncio.sleep(0)
    await asyncio.sleep(0)
    report('task_callback', start, TASKS, 'ns/callback')
    assert len(called) == TASKS
    del called

    start = time.perf_counter()
    timers = [loop.call_later(1000 + i * 7919 % 1000, one, i) for i in range(TIMERS)]
    for timer in timers:
        timer.cancel()
    report('task_timer', start, TIMERS, 'ns/timer')
    del timers

    start = time.perf_counter()
    tasks = [asyncio.create_task(sleeper()) for _ in range(CANCELLED)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    report('task_cancel', start, CANCELLED, 'ns/task')


asyncio.run(main())
