/** F13 at full length. */

import { test } from 'node:test';
import { cannotRecord, Lab } from '../kernel/lab.js';
import { replay } from './storage-replay.js';

test('F13: no power cut out of 3000 corrupts a recording or loses an acknowledged batch', {
  skip: cannotRecord,
}, async t => {
  await replay(t, Lab.open(t), 3_000);
});
