/**
 * THE EVENT TABLE: one entry for each type of record, each in a file of its own. The ledger, the checks, the tables to fill
 * and the way from bytes to rows derive from it.
 */

import { SnoopHeader, SnoopType } from '../bpf/wire.gen.js';
import type { Context } from './context.js';
import { type EventSpec, Fate } from './event-spec.js';
import { attempt } from './events/attempt.js';
import { cgroup } from './events/cgroup.js';
import { delivery } from './events/delivery.js';
import { exec } from './events/exec.js';
import { exit } from './events/exit.js';
import { fork } from './events/fork.js';
import { oom } from './events/oom.js';
import { signal } from './events/signal.js';
import { snapshot } from './events/snapshot.js';
import type { Memory } from './lane.js';
import { log } from './log.js';
import type { Table } from './table.js';

/** Types that have a record. */
export type RecordType = Exclude<SnoopType, SnoopType.TYPES>;

export const EVENTS: Record<RecordType, EventSpec> = {
  [SnoopType.SIGNAL]: signal,
  [SnoopType.ATTEMPT]: attempt,
  [SnoopType.EXEC]: exec,
  [SnoopType.FORK]: fork,
  [SnoopType.EXIT]: exit,
  [SnoopType.OOM]: oom,
  [SnoopType.SNAPSHOT]: snapshot,
  [SnoopType.CGROUP]: cgroup,
  [SnoopType.DELIVERY]: delivery,
};

const BY_TYPE: (EventSpec | undefined)[] = Array.from(
  { length: SnoopType.TYPES },
  (_, type) => EVENTS[type as RecordType],
);

/** The tables that records fill. */
export const TABLES: readonly Table[] = [...new Set(Object.values(EVENTS).flatMap(spec => spec.table ?? []))];

/** The name of a type in the ledger. */
export function eventName(type: number): string {
  return BY_TYPE[type]?.name ?? `type ${type}`;
}

/** Applies one record of `length` bytes. Never throws over its content, and never reads outside of it. */
export function applyRecord(context: Context, memory: Memory, at: number, length: number): Fate {
  if (length < SnoopHeader.bytes) return Fate.malformed;
  const spec = BY_TYPE[memory.u32[(at + SnoopHeader.type) >> 2] as number];
  if (spec === undefined || length < spec.bytes) return Fate.malformed;
  let end = spec.bytes;
  for (let i = 0; i < spec.parts.length; i++) {
    end += memory.u32[(at + (spec.parts[i] as number)) >> 2] as number;
  }
  if (end > length) return Fate.malformed;
  try {
    return spec.apply(context, memory, at);
  } catch (error) {
    log('apply', `cannot make a row of a record of type ${spec.name}: ${(error as Error).stack}`);
    return Fate.malformed; // else it would wait in the lane for the next start, and end that too
  }
}
