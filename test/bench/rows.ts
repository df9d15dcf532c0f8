/**
 * Rows of `signal` as a machine makes them, none like another, for the writer and for what it is compared with: processes
 * come and go, so that the ids of those that are signalled grow.
 */

import { SIGNAL, SIGNAL_TABLE } from '../../recorder/events/signal-row.js';
import { NULL, type Rows } from '../../recorder/rows.js';

/** Processes that are signalled at one time. */
const LIVING = 1_000;
/** Signals between two new processes. */
export const SIGNALS = 8;
export const FIRST_TIME = 1_767_225_600_000_000;

/** Sets the columns of row `n` and adds it. Equal numbers give equal rows, in this process and in every other. */
export function addRow(rows: Rows, n: number): void {
  const oldest = Math.floor(n / SIGNALS);
  const sender = 1 + oldest + (hash(n >> 6) % LIVING); // one that sends, sends several
  const target = 1 + oldest + (hash(n) % LIVING);
  const isRefused = n % 16 === 0;
  for (let column = 0; column < SIGNAL_TABLE.columns.length; column++) rows.set(column, NULL);
  rows.set(SIGNAL.time, FIRST_TIME + n * 7);
  rows.set(SIGNAL.count, 1);
  rows.set(SIGNAL.sender, sender);
  rows.set(SIGNAL.sender_tid, 1000 + sender);
  rows.set(SIGNAL.sender_uid, 1000);
  rows.set(SIGNAL.sender_comm, 1 + (sender % 200));
  rows.set(SIGNAL.sender_exec, sender * 2);
  rows.set(SIGNAL.target, isRefused ? NULL : target);
  rows.set(SIGNAL.target_comm, isRefused ? NULL : 1 + (target % 200));
  rows.set(SIGNAL.sig, isRefused ? 15 : 10);
  rows.set(SIGNAL.code, isRefused ? NULL : 0);
  rows.set(SIGNAL.mechanism, 1);
  rows.set(SIGNAL.outcome, isRefused ? -3 : 0);
  rows.set(SIGNAL.disposition, isRefused ? NULL : 2);
  rows.set(SIGNAL.target_arg, isRefused ? 5_000_000 + n : 1000 + target);
  rows.set(SIGNAL.syscall, 62);
  rows.add();
}

function hash(n: number): number {
  const mixed = Math.imul(n ^ (n >>> 16), 0x45d9f3b);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
