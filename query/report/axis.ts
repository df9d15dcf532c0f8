/** Where the ticks of a time axis stand, and what is written at them. */

import type { Span } from './model.js';
import { offsetAt, UTC, wallTime, type Zone } from './zone.js';

export interface Tick {
  time: number;
  label: string;
}

const SECOND = 1_000_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Distances that people count in. */
const STEPS: readonly number[] = [
  ...[1, 10, 100, 1000, 10_000, 100_000].flatMap(unit => [unit, 2 * unit, 5 * unit]),
  ...[1, 2, 5, 10, 15, 30].map(n => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map(n => n * MINUTE),
  ...[1, 2, 3, 6, 12].map(n => n * HOUR),
  ...[1, 2, 7, 14, 30, 90, 365].map(n => n * DAY),
];

/** Ticks at least `least` pixels apart on an axis of `width` pixels, at whole times of day of the zone. */
export function ticksOf({ from, to }: Span, width: number, least: number, zone: Zone = UTC): Tick[] {
  const wanted = ((to - from) * least) / Math.max(1, width);
  const step = STEPS.find(candidate => candidate >= wanted) ?? STEPS.at(-1) ?? DAY;
  const ticks: Tick[] = [];
  const ahead = offsetAt(zone, from);
  for (let time = Math.ceil((from + ahead) / step) * step - ahead; time <= to; time += step)
    ticks.push({ time, label: labelOf(time + offsetAt(zone, time), wallTime(time, zone), step) });
  return ticks;
}

/** As many digits as the step needs: `14:05`, `14:05:30`, `14:05:30.25`. */
function labelOf(time: number, iso: string, step: number): string {
  if (step >= DAY) return iso.slice(0, 10);
  if (step >= MINUTE) return time % DAY === 0 ? iso.slice(5, 10) : iso.slice(11, 16);
  if (step >= SECOND) return iso.slice(11, 19);
  const digits =
    step >= 100_000 ? 1 : step >= 10_000 ? 2 : step >= 1000 ? 3 : step >= 100 ? 4 : step >= 10 ? 5 : 6;
  const fraction = String(((time % SECOND) + SECOND) % SECOND).padStart(6, '0');
  return `${iso.slice(11, 19)}.${fraction.slice(0, digits)}`;
}
