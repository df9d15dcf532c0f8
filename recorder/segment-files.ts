/** What is done with the files of a recording as files. Their names: migrations/segment-names.ts. */

import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { APPLICATION_ID } from '../migrations/database.js';
import { sealedNames } from '../migrations/segment-names.js';

const COMPANIONS = ['-wal', '-shm', '-journal'] as const;
const ALL = ['', ...COMPANIONS] as const;
const APPLICATION_ID_AT = 68;
const USER_VERSION_AT = 60;

/** The name that the live segment was being given when its recorder died: `moveDatabase` moves companions first. */
export function halfMoved(live: string): string | null {
  const path = sealedNames(live, '-wal').at(-1)?.path;
  return path === undefined || existsSync(path) ? null : path;
}

/** Whether SQLite has files beside it: a database that is closed and plain has none. */
export function hasCompanions(path: string): boolean {
  return COMPANIONS.some(suffix => existsSync(path + suffix));
}

/** Sets a file aside under a name that nothing here looks at. Returns that name. */
export function setAside(path: string): string {
  for (let n = 0; ; n++) {
    const aside = `${path}${n === 0 ? '' : `.${n}`}~`;
    if (existsSync(aside)) continue;
    moveDatabase(path, aside);
    return aside;
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
  return headerField(path, APPLICATION_ID_AT) === APPLICATION_ID;
}

/** The schema of a recording that nobody here has open. */
export function schemaOf(path: string): number {
  return headerField(path, USER_VERSION_AT);
}

/** A number of the database header: https://sqlite.org/fileformat.html#the_database_header */
function headerField(path: string, at: number): number {
  const fd = openSync(path, 'r');
  try {
    const field = Buffer.alloc(4);
    return readSync(fd, field, 0, 4, at) === 4 ? field.readUInt32BE() : 0;
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

/** Size of a database with what lies beside it. */
export function bytesOfAll(path: string): number {
  return ALL.reduce((sum, suffix) => sum + bytesOf(path + suffix), 0);
}

/** Whether an error of SQLite says that a file is not what it was. */
export function isDamage(error: unknown): boolean {
  return /^SQLITE_(CORRUPT|NOTADB)/.test((error as { code?: string } | undefined)?.code ?? '');
}

/** Whether an error of SQLite says that somebody else holds a lock. */
export function isBusy(error: unknown): boolean {
  return /^SQLITE_(BUSY|LOCKED)/.test((error as { code?: string } | undefined)?.code ?? '');
}
