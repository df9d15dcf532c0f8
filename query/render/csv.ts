/**
 * CSV as in RFC 4180, with CRLF. A spreadsheet runs a cell that begins with = + - @ as a formula, and the names and
 * arguments of processes are whatever anyone chose: such texts get a leading apostrophe. Numbers stay numbers.
 */

import { escapeText } from '../escape.js';
import type { Value } from '../kinds.js';
import type { Renderer } from './index.js';

const FORMULA = /^[\s]*[=+\-@\t\r]/;

/** Rows with a header line. */
export const renderCsv: Renderer = (rows, { names, isTerminal }, write) => {
  write(`${names.map(name => field(name, isTerminal)).join(',')}\r\n`);
  let count = 0;
  for (const row of rows) {
    count++;
    write(`${names.map(name => field(row[name] ?? null, isTerminal)).join(',')}\r\n`);
  }
  return count;
};

function field(value: Value, isTerminal: boolean): string {
  if (value === null) return '';
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  const raw = Buffer.isBuffer(value) ? `x'${value.toString('hex')}'` : value;
  const text = isTerminal ? escapeText(raw) : raw;
  const guarded = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}
