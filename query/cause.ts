/** Which of the signals that a process got is the one that ended it. Pure. */

import { causeByDelivery, type DeliveryFact } from './deliveries.js';
import type { End, Facts, SignalFact } from './verdict.js';

const NEAR_US = 1_000_000;

/**
 * The signal that ended a process: of those that were to act by default, the last that reached it. One that found
 * the same signal waiting was dropped, so it counts only where the one that waited was not recorded.
 */
export function selectCause(
  end: End,
  signals: readonly SignalFact[],
  deliveries: readonly DeliveryFact[] = [],
): SignalFact | null {
  const { ended_us: ended, exit_signal: sig } = end;
  if (ended === null || sig === null) return null;
  const fits = signals.filter(s => s.sig === sig && s.time_us <= ended && s.disposition !== 'handled');
  const last = (...outcomes: string[]): SignalFact | null =>
    fits
      .filter(s => outcomes.includes(s.outcome))
      .reduce<SignalFact | null>(
        (best, s) => (best === null || reached(s, ended) >= reached(best, ended) ? s : best),
        null,
      );
  return last('delivered', 'delivered-bare') ?? last('pending') ?? causeByDelivery(end, signals, deliveries);
}

/** The span in which a loss would make a verdict doubtful. */
export function windowOf(
  end: End,
  cause: SignalFact | null,
  recorded: Facts['recorded'],
): { from: number; to: number } {
  const until = end.ended_us ?? end.unseen_end_us ?? recorded.to ?? end.started_us;
  if (end.ended_us === null) return { from: end.started_us, to: Math.max(until, end.started_us) };
  return { from: Math.min(cause === null ? until : reached(cause, until), until - NEAR_US), to: until };
}

/** When a folded signal last reached the process, as far as it was alive for it. */
export function reached(signal: SignalFact, ended: number): number {
  return Math.min(signal.last_time_us, ended);
}
