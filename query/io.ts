/** The edge to the outside: where text goes, what the terminal can do, what time it is. Tests give their own. */

import { readFileSync, writeSync } from 'node:fs';
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
  /** Writes what is still held back. */
  flush?(): void;
  /** From this call on Ctrl-C and SIGTERM do not end the process, but abort the signal. */
  interruption?(): AbortSignal;
}

/** Thrown when nobody reads our output any more (`| head`): an ordinary end. */
export class OutputClosed extends Error {}

const CHUNK = 65_536;

/** The real process. `flush` must be called at the end: output is gathered, so that a long answer is few writes. */
export function processIo(): Io & { flush(): void } {
  let waiting = '';
  const flush = (): void => {
    const text = waiting;
    waiting = '';
    writeAll(1, text);
  };
  const isTerminal = process.stdout.isTTY === true;
  const env = process.env;
  return {
    out: text => {
      waiting += text;
      if (waiting.length >= CHUNK) flush();
    },
    err: text => {
      flush();
      writeAll(2, text);
    },
    flush,
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
