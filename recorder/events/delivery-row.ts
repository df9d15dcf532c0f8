/** A row of `delivery`: a signal that took effect, told by the siginfo that came with it. */

import { SnoopSiginfo } from '../../bpf/wire.gen.js';
import type { Context } from '../context.js';
import type { Memory } from '../lane.js';
import { mechanismOfCode } from '../mechanism.js';
import type { Process } from '../process-table.js';
import { NULL } from '../rows.js';
import { defineTable } from '../table.js';
import { COUNTED } from './counted-row.js';

/** Two rows that are equal from `process` on are folded. */
export const DELIVERY_TABLE = defineTable(
  'delivery',
  [...COUNTED, 'process', 'tid', 'sig', 'code', 'action', 'mechanism', 'from_pid', 'from_uid'],
  { process: 'process' },
  20_000,
  'process',
);

const DELIVERY = DELIVERY_TABLE.at;

/**
 * Sets the columns from `process` on.
 * @param info   where the record has its struct snoop_siginfo
 * @param action what the signal did: disposition_name
 */
export function setDelivery(
  context: Context,
  memory: Memory,
  info: number,
  process: Process,
  tid: number,
  action: number,
): void {
  const rows = context.rows(DELIVERY_TABLE);
  const sig = memory.u32[(info + SnoopSiginfo.sig) >> 2] as number;
  const code = memory.i32[(info + SnoopSiginfo.code) >> 2] as number;
  const from = memory.i32[(info + SnoopSiginfo.from) >> 2] as number;
  rows.set(DELIVERY.process, process.id);
  rows.set(DELIVERY.tid, tid === process.pid ? NULL : tid);
  rows.set(DELIVERY.sig, sig);
  rows.set(DELIVERY.code, code);
  rows.set(DELIVERY.action, action);
  rows.set(DELIVERY.mechanism, mechanismOfCode(sig, code) ?? NULL);
  rows.set(DELIVERY.from_pid, from === 0 ? NULL : from);
  rows.set(
    DELIVERY.from_uid,
    from === 0 ? NULL : (memory.u32[(info + SnoopSiginfo.from_uid) >> 2] as number),
  );
}
