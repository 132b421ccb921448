# anyio: task groups, streams, threads, processes, sockets.
import anyio


async def main():
    async with anyio.create_task_group() as tg:
        send, recv = anyio.create_memory_object_stream(2)

        async def producer():
            async with send:
                for i in range(3):
                    await send.send(i)
        tg.start_soon(producer)
        async with recv:
            print([x async for x in recv])
    with anyio.move_on_after(0.01) as s:
        await anyio.sleep(5)
    print(s.cancel_called, await anyio.to_thread.run_sync(lambda: 7))
    try:
        async with anyio.create_task_group() as tg:

            async def bad():
                raise ValueError('b')
            tg.start_soon(bad)
    except BaseException as e:
        print(type(e).__name__, e)
    r = await anyio.run_process(['echo', 'hi'])
    print(r.stdout)

    async def handle(c):
        async with c:
            await c.send(await c.receive())
    l = await anyio.create_tcp_listener(local_host='127.0.0.1')
    async with anyio.create_task_group() as tg:
        tg.start_soon(l.serve, handle)
        c = await anyio.connect_tcp('127.0.0.1', l.extra(anyio.abc.SocketAttribute.local_port))
        await c.send(b'xx')
        print(await c.receive())
        await c.aclose()
        tg.cancel_scope.cancel()


anyio.run(main)
