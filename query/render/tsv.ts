/** Tab-separated lines: `plain` with values as people read them, `tsv` with the values of the views. */

import { escapeText } from '../escape.js';
import { showValue, type Value } from '../kinds.js';
import type { Renderer } from './index.js';

/** For `grep`, `cut` and `awk`: a header line, then what a table would show, nothing cut. */
export const renderPlain: Renderer = (rows, { names, columns, clock }, write) => {
  let count = 0;
  for (const row of rows) {
    if (count++ === 0) write(`${names.join('\t')}\n`);
    write(`${names.map(name => showValue(row[name], columns[name] ?? 'text', clock)).join('\t')}\n`);
  }
  return count;
};

/** For programs: a header line, then all columns as they are in the views; a backslash is doubled. */
export const renderTsv: Renderer = (rows, { names }, write) => {
  write(`${names.join('\t')}\n`);
  let count = 0;
  for (const row of rows) {
    count++;
    write(`${names.map(name => field(row[name] ?? null)).join('\t')}\n`);
  }
  return count;
};

function field(value: Value): string {
  if (value === null) return '';
  if (Buffer.isBuffer(value)) return `x'${value.toString('hex')}'`;
  return typeof value === 'string' ? escapeText(value.replaceAll('\\', '\\\\')) : String(value);
}
