/** F40: the long form of what security-query does with 250 copies. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeFixture } from '../query/fixture.js';
import { flipBits } from './security-bitflips.js';

test('F40: 10,000 damaged copies of a database never crash or hang a question', async t => {
  const directory = mkdtempSync(join(tmpdir(), 'snoopq-flips-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const db = join(directory, 'x.db');
  writeFixture(db);
  const { crashed, statuses } = await flipBits(db, 10_000, 1_000_000);
  t.diagnostic(JSON.stringify(statuses));
  assert.deepEqual(crashed, []);
});
