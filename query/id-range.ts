/** Ids grow with time, so the rows of a span of time are found by their primary key, however many others there are. */

import type Database from 'better-sqlite3';
import type { Window } from './query.js';

/** Ids between which all rows of a span are; some others may be there too. */
export interface IdRange {
  first_id: number;
  last_id: number;
}

/** Those of an open span. */
export const ALL: IdRange = { first_id: 0, last_id: Number.MAX_SAFE_INTEGER };
/** Rows of a batch are not quite in the order of their times, and a folded one has the time of its first. */
const BATCH_US = 10_000_000;
/** Execs are never folded, and come in the order of the kernel. */
const EXEC_US = 1_000_000;

const CLOCK_STEPS = `SELECT coalesce(sum(abs(count)), 0) FROM coverage WHERE kind = 'clock'`;
const RECORDINGS = 'SELECT started, coalesce(ended, updated) FROM recording ORDER BY id';

/** The ids of `table` for a span. */
export function idRange(db: Database.Database, table: 'signal' | 'exec', { from, to }: Window): IdRange {
  if (from === null && to === null) return ALL;
  const slack = steps(db) + (table === 'exec' ? EXEC_US : BATCH_US);
  return {
    first_id: from === null ? ALL.first_id : firstIdFrom(db, table, from - slack),
    last_id: to === null ? ALL.last_id : firstIdFrom(db, table, to + slack) - 1,
  };
}

/** By how much, in microseconds, a row may be older than one with a smaller id. */
export function disorder(db: Database.Database): number {
  return BATCH_US + steps(db);
}

/** How far the clock was set in all, in microseconds. */
function steps(db: Database.Database): number {
  let slack = db.prepare(CLOCK_STEPS).pluck().get() as number;
  let last = Number.NEGATIVE_INFINITY;
  for (const [started = 0, updated = 0] of db.prepare(RECORDINGS).raw().all() as number[][]) {
    // The clock was set back while no recorder saw it.
    if (last > started) slack += last - started;
    last = Math.max(started, updated);
  }
  return slack;
}

/** By bisection, the smallest id from which on the times are `time` or later; where none is, one beyond the last. */
function firstIdFrom(db: Database.Database, table: string, time: number): number {
  const next = db
    .prepare(`SELECT id, time FROM ${table} WHERE id >= ? ORDER BY id LIMIT 1`)
    .raw() as Database.Statement<[number], [number, number]>;
  const last = db.prepare(`SELECT id, time FROM ${table} ORDER BY id DESC LIMIT 1`).raw().get() as
    | [number, number]
    | undefined;
  let low = 0;
  let high = (last?.[0] ?? 0) + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const row = next.get(middle);
    if (row === undefined || row[1] >= time) high = middle;
    else low = row[0] + 1;
  }
  return low;
}
