/** One signal to one real target becomes a row of `signal`. */

import { EvSignal, type SnoopDisposition } from '../../bpf/wire.gen.js';
import type { Context } from '../context.js';
import { type EventSpec, Fate } from '../event-spec.js';
import type { Memory } from '../lane.js';
import { hasSender, isByDeath, Mechanism, mechanismOf, sendCall } from '../mechanism.js';
import { NULL } from '../rows.js';
import { addSignal, isRepeat, SIGNAL, SIGNAL_TABLE } from './signal-row.js';

export const signal: EventSpec = {
  name: 'signal',
  bytes: EvSignal.bytes,
  parts: [],
  table: SIGNAL_TABLE,
  apply,
};

function apply(context: Context, memory: Memory, at: number): Fate {
  if (isRepeat(context, memory, at, EvSignal.bytes)) return Fate.folded;
  const { identity } = context;
  const signals = context.rows(SIGNAL_TABLE);
  const { u8, i32, u32 } = memory;
  const running = identity.at(memory, at + EvSignal.h_key_start);
  const target = identity.at(memory, at + EvSignal.target_start);
  const sig = u8[at + EvSignal.sig] as number;
  const code = i32[(at + EvSignal.code) >> 2] as number;
  const syscall = i32[(at + EvSignal.syscall) >> 2] as number;
  const arg0 = i32[(at + EvSignal.args) >> 2] as number;
  const mechanism = mechanismOf(
    sig,
    code,
    syscall,
    i32[(at + EvSignal.args + 4) >> 2] as number,
    u8[at + EvSignal.sender] as number,
    u8[at + EvSignal.pdeathsig] as number,
    running === target,
    target?.oomVictim ?? false,
  );
  const sender = hasSender(mechanism) ? running : null;
  const dying = isByDeath(mechanism, u8[at + EvSignal.sender] as number) ? running : null;
  const called = sendCall(syscall) === mechanism;
  const tid = i32[(at + EvSignal.h_key_tid) >> 2] as number;
  const targetTid = i32[(at + EvSignal.target_tid) >> 2] as number;
  const isGroupCall = called && mechanism === Mechanism.kill && arg0 <= 0;
  const disposition = u8[at + EvSignal.disposition] as SnoopDisposition;

  signals.set(SIGNAL.sender, sender?.id ?? NULL);
  signals.set(SIGNAL.sender_tid, sender === null ? NULL : tid);
  signals.set(SIGNAL.sender_uid, sender === null ? NULL : (u32[(at + EvSignal.uid) >> 2] as number));
  signals.set(
    SIGNAL.sender_comm,
    sender === null ? NULL : identity.comm(sender, memory, at + EvSignal.comm, tid === sender.pid),
  );
  signals.set(SIGNAL.sender_exec, sender?.exec ?? NULL);
  signals.set(SIGNAL.target, target?.id ?? NULL);
  signals.set(SIGNAL.target_tid, u8[at + EvSignal.group] ? NULL : targetTid);
  signals.set(
    SIGNAL.target_comm,
    identity.comm(target, memory, at + EvSignal.target_comm, targetTid === target?.pid),
  );
  signals.set(SIGNAL.sig, sig);
  signals.set(SIGNAL.code, code);
  signals.set(SIGNAL.mechanism, mechanism);
  signals.set(SIGNAL.call, isGroupCall ? context.calls.of(tid, signals.firstId + signals.length) : NULL);
  signals.set(SIGNAL.outcome, u8[at + EvSignal.result] as number); // TRACE_SIGNAL_* are the numbers of outcome_name
  signals.set(SIGNAL.disposition, disposition);
  signals.set(SIGNAL.target_arg, called ? arg0 : NULL);
  signals.set(SIGNAL.syscall, syscall < 0 ? NULL : syscall);
  signals.set(SIGNAL.dying, dying?.id ?? NULL);
  return addSignal(context, memory, at, EvSignal.bytes, !isGroupCall);
}
