/**
 * The verdict: what ended a process, from the facts alone. Pure: knows no database and no clock, so that every rule
 * can be tested with facts made up for it. DESIGN §6 is its contract.
 */

import { reached, selectCause } from './cause.js';
import { type DeliveryFact, fatalDelivery, fateOf } from './deliveries.js';
import { type Evidence, evidenceOf } from './evidence.js';
import { explain } from './explain.js';
import { type Grace, graceOf, type Stop, senderOf, stopOf } from './grace.js';
import type { Instigator } from './instigator.js';
import { type Gap, lostRecords, type Recorded } from './loss.js';
import { isLethal, signalName } from './signal-names.js';
import { isoTime } from './time.js';

/** A process as answers show it. */
export interface Process {
  id: number;
  pid: number;
  started: string;
  ended: string | null;
  comm: string | null;
  exe: string | null;
  args: string[] | null;
  cwd: string | null;
  uid: number | null;
  user: string | null;
  ppid: number | null;
  cgroup: string | null;
  unit: string | null;
  container: string | null;
}

/** A lethal signal that was sent to the process, or that someone tried to send. */
export interface SignalFact {
  id: number;
  time_us: number;
  last_time_us: number;
  count: number;
  sig: number;
  mechanism: string;
  outcome: string;
  disposition: string | null;
  target_arg: number | null;
  sender_id: number | null;
  sender_pid: number | null;
  sender_comm: string | null;
  sender_uid: number | null;
  sender_exec_id: number | null;
  /** The process whose end made the kernel send it. */
  dying_id: number | null;
}

/** The process that sent a signal, as it was then. */
export interface Sender {
  id: number;
  pid: number | null;
  comm: string | null;
  uid: number | null;
}

/** The kernel chose the process when memory ran out. */
export interface OomFact {
  id: number;
  time_us: number;
  trigger_pid: number | null;
  trigger_comm: string | null;
  memory_cgroup: string | null;
  /** Resident memory of the victim. */
  rss_kb: number | null;
}

/** How the process stands: its ends as the recorder saw them. */
export interface End {
  started_us: number;
  ended_us: number | null;
  unseen_end_us: number | null;
  exit_code: number | null;
  exit_signal: number | null;
  core_dumped: boolean;
}

/** Everything that a verdict is made of. */
export interface Facts {
  pid: number;
  process: Process;
  end: End;
  /** Lethal signals to the process, oldest first. */
  signals: readonly SignalFact[];
  /** Lethal signals that took effect on it, oldest first. */
  deliveries: readonly DeliveryFact[];
  /** Signals that stop it or let it go on, oldest first. */
  stops: readonly SignalFact[];
  oom: OomFact | null;
  /** What the sender of the cause was at that time. */
  killer: Process | null;
  /** The killer's, nearest first. */
  ancestry: readonly Process[];
  /** What was not recorded around the end, events `signal` and `exit`. */
  gaps: readonly Gap[];
  recorded: Omit<Recorded, 'host'>;
  /** Other processes that bore the pid. */
  reused: number;
  instigator: Instigator | null;
  /** The verdict on another death that led to this one. */
  cause: Verdict | null;
  /** On what it rests that this other one led to it, where that is not recorded but only fits. */
  cause_why: string | null;
}

export interface EarlierSignal {
  id: number;
  time: string;
  last_time: string;
  count: number;
  signal: { number: number; name: string };
  mechanism: string;
  outcome: string;
  disposition: string | null;
  /** When it took effect, and whether a handler ran then; null: that was not recorded, or never happened. */
  delivered: { action: 'handled' | 'default'; time: string; delay_us: number } | null;
  sender: Sender | null;
}

/** The answer of `who-killed --json`; absent facts are null, never missing. */
export interface Verdict {
  pid: number | null;
  process: Process | null;
  verdict: 'killed' | 'exited' | 'running' | 'unknown';
  confidence: 'proven' | 'consistent' | 'incomplete';
  signal: { number: number; name: string; core_dumped: boolean } | null;
  exit_code: number | null;
  mechanism: string | null;
  killer: Process | null;
  call: { name: string; target_arg: number | null; signal_arg: number } | null;
  sent: string | null;
  died: string | null;
  delay_us: number | null;
  ancestry: Process[];
  instigator: Instigator | null;
  earlier_signals: EarlierSignal[];
  /** The request to end that came before the signal that killed. */
  grace: Grace | null;
  /** It was stopped when the end came, or when the signal did. */
  stopped: Stop | null;
  cause: Verdict | null;
  /** Why that death is taken for the cause, where it is only probable. */
  cause_why: string | null;
  coverage: { complete: boolean; lost: number; gaps: Gap[] };
  reused: number;
  evidence: Evidence[];
  /** What happened, in a sentence or two. */
  summary: string;
  /** The same, what led to it, and how sure that is. */
  explanation: string;
}

/** The system calls that send signals: their arguments are known. */
const CALLS = new Set([
  'kill',
  'tkill',
  'tgkill',
  'rt_sigqueueinfo',
  'rt_tgsigqueueinfo',
  'pidfd_send_signal',
]);
const MOST_EARLIER = 20;

/** The verdict on one process. */
export function judge(facts: Facts): Verdict {
  const { end, signals, deliveries, gaps } = facts;
  const cause = selectCause(end, signals, deliveries);
  // A signal that an interrupt sent may be missing; the siginfo that took effect then tells how it came about.
  const mechanism = cause?.mechanism ?? fatalDelivery(end, deliveries)?.mechanism ?? null;
  // After a real sender's signal was delivered the kernel has nothing left to choose, so the sender stands.
  const isOom = facts.oom !== null && end.exit_signal === 9 && cause?.sender_id == null;
  const sent = cause === null || end.ended_us === null ? null : reached(cause, end.ended_us);
  const isComplete = gaps.length === 0 && wasRecorded(facts);
  const kind = verdictOf(end);
  const confidence = confidenceOf(kind, mechanism !== null || isOom, isComplete);
  const instigator = facts.instigator === null ? null : asSureAs(confidence, facts.instigator);
  const kin = new Set([cause?.sender_id ?? 0, instigator?.process.id ?? 0]);
  const self = facts.process.id;
  const grace =
    cause === null || sent === null ? null : graceOf(signals, { cause, sent, self, kin, deliveries });
  const stopped = stopOf(facts.stops, end, sent);
  const verdict: Verdict = {
    pid: facts.pid,
    process: facts.process,
    verdict: kind,
    confidence,
    signal:
      end.exit_signal === null
        ? null
        : { number: end.exit_signal, name: signalName(end.exit_signal), core_dumped: end.core_dumped },
    exit_code: end.exit_code,
    mechanism: isOom ? 'oom' : mechanism,
    killer: cause?.sender_id == null ? null : facts.killer,
    call:
      cause !== null && CALLS.has(cause.mechanism)
        ? { name: cause.mechanism, target_arg: cause.target_arg, signal_arg: cause.sig }
        : null,
    sent: sent === null ? null : isoTime(sent),
    died: end.ended_us === null ? null : isoTime(end.ended_us),
    delay_us: sent === null || end.ended_us === null ? null : end.ended_us - sent,
    ancestry: cause?.sender_id == null ? [] : [...facts.ancestry],
    instigator,
    earlier_signals: earlier(facts, cause),
    grace,
    stopped,
    cause: facts.cause,
    cause_why: facts.cause_why,
    coverage: { complete: isComplete, lost: lostRecords(gaps), gaps: [...gaps] },
    reused: facts.reused,
    evidence: evidenceOf({
      process: facts.process,
      cause,
      delivery: fatalDelivery(end, deliveries),
      oom: isOom ? facts.oom : null,
      grace,
      stopped,
      instigator,
      gaps,
    }),
    summary: '',
    explanation: '',
  };
  return Object.assign(verdict, explain(verdict, facts));
}

function verdictOf(end: End): Verdict['verdict'] {
  if (end.ended_us !== null)
    return end.exit_signal !== null ? 'killed' : end.exit_code !== null ? 'exited' : 'unknown';
  return end.unseen_end_us === null ? 'running' : 'unknown';
}

function confidenceOf(
  kind: Verdict['verdict'],
  hasCause: boolean,
  isComplete: boolean,
): Verdict['confidence'] {
  if (kind === 'unknown' || (kind === 'killed' && !hasCause)) return 'incomplete';
  return isComplete ? 'proven' : 'consistent';
}

// Who started whom was recorded; but where something was lost, another one may have been in between.
function asSureAs(confidence: Verdict['confidence'], instigator: Instigator): Instigator {
  return confidence === 'proven' ? instigator : { ...instigator, certainty: 'probable' };
}

// The ledger lists gaps between recordings; before the first one there is no row to overlap. The last sign of life
// is no limit: it may be older than the newest batch.
function wasRecorded({ end, recorded }: Facts): boolean {
  if (end.ended_us === null) return end.unseen_end_us === null;
  return recorded.from !== null && recorded.from <= end.ended_us;
}

function earlier({ end, signals, deliveries }: Facts, cause: SignalFact | null): EarlierSignal[] {
  const until = end.ended_us ?? end.unseen_end_us ?? Number.POSITIVE_INFINITY;
  return signals
    .filter(s => s !== cause && isLethal(s.sig) && s.time_us <= until)
    .slice(-MOST_EARLIER)
    .map(s => ({
      id: s.id,
      time: isoTime(s.time_us),
      last_time: isoTime(s.last_time_us),
      count: s.count,
      signal: { number: s.sig, name: signalName(s.sig) },
      mechanism: s.mechanism,
      outcome: s.outcome,
      disposition: s.disposition,
      delivered: fateOf(s, deliveries),
      sender: senderOf(s),
    }));
}
