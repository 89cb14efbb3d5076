/** `tallystick token`: Access Tokens, minted and looked at. */

import type { Noun } from './command.ts';
import { createToken } from './token-create.ts';
import { explainToken } from './token-explain.ts';
import { inspectToken } from './token-inspect.ts';

export const token: Noun = {
  name: 'token',
  summary: 'create, inspect and explain Access Tokens',
  help: `Access Tokens: a signed statement who a client is, and until when. They are read
from a file or standard input, never from the command line.`,
  verbs: [createToken, inspectToken, explainToken],
};
