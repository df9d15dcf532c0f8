/**
 * A case: the rows that belong to one story, copied with their ids into a small database of the same schema, so that it can be
 * asked like the recording it came from; beside it the report and a list of checksums.
 */

import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import Database from 'better-sqlite3';
import { migrate } from '../migrations/migrate.js';
import { verdictOn } from './facts.js';
import { idRange } from './id-range.js';
import { lifeById } from './lives.js';
import { readRecorded } from './loss.js';
import { makePrivate, type Unfinished, writeNewDirectory } from './new-file.js';
import { COMMANDS } from './recent-execs.js';
import type { Story } from './report/model.js';
import { openRecording } from './segments.js';
import { fromIsoTime } from './time.js';
import { userNames } from './users.js';
import type { Verdict } from './verdict.js';

/** Names of the files in the directory of a case. `sha256sum -c SHA256SUMS` checks the other two. */
export const CASE_FILES = { database: 'case.db', report: 'report.html', sums: 'SHA256SUMS' } as const;

/** Commands this long before a death may have asked for it: a manager waits up to 90 s before it kills. */
const ASKED_US = 130_000_000;
const MOST_EXECS = 50_000;
const MOST_SIGNALS = 1000;
/** The ledger, and names: small tables that are copied whole. */
const isWhole = (table: string): boolean =>
  ['boot', 'recording', 'coverage'].includes(table) || table.endsWith('_name');

/** Of which a lethal signal must not be missing, however many others there were. */
export const FATAL_IDS = `SELECT s.id FROM signals s WHERE s.target_id = :id AND s.sig = :sig ORDER BY s.id DESC LIMIT :limit`;
export const DELIVERY_IDS = 'SELECT id FROM deliveries WHERE process_id = :id ORDER BY id DESC LIMIT :limit';
export const SAME_PID = 'SELECT id FROM processes WHERE pid = :pid';
export const EXEC_IDS = `SELECT id FROM execs WHERE id BETWEEN :first_id AND :last_id AND time_us BETWEEN :from AND :to
  AND comm IN (SELECT value FROM json_each(:commands)) ORDER BY id DESC LIMIT :limit`;

/** Makes the directory with the three files; nothing is left of it where that fails. True: it answers as the recording does. */
export function writeCase(
  directory: string,
  story: Story,
  db: Database.Database,
  report: string,
  unfinished?: Unfinished,
): boolean {
  const fill = (part: string): boolean => {
    const path = (name: string): string => join(part, name);
    closeSync(makePrivate(path(CASE_FILES.database)));
    copyRows(db, path(CASE_FILES.database), story);
    sync(path(CASE_FILES.database));
    writePrivate(path(CASE_FILES.report), report);
    const sums = [CASE_FILES.database, CASE_FILES.report].map(
      name =>
        `${createHash('sha256')
          .update(readFileSync(path(name)))
          .digest('hex')}  ${name}\n`,
    );
    writePrivate(path(CASE_FILES.sums), sums.join(''));
    return answersAlike(path(CASE_FILES.database), story);
  };
  return writeNewDirectory(directory, fill, unfinished);
}

/** Asks the case what the recording was asked. */
function answersAlike(path: string, { verdicts }: Story): boolean {
  const { db } = openRecording(path);
  try {
    const recorded = readRecorded(db);
    const around = { db, recorded, userName: userNames(recorded.host) };
    return verdicts.every(verdict => {
      const life = verdict.process === null ? undefined : lifeById(db, verdict.process.id);
      return life !== undefined && isDeepStrictEqual(verdictOn(life, around), verdict);
    });
  } finally {
    db.close();
  }
}

function writePrivate(path: string, text: string): void {
  const fd = makePrivate(path);
  try {
    writeFileSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function sync(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function copyRows(source: Database.Database, path: string, story: Story): void {
  const target = new Database(path);
  try {
    // Nobody else knows the file yet: it is synced once, when it is whole.
    target.pragma('journal_mode = MEMORY');
    target.pragma('synchronous = OFF');
    migrate(target);
    target.pragma('foreign_keys = OFF');
    target.transaction(() => {
      const copy = new Copy(source, target);
      for (const table of copy.tables.filter(isWhole)) copy.whole(table);
      for (const [table, ids] of rootsOf(source, story)) for (const id of ids) copy.row(table, id);
      copy.finish();
    })();
    target.pragma('journal_mode = DELETE');
  } finally {
    target.close();
  }
}

/** The rows that the story tells of; what they refer to comes with them. */
function rootsOf(db: Database.Database, story: Story): Map<string, Set<number>> {
  const processes = new Set(story.lives.map(({ id }) => id));
  const signals = new Set(story.signals.map(({ id }) => id));
  const execs = new Set(story.execs.map(({ id }) => id));
  const deliveries = new Set<number>();
  const pluck = (sql: string, given: Record<string, number | string | null>): number[] =>
    db.prepare(sql).pluck().all(given) as number[];

  for (const { pid } of story.verdicts) for (const id of pluck(SAME_PID, { pid })) processes.add(id);
  for (const life of story.lives) {
    if (life.exit_signal !== null)
      for (const id of pluck(FATAL_IDS, { id: life.id, sig: life.exit_signal, limit: MOST_SIGNALS }))
        signals.add(id);
    for (const id of pluck(DELIVERY_IDS, { id: life.id, limit: MOST_SIGNALS })) deliveries.add(id);
  }
  for (const died of story.verdicts.flatMap(deathsIn)) {
    const span = { from: died - ASKED_US, to: died };
    const given = { ...span, ...idRange(db, 'exec', span), commands: COMMANDS, limit: MOST_EXECS };
    for (const id of pluck(EXEC_IDS, given)) execs.add(id);
  }
  return new Map([
    ['process', processes],
    ['signal', signals],
    ['exec', execs],
    ['delivery', deliveries],
    ['oom_kill', new Set(story.ooms.map(({ id }) => id))],
  ]);
}

/** When the processes died whose deaths a verdict tells. */
function deathsIn({ died, cause }: Verdict): number[] {
  return [...(died === null ? [] : [fromIsoTime(died)]), ...(cause === null ? [] : deathsIn(cause))];
}

type SourceRow = Record<string, string | number | Buffer | null>;

/** Copies rows and all that they refer to, by what the schema says of references. */
class Copy {
  readonly tables: readonly string[];
  private readonly references = new Map<string, [column: string, table: string][]>();
  private readonly copied = new Map<string, Set<number>>();
  private readonly waiting: [table: string, id: number][] = [];
  private readonly columns = new Map<string, string[]>();

  constructor(
    private readonly source: Database.Database,
    private readonly target: Database.Database,
  ) {
    this.tables = target
      .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
      .pluck()
      .all() as string[];
    for (const table of this.tables) {
      const found = target.pragma(`foreign_key_list("${table}")`) as { from: string; table: string }[];
      this.references.set(
        table,
        found.map(({ from, table: other }) => [from, other]),
      );
    }
  }

  /** Notes a row that is wanted, once. */
  row(table: string, id: number): void {
    const ids = this.copied.get(table) ?? new Set();
    if (ids.has(id) || isWhole(table)) return;
    this.copied.set(table, ids.add(id));
    this.waiting.push([table, id]);
  }

  /** All rows of a small table. */
  whole(table: string): void {
    const shared = this.sharedColumns(table);
    if (shared.length === 0) return;
    const rows = this.source.prepare(`SELECT ${shared.join(', ')} FROM ${table}`).all() as SourceRow[];
    // A segment that is missing is a gap of no recording.
    const last = this.source.prepare('SELECT max(id) FROM recording').pluck().get() as number;
    for (const row of rows) this.insert(table, row['recording'] === null ? { ...row, recording: last } : row);
  }

  /** Copies what was noted, and what it refers to. */
  finish(): void {
    for (let next = this.waiting.pop(); next !== undefined; next = this.waiting.pop()) {
      const [table, id] = next;
      const shared = this.sharedColumns(table);
      if (shared.length === 0) continue;
      const row = this.source.prepare(`SELECT ${shared.join(', ')} FROM ${table} WHERE id = ?`).get(id);
      if (row !== undefined) this.insert(table, row as SourceRow);
    }
  }

  private insert(table: string, row: SourceRow): void {
    for (const [column, other] of this.references.get(table) ?? []) {
      const id = row[column];
      if (typeof id === 'number') this.row(other, id);
    }
    const names = Object.keys(row);
    this.target
      .prepare(
        `INSERT OR REPLACE INTO ${table} (${quoted(names)}) VALUES (${names.map(() => '?').join(', ')})`,
      )
      .run(Object.values(row));
  }

  /** Columns that both have: the recording may be of an older schema. */
  private sharedColumns(table: string): string[] {
    const known = this.columns.get(table);
    if (known !== undefined) return known;
    const own = this.target.prepare(`SELECT * FROM ${table}`).columns();
    let theirs: ReadonlySet<string>;
    try {
      theirs = new Set(
        this.source
          .prepare(`SELECT * FROM ${table}`)
          .columns()
          .map(({ name }) => name),
      );
    } catch {
      theirs = new Set(); // an older recording has no such table
    }
    const shared = own.map(({ name }) => name).filter(name => theirs.has(name));
    const names = shared.map(name => `"${name}"`);
    this.columns.set(table, names);
    return names;
  }
}

function quoted(names: readonly string[]): string {
  return names.map(name => `"${name}"`).join(', ');
}
