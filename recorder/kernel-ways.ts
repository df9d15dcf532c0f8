/** By which of its two ways each thing is done that kernels offer differently: asked of the kernel itself, never of its version. */

import { hasHelper, hasMapType } from './libbpf.js';

/** Where a probe finds the system call in progress: the saved registers, or a hash map that the call's entry fills. */
export type Capture = 'regs' | 'hash';
/** What the lanes are made of: ring buffers, or perf event arrays. */
export type Transport = 'ring' | 'perf';

/** What the user asked for. */
export type Asked<Way> = Way | 'auto';

export const CAPTURES = ['auto', 'regs', 'hash'] as const;
export const TRANSPORTS = ['auto', 'ring', 'perf'] as const;

// include/uapi/linux/bpf.h
const BPF_FUNC_task_pt_regs = 175;
const BPF_MAP_TYPE_RINGBUF = 27;

/** Whether a probe may read the saved registers of a task: since Linux 5.15. */
export const hasRegisters = (): boolean => hasHelper(BPF_FUNC_task_pt_regs);
/** Whether there are ring buffers: since Linux 5.8. */
export const hasRings = (): boolean => hasMapType(BPF_MAP_TYPE_RINGBUF);

export interface Ways {
  capture: Capture;
  transport: Transport;
}

/** The ways to take here. What was asked for by name is taken, whether the kernel has it or not: then it says so itself. */
export function chooseWays(asked: { capture: Asked<Capture>; transport: Asked<Transport> }): Ways {
  const { capture, transport } = asked;
  return {
    capture: capture === 'auto' ? (hasRegisters() ? 'regs' : 'hash') : capture,
    transport: transport === 'auto' ? (hasRings() ? 'ring' : 'perf') : transport,
  };
}
