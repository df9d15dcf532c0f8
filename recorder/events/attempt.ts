/** A call that was refused or only probed becomes a row of `signal`; the return of a group call closes that. */

import { constants } from 'node:os';
import { EvAttempt } from '../../bpf/wire.gen.js';
import type { Context } from '../context.js';
import { type EventSpec, Fate } from '../event-spec.js';
import type { Memory } from '../lane.js';
import { Mechanism, sendCall } from '../mechanism.js';
import { NULL } from '../rows.js';
import { addSignal, isRepeat, SIGNAL, SIGNAL_TABLE } from './signal-row.js';

export const attempt: EventSpec = {
  name: 'attempt',
  bytes: EvAttempt.bytes,
  parts: [],
  table: SIGNAL_TABLE,
  apply,
};

const ESRCH = constants.errno.ESRCH;
const PROBE = 5; // outcome_name

function apply(context: Context, memory: Memory, at: number): Fate {
  if (isRepeat(context, memory, at, EvAttempt.bytes)) return Fate.folded;
  const { identity } = context;
  const signals = context.rows(SIGNAL_TABLE);
  const { i32, u32 } = memory;
  const tid = i32[(at + EvAttempt.h_key_tid) >> 2] as number;
  const syscall = i32[(at + EvAttempt.syscall) >> 2] as number;
  const arg0 = i32[(at + EvAttempt.args) >> 2] as number;
  const sig = i32[(at + EvAttempt.sig) >> 2] as number;
  const result = i32[(at + EvAttempt.result) >> 2] as number;
  const mechanism = sendCall(syscall);
  if (mechanism === 0) return Fate.malformed;
  if (mechanism === Mechanism.kill && arg0 <= 0) {
    context.calls.close(tid);
    if (result === 0 && sig !== 0) return Fate.folded; // its targets have rows of their own
  }

  const sender = identity.at(memory, at + EvAttempt.h_key_start);
  // Only in the initial namespace is the argument a pid that we know processes by, and with ESRCH nobody bore it.
  const namesPid =
    mechanism !== Mechanism.pidfdSendSignal &&
    arg0 > 0 &&
    result !== -ESRCH &&
    u32[(at + EvAttempt.ns_level) >> 2] === 0;
  const target =
    identity.at(memory, at + EvAttempt.target_start) ?? (namesPid ? identity.table.bearer(arg0) : null);

  signals.set(SIGNAL.sender, sender?.id ?? NULL);
  signals.set(SIGNAL.sender_tid, tid);
  signals.set(SIGNAL.sender_uid, u32[(at + EvAttempt.uid) >> 2] as number);
  signals.set(SIGNAL.sender_comm, identity.comm(sender, memory, at + EvAttempt.comm, tid === sender?.pid));
  signals.set(SIGNAL.sender_exec, sender?.exec ?? NULL);
  signals.set(SIGNAL.target, target?.id ?? NULL);
  signals.set(SIGNAL.target_tid, NULL);
  signals.set(SIGNAL.target_comm, target?.comm ?? NULL);
  signals.set(SIGNAL.sig, sig);
  signals.set(SIGNAL.code, NULL);
  signals.set(SIGNAL.mechanism, mechanism);
  signals.set(SIGNAL.call, NULL);
  signals.set(SIGNAL.outcome, result < 0 ? result : PROBE);
  signals.set(SIGNAL.disposition, NULL);
  signals.set(SIGNAL.target_arg, arg0);
  signals.set(SIGNAL.syscall, syscall);
  signals.set(SIGNAL.dying, NULL);
  return addSignal(context, memory, at, EvAttempt.bytes, arg0 > 0);
}
