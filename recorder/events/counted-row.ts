/**
 * Rows that stand for many equal records: their table begins with time, last_time and count. A record that repeats one byte
 * for byte is counted without being looked at; one that only makes an equal row is counted there too.
 */

import { SnoopHeader } from '../../bpf/wire.gen.js';
import type { Context } from '../context.js';
import { Fate } from '../event-spec.js';
import { type Memory, u64 } from '../lane.js';
import { NULL, type Rows } from '../rows.js';
import type { Table } from '../table.js';

/** The first columns of such a table; the next one is the first of those that must be equal. */
export const COUNTED = ['time', 'last_time', 'count'] as const;

const TIME = 0;
const LAST_TIME = 1;
const COUNT = 2;

/** Counts the record at `at` in the row of the one that it repeats byte for byte. False: it repeats none. */
export function countRepeat(
  context: Context,
  table: Table,
  memory: Memory,
  at: number,
  bytes: number,
): boolean {
  const row = context.repeats.find(memory, at, bytes, context.identity.table.changes);
  if (row < 0) return false;
  count(context.rows(table), row, context.clock.wallOf(u64(memory, at + SnoopHeader.time)));
  return true;
}

/**
 * Completes the row whose other columns are set: adds it, or counts it in an equal one.
 * @param mayRepeat the next record that equals this one is to be counted in the same row
 */
export function addCounted(
  context: Context,
  table: Table,
  memory: Memory,
  at: number,
  bytes: number,
  mayRepeat: boolean,
): Fate {
  const rows = context.rows(table);
  const time = context.clock.wallOf(u64(memory, at + SnoopHeader.time));
  const fresh = rows.length;
  rows.set(TIME, time);
  rows.set(LAST_TIME, NULL);
  rows.set(COUNT, 1);
  const row = rows.add();
  if (mayRepeat) context.repeats.remember(memory, at, bytes, context.identity.table.changes, row);
  if (row === fresh) return Fate.stored;
  count(rows, row, time);
  return Fate.folded;
}

function count(rows: Rows, row: number, time: number): void {
  rows.put(row, COUNT, rows.get(row, COUNT) + 1);
  rows.put(row, LAST_TIME, time);
}
