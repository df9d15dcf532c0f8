/** A row of `signal`, and how it comes about: it is added, or counted in one that is equal. */

import type { Context } from '../context.js';
import type { Fate } from '../event-spec.js';
import type { Memory } from '../lane.js';
import { defineTable } from '../table.js';
import { addCounted, COUNTED, countRepeat } from './counted-row.js';

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
    ...COUNTED,
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
  ['last_time', 'target_tid', 'call', 'dying'],
);

/** Positions of its columns. */
export const SIGNAL = SIGNAL_TABLE.at;

/** Counts the record at `at` in the row of the one that it repeats byte for byte. False: it repeats none. */
export function isRepeat(context: Context, memory: Memory, at: number, bytes: number): boolean {
  return countRepeat(context, SIGNAL_TABLE, memory, at, bytes);
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
  return addCounted(context, SIGNAL_TABLE, memory, at, bytes, mayRepeat);
}
