/** A new cgroup becomes a row of `cgroup`, before a short life ends it. */

import { EvCgroup } from '../../bpf/wire.gen.js';
import type { Context } from '../context.js';
import { type EventSpec, Fate } from '../event-spec.js';
import { type Memory, u64 } from '../lane.js';
import { decodeText } from '../text.js';
import { untilNul } from '../texts.js';

export const cgroup: EventSpec = {
  name: 'cgroup',
  bytes: EvCgroup.bytes,
  parts: [EvCgroup.path_bytes],
  table: null,
  apply,
};

function apply({ cgroups }: Context, memory: Memory, at: number): Fate {
  const data = at + EvCgroup.data;
  const path = memory.u8.subarray(data, data + (memory.u32[(at + EvCgroup.path_bytes) >> 2] as number));
  cgroups.made(u64(memory, at + EvCgroup.id), decodeText(untilNul(path)).text);
  return Fate.stored;
}
