/**
 * Rows for a terminal: a table while they are few, a stream of aligned columns when they are many (cli-table3 needs
 * minutes for 50,000 rows). Only here long texts are cut.
 */

import CliTable from 'cli-table3';
import { isNumeric, type Row, showValue } from '../kinds.js';
import type { Renderer, Sheet } from './index.js';
import { layOut, total } from './layout.js';
import { fit, pad } from './width.js';

const MOST_IN_TABLE = 200;
const GAP = 2;

/** A table up to 200 rows, beyond that columns. */
export const renderTable: Renderer = (rows, sheet, write) => {
  const first: string[][] = [];
  const iterator = rows[Symbol.iterator]();
  let next = iterator.next();
  for (; !next.done && first.length < MOST_IN_TABLE; next = iterator.next())
    first.push(cells(next.value, sheet));
  if (first.length === 0) return 0;
  if (next.done) {
    const table = drawTable(first, sheet);
    if (table !== undefined) {
      write(`${table}\n`);
      return first.length;
    }
  }
  return streamColumns(first, next, iterator, sheet, write);
};

/** Nothing, where the terminal is too narrow for the lines between the columns. */
function drawTable(rows: string[][], { names, columns, width, paint }: Sheet): string | undefined {
  const room = width - (3 * names.length + 1);
  const widths = layOut(names, columns, rows, room);
  if (total(widths) > room) return undefined;
  const table = new CliTable({
    head: names.map((name, i) => paint('bold', fit(name, widths[i] ?? 0))),
    colWidths: widths.map(w => w + 2),
    colAligns: names.map(name => (isNumeric(columns[name] ?? 'text') ? 'right' : 'left')),
    style: { head: [], border: [], compact: true }, // its own colours would go into pipes too
  });
  for (const row of rows) table.push(row.map((cell, i) => fit(cell, widths[i] ?? 0)));
  // It takes some letters for wider than they are, and cuts again: by UTF-16 units, which may leave half a letter.
  return table.toString().replace(/\p{Cs}/gu, '\ufffd');
}

function streamColumns(
  first: string[][],
  from: IteratorResult<Row>,
  rest: Iterator<Row>,
  sheet: Sheet,
  write: (text: string) => void,
): number {
  const { names, columns, width, paint } = sheet;
  const widths = layOut(names, columns, first, width - GAP * (names.length - 1));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => {
        const shown = isNumeric(columns[names[i] ?? ''] ?? 'text') ? cell : fit(cell, widths[i] ?? 0);
        return i === names.length - 1
          ? shown
          : pad(shown, widths[i] ?? 0, isNumeric(columns[names[i] ?? ''] ?? 'text'));
      })
      .join(' '.repeat(GAP));
  write(`${paint('bold', line(names))}\n`);
  for (const cells of first) write(`${line(cells)}\n`);
  let count = first.length;
  for (let next = from; !next.done; next = rest.next()) {
    write(`${line(cells(next.value, sheet))}\n`);
    count++;
  }
  return count;
}

function cells(row: Row, { names, columns, clock }: Sheet): string[] {
  return names.map(name => showValue(row[name], columns[name] ?? 'text', clock));
}
