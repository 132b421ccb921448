# heavy: a million tasks that wait for one future: time to start and to wake them, and the peak of resident memory
import asyncio
import time

TASKS = 1_000_000


async def waiter(future):
    return await future


def peak_megabytes():
    with open('/proc/self/status') as status:
        for line in status:
            if line.startswith('VmHWM:'):
                return int(line.split()[1]) / 1024


async def main():
    start = time.perf_counter()
    future = asyncio.get_running_loop().create_future()
    tasks = [asyncio.create_task(waiter(future)) for _ in range(TASKS)]
    await asyncio.sleep(0)
    future.set_result(1)
    total = 0
    for task in tasks:
        total += await task
    assert total == TASKS
    print('RESULT one_future', (time.perf_counter() - start) * 1e9 / TASKS, 'ns/task')
    print('RESULT one_future_memory', peak_megabytes(), 'MB')


asyncio.run(main())
