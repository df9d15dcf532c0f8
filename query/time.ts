/** Times as people read them. In: microseconds since the epoch, or the ISO text of the views. */

/** How times are shown: local unless `utc`. */
export interface Clock {
  utc: boolean;
}

/** `2026-11-21T14:05:00.000123Z`, as the views write it. */
export function isoTime(us: number): string {
  const fraction = String(modulo(us, 1_000_000)).padStart(6, '0');
  return `${new Date(Math.floor(us / 1000)).toISOString().slice(0, 19)}.${fraction}Z`;
}

/** Microseconds of an ISO text of the views. */
export function fromIsoTime(iso: string): number {
  return Date.parse(`${iso.slice(0, 19)}Z`) * 1000 + Number(iso.slice(20, 26));
}

/** `2026-11-21 14:05:00.000123`, in local time, or in UTC with a trailing Z; `digits` of the fraction are kept. */
export function showTime(us: number, clock: Clock, digits = 3): string {
  const date = new Date(Math.floor(us / 1000));
  const fraction = digits === 0 ? '' : `.${String(modulo(us, 1_000_000)).padStart(6, '0').slice(0, digits)}`;
  if (clock.utc) return `${date.toISOString().slice(0, 19).replace('T', ' ')}${fraction}Z`;
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(twoDigits).join('-');
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(':');
  return `${day} ${time}${fraction}`;
}

const UNITS = [
  { us: 86_400_000_000, name: 'd' },
  { us: 3_600_000_000, name: 'h' },
  { us: 60_000_000, name: 'min' },
] as const;

/** `85 µs`, `1.2 ms`, `2.5 s`, `3 min 20 s`, `4 d 2 h`: two significant parts are enough to judge by. */
export function showDuration(us: number): string {
  if (us < 0) return `-${showDuration(-us)}`;
  if (us < 999.5) return `${Math.round(us)} µs`;
  if (us < 999_500) return `${short(us / 1000)} ms`;
  if (us < 59_950_000) return `${short(us / 1_000_000)} s`;
  const seconds = Math.round(us / 1_000_000) * 1_000_000;
  const at = UNITS.findIndex(unit => seconds >= unit.us);
  const unit = UNITS[at] ?? UNITS[2];
  const below = UNITS[at + 1] ?? { us: 1_000_000, name: 's' };
  const whole = Math.floor(seconds / unit.us);
  const rest = Math.floor((seconds % unit.us) / below.us);
  return rest === 0 ? `${whole} ${unit.name}` : `${whole} ${unit.name} ${rest} ${below.name}`;
}

function short(value: number): string {
  return value < 9.95 ? String(Math.round(value * 10) / 10) : String(Math.round(value));
}

function modulo(a: number, b: number): number {
  return ((a % b) + b) % b;
}

function twoDigits(n: number): string {
  return String(n).padStart(2, '0');
}
