/** A victim of the OOM killer becomes a row of `oom_kill`. */

import { EvOom } from '../../bpf/wire.gen.js';
import type { Context } from '../context.js';
import { Fate } from '../events.js';
import { type Memory, u64 } from '../ring.js';
import { NULL } from '../rows.js';
import { OOM } from '../tables.js';
import { joinPath } from '../text.js';

export function applyOom({ clock, identity, texts, ooms }: Context, memory: Memory, at: number): Fate {
  const victim = identity.at(memory, at + EvOom.victim_start);
  if (victim === null) return Fate.malformed;
  const trigger = identity.at(memory, at + EvOom.h_key_start);
  const data = at + EvOom.data;
  const memcg = memory.u8.subarray(data, data + (memory.u32[(at + EvOom.memcg_bytes) >> 2] as number));
  victim.oomVictim = true;
  ooms.set(OOM.time, clock.wallOf(u64(memory, at + EvOom.h_time)));
  ooms.set(OOM.victim, victim.id);
  ooms.set(OOM.trigger, trigger?.id ?? NULL);
  ooms.set(OOM.memory_cgroup, texts.path(joinPath(memcg)) ?? NULL);
  ooms.set(OOM.oom_score_adj, memory.i32[(at + EvOom.oom_score_adj) >> 2] as number);
  ooms.add();
  return Fate.stored;
}
