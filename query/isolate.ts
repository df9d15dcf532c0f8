/**
 * Runs a statement that a user wrote in a process of its own. SQLite holds the thread until it has a row, so only
 * a parent that waits for nothing else can hear Ctrl-C or see that time is up.
 */

import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { SnoopError } from '../migrations/errors.js';

/** Set in the child, which then answers itself. */
export const ISOLATED = 'SNOOPQ_ISOLATED';

const MOST_MS = 30_000;
const INTERRUPTED = 130;

/** Runs this program again with `argv`; gives its status, 130 on Ctrl-C. */
export function isolate(argv: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', ...argv], {
    stdio: 'inherit',
    env: { ...process.env, [ISOLATED]: '1' },
  });
  return new Promise((resolve, reject) => {
    let ending: 'interrupted' | 'late' | undefined;
    const end = (why: 'interrupted' | 'late') => () => {
      ending = why;
      child.kill('SIGKILL'); // nothing gentler reaches a thread that is inside SQLite; it only reads
    };
    const timer = setTimeout(end('late'), MOST_MS);
    process.once('SIGINT', end('interrupted')).once('SIGTERM', end('interrupted'));
    child.once('error', reject);
    child.once('exit', (status, signal) => {
      clearTimeout(timer);
      if (ending === 'late') {
        reject(
          new SnoopError(
            'usage',
            `no answer within ${MOST_MS / 1000} s`,
            'narrow it: filter by time_us, or add LIMIT',
          ),
        );
      } else if (ending === 'interrupted' || signal === 'SIGINT') resolve(INTERRUPTED);
      else resolve(status ?? 128 + constants.signals[signal ?? 'SIGTERM']);
    });
  });
}
