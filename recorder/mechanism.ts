/**
 * How a signal came about, and whether the task that was running when it was generated is its sender. Pure: the facts
 * of one record in, a number out.
 *
 * The running task is a claim, not a fact: a timer or a dying device interrupts whoever happens to run. Only signals
 * whose siginfo a process filled in have a sending process; three more are facts of their own (a parent's death, the end of a pid
 * namespace, a write to cgroup.kill).
 */

import { SnoopSenderState } from '../bpf/wire.gen.js';
import { SIG, SYSCALL } from './numbers.js';

/** mechanism_name.id (migrations/0002_names.sql). */
export const enum Mechanism {
  kill = 1,
  tkill = 2,
  tgkill = 3,
  rtSigqueueinfo = 4,
  rtTgsigqueueinfo = 5,
  pidfdSendSignal = 6,
  cgroupKill = 7,
  pdeathsig = 8,
  pidnsTeardown = 9,
  tty = 10,
  timer = 11,
  rlimit = 12,
  seccomp = 13,
  fault = 14,
  sigpipe = 15,
  oom = 16,
  kernel = 17,
  child = 18,
}

const BY_DEATH: ReadonlySet<Mechanism> = new Set([
  Mechanism.pdeathsig,
  Mechanism.pidnsTeardown,
  Mechanism.tty,
]);

// include/uapi/asm-generic/siginfo.h
const SI_USER = 0;
const SI_TIMER = -2;
const SI_TKILL = -6;
const SYS_SECCOMP = 1;
const CLD_EXITED = 1;
const CLD_CONTINUED = 6;

/** The system call that a mechanism is named after; 0 for any other call. */
export function sendCall(syscall: number): Mechanism | 0 {
  switch (syscall) {
    case SYSCALL.kill:
      return Mechanism.kill;
    case SYSCALL.tkill:
      return Mechanism.tkill;
    case SYSCALL.tgkill:
      return Mechanism.tgkill;
    case SYSCALL.rt_sigqueueinfo:
      return Mechanism.rtSigqueueinfo;
    case SYSCALL.rt_tgsigqueueinfo:
      return Mechanism.rtTgsigqueueinfo;
    case SYSCALL.pidfd_send_signal:
      return Mechanism.pidfdSendSignal;
    default:
      return 0;
  }
}

/** Whether the running task sent the signal: true for every mechanism up to here, none after. */
export function hasSender(mechanism: Mechanism): boolean {
  return mechanism <= Mechanism.pidnsTeardown;
}

/**
 * Whether the end of the running process made the kernel send it. A parent's death signal comes when the thread that forked
 * ends, and the process may go on (kernel/exit.c, forget_original_parent).
 */
export function isByDeath(mechanism: Mechanism, sender: number): boolean {
  const isEnding =
    (sender & (SnoopSenderState.GROUP_ENDS | SnoopSenderState.BYSTANDER)) === SnoopSenderState.GROUP_ENDS;
  return isEnding && BY_DEATH.has(mechanism);
}

/**
 * @param sender    enum snoop_sender_state of the running task
 * @param pdeathsig the signal that the target asked to get when its parent dies
 * @param isSelf    the running task is of the target process
 * @param oomVictim the target was chosen by the OOM killer
 */
export function mechanismOf(
  sig: number,
  code: number,
  syscall: number,
  arg1: number,
  sender: number,
  pdeathsig: number,
  isSelf: boolean,
  oomVictim: boolean,
): Mechanism {
  if (sig === SIG.CHLD && code >= CLD_EXITED && code <= CLD_CONTINUED) return Mechanism.child;
  const isDoing = !(sender & SnoopSenderState.BYSTANDER);
  if (isDoing && sender & SnoopSenderState.EXITING)
    return ofExiting(sig, code, sender, pdeathsig, isSelf, oomVictim);
  if (isDoing && !(sender & SnoopSenderState.KTHREAD) && code <= SI_USER) {
    const call = sendCall(syscall);
    if (call !== 0 && writesCode(call, code) && carriesSignal(call, arg1, sig)) return call;
    if (code === SI_USER && sig === SIG.KILL && isWrite(syscall)) return Mechanism.cgroupKill;
  }
  return ofKernel(sig, code, isSelf, oomVictim, isSelf && (sender & SnoopSenderState.CPU_LIMIT) !== 0);
}

/**
 * What the siginfo alone tells, for want of more: how the kernel came to send the signal. Null where a process signed, or
 * where the kernel signs as one (SIGPIPE, SIGXFSZ and a parent's death are sent with SI_USER): the code names no call.
 */
export function mechanismOfCode(sig: number, code: number): Mechanism | null {
  if (code <= SI_USER && code !== SI_TIMER) return null;
  return ofKernel(sig, code, true, false, false);
}

/** An exiting task is in no system call of ours any more: what it causes is its death's work. */
function ofExiting(
  sig: number,
  code: number,
  sender: number,
  pdeathsig: number,
  isSelf: boolean,
  oomVictim: boolean,
): Mechanism {
  if (sig === SIG.KILL && sender & SnoopSenderState.NS_INIT) return Mechanism.pidnsTeardown;
  if (sig === pdeathsig) return Mechanism.pdeathsig;
  if (sig === SIG.KILL && oomVictim) return Mechanism.oom;
  // kernel/exit.c, kill_orphaned_pgrp; drivers/tty/tty_jobctrl.c, disassociate_ctty
  if (sig === SIG.HUP || sig === SIG.CONT) return Mechanism.tty;
  // alarm(2) signs as the kernel does, whoever runs when the interrupt comes: kernel/time/itimer.c, it_real_fn.
  return ofKernel(sig, code, isSelf, oomVictim, false);
}

/** kernel/signal.c: three calls sign with a code of their own, the others with what their caller wrote. */
function writesCode(call: Mechanism, code: number): boolean {
  if (call === Mechanism.kill) return code === SI_USER;
  return call === Mechanism.tkill || call === Mechanism.tgkill ? code === SI_TKILL : true;
}

/** Whether the call in progress is the one that carries this signal, and not one that a timer interrupted. */
function carriesSignal(call: Mechanism, arg1: number, sig: number): boolean {
  // tgkill and rt_tgsigqueueinfo have it in their third argument, which the record does not hold.
  return call === Mechanism.tgkill || call === Mechanism.rtTgsigqueueinfo || arg1 === sig;
}

function isWrite(syscall: number): boolean {
  return syscall === SYSCALL.write || syscall === SYSCALL.pwrite64 || syscall === SYSCALL.writev;
}

function ofKernel(
  sig: number,
  code: number,
  isSelf: boolean,
  oomVictim: boolean,
  isCpuUsed: boolean,
): Mechanism {
  if (code === SI_TIMER) return Mechanism.timer;
  switch (sig) {
    case SIG.KILL:
      return oomVictim ? Mechanism.oom : isCpuUsed ? Mechanism.rlimit : Mechanism.kernel;
    case SIG.PIPE:
      return isSelf ? Mechanism.sigpipe : Mechanism.kernel;
    case SIG.ALRM:
    case SIG.VTALRM:
    case SIG.PROF:
      return Mechanism.timer;
    case SIG.XCPU:
    case SIG.XFSZ:
      return Mechanism.rlimit;
    case SIG.SYS:
      return code === SYS_SECCOMP ? Mechanism.seccomp : Mechanism.fault;
    case SIG.SEGV:
    case SIG.BUS:
    case SIG.FPE:
    case SIG.ILL:
    case SIG.TRAP:
      return Mechanism.fault;
    case SIG.INT:
    case SIG.QUIT:
    case SIG.HUP:
    case SIG.CONT:
    case SIG.TSTP:
    case SIG.TTIN:
    case SIG.TTOU:
    case SIG.WINCH:
      return Mechanism.tty;
    case SIG.CHLD:
      return Mechanism.child;
    default:
      return Mechanism.kernel;
  }
}
