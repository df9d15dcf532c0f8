/** The views and their columns, from the comments in migrations/views.sql. */

import type Database from 'better-sqlite3';
import { SnoopError } from '../../migrations/errors.js';
import { migrate, viewsSql } from '../../migrations/migrate.js';
import { datasetteMetadata } from '../datasette.js';
import { type Documented, jsonSchema, type Schema, shapesOf } from '../json-schema.js';
import type { Columns, Row } from '../kinds.js';
import { type Answer, defineQuery, type Parameters } from '../query.js';
import { didYouMean } from '../suggest.js';
import { questions } from './index.js';

const VIEW = /^CREATE VIEW (\w+) AS -- (.+)$/;
const COLUMN = /\bAS "?(\w+)"?,?\s+-- (.+)$/;

/** One row a column, in the order of the file; the row of a view itself has no column. */
export function documentedColumns(sql: string): Documented[] {
  const rows: { view: string; column: string | null; doc: string }[] = [];
  let view = '';
  for (const line of sql.split('\n')) {
    const head = VIEW.exec(line);
    const column = COLUMN.exec(line);
    if (head !== null) {
      view = head[1] ?? '';
      rows.push({ view, column: null, doc: head[2] ?? '' });
    } else if (column !== null && view !== '')
      rows.push({ view, column: column[1] ?? '', doc: column[2] ?? '' });
  }
  return rows;
}

const COLUMNS: Columns = { view: 'name', column: 'name', doc: 'text' };

export const schema = defineQuery({
  name: 'schema',
  summary: 'the views and columns that SQL can ask',
  why: 'Documents every view and column of a recording: the contract for `snoopq sql` and for any other SQL tool. They are only ever extended.',
  examples: [
    { command: 'snoopq schema', doc: 'all views' },
    { command: 'snoopq schema signals', doc: 'the columns of one view' },
    {
      command: 'snoopq schema --datasette',
      doc: 'what `datasette serve snooprec.db -m FILE` shows beside the data',
    },
    { command: 'snoopq schema --json-of who-killed', doc: 'every name in what `who-killed --json` prints' },
  ],
  args: [{ name: 'view', shown: 'VIEW', isOptional: true, kind: 'text', doc: 'only this view' }],
  options: [
    {
      name: 'datasette',
      flags: '--datasette',
      kind: 'flag',
      doc: 'as metadata for Datasette, with the main questions as forms to fill in',
    },
    {
      name: 'jsonOf',
      flags: '--json-of <question>',
      kind: 'text',
      doc: 'what --json of this question gives, as JSON Schema',
    },
  ],
  shapes: [COLUMNS],
  docs: {
    view: 'name of the view',
    column: 'name of the column; null: the row explains the view itself',
    doc: 'what it holds',
  },
  events: [],
  isOffline: true,
  answer(db, { view = null, datasette = null, jsonOf = null }: Parameters): Answer {
    if (jsonOf !== null) return documentOf(schemaOfJson(String(jsonOf)));
    if (datasette === 1) return documentOf(metadata(db));
    const rows = documentedColumns(viewsSql()).filter(row => view === null || row.view === view);
    return {
      columns: COLUMNS,
      rows: rows as Row[],
      gaps: [],
      sought: `view ${view}`,
      hint: 'all views: snoopq schema',
    };
  },
});

/** The metadata that goes with a recording of this version; `db` is empty. */
function metadata(db: Database.Database): object {
  migrate(db);
  const tables = db
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
    .pluck()
    .all() as string[];
  return datasetteMetadata(documentedColumns(viewsSql()), tables);
}

/** What --json of a question gives; SnoopError 'usage' where there is no such question, or it gives none. */
export function schemaOfJson(name: string): Schema {
  const found = questions.find(question => question.name === name);
  const json = found && jsonSchema(found, documentedColumns(viewsSql()));
  if (json !== undefined) return json;
  const names = questions.filter(question => shapesOf(question) !== null).map(({ name }) => name);
  throw new SnoopError(
    'usage',
    found === undefined ? `'${name}' is no question` : `${name} makes files, not JSON`,
    didYouMean(name, names) ?? `one of: ${names.join(', ')}`,
  );
}

/** A document that is JSON, however it is asked for. */
function documentOf(document: object): Answer {
  return {
    columns: {},
    rows: [],
    document,
    text: () => `${JSON.stringify(document, null, 2)}\n`,
    gaps: [],
    sought: 'documents',
  };
}
