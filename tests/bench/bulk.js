const net = require('net');
const PIECE = 256 * 1024, PIECES = 4000;
let start;
const server = net.createServer(socket => {
  let total = 0;
  socket.on('data', data => total += data.length);
  socket.on('end', () => {
    console.log('RESULT bulk', (performance.now() - start) * 1e3 / (total / 2 ** 20), 'us/MiB');
    socket.end();
    server.close();
  });
});
server.listen(0, '127.0.0.1', () => {
  const piece = Buffer.alloc(PIECE, 'x');
  const socket = net.connect(server.address().port, '127.0.0.1', async () => {
    start = performance.now();
    for (let i = 0; i < PIECES; i++)
      if (!socket.write(piece)) await new Promise(resolve => socket.once('drain', resolve));
    socket.end();
  });
});
