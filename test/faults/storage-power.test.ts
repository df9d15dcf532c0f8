/** F13 and F21: what a recorder really does to its files, call by call, and power cuts at any moment of it. */

import { test } from 'node:test';
import { cannotRecord, Lab } from '../kernel/lab.js';
import { assertOnlySqlite, replay } from './storage-replay.js';

test('F13: no power cut out of 60 corrupts a recording or loses an acknowledged batch', {
  skip: cannotRecord,
}, async t => {
  const lab = Lab.open(t);
  const calls = await replay(t, lab, 60);
  await t.test('F21: the recorder opens its live files through SQLite alone', t => {
    const { opens, closes } = assertOnlySqlite(lab, calls);
    t.diagnostic(`F21 only SQLite opens the live files | ${opens} opens, ${closes} closes, all of SQLite`);
  });
});
