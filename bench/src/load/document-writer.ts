/** Updates one document through a connection of its own, one update at a time, at little cost to this process. */

import { randomBytes } from 'node:crypto';
import { requestHeader } from './compat-connection.ts';
import type { CompatConnection } from './compat-connection.ts';
import { decodeFrame } from './compat-frame.ts';
import { Finder } from './finder.ts';

export interface StoredDocument {
  readonly sid: string;
  readonly path: string;
  readonly lastEventId: number;
}

/** Creates a document that has no name. */
export async function createDocument(connection: CompatConnection, text: string): Promise<StoredDocument> {
  const { status, body } = await connection.request('POST', '/v3/Documents', `{"data":${text}}`);
  if (status !== 201) throw new Error(`document not created: ${status} ${JSON.stringify(body)}`);
  const { sid = '', url = '', last_event_id: lastEventId = 0 } = body ?? {};
  return { sid, path: new URL(url).pathname, lastEventId };
}

const serialDigits = 12;
/** Request ids are `RQ` and 32 hex digits; ours differ in the last ones. */
const requestPrefix = `RQ${randomBytes((32 - serialDigits) / 2).toString('hex')}`;
let serial = 0;

export class DocumentWriter {
  readonly #connection: CompatConnection;
  readonly #onAccepted: () => void;
  readonly #accepted = new Finder('"http_status":{"code":200');
  /** The header around the two ids, which change with every request. */
  readonly #parts: readonly [string, string, string];

  constructor(connection: CompatConnection, document: StoredDocument, onAccepted: () => void) {
    this.#connection = connection;
    this.#onAccepted = onAccepted;
    const header = requestHeader('POST', document.path);
    const [before = '', after = ''] = JSON.stringify(header).split(/RQ[0-9a-f]{32}/);
    this.#parts = ['{"id":"TM', `",${before.slice(1)}`, after.slice(0, -1)];
    connection.socket.listen({ onMessage: (bytes, start, end) => this.#read(bytes, start, end) });
  }

  update(text: string): void {
    const id = (++serial).toString(16).padStart(serialDigits, '0');
    const [toFrameId, toRequestId, rest] = this.#parts;
    const body = `{"data":${text}}`;
    const header =
      `${toFrameId}bench-${id}${toRequestId}${requestPrefix}${id}${rest}` +
      `,"payload_size":${Buffer.byteLength(body)}}`;
    this.#connection.socket.sendBinary(Buffer.from(`TWILSOCK V3.0 ${header.length}\r\n${header}\r\n${body}`));
  }

  #read(bytes: Buffer, start: number, end: number): void {
    if (this.#accepted.find(bytes, start, end) !== -1) return this.#onAccepted();
    const { header, payload } = decodeFrame(bytes.subarray(start, end));
    if (header.method !== 'reply') return this.#connection.handle(bytes, start, end);
    throw new Error(`update refused: ${JSON.stringify(header)} ${JSON.stringify(payload)}`);
  }
}
