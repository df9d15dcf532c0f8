/**
 * Tells a person at a terminal that an answer takes its time. SQLite holds the thread until it has a row, so another one
 * counts the seconds.
 */

import { Worker } from 'node:worker_threads';

const STOPPED = 0;
const SHOWN = 1;

// Its own text, for there is one file a command. Nothing of the answer comes here.
const COUNTING = `
const { workerData } = require('node:worker_threads');
const { writeSync } = require('node:fs');
const state = new Int32Array(workerData);
const start = Date.now();
for (let pause = 1000; Atomics.wait(state, ${STOPPED}, 0, pause) === 'timed-out'; pause = 1000) {
  Atomics.store(state, ${SHOWN}, 1);
  writeSync(2, '\\rsnoopq: reading for ' + Math.round((Date.now() - start) / 1000) + ' s; Ctrl-C ends it ');
}`;

/** Counts on stderr from the first second on, until the returned function is called, which leaves no trace. */
export function startProgress(err: (text: string) => void): () => void {
  const shared = new SharedArrayBuffer(8);
  const state = new Int32Array(shared);
  const worker = new Worker(COUNTING, {
    eval: true,
    workerData: shared,
    stdin: false,
    stdout: false,
    stderr: false,
  });
  worker.unref();
  worker.on('error', () => {}); // an answer without it is an answer
  return () => {
    if (Atomics.exchange(state, STOPPED, 1) === 1) return;
    Atomics.notify(state, STOPPED);
    if (Atomics.load(state, SHOWN) === 1) err('\r\u001b[K');
  };
}
