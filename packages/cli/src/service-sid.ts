/** The value of `--service`, the same for every command. */

import { isSid } from '@tallystick/protocol';
import { StartError } from '@tallystick/server';

/** `IS…`, or `default`. Throws StartError for anything else. */
export function checkedService(text: string | undefined): string | undefined {
  if (text === undefined || text === 'default' || isSid(text, 'service')) return text;
  throw new StartError('--service is not acceptable; give IS and 32 lower-case hex digits, or default');
}
