#!/usr/bin/env node
/** snoopq: the only file that ends the process. */

import { run } from './cli.js';
import { OutputClosed, processIo } from './io.js';
import { ISOLATED, isolate, tellParent } from './isolate.js';

/** The exit status. */
async function main(): Promise<number> {
  // SIGINT keeps its default action: it ends us at once even inside SQLite, and a shell reports 130.
  const argv = process.argv.slice(2);
  const isIsolated = process.env[ISOLATED] !== undefined;
  // A parent that waits for an isolated answer hears Ctrl-C, and would leave a pager behind.
  const io: ReturnType<typeof processIo> = processIo(!isIsolated && !argv.includes('--no-pager'));
  if (isIsolated) io.unfinished = tellParent;
  try {
    const status = await run(argv, io, isIsolated ? undefined : isolate);
    io.finish();
    return status;
  } catch (error) {
    if (error instanceof OutputClosed) return 0; // `| head` has seen enough
    throw error;
  }
}

void main().then(status => process.exit(status));
