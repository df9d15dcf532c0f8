/** `snooprec run -- CMD…`: records one command and its descendants, and tells what was violent. */

import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { constants as os } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import Database from 'better-sqlite3';
import { SnoopError } from '../migrations/errors.js';
import type { RecordOptions } from './options.js';
import { raisePriority } from './priority.js';
import { openSession } from './service.js';

/** Runs the command under a recorder of its own. Returns the status to exit with: the command's, or 128 + its signal. */
export async function runCommand(options: RecordOptions, command: readonly string[]): Promise<number> {
  const [name, ...args] = command as [string, ...string[]];
  const file = findExecutable(name); // looked up here, so that the search is not recorded as failed execs
  const session = openSession(options);
  if (session === null) {
    throw new SnoopError('running', `another recorder writes ${options.db}`, 'name another file with --db');
  }
  const ignore = () => {};
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, ignore);
  try {
    const child = spawn(file, args, { argv0: name, stdio: 'inherit' });
    raisePriority();
    return await new Promise((done, fail) => {
      child.once('exit', (code, signal) => done(signal === null ? (code ?? 0) : 128 + os.signals[signal]));
      child.once('error', error => fail(new SnoopError('command', `cannot run ${name}: ${error.message}`)));
    });
  } finally {
    await session.stop('finished');
  }
}

/** The file that execvp(3) would take. */
function findExecutable(name: string): string {
  const candidates = name.includes('/')
    ? [resolve(name)]
    : (process.env['PATH'] ?? '/usr/bin:/bin')
        .split(delimiter)
        .map(directory => join(directory || '.', name));
  const found = candidates.find(isExecutable);
  if (found !== undefined) return found;
  throw new SnoopError('command', `${name}: no such command`, 'put the command behind --');
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

interface Kill {
  pid: number;
  comm: string | null;
  signal: string | null;
  mechanism: string | null;
  killer_pid: number | null;
  killer_comm: string | null;
}

/** One line for each violent death since `since` (microseconds), and what was recorded in all. */
export function violentSummary(db: string, since: number): string[] {
  const connection = new Database(db, { readonly: true });
  try {
    const kills = connection
      .prepare('SELECT * FROM kills WHERE time_us >= ? ORDER BY time_us')
      .all(since) as Kill[];
    const count = (table: string, time: string) =>
      connection.prepare(`SELECT count(*) FROM ${table} WHERE ${time} >= ?`).pluck().get(since) as number;
    const totals = `${count('exec', 'time')} execs, ${count('signal', 'time')} signals, ${count('process', 'ended')} ends`;
    return [`recorded ${totals} in ${db}`, ...kills.map(killLine)];
  } finally {
    connection.close();
  }
}

function killLine(kill: Kill): string {
  const by =
    kill.killer_pid === null
      ? (kill.mechanism ?? 'an unrecorded cause')
      : `${kill.mechanism} from ${kill.killer_pid} (${printable(kill.killer_comm)})`;
  return `${kill.pid} (${printable(kill.comm)}) was ended by ${kill.signal}: ${by}`;
}

/** A command name without anything that a terminal would obey. */
function printable(text: string | null): string {
  return (text ?? '?').replace(
    /[^\x20-\x7e\u00a1-\u024f]/gu,
    character => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}
