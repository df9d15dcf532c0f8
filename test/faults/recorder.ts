/** What the fault tests ask of a recorder beyond the laboratory: its process, its pins, its ledger. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { PACKAGE_ROOT } from '../../migrations/database.js';
import { sealedNames } from '../../migrations/segment-names.js';
import { openRecording } from '../../query/segments.js';
import { lockHolder } from '../../recorder/lock.js';
import { leftPins } from '../../recorder/pins.js';
import type { Lab } from '../kernel/lab.js';

export const SNOOPREC = join(PACKAGE_ROOT, 'dist', 'bin', 'snooprec.js');

/** Beyond every pid (PID_MAX_LIMIT is 4194304): what `sequence` counts from. */
export const FIRST = 5_000_000;

/** The pid of the recorder that records now. */
export function recorderPid(lab: Lab): number {
  const { status, stdout, stderr } = lab.snooprec('status', '--json');
  assert.equal(status, 0, stderr);
  return (JSON.parse(stdout) as { pid: number }).pid;
}

/** Starts a recorder that stays a child of ours, so that its end can be seen. Does not wait for anything. */
export function foreground(lab: Lab, ...options: string[]): ChildProcess {
  const args = [SNOOPREC, 'start', '--foreground', '--db', lab.db, '--cgroup', lab.cgroup, ...options];
  return spawn(process.execPath, args, { cwd: lab.directory, stdio: ['ignore', 'ignore', 'pipe'] });
}

/** How a process of ours ended. */
export function endOf(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  if (child.exitCode !== null || child.signalCode !== null)
    return Promise.resolve({ code: child.exitCode, signal: child.signalCode });
  return new Promise(done => child.once('exit', (code, signal) => done({ code, signal })));
}

/** Waits until `condition` holds; fails when it does not within `ms`. */
export async function until(what: string, condition: () => boolean, ms = 10_000): Promise<void> {
  for (const deadline = Date.now() + ms; !condition(); await sleep(10)) {
    assert.ok(Date.now() < deadline, `waited ${ms} ms in vain until ${what}`);
  }
}

export const isAlive = (pid: number): boolean => {
  const state = stateOf(pid);
  return state !== null && state !== 'Z' && state !== 'X';
};

/** The letter of proc(5) for the state of a process; null when there is none. */
export function stateOf(pid: number): string | null {
  try {
    return (/\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1')) as RegExpExecArray)[1] as string;
  } catch {
    return null;
  }
}

/** Kills the recorder as nobody should, and waits until it is gone. */
export async function murder(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await until(`${pid} is gone`, () => !isAlive(pid));
}

/** The lock file of a database: recorder/lock.ts. */
export function lockFile(db: string): string {
  return `/run/snooprec/${createHash('sha256').update(db).digest('hex').slice(0, 16)}.lock`;
}

/** Whether a recorder has said that it records. */
export function isReady(lab: Lab): boolean {
  return lockHolder(lab.db)?.ready === true;
}

/** Ids of the programs that hang on the pinned links of a database. */
export function pinnedPrograms(db: string): number[] {
  const links = leftPins(db).flatMap(({ directory }) =>
    readdirSync(directory)
      .filter(name => name.startsWith('link_'))
      .map(name => join(directory, name)),
  );
  return links.map(path => {
    const told = bpftool('-j', 'link', 'show', 'pinned', path);
    return (JSON.parse(told) as { prog_id: number }).prog_id;
  });
}

/** Whether the kernel still has a program of that id. */
export const hasProgram = (id: number): boolean =>
  bpftool('-j', 'prog', 'show', 'id', String(id)).includes('"id"');

/** Ids of the programs or maps that a process has open. */
export function bpfIds(pid: number, kind: 'prog' | 'map'): number[] {
  return readdirSync(`/proc/${pid}/fdinfo`).flatMap(fd => {
    const id = new RegExp(`^${kind}_id:\\s+(\\d+)$`, 'm').exec(
      readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'latin1'),
    );
    return id ? [Number(id[1])] : [];
  });
}

let bpftoolPath: string | undefined;

/** What bpftool prints. */
export function bpftool(...args: string[]): string {
  bpftoolPath ??= spawnSync(process.execPath, [join(PACKAGE_ROOT, 'setup', 'build.mjs'), '--bpftool'], {
    encoding: 'utf8',
  }).stdout.trim();
  return spawnSync(bpftoolPath, args, { encoding: 'utf8' }).stdout;
}

/** Nothing of the recorder of this database is left: no pin, no program of these, no lock, no process. */
export async function assertNothingLeft(lab: Lab, programs: readonly number[]): Promise<void> {
  assert.deepEqual(leftPins(lab.db), [], 'pins');
  assert.ok(!existsSync(lockFile(lab.db)), 'the lock file');
  await until('the programs are freed', () => !programs.some(hasProgram)); // the kernel does it a little later
  assert.deepEqual(recordersOf(lab.db), [], 'processes');
}

/** Processes that record into the database. */
export function recordersOf(db: string): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => {
      try {
        const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return (
          args.includes('--foreground') && (args.includes(`--db=${db}`) || args.includes(db)) && isAlive(pid)
        );
      } catch {
        return false;
      }
    });
}

/** Sockets on which a process listens, of whatever family. */
export function listeningSockets(pid: number): string[] {
  const mine = new Set<string>();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    const inode = /^socket:\[(\d+)\]$/.exec(linkTarget(`/proc/${pid}/fd/${fd}`))?.[1];
    if (inode !== undefined) mine.add(inode);
  }
  const lines = (name: string) =>
    readFileSync(`/proc/${pid}/net/${name}`, 'latin1').trim().split('\n').slice(1);
  const fields = (line: string) => line.trim().split(/\s+/);
  const tcp = [...lines('tcp'), ...lines('tcp6')].filter(
    line => fields(line)[3] === '0A' && mine.has(fields(line)[9] as string),
  );
  const unix = lines('unix').filter(
    line => Number(`0x${fields(line)[3]}`) & 0x10000 && mine.has(fields(line)[6] as string),
  );
  return [...tcp, ...unix];
}

function linkTarget(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

export interface Totals {
  seen: number;
  stored: number;
  folded: number;
  lost: number;
  malformed: number;
  shed: number;
}

/**
 * The books of all runs together balance, run by run too, what the kernel counted is accounted for, and the ledger tells
 * of each loss. Returns the totals.
 */
export function assertLedger(lab: Lab): Totals {
  const { db } = openRecording(lab.db);
  const runs = db
    .prepare('SELECT seen, stored, folded, lost, malformed, shed FROM recordings')
    .all() as Totals[];
  const sum: Totals = { seen: 0, stored: 0, folded: 0, lost: 0, malformed: 0, shed: 0 };
  for (const run of runs) {
    assert.equal(run.seen, run.stored + run.folded + run.lost + run.malformed + run.shed);
    for (const key of Object.keys(sum) as (keyof Totals)[]) sum[key] += run[key];
  }
  for (const kind of ['lost', 'malformed', 'shed'] as const) {
    const told = db.prepare('SELECT coalesce(sum(count), 0) FROM coverages WHERE kind = ?').pluck().get(kind);
    assert.equal(told, sum[kind], `the ledger tells of every record that was ${kind}`);
  }
  db.close();
  assert.doesNotMatch(recorderLog(lab), /accounted for/);
  assert.equal(lab.value('PRAGMA integrity_check'), 'ok');
  return sum;
}

export function recorderLog(lab: Lab): string {
  const path = lab.db.replace(/\.db$/, '.log');
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** How many records of a kind are entered as lost. */
export function lostOf(lab: Lab, event: string): number {
  return lab.value(
    "SELECT coalesce(sum(count), 0) FROM coverages WHERE kind = 'lost' AND event = ?",
    event,
  ) as number;
}

/** Rows, different numbers and counts of a `sequence`, over all segments; three equal numbers when nothing came twice. */
export function numbersOf(lab: Lab): { rows: number; numbers: number; count: number } {
  const numbers = new Set<number>();
  let rows = 0;
  let count = 0;
  for (const path of segmentsOf(lab)) {
    const db = new Database(path, { readonly: true });
    const select = db.prepare(
      'SELECT target_arg AS number, count FROM signal WHERE target_arg >= ? AND outcome = -3',
    );
    for (const row of select.iterate(FIRST) as IterableIterator<{ number: number; count: number }>) {
      numbers.add(row.number);
      rows++;
      count += row.count;
    }
    db.close();
  }
  return { rows, numbers: numbers.size, count };
}

/** The files of a recording, the live segment last. */
export function segmentsOf(lab: Lab): string[] {
  return [...sealedNames(lab.db).map(file => file.path), lab.db];
}
