/**
 * The database that the recorder writes: one connection, every statement prepared once, one transaction a batch with
 * one fsync. Nobody else writes it, and nobody else checkpoints it.
 */

import type Database from 'better-sqlite3';
import type { Batch, Ending, LastRun, RunFacts } from './batch.js';
import { addRows, Chain, Content, type Link } from './chain.js';
import type { LaneState } from './coverage.js';
import type { Archive } from './identity.js';
import { openToWrite } from './open-database.js';
import { Placement } from './placement.js';
import type { ProbeReport } from './probes.js';
import type { Process } from './process-table.js';
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
import type { NextIds } from './texts.js';

const PAGE_BYTES = 4096;

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
  readonly #placement: Placement;
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
    this.#db = openToWrite(path);
    try {
      this.#statements = prepareStatements(this.#db);
      this.#db
        .prepare('INSERT OR IGNORE INTO boot (id, boot_id) VALUES (?, ?)')
        .run(going?.boot ?? null, bootId);
      this.boot = this.#db.prepare('SELECT id FROM boot WHERE boot_id = ?').pluck().get(bootId) as number;
      this.#db.prepare("INSERT OR IGNORE INTO meta (key, value) VALUES ('from', ?)").run(String(now));
      this.from = Number(this.#db.prepare("SELECT value FROM meta WHERE key = 'from'").pluck().get());
      this.#chain = this.#db.transaction(() => new Chain(this.#db, going?.head ?? null, now)).immediate();
      this.#placement = new Placement(path);
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

  /** Whether the paths still name the files that are written here. */
  isInPlace(): boolean {
    return this.#placement.isKept();
  }

  /** Whether somebody cut the file. */
  hasShrunk(): boolean {
    return this.#placement.hasShrunk();
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
