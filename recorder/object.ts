/** The compiled object with the probes: found, checked against this recorder, and its knobs set. Nothing here is in the kernel yet. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  SnoopCapture,
  SnoopKnobs,
  SnoopScope,
  SnoopScopeCgroup,
  SnoopTransport,
  WIRE_BYTES,
} from '../bpf/wire.gen.js';
import { PACKAGE_ROOT } from '../migrations/database.js';
import { SnoopError } from '../migrations/errors.js';
import type { Capture, Returns, Transport } from './kernel-ways.js';
import * as bpf from './libbpf.js';
import { digest } from './pins.js';
import type { Scope } from './scope.js';

const OBJECT = join(PACKAGE_ROOT, 'dist', 'snooprec.bpf.o');
const KERNEL_BTF = '/sys/kernel/btf/vmlinux';
/** The section of a program that hangs on one BTF tracepoint names it. */
const TRACEPOINT = 'tp_btf/';
/** The tracepoint of the probe that is attached only where it is needed: bpf/sys_enter.bpf.c. */
export const ENTRY = 'sys_enter';
/** Those of bpf/sys_exit.bpf.c: of all calls, and what the names of those of one call begin with. */
export const RETURN_OF_ALL = 'sys_exit';
export const RETURN_OF_EACH = 'sys_exit_';
/** The calls on whose return a program hangs, by its name. */
const CALLS_OF: Readonly<Record<string, readonly string[]>> = {
  on_send_return: ['kill', 'tkill', 'tgkill', 'rt_sigqueueinfo', 'rt_tgsigqueueinfo', 'pidfd_send_signal'],
  on_exec_return: ['execve', 'execveat'],
};

/** Names the layout of the records: lanes of another one cannot be read. */
export const WIRE = digest(WIRE_BYTES);

/** What the probes are to record, and how. */
export interface ProbeOptions {
  scope: Scope;
  /** Argument bytes kept per exec. */
  argsBytes: number;
  /** Sizes of the lanes in bytes, powers of two. */
  lethalBytes: number;
  bulkBytes: number;
  /** Count the system calls of each user. */
  countSyscalls: boolean;
  capture: Capture;
  returns: Returns;
  transport: Transport;
}

/** A program, and the tracepoint that it hangs on. */
export interface Probe {
  program: bpf.Handle;
  tracepoint: string;
}

/** What decides which of the probes are wanted. */
type Wanted = Pick<ProbeOptions, 'capture' | 'returns' | 'countSyscalls'>;

/** The entry of calls is wanted only where something needs it, and of the two ways to see their return, one. */
function isWanted(tracepoint: string, { capture, returns, countSyscalls }: Wanted): boolean {
  if (tracepoint === ENTRY) return countSyscalls || capture === 'hash';
  if (tracepoint === RETURN_OF_ALL) return returns === 'all';
  return !tracepoint.startsWith(RETURN_OF_EACH) || returns === 'each';
}

/** The probes of the object: every program that hangs on tracepoints, once for each. */
function allProbes(object: bpf.Handle): Probe[] {
  return bpf.programs(object).flatMap(({ handle, name, section }) => {
    const tracepoints = section.startsWith(TRACEPOINT)
      ? [section.slice(TRACEPOINT.length)]
      : (CALLS_OF[name] ?? []).map(call => RETURN_OF_EACH + call);
    return tracepoints.map(tracepoint => ({ program: handle, tracepoint }));
  });
}

/** Those of them that are wanted. */
export function probesOf(object: bpf.Handle, wanted: Wanted): Probe[] {
  return allProbes(object).filter(({ tracepoint }) => isWanted(tracepoint, wanted));
}

/** The tracepoints that the compiled object needs. */
export function neededTracepoints(wanted: Wanted): string[] {
  const object = openObject();
  const names = probesOf(object, wanted).map(probe => probe.tracepoint);
  bpf.closeObject(object);
  return names;
}

/** Names what is recorded and by which programs: lanes of the same setup go on being used. */
export function setupOf(options: ProbeOptions): string {
  const { scope, argsBytes, lethalBytes, bulkBytes, countSyscalls, capture, returns } = options;
  requireObject();
  return digest([
    readFileSync(OBJECT).toString('base64'),
    scope,
    argsBytes,
    lethalBytes,
    bulkBytes,
    countSyscalls,
    capture,
    returns,
  ]);
}

/** Opens the object, and refuses one that was built with another wire.h. */
export function openObject(): bpf.Handle {
  requireObject();
  if (!existsSync(KERNEL_BTF)) {
    throw new SnoopError(
      'kernel',
      `the kernel does not describe its types: ${KERNEL_BTF} (BTF) is missing`,
      'boot a kernel built with CONFIG_DEBUG_INFO_BTF=y, as those of all big distributions are',
    );
  }
  const object = openCompiled();
  for (const [name, bytes] of Object.entries(WIRE_BYTES)) {
    const found = bpf.structBytes(object, name);
    if (found === bytes) continue;
    bpf.closeObject(object);
    throw new SnoopError(
      'library',
      `the compiled probes do not fit this recorder: struct ${name} has ${found} bytes, not ${bytes}`,
      'build both anew: npm run build',
    );
  }
  return object;
}

function requireObject(): void {
  if (existsSync(OBJECT)) return;
  throw new SnoopError('library', `the compiled probes are missing: ${OBJECT}`, 'build them: npm run build');
}

function openCompiled(): bpf.Handle {
  try {
    return bpf.openObject(OBJECT);
  } catch (cause) {
    if (cause instanceof SnoopError && cause.code === 'library') throw cause; // there is no libbpf
    throw new SnoopError(
      'library',
      `the compiled probes cannot be read: ${OBJECT}`,
      'build them anew: npm run build',
      cause,
    );
  }
}

/** Sets the knobs, leaves out what the chosen ways do not need, and sizes the maps. */
export function configure(object: bpf.Handle, options: ProbeOptions): void {
  setKnobs(new DataView(bpf.initialValue(bpf.map(object, '.rodata.knobs'))), options);
  const { capture, transport, lethalBytes, bulkBytes } = options;
  for (const { program, tracepoint } of allProbes(object))
    if (!isWanted(tracepoint, options)) bpf.leaveOut(program);
  const cpus = bpf.possibleCpus();
  const entries = (name: string, count: number) => bpf.setMaxEntries(bpf.map(object, name), count);
  const without = (...names: string[]) => {
    for (const name of names) bpf.leaveOutMap(bpf.map(object, name));
  };
  entries('counters', cpus);
  entries('scratch', cpus);
  if (capture === 'regs') without('calls');
  if (transport === 'ring') {
    without('perf_lethal', 'perf_bulk', 'slots', 'asleep');
    entries('lane_lethal', lethalBytes);
    entries('lane_bulk', bulkBytes);
  } else {
    without('lane_lethal', 'lane_bulk');
    entries('perf_lethal', 2 * cpus); // a silent event and a waking one for each
    entries('perf_bulk', 2 * cpus);
  }
}

function setKnobs(knobs: DataView, options: ProbeOptions): void {
  const { scope, argsBytes, countSyscalls, capture, transport } = options;
  const set = (at: number, value: number) => knobs.setUint32(at, value, true);
  set(SnoopKnobs.args_bytes, argsBytes);
  set(SnoopKnobs.capture, capture === 'hash' ? SnoopCapture.CAPTURE_HASH : SnoopCapture.CAPTURE_REGS);
  set(
    SnoopKnobs.transport,
    transport === 'perf' ? SnoopTransport.TRANSPORT_PERF : SnoopTransport.TRANSPORT_RING,
  );
  set(SnoopKnobs.count_syscalls, countSyscalls ? 1 : 0);
  if (scope.kind === 'tree') set(SnoopKnobs.scope, SnoopScope.SCOPE_TREE);
  if (scope.kind === 'cgroups') {
    set(SnoopKnobs.scope, SnoopScope.SCOPE_CGROUPS);
    set(SnoopKnobs.scope_cgroups, scope.cgroups.length);
    scope.cgroups.forEach(({ id, level }, i) => {
      const at = SnoopKnobs.scope_cgroup + i * SnoopScopeCgroup.bytes;
      knobs.setBigUint64(at + SnoopScopeCgroup.id, BigInt(id), true);
      set(at + SnoopScopeCgroup.level, level);
    });
  }
}
