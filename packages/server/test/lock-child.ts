/** A process that opens the data directory it is given, says so, and holds it until it is killed. */

import { writeSync } from 'node:fs';
import { openSqlite } from '../src/storage/sqlite.ts';

const [directory = ''] = process.argv.slice(2);
await openSqlite({ directory, now: Date.now });
writeSync(1, 'open\n');
