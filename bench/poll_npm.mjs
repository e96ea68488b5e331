// The npm server that bench/poll_load.cc compares with: socket.io with its defaults, and the two events of the load.
// socket.io is no dependency of this repository, so it is named by its folder:
//
//   npm install --prefix /tmp/npm socket.io && node bench/poll_npm.mjs PORT /tmp/npm
import { createRequire } from 'node:module';

const { Server } = createRequire(`${process.argv[3]}/`)('socket.io');
const io = new Server(Number(process.argv[2]), { serveClient: false });
io.on('connection', (socket) => {
  socket.on('sub', (room, ack) => {
    socket.join(room);
    ack?.();
  });
  socket.on('pub', (room, data) => io.to(room).emit('msg', data));
});
