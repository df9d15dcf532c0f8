/** The holders of locks of F14, and what must hold whoever holds one. */

import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Lab, tool } from '../kernel/lab.js';
import {
  assertAll,
  assertWhole,
  FIRST,
  holder,
  isPlain,
  ledgerOf,
  ready,
  recorderLog,
  sealedOf,
  segmentsOf,
  until,
} from './storage.js';

type Hold = (t: TestContext, lab: Lab) => Promise<ChildProcess>;

export const HOLDERS: [what: string, hold: Hold][] = [
  ['a writer that forgets its transaction', (t, lab) => holder(t, lab.db, "db.exec('BEGIN IMMEDIATE')")],
  ['an exclusive transaction', (t, lab) => holder(t, lab.db, "db.exec('BEGIN EXCLUSIVE')")],
  // Whoever may only read the file can do that.
  [
    'a read lock on the byte of the writers',
    (t, lab) => ready(t, 'held', tool('shmlock'), `${lab.db}-shm`, '120'),
  ],
];

const PER_SECOND = 5_000;

/** Has a lock held for `ms` while numbered events come. */
export async function heldFor(t: TestContext, lab: Lab, hold: Hold, ms: number): Promise<void> {
  lab.record();
  const seconds = ms / 1000 + 2;
  const numbers = lab.background('sequence', String(FIRST), String(PER_SECOND * seconds), String(PER_SECOND));
  await sleep(500);
  const child = await hold(t, lab);
  const took = await until('a new segment is there', () => sealedOf(lab.db).length > 0);
  await sleep(ms - took);
  child.kill('SIGKILL');
  const sent = Number((await numbers.end()).facts.get('sent'));
  lab.stop();
  const paths = segmentsOf(lab.db);
  assert.equal(sealedOf(lab.db).length, 1, 'one new segment was enough');
  assertWhole(paths);
  assertAll(paths, sent);
  assert.equal(ledgerOf(lab.db).lost, 0);
  assert.ok(took < 3_500, `it took ${took.toFixed(0)} ms`);
  assert.match(
    recorderLog(lab.db),
    new RegExp(`of the old one \\S+ \\(process ${child.pid}\\) holds its lock`),
    'it names who did it',
  );
  for (const path of paths) assert.ok(isPlain(path), `${path} is plain after the lock is gone`);
  t.diagnostic(
    `F14 ≤ 2 s stall, nothing lost | new segment after ${(took / 1000).toFixed(1)} s, ${sent} of ${sent} stored`,
  );
}
