# aiofiles, async_timeout, asgiref.
import asyncio, aiofiles, async_timeout, tempfile, os, asgiref.sync


async def main():
    p = tempfile.mktemp()
    async with aiofiles.open(p, 'w') as f:
        await f.write('a\nb\n')
    async with aiofiles.open(p) as f:
        print([l async for l in f])
    os.unlink(p)
    try:
        async with async_timeout.timeout(0.01):
            await asyncio.sleep(1)
    except asyncio.TimeoutError:
        print('timeout')
    print(await asgiref.sync.sync_to_async(lambda x: x + 1)(4))


asyncio.run(main())
print(asgiref.sync.async_to_sync(asyncio.sleep)(0.001, 'r'))
