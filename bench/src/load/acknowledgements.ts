/**
 * The compat protocol wants every pushed frame answered by a `reply` of the same id. These answers are gathered while one
 * read is worked through and leave in one write. Their mask key is zero: they say nothing but an id, and masking a
 * thousand of them an event would cost this process more than it tells about the server.
 */

const capacity = 1 << 18;

export class Acknowledgements {
  readonly #bytes = Buffer.allocUnsafe(capacity);
  #used = 0;
  /** The frame for ids of one length; all ids of a server have the same. */
  #frame: Buffer = Buffer.alloc(0);
  #idAt = 0;
  #idLength = -1;

  /** Adds the answer to the frame whose id starts at `at` and ends before the next quote. */
  add(bytes: Buffer, at: number): void {
    let end = at;
    while (bytes[end] !== 0x22) end++;
    if (end - at !== this.#idLength) this.#shape(end - at);
    if (this.#used + this.#frame.length > capacity) throw new RangeError('more events in one read than foreseen');
    this.#frame.copy(this.#bytes, this.#used);
    bytes.copy(this.#bytes, this.#used + this.#idAt, at, end);
    this.#used += this.#frame.length;
  }

  /** All answers since the last take, or undefined. */
  take(): Buffer | undefined {
    if (this.#used === 0) return undefined;
    const taken = Buffer.from(this.#bytes.subarray(0, this.#used));
    this.#used = 0;
    return taken;
  }

  #shape(idLength: number): void {
    const before = '{"id":"';
    const header =
      `${before}${'x'.repeat(idLength)}","method":"reply","payload_type":"application/json",` +
      '"status":{"code":200,"status":"OK"},"payload_size":0}';
    const preamble = `TWILSOCK V3.0 ${header.length}\r\n`;
    const payload = Buffer.from(`${preamble}${header}\r\n`);
    if (payload.length < 126) throw new RangeError('an id shorter than foreseen');
    const head = Buffer.from([0x82, 0x80 | 126, 0, 0, 0, 0, 0, 0]);
    head.writeUInt16BE(payload.length, 2);
    this.#frame = Buffer.concat([head, payload]);
    this.#idAt = head.length + preamble.length + before.length;
    this.#idLength = idLength;
  }
}
