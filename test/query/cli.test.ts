/** The command as others meet it: statuses, standard error, pipes, and databases of every sort. */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { PACKAGE_ROOT } from '../../migrations/database.js';
import { migrate } from '../../migrations/migrate.js';
import { at, PID, writeFixture } from './fixture.js';
import { scratchDirectory } from './scratch.js';

const MAIN = join(PACKAGE_ROOT, 'dist', 'query', 'main.js');
const DIR = scratchDirectory();
const DB = join(DIR, 'fixture.db');
writeFixture(DB);

function snoopq(...argv: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...argv], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, TZ: 'UTC', SNOOPREC_DB: DB },
  });
  return { status, stdout, stderr };
}

const CASES: [status: number, argv: string[], stderr: RegExp][] = [
  [0, ['who-killed', String(PID.sleep)], /^$/],
  [0, [], /^$/],
  [0, ['--help'], /^$/],
  [0, ['--version'], /^$/],
  [0, ['help', 'signals'], /^$/],
  [0, ['schema'], /^$/],
  [1, ['who-killed', '9'], /^snoopq: no process with pid 9 found between .*\n$/],
  [1, ['who-killed', '12x'], /^snoopq: no process named '12x' found .*\nhint: '12x' is not a number.*\n$/],
  [1, ['schema', 'nope'], /^snoopq: no view nope found\nhint: .*\n$/],
  [1, ['signals', '--since', '2026-11-22', '--until', '2026-11-23'], /nothing was lost there\n$/],
  [2, ['who-kiled', '1'], /^snoopq: unknown command 'who-kiled'\nhint: did you mean who-killed\?\n$/],
  [
    2,
    ['who-killed', '1', '--sinse', 'x'],
    /^snoopq: unknown option '--sinse'\nhint: did you mean --since\?\n$/,
  ],
  [2, ['who-killed'], /^snoopq: missing required argument .*\nhint: .*\n$/],
  [2, ['who-killed', '0'], /^snoopq: '0' is not a pid\nhint: .*\n$/],
  [2, ['who-killed', '-5'], /^snoopq: '-5' is not a pid\nhint: .*\n$/],
  [2, ['who-killed', '4194305'], /^snoopq: .* is not a pid\nhint: .*\n$/],
  [2, ['signals', '--since', 'whenever'], /^snoopq: 'whenever' is not a time\nhint: .*\n$/],
  [2, ['signals', '--since', 'now', '--until', '-1h'], /^snoopq: --since is later than --until\nhint: .*\n$/],
  [2, ['signals', '--signal', 'NOPE'], /^snoopq: 'NOPE' is not a signal\nhint: .*\n$/],
  [2, ['signals', '--limit', '-1'], /^snoopq: '-1' is not a number for --limit\nhint: .*\n$/],
  [2, ['signals', '--json', '--csv'], /^snoopq: option .* cannot be used with .*\nhint: .*\n$/],
  [2, ['sql', 'SELECT nope'], /^snoopq: no such column: nope\nhint: .*\n$/],
  [2, ['sql', 'SELECT :nope'], /^snoopq: .*nope.*\nhint: .*\n$/],
  [2, ['sql', 'SELECT 1; SELECT 2'], /^snoopq: .*more than one statement\nhint: .*\n$/],
  ...[
    'PRAGMA query_only=0',
    "ATTACH 'x.db' AS x",
    'DETACH temp',
    'VACUUM',
    "VACUUM INTO 'x.db'",
    'DELETE FROM signal',
    'WITH x AS (SELECT 1) DELETE FROM signal',
    '/* SELECT */ PRAGMA user_version',
    'CREATE TEMP TABLE t(a)',
    '',
  ].map((sql): [number, string[], RegExp] => [2, ['sql', sql], /^snoopq: .*\nhint: .*\n$/]),
  [
    3,
    ['who-killed', '1', '--db', '/nonexistent/x.db'],
    /^snoopq: there is no recording at .*\nhint: start the recorder: sudo snooprec start.*\n$/,
  ],
  [4, ['who-killed', String(PID.nearLoss), '--strict'], /^snoopq: warning: .*14 records were lost.*\n$/],
  [0, ['who-killed', String(PID.sleep), '--strict'], /^$/],
  [4, ['coverage', '--strict'], /^$/],
  [0, ['coverage', '--strict', '--until', '2026-11-21 14:01'], /^$/],
  [4, ['execs', '--strict'], /^snoopq: warning: .*6 records.*\n$/],
  [0, ['execs', '--strict', '--until', '2026-11-21 14:01:59'], /^$/],
];

for (const [status, argv, stderr] of CASES) {
  test(`exit ${status}: snoopq ${argv.join(' ')}`, () => {
    const said = snoopq(...argv);
    assert.match(said.stderr, stderr);
    assert.equal(said.status, status, said.stderr);
  });
}

test('--limit cuts to the newest and says so', () => {
  const said = snoopq('exits', '--limit', '2', '--tsv');
  assert.equal(said.stdout.trimEnd().split('\n').length, 3);
  assert.match(said.stdout, /survivor\tsurvivor.*\n$/);
  assert.match(said.stderr, /^snoopq: there are more rows than the newest 2 shown; --limit 0 shows all$/m);
});

test('JSON is one document, and nothing else is on standard output', () => {
  const list = JSON.parse(snoopq('execs', '--binary', 'sleep', '--json').stdout);
  assert.deepEqual(list[0].args, ['sleep', '1000']);
  assert.equal(JSON.parse(snoopq('who-killed', String(PID.sleep), '--json').stdout).killer.pid, PID.bash);
  assert.equal(JSON.parse(snoopq('who-killed', String(PID.reused), '--all', '--json').stdout).length, 3);
  assert.deepEqual(JSON.parse(snoopq('signals', '--sender', '77', '--json').stdout), []);
  assert.equal(JSON.parse(snoopq('who-killed', '9', '--json').stdout).verdict, 'unknown');
});

test('nothing a process chose reaches the terminal, in any question and format', () => {
  for (const format of ['--plain', '--tsv', '--json', '--ndjson']) {
    for (const words of [
      ['who-killed', String(PID.hostile)],
      ['execs'],
      ['exits'],
      ['signals'],
      ['ancestry', String(PID.hostile)],
      ['sql', 'SELECT * FROM execs'],
    ]) {
      const { stdout, stderr } = snoopq(...words, format);
      assert.doesNotMatch(
        stdout + stderr,
        /[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u202a-\u202e\u2066-\u2069\u200b-\u200f]/u,
        `${words} ${format}`,
      );
    }
  }
});

test('a closed pipe is a success', async () => {
  const child = spawn(
    'bash',
    [
      '-c',
      `set -o pipefail; ${process.execPath} ${MAIN} sql 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n LIMIT 300000' --limit 0 | head -1`,
    ],
    {
      env: { ...process.env, SNOOPREC_DB: DB },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const status = await new Promise(resolve => child.once('exit', resolve));
  assert.equal(status, 0);
});

test('Ctrl-C ends an endless statement within a second, status 130', async () => {
  const child = spawn(
    process.execPath,
    [MAIN, 'sql', 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n'],
    {
      env: { ...process.env, SNOOPREC_DB: DB },
      stdio: 'ignore',
    },
  );
  // The statement runs in a process of its own; only when there is one is there anything to end.
  const children = `/proc/${child.pid}/task/${child.pid}/children`;
  for (let i = 0; i < 1000 && readFileSync(children, 'utf8') === ''; i++) await sleep(10);
  await sleep(300);
  const start = Date.now();
  child.kill('SIGINT');
  assert.equal(await new Promise(resolve => child.once('exit', resolve)), 130);
  assert.ok(Date.now() - start < 1000);
});

test('files that are no readable recording: exit 3, one line', () => {
  const foreign = join(DIR, 'foreign.db');
  new Database(foreign).exec('CREATE TABLE t (a)').close();
  const text = join(DIR, 'text.db');
  writeFileSync(text, 'not a database at all '.repeat(50));
  const empty = join(DIR, 'empty.db');
  writeFileSync(empty, '');
  const newer = join(DIR, 'newer.db');
  copyFileSync(DB, newer);
  new Database(newer).exec("PRAGMA user_version = 99; INSERT INTO meta VALUES ('reader', '99')").close();
  const cut = join(DIR, 'cut.db');
  copyFileSync(DB, cut);
  truncateSync(cut, 20_000);
  const forged = join(DIR, 'forged.db');
  copyFileSync(DB, forged);
  new Database(forged).exec('CREATE VIEW trap AS SELECT 1').close();
  mkdirSync(join(DIR, 'dir.db'));
  for (const file of [foreign, text, empty, newer, cut, forged, join(DIR, 'dir.db')]) {
    const { status, stderr, stdout } = snoopq('who-killed', '1', '--db', file);
    assert.equal(status, 3, `${file}: ${stderr}`);
    assert.match(stderr, /^snoopq: [^\n]+\n(hint: [^\n]+\n)?$/);
    assert.equal(stdout, '');
  }
});

test('a recording is read while it is written, and a quiet copy without a trace', () => {
  const live = join(DIR, 'live.db');
  copyFileSync(DB, live);
  const writer = new Database(live);
  writer.pragma('journal_mode = WAL');
  writer.prepare('UPDATE recording SET updated = ?').run(at(1250));
  assert.equal(snoopq('who-killed', String(PID.sleep), '--db', live).status, 0);
  assert.match(snoopq('coverage', '--db', live, '--tsv').stdout, /14:20:50/);

  const quietDir = join(DIR, 'quiet');
  mkdirSync(quietDir);
  copyFileSync(live, join(quietDir, 'copy.db'));
  chmodSync(quietDir, 0o555);
  assert.equal(snoopq('coverage', '--db', join(quietDir, 'copy.db')).status, 0);
  assert.deepEqual(readdirSync(quietDir), ['copy.db']);
  chmodSync(quietDir, 0o755);
  writer.close();
});

test('a recorder that just began, with all of its file still in the log, is a recording too', () => {
  const fresh = join(DIR, 'fresh.db');
  const writer = new Database(fresh);
  writer.pragma('journal_mode = WAL');
  writer.pragma('wal_autocheckpoint = 0');
  migrate(writer);
  const { status, stderr } = snoopq('coverage', '--db', fresh);
  assert.equal(status, 1, stderr);
  assert.match(stderr, /no recorded spans found in an empty recording/);
  writer.close();
});
