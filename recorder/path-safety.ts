/**
 * Where the recorder, which is root, may write: no symlink, and no directory that others may write into. And what it makes
 * is closed to others from the first instant.
 */

import { closeSync, constants, existsSync, lstatSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { SnoopError } from '../migrations/errors.js';

const STICKY = 0o1000;
const OTHERS_WRITE = 0o022;

/** Makes sure that the database can be made at `path`. Returns the directories that it had to make, outermost first. */
export function makeDatabasePath(path: string): string[] {
  const made = makeDirectories(dirname(path));
  refuseSymlink(path);
  const directory = lstatSync(dirname(path));
  const isOthers = directory.uid !== 0 && directory.uid !== process.geteuid?.();
  if (isOthers || (directory.mode & OTHERS_WRITE && !(directory.mode & STICKY))) {
    throw new SnoopError(
      'database',
      `${dirname(path)} can be written by others`,
      'choose a directory that only root can write, or chmod go-w it',
    );
  }
  return made;
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
  refuseSymlink(path);
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
    if (lstatSync(directory).isDirectory() || lstatSync(directory).isSymbolicLink()) return [];
    throw new SnoopError('database', `${directory} is not a directory`, 'choose another file with --db');
  }
  const made = makeDirectories(dirname(directory));
  try {
    mkdirSync(directory, { mode: 0o750 });
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

function refuseSymlink(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.isFile()) return;
  const what = found.isSymbolicLink()
    ? 'a symbolic link'
    : found.isDirectory()
      ? 'a directory'
      : 'not a plain file';
  throw new SnoopError('database', `${path} is ${what}`, 'name a plain file with --db');
}
