/**
 * One recorder a database. A flock(2) is the truth: it goes with its holder, however that dies. What stands in the file
 * is a hint: who holds it, with the start time, so that a stale pid never stands for a stranger.
 */

import { createHash } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { SnoopError } from '../migrations/errors.js';
import { tryLock } from './libc.js';
import { parseStat, type Stat } from './procfs.js';

const DIRECTORY = '/run/snooprec';
const TRY_EVERY_MS = 20;
/** How long to wait for a lock whose holder is ending, or only looks, or is just starting. */
const WAIT_MS = 5_000;

/** Who holds a lock. */
export interface Holder {
  pid: number;
  /** Start time in clock ticks since boot: proc(5), /proc/PID/stat, field 22. */
  startTicks: number;
  db: string;
  /** It records; before that it is only about to. */
  ready: boolean;
}

export class Lock {
  readonly #fd: number;
  readonly #path: string;
  readonly #db: string;

  private constructor(fd: number, path: string, db: string) {
    this.#fd = fd;
    this.#path = path;
    this.#db = db;
    this.#write(false);
  }

  /** Takes the lock of a database. Null: another recorder holds it. */
  static take(db: string): Lock | null {
    const [path, other] = lockPaths(db);
    if (holderOf(other) !== null) return null;
    const deadline = performance.now() + WAIT_MS;
    for (;;) {
      const fd = openLock(path);
      if (!tryLock(fd)) {
        const isHeld = readHolder(fd) !== null || performance.now() > deadline;
        closeSync(fd);
        if (isHeld) return null;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, TRY_EVERY_MS);
        continue;
      }
      if (isStill(fd, path)) return new Lock(fd, path, db);
      closeSync(fd); // its holder removed the file between our open and our lock
    }
  }

  /** Says that its holder records now. */
  ready(): void {
    this.#write(true);
  }

  #write(ready: boolean): void {
    const holder: Holder = {
      pid: process.pid,
      startTicks: statOf(process.pid)?.startTicks ?? 0,
      db: this.#db,
      ready,
    };
    const text = Buffer.from(`${JSON.stringify(holder)}\n`);
    writeSync(this.#fd, text, 0, text.length, 0);
    ftruncateSync(this.#fd, text.length); // after: who reads meanwhile finds at most a stale end, and then looks again
  }

  release(): void {
    try {
      unlinkSync(this.#path);
    } catch {
      ftruncateSync(this.#fd); // not root any more; what is left says nothing, and `stop` removes it
    }
    closeSync(this.#fd);
  }
}

/** Who records into the database now; null: nobody. */
export function lockHolder(db: string): Holder | null {
  const [path, other] = lockPaths(db);
  return holderOf(path) ?? holderOf(other);
}

function holderOf(path: string): Holder | null {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw new SnoopError(
      'privilege',
      `cannot read ${path}: ${(error as Error).message}`,
      'run it as root: sudo snooprec …',
    );
  }
  try {
    return tryLock(fd) ? null : readHolder(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * The living holder that the file names. Null: none, it has not written yet, or it is ending: a lock outlives the SIGKILL of its
 * holder until the kernel has closed its files, which takes half a second where probes go with them.
 */
function readHolder(fd: number): Holder | null {
  try {
    const text = Buffer.alloc(8192);
    const holder = JSON.parse(text.toString('utf8', 0, readSync(fd, text, 0, text.length, 0))) as Holder;
    const stat = statOf(holder.pid);
    if (stat === null || stat.isEnding || stat.startTicks !== holder.startTicks) return null;
    return { ...holder, ready: holder.ready ?? true };
  } catch {
    return null;
  }
}

/** Where this process locks, and where another user may have locked: in /run, or beside the database for who may not write there. */
function lockPaths(db: string): [own: string, other: string] {
  const central = join(DIRECTORY, `${createHash('sha256').update(db).digest('hex').slice(0, 16)}.lock`);
  const beside = `${db}.lock`;
  try {
    mkdirSync(DIRECTORY, { recursive: true, mode: 0o755 });
    accessSync(DIRECTORY, constants.W_OK);
    return [central, beside];
  } catch {
    return [beside, central];
  }
}

function openLock(path: string): number {
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  } catch (error) {
    throw new SnoopError(
      'privilege',
      `cannot open the lock file: ${(error as Error).message}`,
      'run it as root: sudo snooprec …',
    );
  }
}

/** Whether the path still names the locked file. */
function isStill(fd: number, path: string): boolean {
  try {
    return statSync(path).ino === fstatSync(fd).ino;
  } catch {
    return false;
  }
}

function statOf(pid: number): Stat | null {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`));
  } catch {
    return null;
  }
}
