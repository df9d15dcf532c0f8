/** A fork, or a process that was there before, becomes a row of `process`. */

import { EvProcess } from '../../bpf/wire.gen.js';
import type { Context } from '../context.js';
import { Fate } from '../events.js';
import type { Origin, Process } from '../process-table.js';
import { processFacts } from '../procfs.js';
import { type Memory, u64 } from '../ring.js';

export function applyFork(context: Context, memory: Memory, at: number): Fate {
  const { table } = context.identity;
  const known = table.find(pidAt(memory, at), u64(memory, at + EvProcess.h_key_start));
  if (known && known.origin !== 'repaired') return Fate.folded; // the snapshot had it already
  const process = known ?? add(context, memory, at, 'fork');
  const parent = context.identity.at(memory, at + EvProcess.parent_start);
  process.origin = 'fork';
  process.parent = parent?.id ?? null;
  process.parentExec = parent?.exec ?? null;
  // Until it executes something it runs what its parent runs.
  process.exe ??= parent?.exe ?? null;
  process.argv ??= parent?.argv ?? null;
  process.cwd ??= parent?.cwd ?? null;
  fill(context, process, memory, at);
  return known ? Fate.folded : Fate.stored;
}

export function applySnapshot(context: Context, memory: Memory, at: number): Fate {
  const { identity } = context;
  const pid = pidAt(memory, at);
  const start = u64(memory, at + EvProcess.h_key_start);
  const known = identity.table.find(pid, start);
  if (known && known.origin !== 'repaired') return Fate.folded; // of an earlier run, or forked meanwhile
  const process = known ?? add(context, memory, at, 'snapshot');
  process.origin = 'snapshot';
  process.parent = identity.at(memory, at + EvProcess.parent_start)?.id ?? null;
  const facts = processFacts(pid, start);
  if (facts) identity.enrich(process, facts);
  fill(context, process, memory, at);
  return known ? Fate.folded : Fate.stored;
}

function pidAt(memory: Memory, at: number): number {
  return memory.i32[(at + EvProcess.h_key_pid) >> 2] as number;
}

function add({ clock, identity }: Context, memory: Memory, at: number, origin: Origin): Process {
  const start = u64(memory, at + EvProcess.h_key_start);
  return identity.table.add(pidAt(memory, at), start, clock.wallOf(start), origin);
}

function fill({ identity, cgroups }: Context, process: Process, memory: Memory, at: number): void {
  identity.comm(process, memory, at + EvProcess.comm);
  process.uid = memory.u32[(at + EvProcess.uid) >> 2] as number;
  process.cgroup = cgroups.id(u64(memory, at + EvProcess.cgroup));
  const isNested = memory.u32[(at + EvProcess.ns_level) >> 2] !== 0;
  process.nsPid = isNested ? (memory.i32[(at + EvProcess.ns_pid) >> 2] as number) : null;
  identity.table.changed(process);
}
