# https of aiohttp (both ends), httpx, requests/urllib3 and tornado; wss of websockets: over loopback, with the tests' own authority.
import asyncio, pathlib, ssl
import aiohttp, httpx, requests, websockets
from aiohttp import web

KEYS = pathlib.Path(__file__).resolve().parent.parent / 'script' / 'tls'
accept = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
accept.load_cert_chain(KEYS / 'server.pem')
connect = ssl.create_default_context(cafile=KEYS / 'ca.pem')
nobody = ssl.create_default_context(cafile=KEYS / 'other.pem')


async def hello(request):
    return web.json_response({'path': request.path, 'secure': request.secure, 'body': len(await request.read()),
                              'cipher': request.transport.get_extra_info('cipher')[1]})


async def chat(request):
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    async for message in ws:
        await ws.send_str(message.data * 2)
    return ws


async def client_of_aiohttp(base):
    async with aiohttp.ClientSession() as session:
        async with session.post(base + '/a', data=b'x' * 300_000, ssl=connect) as response:
            print(response.status, await response.json())
        async with session.ws_connect(base + '/ws', ssl=connect) as ws:
            await ws.send_str('ab')
            print((await ws.receive()).data)
        answers = await asyncio.gather(*[session.get(f'{base}/{i}', ssl=connect) for i in range(20)])
        print([response.status for response in answers] == [200] * 20)
        try:
            await session.get(base, ssl=nobody)
        except aiohttp.ClientConnectorCertificateError as exc:
            print(type(exc.certificate_error).__name__, exc.certificate_error.verify_message)


async def client_of_httpx(base):
    async with httpx.AsyncClient(verify=connect, trust_env=False) as client:
        response = await client.post(base + '/h', content=b'y' * 1000)
        print(response.status_code, response.json(), response.http_version)
    async with httpx.AsyncClient(verify=nobody, trust_env=False) as client:
        try:
            await client.get(base)
        except (httpx.ConnectError, ssl.SSLError) as exc:
            print('CERTIFICATE_VERIFY_FAILED' in str(exc))


def blocking(base):
    session = requests.Session()
    session.trust_env = False
    print(session.get(base + '/r', verify=str(KEYS / 'ca.pem')).json())
    try:
        session.get(base, verify=str(KEYS / 'other.pem'))
    except requests.exceptions.SSLError as exc:
        print('CERTIFICATE_VERIFY_FAILED' in str(exc))
    session.close()
    with httpx.Client(verify=connect, trust_env=False) as client:
        print(client.get(base + '/s').json())


async def echo(ws, path=None):
    async for message in ws:
        await ws.send(message)


async def sockets():
    async with websockets.serve(echo, '127.0.0.1', 0, ssl=accept, max_size=None) as server:
        port = server.sockets[0].getsockname()[1]
        async with websockets.connect(f'wss://127.0.0.1:{port}', ssl=connect, max_size=None) as ws:
            for message in 'text', b'z' * 2_000_000:
                await ws.send(message)
                print(await ws.recv() == message)


async def main():
    app = web.Application(client_max_size=1 << 30)
    app.router.add_get('/ws', chat)
    app.router.add_route('*', '/{any}', hello)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, '127.0.0.1', 0, ssl_context=accept)
    await site.start()
    base = 'https://127.0.0.1:%d' % site._server.sockets[0].getsockname()[1]
    await client_of_aiohttp(base)
    await client_of_httpx(base)
    await asyncio.to_thread(blocking, base)
    await runner.cleanup()
    await sockets()


asyncio.run(main())
