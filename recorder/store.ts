/**
 * The database that the recorder writes: one connection, every statement prepared once, one transaction a batch with
 * one fsync. Nobody else writes it, and nobody else checkpoints it.
 */

import { statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { SnoopError } from '../migrations/errors.js';
import { migrate } from '../migrations/migrate.js';
import type { CgroupRow } from './cgroup.js';
import { addRows, Chain, Content, type Link } from './chain.js';
import type { CoverageRow, LaneState } from './coverage.js';
import type { Archive } from './identity.js';
import type { ProbeReport } from './probes.js';
import type { Process } from './process-table.js';
import type { Rows } from './rows.js';
import {
  insertRows,
  type ManyRows,
  nextId,
  type ProcessRow,
  prepareStatements,
  processOf,
  processRow,
  type Statements,
} from './statements.js';
import type { Table } from './table.js';
import type { NextIds, TextRow } from './texts.js';
import type { UidSyscalls } from './uid-syscalls.js';

/** How long a batch waits for another connection's lock before it is tried again with the next. */
const BUSY_MS = 100;
const PAGE_BYTES = 4096;

/** Everything that one transaction stores. */
export interface Batch {
  /** Of each table that records fill. */
  rows: readonly Rows[];
  processes: readonly Process[];
  comms: TextRow[];
  paths: TextRow[];
  argvs: TextRow[];
  cgroups: CgroupRow[];
  coverage: CoverageRow[];
  uidSyscalls: UidSyscalls[];
  lanes: LaneState;
  totals: Totals;
}

/** The counters of a run, as the table `recording` keeps them. */
export interface Totals {
  updated: number;
  seen: number;
  stored: number;
  folded: number;
  lost: number;
  malformed: number;
  shed: number;
  rows: number;
  eventsPerS: number;
  rowsPerS: number;
  lagUs: number;
}

/** What the row of `recording` says of a run from its start. */
export interface RunFacts {
  started: number;
  host: string;
  kernel: string;
  version: string;
  pid: number;
  scope: string;
  options: string;
  /** Names of the users of this machine. */
  users: readonly { uid: number; name: string }[];
}

/** When an earlier run gave its last sign of life, and whether that was a goodbye. */
export interface LastRun {
  lastSeen: number;
  wasKilled: boolean;
  /** What its lanes were made of, if it says so. */
  transport: string | null;
}

export type Ending = 'stopped' | 'interrupted' | 'finished' | 'failed';

/** One segment, open for writing. */
export class Store implements Archive {
  readonly path: string;
  /** Start of the segment, microseconds. */
  readonly from: number;
  /** Row of `boot` for this boot of the machine. */
  readonly boot: number;
  /** Rows written by this run. */
  rows = 0;
  /** As `attached` was told last. */
  probes: readonly ProbeReport[] = [];
  #recording: number;
  #bytes: number;
  /** The files by their suffix, as they were when they were first looked at. */
  readonly #files = new Map<string, string>();
  readonly #db: Database.Database;
  readonly #statements: Statements;
  readonly #inserts = new Map<Table, ManyRows>();
  readonly #chain: Chain;

  /**
   * Opens the database at `path`, which the caller made sure is safe; makes its tables if it is empty.
   * @param now   start of the segment, if it is a new one, microseconds
   * @param going the segment in which the run began that goes on here; null: `begin` will enter it
   */
  constructor(path: string, bootId: string, now: number, going: Store | null) {
    this.path = path;
    this.#recording = going?.recording ?? 0;
    this.probes = going?.probes ?? [];
    this.#db = open(path);
    try {
      this.#statements = prepareStatements(this.#db);
      this.#db
        .prepare('INSERT OR IGNORE INTO boot (id, boot_id) VALUES (?, ?)')
        .run(going?.boot ?? null, bootId);
      this.boot = this.#db.prepare('SELECT id FROM boot WHERE boot_id = ?').pluck().get(bootId) as number;
      this.#db.prepare("INSERT OR IGNORE INTO meta (key, value) VALUES ('from', ?)").run(String(now));
      this.from = Number(this.#db.prepare("SELECT value FROM meta WHERE key = 'from'").pluck().get());
      this.#chain = this.#db.transaction(() => new Chain(this.#db, going?.head ?? null, now)).immediate();
      this.#bytes = statSync(path).size;
      this.isInPlace();
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** Row of the run. */
  get recording(): number {
    return this.#recording;
  }

  /** The last link of the chain over all that is stored. */
  get head(): Link {
    return this.#chain.head;
  }

  /** Ends the chain of the segment, until something is stored after all. */
  sealChain(now: number): void {
    this.#db.transaction(() => this.#chain.close('seal', now)).immediate();
  }

  get isOpen(): boolean {
    return this.#db.open;
  }

  /**
   * Whether the paths still name the files that are written here: they may have been deleted, moved or replaced. The log and
   * its index belong to it: a reader that does not find them makes others, and then two go their own ways.
   */
  isInPlace(): boolean {
    try {
      return ['', '-wal', '-shm'].every(suffix => {
        const stat = statSync(this.path + suffix, { throwIfNoEntry: false });
        const known = this.#files.get(suffix);
        const found = stat && `${stat.dev}:${stat.ino}`;
        if (known === undefined && found !== undefined) this.#files.set(suffix, found);
        return known === undefined || known === found;
      });
    } catch {
      return true; // the file system fails: the next write tells how
    }
  }

  /** Whether somebody cut the file: SQLite lets it grow, and never shrinks it on its own. */
  hasShrunk(): boolean {
    const size = statSync(this.path, { throwIfNoEntry: false })?.size ?? 0;
    if (size < this.#bytes) return true;
    this.#bytes = size;
    return false;
  }

  /** Has the log given back to the database when it is larger than that. */
  checkpointBeyond(bytes: number): void {
    this.#db.pragma(`wal_autocheckpoint = ${Math.max(1, Math.floor(bytes / PAGE_BYTES))}`);
  }

  /** Gives the room of the log back, as far as the database needs none for it. */
  emptyLog(): void {
    this.#db.pragma('wal_checkpoint(TRUNCATE)');
  }

  /** Reads what a recorder reads at its start; throws when that is damaged. */
  probe(): void {
    this.nextIds();
    this.lastRun();
    this.livingProcesses();
    this.laneState('');
  }

  /** Whether the run that goes on here is entered. */
  knowsRun(): boolean {
    return this.#db.prepare('SELECT 1 FROM recording WHERE id = ?').get(this.#recording) !== undefined;
  }

  /** First free ids, for rows whose ids the recorder gives. */
  nextIds(): NextIds & { process: number; cgroup: number } {
    return {
      comm: this.nextId('comm'),
      path: this.nextId('path'),
      argv: this.nextId('argv'),
      process: this.nextId('process'),
      cgroup: this.nextId('cgroup'),
    };
  }

  nextId(table: string): number {
    return this.#db
      .prepare(`SELECT ${nextId(table)}`)
      .pluck()
      .get() as number;
  }

  /** The run before this one, if there was one. */
  lastRun(): LastRun | null {
    const row = this.#statements.lastRun.get(this.#recording) as
      | (Omit<LastRun, 'wasKilled'> & { wasKilled: number })
      | undefined;
    return row ? { ...row, wasKilled: row.wasKilled === 1 } : null;
  }

  /** Enters the run, under the number that it had in an earlier segment, if it had one. */
  begin(facts: RunFacts): void {
    const { users, ...run } = facts;
    this.#db
      .transaction(() => {
        this.#recording ||= this.nextId('recording');
        this.#statements.begin.run({ ...run, boot: this.boot, id: this.#recording });
        for (const { uid, name } of users) this.#statements.user.run(uid, name);
        // What lived in an earlier boot lives no more.
        this.#statements.endEarlierBoots.run({ now: facts.started, boot: this.boot });
      })
      .immediate();
  }

  /** Notes the probes of the run, and when the last of them was attached, unless they were before. */
  attached(probes: readonly ProbeReport[], at: number | null): void {
    this.probes = probes;
    this.#statements.attached.run({ probes: JSON.stringify(probes), at, id: this.#recording });
  }

  /** Stores a batch, all or nothing, and durably. Throws SqliteError. */
  write(batch: Batch): void {
    const s = this.#statements;
    const { head } = this.#chain;
    const content = new Content();
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      for (const { id, values } of batch.comms) s.comm.run(id, ...values);
      for (const { id, values } of batch.paths) s.path.run(id, ...values);
      for (const { id, values } of batch.argvs) s.argv.run(id, ...values);
      for (const row of batch.cgroups) s.cgroup.run(...row);
      for (const process of batch.processes) s.process.run(...processRow(process, this.boot));
      for (const rows of batch.rows) if (rows.length > 0) this.#insertsOf(rows.table).run(rows);
      const recording = this.#recording;
      const coverage = batch.coverage.map(row => {
        const { from, to, kind, event, lane, count, cause } = row;
        const id = Number(s.coverage.run({ ...row, recording }).lastInsertRowid);
        return [id, recording, from, to, kind, event, lane, count, cause];
      });
      const uidSyscalls = batch.uidSyscalls.map(row => {
        const { uid, from, to, count } = row;
        return [
          Number(s.uidSyscalls.run({ ...row, recording }).lastInsertRowid),
          recording,
          uid,
          from,
          to,
          count,
        ];
      });
      for (const [table, rows] of [
        ['comm', batch.comms],
        ['path', batch.paths],
        ['argv', batch.argvs],
      ] as const)
        content.add(
          table,
          rows.map(({ id, values }) => [id, ...values]),
        );
      content.add('cgroup', batch.cgroups);
      for (const rows of batch.rows) addRows(content, rows);
      content.add('coverage', coverage);
      content.add('uid_syscalls', uidSyscalls);
      this.#chain.add(content, batch.totals.updated);
      const { token, lethal, bulk, accounted, lost } = batch.lanes;
      s.lanes.run({ token, lethal, bulk, accounted, lost: JSON.stringify(lost) });
      s.totals.run({ ...batch.totals, id: this.#recording });
      this.#db.exec('COMMIT');
    } catch (error) {
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
      this.#chain.undo(head);
      throw error;
    }
    this.rows +=
      batch.comms.length +
      batch.paths.length +
      batch.argvs.length +
      batch.cgroups.length +
      batch.processes.length +
      batch.coverage.length +
      batch.uidSyscalls.length +
      batch.rows.reduce((sum, rows) => sum + rows.length, 0);
  }

  #insertsOf(table: Table): ManyRows {
    const known = this.#inserts.get(table);
    if (known) return known;
    const inserts = insertRows(this.#db, table);
    this.#inserts.set(table, inserts);
    return inserts;
  }

  /** How far these lanes were read and stored; null: never. */
  laneState(token: string): LaneState | null {
    const row = this.#statements.laneState.get(token) as
      | (Omit<LaneState, 'lost'> & { lost: string })
      | undefined;
    return row ? { ...row, lost: JSON.parse(row.lost) as number[] } : null;
  }

  /** The process of this boot with that key, if the database has it. */
  findProcess(pid: number, start: number): Process | null {
    const row = this.#statements.findProcess.get(this.boot, pid, start) as ProcessRow | undefined;
    return row ? processOf(row) : null;
  }

  /** The processes of this boot that were not seen to end, each with the file that it ran. */
  livingProcesses(): { process: Process; exe: string | null }[] {
    const rows = this.#statements.living.all(this.boot) as (ProcessRow & { exe_path: string | null })[];
    return rows.map(row => ({ process: processOf(row), exe: row.exe_path }));
  }

  /** Says goodbye, and closes the segment as `seal` does. */
  close(ending: Ending, ended: number): void {
    try {
      this.#db
        .transaction(() => {
          this.#statements.end.run({ ending, ended, id: this.#recording });
          this.#chain.close('stop', ended);
        })
        .immediate();
    } catch {} // a full disk, a lock: then the run ends where its last batch does
    this.seal();
  }

  /** Closes the segment as one plain file without companions. False: a reader kept it from that. */
  seal(): boolean {
    try {
      this.#db.pragma('wal_checkpoint(TRUNCATE)');
      this.#db.pragma('journal_mode = DELETE');
      return this.#db.pragma('journal_mode', { simple: true }) === 'delete';
    } catch {
      return false; // busy: the file and its log together are whole
    } finally {
      this.#db.close();
    }
  }

  /** Copies everything into a new file, also when the own one has no name any more. */
  rescueInto(path: string): void {
    this.#db.prepare('VACUUM INTO ?').run(path);
  }

  /** Closes without a goodbye. */
  abandon(): void {
    this.#db.close();
  }
}

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

function open(path: string): Database.Database {
  let db: Database.Database | undefined;
  try {
    db = new Database(path, { timeout: BUSY_MS });
    refuseOldSqlite(db);
    migrate(db); // before any pragma that writes: a foreign file stays untouched
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL'); // NORMAL lost up to 116 of 120 acknowledged batches in replayed power cuts, FULL none
    db.pragma('foreign_keys = OFF'); // rows of a batch come in the order of the records, not of the references
    db.pragma('cache_size = -16000');
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
