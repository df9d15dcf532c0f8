/** How `snooprec` ends when something is wrong: one line, a hint, and a status that scripts can tell apart. */

import { type ErrorCode, SnoopError } from '../migrations/errors.js';

const STATUS: Record<ErrorCode, number> = {
  usage: 2,
  privilege: 4,
  config: 6,
  kernel: 1,
  library: 1,
  database: 1,
  running: 1,
  command: 1,
};

/** Says what went wrong on stderr and returns the exit status. A bug shows its stack. */
export function report(error: unknown, verbose: boolean): number {
  if (!(error instanceof SnoopError)) {
    process.stderr.write(
      `snooprec: internal error: ${error instanceof Error ? error.stack : String(error)}\n`,
    );
    return 1;
  }
  process.stderr.write(`snooprec: ${error.message}\n`);
  if (error.hint) process.stderr.write(`hint: ${error.hint}\n`);
  if (verbose && error.cause instanceof Error) process.stderr.write(`${error.cause.message}\n`);
  return STATUS[error.code];
}
