# tornado: server, client, web sockets.
import asyncio, tornado.web, tornado.httpclient, tornado.httpserver, tornado.testing, tornado.websocket


class H(tornado.web.RequestHandler):

    async def get(self):
        await asyncio.sleep(0.001)
        self.write({'a': self.get_argument('a', 'none')})

    def post(self):
        self.write(self.request.body)


class W(tornado.websocket.WebSocketHandler):

    async def on_message(self, m):
        await self.write_message('re:' + m)


async def main():
    app = tornado.web.Application([('/', H), ('/w', W)])
    sock, port = tornado.testing.bind_unused_port()
    s = tornado.httpserver.HTTPServer(app)
    s.add_sockets([sock])
    c = tornado.httpclient.AsyncHTTPClient()
    print((await c.fetch(f'http://127.0.0.1:{port}/?a=5')).body)
    print((await c.fetch(f'http://127.0.0.1:{port}/', method='POST', body='xyz')).body)
    try:
        await c.fetch(f'http://127.0.0.1:{port}/no')
    except tornado.httpclient.HTTPError as e:
        print(e)
    w = await tornado.websocket.websocket_connect(f'ws://127.0.0.1:{port}/w')
    await w.write_message('hey')
    print(await w.read_message())
    w.close()
    s.stop()


asyncio.run(main())
