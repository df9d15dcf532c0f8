/**
 * The recording as a row of segments: one live, some sealed. One mechanism, going on in a new file, answers everything that
 * can happen to the old one: it is large or old enough, a reader or a lock holds it, it was deleted, moved, replaced or
 * damaged. Nothing stops the recorder; what cannot be stored now waits in the lanes.
 *
 * It is longer than most files here: each way to go on, and each way in which that can fail halfway, is told in one place.
 */

import { existsSync } from 'node:fs';
import { freeSealedName, sealedNames } from '../migrations/segment-names.js';
import type { Batch, Ending, LastRun, RunFacts } from './batch.js';
import type { Archive } from './identity.js';
import { lockHolders } from './lock-holders.js';
import { log } from './log.js';
import { type Carried, NextSegment } from './next-segment.js';
import { makeDatabasePath, makePrivateFile } from './path-safety.js';
import type { Process } from './process-table.js';
import { referencesOf } from './references.js';
import { Retention, type RetentionOptions, SEGMENTS_MAX, type Unread } from './retention.js';
import {
  bornAt,
  bytesOf,
  hasContent,
  isBusy,
  isDamage,
  isOurs,
  moveDatabase,
  removeCompanions,
  removeDatabase,
  setAside,
} from './segment-files.js';
import { Store } from './store.js';

const WAL_MAX = 40 << 20; // a log beyond this is held by a reader; with the largest batch on top it stays below 64 MiB
const LOG_BYTES = 4 << 20; // a log that nobody holds is emptied when it is larger
const BUSY_MAX_MS = 2_000;
const REOPEN_MS = 5_000;
const TIDY_MS = 60_000;
const TIDY_FIRST_MS = 2_000;

export interface SegmentOptions extends RetentionOptions {
  db: string;
}

/** What becomes of the segment that is left: sealed, copied because it has no name any more, or set aside. */
type How = 'seal' | 'rescue' | 'discard';

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
  readonly #next: NextSegment;
  readonly #retention: Retention;
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
  /** Soon after the start, not before it is ready. */
  #tidied = performance.now() - TIDY_MS + TIDY_FIRST_MS;
  /** What can be read no more and is not in the ledger yet. */
  readonly #unread: Unread[] = [];

  /** Opens the recording, and mends what a recorder that died while it changed segments left. */
  constructor(options: SegmentOptions, bootId: string, now: () => number) {
    this.#options = options;
    this.#next = new NextSegment(options.db, now);
    this.#retention = new Retention(options.db, options, now);
    this.#bootId = bootId;
    this.#now = now;
    this.#next.finishChange();
    this.#store = this.#openLive();
  }

  /** A live segment that is ours and damaged is set aside. A file that is not ours is an error, and stays as it is. */
  #openLive(): Store {
    const live = this.#options.db;
    let store: Store | undefined;
    try {
      store = new Store(live, this.#bootId, this.#now(), null);
      store.probe();
      store.checkpointBeyond(this.#logBytes);
      return store;
    } catch (error) {
      store?.abandon();
      if (!isDamage(error) && !isDamage((error as Error).cause)) throw error;
      if (!isOurs(live) && sealedNames(live).length === 0) throw error;
      this.#setAsideSince(bornAt(live), 'it was damaged');
      log('segment', `${live} is damaged, set aside as ${setAside(live)}`);
      if (this.#next.makeFromSealed()) this.#next.install();
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
    if (this.#failingSince !== 0) this.#retention.storeKept();
    this.#failingSince = 0;
    if (performance.now() - this.#tidied > TIDY_MS) this.#tidy();
  }

  #setAsideSince(from: number, why: string): void {
    this.#unread.push({ from, to: this.#now(), cause: `the segment was set aside: ${why}` });
  }

  /** Has the ledger say what was lost with a segment. */
  #enterUnread({ coverage }: Batch): void {
    for (const span of [...this.#unread.splice(0), ...this.#retention.takeUnread()]) {
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
      if (this.#retention.dropOldest(this.#store.from)) return;
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
    const live = this.#options.db;
    const old = this.#store;
    makeDatabasePath(live); // its directory may have gone with it
    const sealed = freeSealedName(live, old.from);
    const isRescued = how === 'rescue' && this.#rescue(old, sealed);
    const source = how === 'seal' ? live : isRescued ? sealed : null;
    let carried: Carried = 'damaged';
    if (how === 'seal') this.#sealChain(old);
    try {
      if (source !== null) carried = this.#next.makeFrom(source, references);
      if (carried !== 'whole') this.#next.makeEmpty(this.#nextIds());
    } catch (error) {
      if (isRescued) removeDatabase(sealed);
      throw error;
    }
    // What fails from here on is ended by #comeBack, or by the next start.
    if (how === 'seal' && carried !== 'damaged') {
      old.seal();
      moveDatabase(live, sealed);
      this.#retention.share(sealed);
    } else {
      old.abandon();
      // A log that lost its database stays where it is, and SQLite would apply it to the next file of that name.
      if (isRescued) removeCompanions(live);
      if (existsSync(live)) log('aside', `${live} was set aside as ${setAside(live)}`);
      else removeCompanions(live);
      if (!isRescued) this.#setAsideSince(old.from, why);
    }
    log(why, `goes on in a new segment: of the old one ${why}`);
    this.#next.install();
    this.#enter(old);
    this.#tidy();
  }

  /** What stands at the end of a segment stands at the head of the next, too, and in the log. */
  #sealChain(store: Store): void {
    try {
      store.sealChain(this.#now());
      log('seal', `the head of the chain is ${store.head.hash.toString('hex')}`);
    } catch (error) {
      log('seal', `cannot end the chain of the segment: ${(error as Error).message}`);
    }
  }

  /** Goes on where a change of segments was cut short. */
  #comeBack(): void {
    const live = this.#options.db;
    makeDatabasePath(live);
    this.#next.finishChange();
    if (!hasContent(live)) {
      this.#next.makeEmpty(this.#nextIds());
      this.#next.install();
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
    const store = new Store(this.#options.db, this.#bootId, this.#now(), old);
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

  /** Copies a segment that lost its name. False: that failed, and it is lost. */
  #rescue(store: Store, path: string): boolean {
    for (;;) {
      try {
        makePrivateFile(path);
        store.rescueInto(path);
        return true;
      } catch (error) {
        removeDatabase(path);
        if ((error as { code?: string }).code === 'SQLITE_FULL' && this.#retention.dropOldest(store.from))
          continue;
        log('rescue', `cannot rescue the old segment: ${(error as Error).message}`);
        return false;
      }
    }
  }

  #nextIds(): Iterable<[table: string, id: number]> {
    return this.#listener?.nextIds() ?? [];
  }

  #tidy(): void {
    this.#tidied = performance.now();
    this.#retention.tidy(this.#store.from);
  }
}
