/**
 * Files that snoopq makes. They hold what only root may see, so they are closed to others from the first instant; nothing that
 * is there is ever written over, and under its name a file appears when it is whole.
 */

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { SnoopError } from '../migrations/errors.js';

const STICKY = 0o1000;
const OTHERS_WRITE = 0o002;
const CHUNK = 65_536;

/** Is told the name under which something is made, before it is there. */
export type Unfinished = ((path: string) => void) | undefined;

/** Makes the file at `path` of what `fill` writes; gives its size in bytes. SnoopError 'usage' where that cannot be. */
export function writeNewFile(
  path: string,
  fill: (write: (text: string) => void) => void,
  unfinished?: Unfinished,
): number {
  refuse(path);
  const part = partOf(path);
  unfinished?.(part);
  const fd = attempt(path, () => makePrivate(part));
  try {
    let size = 0;
    let waiting = '';
    const flush = (): void => {
      size += writeAll(fd, Buffer.from(waiting));
      waiting = '';
    };
    fill(text => {
      waiting += text;
      if (waiting.length >= CHUNK) flush();
    });
    attempt(path, () => {
      flush();
      fsyncSync(fd);
      publish(part, path);
    });
    return size;
  } finally {
    closeSync(fd);
    rmSync(part, { force: true });
  }
}

/** Makes a directory for our eyes only, filled under a name of its own; what cannot be filled is removed again. */
export function writeNewDirectory<T>(path: string, fill: (part: string) => T, unfinished?: Unfinished): T {
  refuse(path);
  const part = partOf(path);
  unfinished?.(part);
  attempt(path, () => mkdirSync(part, { mode: 0o700 }));
  try {
    const filled = fill(part);
    refuse(path);
    attempt(path, () => renameSync(part, path)); // rename(2) takes the place of nothing but an empty directory
    return filled;
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
}

/** An empty new file that only we may open. */
export function makePrivate(path: string): number {
  return openSync(
    path,
    constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW | constants.O_WRONLY,
    0o600,
  );
}

// Unlike rename(2), link(2) refuses a name that is taken, also by a symbolic link. Not all file systems have links.
function publish(part: string, path: string): void {
  try {
    linkSync(part, path);
  } catch (error) {
    if (!['EPERM', 'EOPNOTSUPP', 'ENOSYS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    refuse(path);
    renameSync(part, path);
  }
}

/** A name beside it that nobody guesses. */
function partOf(path: string): string {
  const directory = dirname(resolve(path));
  return join(directory, `.${basename(path)}.${randomBytes(6).toString('hex')}.part`);
}

function refuse(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined)
    throw new SnoopError('usage', `${path} is there already`, 'name another file with -o');
  const directory = dirname(resolve(path));
  const found = attempt(path, () => statSync(directory));
  if (found.mode & OTHERS_WRITE && !(found.mode & STICKY))
    throw new SnoopError(
      'usage',
      `${directory} can be written by others`,
      'choose another directory with -o',
    );
}

function attempt<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof SnoopError) throw error;
    throw new SnoopError(
      'usage',
      `cannot write ${path}: ${(error as Error).message}`,
      'name another file with -o',
      error,
    );
  }
}

function writeAll(fd: number, bytes: Buffer): number {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
  return bytes.length;
}
