/**
 * A refusal to start that the operator can mend: a bad option, a busy port, a data directory in use. The message is one
 * clear sentence a line, each naming the thing and the fix; programs print it without a stack and exit with 1. [CFG7]
 */
export class StartError extends Error {
  override readonly name = 'StartError';
}
