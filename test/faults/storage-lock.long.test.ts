/** F14 at full length: the lock is held for half a minute. */

import { test } from 'node:test';
import { cannotRecord, Lab } from '../kernel/lab.js';
import { HOLDERS, heldFor } from './storage-held.js';

test('F14: locks that are held for 30 s stop nothing', { skip: cannotRecord }, async t => {
  await Promise.all(HOLDERS.map(([, hold]) => heldFor(t, Lab.open(t), hold, 30_000)));
});
