/**
 * The files of a recording and their names:
 *
 *     snooprec.db                       the live segment
 *     snooprec-20261121T131500123Z.db   a sealed one, named after its start
 *     snooprec-kept.db                  the violent deaths of segments that were dropped
 *     snooprec.db.next                  the next live one while it is made
 *     …~                                damaged or strange, set aside and never deleted
 */

import { existsSync, readdirSync, renameSync, statSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const COMPANIONS = ['-wal', '-shm', '-journal'] as const;
const ALL = ['', ...COMPANIONS] as const;

export interface SealedFile {
  path: string;
  /** Start of the segment, microseconds. */
  from: number;
  bytes: number;
}

export class SegmentFiles {
  readonly live: string;
  readonly kept: string;
  readonly next: string;
  readonly #stem: string;

  constructor(db: string) {
    this.live = db;
    this.#stem = db.replace(/\.db$/, '');
    this.kept = `${this.#stem}-kept.db`;
    this.next = `${db}.next`;
  }

  /** The sealed segments, oldest first. */
  sealed(): SealedFile[] {
    const stem = `${basename(this.#stem)}-`;
    return readdirSync(dirname(this.live))
      .filter(name => name.startsWith(stem) && /^\d{8}T\d{9}Z\.db$/.test(name.slice(stem.length)))
      .sort()
      .map(name => ({
        path: join(dirname(this.live), name),
        from: timeOf(name.slice(stem.length, -'.db'.length)),
        bytes: bytesOf(join(dirname(this.live), name)),
      }));
  }

  /** A free name for a sealed segment that starts at `from`, microseconds. */
  sealedName(from: number): string {
    for (let ms = Math.floor(from / 1000); ; ms++) {
      const path = `${this.#stem}-${new Date(ms).toISOString().replace(/[-:.]/g, '')}.db`;
      if (!existsSync(path)) return path;
    }
  }

  /** Bytes on disk of the live segment. */
  get liveBytes(): number {
    return bytesOf(this.live);
  }

  /** Sets a file aside under a name that nothing here looks at. Returns that name. */
  setAside(path: string): string {
    for (let n = 0; ; n++) {
      const aside = `${path}${n === 0 ? '' : `.${n}`}~`;
      if (existsSync(aside)) continue;
      moveDatabase(path, aside);
      return aside;
    }
  }
}

/** Renames a database with what lies beside it; SQLite finds a log by the name of its database. */
export function moveDatabase(from: string, to: string): void {
  for (const suffix of [...ALL].reverse()) if (existsSync(from + suffix)) renameSync(from + suffix, to + suffix);
}

export function removeDatabase(path: string): void {
  for (const suffix of ALL) if (existsSync(path + suffix)) unlinkSync(path + suffix);
}

/** Removes what lies beside a database, and leaves that. */
export function removeCompanions(path: string): void {
  for (const suffix of COMPANIONS) if (existsSync(path + suffix)) unlinkSync(path + suffix);
}

function bytesOf(path: string): number {
  return ALL.reduce((sum, suffix) => sum + (statSync(path + suffix, { throwIfNoEntry: false })?.size ?? 0), 0);
}

/** Microseconds of a name like 20261121T131500123Z. */
function timeOf(text: string): number {
  const iso = text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z$/, '$1-$2-$3T$4:$5:$6.$7Z');
  return Date.parse(iso) * 1000;
}
