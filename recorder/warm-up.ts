/**
 * Has V8 compile what a storm runs through before there is one. Else the first tenths of a second are interpreted, and that
 * is slower than two million calls a second come: of 4,000,000 at full speed up to 120,000 were lost then, and none later.
 */

import { EvAttempt, EvExec, EvSignal, SnoopCounters, SnoopHeader, SnoopType } from '../bpf/wire.gen.js';
import { Ledger, Tally } from './coverage.js';
import { scratchContext } from './new-context.js';
import { SYSCALL } from './numbers.js';
import { Pipeline } from './pipeline.js';
import { HEADER_BYTES, Ring } from './ring.js';

const RECORDS = 32_000;
const LANE_BYTES = 1 << 22; // they fit
const PAGE = 4096;
const NOBODY = 5_000_000; // no pid is as large (include/linux/threads.h, PID_MAX_LIMIT)
const ESRCH = -3;
const SIGUSR1 = 10;
const COMM = 0x6d726177; // "warm"

let isWarm = false;

/** Takes about a tenth of a second, the first time, and leaves nothing but compiled code. */
export function warmUp(): void {
  if (isWarm) return;
  isWarm = true;
  // Two contexts, both lanes and records of each sort: compiled code that meets what it never met is thrown away.
  for (let round = 0; round < 2; round++) {
    const tally = new Tally();
    const ledger = new Ledger(new ArrayBuffer(SnoopCounters.bytes), tally, 0, null);
    const pipeline = new Pipeline(
      {
        lethal: laneOf(RECORDS / 16),
        bulk: laneOf(RECORDS / 2),
        pins: null,
        waiter: { wait: () => Promise.resolve(), call() {} },
      },
      scratchContext(),
      tally,
      ledger,
      { rows: 0, write() {} },
      { flushMs: 0 },
    );
    pipeline.finish();
  }
}

/** A lane with refused calls, probes, signals and some execs: half of them repeat the one before, half are like no other. */
function laneOf(records: number): Ring {
  const shared = new ArrayBuffer(PAGE + LANE_BYTES);
  const view = new DataView(shared, PAGE);
  let at = 0;
  for (let n = 0; n < records; n++) {
    const { type, bytes, comm, put } = n % 64 === 63 ? EXEC : n % 2 === 0 ? ATTEMPT : SIGNAL;
    const record = at + HEADER_BYTES;
    view.setUint32(at, bytes, true);
    view.setUint32(record + SnoopHeader.type, type, true);
    view.setUint32(record + SnoopHeader.time, n, true);
    putKey(view, record + SnoopHeader.key_start, NOBODY);
    view.setUint32(record + comm, COMM, true);
    put(view, record, n, n % 4 < 2 ? 0 : n);
    at += HEADER_BYTES + bytes;
  }
  new BigUint64Array(shared, 0, 1)[0] = BigInt(at);
  return new Ring(new ArrayBuffer(PAGE), shared, PAGE, LANE_BYTES);
}

function putAttempt(view: DataView, at: number, n: number, arg: number): void {
  const isProbe = n % 8 < 4;
  view.setInt32(at + EvAttempt.syscall, SYSCALL.kill, true);
  view.setInt32(at + EvAttempt.args, NOBODY + (isProbe ? 0 : arg), true);
  view.setInt32(at + EvAttempt.sig, isProbe ? 0 : SIGUSR1, true);
  view.setInt32(at + EvAttempt.result, isProbe ? 0 : ESRCH, true);
}

function putSignal(view: DataView, at: number, n: number, arg: number): void {
  const isGroup = n % 8 < 4;
  const target = NOBODY + 1 + (arg % 64);
  putKey(view, at + EvSignal.target_start, target);
  view.setUint32(at + EvSignal.target_comm, COMM, true);
  view.setInt32(at + EvSignal.syscall, SYSCALL.kill, true);
  view.setInt32(at + EvSignal.args, isGroup ? -NOBODY - arg : target, true);
  view.setInt32(at + EvSignal.args + 4, SIGUSR1, true);
  view.setUint8(at + EvSignal.sig, SIGUSR1);
  view.setUint8(at + EvSignal.group, 1);
}

const ATTEMPT = { type: SnoopType.ATTEMPT, bytes: EvAttempt.bytes, comm: EvAttempt.comm, put: putAttempt };
const SIGNAL = { type: SnoopType.SIGNAL, bytes: EvSignal.bytes, comm: EvSignal.comm, put: putSignal };
/** Its parts are empty. */
const EXEC = { type: SnoopType.EXEC, bytes: EvExec.bytes, comm: EvExec.comm, put() {} };

/** struct snoop_key of a process that there is not. */
function putKey(view: DataView, at: number, pid: number): void {
  view.setUint32(at, 1, true);
  view.setInt32(at + 8, pid, true);
  view.setInt32(at + 12, pid, true);
}
