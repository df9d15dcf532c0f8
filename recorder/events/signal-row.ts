/** A row of `signal`, and how it comes about: it is added, or counted in one that is equal. */

import { SnoopHeader } from '../../bpf/wire.gen.js';
import type { Context } from '../context.js';
import { Fate } from '../event-spec.js';
import { type Memory, u64 } from '../ring.js';
import { NULL, type Rows } from '../rows.js';
import { defineTable } from '../table.js';

const REFS = {
  sender: 'process',
  sender_comm: 'comm',
  sender_exec: 'exec',
  target: 'process',
  target_comm: 'comm',
  dying: 'process',
} as const;

/** Two rows that are equal from `sender` on are folded. */
export const SIGNAL_TABLE = defineTable(
  'signal',
  [
    'time',
    'last_time',
    'count',
    'sender',
    'sender_tid',
    'sender_uid',
    'sender_comm',
    'sender_exec',
    'target',
    'target_tid',
    'target_comm',
    'sig',
    'code',
    'mechanism',
    'call',
    'outcome',
    'disposition',
    'target_arg',
    'syscall',
    'dying',
  ],
  REFS,
  20_000,
  'sender',
);

/** Positions of its columns. */
export const SIGNAL = SIGNAL_TABLE.at;

/**
 * Counts the record at `at` in the row of the one that it repeats byte for byte. False: it repeats none.
 */
export function isRepeat(context: Context, memory: Memory, at: number, bytes: number): boolean {
  const row = context.repeats.find(memory, at, bytes, context.identity.table.changes);
  if (row < 0) return false;
  count(context.rows(SIGNAL_TABLE), row, context.clock.wallOf(u64(memory, at + SnoopHeader.time)));
  return true;
}

/**
 * Completes the row whose columns from `sender` on are set: adds it, or counts it in an equal one.
 * @param mayRepeat the next record that equals this one is to be counted in the same row
 */
export function addSignal(
  context: Context,
  memory: Memory,
  at: number,
  bytes: number,
  mayRepeat: boolean,
): Fate {
  const { clock } = context;
  const signals = context.rows(SIGNAL_TABLE);
  const time = clock.wallOf(u64(memory, at + SnoopHeader.time));
  const fresh = signals.length;
  signals.set(SIGNAL.time, time);
  signals.set(SIGNAL.last_time, NULL);
  signals.set(SIGNAL.count, 1);
  const row = signals.add();
  if (mayRepeat) context.repeats.remember(memory, at, bytes, context.identity.table.changes, row);
  if (row === fresh) return Fate.stored;
  count(signals, row, time);
  return Fate.folded;
}

function count(signals: Rows, row: number, time: number): void {
  signals.put(row, SIGNAL.count, signals.get(row, SIGNAL.count) + 1);
  signals.put(row, SIGNAL.last_time, time);
}
