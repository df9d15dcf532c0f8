/**
 * Tamper evidence: each batch adds a link to a chain of hashes, in the same transaction. A link holds the digest of the rows
 * that the batch added, and its hash takes in the hash of the link before. Who changes, removes, adds or reorders rows
 * afterwards has to recompute every link from there on, and then the head is another one than was printed at the end of the
 * segment, at stop, or anywhere else where it was written down.
 *
 * What is covered, and how later legitimate changes do not break it:
 * - Rows that never change (events, texts, the ledger) are covered for good by the link of their batch: their ids grow, so a
 *   link names them by table, first and last id. What a new segment was handed on is covered by its link 'open'.
 * - Rows of `process`, `recording`, `boot` and `user_name` do change. They are covered as a whole by the links that end a segment
 *   ('seal') or a run ('stop'), after which nobody writes until the next link. The next run looks whether they are as they
 *   were left, and its link 'open' says for ever if they were not. After a recorder was killed they are not covered until the
 *   next such link.
 * - The columns of each table stand in the link 'open', so that a migration, which only adds some, changes no digest.
 * - Not covered: the position of the lanes and the views, which every new version writes anew; the names of signals and
 *   errors; snooprec-kept.db. Rows that were there before the chain was.
 *
 * There is no secret in it: who may write the file and knows this code can forge a chain from any point on. Only a head that
 * was kept elsewhere tells.
 */

import { createHash, type Hash } from 'node:crypto';
import type Database from 'better-sqlite3';
import { TABLES } from './events.js';
import { NULL, type Rows } from './rows.js';

export const APPENDED = [
  ...['comm', 'path', 'argv', 'cgroup', 'exec', 'signal', 'delivery', 'oom_kill', 'coverage', 'uid_syscalls'],
] as const;
export const CHANGING = ['boot', 'process', 'recording', 'user_name'] as const;

export type LinkKind = 'open' | 'batch' | 'seal' | 'stop';
export type Value = string | number | Buffer | null;

/** A row of `chain`. */
export interface Link {
  id: number;
  kind: LinkKind;
  time: number;
  covers: string;
  content: Buffer;
  hash: Buffer;
}

/** `chain.covers`, of which a link has what it needs. */
export interface Covers {
  /** Rows that were added: table, first and last id. */
  rows?: [table: string, from: number, to: number][];
  /** Of each table the columns that are covered, the id first. */
  columns?: Record<string, string[]>;
  /** Last ids of tables that were filled before there was a chain. */
  before?: Record<string, number>;
  /** Digests of the tables whose rows change. */
  state?: Record<string, string>;
  /** Of these, the ones that were not as they had been left. */
  altered?: string[];
}

/** What follows `before` with this meaning and content. */
export function hashOf(
  before: Buffer | null,
  link: Pick<Link, 'id' | 'kind' | 'time' | 'covers' | 'content'>,
): Buffer {
  const { id, kind, time, covers, content } = link;
  return createHash('sha256')
    .update(before ?? '')
    .update(JSON.stringify([id, kind, time, covers]))
    .update(content)
    .digest();
}

/** The digest of a batch or a handing-on, table by table. */
export class Content {
  readonly covers: NonNullable<Covers['rows']> = [];
  readonly #hash: Hash = createHash('sha256');

  /** Rows as values, the id first. */
  add(table: string, rows: readonly (readonly Value[])[]): void {
    const [first, last] = [rows[0], rows.at(-1)];
    if (first === undefined || last === undefined) return;
    this.covers.push([table, first[0] as number, last[0] as number]);
    this.#hash.update(table);
    for (const row of rows) this.#hash.update(textOf(row));
  }

  /** Rows of numbers as they lie in memory; their ids are without gaps. */
  addNumbers(table: string, from: number, count: number, bytes: Uint8Array): void {
    this.covers.push([table, from, from + count - 1]);
    this.#hash.update(table).update(bytes);
  }

  digest(): Buffer {
    return this.#hash.digest();
  }
}

/** A row as text: what differs differs here. */
export function textOf(row: readonly Value[]): string {
  return `${JSON.stringify(row.map(value => (Buffer.isBuffer(value) ? { hex: value.toString('hex') } : value)))}\n`;
}

/** Numbers of a row as `Rows` holds them in memory. */
export function bytesOf(rows: readonly (readonly Value[])[]): Uint8Array {
  return new Uint8Array(Float64Array.from(rows.flat() as (number | null)[], value => value ?? NULL).buffer);
}

/** The names of the columns of a table, the key first; of one that records fill, as these have them. */
function columnsOf(db: Database.Database, table: string): string[] {
  const filled = TABLES.find(({ name }) => name === table);
  if (filled) return ['id', ...filled.columns];
  return db.prepare('SELECT name FROM pragma_table_info(?)').pluck().all(table) as string[];
}

/** Rows of a table between two ids, these columns of each. */
export function rowsOf(
  db: Database.Database,
  table: string,
  columns: readonly string[],
  from: number,
  to: number,
): Value[][] {
  const names = columns.map(quoted).join(', ');
  const select = `SELECT ${names} FROM ${quoted(table)} WHERE id BETWEEN ? AND ? ORDER BY id`;
  return db.prepare(select).raw().all(from, to) as Value[][];
}

/** A name that may come from a forged link, as an identifier of SQL. */
function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The digest of all rows of a table, in the order of its key. */
export function digestOf(db: Database.Database, table: string, columns: readonly string[]): string {
  const hash = createHash('sha256');
  const rows = db
    .prepare(`SELECT ${columns.map(quoted).join(', ')} FROM ${quoted(table)} ORDER BY 1`)
    .raw()
    .iterate();
  for (const row of rows as Iterable<Value[]>) hash.update(textOf(row));
  return hash.digest('hex');
}

/** The last link of a database; null: it has none. */
export function lastLink(db: Database.Database): Link | null {
  return (db.prepare('SELECT * FROM chain ORDER BY id DESC LIMIT 1').get() as Link | undefined) ?? null;
}

/** The chain of the segment that is written. */
export class Chain {
  readonly #db: Database.Database;
  readonly #insert: Database.Statement;
  readonly #columns: Record<string, string[]>;
  #head: Link;

  /**
   * Goes on with the chain of a database, or begins one.
   * @param before the last link of the segment before, where the database does not have it
   * @param now    microseconds
   */
  constructor(db: Database.Database, before: Link | null, now: number) {
    this.#db = db;
    this.#insert = db.prepare(
      'INSERT INTO chain (id, kind, time, covers, content, hash) VALUES (@id, @kind, @time, @covers, @content, @hash)',
    );
    this.#columns = Object.fromEntries(
      [...APPENDED, ...CHANGING].map(table => [table, columnsOf(db, table)]),
    );
    const own = lastLink(db);
    if (own === null && before !== null) this.#insert.run(before);
    this.#head = own ??
      before ?? {
        id: 0,
        kind: 'open',
        time: now,
        covers: '{}',
        content: Buffer.alloc(0),
        hash: Buffer.alloc(0),
      };
    const isNew =
      db.prepare("SELECT 1 FROM chain WHERE kind = 'open' AND id > ?").get(isCopied(db) ? firstId(db) : 0) ===
      undefined;
    if (isNew) this.#open(own === null && before === null && !this.#isEmpty(), now);
    else this.#reopen(now);
  }

  get head(): Link {
    return this.#head;
  }

  /** Links what a batch added. To be called within its transaction; `undo` if that fails. */
  add(content: Content, now: number): void {
    if (content.covers.length > 0) this.#link('batch', { rows: content.covers }, content.digest(), now);
  }

  /** Takes the head back to what it was before a transaction that failed. */
  undo(head: Link): void {
    this.#head = head;
  }

  /** Links the tables whose rows change, as they are left. */
  close(kind: 'seal' | 'stop', now: number): void {
    this.#link(kind, { state: this.#state() }, Buffer.alloc(0), now);
  }

  #open(hasOlder: boolean, now: number): void {
    const content = new Content();
    const before: Record<string, number> = {};
    for (const table of APPENDED) {
      if (hasOlder)
        before[table] = this.#db
          .prepare(`SELECT coalesce(max(id), 0) FROM "${table}"`)
          .pluck()
          .get() as number;
      else
        content.add(table, rowsOf(this.#db, table, this.#columns[table] ?? [], 0, Number.MAX_SAFE_INTEGER));
    }
    const covers: Covers = { columns: this.#columns, rows: content.covers, ...(hasOlder ? { before } : {}) };
    this.#link('open', covers, content.digest(), now);
  }

  #reopen(now: number): void {
    const { state } = JSON.parse(this.#head.covers) as Covers;
    const left = state === undefined ? [] : CHANGING.filter(table => state[table] !== undefined);
    const columns = columnsThen(this.#db);
    const altered = left.filter(table => state?.[table] !== digestOf(this.#db, table, columns[table] ?? []));
    this.#link(
      'open',
      { columns: this.#columns, ...(altered.length > 0 ? { altered } : {}) },
      Buffer.alloc(0),
      now,
    );
  }

  #isEmpty(): boolean {
    return APPENDED.every(table => this.#db.prepare(`SELECT 1 FROM "${table}" LIMIT 1`).get() === undefined);
  }

  #state(): Record<string, string> {
    return Object.fromEntries(
      CHANGING.map(table => [table, digestOf(this.#db, table, this.#columns[table] ?? [])]),
    );
  }

  #link(kind: LinkKind, covers: Covers, content: Buffer, time: number): void {
    const link = { id: this.#head.id + 1, kind, time, covers: JSON.stringify(covers), content };
    this.#head = { ...link, hash: hashOf(this.#head.id === 0 ? null : this.#head.hash, link) };
    this.#insert.run(this.#head);
  }
}

/** Whether the first link of a database is a copy, of the segment before: only the very first one has the number 1. */
function isCopied(db: Database.Database): boolean {
  return firstId(db) > 1;
}

function firstId(db: Database.Database): number {
  return db.prepare('SELECT coalesce(min(id), 0) FROM chain').pluck().get() as number;
}

/** The columns that the last link 'open' covers. */
function columnsThen(db: Database.Database): Record<string, string[]> {
  const covers = db
    .prepare("SELECT covers FROM chain WHERE kind = 'open' ORDER BY id DESC LIMIT 1")
    .pluck()
    .get();
  return (JSON.parse(String(covers ?? '{}')) as Covers).columns ?? {};
}

/** What a batch adds of a table that records fill. */
export function addRows(content: Content, rows: Rows): void {
  if (rows.length > 0) content.addNumbers(rows.table.name, rows.firstId, rows.length, rows.bytes());
}
