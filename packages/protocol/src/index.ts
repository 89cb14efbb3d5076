export { errorOf, register, SyncError } from './errors.ts';
export type { ErrorCode, ErrorEntry } from './errors.ts';
export { limits, nameProblem, keyProblem, identityProblem, codePoints, isWellFormed } from './limits.ts';
export { isSid, sidPrefixes } from './sids.ts';
export type { SidKind } from './sids.ts';
