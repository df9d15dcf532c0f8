/** F18 and F19: whatever is done to the files under the recorder, it goes on, keeps what can be kept and tells of the rest. */

import assert from 'node:assert/strict';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { cannotRecord, Lab } from '../kernel/lab.js';
import {
  asideOf,
  ask,
  assertAll,
  assertWhole,
  bytesOf,
  FIRST,
  isPlain,
  ledgerOf,
  numbersIn,
  recorderPid,
  sealedOf,
  segmentsOf,
  shedOf,
  until,
} from './storage.js';

const skip = cannotRecord;
const PER_SECOND = 5_000;

interface Damaged {
  lab: Lab;
  db: string;
  sent: number;
  /** Until there was a live segment again, milliseconds. */
  took: number;
}

/** Records numbers into a directory of its own, has something done to the files after 1.5 s, and stops 2 s after that. */
async function damaged(
  t: TestContext,
  harm: (db: string) => void,
  hasGoneOn: (db: string) => boolean,
): Promise<Damaged> {
  const lab = Lab.open(t);
  const db = join(lab.directory, 'rec', 'x.db');
  assert.equal(lab.snooprec('start', '--cgroup', lab.cgroup, '--db', db).status, 0);
  try {
    const pid = recorderPid(lab, db);
    const numbers = lab.background('sequence', String(FIRST), String(4 * PER_SECOND), String(PER_SECOND));
    await sleep(1_500);
    harm(db);
    const took = await until('there is a new segment', () => hasGoneOn(db));
    const sent = Number((await numbers.end()).facts.get('sent'));
    await sleep(500);
    const killer = lab.inside('/bin/sh', '-c', 'sleep 1000 & echo victim=$!; kill -9 $!; wait');
    await sleep(500);
    assert.equal(recorderPid(lab, db), pid, 'the same recorder goes on');
    const answer = lab.snoopq('who-killed', String(killer.facts.get('victim')), '--json', '--db', db);
    assert.equal(JSON.parse(answer.stdout).verdict, 'killed', answer.stderr);
    return { lab, db, sent, took };
  } finally {
    const stopped = lab.snooprec('stop', '--db', db);
    assert.equal(stopped.status, 0, stopped.stderr);
  }
}

const isNew = (db: string) => existsSync(db) && sealedOf(db).length > 0;

/** Nothing was lost, since the recorder still had the file when it had no name any more. */
function assertRescued(t: TestContext, what: string, { db, sent, took }: Damaged): void {
  const paths = segmentsOf(db);
  assertWhole(paths);
  assert.ok(paths.every(isPlain));
  assertAll(paths, sent);
  assert.equal(ledgerOf(db).lost, 0);
  assert.deepEqual(shedOf(db), []);
  t.diagnostic(
    `F18 ${what}: noticed with the next batch, nothing lost | new segment after ${(took / 1000).toFixed(2)} s, ${sent} of ${sent} stored`,
  );
}

test('F18: a database that is deleted is rescued whole', { skip }, async t => {
  assertRescued(t, 'rm', await damaged(t, unlinkSync, isNew));
});

test('F18: so is one that is deleted with its log', { skip }, async t => {
  const harm = (db: string) => {
    for (const suffix of ['', '-wal', '-shm']) unlinkSync(db + suffix);
  };
  assertRescued(t, 'rm with log', await damaged(t, harm, isNew));
});

test('F18: so is one whose log alone is deleted', { skip }, async t => {
  const outcome = await damaged(t, db => unlinkSync(`${db}-wal`), isNew);
  assertRescued(t, 'rm -wal', outcome);
});

test('F18: so is one that is moved away', { skip }, async t => {
  const outcome = await damaged(t, db => renameSync(db, `${db}.1`), isNew);
  assertRescued(t, 'mv', outcome);
});

test('F18: so is one that is replaced; what took its place is set aside as it is', { skip }, async t => {
  const harm = (db: string) => {
    renameSync(db, `${db}.1`);
    writeFileSync(db, 'my notes\n');
  };
  const outcome = await damaged(t, harm, isNew);
  assertRescued(t, 'mv and another file', outcome);
  assert.deepEqual(asideOf(outcome.db), ['x.db~']);
  assert.equal(readFileSync(`${outcome.db}~`, 'utf8'), 'my notes\n');
});

test('F18: so is one whose directory is renamed', { skip }, async t => {
  const harm = (db: string) => renameSync(dirname(db), `${dirname(db)}.old`);
  assertRescued(t, 'mv of the directory', await damaged(t, harm, isNew));
});

test('F18: so is one whose directory is removed', { skip }, async t => {
  const harm = (db: string) => rmSync(dirname(db), { recursive: true });
  assertRescued(t, 'rm of the directory', await damaged(t, harm, isNew));
});

test('F18: so is one whose directory is replaced', { skip }, async t => {
  const harm = (db: string) => {
    rmSync(dirname(db), { recursive: true });
    mkdirSync(dirname(db), { mode: 0o750 });
  };
  assertRescued(t, 'another directory', await damaged(t, harm, isNew));
});

/** The file is set aside, the recorder goes on, and the ledger says what span cannot be read. */
function assertSetAside(t: TestContext, what: string, { db, sent, took }: Damaged): void {
  assert.deepEqual(
    asideOf(db).filter(name => name === 'x.db~'),
    ['x.db~'],
  );
  const paths = segmentsOf(db);
  assertWhole(paths);
  assert.equal(ledgerOf(db).lost, 0);
  const shed = ask<{ from_us: number; to_us: number; cause: string }>(
    db,
    "SELECT * FROM coverages WHERE kind = 'shed'",
  );
  assert.equal(shed.length, 1);
  const [{ from_us, to_us, cause }] = shed as [{ from_us: number; to_us: number; cause: string }];
  assert.match(cause, /^the segment was set aside: it (was cut|is damaged)$/);
  assert.ok(to_us - from_us > 1e6 && to_us - from_us < 8e6, 'the span is that of the segment');
  const numbers = numbersIn(paths);
  for (const [number, count] of numbers) assert.equal(count, 1, `${number} came once`);
  assert.ok(numbers.has(FIRST + sent - 1), 'what came after is stored');
  const told = ask<{ id: number }>(db, 'SELECT id FROM processes WHERE comm IS NULL');
  assert.equal(told.length, 0, 'living processes are told again');
  t.diagnostic(
    `F19 ${what}: set aside, goes on, told | new segment after ${(took / 1000).toFixed(2)} s, ${numbers.size} of ${sent} stored`,
  );
}

const isAside = (db: string) => existsSync(`${db}~`) && existsSync(db);

for (const [what, harm] of [
  ['truncated to nothing', db => truncateSync(db)],
  ['truncated to half', db => truncateSync(db, (bytesOf(db) >> 13) << 12)],
] as [string, (db: string) => void][]) {
  test(`F19: a database that is ${what} is set aside, and the ledger says so`, { skip }, async t => {
    assertSetAside(t, what, await damaged(t, harm, isAside));
  });
}

/** Overwrites pages with noise. */
function scribble(path: string, pages: readonly number[]): void {
  const fd = openSync(path, 'r+');
  for (const page of pages) writeSync(fd, Buffer.alloc(4096, 0x5a), 0, 4096, page * 4096);
  closeSync(fd);
}

test('F19: a database with pages overwritten is set aside as soon as SQLite meets one', { skip }, async t => {
  const harm = (db: string) =>
    scribble(
      db,
      Array.from({ length: (bytesOf(db) >> 12) - 1 }, (_, page) => page + 1),
    );
  const outcome = await damaged(t, harm, db => isAside(db) || bytesOf(db) > 0);
  const { db } = outcome;
  // Its pages are in the cache, so that a short run may never read what lies in the file: then the next start finds out.
  if (asideOf(db).length === 0) {
    outcome.lab.snooprec('start', '--cgroup', outcome.lab.cgroup, '--db', db);
    outcome.lab.snooprec('stop', '--db', db);
  }
  assert.deepEqual(asideOf(db), ['x.db~']);
  assert.equal(shedOf(db).length, 1);
  assertWhole(segmentsOf(db));
});

test('F19: damage that is met when the segment is full is not sealed', { skip }, async t => {
  const lab = Lab.open(t);
  lab.record('--max-size', '16M');
  lab.inside('sequence', String(FIRST), '100000', '50000');
  await until('the log was checkpointed', () => bytesOf(lab.db) > 1 << 20);
  const [root] = ask<{ rootpage: number }>(
    lab.db,
    "SELECT rootpage FROM sqlite_master WHERE name = 'process'",
  ) as [{ rootpage: number }];
  scribble(lab.db, [root.rootpage - 1]);
  lab.inside('sequence', String(FIRST + 100_000), '100000', '50000');
  await until('it was set aside', () => asideOf(lab.db).length > 0);
  lab.stop();
  assertWhole(segmentsOf(lab.db));
  assert.equal(shedOf(lab.db).length, 1);
  assert.deepEqual(
    readdirSync(lab.directory).filter(name => name.endsWith('~')),
    ['lab.db~'],
  );
});

for (const [when, isRead] of [
  ['', false],
  [', also when a reader makes it anew at once', true],
] as const) {
  test(`F19: cutting the index of the log costs nothing${when}`, { skip }, async t => {
    const lab = Lab.open(t);
    lab.record();
    const numbers = lab.background('sequence', String(FIRST), String(3 * PER_SECOND), String(PER_SECOND));
    await sleep(1_000);
    // SQLite shares it in mapped memory; who reads there beyond its end is ended by SIGBUS, which nobody can catch in Node.
    truncateSync(`${lab.db}-shm`);
    if (isRead) ask(lab.db, 'SELECT count(*) FROM signal');
    await sleep(1_000);
    const isGone = lab.snooprec('status').status === 3;
    if (isGone) lab.record();
    const sent = Number((await numbers.end()).facts.get('sent'));
    lab.stop();
    assertWhole(segmentsOf(lab.db));
    assertAll(segmentsOf(lab.db), sent);
    assert.equal(ledgerOf(lab.db).lost, 0);
    t.diagnostic(
      `F19 -shm cut${when}: nothing lost | the recorder ${isGone ? 'was ended by SIGBUS and started again' : 'stayed'}`,
    );
  });
}
