/** What the event table says of one type of record. */

import type { Context } from './context.js';
import type { Memory } from './lane.js';
import type { Table } from './table.js';

/** What became of a record. */
export const enum Fate {
  /** It has a row of its own. */
  stored,
  /** It is counted in, or adds to, a row that is there. */
  folded,
  /** It could not be decoded. */
  malformed,
}

export interface EventSpec {
  /** In the ledger. */
  name: string;
  /** Length of the fixed part. */
  bytes: number;
  /** Offsets of the u32 lengths of the variable parts, which follow the fixed part in this order. */
  parts: readonly number[];
  /** The table that it fills; null: it only tells of processes and cgroups, which have a way of their own. */
  table: Table | null;
  /** Turns the record at `at` into rows. It has been checked, and its bytes are lent: copy what you keep. */
  apply(context: Context, memory: Memory, at: number): Fate;
}
