/**
 * THE EVENT TABLE: one entry for each type of record. What it is called in the ledger, how long its fixed part is, where
 * the lengths of its variable part are, and which function turns it into rows. Everything else derives from it.
 */

import { EvAttempt, EvCgroup, EvExec, EvExit, EvOom, EvProcess, EvSignal, SnoopHeader, SnoopType } from '../bpf/wire.gen.js';
import type { Context } from './context.js';
import { applyAttempt } from './events/attempt.js';
import { applyCgroup } from './events/cgroup.js';
import { applyExec } from './events/exec.js';
import { applyExit } from './events/exit.js';
import { applyOom } from './events/oom.js';
import { applyFork, applySnapshot } from './events/process.js';
import { applySignal } from './events/signal.js';
import type { Memory } from './ring.js';

/** What became of a record. */
export const enum Fate {
  /** It has a row of its own. */
  stored,
  /** It is counted in, or adds to, a row that is there. */
  folded,
  /** It could not be decoded. */
  malformed,
}

export interface EventSpec {
  name: string;
  /** Length of the fixed part. */
  bytes: number;
  /** Offsets of the u32 lengths of the variable parts, which follow the fixed part in this order. */
  parts: readonly number[];
  /** Rows of later records depend on what this one tells. */
  changesProcesses: boolean;
  /** Turns the record at `at` into rows. It has been checked, and its bytes are lent: copy what you keep. */
  apply(context: Context, memory: Memory, at: number): Fate;
}

/** Types that have a record. */
export type RecordType = Exclude<SnoopType, SnoopType.TYPES>;

export const EVENTS: Record<RecordType, EventSpec> = {
  [SnoopType.SIGNAL]: { name: 'signal', bytes: EvSignal.bytes, parts: [], changesProcesses: false, apply: applySignal },
  [SnoopType.ATTEMPT]: { name: 'attempt', bytes: EvAttempt.bytes, parts: [], changesProcesses: false, apply: applyAttempt },
  [SnoopType.EXEC]: {
    name: 'exec',
    bytes: EvExec.bytes,
    parts: [EvExec.exe_bytes, EvExec.cwd_bytes, EvExec.filename_bytes, EvExec.interp_bytes, EvExec.argv_bytes],
    changesProcesses: true,
    apply: applyExec,
  },
  [SnoopType.FORK]: { name: 'fork', bytes: EvProcess.bytes, parts: [], changesProcesses: true, apply: applyFork },
  [SnoopType.EXIT]: { name: 'exit', bytes: EvExit.bytes, parts: [], changesProcesses: true, apply: applyExit },
  [SnoopType.OOM]: { name: 'oom', bytes: EvOom.bytes, parts: [EvOom.memcg_bytes], changesProcesses: true, apply: applyOom },
  [SnoopType.SNAPSHOT]: { name: 'snapshot', bytes: EvProcess.bytes, parts: [], changesProcesses: true, apply: applySnapshot },
  [SnoopType.CGROUP]: { name: 'cgroup', bytes: EvCgroup.bytes, parts: [EvCgroup.path_bytes], changesProcesses: false, apply: applyCgroup },
};

const BY_TYPE: (EventSpec | undefined)[] = Array.from({ length: SnoopType.TYPES }, (_, type) => EVENTS[type as RecordType]);

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
  if (spec.changesProcesses) context.repeats.clear();
  return spec.apply(context, memory, at);
}
