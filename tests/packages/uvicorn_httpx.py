# a starlette application under uvicorn, asked by httpx.
import asyncio, httpx, uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route


async def home(request):
    return JSONResponse({'q': dict(request.query_params), 'm': request.method, 'b': (await request.body()).decode()})


async def stream(request):

    async def gen():
        for i in range(5):
            yield f'part {i}\n'
            await asyncio.sleep(0.001)
    return StreamingResponse(gen(), media_type='text/plain')


async def boom(request):
    raise RuntimeError('x')


app = Starlette(routes=[Route('/', home, methods=['GET', 'POST']), Route('/s', stream)])


async def main():
    config = uvicorn.Config(app, host='127.0.0.1', port=0, log_level='error', loop='asyncio', http='h11', lifespan='off')
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(base_url=f'http://127.0.0.1:{port}', trust_env=False) as c:
        r = await c.get('/', params={'a': 1})
        print(r.status_code, r.json())
        r = await c.post('/', content=b'hi')
        print(r.json())
        async with c.stream('GET', '/s') as r:
            print([l async for l in r.aiter_lines()])
        print(await asyncio.gather(*[(lambda: c.get('/', params={'i': i}))() for i in range(20)]) and 'ok')
        print((await c.get('/nope')).status_code)
    server.should_exit = True
    await task


asyncio.run(main())
