/** A client of the compatible wire that does no more than come in, stay, and notice its end. */

export interface Reply {
  readonly code: number;
  /** Of the register; undefined when all is well. */
  readonly errorCode: number | undefined;
}

type Header = Readonly<Record<string, unknown>>;

export class SocketClient {
  /** Resolves when the connection has ended, whoever ended it. */
  readonly closed: Promise<void>;
  readonly #socket: WebSocket;
  readonly #opened: Promise<void>;
  readonly #replies: Map<string, (reply: Reply) => void> = new Map();
  #requests = 0;

  constructor(socketUrl: string) {
    this.#socket = new WebSocket(socketUrl);
    this.#socket.binaryType = 'arraybuffer';
    this.#opened = new Promise((resolve) => this.#socket.addEventListener('open', () => resolve()));
    this.closed = new Promise((resolve) => this.#socket.addEventListener('close', () => resolve()));
    this.#socket.addEventListener('message', ({ data }) => this.#receive(Buffer.from(data as ArrayBuffer)));
  }

  async init(token: string): Promise<Reply> {
    return await this.#ask({ method: 'init', token, capabilities: [] });
  }

  /** Gives the standing connection another token. */
  async update(token: string): Promise<Reply> {
    return await this.#ask({ method: 'update', token });
  }

  /** A second init is answered 400 and changes nothing [CON3]; without an answer this rejects. */
  async isAlive(): Promise<boolean> {
    return await Promise.race([this.init('').then(({ code }) => code === 400), this.closed.then(() => false)]);
  }

  close(): void {
    this.#socket.close();
  }

  async #ask(header: Header): Promise<Reply> {
    await this.#opened;
    const id = `TM${++this.#requests}`;
    const text = JSON.stringify({ id, ...header, payload_size: 0 });
    const reply = new Promise<Reply>((resolve) => this.#replies.set(id, resolve));
    this.#socket.send(Buffer.from(`TWILSOCK V3.0 ${Buffer.byteLength(text)}\r\n${text}\r\n`));
    return await reply;
  }

  #receive(frame: Buffer): void {
    const start = frame.indexOf('\r\n') + 2;
    const size = Number(frame.toString('latin1', 0, start).split(' ')[2]);
    const { id, status } = JSON.parse(frame.toString('utf8', start, start + size)) as Header;
    if (typeof id !== 'string' || typeof status !== 'object' || status === null) return;
    const { code, errorCode } = status as { code: number; errorCode?: number };
    this.#replies.get(id)?.({ code, errorCode });
  }
}
