/** How the recorder opens a database that it writes. */

import Database from 'better-sqlite3';
import { SnoopError } from '../migrations/errors.js';
import { migrate } from '../migrations/migrate.js';

/** How long a batch waits for another connection's lock before it is tried again with the next. */
const BUSY_MS = 100;

/** Before 3.51.3 two connections that write or checkpoint at once can lose what the log holds: https://sqlite.org/wal.html */
function refuseOldSqlite(db: Database.Database): void {
  const version = db.prepare('SELECT sqlite_version()').pluck().get() as string;
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  if (major * 1e6 + minor * 1e3 + patch >= 3_051_003) return;
  throw new SnoopError(
    'library',
    `SQLite ${version} may lose data in WAL mode`,
    'install better-sqlite3 12.11 or newer',
  );
}

/** Opens the database at `path` to write it; makes its tables if it is empty. SnoopError where it is not ours. */
export function openToWrite(path: string): Database.Database {
  let db: Database.Database | undefined;
  try {
    db = new Database(path, { timeout: BUSY_MS });
    refuseOldSqlite(db);
    migrate(db); // before any pragma that writes: a foreign file stays untouched
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL'); // NORMAL lost up to 116 of 120 acknowledged batches in replayed power cuts, FULL none
    db.pragma('foreign_keys = OFF'); // rows of a batch come in the order of the records, not of the references
    db.pragma('cache_size = -8000');
    return db;
  } catch (error) {
    db?.close();
    if (error instanceof SnoopError) throw error;
    throw new SnoopError(
      'database',
      `cannot use ${path} as the database: ${(error as Error).message}`,
      'choose another file with --db',
      error,
    );
  }
}
