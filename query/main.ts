#!/usr/bin/env node
/** snoopq: the only file that ends the process. */

import { run } from './cli.js';
import { OutputClosed, processIo } from './io.js';
import { ISOLATED, isolate } from './isolate.js';

/** The exit status. */
async function main(): Promise<number> {
  // SIGINT keeps its default action: it ends us at once even inside SQLite, and a shell reports 130.
  const io = processIo();
  try {
    const status = await run(process.argv.slice(2), io, io.env[ISOLATED] === undefined ? isolate : undefined);
    io.flush();
    return status;
  } catch (error) {
    if (error instanceof OutputClosed) return 0; // `| head` has seen enough
    throw error;
  }
}

void main().then(status => process.exit(status));
