# One stream of large writes between two ends on one loop: 256 KiB a write, with drain, read as it comes.
import asyncio
import time

PIECE, PIECES = 256 * 1024, 4000


async def main():
    done = asyncio.get_running_loop().create_future()

    async def receive(reader, writer):
        total = 0
        while data := await reader.read(PIECE):
            total += len(data)
        writer.close()
        done.set_result(total)

    server = await asyncio.start_server(receive, '127.0.0.1', 0)
    port = server.sockets[0].getsockname()[1]
    _, writer = await asyncio.open_connection('127.0.0.1', port)
    piece = b'x' * PIECE
    start = time.perf_counter()
    for _ in range(PIECES):
        writer.write(piece)
        await writer.drain()
    writer.write_eof()
    total = await done
    elapsed = time.perf_counter() - start
    assert total == PIECE * PIECES, total
    print('RESULT bulk', elapsed * 1e6 / (total / 2 ** 20), 'us/MiB')
    writer.close()
    server.close()
    await server.wait_closed()


asyncio.run(main())
