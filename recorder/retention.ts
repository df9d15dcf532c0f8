/** What becomes of sealed segments: plain files of this schema once nobody reads them, as many as may stay, and no older. */

import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { migrate, schemaVersion } from '../migrations/migrate.js';
import { keptName, type SealedName, sealedNames } from '../migrations/segment-names.js';
import { type Group, share } from './group.js';
import { Kept } from './kept.js';
import { log } from './log.js';
import { bytesOf, bytesOfAll, hasCompanions, hasContent, schemaOf } from './segment-files.js';

/** Sealed ones; with the live and the kept one ten, as many as SQLite attaches. */
export const SEGMENTS_MAX = 8;

export interface RetentionOptions {
  /** Bytes that all segments may take. */
  maxBytes: number;
  /** Bytes that are to stay free on their file system; null: a twentieth of it, at most 1 GiB. */
  keepFreeBytes: number | null;
  /** Age at which segments are dropped, microseconds; null: never for their age. */
  retainUs: number | null;
  /** Who may read sealed segments, and what was kept of dropped ones; null: nobody but the owner, undefined: who could before. */
  group: Group | null | undefined;
}

/** A span that can be read no more, and why. */
export interface Unread {
  from: number;
  to: number;
  cause: string;
}

export class Retention {
  readonly #live: string;
  readonly #options: RetentionOptions;
  readonly #now: () => number;
  readonly #kept: Kept;
  /** Of segments of which nothing could be kept. */
  readonly #unread: Unread[] = [];

  constructor(live: string, options: RetentionOptions, now: () => number) {
    this.#live = live;
    this.#options = options;
    this.#now = now;
    this.#kept = new Kept(keptName(live));
  }

  /** What was lost since it was asked last. */
  takeUnread(): Unread[] {
    return this.#unread.splice(0);
  }

  /** Tries to store the violent deaths that found no room when their segment was dropped. */
  storeKept(): void {
    this.#kept.store();
  }

  /**
   * Makes sealed segments plain, and drops those that are too many, too large together, or too old.
   * @param liveFrom start of the live segment, microseconds
   */
  tidy(liveFrom: number): void {
    try {
      for (const path of this.#finished())
        if (hasContent(path) && (hasCompanions(path) || schemaOf(path) < schemaVersion())) makePlain(path);
      while (this.#isTooMuch(liveFrom) && this.dropOldest(liveFrom));
      this.#kept.store();
      this.#kept.trim(this.#options.maxBytes / SEGMENTS_MAX);
      for (const path of this.#finished()) this.share(path);
    } catch (error) {
      log('tidy', `cannot look after sealed segments: ${(error as Error).message}`);
    }
  }

  /** Opens what is plain to those who may read it: it is written no more, but for a newer schema, or in another file that takes its place. */
  share(path: string): void {
    const { group } = this.#options;
    if (group === undefined || hasCompanions(path)) return;
    try {
      share(path, group);
    } catch (error) {
      log('share', `cannot set who may read ${path}: ${(error as Error).message}`);
    }
  }

  /** Drops the oldest sealed segment, its violent deaths kept. False: there is none. */
  dropOldest(liveFrom: number): boolean {
    const [oldest, second] = sealedNames(this.#live);
    if (oldest === undefined) return false;
    const trouble = this.#kept.drop(oldest.path);
    if (trouble !== null) {
      const cause = `a segment was dropped, and nothing kept of it: ${trouble}`;
      this.#unread.push({ from: oldest.from, to: second?.from ?? liveFrom, cause });
    }
    return true;
  }

  /** Files that the recorder has done with: what was kept, and sealed segments. */
  #finished(): string[] {
    return [keptName(this.#live), ...sealedNames(this.#live).map(({ path }) => path)];
  }

  #isTooMuch(liveFrom: number): boolean {
    const sealed = sealedNames(this.#live);
    const endOfOldest = sealed[1]?.from ?? liveFrom;
    const { maxBytes, retainUs } = this.#options;
    return (
      sealed.length > SEGMENTS_MAX ||
      this.#bytes(sealed) > maxBytes ||
      (retainUs !== null && endOfOldest < this.#now() - retainUs) ||
      this.#isShortOfRoom()
    );
  }

  #bytes(sealed: readonly SealedName[]): number {
    const others = bytesOfAll(this.#live) + bytesOf(keptName(this.#live));
    return sealed.reduce((sum, { path }) => sum + bytesOfAll(path), others);
  }

  /** Whether the file system has less room than is to stay free, whoever filled it. */
  #isShortOfRoom(): boolean {
    const { bavail, blocks, bsize } = statfsSync(dirname(this.#live));
    const keepFree = this.#options.keepFreeBytes ?? Math.min((blocks * bsize) / 20, 1 << 30);
    return bavail * bsize < keepFree;
  }
}

/** Turns a sealed segment that has a log, or an older schema, into one plain file of this version, unless it is in use. */
function makePlain(path: string): void {
  let db: Database.Database | undefined;
  try {
    db = new Database(path, { fileMustExist: true, timeout: 0 });
    db.pragma('wal_checkpoint(TRUNCATE)');
    db.pragma('journal_mode = DELETE');
    migrate(db);
  } catch (error) {
    log('plain', `${path} stays as it is for now: ${(error as Error).message}`);
  } finally {
    db?.close();
  }
}
