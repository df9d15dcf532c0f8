/** JSON for machines: the names and values of the views. Means the same with or without a terminal behind it. */

import { escapeJson } from '../escape.js';
import type { Kind, Row, Value } from '../kinds.js';
import type { Sheet } from './index.js';

type Write = (text: string) => void;

/** One array, one row a line. */
export function renderJson(rows: Iterable<Row>, sheet: Sheet, write: Write): number {
  let count = 0;
  for (const row of rows) write(`${count++ === 0 ? '[\n ' : ',\n '}${rowToJson(row, sheet)}`);
  write(count === 0 ? '[]\n' : '\n]\n');
  return count;
}

/** The one object of a question that has one, indented. */
export function renderDocument(document: unknown, write: Write): void {
  write(`${escapeJson(JSON.stringify(document, null, 2))}\n`);
}

/** One object a line. */
export function renderNdjson(rows: Iterable<Row>, sheet: Sheet, write: Write): number {
  let count = 0;
  for (const row of rows) {
    write(`${rowToJson(row, sheet)}\n`);
    count++;
  }
  return count;
}

function rowToJson(row: Row, { names, columns }: Sheet): string {
  const shown: Record<string, unknown> = {};
  for (const name of names) shown[name] = jsonValue(row[name] ?? null, columns[name] ?? 'any');
  return escapeJson(JSON.stringify(shown));
}

function jsonValue(value: Value, kind: Kind): unknown {
  if (Buffer.isBuffer(value)) return { base64: value.toString('base64') };
  if (typeof value === 'bigint') return String(value); // beyond 2^53, where a JSON number would be rounded
  if (kind === 'args' && typeof value === 'string') return parsed(value);
  return value;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}
