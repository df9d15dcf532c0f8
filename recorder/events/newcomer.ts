/** What a fork and the snapshot have in common: a process that enters the table, told by a struct ev_process. */

import { EvProcess } from '../../bpf/wire.gen.js';
import type { Context } from '../context.js';
import { type Memory, u64 } from '../lane.js';
import type { Origin, Process } from '../process-table.js';

export function pidAt(memory: Memory, at: number): number {
  return memory.i32[(at + EvProcess.h_key_pid) >> 2] as number;
}

export function addNewcomer(
  { clock, identity }: Context,
  memory: Memory,
  at: number,
  origin: Origin,
): Process {
  const start = u64(memory, at + EvProcess.h_key_start);
  return identity.table.add(pidAt(memory, at), start, clock.wallOf(start), origin);
}

/**
 * Copies what the record tells of the process itself. What an exec or the end told of one whose fork comes late is newer,
 * and stays.
 */
export function fillNewcomer(
  { identity, cgroups }: Context,
  process: Process,
  memory: Memory,
  at: number,
): void {
  if (process.comm === null) identity.comm(process, memory, at + EvProcess.comm);
  process.uid ??= memory.u32[(at + EvProcess.uid) >> 2] as number;
  process.cgroup ??= cgroups.id(u64(memory, at + EvProcess.cgroup));
  const isNested = memory.u32[(at + EvProcess.ns_level) >> 2] !== 0;
  process.nsPid = isNested ? (memory.i32[(at + EvProcess.ns_pid) >> 2] as number) : null;
  identity.table.changed(process);
}
