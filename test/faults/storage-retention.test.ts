/** Old segments go when there are too many, when they are too large together, or too old; violent deaths stay. */

import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import Database from 'better-sqlite3';
import { APPLICATION_ID } from '../../migrations/database.js';
import { migrations, schemaVersion } from '../../migrations/migrate.js';
import { freeSealedName } from '../../migrations/segment-names.js';
import { type SegmentOptions, Segments } from '../../recorder/segments.js';
import { cannotRecord, Lab } from '../kernel/lab.js';
import { batchOf, databaseFile, RUN, worldOf } from '../unit/batches.js';
import { exit, fork, type Key, signal } from '../unit/records.js';
import { BOOTED_US } from '../unit/world.js';
import { ask, assertWhole, bytesOf, FIRST, isPlain, ledgerOf, sealedOf, segmentsOf } from './storage.js';

const MIB = 1 << 20;
const HOUR_US = 3_600e6;

test('--max-size bounds what lies on the disk, and who killed whom is known all the same', {
  skip: cannotRecord,
}, async t => {
  const lab = Lab.open(t);
  lab.record('--max-size', '16M');
  const kill = () =>
    Number(lab.inside('/bin/sh', '-c', 'sleep 1000 & echo victim=$!; kill -9 $!; wait').facts.get('victim'));
  const first = kill();
  const sizeOf = () =>
    readdirSync(lab.directory).reduce(
      (sum, name) => sum + (name.startsWith('lab') ? bytesOf(join(lab.directory, name)) : 0),
      0,
    );
  let most = 0;
  let segments = 0;
  const watch = setInterval(() => {
    most = Math.max(most, sizeOf());
    segments = Math.max(segments, sealedOf(lab.db).length);
  }, 20);
  const numbers = lab.background('sequence', String(FIRST), '600000', '60000');
  await numbers.end();
  clearInterval(watch);
  const last = kill();
  lab.stop();
  const kept = join(lab.directory, 'lab-kept.db');
  assertWhole([...segmentsOf(lab.db), kept]);
  assert.ok(segmentsOf(lab.db).every(isPlain) && isPlain(kept));
  assert.equal(ledgerOf(lab.db).lost, 0);
  assert.ok(segments <= 8, `${segments} sealed segments`);
  assert.ok(most <= 20 * MIB, `${most} bytes`);
  assert.equal(
    ask(kept, 'SELECT * FROM kills WHERE pid = ?', first).length,
    1,
    'its segment is gone, its death is kept',
  );
  for (const victim of [first, last]) {
    const answer = lab.whoKilled(victim);
    assert.deepEqual([answer.verdict, answer.mechanism, answer.killer.comm], ['killed', 'kill', 'sh']);
  }
  t.diagnostic(
    `retention: ≤ 8 sealed, ≤ 16 MiB + 1 segment | at most ${segments} sealed, ${(most / MIB).toFixed(1)} MiB; who-killed answers from the kept deaths`,
  );
});

const VICTIM: Key = { pid: 7_000_200, start: 6e9, comm: 'victim' };
const KILLER: Key = { pid: 7_000_100, start: 5e9, comm: 'killer' };

/** Segments on a clock that the test sets. */
function segmentsOn(
  t: TestContext,
  options: Partial<SegmentOptions>,
): { segments: Segments; db: string; clock: { us: number } } {
  const db = databaseFile(t);
  const clock = { us: BOOTED_US + HOUR_US };
  const segments = new Segments(
    { db, maxBytes: 1 << 30, keepFreeBytes: null, retainUs: null, group: null, ...options },
    'boot-1',
    () => clock.us,
  );
  t.after(() => segments.abandon());
  segments.begin(RUN);
  return { segments, db, clock };
}

test('--retain drops segments by their age, and keeps their violent deaths', t => {
  const { segments, db, clock } = segmentsOn(t, { retainUs: 8 * HOUR_US });
  const world = worldOf(segments.store);
  for (const key of [KILLER, VICTIM])
    world.apply(fork({ child: key, parent: { pid: 1, start: 1e6, comm: 'init' } }));
  world.apply(signal({ sig: 9, sender: KILLER, target: VICTIM, time: 7e9 }));
  world.apply(exit({ process: VICTIM, parent: KILLER, status: 9, time: 7.1e9 }));
  segments.write(batchOf(world));
  world.stored();
  const names: string[][] = [];
  for (let hour = 0; hour < 30; hour++) {
    clock.us += HOUR_US;
    segments.write(batchOf(null));
    names.push(sealedOf(db));
  }
  assert.ok(names.every(paths => paths.length <= 9));
  const [oldest] = names.at(-1) as [string];
  assert.ok(!names[5]?.includes(oldest), 'the old ones are gone');
  const kept = join(dirname(db), 'snooprec-kept.db');
  const deaths = ask<{ pid: number; killer_comm: string }>(kept, 'SELECT * FROM kills');
  assert.deepEqual(
    deaths.map(death => [death.pid, death.killer_comm]),
    [[VICTIM.pid, 'killer']],
  );
  const living = ask(db, `SELECT * FROM processes WHERE pid = ${KILLER.pid}`);
  assert.equal(living.length, 1, 'the living are carried from segment to segment');
  assert.equal(ask(db, `SELECT * FROM processes WHERE pid = ${VICTIM.pid}`).length, 0);
});

test('who reads what was kept, and does not stop, holds up nothing: a copy takes its place', t => {
  const { segments, db, clock } = segmentsOn(t, { retainUs: 8 * HOUR_US });
  const world = worldOf(segments.store);
  const die = (victim: Key, time: number): void => {
    for (const key of [KILLER, victim])
      world.apply(fork({ child: key, parent: { pid: 1, start: 1e6, comm: 'init' } }));
    world.apply(signal({ sig: 9, sender: KILLER, target: victim, time }));
    world.apply(exit({ process: victim, parent: KILLER, status: 9, time: time + 1e8 }));
    segments.write(batchOf(world));
    world.stored();
  };
  const dropAll = (): void => {
    for (let hour = 0; hour < 20; hour++) {
      clock.us += HOUR_US;
      segments.write(batchOf(null));
    }
  };
  const kept = join(dirname(db), 'snooprec-kept.db');
  die(VICTIM, 7e9);
  dropAll();
  const reader = new Database(kept, { readonly: true });
  t.after(() => reader.close());
  reader.exec('BEGIN');
  assert.equal(reader.prepare('SELECT count(*) FROM kills').pluck().get(), 1);
  const second = { ...VICTIM, pid: VICTIM.pid + 1, start: 8e9 };
  die(second, 9e9);
  const from = performance.now();
  dropAll();
  assert.ok(performance.now() - from < 15_000, 'it hardly waits for the reader');
  assert.deepEqual(
    ask<{ pid: number }>(kept, 'SELECT * FROM kills ORDER BY pid').map(({ pid }) => pid),
    [VICTIM.pid, second.pid],
  );
});

test('what is kept of dropped segments is bounded too, and the youngest deaths stay', t => {
  const { segments, db, clock } = segmentsOn(t, { maxBytes: 8 * MIB });
  const world = worldOf(segments.store);
  world.apply(fork({ child: KILLER, parent: { pid: 1, start: 1e6, comm: 'init' } }));
  let pid = 7_100_000;
  for (let batch = 0; batch < 60; batch++) {
    for (let n = 0; n < 1_000; n++) {
      const victim = { pid: pid++, start: 6e9, comm: 'victim' };
      world.apply(fork({ child: victim, parent: KILLER }));
      world.apply(signal({ sig: 9, sender: KILLER, target: victim, time: 7e9 + pid * 1000 }));
      world.apply(exit({ process: victim, parent: KILLER, status: 9, time: 7e9 + pid * 1000 }));
    }
    clock.us += 1e6;
    segments.write(batchOf(world));
    world.stored();
    world.table.expire(clock.us + HOUR_US);
  }
  const kept = join(dirname(db), 'snooprec-kept.db');
  assert.ok(existsSync(kept));
  segments.close('stopped', clock.us);
  assert.ok(bytesOf(kept) <= MIB * 1.1, `${bytesOf(kept)} bytes are kept`);
  assertWhole([kept]);
  const oldest = ask<{ pid: number }>(
    sealedOf(db)[0] as string,
    'SELECT min(target.pid) AS pid FROM signal JOIN process target ON target.id = target',
  )[0];
  const youngest = ask<{ pid: number }>(kept, 'SELECT max(pid) AS pid FROM kills')[0];
  assert.equal(youngest?.pid, (oldest?.pid as number) - 1, 'up to the oldest segment no death is missing');
});

test('--keep-free drops old segments when others fill the disk, and never the live one', t => {
  const { segments, db, clock } = segmentsOn(t, { retainUs: 8 * HOUR_US, keepFreeBytes: 2 ** 60 });
  const world = worldOf(segments.store);
  for (const key of [KILLER, VICTIM])
    world.apply(fork({ child: key, parent: { pid: 1, start: 1e6, comm: 'init' } }));
  world.apply(signal({ sig: 9, sender: KILLER, target: VICTIM, time: 7e9 }));
  world.apply(exit({ process: VICTIM, parent: KILLER, status: 9, time: 7.1e9 }));
  segments.write(batchOf(world));
  world.stored();
  for (let hour = 0; hour < 4; hour++) {
    clock.us += HOUR_US;
    segments.write(batchOf(null));
  }
  segments.close('stopped', clock.us);
  assert.deepEqual(sealedOf(db), []);
  assertWhole([db]);
  const deaths = ask(join(dirname(db), 'snooprec-kept.db'), 'SELECT * FROM kills WHERE pid = ?', VICTIM.pid);
  assert.equal(deaths.length, 1, 'who killed whom is kept');
});

test('sealed segments of an older schema are brought up to date, so that questions read them with the others', t => {
  const db = databaseFile(t);
  const old = freeSealedName(db, BOOTED_US);
  const file = new Database(old);
  file.exec(migrations()[0]?.sql as string);
  file.pragma('user_version = 1');
  file.pragma(`application_id = ${APPLICATION_ID}`);
  file.exec("INSERT INTO boot (id, boot_id) VALUES (1, 'boot-1')");
  file.close();
  const segments = new Segments(
    { db, maxBytes: 1 << 30, keepFreeBytes: null, retainUs: null, group: null },
    'boot-1',
    () => BOOTED_US + HOUR_US,
  );
  segments.begin(RUN);
  segments.close('stopped', BOOTED_US + 2 * HOUR_US);
  assert.deepEqual(ask(old, 'PRAGMA user_version'), [{ user_version: schemaVersion() }]);
  assert.deepEqual(ask(old, 'SELECT count(*) AS n FROM kills'), [{ n: 0 }]);
  assert.ok(isPlain(old));
});
