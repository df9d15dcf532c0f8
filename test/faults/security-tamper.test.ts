/** F46: what is changed in a recording afterwards shows, and where. */

import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import Database from 'better-sqlite3';
import { sealedNames } from '../../migrations/segment-names.js';
import { verify } from '../../recorder/verify.js';
import { cannotRecord, Lab } from '../kernel/lab.js';
import { FIRST, murder, recorderPid, until } from './recorder.js';

const skip = cannotRecord;

const filesOf = (db: string) => [...sealedNames(db).map(file => file.path), db];
const wrongOf = (db: string) =>
  verify(filesOf(db))
    .findings.filter(({ isWrong }) => isWrong)
    .map(({ file, text }) => `${file}: ${text}`);

/** A recording of two runs, the first one killed, over two segments at least; the tests change copies of it. */
let lab: Lab;
let head = '';
let early = '';
const hooks: (() => unknown)[] = [];

before(async () => {
  if (skip) return;
  lab = Lab.open({ after: (hook: () => unknown) => hooks.push(hook) } as never);
  lab.record('--max-size', '16M');
  for (let round = 0; round < 12 && sealedNames(lab.db).length < 1; round++)
    lab.inside('sequence', String(FIRST + round * 50_000), '50000', '50000');
  await until('a segment is sealed', () => sealedNames(lab.db).length > 0, 20_000);
  await murder(recorderPid(lab));
  lab.inside('/bin/true', 'one', 'two');
  lab.record('--max-size', '16M');
  assert.deepEqual(wrongOf(lab.db), [], 'while it records');
  lab.inside('/bin/false', 'three');
  lab.stop();
  early = join(lab.directory, 'early');
  mkdirSync(early);
  for (const file of filesOf(lab.db)) copyFileSync(file, join(early, basename(file)));
  lab.record('--max-size', '16M');
  lab.inside('/bin/echo', 'last');
  lab.stop();
  head = verify(filesOf(lab.db)).head as string;
});

after(async () => {
  for (const hook of hooks) await hook();
});

/** A copy of the recording, in a directory of its own. */
function copy(): string {
  const directory = join(
    lab.directory,
    `copy-${readdirSync(lab.directory).length}-${Math.floor(performance.now())}`,
  );
  mkdirSync(directory);
  for (const file of filesOf(lab.db)) copyFileSync(file, join(directory, basename(file)));
  return join(directory, basename(lab.db));
}

function change(file: string, sql: string): void {
  const db = new Database(file);
  db.pragma('foreign_keys = OFF');
  const before = db.prepare('SELECT total_changes()').pluck().get() as number;
  db.exec(sql);
  assert.ok((db.prepare('SELECT total_changes()').pluck().get() as number) > before, sql);
  db.close();
}

test('a recording that nobody touched is whole: live, killed, taken over, sealed and stopped', {
  skip,
}, () => {
  const { findings, links, rows } = verify(filesOf(lab.db));
  assert.deepEqual(findings, []);
  assert.ok(links > 10 && rows > 10_000, `${links} links, ${rows} rows`);
  const told = lab.snooprec('verify', '--db', lab.db, '--head', head);
  assert.equal(told.status, 0, told.stdout);
  assert.ok(told.stdout.includes(head));
});

/** What is changed in the live segment, and what is told of it. */
const CHANGES: [what: string, sql: string, words: RegExp][] = [
  [
    'an edited signal',
    'UPDATE signal SET sender = 1 WHERE id = (SELECT max(id) FROM signal)',
    /signal \d+ to \d+/,
  ],
  ['a deleted exec', 'DELETE FROM exec WHERE id = (SELECT max(id) FROM exec)', /exec \d+ to \d+/],
  [
    'a deleted exec of a batch in the middle',
    'DELETE FROM exec WHERE id = (SELECT id FROM exec ORDER BY id LIMIT 1 OFFSET 2)',
    /exec \d+ to \d+/,
  ],
  [
    'an edited argument',
    "UPDATE argv SET args = replace(args, 'three', 'tree') WHERE args LIKE '%three%'",
    /argv \d+ to \d+/,
  ],
  [
    'an edited name',
    "UPDATE comm SET comm = 'innocent' WHERE id = (SELECT max(id) FROM comm)",
    /comm \d+ to \d+/,
  ],
  [
    'an added signal',
    'CREATE TEMP TABLE one AS SELECT * FROM signal ORDER BY id DESC LIMIT 1; UPDATE one SET id = id + 1; INSERT INTO signal SELECT * FROM one',
    /1 rows of signal were added/,
  ],
  [
    'two exchanged execs',
    'UPDATE exec SET id = CASE id WHEN (SELECT max(id) FROM exec) THEN -1 ELSE id END WHERE id = (SELECT max(id) FROM exec)',
    /exec \d+ to \d+|rows of exec were added/,
  ],
  ['a gap taken from the ledger', 'DELETE FROM coverage', /coverage \d+ to \d+/],
  [
    'an edited process',
    'UPDATE process SET uid = 12345 WHERE id = (SELECT max(id) FROM process)',
    /rows of process were edited/,
  ],
  [
    'an invented process',
    "INSERT INTO process (id, boot, pid, start_ns, started, origin) VALUES (999999, 1, 7, 7, 7, 'fork')",
    /rows of process were edited/,
  ],
  ['an edited run', "UPDATE recording SET lost = 0, host = 'elsewhere'", /rows of recording were edited/],
  [
    'a removed link',
    'DELETE FROM chain WHERE id = (SELECT max(id) - 2 FROM chain)',
    /links \d+ to \d+ are missing/,
  ],
  [
    'an edited link',
    'UPDATE chain SET time = time + 1 WHERE id = (SELECT max(id) - 1 FROM chain)',
    /link \d+ .* was changed/,
  ],
  [
    'a forged digest',
    'UPDATE chain SET content = zeroblob(32) WHERE id = (SELECT max(id) - 1 FROM chain)',
    /link \d+ .* was changed/,
  ],
];

for (const [what, sql, words] of CHANGES) {
  test(`F46: ${what} shows, and where`, { skip }, () => {
    const db = copy();
    change(db, sql);
    assert.match(wrongOf(db).join('\n'), words);
  });
}

test('F46: a batch cut off with its link shows where the next run or the end is', { skip }, () => {
  const db = copy();
  change(db, 'DELETE FROM chain WHERE id = (SELECT max(id) FROM chain)');
  const { findings, head: found } = verify(filesOf(db));
  assert.notEqual(found, head, 'the head is another one');
  assert.ok(
    findings.some(({ text }) => /not covered since/.test(text)),
    'and there is no end',
  );
  const [sealed] = sealedNames(db);
  assert.ok(sealed);
  change(sealed.path, 'DELETE FROM chain WHERE id = (SELECT max(id) FROM chain)');
  assert.match(wrongOf(db).join('\n'), /does not go on where the segment before it ends/);
});

test('F46: an edited sealed segment, a missing one and exchanged ones show', { skip }, () => {
  const edited = copy();
  change(
    sealedNames(edited)[0]?.path as string,
    'UPDATE signal SET outcome = 0 WHERE id = (SELECT max(id) - 777 FROM signal)',
  );
  assert.match(
    wrongOf(edited).join('\n'),
    /^lab-\d{8}T\d{9}Z\.db: rows stored by .* \(link \d+\) were edited, removed or added: .*signal/,
  );
  const exchanged = copy();
  const [sealed] = sealedNames(exchanged);
  assert.ok(sealed);
  renameSync(sealed.path, `${sealed.path}.x`);
  renameSync(exchanged, sealed.path);
  renameSync(`${sealed.path}.x`, exchanged);
  assert.match(wrongOf(exchanged).join('\n'), /does not go on where the segment before it ends/);
  const missing = copy();
  rmSync(sealedNames(missing)[0]?.path as string);
  assert.ok(
    verify(filesOf(missing)).findings.some(({ text }) => /what was before it is not here/.test(text)),
  );
});

test('F46: what is changed while no recorder runs is said for ever by the next one', { skip }, () => {
  const db = copy();
  change(db, 'UPDATE process SET uid = 12345 WHERE id = (SELECT max(id) FROM process)');
  for (const command of ['start', 'stop']) {
    const { status, stderr } = lab.snooprec(
      command,
      '--db',
      db,
      ...(command === 'start' ? ['--cgroup', lab.cgroup] : []),
    );
    assert.equal(status, 0, stderr);
  }
  assert.match(wrongOf(db).join('\n'), /the table process was changed between two runs/);
});

test('F46: an old copy in the place of the recording is whole in itself, and shows by a head that was written down', {
  skip,
}, () => {
  const db = join(early, basename(lab.db));
  assert.deepEqual(wrongOf(db), []);
  const told = lab.snooprec('verify', '--db', db, '--head', head);
  assert.equal(told.status, 1);
  assert.match(told.stdout, /no link has the hash .* rolled back/);
});
