/** The edge to the outside: where text goes, what the terminal can do, what time it is. Tests give their own. */

import { readFileSync, writeSync } from 'node:fs';
import { setImmediate as breath } from 'node:timers/promises';
import { DEFAULT_DATABASE } from '../migrations/database.js';
import { page } from './pager.js';
import type { Present } from './since.js';
import { type Limits, startWatch, type Watch } from './watch.js';

/** Where an answer goes, and under which circumstances. */
export interface Io extends Present {
  out(text: string): void;
  err(text: string): void;
  isTerminal: boolean;
  hasColor: boolean;
  /** Columns of the terminal. */
  width: number;
  env: Record<string, string | undefined>;
  /**
   * From now on an answer is looked for in this recording: within limits (watch.ts), for anybody may have made it. Not so the
   * one of this machine: whom only root could have misled needs no second thread, which costs 15 to 20 ms of CPU.
   */
  watch?(path: string): void;
  /** What comes has no end, or is answered elsewhere. */
  unwatch?(): void;
  /** The answer goes on, where no output shows it. */
  step?(): void;
  /** Writes what is still held back. */
  flush?(): void;
  /** A file or directory is being made under this name, which is removed if we are ended before. */
  unfinished?(path: string): void;
  /** Does what is not to be done by half: a signal that would end the process does so afterwards. */
  undisturbed?(work: () => void): Promise<void>;
  /** What ends an answer without an end; without it only the end of the process does. */
  interruption?(): AbortSignal;
}

/** Thrown when nobody reads our output any more (`| head`): an ordinary end. */
export class OutputClosed extends Error {}

const CHUNK = 65_536;
/** An answer longer than this is not held back for a pager. */
const MOST_PAGED = 16 * 1024 * 1024;
/** What ends a process that is not wanted any more. */
export const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * The real process. Output is gathered, so that a long answer is few writes: `flush` writes what there is; `finish` must be
 * called at the end, and shows what is longer than the terminal page by page, where `isPaged` allows it.
 */
export function processIo(isPaged = true): Io & { flush(): void; finish(): void } {
  const env = process.env;
  const isTerminal = process.stdout.isTTY === true;
  const isDumb = env.TERM === 'dumb' || !env.TERM;
  let isHeld = isPaged && isTerminal && !isDumb;
  const isSeen = isTerminal && process.stderr.isTTY && !isDumb;
  const begin = (): Watch => startWatch(isSeen ? text => writeAll(2, text) : null, limitsOf(env));
  let watch = isSeen ? begin() : null;
  let waiting = '';
  let remarks = '';
  const output = (write: () => void): void => (watch === null ? write() : watch.output(write));
  const unwatch = (): void => {
    watch?.stop();
    watch = null;
  };
  const flush = (): void => {
    const text = waiting;
    waiting = '';
    isHeld = false;
    output(() => {
      writeAll(1, text);
      writeAll(2, remarks);
    });
    remarks = '';
  };
  return {
    out: text => {
      waiting += text;
      if (waiting.length >= (isHeld ? MOST_PAGED : CHUNK)) flush();
    },
    err: text => {
      remarks += text;
      if (!isHeld || waiting === '') {
        const held = isHeld;
        flush();
        isHeld = held;
      }
    },
    flush,
    watch: path => {
      if (path === DEFAULT_DATABASE) return;
      watch ??= begin();
      watch.limit();
    },
    unwatch,
    step: () => watch?.step(),
    finish: () => {
      unwatch();
      const rows = process.stdout.rows || 24;
      // Less shows the whole of it, colours too; remarks come below when it was left.
      if (isHeld && waiting.split('\n').length > rows && page(waiting, env)) waiting = '';
      flush();
    },
    isTerminal,
    hasColor: isTerminal && !env.NO_COLOR && env.TERM !== 'dumb',
    width: process.stdout.columns || Number(env.COLUMNS) || 80,
    env,
    undisturbed,
    now: Date.now() * 1000,
    boot: bootTime,
  };
}

// Written by descriptor, because process.stdout reports a closed pipe only after the loop that fills it has ended.
function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'EPIPE') throw new OutputClosed();
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2); // someone made our pipe non-blocking
    }
  }
}

/** Limits for tests: SNOOPQ_LIMITS, milliseconds and bytes. */
function limitsOf({ SNOOPQ_LIMITS: given }: Io['env']): Partial<Limits> {
  const [ms, bytes] = (given ?? '').split(',').map(Number);
  return { ...(ms ? { ms } : {}), ...(bytes ? { bytes } : {}) };
}

async function undisturbed(work: () => void): Promise<void> {
  let heard: NodeJS.Signals | undefined;
  const hear = (signal: NodeJS.Signals): void => {
    heard = signal;
  };
  for (const name of ENDING) process.on(name, hear);
  try {
    work();
    // A signal is heard when the loop asks for news, which it does between the two.
    await breath();
    await breath();
  } finally {
    for (const name of ENDING) process.off(name, hear);
  }
  if (heard !== undefined) process.kill(process.pid, heard);
}

function bootTime(): number {
  const seconds = /^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1];
  return Number(seconds ?? 0) * 1_000_000;
}
