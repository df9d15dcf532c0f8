/** F35: what snoopq makes is closed to others from the first instant, whatever the umask: seen by strace. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import Database from 'better-sqlite3';
import { PACKAGE_ROOT } from '../../migrations/database.js';
import { PID, writeFixture } from '../query/fixture.js';

const SNOOPQ = join(PACKAGE_ROOT, 'dist', 'bin', 'snoopq.js');
const DIR = mkdtempSync(join(tmpdir(), 'snoopq-made-'));
const DB = join(DIR, 'x.db');
const NOBODY = 65_534;
const skip = spawnSync('strace', ['-V']).status === 0 ? false : 'needs strace';

after(() => rmSync(DIR, { recursive: true }));
writeFixture(DB);
chmodSync(DIR, 0o755);

/** What makes files, and how many at least. */
const MAKING: [words: string[], files: number][] = [
  [['report', String(PID.sleep), '-o', 'made'], 1],
  [['export', String(PID.sleep), '--format', 'perfetto', '-o', 'made'], 1],
  [['export', String(PID.sleep), '--format', 'dot', '-o', 'made'], 1],
  [['export', '--format', 'ndjson', '-o', 'made'], 1],
  [['export', '--case', String(PID.sleep), '-o', 'made'], 3],
];

/** The calls that make or open something for others, of a program that runs with umask 0. */
function callsOf(command: readonly string[], cwd: string): string[] {
  const trace = join(cwd, 'trace');
  const calls = 'open,openat,creat,mkdir,mkdirat,chmod,fchmod,fchmodat';
  const strace = ['strace', '-f', '-qq', '-e', `trace=${calls}`, '-o', trace, ...command];
  const { status, stderr } = spawnSync('/bin/sh', ['-c', 'umask 0; exec "$@"', 'sh', ...strace], {
    cwd,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  return readFileSync(trace, 'utf8')
    .split('\n')
    .filter(line => /O_CREAT|creat\(|mkdir|chmod/.test(line) && !line.includes(' = -1'));
}

/** SQLite asks for 0644 when it opens a file that is there already: what counts is the call that makes it. */
function assertClosed(calls: readonly string[], cwd: string): void {
  const seen = new Set<string>();
  for (const line of calls) {
    const [, path = line, mode = '0777'] = /"([^"]*)".*, (0\d*)\)/.exec(line) ?? [];
    const file = resolve(cwd, path);
    if (!seen.has(file) || line.includes('chmod')) assert.equal(Number.parseInt(mode, 8) & 0o077, 0, line);
    seen.add(file);
  }
}

/** The files in a directory, those in it too. */
function filesIn(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap(entry =>
    entry.isDirectory() ? filesIn(join(directory, entry.name)) : [join(directory, entry.name)],
  );
}

for (const [words, least] of MAKING) {
  test(`F35: nothing that '${words.slice(0, -2).join(' ')}' makes can be opened by others, ever`, {
    skip,
  }, t => {
    const cwd = mkdtempSync(join(DIR, 'cwd-'));
    chmodSync(cwd, 0o755);
    const made = callsOf([process.execPath, SNOOPQ, ...words, '--db', DB], cwd);
    assert.ok(made.length >= least, made.join('\n'));
    assertClosed(made, cwd);
    const files = filesIn(cwd).filter(path => path !== join(cwd, 'trace'));
    assert.ok(files.length >= least, files.join('\n'));
    for (const path of files) assert.equal(statSync(path).mode & 0o077, 0, path);
    if (process.geteuid?.() !== 0) {
      t.diagnostic('not looked at as nobody: needs root');
      return;
    }
    for (const path of files)
      assert.notEqual(spawnSync('cat', [path], { uid: NOBODY, gid: NOBODY }).status, 0, path);
  });
}

test('F35: a copy of a log that nobody writes is read without a file that others could open', {
  skip,
}, () => {
  const cwd = mkdtempSync(join(DIR, 'cwd-'));
  const db = new Database(DB);
  db.pragma('journal_mode = WAL');
  db.close();
  mkdirSync(join(cwd, 'copy'));
  const sealed = 'x-20261121T130000000Z.db';
  for (const name of ['x.db', sealed]) copyFileSync(DB, join(cwd, 'copy', name));
  const command = [process.execPath, SNOOPQ, 'signals', '--db', join(cwd, 'copy', 'x.db')];
  const made = callsOf(command, cwd);
  assert.ok(
    made.some(line => line.includes('image.db')),
    made.join('\n'),
  );
  assertClosed(made, cwd);
});

test('F35: completions, answers and schemas make no file at all', { skip }, () => {
  const cwd = mkdtempSync(join(DIR, 'cwd-'));
  for (const words of [
    ['completion', 'bash'],
    ['completion', 'words', '--line', `snoopq who-killed --db ${DB} `],
    ['schema'],
    ['who-killed', String(PID.sleep), '--db', DB],
  ])
    assert.deepEqual(callsOf([process.execPath, SNOOPQ, ...words], cwd), [], words.join(' '));
});
