const net = require('net');
const CLIENTS = 100, ROUNDS = 300, SIZE = 1024;
const server = net.createServer(socket => socket.on('data', data => socket.write(data)));
function client(port) {
  return new Promise(resolve => {
    const message = Buffer.alloc(SIZE, 'x');
    let left = ROUNDS, got = 0;
    const socket = net.connect(port, '127.0.0.1', () => socket.write(message));
    socket.on('data', data => {
      got += data.length;
      if (got < SIZE) return;
      got -= SIZE;
      if (--left) socket.write(message);
      else socket.end();
    });
    socket.on('close', resolve);
  });
}
server.listen(0, '127.0.0.1', async () => {
  const port = server.address().port;
  await Promise.all(Array.from({length: 10}, () => client(port)));
  const start = performance.now();
  await Promise.all(Array.from({length: CLIENTS}, () => client(port)));
  console.log('RESULT echo', (performance.now() - start) * 1e3 / (CLIENTS * ROUNDS), 'us/message');
  server.close();
});
