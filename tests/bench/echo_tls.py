# An echo server and its clients on one loop, over TLS: 20 clients send 1 KiB and wait for it, again and again; 100 connect, ask
# once and close; one sends 20 MB, and the server sends 20 MB to it.
import asyncio
import pathlib
import ssl
import time

CLIENTS, ROUNDS, SIZE = 20, 500, 1024
LARGE, PIECE = 20_000_000, 100_000
KEYS = pathlib.Path(__file__).resolve().parent.parent / 'script' / 'tls'


async def serve(reader, writer):
    while data := await reader.read(65536):
        if data == b'large':
            await receive(reader)
            await send(writer)
        else:
            writer.write(data)
            await writer.drain()
    writer.close()


async def send(writer):
    piece = b'x' * PIECE
    for _ in range(LARGE // PIECE):
        writer.write(piece)
        await writer.drain()


async def receive(reader):
    got = 0
    while got < LARGE:
        got += len(await reader.read(1 << 18))


async def client(port, context, rounds):
    reader, writer = await asyncio.open_connection('127.0.0.1', port, ssl=context)
    message = b'x' * SIZE
    for _ in range(rounds):
        writer.write(message)
        await writer.drain()
        await reader.readexactly(SIZE)
    writer.close()
    await writer.wait_closed()


async def stream(port, context):
    reader, writer = await asyncio.open_connection('127.0.0.1', port, ssl=context)
    start = time.perf_counter()
    writer.write(b'large')
    await asyncio.sleep(0.01)
    await send(writer)
    await receive(reader)
    elapsed = time.perf_counter() - start - 0.01
    writer.close()
    await writer.wait_closed()
    return elapsed


async def main():
    accept = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    accept.load_cert_chain(str(KEYS / 'server.pem'))
    connect = ssl.create_default_context(cafile=str(KEYS / 'ca.pem'))
    server = await asyncio.start_server(serve, '127.0.0.1', 0, ssl=accept)
    port = server.sockets[0].getsockname()[1]
    await asyncio.gather(*[client(port, connect, 1) for _ in range(CLIENTS)])  # warm
    start = time.perf_counter()
    for _ in range(5):
        await asyncio.gather(*[client(port, connect, 1) for _ in range(CLIENTS)])
    print('RESULT connect_tls', (time.perf_counter() - start) * 1e3 / (5 * CLIENTS), 'ms/connection')
    start = time.perf_counter()
    await asyncio.gather(*[client(port, connect, ROUNDS) for _ in range(CLIENTS)])
    print('RESULT echo_tls', (time.perf_counter() - start) * 1e6 / (CLIENTS * ROUNDS), 'us/message')
    print('RESULT stream_tls', await stream(port, connect) * 1e3 / (2 * LARGE / 1e6), 'ms/MB')
    server.close()
    await server.wait_closed()


asyncio.run(main())
