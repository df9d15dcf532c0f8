/** What a column means decides how a person sees it. Machines (JSON, CSV, TSV) get the values of the views as they are. */

import { escapeText } from './escape.js';
import { safeLine } from './shell.js';
import { type Clock, fromIsoTime, showTime } from './time.js';

/** The kinds of columns. */
export const KINDS = [
  'time', // ISO text of the views
  'milliseconds', // a span; a number as in the views, its column's name says the unit
  'microseconds', // likewise
  'pid',
  'id', // of a row in this database
  'uid',
  'count',
  'number',
  'bytes',
  'flag', // 0 or 1
  'name', // comm, signal, mechanism: short
  'path',
  'cmdline',
  'args', // JSON array as text
  'text',
  'any', // of `snoopq sql`: whatever the statement gave
] as const;

export type Kind = (typeof KINDS)[number];

/** Columns of an answer in their order, each with its kind. */
export type Columns = Record<string, Kind>;

/** A value as SQLite gives it. */
export type Value = string | number | bigint | Buffer | null;

export type Row = Record<string, Value>;

const NUMERIC: ReadonlySet<Kind> = new Set([
  'milliseconds',
  'microseconds',
  'pid',
  'id',
  'uid',
  'count',
  'number',
  'bytes',
]);
const GREEDY: ReadonlySet<Kind> = new Set(['path', 'cmdline', 'args', 'text', 'any']);

/** Whether a column is aligned to the right. */
export function isNumeric(kind: Kind): boolean {
  return NUMERIC.has(kind);
}

/** Whether a column may be cut to fit a terminal. */
export function isGreedy(kind: Kind): boolean {
  return GREEDY.has(kind);
}

/** A value for a person, safe for a terminal; an absent one is empty. */
export function showValue(value: Value | undefined, kind: Kind, clock: Clock): string {
  if (value === null || value === undefined) return '';
  if (Buffer.isBuffer(value)) return `x'${value.toString('hex')}'`;
  switch (kind) {
    case 'time':
      return typeof value === 'string' ? showTime(fromIsoTime(value), clock) : String(value);
    case 'flag':
      return value === 1 ? 'yes' : '';
    case 'cmdline':
      return safeLine(String(value));
    default:
      return escapeText(String(value));
  }
}
