/** Statements that one answer runs many times: over ten segments it takes milliseconds to compile one, and microseconds to run it. */

import type Database from 'better-sqlite3';

const KNOWN = new WeakMap<Database.Database, Map<string, Database.Statement>>();

/** The statement, compiled once for each database. Not for one that is iterated over: it would be busy. */
export function prepared(db: Database.Database, sql: string): Database.Statement {
  let known = KNOWN.get(db);
  if (known === undefined) {
    known = new Map();
    KNOWN.set(db, known);
  }
  let statement = known.get(sql);
  if (statement === undefined) {
    statement = db.prepare(sql);
    known.set(sql, statement);
  }
  return statement;
}
