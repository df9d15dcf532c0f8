/**
 * The proof that recording works here, from the kernel to the decoded record: probes that record only what this process
 * starts, unpinned and in small lanes, and a child that does one thing for each of them.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import {
  EvAttempt,
  EvDelivery,
  EvExec,
  EvProcess,
  EvSignal,
  SnoopDisposition,
  SnoopHeader,
  SnoopType,
} from '../bpf/wire.gen.js';
import { unifiedRoot } from './cgroup.js';
import { Fate } from './event-spec.js';
import { applyRecord } from './events.js';
import { type Memory, memoryOf } from './lane.js';
import { scratchContext } from './new-context.js';
import { SYSCALL } from './numbers.js';
import { RETURN_OF_EACH } from './object.js';
import type { Probes } from './probes.js';

const SHELL = '/bin/sh';
const { SIGUSR1, SIGKILL } = constants.signals;
const NOBODY = 2_147_483_646; // beyond any pid_max
const SIGNAL_0 = 0;
const CHILD_MS = 1_000;

/** What the child does once it is let go. `$1` is a cgroup to make, or nothing. */
const SCRIPT = `trap : USR1
read -r go
kill -USR1 $$
kill -0 $$
kill -9 ${NOBODY}
/nonexistent/snooprec-check
test -n "$1" && mkdir "$1" && rmdir "$1"
/bin/true`;

/** Something that the child does, and the record of it. */
export interface Canary {
  /** The tracepoint, or iterator, that has to see it. */
  probe: string;
  what: string;
  isOf(type: SnoopType, memory: Memory, at: number): boolean;
}

const i32 = (memory: Memory, at: number): number => memory.i32[at >> 2] as number;

export const CANARIES: readonly Canary[] = [
  {
    probe: 'signal_generate',
    what: 'a signal',
    isOf: (type, memory, at) => type === SnoopType.SIGNAL && memory.u8[at + EvSignal.sig] === SIGUSR1,
  },
  {
    probe: 'signal_deliver',
    what: 'its handler',
    isOf: (type, memory, at) =>
      type === SnoopType.DELIVERY &&
      i32(memory, at + EvDelivery.info_sig) === SIGUSR1 &&
      i32(memory, at + EvDelivery.action) === SnoopDisposition.HANDLED,
  },
  {
    probe: 'sys_enter',
    what: 'the call that sent a signal',
    isOf: (type, memory, at) =>
      type === SnoopType.SIGNAL &&
      memory.u8[at + EvSignal.sig] === SIGUSR1 &&
      i32(memory, at + EvSignal.syscall) === SYSCALL.kill,
  },
  {
    probe: 'sys_exit_kill',
    what: 'a signal 0',
    isOf: (type, memory, at) => type === SnoopType.ATTEMPT && i32(memory, at + EvAttempt.sig) === SIGNAL_0,
  },
  {
    probe: 'sys_exit_kill',
    what: 'a refused signal',
    isOf: (type, memory, at) =>
      type === SnoopType.ATTEMPT &&
      i32(memory, at + EvAttempt.sig) === SIGKILL &&
      i32(memory, at + EvAttempt.result) === -constants.errno.ESRCH,
  },
  {
    probe: 'sys_exit_execve',
    what: 'a failed exec',
    isOf: (type, memory, at) => type === SnoopType.EXEC && i32(memory, at + EvExec.result) < 0,
  },
  { probe: 'sched_process_fork', what: 'a fork', isOf: type => type === SnoopType.FORK },
  {
    probe: 'sched_process_exec',
    what: 'an exec',
    isOf: (type, memory, at) => type === SnoopType.EXEC && i32(memory, at + EvExec.result) === 0,
  },
  { probe: 'sched_process_exit', what: 'an exit', isOf: type => type === SnoopType.EXIT },
  { probe: 'cgroup_mkdir', what: 'a new cgroup', isOf: type => type === SnoopType.CGROUP },
  { probe: 'task iterator', what: 'a living process', isOf: type => type === SnoopType.SNAPSHOT },
];

/** What became of the canaries. */
export interface Trial {
  seen: ReadonlySet<Canary>;
  /** Why a probe was not tried, by its name. */
  untried: ReadonlyMap<string, string>;
  /** Records that could not be decoded. */
  malformed: number;
}

/** Has the child do all of it under these probes, which record it as a descendant of this process. */
export async function tryProbes(probes: Probes): Promise<Trial> {
  const witness = new Witness();
  const returns = probes.report.map(({ name }) => name).filter(name => name.startsWith(RETURN_OF_EACH));
  const others = returns.filter(name => !CANARIES.some(({ probe }) => probe === name));
  const untried = new Map(others.map(name => [name, 'no shell makes this call']));
  untried.set('mark_victim', 'memory would have to run out');
  const cgroup = cgroupToMake();
  if (cgroup === null) untried.set('cgroup_mkdir', 'no cgroup can be made here');
  const child = spawn(SHELL, ['-c', SCRIPT, SHELL, cgroup ?? ''], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PATH: '/usr/bin:/bin' },
    timeout: CHILD_MS,
    killSignal: 'SIGKILL',
  });
  await once(child, 'spawn');
  const there = memoryOf(new Uint8Array(probes.snapshot()).buffer);
  for (let at = 0; at < there.u8.length; at += EvProcess.bytes) witness.see(there, at, EvProcess.bytes);
  child.stdin?.end('\n');
  await once(child, 'exit');
  for (const lane of [probes.lethal, probes.bulk]) {
    lane.look(Number.POSITIVE_INFINITY);
    for (; lane.next(); lane.take()) witness.see(lane.memory, lane.at, lane.length);
    lane.commit();
  }
  return { seen: witness.seen, untried, malformed: witness.malformed };
}

/** Decodes records as a recorder does, and notes whose they are. */
class Witness {
  readonly seen = new Set<Canary>();
  malformed = 0;
  readonly #context = scratchContext();

  see(memory: Memory, at: number, length: number): void {
    if (applyRecord(this.#context, memory, at, length) === Fate.malformed) {
      this.malformed++;
      return;
    }
    const type = i32(memory, at + SnoopHeader.type) as SnoopType;
    for (const canary of CANARIES) if (canary.isOf(type, memory, at)) this.seen.add(canary);
  }
}

/** A cgroup below the own one, that can be made and removed again; null: it cannot. */
function cgroupToMake(): string | null {
  const root = unifiedRoot();
  const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1];
  if (root === null || own === undefined) return null;
  const directory = join(root, own, `snooprec-check-${process.pid}`);
  try {
    mkdirSync(directory);
    rmdirSync(directory);
    return directory;
  } catch {
    return null;
  }
}
