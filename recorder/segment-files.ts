/**
 * The files of a recording and their names:
 *
 *     snooprec.db                       the live segment
 *     snooprec-20261121T131500123Z.db   a sealed one, named after its start
 *     snooprec-kept.db                  the violent deaths of segments that were dropped
 *     snooprec.db.next                  the next live one while it is made
 *     …~                                damaged or strange, set aside and never deleted
 */

import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { APPLICATION_ID } from '../migrations/database.js';

const COMPANIONS = ['-wal', '-shm', '-journal'] as const;
const ALL = ['', ...COMPANIONS] as const;
const SEALED = /^\d{8}T\d{9}Z\.db$/;
const APPLICATION_ID_AT = 68; // https://sqlite.org/fileformat.html#the_database_header

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
    return this.#names('').map(name => ({
      path: join(dirname(this.live), name),
      from: timeOf(name.slice(basename(this.#stem).length + 1, -'.db'.length)),
      bytes: bytesOfAll(join(dirname(this.live), name)),
    }));
  }

  /** Sealed segments that are not plain yet: a reader kept them from becoming so. */
  notPlain(): string[] {
    return this.sealed()
      .map(file => file.path)
      .filter(path => COMPANIONS.some(suffix => existsSync(path + suffix)));
  }

  /** The name that the live segment was being given when its recorder died: `moveDatabase` moves companions first. */
  halfMoved(): string | null {
    const log = this.#names('-wal').at(-1);
    if (log === undefined) return null;
    const path = join(dirname(this.live), log.slice(0, -'-wal'.length));
    return existsSync(path) ? null : path;
  }

  /** The names of sealed segments with `suffix` behind, oldest first. */
  #names(suffix: string): string[] {
    const stem = `${basename(this.#stem)}-`;
    return readdirSync(dirname(this.live))
      .filter(name => name.startsWith(stem) && name.endsWith(suffix))
      .filter(name => SEALED.test(name.slice(stem.length, name.length - suffix.length)))
      .sort();
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
    return bytesOfAll(this.live);
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
  for (const suffix of [...ALL].reverse())
    if (existsSync(from + suffix)) renameSync(from + suffix, to + suffix);
}

export function removeDatabase(path: string): void {
  for (const suffix of ALL) if (existsSync(path + suffix)) unlinkSync(path + suffix);
}

/** Removes what lies beside a database, and leaves that. */
export function removeCompanions(path: string): void {
  for (const suffix of COMPANIONS) if (existsSync(path + suffix)) unlinkSync(path + suffix);
}

/** Size of one file, 0 if it is not there. */
export function bytesOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

export function hasContent(path: string): boolean {
  return bytesOf(path) > 0;
}

/** When a file was made, microseconds. */
export function bornAt(path: string): number {
  return Math.floor(statSync(path).birthtimeMs * 1000);
}

/** Whether the header of a file that nobody here has open says that it is a recording. */
export function isOurs(path: string): boolean {
  const fd = openSync(path, 'r');
  try {
    const id = Buffer.alloc(4);
    return readSync(fd, id, 0, 4, APPLICATION_ID_AT) === 4 && id.readUInt32BE() === APPLICATION_ID;
  } finally {
    closeSync(fd);
  }
}

/** A rename survives a power cut only when its directory was synced. */
export function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function bytesOfAll(path: string): number {
  return ALL.reduce((sum, suffix) => sum + bytesOf(path + suffix), 0);
}

/** Microseconds of a name like 20261121T131500123Z. */
function timeOf(text: string): number {
  const iso = text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z$/, '$1-$2-$3T$4:$5:$6.$7Z');
  return Date.parse(iso) * 1000;
}

/** Whether an error of SQLite says that a file is not what it was. */
export function isDamage(error: unknown): boolean {
  return /^SQLITE_(CORRUPT|NOTADB)/.test((error as { code?: string } | undefined)?.code ?? '');
}
