/**
 * The bound of `fanout`: `ws` takes the connections, and what a publisher sends goes to every subscriber as one frame,
 * built once, written to the sockets directly, all events of one turn of the event loop in one write. It stores nothing,
 * checks nobody and promises nothing. A path of /subscribe follows everything; any other publishes.
 */

import { createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { listen } from './listen.ts';

const subscribers = new Set<Duplex>();
let pending: Buffer[] = [];

/** An unmasked text frame, as a server sends it. */
function frameOf(payload: Buffer): Buffer {
  if (payload.length > 0xffff) throw new RangeError('events of this benchmark are small');
  const short = payload.length < 126;
  const head = short ? Buffer.from([0x81, payload.length]) : Buffer.from([0x81, 126, 0, 0]);
  if (!short) head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}

function broadcast(payload: Buffer): void {
  if (pending.length === 0) setImmediate(flush);
  pending.push(frameOf(payload));
}

function flush(): void {
  const bytes = Buffer.concat(pending);
  pending = [];
  for (const socket of subscribers) socket.write(bytes);
}

const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
const server = createServer();
server.on('upgrade', (request, socket, head) => {
  sockets.handleUpgrade(request, socket, head, (connection) => {
    if (request.url === '/subscribe') {
      subscribers.add(socket);
      connection.on('close', () => subscribers.delete(socket));
      return;
    }
    connection.on('message', (data) => {
      if (Buffer.isBuffer(data)) broadcast(data);
    });
  });
});
listen(server, '/');
