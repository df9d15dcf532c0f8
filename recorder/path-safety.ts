/**
 * Where the recorder, which is root, may write. SQLite opens files by their paths and follows what it finds there, so the
 * whole way is walked before, directory by directory and each through the descriptor of the one before: nobody but root, the
 * recorder's own user and the service's may own a part of it or write into it. Then nobody else can change it after the look.
 * And what the recorder makes is closed to others from the first instant.
 */

import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  statSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { SnoopError } from '../migrations/errors.js';
import { serviceUser } from './users.js';

/** include/uapi/asm-generic/fcntl.h; Node does not name it. */
export const O_PATH = 0o10000000;
const STICKY = 0o1000;
const OTHERS_WRITE = 0o022;
const LINKS_MAX = 40; // MAXSYMLINKS of the kernel
const COMPANIONS = ['-wal', '-shm', '-journal'];

/** Makes sure that the database can be made at `path`. Returns the directories that it had to make, outermost first. */
export function makeDatabasePath(path: string): string[] {
  const made = makeDirectories(dirname(path));
  walk(dirname(path), true);
  refuseOddFile(path);
  return made;
}

/**
 * Refuses a file, or one that SQLite opens with it, that somebody else planted: it may have other names, and what is
 * written into it would be written there.
 */
export function refuseForeignFile(path: string): void {
  for (const name of [path, ...COMPANIONS.map(suffix => path + suffix)]) {
    refuseOddFile(name);
    const found = lstatSync(name, { throwIfNoEntry: false });
    if (found === undefined) continue;
    if (found.nlink > 1)
      refuse(`${name} has another name: it is a hard link`, 'copy it, and name the copy with --db');
    if (!isTrusted(found.uid))
      refuse(`${name} belongs to user ${found.uid}`, 'chown it to root, or name another with --db');
    if (found.mode & OTHERS_WRITE)
      refuse(`${name} can be written by others`, 'chmod go-w it, or name another with --db');
  }
}

/** Refuses a directory when somebody else could lead the way to it elsewhere, or put files into it. */
export function requireSafeWay(directory: string): void {
  walk(directory, true);
}

/**
 * Walks to a directory, and refuses where others could lead the way elsewhere.
 * @param isHome files will be made in it, not only a directory
 */
function walk(directory: string, isHome: boolean): void {
  const names = resolve(directory).split('/').filter(Boolean);
  let at = openPart('/', '/');
  let links = 0;
  let path = '';
  try {
    checkPart(at, '/', isHome && names.length === 0);
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      const next = openPart(`/proc/self/fd/${at}/${name}`, `${path}/${name}`);
      const isLast = isHome && names.length === 0;
      if (!fstatSync(next).isSymbolicLink()) {
        closeSync(at);
        at = next;
        path += `/${name}`;
        checkPart(at, path, isLast);
        continue;
      }
      const isOurs = isTrusted(fstatSync(next).uid);
      closeSync(next);
      if (!isOurs || ++links > LINKS_MAX) refuse(`${path}/${name} is a symbolic link of another user`);
      const target = readlinkSync(`/proc/self/fd/${at}/${name}`);
      names.unshift(...target.split('/').filter(Boolean));
      if (target.startsWith('/')) {
        closeSync(at);
        at = openPart('/', '/');
        path = '';
      }
      checkPart(at, path || '/', isHome && names.length === 0);
    }
  } finally {
    closeSync(at);
  }
}

function openPart(path: string, shown: string): number {
  try {
    return openSync(path, O_PATH | constants.O_NOFOLLOW);
  } catch (error) {
    throw new SnoopError(
      'database',
      `cannot open ${shown}: ${(error as Error).message}`,
      'choose another file with --db',
      error,
    );
  }
}

/** @param isLast files will be made in it; above, it is enough that nobody can rename what belongs to others */
function checkPart(fd: number, path: string, isLast: boolean): void {
  const { uid, mode } = fstatSync(fd);
  const isOpen = (mode & OTHERS_WRITE) !== 0 && (isLast || (mode & STICKY) === 0);
  if (isTrusted(uid) && !isOpen) return;
  refuse(
    isOpen ? `${path} can be written by others` : `${path} belongs to user ${uid}`,
    'choose a directory that only root can write, or chmod go-w it',
  );
}

/** Root, who runs this, and who the service runs as. */
function isTrusted(uid: number): boolean {
  return uid === 0 || uid === process.geteuid?.() || uid === serviceUser()?.uid;
}

function refuse(what: string, hint = 'name a plain file in a directory of root with --db'): never {
  throw new SnoopError('database', what, hint);
}

/** Makes the empty file, for our eyes only, before SQLite sees it. True: it was not there. */
export function makePrivateFile(path: string): boolean {
  if (existsSync(path)) return false;
  try {
    closeSync(
      openSync(path, constants.O_CREAT | constants.O_EXCL | constants.O_RDWR | constants.O_NOFOLLOW, 0o600),
    );
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST') && lstatSync(path).isFile()) return false; // another start made it just now
    throw new SnoopError(
      'database',
      `cannot make ${path}: ${(error as Error).message}`,
      'choose another file with --db',
      error,
    );
  }
}

/** Opens a file to append to, which must be a plain one: for our eyes only where it is new. */
export function openPrivateLog(path: string): number {
  refuseOddFile(path);
  try {
    return openSync(
      path,
      constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW,
      0o600,
    );
  } catch (error) {
    throw new SnoopError(
      'database',
      `cannot open ${path}: ${(error as Error).message}`,
      'choose another file with --db',
      error,
    );
  }
}

function isCode(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code;
}

function makeDirectories(directory: string): string[] {
  if (existsSync(directory)) {
    if (statSync(directory).isDirectory()) {
      walk(directory, false);
      return [];
    }
    throw new SnoopError('database', `${directory} is not a directory`, 'choose another file with --db');
  }
  const made = makeDirectories(dirname(directory));
  try {
    mkdirSync(directory, { mode: 0o750 });
    chmodSync(directory, 0o750); // whatever the umask is
  } catch (error) {
    if (isCode(error, 'EEXIST')) return made; // another start made it just now
    throw new SnoopError(
      'database',
      `cannot make ${directory}: ${(error as Error).message}`,
      'choose another file with --db',
      error,
    );
  }
  return [...made, directory];
}

function refuseOddFile(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.isFile()) return;
  const what = found.isSymbolicLink()
    ? 'a symbolic link'
    : found.isDirectory()
      ? 'a directory'
      : 'not a plain file';
  throw new SnoopError('database', `${path} is ${what}`, 'name a plain file with --db');
}
