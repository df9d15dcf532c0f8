/** The ways an answer can be written, and the choice between them. */

import { SnoopError } from '../../migrations/errors.js';
import type { Io } from '../io.js';
import type { Columns, Row } from '../kinds.js';
import type { Answer } from '../query.js';
import type { Clock } from '../time.js';
import { renderCsv } from './csv.js';
import { renderDocument, renderJson, renderNdjson } from './json.js';
import { type Painter, painter } from './paint.js';
import { renderTable } from './table.js';
import { renderPlain, renderTsv } from './tsv.js';

/** The formats, in the order in which --help lists them. Without one: table on a terminal, plain in a pipe. */
export const FORMATS = {
  json: 'one JSON document',
  ndjson: 'one JSON object a line',
  csv: "comma-separated values (RFC 4180); a text that a spreadsheet would take for a formula gets a leading '",
  tsv: 'tab-separated values, as in the views; \\t, \\n and \\\\ stand for tab, line feed and backslash',
  plain: 'tab-separated text for people, with a header line; what a pipe gets by default',
} as const;

export type Format = keyof typeof FORMATS | 'table';

/** What a renderer knows beside the rows. */
export interface Sheet {
  /** Columns to show, in order. */
  names: readonly string[];
  columns: Columns;
  width: number;
  clock: Clock;
  paint: Painter;
}

/** Writes the rows and says how many there were. */
export type Renderer = (rows: Iterable<Row>, sheet: Sheet, write: (text: string) => void) => number;

const RENDERERS: Record<Format, Renderer> = {
  table: renderTable,
  plain: renderPlain,
  tsv: renderTsv,
  csv: renderCsv,
  ndjson: renderNdjson,
  json: renderJson,
};

/** One row of what has no end: a JSON object on a line. */
export function ndjsonRow(row: Row): string {
  let line = '';
  const sheet = {
    names: Object.keys(row),
    columns: {},
    width: 0,
    clock: { utc: true },
    paint: painter(false),
  };
  renderNdjson([row], sheet, text => {
    line += text;
  });
  return line;
}

/** Writes an answer in a format; true when it held anything. */
export function render(answer: Answer, format: Format, clock: Clock, io: Io): boolean {
  const isForPeople = format === 'table' || format === 'plain';
  if (answer.write !== undefined) {
    if (!isForPeople)
      throw new SnoopError(
        'usage',
        `--${format} does not go with this question`,
        'what it makes has a form of its own; see its --help',
      );
    if (answer.isFound !== false) answer.write(text => io.out(text));
    return answer.isFound !== false;
  }
  const paint = painter(io.hasColor);
  if (isForPeople && answer.text !== undefined) {
    if (answer.isFound === false) return false;
    io.out(answer.text(paint, format === 'table' ? Math.min(io.width, 100) : Number.POSITIVE_INFINITY));
    return true;
  }
  if (format === 'json' && answer.document !== undefined) {
    renderDocument(answer.document, text => io.out(text));
    return answer.isFound !== false;
  }
  if (format === 'table' && answer.drawing !== undefined) {
    io.out(answer.drawing(io.width));
    return true;
  }
  if (format === 'table' && answer.head !== undefined) io.out(`${answer.head(paint, io.width)}\n`);
  const names = isForPeople && answer.shown !== undefined ? answer.shown : Object.keys(answer.columns);
  const sheet: Sheet = {
    names,
    columns: answer.columns,
    width: io.width,
    clock,
    paint,
  };
  const count = RENDERERS[format](answer.rows, sheet, text => io.out(text));
  return count > 0 && answer.isFound !== false;
}
