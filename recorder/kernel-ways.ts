/** By which of its two ways each thing is done that kernels offer differently: asked of the kernel itself, never of its version. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasHelper, hasMapType } from './libbpf.js';

/** Where a probe finds the system call in progress: the saved registers, or a hash map that the call's entry fills. */
export type Capture = 'regs' | 'hash';
/**
 * On which tracepoints a probe sees calls return: one of each call that matters, of the 64-bit table only, or the one of all calls.
 * That one costs every system call of the machine some 30 ns.
 */
export type Returns = 'each' | 'all';
/** What the lanes are made of: ring buffers, or perf event arrays. */
export type Transport = 'ring' | 'perf';

/** What the user asked for. */
export type Asked<Way> = Way | 'auto';

export const CAPTURES = ['auto', 'regs', 'hash'] as const;
export const RETURNS = ['auto', 'each', 'all'] as const;
export const TRANSPORTS = ['auto', 'ring', 'perf'] as const;

// include/uapi/linux/bpf.h
const BPF_FUNC_task_pt_regs = 175;
const BPF_MAP_TYPE_RINGBUF = 27;

/** Whether a probe may read the saved registers of a task: since Linux 5.15. */
export const hasRegisters = (): boolean => hasHelper(BPF_FUNC_task_pt_regs);
/** Whether there are ring buffers: since Linux 5.8. */
export const hasRings = (): boolean => hasMapType(BPF_MAP_TYPE_RINGBUF);

const TRACEFS = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'];

/** The number of a tracepoint of one system call; null: there is none, without CONFIG_FTRACE_SYSCALLS or tracefs that may be read. */
export function callTracepoint(name: string): number | null {
  for (const tracefs of TRACEFS) {
    try {
      return Number(readFileSync(join(tracefs, 'events', 'syscalls', name, 'id'), 'latin1'));
    } catch {} // not mounted there, or only for root
  }
  return null;
}

export interface Ways {
  capture: Capture;
  returns: Returns;
  transport: Transport;
}

/** The ways to take here. What was asked for by name is taken, whether the kernel has it or not: then it says so itself. */
export function chooseWays(asked: {
  capture: Asked<Capture>;
  returns: Asked<Returns>;
  transport: Asked<Transport>;
}): Ways {
  const capture = asked.capture === 'auto' ? (hasRegisters() ? 'regs' : 'hash') : asked.capture;
  return {
    capture,
    returns: asked.returns === 'auto' ? returnsFor(capture) : asked.returns,
    transport: asked.transport === 'auto' ? (hasRings() ? 'ring' : 'perf') : asked.transport,
  };
}

/** The hash capture has to forget the calls that write, too, when they return: they are none of `each`. */
function returnsFor(capture: Capture): Returns {
  return capture === 'regs' && callTracepoint('sys_exit_kill') !== null ? 'each' : 'all';
}
