/** F20 and F29: what a start finds. Damaged files of ours are set aside, files of others are left alone, versions mix. */

import assert from 'node:assert/strict';
import {
  closeSync,
  cpSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { PACKAGE_ROOT } from '../../migrations/database.js';
import { schemaVersion } from '../../migrations/migrate.js';
import { cannotRecord, Lab } from '../kernel/lab.js';
import {
  asideOf,
  ask,
  assertWhole,
  bytesOf,
  FIRST,
  holder,
  numbersIn,
  sealedOf,
  segmentsOf,
  shedOf,
  until,
} from './storage.js';

const skip = cannotRecord;

function overwrite(path: string, from: number, bytes: number): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, Buffer.alloc(bytes, 0x5a), 0, bytes, from);
  closeSync(fd);
}

/** Records 3000 numbers, has the stopped recording damaged, and records 3000 more. */
function startedOn(lab: Lab, harm: (db: string) => void): void {
  lab.record();
  lab.inside('sequence', String(FIRST), '3000', '0');
  lab.stop();
  harm(lab.db);
  lab.record();
  lab.inside('sequence', String(FIRST + 3000), '3000', '0');
  lab.stop();
  assertWhole(segmentsOf(lab.db));
  assert.ok(numbersIn([lab.db]).has(FIRST + 5999), 'it goes on');
}

for (const [what, harm] of [
  ['whose pages are noise', db => overwrite(db, 4096, bytesOf(db) - 4096)],
  ['that was cut in half', db => truncateSync(db, (bytesOf(db) >> 13) << 12)],
] as [string, (db: string) => void][]) {
  test(`F20: a recording ${what} is set aside at the start, and the ledger says so`, { skip }, t => {
    const lab = Lab.open(t);
    startedOn(lab, harm);
    assert.deepEqual(asideOf(lab.db), ['lab.db~']);
    assert.deepEqual(shedOf(lab.db), ['the segment was set aside: it was damaged']);
    const [gap] = ask<{ from_us: number; to_us: number }>(
      lab.db,
      "SELECT * FROM coverages WHERE kind = 'shed'",
    );
    assert.ok(gap && gap.from_us < gap.to_us && gap.from_us > (Date.now() - 60_000) * 1000);
    assert.equal(lab.snoopq('coverage').status, 0);
  });
}

test('F20: so is one whose very header is noise, when sealed segments show that it was ours; ids go on', {
  skip,
}, async t => {
  const lab = Lab.open(t);
  lab.record();
  const lock = await holder(t, lab.db, "db.exec('BEGIN IMMEDIATE')");
  lab.inside('sequence', String(FIRST), '6000', '2000');
  await until('there is a sealed segment', () => sealedOf(lab.db).length > 0);
  lock.kill('SIGKILL');
  lab.stop();
  overwrite(lab.db, 0, 4096);
  lab.record();
  lab.inside('sequence', String(FIRST + 6000), '1000', '0');
  lab.stop();
  assert.deepEqual(asideOf(lab.db), ['lab.db~']);
  assertWhole(segmentsOf(lab.db));
  const [before] = ask<{ id: number }>(sealedOf(lab.db)[0] as string, 'SELECT max(id) AS id FROM signal');
  const [after] = ask<{ id: number }>(lab.db, 'SELECT min(id) AS id FROM signal');
  assert.ok((after?.id as number) > (before?.id as number), 'no id is given twice');
  assert.equal(shedOf(lab.db).length, 1);
});

test('F20: a file of somebody else is refused at the start and stays as it is', { skip }, t => {
  const lab = Lab.open(t);
  const theirs = new Database(lab.db);
  theirs.exec('CREATE TABLE moz_places (id INTEGER PRIMARY KEY, url TEXT)');
  theirs.close();
  for (const content of [readFileSync(lab.db), Buffer.from('dear diary\n'.repeat(500))]) {
    writeFileSync(lab.db, content);
    const started = lab.snooprec('start', '--cgroup', lab.cgroup);
    assert.equal(started.status, 1);
    assert.match(started.stderr, /^snooprec: [^\n]*lab\.db[^\n]*\nhint: /);
    assert.deepEqual(readFileSync(lab.db), content);
    assert.deepEqual(asideOf(lab.db), []);
  }
});

const MORE = `
  ALTER TABLE process ADD COLUMN colour TEXT;
  CREATE TABLE weather (id INTEGER PRIMARY KEY, cloudy INTEGER);
`;

/** A copy of the program of a later day, whose schema has more. */
function laterProgram(lab: Lab): string {
  const copy = join(lab.directory, 'later');
  for (const part of ['dist/bin', 'dist/snooprec.bpf.o', 'migrations', 'package.json']) {
    cpSync(join(PACKAGE_ROOT, part), join(copy, part), { recursive: true });
  }
  symlinkSync(realpathSync(join(PACKAGE_ROOT, 'node_modules')), join(copy, 'node_modules'));
  writeFileSync(join(copy, 'migrations', '0099_more.sql'), MORE);
  return copy;
}

test('F29: snoopq reads recordings of older and of newer versions; one that it could not understand it refuses with one line', {
  skip,
}, t => {
  const lab = Lab.open(t);
  const later = laterProgram(lab);
  const run = (program: string, command: string, ...args: string[]) =>
    lab.command(process.execPath, join(program, 'dist', 'bin', `${command}.js`), ...args);
  lab.record();
  const { facts } = lab.inside('/bin/sh', '-c', 'sleep 1000 & echo victim=$!; kill -9 $!; wait');
  const victim = String(facts.get('victim'));
  lab.stop();
  const asked = (program: string) => {
    const answer = run(program, 'snoopq', 'who-killed', victim, '--json');
    assert.equal(answer.status, 0, answer.stderr);
    return (JSON.parse(answer.stdout) as { verdict: string }).verdict;
  };
  assert.equal(asked(later), 'killed', 'the newer one on the older recording');
  assert.equal(
    ask<{ user_version: number }>(lab.db, 'PRAGMA user_version')[0]?.user_version,
    schemaVersion(),
    'which it did not change',
  );
  const started = run(later, 'snooprec', 'start', '--cgroup', lab.cgroup);
  assert.equal(started.status, 0, started.stderr);
  run(later, 'snooprec', 'stop');
  assert.equal(ask<{ user_version: number }>(lab.db, 'PRAGMA user_version')[0]?.user_version, 99);
  let before = readFileSync(lab.db);
  assert.equal(
    lab.whoKilled(Number(victim)).verdict,
    'killed',
    'the older one on what a newer one only added to',
  );
  const refused = lab.snooprec('start', '--cgroup', lab.cgroup);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, new RegExp(`has schema 99, this snooprec knows ${schemaVersion()}`));
  assert.deepEqual(readFileSync(lab.db), before);

  const file = new Database(lab.db);
  file.exec("INSERT INTO meta (key, value) VALUES ('reader', '99')");
  file.close();
  before = readFileSync(lab.db);
  const older = lab.snoopq('who-killed', victim);
  assert.equal(older.status, 3);
  assert.match(
    older.stderr,
    new RegExp(`^snoopq: [^\\n]* has schema 99, this snoopq knows ${schemaVersion()}\\nhint: [^\\n]+\\n$`),
  );
  assert.deepEqual(readFileSync(lab.db), before);
  assert.equal(asked(later), 'killed');
});

test('F20: an empty live file beside sealed segments is what a recorder left that died while it changed', {
  skip,
}, async t => {
  const lab = Lab.open(t);
  lab.record();
  lab.inside('sequence', String(FIRST), '1000', '0');
  lab.stop();
  renameSync(lab.db, join(lab.directory, 'lab-20260101T000000000Z.db'));
  writeFileSync(lab.db, '');
  lab.record();
  lab.inside('sequence', String(FIRST + 1000), '1000', '0');
  lab.stop();
  assert.equal(numbersIn(segmentsOf(lab.db)).size, 2000);
  assert.deepEqual(asideOf(lab.db), []);
  const [run] = ask<{ id: number }>(lab.db, 'SELECT max(id) AS id FROM recording');
  assert.equal(run?.id, 2, 'runs are numbered on');
});
