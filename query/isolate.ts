/**
 * Answers in a process of its own. SQLite holds the thread until it has a row, so only a parent that waits for nothing else can
 * hear Ctrl-C, or see that time is up; and remove what the child was making.
 */

import { spawn } from 'node:child_process';
import { rmSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { SnoopError } from '../migrations/errors.js';
import { ENDING } from './io.js';

/** Set in the child, which then answers itself. */
export const ISOLATED = 'SNOOPQ_ISOLATED';

const MOST_MS = 30_000;
const INTERRUPTED = 130;
/** On which the child names what it makes, each name ended by a NUL. */
const NAMES_FD = 3;

/** Runs this program again with `argv`; gives its status, 130 on Ctrl-C. Of a statement that `isTimed` no more than 30 s. */
export function isolate(argv: readonly string[], isTimed: boolean): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', ...argv], {
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
    env: { ...process.env, [ISOLATED]: '1' },
  });
  let names = '';
  const told = child.stdio[NAMES_FD] as Readable;
  told.setEncoding('utf8').on('data', (text: string) => {
    names += text;
  });
  return new Promise((resolve, reject) => {
    let ending: 'interrupted' | 'late' | undefined;
    const end = (why: 'interrupted' | 'late') => () => {
      ending = why;
      child.kill('SIGKILL'); // nothing gentler reaches a thread that is inside SQLite
    };
    const timer = isTimed ? setTimeout(end('late'), MOST_MS) : undefined;
    for (const name of ENDING) process.once(name, end('interrupted'));
    child.once('error', reject);
    // Not 'exit': what it named has been read by then.
    child.once('close', (status, signal) => {
      clearTimeout(timer);
      if (status === null) removeParts(names);
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

/** Names something that is about to be made, for the parent to remove if we do not come to an end. */
export function tellParent(path: string): void {
  try {
    writeSync(NAMES_FD, `${path}\0`);
  } catch {} // who set ISOLATED by hand has no such pipe
}

/** What was finished has another name by then. */
function removeParts(names: string): void {
  for (const path of names.split('\0').slice(0, -1)) rmSync(path, { recursive: true, force: true });
}
