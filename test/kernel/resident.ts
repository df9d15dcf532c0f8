/**
 * A recorder and its questions in a thread of the test's own process, for machines on which the start of a process takes
 * seconds (test/kernels). The caller waits, as it would for the process.
 */

import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';

/** What is asked of the thread, the words as on the command line. */
export type Wish = { do: 'record' | 'stop'; args: string[] } | { do: 'ask'; db: string; args: string[] };

/** What a process would have left behind. */
export interface Told {
  status: number;
  stdout: string;
  stderr: string;
}

/** What the thread gets at its start: where wishes come from, and what to set and notify when one is answered. */
export interface Line {
  port: MessagePort;
  answered: Int32Array;
}

const THREAD = new URL('./resident-thread.js', import.meta.url);
const PATIENCE_MS = 600_000;

export class Resident {
  readonly #port: MessagePort;
  readonly #answered = new Int32Array(new SharedArrayBuffer(4));

  constructor() {
    const { port1, port2 } = new MessageChannel();
    const line: Line = { port: port2, answered: this.#answered };
    // Descriptors are not tracked: the recorder opens and closes its own by the C library.
    new Worker(THREAD, { workerData: line, transferList: [port2], trackUnmanagedFds: false }).unref();
    this.#port = port1;
    port1.unref();
  }

  /** `snooprec start` with these options. */
  record(...args: string[]): Told {
    return this.#wish({ do: 'record', args });
  }

  /** `snooprec stop`. */
  stop(): Told {
    return this.#wish({ do: 'stop', args: [] });
  }

  /** `snoopq` with these words. */
  ask(db: string, ...args: string[]): Told {
    return this.#wish({ do: 'ask', db, args });
  }

  #wish(wish: Wish): Told {
    Atomics.store(this.#answered, 0, 0);
    this.#port.postMessage(wish);
    if (Atomics.wait(this.#answered, 0, 0, PATIENCE_MS) === 'timed-out')
      throw new Error(`the thread never did ${wish.do} ${wish.args.join(' ')}`);
    return receiveMessageOnPort(this.#port)?.message as Told;
  }
}
