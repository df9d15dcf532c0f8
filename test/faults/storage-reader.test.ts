/** F15 and F22: readers, however careless or old, neither bloat nor harm a recording. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { cannotRecord, Lab } from '../kernel/lab.js';
import {
  assertAll,
  assertWhole,
  bytesOf,
  FIRST,
  holder,
  isPlain,
  ledgerOf,
  numbersIn,
  ready,
  sealedOf,
  segmentsOf,
  until,
} from './storage.js';

const skip = cannotRecord;
const MIB = 1 << 20;

test('F15: a reader that forgets its SELECT does not make the log grow beyond 64 MiB', { skip }, async t => {
  const lab = Lab.open(t);
  lab.record();
  const child = await holder(
    t,
    lab.db,
    "const rows = globalThis.rows = db.prepare('SELECT * FROM signal_name').iterate(); rows.next()",
  );
  const numbers = lab.background('sequence', String(FIRST), '1200000', '100000');
  let largest = 0;
  const watch = setInterval(() => {
    for (const path of segmentsOf(lab.db)) largest = Math.max(largest, bytesOf(`${path}-wal`));
  }, 5);
  try {
    await until('it went on in a new segment', () => sealedOf(lab.db).length > 0, 60_000);
    const sent = Number((await numbers.end()).facts.get('sent'));
    const [sealed] = sealedOf(lab.db) as [string];
    assert.ok(!isPlain(sealed), 'the reader still has it');
    child.kill('SIGKILL');
    await until('the reader is gone', () => child.exitCode !== null || child.signalCode !== null);
    lab.stop(); // looks after sealed segments, as it does every minute
    assert.ok(segmentsOf(lab.db).every(isPlain), 'every segment is plain after the reader left');
    const { lost } = ledgerOf(lab.db);
    assertWhole(segmentsOf(lab.db));
    assert.equal(numbersIn(segmentsOf(lab.db)).size + lost, sent);
    assert.ok(largest > 16 * MIB && largest <= 64 * MIB, `the log had ${largest} bytes`);
    t.diagnostic(
      `F15 log ≤ 64 MiB | ${(largest / MIB).toFixed(1)} MiB over ${sent} distinct events, ${lost} lost`,
    );
    assert.equal(lost, 0);
  } finally {
    clearInterval(watch);
  }
});

test('F15: a segment that a reader held becomes plain also when another recorder finds it', {
  skip,
}, async t => {
  const lab = Lab.open(t);
  lab.record();
  const lock = await holder(t, lab.db, "db.exec('BEGIN IMMEDIATE')");
  lab.background('sequence', String(FIRST), '0', '100');
  await until('it went on in a new segment', () => sealedOf(lab.db).length > 0);
  lab.stop();
  assert.ok(!isPlain(sealedOf(lab.db)[0] as string));
  lock.kill('SIGKILL');
  await sleep(100);
  lab.record();
  lab.stop();
  assert.ok(segmentsOf(lab.db).every(isPlain));
});

test('F22: the SQLite that writes is one in which the log cannot be reset under a reader', () => {
  const db = new Database(':memory:');
  const version = db.prepare('SELECT sqlite_version()').pluck().get() as string;
  db.close();
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  assert.ok(major * 1e6 + minor * 1e3 + patch >= 3_051_003, version);
});

test('F22: command-line readers of an older SQLite in a loop do no harm in a storm', { skip }, async t => {
  const lab = Lab.open(t);
  lab.record('--max-size', '64M');
  const loop =
    'echo looping; while :; do sqlite3 "$0" "SELECT count(*), max(id) FROM signal" >/dev/null 2>&1; done';
  const readers = [lab.db, lab.db, `file:${lab.db}?mode=ro`].map(path =>
    ready(t, 'looping', '/bin/sh', '-c', loop, path),
  );
  await Promise.all(readers);
  const sent = Number(lab.inside('sequence', String(FIRST), '150000', '20000').facts.get('sent'));
  for (const reader of readers) (await reader).kill('SIGKILL');
  await sleep(300);
  lab.stop();
  assertWhole(segmentsOf(lab.db));
  const { lost } = ledgerOf(lab.db);
  assert.equal(lost, 0);
  assertAll(segmentsOf(lab.db), sent);
  t.diagnostic(
    `F22 no harm from sqlite3 3.40.1 readers | 3 looping, ${sent} of ${sent} stored in ${segmentsOf(lab.db).length} segments`,
  );
});
