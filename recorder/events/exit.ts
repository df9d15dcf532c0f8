/** The end of a process completes its row. */

import { EvExit, SnoopDisposition } from '../../bpf/wire.gen.js';
import type { Context } from '../context.js';
import { type EventSpec, Fate } from '../event-spec.js';
import { type Memory, u64 } from '../lane.js';
import type { Process } from '../process-table.js';
import { addCounted } from './counted-row.js';
import { DELIVERY_TABLE, setDelivery } from './delivery-row.js';

export const exit: EventSpec = {
  name: 'exit',
  bytes: EvExit.bytes,
  parts: [],
  table: DELIVERY_TABLE,
  apply,
};

function apply(context: Context, memory: Memory, at: number): Fate {
  const { clock, identity, cgroups } = context;
  const process = identity.at(memory, at + EvExit.h_key_start);
  if (process === null) return Fate.malformed;
  if (process.ended !== null) return Fate.folded; // two last threads at once: both told the same
  process.ended = clock.wallOf(u64(memory, at + EvExit.h_time));
  process.unseenEnd = null;
  process.status = memory.i32[(at + EvExit.status) >> 2] as number;
  process.userUs = Math.round(u64(memory, at + EvExit.utime) / 1000);
  process.systemUs = Math.round(u64(memory, at + EvExit.stime) / 1000);
  process.maxRssKb = u64(memory, at + EvExit.max_rss_pages) * context.pageKb;
  identity.comm(process, memory, at + EvExit.comm);
  const parent = identity.at(memory, at + EvExit.parent_start)?.id ?? null;
  if (process.origin === 'repaired') {
    // Its fork was lost, so this record says what that one would have.
    process.parent ??= parent;
    process.uid ??= memory.u32[(at + EvExit.uid) >> 2] as number;
    process.cgroup ??= cgroups.id(u64(memory, at + EvExit.cgroup));
  }
  process.lastParent = parent === process.parent ? null : parent;
  identity.table.ended(process);
  if (memory.u32[(at + EvExit.info_sig) >> 2] !== 0 && !process.tookDefault)
    addCause(context, memory, at, process);
  return Fate.stored;
}

/** The signal that ended it never left its queue: it took effect all the same. */
function addCause(context: Context, memory: Memory, at: number, process: Process): void {
  setDelivery(context, memory, at + EvExit.info_sig, process, process.pid, SnoopDisposition.DEFAULT);
  addCounted(context, DELIVERY_TABLE, memory, at, EvExit.bytes, false);
}
