/** A process that was there before the recorder becomes a row of `process`, with its arguments from /proc. */

import { EvProcess } from '../../bpf/wire.gen.js';
import type { Context } from '../context.js';
import { type EventSpec, Fate } from '../event-spec.js';
import { type Memory, u64 } from '../lane.js';
import { processFacts } from '../procfs.js';
import { addNewcomer, fillNewcomer, pidAt } from './newcomer.js';

export const snapshot: EventSpec = {
  name: 'snapshot',
  bytes: EvProcess.bytes,
  parts: [],
  table: null,
  apply,
};

function apply(context: Context, memory: Memory, at: number): Fate {
  const { identity } = context;
  const pid = pidAt(memory, at);
  const start = u64(memory, at + EvProcess.h_key_start);
  const known = identity.table.find(pid, start);
  if (known && known.origin !== 'repaired') return Fate.folded; // of an earlier run, or forked meanwhile
  const process = known ?? addNewcomer(context, memory, at, 'snapshot');
  process.origin = 'snapshot';
  process.parent = identity.at(memory, at + EvProcess.parent_start)?.id ?? null;
  const facts = processFacts(pid, start);
  if (facts) identity.enrich(process, facts);
  fillNewcomer(context, process, memory, at);
  return known ? Fate.folded : Fate.stored;
}
