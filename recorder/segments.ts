/**
 * The recording as a row of segments: one live, some sealed. One mechanism, going on in a new file, answers everything that
 * can happen to the old one: it is large or old enough, a reader or a lock holds it, it was deleted, moved, replaced or
 * damaged. Nothing stops the recorder; what cannot be stored now waits in the lanes.
 */

import { closeSync, existsSync, fsyncSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { migrate } from '../migrations/migrate.js';
import { carryOver, keepDeaths } from './carry-over.js';
import type { Archive } from './identity.js';
import { log } from './log.js';
import { makePrivateFile } from './path-safety.js';
import type { Process } from './process-table.js';
import { type References, referencesOf } from './references.js';
import { moveDatabase, removeCompanions, removeDatabase, type SealedFile, SegmentFiles } from './segment-files.js';
import { type Batch, type Ending, type LastRun, type RunFacts, Store } from './store.js';

const SEGMENTS_MAX = 8; // sealed ones; with the live and the kept one ten, as many as SQLite attaches
const WAL_MAX = 64 << 20; // a log beyond this is held by a reader
const BUSY_MAX_MS = 2_000;
const REOPEN_MS = 5_000;
const TIDY_MS = 60_000;

export interface SegmentOptions {
  db: string;
  /** Bytes that all segments may take. */
  maxBytes: number;
  /** Age at which segments are dropped, microseconds; null: never for their age. */
  retainUs: number | null;
}

/** What holds on to rows that were left behind, and has to tell them again. */
export interface Listener {
  /** Texts of earlier segments are not in this one. */
  movedOn(): void;
  /** Nothing could be carried over. */
  lostAll(): void;
  /** What was stored from that time on, microseconds, can be read no more. */
  lostSince(from: number, why: string): void;
  /** The next id of each table, for a segment that nothing could be carried into. */
  nextIds(): Iterable<[table: string, id: number]>;
}

export class Segments implements Archive {
  readonly #options: SegmentOptions;
  readonly #files: SegmentFiles;
  readonly #bootId: string;
  readonly #now: () => number;
  #store: Store;
  #listener: Listener | null = null;
  #facts: RunFacts | null = null;
  /** Rows written into earlier segments. */
  #rowsBefore = 0;
  /** When writing began to fail, and when the file was last tried anew (performance.now()); 0: it works. */
  #failingSince = 0;
  #reopened = 0;
  #tidied = performance.now();
  /** Sealed, but a reader kept them from becoming plain files. */
  readonly #notPlain = new Set<string>();

  /** Opens the recording, and mends what a recorder that died while it changed segments left. */
  constructor(options: SegmentOptions, bootId: string, now: () => number) {
    this.#options = options;
    this.#files = new SegmentFiles(options.db);
    this.#bootId = bootId;
    this.#now = now;
    this.#prepareLive();
    this.#store = this.#openLive();
  }

  #prepareLive(): void {
    const { live, next } = this.#files;
    const isThere = (statSync(live, { throwIfNoEntry: false })?.size ?? 0) > 0;
    const newest = this.#files.sealed().at(-1);
    if (isThere) removeDatabase(next);
    else if (statSync(next, { throwIfNoEntry: false })) this.#installNext();
    else if (newest) {
      this.#makeNext(newest.path);
      this.#installNext();
    }
  }

  /** A live segment that is ours and damaged is set aside. A file that is not ours is an error, and stays as it is. */
  #openLive(): Store {
    const { live } = this.#files;
    try {
      return new Store(live, this.#bootId, this.#now(), null);
    } catch (error) {
      const { code } = ((error as Error).cause ?? {}) as { code?: string };
      if (!code?.startsWith('SQLITE_CORRUPT')) throw error;
      log('segment', `${live} is damaged, set aside as ${this.#files.setAside(live)}`);
      makePrivateFile(live);
      return new Store(live, this.#bootId, this.#now(), null);
    }
  }

  listen(listener: Listener): void {
    this.#listener = listener;
  }

  get store(): Store {
    return this.#store;
  }

  get rows(): number {
    return this.#rowsBefore + this.#store.rows;
  }

  lastRun(): LastRun | null {
    return this.#store.lastRun();
  }

  begin(facts: RunFacts): void {
    this.#facts = facts;
    this.#store.begin(facts);
  }

  /** The process with that key in the live segment; sealed ones hold only those that ended. A file that cannot be read knows none. */
  findProcess(pid: number, start: number): Process | null {
    try {
      return this.#store.findProcess(pid, start);
    } catch {
      return null; // the next write finds out what is wrong with it
    }
  }

  close(ending: Ending, ended: number): void {
    this.#store.close(ending, ended);
    this.#tidy();
  }

  abandon(): void {
    this.#store.abandon();
  }

  /** Stores a batch durably, in this segment or a new one. Throws when that is not possible now; the batch may be tried again. */
  write(batch: Batch): void {
    try {
      this.#store.write(batch);
    } catch (error) {
      this.#mend(error, batch);
      this.#store.write(batch);
    }
    this.#failingSince = 0;
    this.#changeIfNeeded();
    if (performance.now() - this.#tidied > TIDY_MS) this.#tidy();
  }

  /** Looks after each batch, for then no row waits that refers to texts of this segment. */
  #changeIfNeeded(): void {
    const segmentBytes = this.#options.maxBytes / SEGMENTS_MAX;
    if (!this.#store.isInPlace()) this.#goOn('it was deleted, moved or replaced', 'rescue');
    else if (this.#store.hasShrunk()) this.#goOn('it was cut', 'discard');
    else if (bytesOf(`${this.#store.path}-wal`) > WAL_MAX) this.#goOn('a reader holds its log', 'seal');
    else if (bytesOf(this.#store.path) > segmentBytes) this.#goOn('it is full', 'seal');
    else if (this.#isOld()) this.#goOn('it is old', 'seal');
  }

  #isOld(): boolean {
    const { retainUs } = this.#options;
    return retainUs !== null && this.#now() - this.#store.from > retainUs / SEGMENTS_MAX;
  }

  /** Does what helps against a failed write, or throws the error: then it is to be tried again later. */
  #mend(error: unknown, batch: Batch): void {
    const code = (error as { code?: string }).code ?? '';
    const now = performance.now();
    this.#failingSince ||= now;
    if (isDamage(error)) return this.#goOn('it is damaged', 'discard', batch);
    if (/^SQLITE_(BUSY|LOCKED)/.test(code) && now - this.#failingSince > BUSY_MAX_MS) {
      return this.#goOn('another process holds its lock', 'seal', batch);
    }
    if (code === 'SQLITE_FULL' && this.#dropOldest()) return;
    if (/^SQLITE_(IOERR|READONLY|CANTOPEN)/.test(code) && now - Math.max(this.#failingSince, this.#reopened) > REOPEN_MS) {
      this.#reopened = now;
      this.#reopen();
      return;
    }
    throw error;
  }

  /** A file system that came back may want its files opened anew. */
  #reopen(): void {
    const again = new Store(this.#store.path, this.#bootId, this.#now(), this.#store);
    this.#rowsBefore += this.#store.rows;
    this.#store.abandon();
    this.#store = again;
  }

  /**
   * Goes on in a new segment.
   * @param waiting the batch that will be stored there first, if there is one
   */
  #goOn(why: string, how: 'seal' | 'rescue' | 'discard', waiting?: Batch): void {
    const references = waiting ? referencesOf(waiting) : new Map();
    const { live } = this.#files;
    const old = this.#store;
    const sealed = this.#files.sealedName(old.from);
    let source: string | null = null;
    if (how === 'seal') {
      source = this.#tryMakeNext(live, references) ? live : null;
      if (!old.seal()) this.#notPlain.add(sealed);
      moveDatabase(live, sealed);
    } else {
      if (how === 'rescue' && rescue(old, sealed)) source = sealed;
      old.abandon();
      // A log that lost its database stays where it is, and SQLite would apply it to the next file of that name.
      if (source !== null) removeCompanions(live);
      if (existsSync(live)) log('aside', `${live} was set aside as ${this.#files.setAside(live)}`);
      else removeCompanions(live);
      if (source !== null && !this.#tryMakeNext(source, references)) source = null;
    }
    if (source === null) this.#makeNext(null);
    this.#installNext();
    this.#rowsBefore += old.rows;
    this.#store = new Store(live, this.#bootId, this.#now(), old);
    if (source === null && this.#facts) this.#store.begin(this.#facts);
    log(why, `went on in a new segment: of the old one ${why}`);
    if (source === null) this.#listener?.lostAll();
    if (source === null && how !== 'seal') this.#listener?.lostSince(old.from, why);
    this.#listener?.movedOn();
    this.#tidy();
  }

  #tryMakeNext(from: string, references: References): boolean {
    try {
      this.#makeNext(from, references);
      return true;
    } catch (error) {
      log('carry', `cannot carry over from ${from}: ${(error as Error).message}`);
      return false;
    }
  }

  /** Makes the next live segment beside the live one, complete before it takes that one's name. */
  #makeNext(from: string | null, references: References = new Map()): void {
    const { next } = this.#files;
    removeDatabase(next);
    makePrivateFile(next);
    const db = new Database(next);
    try {
      migrate(db);
      db.pragma('foreign_keys = OFF');
      db.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES ('from', ?)").run(String(this.#now()));
      if (from !== null) carryOver(db, from, references);
      else this.#numberOn(db);
    } finally {
      db.close();
    }
  }

  /** Lets the ids of a segment that nothing was carried into go on where those of the one before ended. */
  #numberOn(db: Database.Database): void {
    const insert = db.prepare('INSERT INTO first_id ("table", id) VALUES (?, ?)');
    for (const [table, id] of this.#listener?.nextIds() ?? []) insert.run(table, id);
  }

  #installNext(): void {
    moveDatabase(this.#files.next, this.#files.live);
    syncDirectory(dirname(this.#files.live));
  }

  /** Makes sealed segments plain once their readers left, and drops those that are too many, too large together, or too old. */
  #tidy(): void {
    this.#tidied = performance.now();
    for (const path of this.#notPlain) if (makePlain(path)) this.#notPlain.delete(path);
    const { maxBytes, retainUs } = this.#options;
    for (;;) {
      const sealed = this.#files.sealed();
      const bytes = sealed.reduce((sum, file) => sum + file.bytes, this.#files.liveBytes);
      const endOfOldest = sealed[1]?.from ?? this.#store.from;
      const isExpired = retainUs !== null && endOfOldest < this.#now() - retainUs;
      if (sealed.length === 0 || (sealed.length <= SEGMENTS_MAX && bytes <= maxBytes && !isExpired)) return;
      if (!this.#dropOldest()) return;
    }
  }

  /** Drops the oldest sealed segment, its violent deaths kept. False: there is none. */
  #dropOldest(): boolean {
    const [oldest] = this.#files.sealed();
    if (oldest === undefined) return false;
    this.#keep(oldest);
    removeDatabase(oldest.path);
    return true;
  }

  #keep({ path }: SealedFile): void {
    let db: Database.Database | undefined;
    try {
      makePrivateFile(this.#files.kept);
      db = new Database(this.#files.kept);
      migrate(db);
      db.pragma('foreign_keys = OFF');
      keepDeaths(db, path);
    } catch (error) {
      log('keep', `cannot keep the violent deaths of ${path}: ${(error as Error).message}`);
    } finally {
      db?.close();
    }
  }
}

/** Copies a segment that lost its name. False: that failed, and it is lost. */
function rescue(store: Store, path: string): boolean {
  try {
    makePrivateFile(path);
    store.rescueInto(path);
    return true;
  } catch (error) {
    removeDatabase(path);
    log('rescue', `cannot rescue the old segment: ${(error as Error).message}`);
    return false;
  }
}

/** Turns a sealed segment that still has a log into one plain file. False: it is still in use. */
function makePlain(path: string): boolean {
  let db: Database.Database | undefined;
  try {
    db = new Database(path, { fileMustExist: true, timeout: 0 });
    db.pragma('wal_checkpoint(TRUNCATE)');
    return db.pragma('journal_mode = DELETE', { simple: true }) === 'delete';
  } catch {
    return false;
  } finally {
    db?.close();
  }
}

function isDamage(error: unknown): boolean {
  return /^SQLITE_(CORRUPT|NOTADB)/.test((error as { code?: string } | undefined)?.code ?? '');
}

function bytesOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** A rename survives a power cut only when its directory was synced. */
function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
