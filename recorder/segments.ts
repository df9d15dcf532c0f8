/**
 * The recording as a row of segments: one live, some sealed. One mechanism, going on in a new file, answers everything that
 * can happen to the old one: it is large or old enough, a reader or a lock holds it, it was deleted, moved, replaced or
 * damaged. Nothing stops the recorder; what cannot be stored now waits in the lanes.
 *
 * It is longer than most files here: each way to go on, and each way in which that can fail halfway, is told in one place.
 */

import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { migrate } from '../migrations/migrate.js';
import { carryOver } from './carry-over.js';
import type { Archive } from './identity.js';
import { lockHolders } from './lock-holders.js';
import { log } from './log.js';
import { makeDatabasePath, makePrivateFile } from './path-safety.js';
import type { Process } from './process-table.js';
import { type References, referencesOf } from './references.js';
import { Kept, makePlain } from './retention.js';
import {
  bornAt,
  bytesOf,
  hasContent,
  isDamage,
  isOurs,
  moveDatabase,
  removeCompanions,
  removeDatabase,
  SegmentFiles,
  syncDirectory,
} from './segment-files.js';
import { type Batch, type Ending, type LastRun, type RunFacts, Store } from './store.js';

const SEGMENTS_MAX = 8; // sealed ones; with the live and the kept one ten, as many as SQLite attaches
const WAL_MAX = 40 << 20; // a log beyond this is held by a reader; with the largest batch on top it stays below 64 MiB
const LOG_BYTES = 4 << 20; // a log that nobody holds is emptied when it is larger
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

/** What becomes of the segment that is left: sealed, copied because it has no name any more, or set aside. */
type How = 'seal' | 'rescue' | 'discard';
/** Whether the next segment has what it needs of the one before: that may be damaged, or locked by somebody. */
type Carried = 'whole' | 'damaged' | 'busy';

/** What holds on to rows that were left behind, and has to tell them again. */
export interface Listener {
  /** Texts of earlier segments are not in this one. */
  movedOn(): void;
  /** Nothing could be carried over. */
  lostAll(): void;
  /** The next id of each table, for a segment that nothing could be carried into. */
  nextIds(): Iterable<[table: string, id: number]>;
}

export class Segments implements Archive {
  readonly #options: SegmentOptions;
  readonly #files: SegmentFiles;
  readonly #kept: Kept;
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
  /** When going on in a new segment failed (performance.now()); 0: it did not. */
  #stuck = 0;
  #tidied = performance.now();
  /** What can be read no more and is not in the ledger yet. */
  readonly #unread: { from: number; to: number; cause: string }[] = [];

  /** Opens the recording, and mends what a recorder that died while it changed segments left. */
  constructor(options: SegmentOptions, bootId: string, now: () => number) {
    this.#options = options;
    this.#files = new SegmentFiles(options.db);
    this.#kept = new Kept(this.#files.kept);
    this.#bootId = bootId;
    this.#now = now;
    this.#finishChange();
    this.#store = this.#openLive();
  }

  /** Ends a change of segments that was cut short: then there is a live one. */
  #finishChange(): void {
    const { live, next } = this.#files;
    const moving = this.#files.halfMoved();
    if (moving !== null && hasContent(live)) moveDatabase(live, moving);
    if (hasContent(live)) {
      removeDatabase(next);
      return;
    }
    if (!isWhole(next)) this.#makeNextFromSealed();
    if (existsSync(next)) this.#installNext();
  }

  /** From the newest sealed segment that can be read; if there is none, there is no next one. */
  #makeNextFromSealed(): void {
    removeDatabase(this.#files.next);
    for (const { path } of this.#files.sealed().reverse()) {
      if (this.#tryMakeNext(path, new Map()) === 'whole') return;
      removeDatabase(this.#files.next);
    }
  }

  /** A live segment that is ours and damaged is set aside. A file that is not ours is an error, and stays as it is. */
  #openLive(): Store {
    const { live } = this.#files;
    let store: Store | undefined;
    try {
      store = new Store(live, this.#bootId, this.#now(), null);
      store.probe();
      store.checkpointBeyond(this.#logBytes);
      return store;
    } catch (error) {
      store?.abandon();
      if (!isDamage(error) && !isDamage((error as Error).cause)) throw error;
      if (!isOurs(live) && this.#files.sealed().length === 0) throw error;
      this.#setAsideSince(bornAt(live), 'it was damaged');
      log('segment', `${live} is damaged, set aside as ${this.#files.setAside(live)}`);
      this.#makeNextFromSealed();
      if (existsSync(this.#files.next)) this.#installNext();
      else makePrivateFile(live);
      store = new Store(live, this.#bootId, this.#now(), null);
      store.checkpointBeyond(this.#logBytes);
      return store;
    }
  }

  /** A log that is small beside its segment. */
  get #logBytes(): number {
    return Math.min(LOG_BYTES, this.#options.maxBytes / SEGMENTS_MAX / 4);
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
    if (this.#store.isOpen) this.#store.close(ending, ended);
    this.#tidy();
  }

  abandon(): void {
    if (this.#store.isOpen) this.#store.abandon();
  }

  /**
   * Stores a batch durably, in this segment or a new one. Throws when that is not possible now; the batch may be tried again.
   * The segment is looked at before, and not after: what has to be told again in a new one goes along with the batch.
   */
  write(batch: Batch): void {
    if (!this.#store.isOpen) this.#comeBack();
    else this.#changeIfNeeded(batch);
    this.#enterUnread(batch);
    try {
      this.#store.write(batch);
    } catch (error) {
      this.#mend(error, batch);
      this.#enterUnread(batch);
      this.#store.write(batch);
    }
    if (this.#failingSince !== 0) this.#kept.store();
    this.#failingSince = 0;
    if (performance.now() - this.#tidied > TIDY_MS) this.#tidy();
  }

  #setAsideSince(from: number, why: string): void {
    this.#unread.push({ from, to: this.#now(), cause: `the segment was set aside: ${why}` });
  }

  /** Has the ledger say what was lost with a segment. */
  #enterUnread({ coverage }: Batch): void {
    for (const span of this.#unread.splice(0)) {
      coverage.push({ ...span, kind: 'shed', event: null, lane: null, count: null });
    }
  }

  /** Goes on in a new segment if there is a reason. When that fails the old one is used on, and it is tried again later. */
  #changeIfNeeded(batch: Batch): void {
    if (this.#stuck !== 0 && performance.now() - this.#stuck < REOPEN_MS) return;
    const reason = this.#reasonToGoOn();
    if (reason === null) return;
    try {
      this.#goOn(...reason, batch);
      this.#stuck = 0;
    } catch (error) {
      if (!this.#store.isOpen) throw error;
      this.#stuck = performance.now();
      log(
        'change',
        `cannot go on in a new segment, though of the old one ${reason[0]}: ${(error as Error).message}`,
      );
    }
  }

  #reasonToGoOn(): [why: string, how: How] | null {
    const { path } = this.#store;
    const segmentBytes = this.#options.maxBytes / SEGMENTS_MAX;
    if (!this.#store.isInPlace()) return ['it was deleted, moved or replaced', 'rescue'];
    if (this.#store.hasShrunk()) return ['it was cut', 'discard'];
    if (bytesOf(`${path}-wal`) > WAL_MAX) return ['a reader holds its log', 'seal'];
    if (bytesOf(path) > segmentBytes) return ['it is full', 'seal'];
    return this.#isOld() ? ['it is old', 'seal'] : null;
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
    if (isDamage(error)) {
      this.#goOn('it is damaged', 'discard', batch);
      return;
    }
    if (isBusy(error) && now - this.#failingSince > BUSY_MAX_MS) {
      this.#goOn(`${lockHolders(this.#store.path)} holds its lock`, 'seal', batch);
      return;
    }
    if (code === 'SQLITE_FULL') {
      if (this.#dropOldest()) return;
      this.#store.emptyLog(); // what it takes may be all that is missing
    }
    if (
      /^SQLITE_(IOERR|READONLY|CANTOPEN)/.test(code) &&
      now - Math.max(this.#failingSince, this.#reopened) > REOPEN_MS
    ) {
      this.#reopened = now;
      this.#reopen();
      return;
    }
    throw error;
  }

  /** A file system that came back may want its files opened anew. */
  #reopen(): void {
    const old = this.#store;
    if (!hasContent(old.path)) {
      this.#goOn('its file system lost it', 'discard');
      return;
    }
    const again = this.#openOn(old);
    this.#rowsBefore += old.rows;
    old.abandon();
    this.#store = again;
  }

  /**
   * Goes on in a new segment. Until that is complete the old one stays as it is: an error leaves it in use.
   * @param waiting the batch that will be stored there first
   */
  #goOn(why: string, how: How, waiting?: Batch): void {
    const references = waiting ? referencesOf(waiting) : new Map();
    const { live } = this.#files;
    const old = this.#store;
    makeDatabasePath(live); // its directory may have gone with it
    const sealed = this.#files.sealedName(old.from);
    const isRescued = how === 'rescue' && this.#rescue(old, sealed);
    const source = how === 'seal' ? live : isRescued ? sealed : null;
    let carried: Carried = 'damaged';
    try {
      if (source !== null) carried = this.#tryMakeNext(source, references);
      if (carried !== 'whole') this.#makeNext(null);
    } catch (error) {
      if (isRescued) removeDatabase(sealed);
      throw error;
    }
    // What fails from here on is ended by #comeBack, or by the next start.
    if (how === 'seal' && carried !== 'damaged') {
      old.seal();
      moveDatabase(live, sealed);
    } else {
      old.abandon();
      // A log that lost its database stays where it is, and SQLite would apply it to the next file of that name.
      if (isRescued) removeCompanions(live);
      if (existsSync(live)) log('aside', `${live} was set aside as ${this.#files.setAside(live)}`);
      else removeCompanions(live);
      if (!isRescued) this.#setAsideSince(old.from, why);
    }
    log(why, `goes on in a new segment: of the old one ${why}`);
    this.#installNext();
    this.#enter(old);
    this.#tidy();
  }

  /** Goes on where a change of segments was cut short. */
  #comeBack(): void {
    const { live } = this.#files;
    makeDatabasePath(live);
    this.#finishChange();
    if (!hasContent(live)) {
      this.#makeNext(null);
      this.#installNext();
    }
    this.#enter(this.#store);
  }

  #enter(old: Store): void {
    const store = this.#openOn(old);
    this.#rowsBefore += old.rows;
    this.#store = store;
    this.#listener?.movedOn();
  }

  /** The live file, with the run that goes on; one that does not know the run has nothing of what was before, either. */
  #openOn(old: Store): Store {
    const store = new Store(this.#files.live, this.#bootId, this.#now(), old);
    try {
      store.checkpointBeyond(this.#logBytes);
      if (this.#facts && !store.knowsRun()) {
        store.begin(this.#facts);
        store.attached(old.probes, null);
        this.#listener?.lostAll();
      }
      return store;
    } catch (error) {
      store.abandon();
      throw error;
    }
  }

  #tryMakeNext(from: string, references: References): Carried {
    try {
      this.#makeNext(from, references);
      return 'whole';
    } catch (error) {
      log('carry', `cannot carry over from ${from}: ${(error as Error).message}`);
      if (isDamage(error)) return 'damaged';
      if (isBusy(error)) return 'busy';
      throw error;
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
      if (from !== null) carryOver(db, from, references);
      else this.#numberOn(db);
      db.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES ('from', ?)").run(String(this.#now())); // last: see isWhole
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

  /** Copies a segment that lost its name. False: that failed, and it is lost. */
  #rescue(store: Store, path: string): boolean {
    for (;;) {
      try {
        makePrivateFile(path);
        store.rescueInto(path);
        return true;
      } catch (error) {
        removeDatabase(path);
        if ((error as { code?: string }).code === 'SQLITE_FULL' && this.#dropOldest()) continue;
        log('rescue', `cannot rescue the old segment: ${(error as Error).message}`);
        return false;
      }
    }
  }

  /** Makes sealed segments plain once their readers left, and drops those that are too many, too large together, or too old. */
  #tidy(): void {
    this.#tidied = performance.now();
    try {
      for (const path of this.#files.notPlain()) makePlain(path);
      while (this.#isTooMuch() && this.#dropOldest());
      this.#kept.store();
      this.#kept.trim(this.#options.maxBytes / SEGMENTS_MAX);
    } catch (error) {
      log('tidy', `cannot look after sealed segments: ${(error as Error).message}`);
    }
  }

  #isTooMuch(): boolean {
    const { maxBytes, retainUs } = this.#options;
    const sealed = this.#files.sealed();
    const bytes = sealed.reduce(
      (sum, file) => sum + file.bytes,
      this.#files.liveBytes + bytesOf(this.#files.kept),
    );
    const endOfOldest = sealed[1]?.from ?? this.#store.from;
    const isExpired = retainUs !== null && endOfOldest < this.#now() - retainUs;
    return sealed.length > SEGMENTS_MAX || bytes > maxBytes || isExpired;
  }

  /** Drops the oldest sealed segment, its violent deaths kept. False: there is none. */
  #dropOldest(): boolean {
    const [oldest, second] = this.#files.sealed();
    if (oldest === undefined) return false;
    const trouble = this.#kept.drop(oldest.path);
    if (trouble !== null) {
      const to = second?.from ?? this.#store.from;
      this.#unread.push({
        from: oldest.from,
        to,
        cause: `a segment was dropped, and nothing kept of it: ${trouble}`,
      });
    }
    return true;
  }
}

/** Whether a next segment was made to its end: the start of the segment is entered last. */
function isWhole(path: string): boolean {
  if (!hasContent(path)) return false;
  const db = new Database(path);
  try {
    return db.prepare("SELECT 1 FROM meta WHERE key = 'from'").get() !== undefined;
  } catch {
    return false;
  } finally {
    db.close();
  }
}

function isBusy(error: unknown): boolean {
  return /^SQLITE_(BUSY|LOCKED)/.test((error as { code?: string }).code ?? '');
}
