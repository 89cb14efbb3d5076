/** Who is asking? What a way of deciding identity is. The ways themselves have files of their own. */

export interface IdentityContext {
  /** Headers for the answer, such as `Set-Cookie`, or `WWW-Authenticate` beside a refusal. */
  readonly headers: Headers;
  /** What the platform passed beside the Request: under Node and Express their own request object, with its session. */
  readonly native: unknown;
}

/**
 * Who sent this request? 1 to 256 characters, the same for the same user, never taken from query or body. Null or
 * undefined: not logged in, 401. A Response is sent as the answer, for instance 403. It throws IdentityUnavailable when
 * it cannot know now: 503.
 */
export type IdentitySource = (request: Request, context: IdentityContext) => Identified | Promise<Identified>;
export type Identified = string | null | undefined | Response;

/** What decides is out of reach, such as an identity provider or a session store: nobody's token is wrong, 503. [TOK26] */
export class IdentityUnavailable extends Error {
  readonly retryAfterSeconds: number;

  constructor(message: string, options: ErrorOptions & { readonly retryAfterSeconds: number }) {
    super(message, options);
    this.name = 'IdentityUnavailable';
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
