/** What became of the signals that were sent to a process: whether a handler ran and when, or which of them ended it. */

import type Database from 'better-sqlite3';
import { prepared } from './prepared.js';
import { isoTime } from './time.js';
import type { EarlierSignal, End, SignalFact } from './verdict.js';

/** A lethal signal that took effect; a row of the view `deliveries`. */
export interface DeliveryFact {
  id: number;
  time_us: number;
  last_time_us: number;
  count: number;
  sig: number;
  action: 'handled' | 'default';
  /** As far as the siginfo tells. */
  mechanism: string | null;
  /** Who signed it, in the pid namespace of the process. */
  from_pid: number | null;
  from_uid: number | null;
}

const MOST_DELIVERIES = 200;

/** The newest deliveries to a process. */
export const DELIVERIES = `SELECT id, time_us, last_time_us, count, sig, action, mechanism, from_pid, from_uid FROM deliveries
  WHERE process_id = :id AND time_us <= :until ORDER BY id DESC LIMIT :limit`;

/** Deliveries to a process until a time, oldest first. */
export function deliveriesTo(db: Database.Database, id: number, until: number): DeliveryFact[] {
  const newest = prepared(db, DELIVERIES).all({ id, until, limit: MOST_DELIVERIES }) as DeliveryFact[];
  return newest.reverse();
}

/** The one that ended the process; null: none was recorded. */
export function fatalDelivery(end: End, deliveries: readonly DeliveryFact[]): DeliveryFact | null {
  return deliveries.findLast(d => d.action === 'default' && d.sig === end.exit_signal) ?? null;
}

/**
 * The signal that ended a process though there was a handler for it when it was sent: the handler was taken away before it
 * could run, as by an execve(2) in progress.
 */
export function causeByDelivery(
  end: End,
  signals: readonly SignalFact[],
  deliveries: readonly DeliveryFact[],
): SignalFact | null {
  const fatal = fatalDelivery(end, deliveries);
  if (fatal === null || fatal.from_pid === null) return null;
  const isIt = (s: SignalFact) =>
    s.sig === fatal.sig &&
    s.sender_pid === fatal.from_pid &&
    s.time_us <= fatal.last_time_us &&
    s.outcome === 'delivered';
  return signals.findLast(isIt) ?? null;
}

/** What became of one signal of `signals`: of the deliveries from its time on the first that fits, best by the same sender. */
export function fateOf(signal: SignalFact, deliveries: readonly DeliveryFact[]): EarlierSignal['delivered'] {
  if (signal.outcome !== 'delivered' && signal.outcome !== 'delivered-bare') return null;
  const later = deliveries.filter(d => d.sig === signal.sig && d.last_time_us >= signal.time_us);
  const found = later.find(d => d.from_pid === signal.sender_pid) ?? later[0];
  if (found === undefined) return null;
  // Of a row that counts several only the first and the last time are known.
  const time = found.time_us >= signal.time_us ? found.time_us : found.last_time_us;
  return { action: found.action, time: isoTime(time), delay_us: time - signal.time_us };
}

/** Who signed the signal that ended the process, where it was not recorded as it was sent. */
export function signedBy(end: End, deliveries: readonly DeliveryFact[]): string[] {
  const fatal = fatalDelivery(end, deliveries);
  if (fatal?.from_pid == null) return [];
  return [`The signal itself names process ${fatal.from_pid} (uid ${fatal.from_uid}) as its sender.`];
}
