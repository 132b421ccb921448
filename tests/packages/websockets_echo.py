# websockets: both ends.
import asyncio, websockets


async def echo(ws, path=None):
    async for m in ws:
        await ws.send(m * 2 if isinstance(m, str) else m)


async def main():
    async with websockets.serve(echo, '127.0.0.1', 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with websockets.connect(f'ws://127.0.0.1:{port}') as ws:
            for m in ('ab', 'é' * 70000, b'bin'):
                await ws.send(m)
                r = await ws.recv()
                print(len(r), r[:4])
            pong = await ws.ping()
            await pong
            print('pong')
        async with websockets.connect(f'ws://127.0.0.1:{port}') as ws:
            await ws.close(1001, 'bye')
            print(ws.close_code, ws.close_reason)


asyncio.run(main())
