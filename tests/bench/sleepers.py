# heavy: a million tasks asleep at once
# They must end in the order of their deadlines; printed is the peak of resident memory, and the time for all of it.
import asyncio
import time

TASKS = 1_000_000
GROUPS = 4             # of tasks, by number; each sleeps SPACE seconds longer than the one before
FIRST, SPACE = 4, 3    # seconds; SPACE is longer than it takes to start all tasks

ended = []


async def sleeper(number, delay):
    await asyncio.sleep(delay)
    ended.append(number)


def peak_megabytes():
    with open('/proc/self/status') as status:
        for line in status:
            if line.startswith('VmHWM:'):
                return int(line.split()[1]) / 1024


async def main():
    clock = time.perf_counter()
    tasks = [asyncio.create_task(sleeper(i, FIRST + i * 7919 % GROUPS * SPACE)) for i in range(TASKS)]
    await asyncio.sleep(0)
    asleep = time.perf_counter() - clock
    for task in tasks:
        await task
    late = time.perf_counter() - clock - (FIRST + (GROUPS - 1) * SPACE)
    print('RESULT sleepers_start', asleep * 1e9 / TASKS, 'ns/task')
    print('RESULT sleepers_late', late, 's')
    print('RESULT sleepers_memory', peak_megabytes(), 'MB')
    assert len(ended) == TASKS
    # In a group, whoever slept first has the earlier deadline.
    order = [i for group in range(GROUPS) for i in range(TASKS) if i * 7919 % GROUPS == group]
    print('sleepers:', 'in order' if ended == order else 'not in order' if asleep < SPACE else 'too slow for the deadlines')


asyncio.run(main())
