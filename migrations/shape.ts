/**
 * The tables of a file in the shape that this version knows, whichever version made it: a column that an older one did not
 * have is NULL, a table that it did not have is empty, and what a newer one added is left out.
 */

import type Database from 'better-sqlite3';

/** The SELECT that gives a table of the file attached as `schema` as the main database of `known` has it. */
export function inShape(
  db: Database.Database,
  schema: string,
  known: Database.Database,
  table: string,
): string {
  const theirs = new Set(columnsOf(db, schema, table));
  const columns = columnsOf(known, 'main', table).map(name =>
    theirs.has(name) ? `"${name}"` : `NULL AS "${name}"`,
  );
  return `SELECT ${columns.join(', ')} ${theirs.size > 0 ? `FROM ${schema}."${table}"` : 'WHERE 0'}`;
}

/** The tables of the main database. */
export function tablesOf(db: Database.Database): string[] {
  return db.prepare("SELECT name FROM main.sqlite_master WHERE type = 'table'").pluck().all() as string[];
}

/** The columns of a table, in their order; none where there is no such table. */
export function columnsOf(db: Database.Database, schema: string, table: string): string[] {
  return db.prepare('SELECT name FROM pragma_table_info(?, ?)').pluck().all(table, schema) as string[];
}
