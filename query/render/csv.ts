/**
 * CSV as in RFC 4180, with CRLF. A spreadsheet runs a cell that begins with = + - @ as a formula, and the names and
 * arguments of processes are whatever anyone chose: such texts get a leading apostrophe. Numbers stay numbers. What a terminal
 * would obey is escaped here too, for many a pipe ends at one; JSON gives back every character.
 */

import { escapeText } from '../escape.js';
import type { Value } from '../kinds.js';
import type { Renderer } from './index.js';

const FORMULA = /^[\s]*[=+\-@\t\r]/;

/** Rows with a header line. */
export const renderCsv: Renderer = (rows, { names }, write) => {
  write(`${names.map(name => field(name)).join(',')}\r\n`);
  let count = 0;
  for (const row of rows) {
    count++;
    write(`${names.map(name => field(row[name] ?? null)).join(',')}\r\n`);
  }
  return count;
};

function field(value: Value): string {
  if (value === null) return '';
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  const text = escapeText(Buffer.isBuffer(value) ? `x'${value.toString('hex')}'` : value);
  const guarded = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}
