/**
 * The usual alternative in `fanout`: socket.io with its defaults, WebSocket only, one room a topic. It stores nothing and
 * acknowledges an event when it has handed it to the room.
 */

import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { listen } from './listen.ts';

const server = createServer();
const io = new Server(server, { transports: ['websocket'], serveClient: false });
io.on('connection', (socket) => {
  const topics = Number(socket.handshake.query['topics'] ?? 0);
  for (let topic = 0; topic < topics; topic++) void socket.join(`topic-${topic}`);
  socket.on('publish', (topic: number, event: unknown, acknowledge: () => void) => {
    io.to(`topic-${topic}`).emit('event', event);
    acknowledge();
  });
});
listen(server, '/socket.io/');
