/** The views and their columns, from the comments in migrations/views.sql. */

import type Database from 'better-sqlite3';
import { migrate, viewsSql } from '../../migrations/migrate.js';
import { datasetteMetadata } from '../datasette.js';
import type { Row } from '../kinds.js';
import { type Answer, defineQuery, type Parameters } from '../query.js';

const VIEW = /^CREATE VIEW (\w+) AS -- (.+)$/;
const COLUMN = /\bAS "?(\w+)"?,?\s+-- (.+)$/;

/** One row a column, in the order of the file; the row of a view itself has no column. */
export function documentedColumns(sql: string): { view: string; column: string | null; doc: string }[] {
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
  ],
  args: [{ name: 'view', shown: 'VIEW', isOptional: true, kind: 'text', doc: 'only this view' }],
  options: [
    {
      name: 'datasette',
      flags: '--datasette',
      kind: 'flag',
      doc: 'as metadata for Datasette, with the main questions as forms to fill in',
    },
  ],
  events: [],
  isOffline: true,
  answer(db, { view = null, datasette = null }: Parameters): Answer {
    if (datasette === 1) return documentOf(metadata(db));
    const rows = documentedColumns(viewsSql()).filter(row => view === null || row.view === view);
    return {
      columns: { view: 'name', column: 'name', doc: 'text' },
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
