/** `tail -f` beside a writer that does what the recorder does: new rows, a new segment, an end. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { PACKAGE_ROOT } from '../../migrations/database.js';
import { type Cursor, parseCursor, readCursor, writeCursor } from '../../query/cursor.js';
import { presentOf } from '../../query/news.js';
import { openRecording } from '../../query/segments.js';
import { PID, START, writeFixture } from './fixture.js';
import { scratchDirectory } from './scratch.js';
import { sealedPath } from './split.js';

const MAIN = join(PACKAGE_ROOT, 'dist', 'bin', 'snoopq.js');
const DIR = scratchDirectory();
const PATIENCE_MS = 15_000;
let recordings = 0;

/** A recorder's pen: a live file in WAL mode, and signals from bash to nginx with numbers to tell them apart. */
function writerOf(path: string) {
  const db = new Database(path);
  db.pragma('journal_mode = WAL');
  db.pragma('wal_autocheckpoint = 0');
  const insert =
    db.prepare(`INSERT INTO signal (id, time, count, sig, code, sender, sender_comm, target, target_comm, mechanism, outcome, disposition, target_arg)
    SELECT coalesce((SELECT max(id) FROM signal), 0) + 1, @time, 1, 10, 0, s.id, s.comm, t.id, t.comm, 1, 0, 2, @number
    FROM process s, process t WHERE s.pid = ${PID.bash} AND t.pid = ${PID.running}`);
  return {
    db,
    send: (...numbers: number[]) =>
      db.transaction(() => {
        for (const number of numbers) insert.run({ time: Date.now() * 1000, number });
      })(),
  };
}

function fresh(): string {
  const path = join(DIR, `follow${recordings++}.db`);
  writeFixture(path);
  return path;
}

/** snoopq in a process of its own, with what it said so far. */
function start(path: string, ...words: string[]) {
  const child = spawn(process.execPath, [MAIN, 'tail', '-f', '--ndjson', '--db', path, ...words], {
    env: { PATH: process.env.PATH, TZ: 'UTC' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  after(() => child.kill('SIGKILL'));
  const said = { child, out: '', err: '' };
  child.stdout.on('data', (data: Buffer) => {
    said.out += data;
  });
  child.stderr.on('data', (data: Buffer) => {
    said.err += data;
  });
  return said;
}

function eventsOf({
  out,
}: {
  out: string;
}): { event: string; sig: number | null; id: number; text: string }[] {
  return out
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line));
}

/** The ids of the signals of this test, in the order in which they were told. */
function told(said: { out: string }): number[] {
  return eventsOf(said)
    .filter(({ sig }) => sig === 10)
    .map(({ id }) => id);
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; !condition(); await sleep(10)) assert.ok(Date.now() < end, what);
}

/** The status as a shell tells it. */
async function stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGINT'): Promise<number> {
  const exit = new Promise<number>(resolve => {
    child.once('exit', (code, by) => resolve(code ?? 128 + constants.signals[by ?? 'SIGKILL']));
  });
  child.kill(signal);
  return exit;
}

test('tail -f tells each new event once, in order, and ends cleanly on Ctrl-C', async () => {
  const path = fresh();
  const { send, db } = writerOf(path);
  const said = start(path, '--signal', 'USR1', '-n', '2');
  await until(() => said.out !== '', 'it tells what was there');
  for (let i = 0; i < 23; i++) {
    send(i);
    await sleep(i % 5 === 0 ? 120 : 3);
  }
  await until(() => told(said).length >= 23, 'it tells 23 signals');
  await sleep(300);
  assert.deepEqual(
    told(said),
    Array.from({ length: 23 }, (_, i) => 24 + i),
  );
  assert.match(
    eventsOf(said).at(-1)?.text ?? '',
    /^PID 5978 \(bash\) sent signal 10 \(SIGUSR1\) to PID 3800 \(nginx\), ret = 0/,
  );
  assert.equal(await stop(said.child), 130);
  assert.equal(said.err, '');
  db.close();
});

test('a new event is told within 400 ms of its commit less the 250 ms of a batch, half of the time at least', async () => {
  const path = fresh();
  const { send, db } = writerOf(path);
  const said = start(path, '--signal', 'USR1');
  await until(() => said.out !== '', 'it tells what was there');
  const lags: number[] = [];
  for (let i = 0; i < 15; i++) {
    await sleep(150);
    const before = performance.now();
    send(i);
    await until(() => told(said).length > i, `signal ${i}`);
    lags.push(performance.now() - before);
  }
  await stop(said.child);
  db.close();
  lags.sort((a, b) => a - b);
  // The other half is the machine's, which runs other tests too.
  assert.ok((lags[7] ?? 0) < 150, `${lags.map(Math.round)}`);
});

test('at rest no file of the recording is open', async () => {
  const path = fresh();
  const { send, db } = writerOf(path);
  const said = start(path);
  await until(() => said.out !== '', 'it tells what was there');
  send(1);
  await until(() => told(said).length === 1, 'the signal');
  await sleep(400);
  const fds = `/proc/${said.child.pid}/fd`;
  const open = readdirSync(fds).map(fd => {
    try {
      return readFileSync(`/proc/${said.child.pid}/fdinfo/${fd}`, 'utf8') && statSync(join(fds, fd)).ino;
    } catch {
      return 0; // closed meanwhile
    }
  });
  assert.ok(!open.includes(statSync(path).ino));
  await stop(said.child);
  db.close();
});

test('it goes on behind the cursor: nothing left out, nothing twice, over three runs', async () => {
  const path = fresh();
  const cursor = join(DIR, 'three-runs');
  const { send, db } = writerOf(path);
  const all: number[] = [];
  for (let run = 0; run < 3; run++) {
    const said = start(path, '--cursor-file', cursor);
    await until(() => existsSync(cursor), 'the cursor');
    if (run > 0) await until(() => told(said).length >= 7, 'what came between the runs');
    send(...Array.from({ length: 11 }, (_, i) => i));
    await until(() => told(said).length >= (run === 0 ? 11 : 18), 'what comes now');
    assert.equal(await stop(said.child, run === 1 ? 'SIGTERM' : 'SIGINT'), run === 1 ? 143 : 130);
    all.push(...told(said));
    send(...Array.from({ length: 7 }, (_, i) => i));
  }
  assert.deepEqual(
    all,
    Array.from({ length: 47 }, (_, i) => 24 + i),
  );
  assert.equal(statSync(cursor).mode & 0o777, 0o600);
  assert.deepEqual(
    readdirSync(DIR).filter(name => name.includes('~')),
    [],
  );
  db.close();
});

test('it follows the recording into a new segment, and tells what the old one got last', async () => {
  const path = fresh();
  const { send, db } = writerOf(path);
  const said = start(path, '--signal', 'USR1');
  await until(() => said.out !== '', 'it tells what was there');
  send(1);
  await until(() => told(said).length === 1, 'the first');
  // As the recorder changes segments: the old file is sealed under another name, the new one has copies of the living.
  send(2);
  const next = join(DIR, 'next.db');
  writeFixture(next);
  const fresher = new Database(next);
  fresher.pragma('foreign_keys = OFF');
  fresher.exec('DELETE FROM signal; DELETE FROM exec; DELETE FROM oom_kill; DELETE FROM coverage');
  const insert = fresher.prepare('INSERT INTO first_id ("table", id) VALUES (?, ?)');
  for (const table of [
    'boot',
    'recording',
    'coverage',
    'comm',
    'path',
    'argv',
    'cgroup',
    'process',
    'exec',
    'signal',
    'oom_kill',
  ])
    insert.run(table, db.prepare(`SELECT coalesce(max(id), 0) + 1 FROM ${table}`).pluck().get() as number);
  fresher.exec("INSERT INTO meta (key, value) VALUES ('from', 1795270700000000)");
  fresher.close();
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.pragma('journal_mode = DELETE');
  db.close();
  renameSync(path, sealedPath(path, START));
  renameSync(next, path);
  const again = writerOf(path);
  again.db.exec(
    'INSERT INTO signal (id, time, count, sig, mechanism, outcome) VALUES (26, 1795270800000000, 1, 10, 1, 0)',
  );
  again.send(4);
  await until(() => told(said).length >= 4, 'the last of the old and the first of the new');
  again.send(5);
  await until(() => told(said).length >= 5, 'more of the new');
  assert.deepEqual(told(said), [24, 25, 26, 27, 28]);
  assert.equal(await stop(said.child), 130);
  again.db.close();
});

test('a closed pipe is a success', async () => {
  const path = fresh();
  const { send, db } = writerOf(path);
  const child = spawn(
    'bash',
    ['-c', `set -o pipefail; ${process.execPath} ${MAIN} tail -f --db ${path} | head -3`],
    { stdio: 'ignore' },
  );
  const exit = new Promise(resolve => child.once('exit', resolve));
  const writing = setInterval(() => send(1), 100);
  assert.equal(await exit, 0);
  clearInterval(writing);
  db.close();
});

test('a cursor of another recording is told, and a file that is none is refused', async () => {
  const path = fresh();
  const { db } = writerOf(path);
  const cursor = join(DIR, 'foreign');
  writeCursor(cursor, {
    signal: 1e6,
    exec: 1e6,
    process: 1e6,
    oom_kill: 1e6,
    ended_us: START,
    ended: [],
    gap_us: 0,
  });
  const said = start(path, '--cursor-file', cursor);
  await until(() => said.err !== '', 'the warning');
  assert.match(said.err, /^snoopq: warning: the cursor is of another recording/);
  await stop(said.child);
  writeFileSync(cursor, '{"version":1}');
  const refused = start(path, '--cursor-file', cursor);
  assert.equal(await new Promise(resolve => refused.child.once('exit', resolve)), 2);
  assert.match(refused.err, /is no cursor file\nhint: /);
  db.close();
});

test('a cursor file takes the place of a link and is read back; nothing else is a cursor', () => {
  const target = join(DIR, 'target');
  writeFileSync(target, 'keep me');
  const link = join(DIR, 'link');
  symlinkSync(target, link);
  const cursor: Cursor = {
    signal: 1,
    exec: 2,
    process: 3,
    oom_kill: 4,
    ended_us: 5,
    ended: [6, 7],
    gap_us: 8,
  };
  writeCursor(link, cursor);
  assert.equal(readFileSync(target, 'utf8'), 'keep me');
  assert.deepEqual(readCursor(link), cursor);
  assert.equal(readCursor(join(DIR, 'absent')), undefined);
  for (const text of ['', '{}', 'null', '[]', '{"version":2}', '{"version":1,"signal":"1"}'])
    assert.equal(parseCursor(text), undefined, text);
  assert.throws(() => writeCursor(join(DIR, 'no', 'such'), cursor), /cannot write/);
});

test('the cursor of the present never goes back', () => {
  const path = fresh();
  const { db } = openRecording(path);
  const last = presentOf(db);
  const ahead = { ...last, signal: last.signal + 100, ended_us: last.ended_us + 100 };
  assert.deepEqual(
    [presentOf(db, ahead).signal, presentOf(db, ahead).ended_us],
    [ahead.signal, ahead.ended_us],
  );
  assert.deepEqual(presentOf(db, last), last);
  db.close();
});
