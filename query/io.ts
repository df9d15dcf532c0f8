/** The edge to the outside: where text goes, what the terminal can do, what time it is. Tests give their own. */

import { readFileSync, writeSync } from 'node:fs';
import { page } from './pager.js';
import { startProgress } from './progress.js';
import type { Present } from './since.js';

/** Where an answer goes, and under which circumstances. */
export interface Io extends Present {
  out(text: string): void;
  err(text: string): void;
  isTerminal: boolean;
  hasColor: boolean;
  /** Columns of the terminal. */
  width: number;
  env: Record<string, string | undefined>;
  /** An answer is looked for, which may take its time. */
  busy?(): void;
  /** Writes what is still held back. */
  flush?(): void;
  /** A file or directory is being made under this name, which is removed if we are ended before. */
  unfinished?(path: string): void;
  /** From this call on Ctrl-C and SIGTERM do not end the process, but abort the signal. */
  interruption?(): AbortSignal;
}

/** Thrown when nobody reads our output any more (`| head`): an ordinary end. */
export class OutputClosed extends Error {}

const CHUNK = 65_536;
/** An answer longer than this is not held back for a pager. */
const MOST_PAGED = 16 * 1024 * 1024;

/**
 * The real process. Output is gathered, so that a long answer is few writes: `flush` writes what there is; `finish` must be
 * called at the end, and shows what is longer than the terminal page by page, where `isPaged` allows it.
 */
export function processIo(isPaged = true): Io & { flush(): void; finish(): void } {
  const env = process.env;
  const isTerminal = process.stdout.isTTY === true;
  const isDumb = env.TERM === 'dumb' || !env.TERM;
  let isHeld = isPaged && isTerminal && !isDumb;
  let stopProgress =
    isTerminal && process.stderr.isTTY && !isDumb ? startProgress(text => writeAll(2, text)) : null;
  let waiting = '';
  let remarks = '';
  const stop = (): void => {
    stopProgress?.();
    stopProgress = null;
  };
  const flush = (): void => {
    stop();
    const text = waiting;
    waiting = '';
    isHeld = false;
    writeAll(1, text);
    writeAll(2, remarks);
    remarks = '';
  };
  return {
    out: text => {
      waiting += text;
      if (waiting.length >= (isHeld ? MOST_PAGED : CHUNK)) flush();
    },
    err: text => {
      stop();
      remarks += text;
      if (!isHeld || waiting === '') {
        const held = isHeld;
        flush();
        isHeld = held;
      }
    },
    flush,
    busy: () => {
      if (isTerminal && process.stderr.isTTY && !isDumb)
        stopProgress ??= startProgress(text => writeAll(2, text));
    },
    finish: () => {
      stop();
      const rows = process.stdout.rows || 24;
      // Less shows the whole of it, colours too; remarks come below when it was left.
      if (isHeld && waiting.split('\n').length > rows && page(waiting, env)) waiting = '';
      flush();
    },
    isTerminal,
    hasColor: isTerminal && !env.NO_COLOR && env.TERM !== 'dumb',
    width: process.stdout.columns || Number(env.COLUMNS) || 80,
    env,
    interruption,
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

function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => controller.abort());
  return controller.signal;
}

function bootTime(): number {
  const seconds = /^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1];
  return Number(seconds ?? 0) * 1_000_000;
}
