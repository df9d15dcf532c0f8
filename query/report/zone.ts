/** Zones of time as a report holds them: offsets from UTC, so that a page reads its times as they were read where it was made. */

import { isoTime } from '../time.js';

/** From a moment on the clocks are so many microseconds ahead of UTC. */
export interface Shift {
  from: number;
  offset: number;
}

export interface Zone {
  /** As people call it: `UTC`, `Europe/Berlin`. */
  name: string;
  /** In the order of time; the first holds before it too. None: UTC. */
  shifts: readonly Shift[];
}

export const UTC: Zone = { name: 'UTC', shifts: [] };

const MINUTE = 60_000_000;
const HOUR = 60 * MINUTE;

/** How far the clocks are ahead of UTC at a moment, microseconds. */
export function offsetAt({ shifts }: Zone, time: number): number {
  return (shifts.findLast(({ from }) => from <= time) ?? shifts[0])?.offset ?? 0;
}

/** What clocks show: `2026-11-21T15:05:00.000123`. */
export function wallTime(time: number, zone: Zone): string {
  return isoTime(Math.round(time) + offsetAt(zone, time)).slice(0, -1);
}

/** `14:05:00.000123`. */
export function clockTime(time: number, zone: Zone): string {
  return wallTime(time, zone).slice(11);
}

/** `2026-11-21 14:05:00`. */
export function dayTime(time: number, zone: Zone): string {
  return wallTime(time, zone).slice(0, 19).replace('T', ' ');
}

/** `UTC`, or `Europe/Berlin (UTC+1)`, as it is at a moment. */
export function zoneWords(zone: Zone, time: number): string {
  if (zone.shifts.length === 0) return zone.name;
  const offset = offsetAt(zone, time);
  const minutes = (Math.abs(offset) % HOUR) / MINUTE;
  const rest = minutes === 0 ? '' : `:${String(minutes).padStart(2, '0')}`;
  return `${zone.name} (UTC${offset < 0 ? '−' : '+'}${Math.floor(Math.abs(offset) / HOUR)}${rest})`;
}
