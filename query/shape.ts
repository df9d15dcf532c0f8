/** Files of other versions, asked in the shape that this version knows (migrations/shape.ts). */

import Database from 'better-sqlite3';
import { migrate, schemaVersion } from '../migrations/migrate.js';
import { columnsOf, inShape, tablesOf } from '../migrations/shape.js';

/** The name under which a table of one file is asked. */
export type Shape = (table: string) => string;

/** Makes the TEMP views that the file attached as `schema` needs; one of this version needs none. */
export function shapeOf(db: Database.Database, schema: string): Shape {
  const version = db.pragma(`${schema}.user_version`, { simple: true }) as number;
  if (version === schemaVersion()) return table => `${schema}.${table}`;
  const known = emptyRecording();
  for (const table of tablesOf(known)) {
    db.exec(`CREATE TEMP VIEW ${viewName(schema, table)} AS ${inShape(db, schema, known, table)}`);
  }
  if (schema === 'main' && version < schemaVersion()) bringNames(db, known);
  known.close();
  return table => `temp.${viewName(schema, table)}`;
}

function viewName(schema: string, table: string): string {
  return `${schema}_as_known_${table}`;
}

/** Names for numbers are of this version, which may know more of them. */
function bringNames(db: Database.Database, known: Database.Database): void {
  for (const table of tablesOf(known).filter(name => name.endsWith('_name') && name !== 'user_name')) {
    const columns = columnsOf(known, 'main', table);
    db.exec(`CREATE TEMP TABLE ${table} (${columns.map(name => `"${name}"`).join(', ')})`);
    const insert = db.prepare(`INSERT INTO temp.${table} VALUES (${columns.map(() => '?').join(', ')})`);
    for (const row of known.prepare(`SELECT * FROM ${table}`).raw().iterate())
      insert.run(...(row as unknown[]));
  }
}

function emptyRecording(): Database.Database {
  const db = new Database(':memory:');
  migrate(db);
  return db;
}
