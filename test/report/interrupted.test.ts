/** What is ended while it makes a file leaves nothing of it, however it is ended. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { PACKAGE_ROOT } from '../../migrations/database.js';
import { NEEDLE, writeBig } from '../query/big.js';
import { scratchDirectory } from '../query/scratch.js';

const MAIN = join(PACKAGE_ROOT, 'dist', 'bin', 'snoopq.js');
const DIR = scratchDirectory();
const DB = join(DIR, 'big.db');
writeBig(DB, 100_000);
const EVERYTHING = ['export', '--format', 'ndjson', '-o', 'file'];
const CASE = ['export', '--case', String(NEEDLE.pid), '-o', 'file'];
/** The part of a case is there for some milliseconds only. */
const TRIES = 20;

type End = (asked: ChildProcess) => void;
const WAYS: Record<string, { words: string[]; end: End; status: number }> = {
  'Ctrl-C on a terminal': { words: EVERYTHING, end: asked => kill(-pidOf(asked), 'SIGINT'), status: 130 },
  'SIGINT to it alone': { words: EVERYTHING, end: asked => kill(pidOf(asked), 'SIGINT'), status: 130 },
  SIGTERM: { words: EVERYTHING, end: asked => kill(pidOf(asked), 'SIGTERM'), status: 130 },
  'a terminal that is closed': {
    words: EVERYTHING,
    end: asked => kill(-pidOf(asked), 'SIGHUP'),
    status: 130,
  },
  'SIGKILL to the one that writes': {
    words: EVERYTHING,
    end: asked => kill(childOf(pidOf(asked)), 'SIGKILL'),
    status: 137,
  },
  'Ctrl-C in a case': { words: CASE, end: asked => kill(-pidOf(asked), 'SIGINT'), status: 130 },
};

let directories = 0;
const pidOf = (child: ChildProcess): number => child.pid ?? assert.fail('not started');
const childOf = (pid: number): number => Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'));
const kill = (pid: number, signal: NodeJS.Signals): void => void process.kill(pid, signal);

/** Ends a run as soon as it has begun to write; null: it was done before. */
async function interrupted(
  words: readonly string[],
  end: End,
): Promise<{ status: number | null; left: string[] } | null> {
  const cwd = join(DIR, String(directories++));
  mkdirSync(cwd);
  const asked = spawn(process.execPath, [MAIN, ...words, '--db', DB], {
    cwd,
    stdio: 'ignore',
    detached: true,
  });
  const ended = new Promise<number | null>(resolve => asked.once('exit', resolve));
  while (asked.exitCode === null && !readdirSync(cwd).some(name => name.endsWith('.part'))) await turn();
  if (asked.exitCode !== null) return null;
  end(asked);
  const status = await ended;
  return status === 0 ? null : { status, left: readdirSync(cwd) };
}

for (const [way, { words, end, status }] of Object.entries(WAYS)) {
  test(`${way} leaves nothing of what it was making`, async () => {
    for (let i = 0; i < TRIES; i++) {
      const found = await interrupted(words, end);
      if (found === null) continue;
      assert.deepEqual(found, { status, left: [] });
      return;
    }
    assert.fail('it was always done before');
  });
}
