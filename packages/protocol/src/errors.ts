/**
 * The register of every code that a client, a backend or an operator can meet. One row a code, nowhere else.
 * Numbers and statuses are those that the compatible client libraries know; they branch on the status alone.
 */

export interface ErrorEntry {
  /** HTTP status, also inside the socket. */
  readonly status: number;
  readonly message: string;
  /** Whether the same request may succeed later without any change. */
  readonly temporary: boolean;
}

export const register = {
  20001: { status: 400, message: 'A parameter is not acceptable', temporary: false },
  20003: { status: 401, message: 'The credentials are missing or wrong', temporary: false },
  20004: { status: 405, message: 'The resource does not have this method', temporary: false },
  20101: { status: 401, message: 'The Access Token is malformed', temporary: false },
  20102: { status: 401, message: 'The header of the Access Token is not acceptable', temporary: false },
  20103: { status: 401, message: 'The issuer or subject of the Access Token is not acceptable', temporary: false },
  20104: { status: 401, message: 'The Access Token has expired', temporary: false },
  20105: { status: 401, message: 'The Access Token is not valid yet', temporary: false },
  20106: { status: 401, message: 'The grants of the Access Token are not acceptable', temporary: false },
  20107: { status: 401, message: 'The signature of the Access Token does not match', temporary: false },
  20157: { status: 401, message: 'The Access Token lives longer than 24 hours', temporary: false },
  20403: { status: 403, message: 'This is not allowed', temporary: false },
  20404: { status: 404, message: 'No such resource', temporary: false },
  20408: { status: 408, message: 'The request did not come in time', temporary: true },
  20413: { status: 413, message: 'The request is too large', temporary: false },
  20414: { status: 414, message: 'The address of the request is too long', temporary: false },
  20429: { status: 429, message: 'Too many requests; wait before the next', temporary: true },
  20431: { status: 431, message: 'The headers of the request are too large', temporary: false },
  20500: { status: 500, message: 'The server failed to answer this request', temporary: false },
  20503: { status: 503, message: 'The server cannot take writes right now; nothing was changed', temporary: true },
  51006: { status: 401, message: 'The connection has no valid Access Token any more', temporary: false },
  51130: { status: 400, message: 'The frame is malformed', temporary: false },
  51202: { status: 429, message: 'Too many requests', temporary: true },
  51207: { status: 410, message: 'The Access Token of this connection has expired', temporary: false },
  51214: { status: 308, message: 'The server is draining', temporary: true },
  51215: { status: 401, message: 'The connection is not authorised; send init first', temporary: false },
  51232: { status: 308, message: 'A token update may not change the identity or the service', temporary: false },
  54001: { status: 404, message: 'No such route', temporary: false },
  54003: { status: 400, message: 'If-Match is not a possible revision', temporary: false },
  54006: { status: 413, message: 'The data is too large', temporary: false },
  54007: { status: 403, message: 'Access forbidden for this identity', temporary: false },
  54008: { status: 400, message: 'The body is not acceptable JSON', temporary: false },
  54009: { status: 429, message: 'Rate limit exceeded', temporary: true },
  54010: { status: 400, message: 'There is nothing to update', temporary: false },
  54011: { status: 400, message: 'The ttl is not a whole number from 0 to 31536000', temporary: false },
  54050: { status: 404, message: 'Service not found', temporary: false },
  54056: { status: 403, message: 'Service not accessible', temporary: false },
  54100: { status: 404, message: 'Document not found', temporary: false },
  54101: { status: 400, message: 'The data of a document is missing or null', temporary: false },
  54103: { status: 412, message: 'The revision of the document does not match', temporary: false },
  54150: { status: 404, message: 'List not found', temporary: false },
  54151: { status: 404, message: 'List item not found', temporary: false },
  54155: { status: 412, message: 'The revision of the list item does not match', temporary: false },
  54156: { status: 400, message: 'The data of a list item is missing or null', temporary: false },
  54200: { status: 404, message: 'Map not found', temporary: false },
  54201: { status: 404, message: 'Map item not found', temporary: false },
  54205: { status: 412, message: 'The revision of the map item does not match', temporary: false },
  54206: { status: 400, message: 'The data of a map item is missing or null', temporary: false },
  54208: { status: 409, message: 'Map item exists', temporary: false },
  54209: { status: 400, message: 'The key of a map item is not acceptable', temporary: false },
  54250: { status: 404, message: 'Stream not found', temporary: false },
  54251: { status: 400, message: 'The data of a stream message is missing or null', temporary: false },
  54300: { status: 404, message: 'Unique name not found', temporary: false },
  54301: { status: 409, message: 'Unique name exists', temporary: false },
  54302: { status: 400, message: 'The unique name is not acceptable', temporary: false },
  54351: { status: 400, message: 'The identity is not acceptable', temporary: false },
  54419: { status: 429, message: 'Too many subscriptions on one connection', temporary: false },
  54453: { status: 400, message: 'The PageToken is not acceptable', temporary: false },
  54454: { status: 400, message: 'The PageSize is not a whole number from 1 to 1000', temporary: false },
  54458: { status: 400, message: 'The index of a list item is not a whole number from 0', temporary: false },
} as const;

export type ErrorCode = keyof typeof register;

/** The row of a code. */
export function errorOf(code: ErrorCode): ErrorEntry {
  return register[code];
}

/** The one error class: a coded refusal. `message` says which field is wrong and how to mend it. */
export class SyncError extends Error {
  override readonly name = 'SyncError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly temporary: boolean;

  /** `detail` replaces the register's general sentence. */
  constructor(code: ErrorCode, detail?: string, options?: ErrorOptions) {
    super(detail ?? register[code].message, options);
    this.code = code;
    this.status = register[code].status;
    this.temporary = register[code].temporary;
  }
}
