/**
 * What a segment takes along from the one before, so that it can be read alone: the living processes with their ancestors,
 * and the rows that these refer to, all with the same ids. And what is kept of a segment that is dropped: the violent deaths.
 */

import type Database from 'better-sqlite3';
import { inShape, tablesOf } from '../migrations/shape.js';
import { GROWING } from '../migrations/tables.js';
import type { References } from './references.js';
import type { Referred } from './table.js';

/**
 * Fills the empty database `db` with what the segment at `from`, which is only read, hands on.
 * @param references what rows that are about to be stored refer to
 */
export function carryOver(db: Database.Database, from: string, references: References): void {
  withAttached(db, from, () => {
    const referred = (table: Referred) =>
      `SELECT value FROM json_each('${JSON.stringify([...(references.get(table) ?? [])])}')`;
    const living = 'SELECT id FROM old_process WHERE ended IS NULL AND unseen_end IS NULL';
    collect(db, `${living} UNION ${referred('process')}`);
    db.exec(`INSERT OR IGNORE INTO temp.kept_exec ${referred('exec')}`);
    copyCollected(db);
    for (const table of ['comm', 'path', 'argv', 'cgroup'] as const) {
      db.exec(
        `INSERT OR IGNORE INTO main.${table} SELECT * FROM old_${table} WHERE id IN (${referred(table)})`,
      );
    }
    db.exec(
      'INSERT INTO main.recording SELECT * FROM old_recording WHERE id = (SELECT max(id) FROM old_recording)',
    );
    db.exec('INSERT INTO main.lane_position SELECT * FROM old_lane_position');
    db.exec('INSERT INTO main.chain SELECT * FROM old_chain ORDER BY id DESC LIMIT 1');
    const insert = db.prepare('INSERT INTO main.first_id ("table", id) VALUES (?, ?)');
    for (const table of GROWING) insert.run(table, firstFree(db, table));
  });
}

/** The first id that no earlier segment gave to a row of this table. */
function firstFree(db: Database.Database, table: string): number {
  return db
    .prepare(
      `SELECT max(coalesce((SELECT max(id) FROM "old_${table}"), 0) + 1,
         coalesce((SELECT id FROM old_first_id WHERE "table" = ?), 1))`,
    )
    .pluck()
    .get(table) as number;
}

/**
 * Adds to `db`, which gathers them, the violent deaths of the segment at `from`, which is about to be dropped.
 * @param since those before that time are left out, microseconds
 */
export function keepDeaths(db: Database.Database, from: string, since = 0): void {
  withAttached(db, from, () => {
    const isLate = `coalesce(ended, unseen_end) >= ${since}`;
    const died = `SELECT id FROM old_process WHERE status & 127 <> 0 AND ${isLate}`;
    const cause = `SELECT s.id FROM old_signal s JOIN old_process p ON p.id = s.target
      WHERE p.status & 127 <> 0 AND ${isLate} AND (s.sig = p.status & 127 OR s.disposition IN (2, 3)) AND s.outcome IN (0, 2, 4)`;
    const who = (column: string) =>
      `SELECT ${column} FROM old_signal WHERE id IN (${cause}) AND ${column} IS NOT NULL`;
    collect(db, `${died} UNION ${who('sender')} UNION ${who('dying')}`);
    copyCollected(db);
    db.exec(`INSERT OR IGNORE INTO main.signal SELECT * FROM old_signal WHERE id IN (${cause})`);
    db.exec(`INSERT OR IGNORE INTO main.delivery SELECT * FROM old_delivery WHERE process IN (${died})`);
    db.exec(`INSERT OR IGNORE INTO main.oom_kill SELECT * FROM old_oom_kill WHERE time >= ${since}`);
    db.exec(`INSERT OR IGNORE INTO main.coverage SELECT * FROM old_coverage WHERE to_time >= ${since}`);
    db.exec(
      `INSERT OR IGNORE INTO main.uid_syscalls SELECT * FROM old_uid_syscalls WHERE to_time >= ${since}`,
    );
    db.exec('INSERT OR REPLACE INTO main.recording SELECT * FROM old_recording');
    db.exec(`INSERT OR IGNORE INTO main.comm SELECT * FROM old_comm WHERE id IN
      (SELECT sender_comm FROM main.signal UNION SELECT target_comm FROM main.signal)`);
    db.exec(
      'INSERT OR IGNORE INTO main.path SELECT * FROM old_path WHERE id IN (SELECT memory_cgroup FROM main.oom_kill)',
    );
  });
}

/** Has `work` read the file at `path`, whose tables are views old_*, in the shape that this version knows. */
function withAttached(db: Database.Database, path: string, work: () => void): void {
  db.prepare('ATTACH ? AS old').run(path);
  const tables = tablesOf(db);
  try {
    for (const table of tables)
      db.exec(`CREATE TEMP VIEW "old_${table}" AS ${inShape(db, 'old', db, table)}`);
    db.exec(
      'CREATE TEMP TABLE kept_process (id INTEGER PRIMARY KEY); CREATE TEMP TABLE kept_exec (id INTEGER PRIMARY KEY);',
    );
    db.transaction(work)();
    db.exec('DROP TABLE temp.kept_process; DROP TABLE temp.kept_exec;');
  } finally {
    for (const table of tables) db.exec(`DROP VIEW IF EXISTS temp."old_${table}"`);
    db.exec('DETACH old');
  }
}

/** Notes the processes that `start` selects, all their ancestors, and the execs that they refer to. */
function collect(db: Database.Database, start: string): void {
  db.exec(`
    INSERT INTO temp.kept_process
    WITH RECURSIVE family(id) AS (
      ${start}
      UNION
      SELECT p.parent FROM old_process p JOIN family f ON f.id = p.id WHERE p.parent IS NOT NULL
      UNION
      SELECT p.last_parent FROM old_process p JOIN family f ON f.id = p.id WHERE p.last_parent IS NOT NULL
    )
    SELECT id FROM family;
    INSERT OR IGNORE INTO temp.kept_exec
    SELECT id FROM old_exec WHERE process IN (SELECT id FROM temp.kept_process) AND result = 0`);
}

function copyCollected(db: Database.Database): void {
  const texts = (columns: readonly string[]) =>
    columns
      .map(column => {
        const table = column.startsWith('exec.') ? 'exec' : 'process';
        return `SELECT ${column.slice(column.indexOf('.') + 1)} FROM old_${table} WHERE id IN (SELECT id FROM temp.kept_${table})`;
      })
      .join(' UNION ');
  db.exec(`
    INSERT OR IGNORE INTO main.boot SELECT * FROM old_boot;
    INSERT OR IGNORE INTO main.user_name SELECT * FROM old_user_name;
    INSERT OR REPLACE INTO main.process SELECT * FROM old_process WHERE id IN (SELECT id FROM temp.kept_process);
    INSERT OR IGNORE INTO main.exec SELECT * FROM old_exec WHERE id IN (SELECT id FROM temp.kept_exec);
    INSERT OR IGNORE INTO main.comm SELECT * FROM old_comm WHERE id IN (${texts(['process.comm', 'exec.comm'])});
    INSERT OR IGNORE INTO main.path SELECT * FROM old_path WHERE id IN (
      ${texts(['process.exe', 'process.cwd', 'exec.exe', 'exec.cwd', 'exec.filename', 'exec.interp'])});
    INSERT OR IGNORE INTO main.argv SELECT * FROM old_argv WHERE id IN (${texts(['process.argv', 'exec.argv'])});
    INSERT OR IGNORE INTO main.cgroup SELECT * FROM old_cgroup WHERE id IN (${texts(['process.cgroup', 'exec.cgroup'])})`);
}
