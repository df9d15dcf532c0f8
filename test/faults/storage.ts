/** What the storage faults ask of a recording: all its files, the numbers in them, and places that can be made to fail. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import koffi from 'koffi';
import { PACKAGE_ROOT } from '../../migrations/database.js';
import { keptName, sealedNames } from '../../migrations/segment-names.js';
import type { Lab } from '../kernel/lab.js';
import type { Totals } from './recorder.js';

export const SNOOPREC = join(PACKAGE_ROOT, 'dist', 'bin', 'snooprec.js');

/** Beyond every pid (PID_MAX_LIMIT is 4194304): what `sequence` counts from. */
export const FIRST = 5_000_000;

/** Waits until `condition` holds; fails when it does not within `ms`. Returns how long that took, milliseconds. */
export async function until(what: string, condition: () => boolean, ms = 10_000): Promise<number> {
  const from = performance.now();
  for (; !condition(); await sleep(20))
    assert.ok(performance.now() - from < ms, `waited ${ms} ms in vain until ${what}`);
  return performance.now() - from;
}

/** The sealed segments of a recording, oldest first. */
export function sealedOf(db: string): string[] {
  return sealedNames(db).map(file => file.path);
}

/** All files of a recording that are not set aside, the live one last. */
export function segmentsOf(db: string): string[] {
  return [...sealedOf(db), db];
}

/** Names of the files that were set aside. */
export function asideOf(db: string): string[] {
  return readdirSync(dirname(db)).filter(name => name.endsWith('~'));
}

/** Runs a query on one file. */
export function ask<Row = Record<string, unknown>>(
  path: string,
  sql: string,
  ...parameters: unknown[]
): Row[] {
  const db = new Database(path, { readonly: true });
  try {
    return db.prepare(sql).all(...parameters) as Row[];
  } finally {
    db.close();
  }
}

/** How often each number of a `sequence` is in these files. */
export function numbersIn(paths: readonly string[]): Map<number, number> {
  const numbers = new Map<number, number>();
  for (const path of paths) {
    for (const { number, count } of ask<{ number: number; count: number }>(
      path,
      'SELECT target_arg AS number, sum(count) AS count FROM signal WHERE target_arg >= ? AND outcome = -3 GROUP BY 1',
      FIRST,
    )) {
      numbers.set(number, (numbers.get(number) ?? 0) + count);
    }
  }
  return numbers;
}

/** That the numbers from FIRST to FIRST + sent are there, each once. */
export function assertAll(paths: readonly string[], sent: number): void {
  const numbers = numbersIn(paths);
  assert.equal(numbers.size, sent, 'nothing is missing');
  for (const [number, count] of numbers) assert.equal(count, 1, `${number} came once`);
}

/** The books of the last run, which must balance; each lost record is in the ledger of one of the files. */
export function ledgerOf(db: string): Totals {
  const [run] = ask<Totals>(db, 'SELECT * FROM recordings ORDER BY id DESC LIMIT 1');
  assert.ok(run);
  assert.equal(run.seen, run.stored + run.folded + run.lost + run.malformed + run.shed);
  const rows = [keptName(db), ...segmentsOf(db)]
    .filter(path => existsSync(path))
    .flatMap(path => ask<{ count: number }>(path, "SELECT count FROM coverage WHERE kind = 'lost'"));
  assert.equal(
    rows.reduce((sum, { count }) => sum + count, 0),
    run.lost,
    'the ledger tells of every lost record',
  );
  return run;
}

/** What the ledger says of spans that can be read no more. */
export function shedOf(db: string): string[] {
  return segmentsOf(db)
    .flatMap(path => ask<{ cause: string }>(path, "SELECT cause FROM coverage WHERE kind = 'shed'"))
    .map(row => row.cause);
}

export function assertWhole(paths: readonly string[]): void {
  for (const path of paths)
    assert.deepEqual(ask(path, 'PRAGMA integrity_check'), [{ integrity_check: 'ok' }], path);
}

/** One file without companions, not in WAL mode. */
export function isPlain(path: string): boolean {
  return !existsSync(`${path}-wal`) && !existsSync(`${path}-shm`) && readFileSync(path)[18] === 1;
}

export function bytesOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

export function recorderPid(lab: Lab, db = lab.db): number {
  const { status, stdout, stderr } = lab.snooprec('status', '--json', '--db', db);
  assert.equal(status, 0, stderr);
  return (JSON.parse(stdout) as { pid: number }).pid;
}

export function recorderLog(db: string): string {
  const path = db.replace(/\.db$/, '.log');
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** A child that says a word once it is ready; killed with the test. */
export async function ready(
  t: TestContext,
  word: string,
  file: string,
  ...args: string[]
): Promise<ChildProcess> {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  let said = '';
  child.stdout?.on('data', chunk => {
    said += String(chunk);
  });
  await until(`${file} says ${word}`, () => said.includes(word));
  return child;
}

/** Runs words of better-sqlite3 on a file, as `db`, in a process of its own that stays until it is killed. */
export function holder(t: TestContext, path: string, words: string): Promise<ChildProcess> {
  const script = `const db = new (require('better-sqlite3'))(process.argv[1]); ${words}; console.log('held'); setInterval(() => {}, 1e6);`;
  return ready(t, 'held', process.execPath, '-e', script, path);
}

const CLONE_NEWNS = 0x20000;

/**
 * Gives this process, and all that it starts, a mount namespace of its own: what is mounted there nobody else sees, and it is
 * gone with the last of them.
 */
export function hideMounts(): void {
  assert.equal(koffi.load(null).func('int unshare(int flags)')(CLONE_NEWNS), 0, 'unshare');
  sh('mount --make-rprivate /');
}

/** Runs a command to its end; fails if it fails. */
export function sh(script: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-ec', script, 'sh', ...args], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, `${script}: ${stderr}`);
  return stdout;
}
