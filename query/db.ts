/** Opens a recording to read it, whoever wrote it and whoever is writing it now. Writes nothing, creates nothing. */

import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { APPLICATION_ID, DEFAULT_DATABASE } from '../migrations/database.js';
import { SnoopError } from '../migrations/errors.js';
import { schemaVersion, viewsSql } from '../migrations/migrate.js';

const HEADER_BYTES = 100; // https://sqlite.org/fileformat.html#the_database_header
const MAGIC = 'SQLite format 3\0';
const WRITE_VERSION_AT = 18;
const READ_VERSION_AT = 19;
const WAL = 2;
const ROLLBACK = 1;
const MOST_IN_MEMORY = 256 * 1024 * 1024;

/** The recording at `path`, read-only, with the views of this snoopq; SnoopError 'database' where there is none. */
export function openRecording(path: string): Database.Database {
  const header = readHeader(path);
  if (header.toString('latin1', 0, MAGIC.length) !== MAGIC) throw foreign(path);
  try {
    const db = open(path, header);
    prepareConnection(db, path, checkOrigin(db, path));
    return db;
  } catch (error) {
    throw databaseError(path, error);
  }
}

/** For a question that needs no recording. */
export function openNothing(): Database.Database {
  return new Database(':memory:');
}

/** Whatever SQLite says about the file itself, as one sentence; anything else is given back as it is. */
export function databaseError(path: string, error: unknown): unknown {
  const { code, message } = error as { code?: string; message?: string };
  if (error instanceof SnoopError || code === undefined) return error;
  if (/^SQLITE_(CORRUPT|NOTADB|FORMAT)/.test(code)) {
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
function checkOrigin(db: Database.Database, path: string): number {
  if (db.pragma('application_id', { simple: true }) !== APPLICATION_ID) throw foreign(path);
  const version = db.pragma('user_version', { simple: true }) as number;
  if (version > schemaVersion()) {
    throw new SnoopError(
      'database',
      `${path} has schema ${version}, this snoopq knows ${schemaVersion()}`,
      'use the snoopq that came with the recorder',
    );
  }
  return version;
}

function open(path: string, header: Buffer): Database.Database {
  // A file in WAL mode without its log is a copy that nobody writes. Opened by name, SQLite would put a log and an
  // index beside it, or refuse where it may not; from memory it reads the same.
  const isQuietCopy = header[WRITE_VERSION_AT] === WAL && !existsSync(`${path}-wal`);
  if (isQuietCopy && statSync(path).size <= MOST_IN_MEMORY) {
    const image = readFileSync(path);
    image[WRITE_VERSION_AT] = ROLLBACK;
    image[READ_VERSION_AT] = ROLLBACK;
    return new Database(image, { readonly: true });
  }
  return new Database(path, { readonly: true, fileMustExist: true, timeout: 2000 });
}

// The views are taken from this program, not from the file: an older recorder's may lack columns, and a forged
// file's could run for ever. That only helps if what they read from are tables.
function prepareConnection(db: Database.Database, path: string, version: number): void {
  db.pragma('trusted_schema = OFF');
  db.pragma('cell_size_check = ON');
  db.pragma('mmap_size = 0');
  db.pragma('temp_store = MEMORY');
  if (version === schemaVersion()) {
    const sql = viewsSql();
    const views = new Set([...sql.matchAll(/^CREATE VIEW (\w+)/gm)].map(match => match[1]));
    const foreign = db
      .prepare("SELECT name FROM sqlite_master WHERE type NOT IN ('table', 'index')")
      .pluck()
      .all();
    const odd = (foreign as string[]).find(name => !views.has(name));
    if (odd !== undefined) {
      throw new SnoopError(
        'database',
        `${path} holds '${odd}', which no recorder put there`,
        'do not trust this file',
      );
    }
    db.exec(sql.replace(/^CREATE VIEW/gm, 'CREATE TEMP VIEW'));
  }
  db.pragma('query_only = ON');
}
