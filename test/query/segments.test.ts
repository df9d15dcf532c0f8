/** A recording in segments: what is there, what is missing, and what it costs. The goldens are asked of segments too. */

import assert from 'node:assert/strict';
import {
  copyFileSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { migrate, viewsSql } from '../../migrations/migrate.js';
import { GROWING } from '../../migrations/tables.js';
import { idRange } from '../../query/id-range.js';
import { openRecording } from '../../query/segments.js';
import { JOINING, SINGLE } from '../../query/union.js';
import { at, PID, SECOND, START, writeFixture } from './fixture.js';
import { ask } from './io.js';
import { scansOf } from './plan.js';
import { scratchDirectory } from './scratch.js';
import { BOUNDARIES, MANY_BOUNDARIES, sealedPath, split } from './split.js';

process.env.TZ = 'UTC';
const DIR = scratchDirectory();
const WHOLE = join(DIR, 'whole.db');
writeFixture(WHOLE);
let recordings = 0;

/** A fresh recording in segments: the path of the live one, and those of the sealed ones, oldest first. */
function segmented(boundaries: readonly number[] = BOUNDARIES): [live: string, ...sealed: string[]] {
  const live = split(WHOLE, join(DIR, `r${recordings++}.db`), boundaries);
  return [live, ...[START, ...boundaries.slice(0, -1)].map(from => sealedPath(live, from))];
}

async function json(db: string, ...words: string[]) {
  const said = await ask(db, [...words, '--json']);
  return { ...said, value: said.out === '' ? null : JSON.parse(said.out) };
}

/** Puts rubbish over the pages in the middle of a file, where opening it does not look. */
function damageInside(path: string): void {
  const { size } = statSync(path);
  const file = openSync(path, 'r+');
  for (let page = 4096 * 4; page < size; page += 4096)
    writeSync(file, Buffer.alloc(4096, 0x5a), 0, 4096, page);
}

test('every table either grows over the segments or is in each of them', () => {
  const db = new Database(':memory:');
  migrate(db);
  const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").pluck().all() as string[];
  assert.deepEqual([...GROWING, ...SINGLE].sort(), tables.sort());
});

test('a view that joins growing tables to its rows is made within each segment', () => {
  for (const [, name = '', sql = ''] of viewsSql().matchAll(/^CREATE VIEW (\w+) AS([\s\S]*?;)$/gm)) {
    const joined = [...sql.matchAll(/LEFT JOIN (\w+)/g)].filter(match => GROWING.includes(match[1] ?? ''));
    assert.ok(joined.length === 0 || name in JOINING, name);
  }
});

test('the view kills finds a pid through an index in each of ten segments', () => {
  const { db } = openRecording(segmented(MANY_BOUNDARIES)[0]);
  assert.deepEqual(scansOf(db, 'SELECT * FROM kills WHERE pid = :pid'), []);
  db.close();
});

test('rows of a span come from the segments that overlap it', () => {
  const [live] = segmented();
  const armsOf = (window: { from: number | null; to: number | null }): string[] => {
    const { db } = openRecording(live, { window });
    const sql = db
      .prepare("SELECT sql FROM sqlite_temp_master WHERE name = 'signals'")
      .pluck()
      .get() as string;
    db.close();
    return [...sql.matchAll(/FROM (\w+)_signals/g)].map(match => match[1] ?? '');
  };
  assert.deepEqual(armsOf({ from: null, to: null }), ['s0', 's1', 'main']);
  assert.deepEqual(armsOf({ from: at(700), to: null }), ['main']);
  assert.deepEqual(armsOf({ from: null, to: at(50) }), ['s0']);
  assert.deepEqual(armsOf({ from: at(200), to: at(300) }), ['s1']);
  assert.deepEqual(armsOf({ from: at(115), to: at(620) }), ['s0', 's1', 'main'], 'near an edge: both');
});

const UNREADABLE: Record<string, [(path: string) => void, RegExp]> = {
  'cut short': [path => truncateSync(path, 20_000), /is damaged/],
  'damaged inside': [damageInside, /is damaged/],
  'no database': [
    path => writeFileSync(path, 'not a database at all '.repeat(50)),
    /is not a snooprec database/,
  ],
  empty: [path => writeFileSync(path, ''), /is not a snooprec database/],
  'of a newer schema that this version would misread': [
    path =>
      void new Database(path)
        .exec("PRAGMA user_version = 99; INSERT INTO meta VALUES ('reader', '99')")
        .close(),
    /has schema 99/,
  ],
  forged: [path => void new Database(path).exec('CREATE VIEW trap AS SELECT 1').close(), /holds 'trap'/],
  'of other tables': [
    path => void new Database(path).exec('ALTER TABLE signal RENAME COLUMN syscall TO number').close(),
    /table signal/,
  ],
};

for (const [what, [spoil, message]] of Object.entries(UNREADABLE)) {
  test(`a segment that is ${what} is skipped, named, and a gap`, async () => {
    const [live, , middle = ''] = segmented();
    spoil(middle);
    const list = await json(live, 'signals');
    assert.match(list.err, message);
    assert.equal(list.err.split('\n').filter(line => line.includes(middle)).length, 1, list.err);
    assert.match(list.err, /^snoopq: warning: segment skipped: /);
    assert.match(list.err, /records were lost uncounted/);
    assert.deepEqual(
      list.value.filter(
        (row: { time_us: number }) =>
          row.time_us > (BOUNDARIES[0] ?? 0) && row.time_us < (BOUNDARIES[1] ?? 0),
      ),
      [],
    );
    assert.equal(list.status, 0);

    const before = await json(live, 'who-killed', String(PID.sleep));
    assert.equal(before.value.confidence, 'proven', 'it died before');
    const near = await json(live, 'who-killed', String(PID.pending));
    assert.equal(near.value.verdict, 'killed');
    assert.equal(near.value.confidence, 'incomplete', 'its cause is in the gap');
    const strict = await ask(live, [
      'execs',
      '--strict',
      '--since',
      '2026-11-21 14:05',
      '--until',
      '2026-11-21 14:06',
    ]);
    assert.equal(strict.status, 4);
    const ledger = await json(live, 'coverage');
    const gap = ledger.value.find((row: { kind: string }) => row.kind === 'shed');
    assert.deepEqual(
      [gap?.from_us, gap?.to_us],
      BOUNDARIES.map(us => Math.floor(us / 1000) * 1000).with(1, BOUNDARIES[1] ?? 0),
    );
  });
}

test('a live segment that is gone or damaged leaves the sealed ones to answer', async () => {
  for (const spoil of [rmSync, (path: string) => truncateSync(path, 20_000)]) {
    const [live] = segmented();
    spoil(live);
    const said = await json(live, 'who-killed', String(PID.sleep));
    assert.equal(said.value.confidence, 'proven');
    assert.match(said.err, /^snoopq: warning: segment skipped: .*\n$/);
    assert.equal((await ask(live, ['who-killed', '--all', String(PID.reused), '--plain'])).status, 0);
  }
});

test('where older segments are gone, the recording says from when it reaches back', async () => {
  const [live, oldest = ''] = segmented();
  rmSync(oldest);
  const ledger = await json(live, 'coverage');
  const dropped = ledger.value.find((row: { kind: string }) => row.kind === 'dropped');
  assert.equal(dropped?.from_us, START);
  assert.equal(dropped?.to_time, '2026-11-21T14:01:50.000000Z');
  assert.equal(ledger.err, '');

  const never = await json(live, 'who-killed', '9');
  assert.match(
    never.value.explanation,
    /between 2026-11-21 14:01:50Z and .*Older segments of the recording are gone/,
  );
  const list = await json(live, 'signals');
  assert.doesNotMatch(list.err, /older/, 'only who asks for them is told');
  const asked = await ask(live, ['signals', '--since', '2026-11-21 14:00', '--plain', '--strict']);
  assert.match(asked.err, /older segments are gone/);
  assert.equal(asked.status, 4);
  const late = await json(live, 'who-killed', String(PID.groupDies));
  assert.equal(late.value.verdict, 'killed');
  assert.match(late.value.explanation, /Incomplete: the segment .* is gone|Incomplete: /);
  assert.equal((await json(live, 'who-killed', String(PID.segv))).value.confidence, 'proven');
  const alone = await json(live.replace(/\.db$/, '.db'), 'ancestry', String(PID.running));
  assert.equal(alone.value[1].comm, 'systemd');
});

test('a live segment alone says so too', async () => {
  const [live, ...sealed] = segmented();
  for (const path of sealed) rmSync(path);
  const [first] = (await json(live, 'coverage')).value;
  assert.equal(first.kind, 'dropped');
  assert.equal(first.to_us, BOUNDARIES[1]);
  assert.equal((await json(live, 'signals')).value.length, 1);
});

test('what was kept of a dropped segment counts as the oldest, once', async () => {
  const [live, oldest = ''] = segmented();
  const kept = live.replace(/\.db$/, '-kept.db');
  const golden = (await json(live, 'who-killed', String(PID.sleep))).value;
  copyFileSync(oldest, kept);
  // Between the two steps of the recorder both are there.
  assert.deepEqual((await json(live, 'signals')).value.length, 23);
  assert.deepEqual((await json(live, 'sql', 'SELECT count(*) AS n FROM processes')).value, [{ n: 31 }]);
  rmSync(oldest);
  const verdict = (await json(live, 'who-killed', String(PID.sleep))).value;
  assert.deepEqual(verdict, golden);
  assert.match((await ask(live, ['coverage', '--plain'])).out, /^dropped\t2026-11-21 14:00:00/m);
});

test('more segments than can be attached: the newest answer, and it is said', async () => {
  const many = Array.from({ length: 12 }, (_, i) => at(100 + i * 40));
  const [live] = segmented(many);
  const said = await json(live, 'signals');
  assert.match(said.err, /^snoopq: warning: the 2 oldest segments were not read/);
  assert.equal((await json(live, 'who-killed', String(PID.pending))).value.confidence, 'proven');
  assert.equal((await json(live, 'coverage')).value[0].kind, 'dropped');
});

test('sealed segments and a live one that is being written are one recording', async () => {
  const [live, oldest = ''] = segmented();
  const writer = new Database(live);
  after(() => writer.close());
  writer.pragma('journal_mode = WAL');
  writer.prepare('UPDATE process SET ended = ?, status = 9 WHERE pid = ?').run(at(1210), PID.running);
  writer
    .prepare(
      'INSERT INTO signal (time, count, sig, code, sender, target, mechanism, outcome, disposition) SELECT ?, 1, 9, 0, 3, id, 1, 0, 0 FROM process WHERE pid = ?',
    )
    .run(at(1209.9), PID.running);
  const { value } = await json(live, 'who-killed', String(PID.running));
  assert.deepEqual([value.verdict, value.killer.pid, value.ancestry[0].comm], ['killed', PID.bash, 'sshd']);
  assert.equal((await json(live, 'exits', '--since', '2026-11-21 14:20')).value.length, 1);

  // A sealed one whose reader left its log mode behind is read from an image, and nothing appears beside it.
  const quiet = new Database(oldest);
  quiet.pragma('journal_mode = WAL');
  quiet.close();
  assert.equal((await json(live, 'who-killed', String(PID.sleep))).value.confidence, 'proven');
  assert.equal(statSync(`${oldest}-wal`, { throwIfNoEntry: false }), undefined);
});

test('names that do not sort, after the clock was set back, do no harm', async () => {
  const [live, oldest = ''] = segmented();
  const before = (await json(live, 'signals')).value;
  renameSync(oldest, sealedPath(live, at(5000)));
  assert.deepEqual((await json(live, 'signals')).value, before);
});

test('an ancestor is shown as it was when it forked the next', async () => {
  const path = join(DIR, 'forked.db');
  copyFileSync(WHOLE, path);
  const db = new Database(path);
  // The wrapper ran another file after it had forked.
  db.exec(`INSERT INTO comm (comm) VALUES ('later');
    UPDATE process SET comm = (SELECT max(id) FROM comm), argv = NULL, exe = NULL WHERE pid = ${PID.wrapper}`);
  db.close();
  const [, parent] = (await json(path, 'ancestry', String(PID.wrapped))).value;
  assert.deepEqual([parent.comm, parent.exe, parent.cmdline], ['sh', '/usr/bin/dash', "sh -c 'sleep 99'"]);
});

test('a range of ids holds every row of its span, though times are only nearly in order', () => {
  const db = new Database(':memory:');
  migrate(db);
  db.pragma('foreign_keys = OFF');
  const insert = db.prepare(
    'INSERT INTO signal (id, time, count, sig, mechanism, outcome) VALUES (?, ?, 1, 9, 1, 0)',
  );
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(
          fc.integer({ min: 1, max: 3 }),
          fc.integer({ min: 0, max: 30 }),
          fc.integer({ min: -4, max: 4 }),
        ),
      ),
      fc.option(fc.integer({ min: 0, max: 600 })),
      fc.option(fc.integer({ min: 0, max: 600 })),
      (rows, from, to) => {
        db.exec('DELETE FROM signal');
        let id = 0;
        let time = 0;
        for (const [skip, pause, jitter] of rows) {
          id += skip;
          time += pause;
          insert.run(id, START + (time + jitter) * SECOND);
        }
        const us = (seconds: number | null) => (seconds === null ? null : START + seconds * SECOND);
        const { first_id, last_id } = idRange(db, 'signal', { from: us(from), to: us(to) });
        const outside = db
          .prepare(
            'SELECT count(*) FROM signal WHERE (id < ? OR id > ?) AND time >= coalesce(?, 0) AND time <= coalesce(?, 9e18)',
          )
          .pluck()
          .get(first_id, last_id, us(from), us(to));
        assert.equal(outside, 0);
      },
    ),
  );
});

test('a range of ids leaves out what is far away, unless the clock was set back', () => {
  const path = join(DIR, 'range.db');
  copyFileSync(WHOLE, path);
  const db = new Database(path);
  const window = { from: at(600), to: at(700) };
  const range = idRange(db, 'signal', window);
  assert.deepEqual(range, { first_id: 18, last_id: 22 });
  db.prepare(
    "INSERT INTO coverage (recording, from_time, to_time, kind, count, cause) VALUES (2, ?, ?, 'clock', ?, 'set back')",
  ).run(at(1100), at(1100), -7200 * SECOND);
  assert.deepEqual(idRange(db, 'signal', window), { first_id: 0, last_id: 23 });
  db.close();
});

test('a segment of an older schema is read with the others: what it does not know is NULL', async () => {
  const [live, oldest] = segmented() as [string, string];
  const whole = await json(live, 'signals', '--limit', '0');
  const file = new Database(oldest);
  for (const view of file.prepare("SELECT name FROM sqlite_master WHERE type = 'view'").pluck().all())
    file.exec(`DROP VIEW ${view}`);
  file.exec('ALTER TABLE signal DROP COLUMN syscall; DROP TABLE uid_syscalls; PRAGMA user_version = 1');
  file.close();
  const asked = await json(live, 'signals', '--limit', '0');
  assert.equal(asked.err, whole.err);
  assert.equal(asked.value.length, whole.value.length);
  const { db } = openRecording(oldest);
  const known = db
    .prepare('SELECT count(*) AS n, count(syscall) AS known, max(signal) AS name FROM signals')
    .get();
  assert.deepEqual({ ...(known as object) }, { n: statementCount(oldest), known: 0, name: 'SIGTERM' });
  db.close();
});

function statementCount(path: string): number {
  const db = new Database(path, { readonly: true });
  const n = db.prepare('SELECT count(*) FROM signal').pluck().get() as number;
  db.close();
  return n;
}
