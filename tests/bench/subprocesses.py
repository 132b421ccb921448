# Two hundred processes, at most ten at a time, each with its output read.
import asyncio
import time

PROCESSES, AT_ONCE = 200, 10


async def main():
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(i):
        async with limit:
            process = await asyncio.create_subprocess_exec('/bin/echo', str(i), stdout=asyncio.subprocess.PIPE)
            output, _ = await process.communicate()
            assert output == b'%d\n' % i and process.returncode == 0

    start = time.perf_counter()
    await asyncio.gather(*[one(i) for i in range(PROCESSES)])
    print('RESULT subprocesses', (time.perf_counter() - start) * 1e6 / PROCESSES, 'us/process')


asyncio.run(main())
