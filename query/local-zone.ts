/** The zone of the machine, for reports that others open elsewhere. */

import type { Span } from './report/model.js';
import { type Shift, UTC, type Zone } from './report/zone.js';

const MINUTE = 60_000_000;
const LEAST_STEP = 86_400_000_000;
const MOST_STEPS = 1000;

/** As far as a span needs it; UTC where the clocks show that all the time. */
export function localZone({ from, to }: Span): Zone {
  const shifts: Shift[] = [{ from, offset: offsetOf(from) }];
  const step = Math.max(LEAST_STEP, (to - from) / MOST_STEPS);
  for (let time = from; time < to; time += step) {
    const end = Math.min(time + step, to);
    if (offsetOf(end) !== offsetOf(time)) shifts.push(changeIn(time, end));
  }
  if (shifts.every(({ offset }) => offset === 0)) return UTC;
  return { name: Intl.DateTimeFormat().resolvedOptions().timeZone ?? 'local time', shifts };
}

/** When the clocks were put forward or back between two moments. */
function changeIn(from: number, to: number): Shift {
  const before = offsetOf(from);
  let [low, high] = [from, to];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetOf(middle) === before) low = middle;
    else high = middle;
  }
  return { from: high, offset: offsetOf(high) };
}

function offsetOf(time: number): number {
  return -new Date(Math.floor(time / 1000)).getTimezoneOffset() * MINUTE;
}
