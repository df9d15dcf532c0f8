/**
 * What Datasette (https://datasette.io) shows beside a recording: each view and column explained, the main questions as
 * forms to fill in, and the tables below the views out of the way. Pure.
 */

import { CANNED } from './canned.js';
import type { Documented } from './json-schema.js';

/** The name of a database in Datasette is that of its file. */
const DATABASE = 'snooprec';

/** The metadata, from the documented columns and the names of the tables below the views. */
export function datasetteMetadata(documented: readonly Documented[], tables: readonly string[]): object {
  const hidden = tables.map(table => [table, { hidden: true }] as const);
  const views = documented
    .filter(({ column }) => column === null)
    .map(({ view, doc }) => [
      view,
      {
        description: sentence(doc),
        columns: Object.fromEntries(
          documented.flatMap(row =>
            row.view === view && row.column !== null ? [[row.column, row.doc] as const] : [],
          ),
        ),
      },
    ]);
  const queries = CANNED.map(({ name, title, doc, params, sql }) => [
    name,
    { title, description: ended(doc), params, sql },
  ]);
  return {
    title: 'snooprec',
    description: 'Who killed it? A recording of the signals, execs, forks and ends of processes.',
    databases: {
      [DATABASE]: {
        description:
          'The views are a contract and are only ever extended; the tables below them are not. Filter and subtract by the columns that end in _us: microseconds since the epoch.',
        tables: Object.fromEntries([...views, ...hidden]),
        queries: Object.fromEntries(queries),
      },
    },
  };
}

function sentence(doc: string): string {
  return ended(doc.slice(0, 1).toUpperCase() + doc.slice(1));
}

function ended(doc: string): string {
  return doc.endsWith('.') ? doc : `${doc}.`;
}
