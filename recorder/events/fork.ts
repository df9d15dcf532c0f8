/** A fork becomes a row of `process`. */

import { EvProcess } from '../../bpf/wire.gen.js';
import type { Context } from '../context.js';
import { type EventSpec, Fate } from '../event-spec.js';
import { type Memory, u64 } from '../lane.js';
import { addNewcomer, fillNewcomer, pidAt } from './newcomer.js';

export const fork: EventSpec = {
  name: 'fork',
  bytes: EvProcess.bytes,
  parts: [],
  table: null,
  apply,
};

function apply(context: Context, memory: Memory, at: number): Fate {
  const { table } = context.identity;
  const known = table.find(pidAt(memory, at), u64(memory, at + EvProcess.h_key_start));
  if (known && known.origin !== 'repaired') return Fate.folded; // the snapshot had it already
  const process = known ?? addNewcomer(context, memory, at, 'fork');
  const parent = context.identity.at(memory, at + EvProcess.parent_start);
  process.origin = 'fork';
  process.parent = parent?.id ?? null;
  process.parentExec = parent?.exec ?? null;
  // Until it executes something it runs what its parent runs.
  process.exe ??= parent?.exe ?? null;
  process.argv ??= parent?.argv ?? null;
  process.cwd ??= parent?.cwd ?? null;
  fillNewcomer(context, process, memory, at);
  return known ? Fate.folded : Fate.stored;
}
