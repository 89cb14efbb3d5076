/** A message to a client, encoded once and shared by all that get it. [EVT4] */

export interface Message {
  readonly bytes: Buffer;
  /** The transport's own form of the same bytes, made when it is first sent. */
  framed: Buffer | undefined;
}

export function messageOf(bytes: Buffer): Message {
  return { bytes, framed: undefined };
}

/** The engine's side of a socket. */
export interface Link {
  /** Bytes taken by `send` that the peer's socket has not taken yet. */
  readonly buffered: number;
  /** In order; one call is at most one write to the socket. */
  send(messages: readonly Message[]): void;
  /** Closes with a handshake, after all that was sent. */
  close(code: number, reason: string): void;
  /** Drops the connection at once. */
  drop(): void;
  /** Reads nothing from the peer until `resume`. What was read already may still come. */
  pause(): void;
  resume(): void;
}
