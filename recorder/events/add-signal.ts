/** Completes a row of `signal` whose columns from `sender` on are set: counts it in an equal one, or adds it. */

import type { Context } from '../context.js';
import { Fate } from '../events.js';
import { NULL } from '../rows.js';
import { SIGNAL } from '../tables.js';

export function addSignal({ clock, signals }: Context, bootNs: number): Fate {
  const time = clock.wallOf(bootNs);
  const fresh = signals.length;
  signals.set(SIGNAL.time, time);
  signals.set(SIGNAL.last_time, NULL);
  signals.set(SIGNAL.count, 1);
  const row = signals.add();
  if (row === fresh) return Fate.stored;
  signals.put(row, SIGNAL.count, signals.get(row, SIGNAL.count) + 1);
  signals.put(row, SIGNAL.last_time, time);
  return Fate.folded;
}
