/**
 * Guards of the hot path: ratios of CPU time within one run, with slack for a busy machine. Each fails when its part gets
 * about twice as slow. What it is worth in the end is measured by `npm run bench`.
 */

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import Database from 'better-sqlite3';
import { SIGNAL_TABLE } from '../../recorder/events/signal-row.js';
import { applyRecord } from '../../recorder/events.js';
import { Rows } from '../../recorder/rows.js';
import { addRow } from '../bench/rows.js';
import { emptyStore } from '../bench/storage.js';
import { batchOf, databaseFile } from './batches.js';
import { FakeLane } from './fake-ring.js';
import { signal } from './records.js';
import { World } from './world.js';

const RECORDS = 10_000; // they stay in the processor's cache: its misses are not ours to guard

/** The least of some rounds in turn: whatever disturbs can only add. */
function leastOf(rounds: number, works: readonly (() => void)[]): number[] {
  const least = works.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < rounds; round++) {
    for (const [i, work] of works.entries()) {
      const before = process.cpuUsage();
      work();
      const { user, system } = process.cpuUsage(before);
      least[i] = Math.min(least[i] as number, user + system);
    }
  }
  return least;
}

function assertRatio(t: TestContext, what: string, [mine, base]: number[], most: number): void {
  const ratio = (mine as number) / (base as number);
  t.diagnostic(`${what}: ${ratio.toFixed(2)}, at most ${most}`);
  assert.ok(ratio <= most, `${what} is ${ratio.toFixed(2)}, should be at most ${most}`);
}

test('storing rows is no slower than a statement for each row would be', t => {
  const path = databaseFile(t);
  const rows = new Rows(SIGNAL_TABLE, 1);
  for (let n = 0; n < SIGNAL_TABLE.capacity; n++) addRow(rows, n);
  const fresh = () => {
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
    return emptyStore(path);
  };
  const ours = () => {
    const store = fresh();
    store.write(batchOf(null, { rows: [rows] }));
    store.abandon();
  };
  const plain = () => {
    fresh().abandon();
    const db = new Database(path);
    db.pragma('foreign_keys = OFF');
    const columns = ['id', ...SIGNAL_TABLE.columns];
    const all = SIGNAL_TABLE.columns.map((_, i) => i);
    const insert = db.prepare(
      `INSERT INTO signal (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
    );
    const values: (number | null)[] = new Array(columns.length).fill(null);
    db.transaction(() => {
      for (let n = 0; n < rows.length; n++) {
        rows.copy(all, n, 1, values);
        insert.run(...values);
      }
    })();
    db.close();
  };
  const empty = () => fresh().abandon();
  const [mine = 0, one = 0, none = 0] = leastOf(5, [ours, plain, empty]);
  assertRatio(t, 'our writer to one row a statement', [mine - none, one - none], 1.1);
});

/** A lane full of records: no two of one sender and target, or all of them equal. */
function laneOf(processes: number): FakeLane {
  const lane = new FakeLane(1 << 21);
  const key = (n: number) => ({ pid: 1000 + (n % processes), start: 1e9 + (n % processes), comm: 'guard' });
  for (let n = 0; n < RECORDS; n++) {
    const target = key(n + 1 + Math.floor(n / processes));
    assert.ok(lane.write(signal({ sig: 10, sender: key(n), target, time: 2e9 + n })));
  }
  return lane;
}

/** Reads every word of every record once, and does nothing with them. */
function walk(lane: FakeLane): number {
  let sum = 0;
  const ring = lane.reopen();
  for (ring.look(); ring.next(); ring.take()) {
    const to = (ring.at + ring.length) >> 2;
    for (let i = ring.at >> 2; i < to; i++) sum = (sum + (ring.memory.i32[i] as number)) | 0;
  }
  return sum;
}

function apply(lane: FakeLane, world: World): void {
  const ring = lane.reopen();
  for (ring.look(); ring.next(); ring.take()) {
    applyRecord(world.context, ring.memory, ring.at, ring.length);
    if (world.isFull) world.stored();
  }
}

for (const { what, processes, most } of [
  { what: 'distinct records', processes: 500, most: 14 },
  { what: 'one record again and again', processes: 1, most: 3.2 },
]) {
  test(`making rows of ${what} costs a small multiple of reading them`, t => {
    const lane = laneOf(processes);
    const world = new World();
    assertRatio(t, `rows of ${what}`, leastOf(40, [() => apply(lane, world), () => walk(lane)]), most);
  });
}
