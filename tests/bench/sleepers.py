# heavy: a million tasks asleep at once
# They must end in the order of their deadlines; printed is the peak of resident memory, and the time for all of it.
import asyncio
import time

TASKS = 1_000_000
DISTINCT = 1000        # deadlines, a millisecond apart, given out scattered
FIRST = 10.0           # seconds until the first deadline: by then every task sleeps

ended = []


async def sleeper(deadline, clock):
    await asyncio.sleep(FIRST + deadline / 1000 - (time.perf_counter() - clock))
    ended.append(deadline)


def peak_megabytes():
    with open('/proc/self/status') as status:
        for line in status:
            if line.startswith('VmHWM:'):
                return int(line.split()[1]) / 1024


async def main():
    clock = time.perf_counter()
    tasks = [asyncio.create_task(sleeper(i * 7919 % DISTINCT, clock)) for i in range(TASKS)]
    await asyncio.sleep(0)
    asleep = time.perf_counter() - clock
    for task in tasks:
        await task
    late = time.perf_counter() - clock - max(FIRST + DISTINCT / 1000, asleep)
    assert len(ended) == TASKS
    # Only where all slept before the first deadline do the deadlines alone decide the order.
    order = 'in order' if ended == sorted(ended) else 'not in order' if asleep < FIRST else 'too slow for the deadlines'
    print('sleepers:', order)
    print('RESULT sleepers_start', asleep * 1e9 / TASKS, 'ns/task')
    print('RESULT sleepers_late', late, 's')
    print('RESULT sleepers_memory', peak_megabytes(), 'MB')


asyncio.run(main())
