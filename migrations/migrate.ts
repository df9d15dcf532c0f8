/** Brings a database to the schema of this version: numbered files forward, views when their text changed. */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import { APPLICATION_ID, PACKAGE_ROOT } from './database.js';
import { SnoopError } from './errors.js';

export interface Migration {
  number: number;
  name: string;
  sql: string;
}

/** The migrations in order; `user_version` of a database is the number of the last one it had. */
export function migrations(directory = join(PACKAGE_ROOT, 'migrations')): Migration[] {
  return readdirSync(directory)
    .filter(name => /^\d{4}_.*\.sql$/.test(name))
    .sort()
    .map(name => ({
      number: Number(name.slice(0, 4)),
      name,
      sql: readFileSync(join(directory, name), 'utf8'),
    }));
}

/** The text of views.sql. Read once: a question to ten segments asks for it twenty times. */
export function viewsSql(): string {
  views ??= readFileSync(join(PACKAGE_ROOT, 'migrations', 'views.sql'), 'utf8');
  return views;
}
let views: string | undefined;

/** The number that `user_version` has in a database of this version. Read once, too. */
export function schemaVersion(): number {
  newest ??= migrations().at(-1)?.number ?? 0;
  return newest;
}
let newest: number | undefined;

/**
 * Migrates `db`, all or nothing. Throws SnoopError 'database' for a file that is not ours or that a newer version
 * made; such a file is left as it was.
 */
export function migrate(db: Database.Database): void {
  const applicationId = db.pragma('application_id', { simple: true }) as number;
  const version = db.pragma('user_version', { simple: true }) as number;
  const isEmpty = db.prepare('SELECT count(*) FROM sqlite_master').pluck().get() === 0;
  if (applicationId !== APPLICATION_ID && !(isEmpty && applicationId === 0)) {
    throw new SnoopError(
      'database',
      `${db.name} is not a snooprec database`,
      'choose another file with --db',
    );
  }
  if (version > schemaVersion()) {
    throw new SnoopError(
      'database',
      `${db.name} has schema ${version}, this snooprec knows ${schemaVersion()}`,
      'install the snooprec that made it, or choose another file with --db',
    );
  }
  db.transaction(() => {
    for (const migration of migrations()) {
      if (migration.number <= version) continue;
      db.exec(migration.sql);
      db.pragma(`user_version = ${migration.number}`);
    }
    db.pragma(`application_id = ${APPLICATION_ID}`);
    refreshViews(db);
  }).immediate();
}

function refreshViews(db: Database.Database): void {
  const sql = viewsSql();
  const hash = createHash('sha256').update(sql).digest('hex');
  if (db.prepare("SELECT value FROM meta WHERE key = 'views'").pluck().get() === hash) return;
  const views = db.prepare("SELECT name FROM sqlite_master WHERE type = 'view'").pluck().all() as string[];
  for (const view of views) db.exec(`DROP VIEW "${view}"`);
  db.exec(sql);
  db.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES ('views', ?)").run(hash);
}
