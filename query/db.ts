/** Opens the files of a recording to read them, whoever wrote them and whoever is writing one now. Changes none of them. */

import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { APPLICATION_ID, DEFAULT_DATABASE } from '../migrations/database.js';
import { SnoopError } from '../migrations/errors.js';
import { schemaVersion, viewsSql } from '../migrations/migrate.js';
import { GROWING } from '../migrations/tables.js';
import { SINGLE } from './union.js';

const HEADER_BYTES = 100; // https://sqlite.org/fileformat.html#the_database_header
const MAGIC = 'SQLite format 3\0';
const WRITE_VERSION_AT = 18;
const READ_VERSION_AT = 19;
const DISTRUST = 'do not trust this file';
const WAL = 2;
const ROLLBACK = 1;
const MOST_IN_MEMORY = 256 * 1024 * 1024;
/** A forged length may ask for a gigabyte; then SQLite says that memory ran out, in place of taking it. */
const MOST_MEMORY = 1024 * 1024 * 1024;

/** The file at `path`, read-only and in one read transaction; SnoopError 'database' where there is no recording. */
export function openFile(path: string): Database.Database {
  const header = readHeader(path);
  let db: Database.Database | undefined;
  try {
    db = open(path, header);
    db.pragma('trusted_schema = OFF');
    db.pragma('cell_size_check = ON');
    db.pragma('mmap_size = 0');
    db.pragma(`hard_heap_limit = ${MOST_MEMORY}`);
    db.pragma('temp_store = MEMORY');
    // All parts of an answer come from the same moment of a live recording.
    db.exec('BEGIN');
    checkOrigin(db, path, 'main');
    return db;
  } catch (error) {
    db?.close();
    throw databaseError(path, error);
  }
}

/** Attaches the file at `path` to `db` as `schema`, with the same care. */
export function attachFile(db: Database.Database, path: string, schema: string): void {
  const header = readHeader(path);
  try {
    if (isQuietCopy(path, header)) attachImage(db, plainImage(path), schema);
    else db.prepare(`ATTACH ? AS ${schema}`).run(path);
    checkOrigin(db, path, schema);
    if (isCurrent(db) && isCurrent(db, schema)) checkTables(db, path, schema);
  } catch (error) {
    throw databaseError(path, error);
  }
}

/**
 * The views of this program take the place of those in the file: an older recorder's may lack columns, and a forged
 * file's could run for ever. That only helps if what they read from are tables (checkOrigin).
 */
export function useOwnViews(db: Database.Database): void {
  db.exec(viewsSql().replace(/^CREATE VIEW/gm, 'CREATE TEMP VIEW'));
}

/** Whether the file has the schema of this version, not an older or newer one. */
export function isCurrent(db: Database.Database, schema = 'main'): boolean {
  return db.pragma(`${schema}.user_version`, { simple: true }) === schemaVersion();
}

/** For a question that needs no recording. */
export function openNothing(): Database.Database {
  return new Database(':memory:');
}

/** Whatever SQLite says about the file itself, as one sentence; anything else is given back as it is. */
export function databaseError(path: string, error: unknown): unknown {
  const { code, message } = error as { code?: string; message?: string };
  if (error instanceof SnoopError || code === undefined) return error;
  if (isDamage(error)) {
    return new SnoopError(
      'database',
      `${path} is damaged: ${message}`,
      'the recorder sets a damaged file aside; try a sealed one with --db',
      error,
    );
  }
  if (/^SQLITE_(CANTOPEN|READONLY|PERM|AUTH|IOERR)/.test(code)) {
    return new SnoopError(
      'database',
      `cannot read ${path}: ${message}`,
      "run as root, or as a member of the recorder's group",
      error,
    );
  }
  if (code === 'SQLITE_ERROR' && /^no such (column|table)/.test(message ?? '')) {
    return new SnoopError(
      'database',
      `${path} was made by an older recorder: ${message}`,
      'start this recorder once, it brings the file up to date',
      error,
    );
  }
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) {
    return new SnoopError('database', `${path} is locked by another process`, 'try again in a moment', error);
  }
  return error;
}

/** Whether an error says that a file is damaged. */
export function isDamage(error: unknown): boolean {
  return /^SQLITE_(CORRUPT|NOTADB|FORMAT)/.test((error as { code?: string }).code ?? '');
}

function readHeader(path: string): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  try {
    if (!statSync(path).isFile())
      throw new SnoopError('database', `${path} is not a file`, 'name the database file with --db');
    const fd = openSync(path, 'r');
    // Closing a descriptor drops every lock this process has on the file; SQLite has not opened it yet.
    try {
      readSync(fd, header, 0, HEADER_BYTES, 0);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw missing(path, error);
    if (code === 'EACCES' || code === 'EPERM') {
      throw new SnoopError(
        'database',
        `${path} may not be read by this user`,
        'run as root: sudo snoopq …',
        error,
      );
    }
    if (error instanceof SnoopError) throw error;
    throw new SnoopError('database', `cannot read ${path}: ${(error as Error).message}`, undefined, error);
  }
  if (header.toString('latin1', 0, MAGIC.length) !== MAGIC) throw foreign(path);
  return header;
}

function missing(path: string, cause: unknown): SnoopError {
  const start = path === DEFAULT_DATABASE ? 'sudo snooprec start' : `sudo snooprec start --db ${path}`;
  return new SnoopError(
    'database',
    `there is no recording at ${path}`,
    `start the recorder: ${start}`,
    cause,
  );
}

function foreign(path: string): SnoopError {
  return new SnoopError('database', `${path} is not a snooprec database`, 'choose another file with --db');
}

// Asked through SQLite: while the recorder runs, the newest header may still be in the log beside the file.
function checkOrigin(db: Database.Database, path: string, schema: string): void {
  if (db.pragma(`${schema}.application_id`, { simple: true }) !== APPLICATION_ID) throw foreign(path);
  const version = db.pragma(`${schema}.user_version`, { simple: true }) as number;
  checkTypes(db, path, schema);
  if (version > schemaVersion() && oldestReader(db, schema) > schemaVersion()) {
    throw new SnoopError(
      'database',
      `${path} has schema ${version}, this snoopq knows ${schemaVersion()}`,
      'use the snoopq that came with the recorder',
    );
  }
  if (version === schemaVersion()) checkNames(db, path, schema);
}

/** The oldest schema whose programs can read the file: what a newer one only added does not matter to them. */
function oldestReader(db: Database.Database, schema: string): number {
  return Number(db.prepare(`SELECT value FROM ${schema}.meta WHERE key = 'reader'`).pluck().get() ?? 0);
}

/** What has the name of a table of ours is one, and no view that could run for ever; and nothing in it is computed by the file. */
function checkTypes(db: Database.Database, path: string, schema: string): void {
  const odd = db
    .prepare(
      `SELECT name FROM ${schema}.sqlite_master WHERE sql NOT LIKE 'CREATE TABLE %' AND name IN (SELECT value FROM json_each(?))`,
    )
    .pluck()
    .get(JSON.stringify([...GROWING, ...SINGLE]));
  if (odd !== undefined) throw new SnoopError('database', `'${odd}' in ${path} is no table`, DISTRUST);
  const computed = db
    .prepare(
      `SELECT m.name FROM ${schema}.sqlite_master m, pragma_table_xinfo(m.name, '${schema}') c WHERE m.type = 'table' AND c.hidden <> 0
       UNION ALL SELECT m.name FROM ${schema}.sqlite_master m, pragma_index_xinfo(m.name, '${schema}') c WHERE m.type = 'index' AND c.cid = -2`,
    )
    .pluck()
    .get();
  if (computed === undefined) return;
  throw new SnoopError('database', `'${computed}' in ${path} is computed, as no recorder has it`, DISTRUST);
}

function checkNames(db: Database.Database, path: string, schema: string): void {
  const views = new Set([...viewsSql().matchAll(/^CREATE VIEW (\w+)/gm)].map(match => match[1]));
  const others = db
    .prepare(`SELECT name FROM ${schema}.sqlite_master WHERE type NOT IN ('table', 'index')`)
    .pluck()
    .all() as string[];
  const odd = others.find(name => !views.has(name));
  if (odd !== undefined) {
    throw new SnoopError('database', `${path} holds '${odd}', which no recorder put there`, DISTRUST);
  }
}

function checkTables(db: Database.Database, path: string, schema: string): void {
  const tables = (of: string) =>
    db.prepare(`SELECT name, sql FROM ${of}.sqlite_master WHERE type = 'table'`).raw().all() as string[][];
  const theirs = new Map(tables(schema) as [string, string][]);
  const columns = (of: string, table: string) =>
    JSON.stringify(
      db
        .prepare(`SELECT * FROM ${of}."${table}"`)
        .columns()
        .map(({ name }) => name),
    );
  for (const [name = '', sql] of tables('main')) {
    const their = theirs.get(name);
    if (their === sql) continue;
    if (their?.startsWith('CREATE TABLE') && columns('main', name) === columns(schema, name)) continue;
    throw new SnoopError('database', `the table ${name} of ${path} is another one than its schema has`);
  }
}

function open(path: string, header: Buffer): Database.Database {
  if (isQuietCopy(path, header)) return new Database(plainImage(path), { readonly: true });
  return new Database(path, { readonly: true, fileMustExist: true, timeout: 2000 });
}

// A file in WAL mode without its log is a copy that nobody writes. Opened by name, SQLite would put a log and an index
// beside it, or refuse where it may not; its image reads the same.
function isQuietCopy(path: string, header: Buffer): boolean {
  return (
    header[WRITE_VERSION_AT] === WAL && !existsSync(`${path}-wal`) && statSync(path).size <= MOST_IN_MEMORY
  );
}

function plainImage(path: string): Buffer {
  const image = readFileSync(path);
  image[WRITE_VERSION_AT] = ROLLBACK;
  image[READ_VERSION_AT] = ROLLBACK;
  return image;
}

// Only a file can be attached; this one has no name any more once it is open.
function attachImage(db: Database.Database, image: Buffer, schema: string): void {
  const directory = mkdtempSync(join(tmpdir(), 'snoopq-'));
  try {
    writeFileSync(join(directory, 'image.db'), image, { mode: 0o600 });
    db.prepare(`ATTACH ? AS ${schema}`).run(join(directory, 'image.db'));
    db.pragma(`${schema}.application_id`); // opens it
  } finally {
    rmSync(directory, { recursive: true });
  }
}
