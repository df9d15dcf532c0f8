/** A victim of the OOM killer becomes a row of `oom_kill`. */

import { EvOom } from '../../bpf/wire.gen.js';
import type { Context } from '../context.js';
import { type EventSpec, Fate } from '../event-spec.js';
import { type Memory, u64 } from '../lane.js';
import { Mechanism } from '../mechanism.js';
import { SIG } from '../numbers.js';
import { NULL, type Rows } from '../rows.js';
import { defineTable } from '../table.js';
import { SIGNAL, SIGNAL_TABLE } from './signal-row.js';

const TABLE = defineTable(
  'oom_kill',
  ['time', 'victim', 'trigger', 'memory_cgroup', 'oom_score_adj', 'anon_kb', 'file_kb', 'shmem_kb'],
  { victim: 'process', trigger: 'process', memory_cgroup: 'path' },
  256,
);
const OOM = TABLE.at;

export const oom: EventSpec = {
  name: 'oom',
  bytes: EvOom.bytes,
  parts: [EvOom.memcg_bytes],
  table: TABLE,
  apply,
};

function apply({ clock, identity, texts, rows, pageKb }: Context, memory: Memory, at: number): Fate {
  // Older kernels tell only the pid of their victim, which lives yet: bpf/compat.bpf.h, mark_victim_tells_task.
  const victim =
    u64(memory, at + EvOom.victim_start) === 0
      ? identity.table.bearer(memory.i32[(at + EvOom.victim_pid) >> 2] as number)
      : identity.at(memory, at + EvOom.victim_start);
  if (victim === null) return Fate.malformed;
  const trigger = identity.at(memory, at + EvOom.h_key_start);
  const data = at + EvOom.data;
  const memcg = memory.u8.subarray(data, data + (memory.u32[(at + EvOom.memcg_bytes) >> 2] as number));
  victim.oomVictim = true;
  identity.table.changed(victim);
  nameCause(rows(SIGNAL_TABLE), victim.id);
  const ooms = rows(TABLE);
  ooms.set(OOM.time, clock.wallOf(u64(memory, at + EvOom.h_time)));
  ooms.set(OOM.victim, victim.id);
  ooms.set(OOM.trigger, trigger?.id ?? NULL);
  ooms.set(OOM.memory_cgroup, texts.pathOf(memcg));
  ooms.set(OOM.oom_score_adj, memory.i32[(at + EvOom.oom_score_adj) >> 2] as number);
  const kb = (at: number) => (memory.i32[(at + 4) >> 2] === -1 ? NULL : u64(memory, at) * pageKb);
  ooms.set(OOM.anon_kb, kb(at + EvOom.anon_pages));
  ooms.set(OOM.file_kb, kb(at + EvOom.file_pages));
  ooms.set(OOM.shmem_kb, kb(at + EvOom.shmem_pages));
  ooms.add();
  return Fate.stored;
}

/** The kernel sends the SIGKILL just before it marks the victim (mm/oom_kill.c, __oom_kill_process), so its row waits already. */
function nameCause(signals: Rows, victim: number): void {
  for (let row = signals.length - 1; row >= 0; row--) {
    if (signals.get(row, SIGNAL.target) !== victim || signals.get(row, SIGNAL.sig) !== SIG.KILL) continue;
    if (signals.get(row, SIGNAL.mechanism) === Mechanism.kernel)
      signals.put(row, SIGNAL.mechanism, Mechanism.oom);
  }
}
