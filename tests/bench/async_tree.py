# A tree of tasks, six levels of six: by gather without waiting, by gather with sleeps at the leaves, by TaskGroup.
import asyncio
import time

LEVELS = BRANCHES = 6
TASKS = sum(BRANCHES ** i for i in range(1, LEVELS + 1))


async def plain():
    return 1


async def asleep():
    await asyncio.sleep(0.05)
    return 1


async def gathered(level, leaf):
    if level == 0:
        return await leaf()
    return sum(await asyncio.gather(*[gathered(level - 1, leaf) for _ in range(BRANCHES)]))


async def grouped(level, leaf):
    if level == 0:
        return await leaf()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(grouped(level - 1, leaf)) for _ in range(BRANCHES)]
    return sum(task.result() for task in tasks)


for name, tree, leaf in (('gather', gathered, plain), ('sleeps', gathered, asleep), ('group', grouped, plain)):
    start = time.perf_counter()
    assert asyncio.run(tree(LEVELS, leaf)) == BRANCHES ** LEVELS
    print(f'RESULT tree_{name}', (time.perf_counter() - start) * 1e9 / TASKS, 'ns/task')
