# An echo server and a hundred clients on one loop, by streams: each client sends 1 KiB and waits for it, again and again.
import asyncio
import time

CLIENTS, ROUNDS, SIZE = 100, 300, 1024


async def serve(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def client(port):
    reader, writer = await asyncio.open_connection('127.0.0.1', port)
    message = b'x' * SIZE
    for _ in range(ROUNDS):
        writer.write(message)
        await writer.drain()
        await reader.readexactly(SIZE)
    writer.close()
    await writer.wait_closed()


async def main():
    server = await asyncio.start_server(serve, '127.0.0.1', 0)
    port = server.sockets[0].getsockname()[1]
    await asyncio.gather(*[client(port) for _ in range(10)])  # warm
    start = time.perf_counter()
    await asyncio.gather(*[client(port) for _ in range(CLIENTS)])
    elapsed = time.perf_counter() - start
    print('RESULT echo', elapsed * 1e6 / (CLIENTS * ROUNDS), 'us/message')
    server.close()
    await server.wait_closed()


asyncio.run(main())
