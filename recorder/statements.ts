/** The statements of the recorder, each prepared once and named after its job, and how a process becomes a row. */

import type Database from 'better-sqlite3';
import { type Origin, Process } from './process-table.js';
import type { Rows } from './rows.js';
import type { Table } from './table.js';

/** `process`; those from `ns_pid` on may change. */
const PROCESS_COLUMNS = [
  'id',
  'boot',
  'pid',
  'start_ns',
  'ns_pid',
  'started',
  'ended',
  'unseen_end',
  'parent',
  'parent_exec',
  'origin',
  'exec',
  'comm',
  'exe',
  'argv',
  'cwd',
  'uid',
  'cgroup',
  'status',
  'utime_us',
  'stime_us',
  'max_rss_kb',
  'last_parent',
] as const;

/** Rows in one INSERT: fewer rows cost more steps, more rows cost none fewer. */
const ROWS_PER_INSERT = 64;

/** An INSERT for all waiting rows of a table. */
export interface ManyRows {
  run(rows: Rows): void;
}

export interface Statements
  extends Record<'comm' | 'path' | 'argv' | 'cgroup' | 'process' | 'coverage', Database.Statement> {
  lastRun: Database.Statement;
  begin: Database.Statement;
  attached: Database.Statement;
  endEarlierBoots: Database.Statement;
  totals: Database.Statement;
  lanes: Database.Statement;
  uidSyscalls: Database.Statement;
  user: Database.Statement;
  laneState: Database.Statement;
  end: Database.Statement;
  findProcess: Database.Statement;
  living: Database.Statement;
}

export function prepareStatements(db: Database.Database): Statements {
  const columns = (names: readonly string[]) => names.map(name => `"${name}"`).join(', ');
  const values = (names: readonly string[]) => `(${names.map(() => '?').join(', ')})`;
  const update = PROCESS_COLUMNS.slice(PROCESS_COLUMNS.indexOf('start_ns')).map(
    name => `"${name}" = excluded."${name}"`,
  );
  return {
    comm: db.prepare('INSERT INTO comm VALUES (?, ?, ?)'),
    path: db.prepare('INSERT INTO path VALUES (?, ?, ?)'),
    argv: db.prepare('INSERT INTO argv VALUES (?, ?, ?, ?)'),
    cgroup: db.prepare('INSERT INTO cgroup VALUES (?, ?, ?, ?)'),
    process: db.prepare(
      `INSERT INTO process (${columns(PROCESS_COLUMNS)}) VALUES ${values(PROCESS_COLUMNS)}
       ON CONFLICT (id) DO UPDATE SET ${update.join(', ')}`,
    ),
    coverage: db.prepare(
      `INSERT INTO coverage (id, recording, from_time, to_time, kind, event, lane, count, cause)
       VALUES (${nextId('coverage')}, @recording, @from, @to, @kind, @event, @lane, @count, @cause)`,
    ),
    lastRun: db.prepare(
      `SELECT coalesce(ended, updated) AS lastSeen, ended IS NULL AS wasKilled,
         options ->> '$.transport' AS transport
       FROM recording WHERE id <> ? ORDER BY id DESC LIMIT 1`,
    ),
    begin: db.prepare(
      `INSERT INTO recording (id, boot, started, updated, host, kernel, version, pid, scope, options)
       VALUES (@id, @boot, @started, @started, @host, @kernel, @version, @pid, @scope, @options)`,
    ),
    attached: db.prepare(
      'UPDATE recording SET probes = @probes, started = coalesce(@at, started) WHERE id = @id',
    ),
    endEarlierBoots: db.prepare(
      'UPDATE process SET unseen_end = @now WHERE ended IS NULL AND unseen_end IS NULL AND boot <> @boot',
    ),
    totals: db.prepare(
      `UPDATE recording SET updated = @updated, seen = @seen, stored = @stored, folded = @folded, lost = @lost,
         malformed = @malformed, shed = @shed, rows = @rows, events_per_s = @eventsPerS, rows_per_s = @rowsPerS,
         lag_us = @lagUs WHERE id = @id`,
    ),
    uidSyscalls: db.prepare(
      `INSERT INTO uid_syscalls (id, recording, uid, from_time, to_time, count)
       VALUES (${nextId('uid_syscalls')}, @recording, @uid, @from, @to, @count)`,
    ),
    user: db.prepare('INSERT OR REPLACE INTO user_name (uid, name) VALUES (?, ?)'),
    lanes: db.prepare(
      `INSERT OR REPLACE INTO lane_position (one, token, lethal, bulk, accounted, lost)
       VALUES (1, @token, @lethal, @bulk, @accounted, @lost)`,
    ),
    laneState: db.prepare('SELECT token, lethal, bulk, accounted, lost FROM lane_position WHERE token = ?'),
    end: db.prepare('UPDATE recording SET ending = @ending, ended = @ended, updated = @ended WHERE id = @id'),
    findProcess: db.prepare('SELECT * FROM process WHERE boot = ? AND pid = ? AND start_ns = ?'),
    living: db.prepare(
      `SELECT process.*, path.path AS exe_path FROM process LEFT JOIN path ON path.id = process.exe
       WHERE boot = ? AND ended IS NULL AND unseen_end IS NULL`,
    ),
  };
}

/** The first id that no row of this or an earlier segment has. */
export function nextId(table: string): string {
  return `(SELECT max(coalesce((SELECT max(id) FROM "${table}"), 0) + 1,
    coalesce((SELECT id FROM first_id WHERE "table" = '${table}'), 1)))`;
}

/**
 * An INSERT of many rows at a time, and of one for the rest. Where the columns that are seldom set have no value in any of the
 * many, they are left out: a NULL costs as much to bind as a value.
 */
export function insertRows(db: Database.Database, table: Table): ManyRows {
  const { columns, seldom, at } = table;
  const often = columns.filter(name => !seldom.includes(name));
  const one = insertOf(db, table, 1, columns);
  const many = insertOf(db, table, ROWS_PER_INSERT, columns);
  const fewer = seldom.length === 0 ? many : insertOf(db, table, ROWS_PER_INSERT, often);
  const rare = seldom.map(name => at[name] as number);
  return {
    run(rows: Rows): void {
      let row = 0;
      for (; row + ROWS_PER_INSERT <= rows.length; row += ROWS_PER_INSERT)
        (rows.areNull(rare, row, ROWS_PER_INSERT) ? fewer : many)(rows, row);
      for (; row < rows.length; row++) one(rows, row);
    },
  };
}

/**
 * Inserts so many rows from one on. OR FAIL, for what an INSERT that fails has inserted need not be undone by itself: its whole
 * batch is. Else SQLite first copies each page that it changes into a journal of the statement.
 */
function insertOf(
  db: Database.Database,
  table: Table,
  count: number,
  names: readonly string[],
): (rows: Rows, from: number) => void {
  const row = `(?, ${names.map(() => '?').join(', ')})`;
  const statement = db.prepare(
    `INSERT OR FAIL INTO "${table.name}" (id, ${names.join(', ')}) VALUES ${Array(count).fill(row).join(', ')}`,
  );
  const columns = names.map(name => table.at[name] as number);
  const values: (number | null)[] = new Array(count * (names.length + 1)).fill(null);
  return (rows, from) => {
    rows.copy(columns, from, count, values);
    statement.run(...values);
  };
}

/** A row of `process`; the names of the columns, see PROCESS_COLUMNS. */
export type ProcessRow = Record<Exclude<(typeof PROCESS_COLUMNS)[number], 'origin'>, number | null> & {
  origin: Origin;
};

/** The values of a process in the order of PROCESS_COLUMNS. */
export function processRow(p: Process, boot: number): (number | string | null)[] {
  return [
    p.id,
    boot,
    p.pid,
    p.start,
    p.nsPid,
    p.started,
    p.ended,
    p.unseenEnd,
    p.parent,
    p.parentExec,
    p.origin,
    p.exec,
    p.comm,
    p.exe,
    p.argv,
    p.cwd,
    p.uid,
    p.cgroup,
    p.status,
    p.userUs,
    p.systemUs,
    p.maxRssKb,
    p.lastParent,
  ];
}

export function processOf(row: ProcessRow): Process {
  const process = new Process(row.id ?? 0, row.pid ?? 0, row.start_ns ?? 0, row.started ?? 0, row.origin);
  process.nsPid = row.ns_pid;
  process.ended = row.ended;
  process.unseenEnd = row.unseen_end;
  process.parent = row.parent;
  process.parentExec = row.parent_exec;
  process.exec = row.exec;
  process.comm = row.comm;
  process.exe = row.exe;
  process.argv = row.argv;
  process.cwd = row.cwd;
  process.uid = row.uid;
  process.cgroup = row.cgroup;
  process.status = row.status;
  process.userUs = row.utime_us;
  process.systemUs = row.stime_us;
  process.maxRssKb = row.max_rss_kb;
  process.lastParent = row.last_parent;
  return process;
}
