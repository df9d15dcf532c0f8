/**
 * Looks at an answer that is being looked for. SQLite holds the thread until it has a row, so another one does it: it counts
 * the seconds for a person at a terminal, and ends what a hostile recording could have read for ever, or fill the memory with.
 * Ctrl-C needs none of this: it has its default action, which ends the process wherever it is.
 */

import { Worker } from 'node:worker_threads';

/** Without a byte of output in so long, an answer is given up. Reading the largest recording through takes less. */
const MOST_MS = 600_000;
/** Memory of the whole process. What SQLite takes of it has a limit of its own, which ends in an error (db.ts). */
const MOST_BYTES = 1.5 * 1024 ** 3;
const LOOK_MS = 100;

const STOPPED = 0;
/** How often it went on; odd while output is written, for a pager reads as slowly as it likes. */
const STEPS = 1;
/** The count of seconds stands on the terminal. */
const SHOWN = 2;
/** There was output: the count is not wanted any more. */
const QUIET = 3;
/** The limits hold. */
const LIMITED = 4;

/** The limits, for tests. */
export interface Limits {
  ms: number;
  bytes: number;
}

/** A watch that goes on until it is stopped. */
export interface Watch {
  /** From now on the limits hold. */
  limit(): void;
  /** The answer goes on, where no output shows it. */
  step(): void;
  /** Writes by `write`, and takes the count of seconds back before. */
  output(write: () => void): void;
  stop(): void;
}

// Its own text, for there is one file a command. SIGALRM ends the process by its default action, also inside SQLite.
const WATCHING = `
const { workerData: { shared, isShown, ms, bytes } } = require('node:worker_threads');
const { writeSync } = require('node:fs');
const state = new Int32Array(shared);
const start = Date.now();
let seconds = 0;
let steps = 0;
let since = start;
const end = why => {
  writeSync(2, (Atomics.load(state, ${SHOWN}) === 1 ? '\\r\\u001b[K' : '') + 'snoopq: ' + why + '\\n');
  process.kill(process.pid, 'SIGALRM');
};
while (Atomics.wait(state, ${STOPPED}, 0, ${LOOK_MS}) === 'timed-out') {
  const now = Date.now();
  const done = Atomics.load(state, ${STEPS});
  if (done !== steps || done % 2 === 1) since = now;
  steps = done;
  const isLimited = Atomics.load(state, ${LIMITED}) === 1;
  if (isLimited && now - since > ms) end('no answer within ' + ms / 1000 + ' s\\nhint: narrow it by --since, or do not trust this recording');
  if (isLimited && process.memoryUsage.rss() > bytes) end('the answer takes more than ' + Math.round(bytes / 1048576) + ' MiB of memory\\nhint: narrow it by --since or --limit, or do not trust this recording');
  if (!isShown || Atomics.load(state, ${QUIET}) === 1 || now - start < (seconds + 1) * 1000) continue;
  seconds = Math.floor((now - start) / 1000);
  Atomics.store(state, ${SHOWN}, 1);
  writeSync(2, '\\rsnoopq: reading for ' + seconds + ' s; Ctrl-C ends it ');
}`;

/**
 * Watches from now on.
 * @param clear writes on stderr to take the count of seconds back; null: nobody is there to see it
 */
export function startWatch(clear: ((text: string) => void) | null, limits: Partial<Limits> = {}): Watch {
  const { ms = MOST_MS, bytes = MOST_BYTES } = limits;
  const shared = new SharedArrayBuffer(20);
  const state = new Int32Array(shared);
  const worker = new Worker(WATCHING, {
    eval: true,
    workerData: { shared, isShown: clear !== null, ms, bytes },
    stdin: false,
    stdout: false,
    stderr: false,
  });
  worker.unref();
  worker.on('error', () => {}); // an answer without it is an answer
  const takeBack = (): void => {
    Atomics.store(state, QUIET, 1);
    if (Atomics.exchange(state, SHOWN, 0) === 1) clear?.('\r\u001b[K');
  };
  return {
    limit: () => void Atomics.store(state, LIMITED, 1),
    step: () => void Atomics.add(state, STEPS, 2),
    output(write) {
      Atomics.add(state, STEPS, 1);
      takeBack();
      write();
      Atomics.add(state, STEPS, 1);
    },
    stop() {
      Atomics.store(state, STOPPED, 1);
      Atomics.notify(state, STOPPED);
      takeBack();
    },
  };
}
