/**
 * What came before a violent end: somebody asked the process to end and waited, or it was stopped and could not act. Pure.
 */

import { type DeliveryFact, fateOf as deliveryOf } from './deliveries.js';
import { isLethal, signalName } from './signal-names.js';
import { isoTime } from './time.js';
import type { End, Sender, SignalFact } from './verdict.js';

/** The request to end that came before the signal that ended it. */
export interface Grace {
  id: number;
  signal: { number: number; name: string };
  sent: string;
  /** From the request to the signal that ended it. */
  waited_us: number;
  /** What became of the request. */
  fate: 'handled' | 'blocked' | 'ignored' | 'unkillable' | 'default';
  sender: Sender | null;
  /** The one who asked is the one who killed, or runs the same program for the same parent. */
  is_same_sender: boolean;
}

/** A span in which the process was stopped. */
export interface Stop {
  id: number;
  signal: { number: number; name: string };
  since: string;
  /** When it was told to continue; null: never. */
  until: string | null;
  sender: Sender | null;
  continued_by: Sender | null;
}

/** systemd waits 90 s unless told otherwise, and people configure hours; a stranger's request is old news sooner. */
const SAME_SENDER_US = 3_600_000_000;
const STRANGER_US = 300_000_000;
const SIGKILL = 9;
const SIGTERM = 15;
const SIGCONT = 18;

/** What is known of the process and its end. */
interface Setting {
  cause: SignalFact;
  /** When the cause reached it. */
  sent: number;
  /** The process: what it sent to itself is how a handler passes a signal on, not a request. */
  self: number;
  /** Processes that count as the killer: itself and the one that it works for. */
  kin: ReadonlySet<number>;
  deliveries: readonly DeliveryFact[];
}

/** The last request of the killer's before its signal, else the last of anybody. */
export function graceOf(signals: readonly SignalFact[], setting: Setting): Grace | null {
  const { cause, sent, self, kin, deliveries } = setting;
  const asked = signals
    .filter(
      s => s !== cause && isLethal(s.sig) && s.sender_id !== self && s.time_us < sent && fateOf(s) !== null,
    )
    .map(s => ({ s, isSame: isSame(s, cause, kin), waited: sent - Math.min(s.last_time_us, sent) }))
    .filter(({ isSame: same, waited }) => waited <= (same ? SAME_SENDER_US : STRANGER_US));
  const best =
    asked.filter(({ isSame: same }) => same).at(-1) ??
    asked.filter(({ s: { sig } }) => sig === SIGTERM).at(-1) ??
    asked.at(-1);
  if (best === undefined) return null;
  const { s, isSame: same, waited } = best;
  return {
    id: s.id,
    signal: { number: s.sig, name: signalName(s.sig) },
    sent: isoTime(Math.min(s.last_time_us, sent)),
    waited_us: waited,
    // One that was blocked may have been let in later.
    fate: deliveryOf(s, deliveries)?.action === 'handled' ? 'handled' : (fateOf(s) ?? 'default'),
    sender: senderOf(s),
    is_same_sender: same,
  };
}

/** The stop during which the end came, or in which the signal that ended it had to wait. */
export function stopOf(stops: readonly SignalFact[], end: End, sent: number | null): Stop | null {
  const died = end.ended_us ?? end.unseen_end_us ?? Number.POSITIVE_INFINITY;
  let stop: SignalFact | null = null;
  let going: SignalFact | null = null;
  for (const s of stops) {
    if (s.time_us > died) continue;
    if (s.sig === SIGCONT) {
      // It lets a process go on even where it is ignored, as by default: kernel/signal.c, prepare_signal.
      if (!['delivered', 'delivered-bare', 'ignored', 'pending'].includes(s.outcome)) continue;
      if (stop !== null) going ??= s;
    } else if (isStop(s) && (stop === null || going !== null)) {
      stop = s;
      going = null;
    }
  }
  if (stop === null || (going !== null && going.time_us <= (sent ?? died))) return null;
  // Only SIGKILL ends what is stopped; another one that ended it came before it had stopped.
  if (going === null && end.ended_us !== null && end.exit_signal !== SIGKILL) return null;
  return {
    id: stop.id,
    signal: { number: stop.sig, name: signalName(stop.sig) },
    since: isoTime(stop.time_us),
    until: going === null ? null : isoTime(going.time_us),
    sender: senderOf(stop),
    continued_by: going === null ? null : senderOf(going),
  };
}

/** Who sent it, as answers show it; null: no process. */
export function senderOf(s: SignalFact): Sender | null {
  return s.sender_id === null
    ? null
    : { id: s.sender_id, pid: s.sender_pid, comm: s.sender_comm, uid: s.sender_uid };
}

function isStop({ outcome, disposition }: SignalFact): boolean {
  return disposition === 'default' && (outcome === 'delivered' || outcome === 'delivered-bare');
}

function isSame(s: SignalFact, cause: SignalFact, kin: ReadonlySet<number>): boolean {
  if (s.sender_id === null || cause.sender_id === null) return false;
  return kin.has(s.sender_id) || (s.sender_comm === cause.sender_comm && s.sender_uid === cause.sender_uid);
}

/** Null for what was refused or only asked whether the process is there. */
function fateOf({ outcome, disposition }: SignalFact): Grace['fate'] | null {
  // The kernel drops what has no handler only for the first process of a pid namespace: kernel/signal.c, sig_task_ignored.
  if (outcome === 'ignored') return disposition === 'default' ? 'unkillable' : 'ignored';
  if (!['delivered', 'delivered-bare', 'pending'].includes(outcome)) return null;
  if (disposition === 'handled' || disposition === 'blocked' || disposition === 'default') return disposition;
  return disposition === 'ignored' ? 'ignored' : null;
}
