# requests against http.server.
import threading, http.server, requests, json


class H(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_GET(self):
        b = json.dumps({'p': self.path, 'h': self.headers.get('X-A')}).encode()
        self.send_response(200)
        self.send_header('Content-Length', str(len(b)))
        self.send_header('Set-Cookie', 'a=b')
        self.end_headers()
        self.wfile.write(b)

    def do_POST(self):
        b = self.rfile.read(int(self.headers['Content-Length']))
        self.send_response(201)
        self.send_header('Content-Length', str(len(b)))
        self.end_headers()
        self.wfile.write(b)

    def log_message(self, *a):
        pass


s = http.server.ThreadingHTTPServer(('127.0.0.1', 0), H)
threading.Thread(target=s.serve_forever, daemon=True).start()
u = f'http://127.0.0.1:{s.server_port}'
with requests.Session() as c:
    c.trust_env = False
    r = c.get(u + '/a', params={'x': 'é y'}, headers={'X-A': '1'})
    print(r.status_code, r.json(), dict(c.cookies))
    print(c.post(u, data={'k': 'v w'}).text, c.post(u, json={'k': [1]}).json())
    try:
        requests.get('http://127.0.0.1:1', timeout=1)
    except requests.ConnectionError as e:
        print(type(e).__name__)


s.shutdown()
