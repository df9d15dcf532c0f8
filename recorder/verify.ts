/**
 * `snooprec verify`: reads a whole recording and compares it with its chain (chain.ts). It finds every row that was edited, removed,
 * added or moved after it was stored, and names the place; it changes nothing.
 */

import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import Database from 'better-sqlite3';
import { SnoopError } from '../migrations/errors.js';
import { sealedNames } from '../migrations/segment-names.js';
import {
  bytesOf,
  CHANGING,
  Content,
  type Covers,
  digestOf,
  hashOf,
  type Link,
  lastLink,
  rowsOf,
} from './chain.js';
import { TABLES } from './events.js';

/** What is wrong with a recording, or what cannot be told of it. */
export interface Finding {
  /** False: it is only not covered. */
  isWrong: boolean;
  file: string;
  text: string;
}

export interface Verified {
  findings: Finding[];
  links: number;
  rows: number;
  /** In hexadecimal; null: there is no chain. */
  head: string | null;
  /** Hashes of all links, to look for one that was written down. */
  hashes: Set<string>;
}

/** The head of the chain of one file, in hexadecimal; null: it has none, or cannot be read. */
export function headOf(file: string): string | null {
  try {
    const db = new Database(file, { readonly: true, fileMustExist: true });
    try {
      return lastLink(db)?.hash.toString('hex') ?? null;
    } finally {
      db.close();
    }
  } catch {
    return null;
  }
}

/**
 * What is told of the recording at `db`, a line for each finding.
 * @param head the hash of a link that was written down elsewhere, to be found again
 */
export function verifyRecording(db: string, head?: string): { lines: string[]; isWhole: boolean } {
  if (!existsSync(db))
    throw new SnoopError('database', `there is no recording at ${db}`, 'name another file with --db');
  const files = [...sealedNames(db).map(file => file.path), db];
  const found = verify(files);
  const isThere = head === undefined || found.hashes.has(head.toLowerCase());
  return {
    lines: [
      ...found.findings.map(({ isWrong, file, text }) => `${isWrong ? 'WRONG' : 'note '}  ${file}: ${text}`),
      ...(isThere ? [] : [`WRONG  no link has the hash ${head}: the chain was rolled back or made anew`]),
      `${files.length} files, ${found.links} links, ${found.rows} rows; the head of the chain is ${found.head ?? 'unknown'}`,
    ],
    isWhole: isThere && found.findings.every(({ isWrong }) => !isWrong),
  };
}

/** @param files the segments of a recording, oldest first */
export function verify(files: readonly string[]): Verified {
  const verified: Verified = { findings: [], links: 0, rows: 0, head: null, hashes: new Set() };
  let before: Link | null = null;
  for (const [i, file] of files.entries()) {
    const db = new Database(file, { readonly: true });
    try {
      db.exec('BEGIN'); // one moment of a live one
      before = new Segment(db, basename(file), verified).check(before, i === files.length - 1);
    } catch (error) {
      const text = `cannot be read to its end: ${(error as Error).message}`;
      verified.findings.push({ isWrong: true, file: basename(file), text });
      before = null;
    } finally {
      db.close();
    }
  }
  verified.head = before?.hash.toString('hex') ?? null;
  return verified;
}

class Segment {
  readonly #db: Database.Database;
  readonly #file: string;
  readonly #verified: Verified;
  #columns: Record<string, string[]> = {};
  /** Rows of each table that links cover. */
  readonly #covered = new Map<string, number>();
  #before: Record<string, number> = {};

  constructor(db: Database.Database, file: string, verified: Verified) {
    this.#db = db;
    this.#file = file;
    this.#verified = verified;
  }

  /** @param last the last link of the segment before. Returns the last of this one. */
  check(last: Link | null, isNewest: boolean): Link | null {
    const links = this.#links();
    const [first] = links;
    if (first === undefined) {
      this.#note(false, 'has no chain: it was recorded before there was one');
      return null;
    }
    const isCopy = first.id > 1;
    if (last !== null && !(isCopy && first.hash.equals(last.hash)))
      this.#note(
        true,
        `does not go on where the segment before it ends: one is missing, exchanged or cut (link ${last.id})`,
      );
    if (last === null && isCopy)
      this.#note(false, `begins at link ${first.id}: what was before it is not here`);
    for (const [i, link] of links.entries()) this.#checkLink(link, links[i - 1] ?? null, i === 0 && isCopy);
    const end = links.at(-1) as Link;
    this.#checkEnd(end, isNewest);
    this.#checkUncovered();
    return end;
  }

  #links(): Link[] {
    if (
      this.#db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'chain' AND type = 'table'").get() ===
      undefined
    )
      return [];
    return this.#db.prepare('SELECT * FROM chain ORDER BY id').all() as Link[];
  }

  #checkLink(link: Link, before: Link | null, isCopy: boolean): void {
    this.#verified.links++;
    this.#verified.hashes.add(Buffer.from(link.hash).toString('hex'));
    if (isCopy) return;
    const isNext = link.id === (before?.id ?? 0) + 1;
    if (!isNext) this.#note(true, `links ${(before?.id ?? 0) + 1} to ${link.id - 1} are missing`);
    else if (!hashOf(before?.hash ?? null, link).equals(link.hash))
      this.#note(true, `link ${link.id} (${when(link)}) was changed, or one before it`);
    let covers: Covers;
    try {
      covers = JSON.parse(link.covers) as Covers;
    } catch {
      this.#note(true, `link ${link.id} (${when(link)}) cannot be read`);
      return;
    }
    if (covers.columns) this.#columns = covers.columns;
    if (covers.before) this.#before = covers.before;
    for (const table of covers.altered ?? [])
      this.#note(
        true,
        `the table ${table} was changed between two runs, before ${when(link)} (link ${link.id})`,
      );
    this.#checkRows(link, covers.rows ?? []);
  }

  #checkRows(link: Link, rows: NonNullable<Covers['rows']>): void {
    if (rows.length === 0) return;
    const content = new Content();
    for (const [table, from, to] of rows) {
      const found = rowsOf(this.#db, table, this.#columns[table] ?? ['id'], from, to);
      this.#covered.set(table, (this.#covered.get(table) ?? 0) + found.length);
      this.#verified.rows += found.length;
      if (link.kind === 'batch' && isNumeric(table))
        content.addNumbers(table, from, to - from + 1, bytesOf(found.map(row => row.slice(1))));
      else content.add(table, found);
    }
    if (content.digest().equals(link.content) && JSON.stringify(content.covers) === JSON.stringify(rows))
      return;
    const what = rows.map(([table, from, to]) => `${table} ${from} to ${to}`).join(', ');
    this.#note(true, `rows stored by ${when(link)} (link ${link.id}) were edited, removed or added: ${what}`);
  }

  /** The tables whose rows change are as the last link left them, if it says how. */
  #checkEnd(end: Link, isNewest: boolean): void {
    const { state } = JSON.parse(end.covers) as Covers;
    if (state === undefined) {
      const why = isNewest ? 'the recorder runs, or was killed' : 'the segment could not be sealed properly';
      this.#note(false, `process and recording are not covered since ${when(end)}: ${why}`);
      return;
    }
    for (const [table, digest] of Object.entries(state)) {
      if (digestOf(this.#db, table, this.#columns[table] ?? []) !== digest)
        this.#note(
          true,
          `rows of ${table} were edited, removed or added after ${when(end)} (link ${end.id})`,
        );
    }
  }

  #checkUncovered(): void {
    for (const table of Object.keys(this.#columns)) {
      if ((CHANGING as readonly string[]).includes(table)) continue;
      const since = this.#before[table] ?? 0;
      if (since > 0) this.#note(false, `rows of ${table} up to ${since} are older than the chain`);
      const rows = this.#db
        .prepare(`SELECT count(*) FROM "${table}" WHERE id > ?`)
        .pluck()
        .get(since) as number;
      const covered = this.#covered.get(table) ?? 0;
      if (rows > covered)
        this.#note(true, `${rows - covered} rows of ${table} were added by nobody that the chain knows`);
    }
  }

  #note(isWrong: boolean, text: string): void {
    this.#verified.findings.push({ isWrong, file: this.#file, text });
  }
}

const NUMERIC = new Set(TABLES.map(table => table.name));

/** Whether records fill the table, with numbers alone. */
function isNumeric(table: string): boolean {
  return NUMERIC.has(table);
}

function when(link: Link): string {
  return new Date(link.time / 1000).toISOString();
}
