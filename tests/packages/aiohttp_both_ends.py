# aiohttp: server, client, forms, web sockets, redirects, cookies, errors, many requests at once.
import asyncio, json, sys
import aiohttp
from aiohttp import web

routes = web.RouteTableDef()
@routes.get('/hello/{name}')
async def hello(request):
    return web.Response(text='hello ' + request.match_info['name'] + ' ' + request.query.get('q', '-'))
@routes.post('/json')
async def post_json(request):
    data = await request.json()
    return web.json_response({'got': data, 'n': len(data)})
@routes.post('/form')
async def form(request):
    data = await request.post()
    return web.Response(text=repr(sorted(data.items())))
@routes.post('/upload')
async def upload(request):
    reader = await request.multipart()
    parts = []
    async for part in reader:
        parts.append((part.name, part.filename, (await part.read()).decode()))
    return web.Response(text=repr(parts))
@routes.get('/stream')
async def stream(request):
    response = web.StreamResponse()
    await response.prepare(request)
    for i in range(5):
        await response.write(b'chunk%d;' % i)
        await asyncio.sleep(0)
    await response.write_eof()
    return response
@routes.get('/ws')
async def ws(request):
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        if message.type == aiohttp.WSMsgType.TEXT:
            if message.data == 'close':
                await socket.close()
            else:
                await socket.send_str('echo ' + message.data)
        elif message.type == aiohttp.WSMsgType.BINARY:
            await socket.send_bytes(message.data[::-1])
    return socket
@routes.get('/sjis')
async def sjis(request):
    return web.Response(body='日本語のテキストです'.encode('shift_jis'), headers={'Content-Type': 'text/plain; charset=shift_jis'})
@routes.get('/fail')
async def fail(request):
    raise web.HTTPForbidden(text='no')
@routes.get('/cookie')
async def cookie(request):
    response = web.Response(text=repr(dict(request.cookies)))
    response.set_cookie('seen', 'yes')
    return response
@routes.get('/redirect')
async def redirect(request):
    raise web.HTTPFound('/hello/again')
@web.middleware
async def middleware(request, handler):
    response = await handler(request)
    if not response.prepared: response.headers['X-Middle'] = 'was here'
    return response

async def main():
    app = web.Application(middlewares=[middleware])
    app.add_routes(routes)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, '127.0.0.1', 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    base = f'http://127.0.0.1:{port}'
    async with aiohttp.ClientSession() as session:
        async with session.get(base + '/hello/wörld', params={'q': 'a b'}) as r:
            print(r.status, r.headers['X-Middle'], r.content_type, await r.text())
        async with session.post(base + '/json', json={'a': [1, 2], 'b': 'é'}) as r:
            print(r.status, await r.json())
        async with session.post(base + '/form', data={'x': '1', 'y': 'zwei'}) as r:
            print(await r.text())
        form = aiohttp.FormData()
        form.add_field('file', b'content', filename='a.txt', content_type='text/plain')
        form.add_field('k', 'v')
        async with session.post(base + '/upload', data=form) as r:
            print(await r.text())
        async with session.get(base + '/stream') as r:
            data = b''
            async for chunk in r.content.iter_any(): data += chunk
            print(data, r.headers.get('Transfer-Encoding'))
        async with session.get(base + '/sjis') as r:
            print(r.charset, await r.text())
        async with session.get(base + '/fail') as r:
            print(r.status, r.reason, await r.text())
        for _ in range(2):
            async with session.get(base + '/cookie') as r: print(await r.text())
        async with session.get(base + '/redirect') as r:
            print(r.status, str(r.url.path), [h.status for h in r.history], await r.text())
        async with session.get(base + '/nowhere') as r: print(r.status, await r.text())
        try:
            async with session.get(base + '/nowhere', raise_for_status=True) as r: pass
        except aiohttp.ClientResponseError as e: print(type(e).__name__, e.status, e.message)
        async with session.ws_connect(base + '/ws') as w:
            await w.send_str('hi'); print((await w.receive()).data)
            await w.send_bytes(b'abc'); print((await w.receive()).data)
            await w.send_str('close'); m = await w.receive(); print(m.type)
        results = await asyncio.gather(*(get(session, base + f'/hello/{i}') for i in range(20)))
        print(results)
        async with session.get(base + '/hello/x', timeout=aiohttp.ClientTimeout(total=5)) as r: print(await r.read())
    async with aiohttp.ClientSession(auto_decompress=True) as session:
        try: await session.get('http://127.0.0.1:1/')
        except aiohttp.ClientConnectorError as e: print(type(e).__name__, e.os_error.errno)
    await runner.cleanup()
async def get(session, url):
    async with session.get(url) as r: return await r.text()
asyncio.run(main())
