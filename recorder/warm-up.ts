/**
 * Has V8 compile what a storm runs through before there is one. Else the first tenths of a second are interpreted, and that
 * is slower than two million calls a second come: of 4,000,000 at full speed up to 120,000 were lost then, and none later.
 */

import {
  EvAttempt,
  EvDelivery,
  EvExec,
  EvExit,
  EvProcess,
  EvSignal,
  SnoopCounters,
  SnoopDisposition,
  SnoopHeader,
  SnoopSenderState,
  SnoopType,
} from '../bpf/wire.gen.js';
import { Ledger, Tally } from './coverage.js';
import { scratchContext } from './new-context.js';
import { SIG, SYSCALL } from './numbers.js';
import { Pipeline } from './pipeline.js';
import { BUSY, HEADER_BYTES, Ring } from './ring.js';

const ROUNDS = 32;
const RECORDS = 1_500; // in the bulk lane of a round
const LANE_BYTES = 1 << 18; // they fit
const PAGE = 4096;
const NOBODY = 5_000_000; // no pid is as large (include/linux/threads.h, PID_MAX_LIMIT)
const [EPERM, ESRCH] = [-1, -3];
const USR1 = 10;
/** The first of the causes: calls that send signals. */
const CALLS = 6;
const NO_SYSCALL = -1;
// include/uapi/asm-generic/siginfo.h
const [SI_QUEUE, SI_TKILL, SI_KERNEL, CLD_EXITED] = [-1, -6, 128, 1];
const COMM = 0x6d726177; // "warm"

let isWarm = false;

/** Takes about a tenth of a second, the first time, and leaves nothing but compiled code. */
export function warmUp(): void {
  if (isWarm) return;
  isWarm = true;
  // Two contexts, both lanes and records of each sort: compiled code that meets what it never met is thrown away. And
  // many rounds, because a function is compiled for its calls, not only for the loop in it.
  const contexts = [scratchContext(), scratchContext()] as const;
  const [lethal, bulk] = [recordsOf(RECORDS / 8), recordsOf(RECORDS)] as const;
  for (let round = 0; round < ROUNDS; round++) {
    const tally = new Tally();
    const ledger = new Ledger(new ArrayBuffer(SnoopCounters.bytes), tally, 0, null);
    const pipeline = new Pipeline(
      {
        lethal: laneOf(lethal),
        bulk: laneOf(bulk),
        pins: null,
        waiter: { wait: () => Promise.resolve(), call() {} },
      },
      contexts[round % 2 === 0 ? 0 : 1],
      tally,
      ledger,
      { rows: 0, write() {} },
      { flushMs: 0 },
    );
    pipeline.finish();
  }
}

/** A lane from whose records nothing was taken. */
function laneOf(shared: ArrayBuffer): Ring {
  return new Ring(new ArrayBuffer(PAGE), shared, PAGE, LANE_BYTES);
}

/**
 * The memory of a lane with a bit of everything: half of the calls and signals repeat the one before, half are like no
 * other.
 */
function recordsOf(records: number): ArrayBuffer {
  const shared = new ArrayBuffer(PAGE + LANE_BYTES);
  const view = new DataView(shared, PAGE);
  let at = 0;
  for (let n = 0; n < records; n++) {
    const seldom = SELDOM[n % 64];
    const { type, bytes, put } = seldom ?? (n % 2 === 0 ? ATTEMPT : SIGNAL);
    const record = at + HEADER_BYTES;
    view.setUint32(at, bytes, true);
    view.setUint32(record + SnoopHeader.type, type, true);
    putNs(view, record + SnoopHeader.time, n);
    putKey(view, record + SnoopHeader.key_start, seldom ? NOBODY + (n >> 6) : NOBODY);
    put(view, record, n, n % 4 < 2 ? 0 : n);
    at += HEADER_BYTES + bytes;
  }
  view.setUint32(at, BUSY, true); // a record that the kernel is still writing
  new BigUint64Array(shared, 0, 1)[0] = BigInt(at + HEADER_BYTES);
  return shared;
}

const ENDING = SnoopSenderState.EXITING | SnoopSenderState.GROUP_ENDS;
/** How signals come about: the branches of mechanism.ts that a storm may meet. */
const CAUSES = [
  { sig: USR1, syscall: SYSCALL.kill, code: 0, sender: 0 },
  { sig: USR1, syscall: SYSCALL.tkill, code: SI_TKILL, sender: 0 },
  { sig: USR1, syscall: SYSCALL.tgkill, code: SI_TKILL, sender: 0 },
  { sig: USR1, syscall: SYSCALL.rt_sigqueueinfo, code: SI_QUEUE, sender: 0 },
  { sig: USR1, syscall: SYSCALL.rt_tgsigqueueinfo, code: SI_QUEUE, sender: 0 },
  { sig: USR1, syscall: SYSCALL.pidfd_send_signal, code: 0, sender: 0 },
  { sig: SIG.KILL, syscall: SYSCALL.write, code: 0, sender: 0 },
  { sig: SIG.CHLD, syscall: NO_SYSCALL, code: CLD_EXITED, sender: ENDING },
  { sig: SIG.HUP, syscall: NO_SYSCALL, code: SI_KERNEL, sender: ENDING },
  { sig: SIG.ALRM, syscall: SYSCALL.kill, code: SI_KERNEL, sender: SnoopSenderState.BYSTANDER },
  { sig: SIG.SEGV, syscall: NO_SYSCALL, code: 1, sender: 0 },
  { sig: USR1, syscall: NO_SYSCALL, code: SI_KERNEL, sender: SnoopSenderState.KTHREAD },
] as const;
type Cause = (typeof CAUSES)[number];

function putSignal(view: DataView, at: number, n: number, arg: number): void {
  const { sig, syscall, code, sender } = CAUSES[(n >> 3) % CAUSES.length] as Cause;
  const isGroup = n % 8 < 4;
  const target = NOBODY + 1 + (arg % 64);
  putKey(view, at + EvSignal.target_start, target);
  view.setUint32(at + EvSignal.comm, COMM, true);
  view.setUint32(at + EvSignal.target_comm, COMM, true);
  view.setInt32(at + EvSignal.syscall, syscall, true);
  view.setInt32(at + EvSignal.args, isGroup ? -NOBODY - arg : target, true);
  view.setInt32(at + EvSignal.args + 4, sig, true);
  view.setInt32(at + EvSignal.code, code, true);
  view.setUint8(at + EvSignal.sender, sender);
  view.setUint8(at + EvSignal.sig, sig);
  view.setUint8(at + EvSignal.group, 1);
}

function putAttempt(view: DataView, at: number, n: number, arg: number): void {
  const { syscall } = CAUSES[(n >> 3) % CALLS] as Cause;
  const isProbe = n % 8 < 4;
  view.setUint32(at + EvAttempt.comm, COMM, true);
  view.setInt32(at + EvAttempt.syscall, syscall, true);
  view.setInt32(at + EvAttempt.args, NOBODY + (isProbe ? 0 : arg), true);
  view.setInt32(at + EvAttempt.sig, isProbe ? 0 : USR1, true);
  view.setInt32(at + EvAttempt.result, isProbe ? 0 : n % 16 < 8 ? ESRCH : EPERM, true);
}

function putDelivery(view: DataView, at: number): void {
  view.setUint32(at + EvDelivery.info_sig, USR1, true);
  view.setUint32(at + EvDelivery.action, SnoopDisposition.HANDLED, true);
}

interface Sample {
  type: SnoopType;
  bytes: number;
  put(view: DataView, at: number, n: number, arg: number): void;
}

const ATTEMPT: Sample = { type: SnoopType.ATTEMPT, bytes: EvAttempt.bytes, put: putAttempt };
const SIGNAL: Sample = { type: SnoopType.SIGNAL, bytes: EvSignal.bytes, put: putSignal };
/** One of 64 records each; what they have beyond a key is empty. */
const SELDOM: Readonly<Record<number, Sample>> = {
  15: { type: SnoopType.FORK, bytes: EvProcess.bytes, put() {} },
  31: { type: SnoopType.EXEC, bytes: EvExec.bytes, put() {} },
  47: { type: SnoopType.DELIVERY, bytes: EvDelivery.bytes, put: putDelivery },
  63: { type: SnoopType.EXIT, bytes: EvExit.bytes, put() {} },
};

/** struct snoop_key of a process that there is not. */
function putKey(view: DataView, at: number, pid: number): void {
  putNs(view, at, 1);
  view.setInt32(at + 8, pid, true);
  view.setInt32(at + 12, pid, true);
}

/** Nanoseconds since boot, beyond 32 bits as nearly all are. */
function putNs(view: DataView, at: number, ns: number): void {
  view.setUint32(at, 0xf0000000 + ns, true);
  view.setUint32(at + 4, 9999, true);
}
