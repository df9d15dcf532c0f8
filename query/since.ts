/**
 * Time words for --since, --until and --at, as systemd.time(7) and ausearch know them. Pure: the present and the
 * boot time are given. Spans are fixed lengths (a day is 24 h, a month 30.44 d), days of the calendar are not.
 */

import { addDays } from 'date-fns/addDays';
import { startOfDay } from 'date-fns/startOfDay';
import { subDays } from 'date-fns/subDays';
import { SnoopError } from '../migrations/errors.js';

/** What a time word may refer to, in microseconds since the epoch. */
export interface Present {
  now: number;
  boot: () => number;
}

const SECOND = 1_000_000;
const SPANS: Record<string, number> = {
  ...spans(1, 'us', 'usec', 'µs', 'μs'),
  ...spans(1000, 'ms', 'msec'),
  ...spans(SECOND, 's', 'sec', 'second', 'seconds'),
  ...spans(60 * SECOND, 'm', 'min', 'minute', 'minutes'),
  ...spans(3600 * SECOND, 'h', 'hr', 'hour', 'hours'),
  ...spans(86_400 * SECOND, 'd', 'day', 'days'),
  ...spans(7 * 86_400 * SECOND, 'w', 'week', 'weeks'),
  ...spans(2_629_800 * SECOND, 'M', 'month', 'months'),
  ...spans(31_557_600 * SECOND, 'y', 'year', 'years'),
};

const RECENT = 600 * SECOND; // ausearch: "recent" is ten minutes ago
const WEEKDAY = /^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s+(?=\d)/i;
const DATE_TIME =
  /^(?:(\d{4})-(\d{2})-(\d{2}))?(?:(?:[T\s]\s*|^)(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?$/i;

/** Microseconds since the epoch of a time word; SnoopError 'usage' for what is none. */
export function parseTime(text: string, present: Present): number {
  const word = text.trim();
  const us =
    named(word.toLowerCase(), present) ??
    epoch(word) ??
    relative(word, present.now) ??
    calendar(word, present.now);
  if (us === undefined) {
    throw new SnoopError(
      'usage',
      `'${text}' is not a time`,
      /^\d+(\.\d+)?\s*[a-zµ]+$/i.test(word) && span(word) !== undefined
        ? `for the past write '${word} ago' or '-${word}'`
        : "try '10 min ago', '-1h', yesterday, 14:05, '2026-11-21 14:05', 2026-11-21T14:05:00Z, @1795269900, boot or recent",
    );
  }
  return us;
}

/** Microseconds of a length of time such as `2s`, `90`, `1h 30min`; SnoopError 'usage' for what is none. */
export function parseSpan(text: string): number {
  const us = span(text.trim());
  if (us !== undefined && Number.isSafeInteger(us)) return us;
  throw new SnoopError('usage', `'${text}' is not a length of time`, "try 500ms, 2s, 90, '1h 30min'");
}

/** The span that a time word leaves open: `14:05` is a minute, `14:05:30` a second, a date a day, all else a second. */
export function parseMoment(text: string, present: Present): { from: number; to: number } {
  const from = parseTime(text, present);
  const word = text.trim();
  const isDay = /^(?:\w+,?\s+)?\d{4}-\d{2}-\d{2}$/.test(word) || /^(?:today|yesterday|tomorrow)$/i.test(word);
  const isMinute = /(?:^|[T\s])\d{1,2}:\d{2}(?!:?\d)/.test(word.replace(/[+-]\d{2}:\d{2}$/, ''));
  const length = isDay ? 86_400 * SECOND : isMinute ? 60 * SECOND : SECOND;
  return { from, to: from + length - 1 };
}

function named(word: string, { now, boot }: Present): number | undefined {
  const today = startOfDay(now / 1000);
  switch (word) {
    case 'now':
      return now;
    case 'today':
      return today.getTime() * 1000;
    case 'yesterday':
      return subDays(today, 1).getTime() * 1000;
    case 'tomorrow':
      return addDays(today, 1).getTime() * 1000;
    case 'recent':
      return now - RECENT;
    case 'boot':
      return boot();
    default:
      return undefined;
  }
}

function epoch(word: string): number | undefined {
  const match = /^@(\d{1,11})(?:\.(\d{1,9}))?$/.exec(word);
  return match === null ? undefined : Number(match[1]) * SECOND + fraction(match[2]);
}

function relative(word: string, now: number): number | undefined {
  const ago = /^(.+?)\s+ago$/i.exec(word)?.[1];
  const sign = word[0] === '-' ? -1 : 1;
  const length = span(ago ?? (/^[+-]/.test(word) ? word.slice(1) : ''));
  if (length === undefined || (ago !== undefined && /^[+-]/.test(ago))) return undefined;
  const us = now + (ago === undefined ? sign : -1) * length;
  return us >= 0 && Number.isSafeInteger(us) ? us : undefined;
}

/** Microseconds of `1h 30min`, `90s`, `5`: a number without a unit means seconds. */
function span(text: string): number | undefined {
  const part = /\s*(\d+(?:\.\d+)?)\s*([a-zµμ]*)\s*/giy;
  let total = 0;
  let end = 0;
  for (let match = part.exec(text); match !== null; match = part.exec(text)) {
    const unit = match[2] || 's';
    const length = Object.hasOwn(SPANS, unit) ? SPANS[unit] : SPANS[unit.toLowerCase()];
    if (length === undefined) return undefined;
    total += Number(match[1]) * length;
    end = part.lastIndex;
  }
  return end > 0 && end === text.length ? Math.round(total) : undefined;
}

function calendar(word: string, now: number): number | undefined {
  const match = DATE_TIME.exec(word.replace(WEEKDAY, ''));
  if (match === null || (match[1] === undefined && match[4] === undefined)) return undefined;
  const [, year, month, day, hour = '0', minute = '0', second = '0', rest, zone] = match;
  const utc = zone !== undefined;
  const base = new Date(now / 1000);
  const date =
    year !== undefined
      ? [Number(year), Number(month) - 1, Number(day)]
      : utc
        ? [base.getUTCFullYear(), base.getUTCMonth(), base.getUTCDate()]
        : [base.getFullYear(), base.getMonth(), base.getDate()];
  const [y = 0, m = 0, d = 0] = date;
  const midnight = new Date(Date.UTC(y, m, d));
  if (midnight.getUTCMonth() !== m || midnight.getUTCDate() !== d) return undefined; // 30 February
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const time = [Number(hour), Number(minute), Number(second)] as const;
  const ms = utc ? Date.UTC(y, m, d, ...time) - offset(zone) : new Date(y, m, d, ...time).getTime();
  return ms >= 0 ? ms * 1000 + fraction(rest) : undefined;
}

function offset(zone: string): number {
  const match = /^([+-])(\d{2}):?(\d{2})$/.exec(zone);
  if (match === null) return 0;
  return (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3])) * 60_000;
}

/** Microseconds of the digits behind a decimal point. */
function fraction(digits: string | undefined): number {
  return Number((digits ?? '').padEnd(6, '0').slice(0, 6));
}

function spans(us: number, ...names: string[]): Record<string, number> {
  return Object.fromEntries(names.map(name => [name, us]));
}
