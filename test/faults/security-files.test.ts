/** F35, F36: nobody else reads what the recorder writes, not for an instant, and nobody leads it into another file. */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { lockHolder } from '../../recorder/lock.js';
import { cannotRecord, Lab } from '../kernel/lab.js';
import { SNOOPREC, until } from './recorder.js';

const skip = cannotRecord;
const NOBODY = 65_534;
const hasStrace = spawnSync('strace', ['-V']).status === 0;

/** Runs a shell as nobody. */
function asNobody(script: string, ...args: string[]) {
  return spawnSync('/bin/sh', ['-c', script, 'sh', ...args], { uid: NOBODY, gid: NOBODY, encoding: 'utf8' });
}

test('F35: every file is closed to others while it records and after, and nobody can read one', {
  skip,
}, t => {
  const lab = Lab.open(t);
  chmodSync(lab.directory, 0o755);
  const db = join(lab.directory, 'own', 'lab.db');
  const start = lab.snooprec('start', '--cgroup', lab.cgroup, '--db', db);
  assert.equal(start.status, 0, start.stderr);
  assert.equal(statSync(join(lab.directory, 'own')).mode & 0o777, 0o750);
  const check = () => {
    for (const name of readdirSync(join(lab.directory, 'own'))) {
      const path = join(lab.directory, 'own', name);
      assert.equal(statSync(path).mode & 0o777, 0o600, name);
      assert.notEqual(asNobody('cat "$1"', path).status, 0, name);
    }
  };
  check();
  lab.inside('/bin/true');
  assert.ok(readdirSync(join(lab.directory, 'own')).includes('lab.db-wal'));
  assert.equal(lab.snooprec('stop', '--db', db).status, 0);
  check();
});

test('F35: no file is made readable for others, even for an instant: seen by strace from the first system call to the last', {
  skip: skip || (hasStrace ? false : 'needs strace'),
}, async t => {
  const lab = Lab.open(t);
  const trace = join(lab.directory, 'trace');
  const db = join(lab.directory, 'own', 'lab.db');
  const calls = 'open,openat,creat,mkdir,mkdirat,chmod,fchmod,fchmodat,umask';
  const args = ['-f', '-qq', '-e', `trace=${calls}`, '-o', trace, process.execPath, SNOOPREC];
  const command = [...args, 'start', '--cgroup', lab.cgroup, '--db', db];
  const traced = spawn('strace', command, { stdio: 'ignore' }); // ends with the recorder, not with the start
  t.after(() => traced.kill('SIGKILL'));
  await until('it records', () => lockHolder(db)?.ready === true, 20_000);
  lab.inside('/bin/true');
  assert.equal(lab.snooprec('stop', '--db', db).status, 0);
  await until('strace ends', () => traced.exitCode !== null);
  const made = readFileSync(trace, 'utf8')
    .split('\n')
    .filter(line => line.includes(join(lab.directory, 'own')) || /fchmod\(/.test(line))
    .filter(line => /O_CREAT|creat\(|mkdir|chmod/.test(line) && !line.includes(' = -1'));
  const seen = new Set<string>();
  let umask = 0o022;
  for (const line of readFileSync(trace, 'utf8').split('\n')) {
    umask = Number.parseInt(/umask\((0\d+)\)/.exec(line)?.[1] ?? umask.toString(8), 8);
    if (!made.includes(line)) continue;
    const [, path = line, mode = '0777'] =
      /"([^"]*)".*, (0\d+)\)? /.exec(line) ?? /(\d+), (0\d+)\) /.exec(line) ?? [];
    const isNew = !seen.has(path);
    seen.add(path);
    const closed = /mkdir|chmod\(".*own"/.test(line) ? 0o027 : 0o077;
    assert.equal(Number.parseInt(mode, 8) & ~(isNew ? 0 : umask) & closed, 0, line);
  }
  for (const name of ['lab.db', 'lab.db-wal', 'lab.db-shm', 'lab.log', 'lab.key'])
    assert.ok(seen.has(join(lab.directory, 'own', name)), `${name} was seen to be made`);
});

/** Starts in the laboratory on `db`, which must be refused with these words, and leave `victim` as it was. */
function refused(
  lab: Lab,
  db: string,
  words: RegExp,
  victim: string,
  before = readFileSync(victim, 'utf8'),
): void {
  const start = lab.snooprec('start', '--cgroup', lab.cgroup, '--db', db);
  assert.equal(start.status, 1, `${db}: ${start.stderr}${start.stdout}`);
  assert.match(start.stderr, words);
  assert.equal(readFileSync(victim, 'utf8'), before, 'the victim is untouched');
}

test('F36: links that nobody planted in a sticky directory are refused before SQLite opens anything', {
  skip,
}, t => {
  const lab = Lab.open(t);
  chmodSync(lab.directory, 0o755);
  const at = (...parts: string[]) => join(lab.directory, ...parts);
  const victim = at('victim');
  writeFileSync(victim, 'precious', { mode: 0o644 });
  mkdirSync(at('sticky'));
  chmodSync(at('sticky'), 0o1777);
  for (const name of ['link.db', 'wal.db-wal', 'shm.db-shm', 'log.log']) {
    assert.equal(asNobody('ln -s "$1" "$2"', victim, at('sticky', name)).status, 0);
  }
  // The directory is everybody's, so a link could come at any time: it is refused whatever is in it.
  for (const name of ['link.db', 'wal.db', 'shm.db', 'log.db', 'fresh.db'])
    refused(lab, at('sticky', name), /is a symbolic link|can be written by others/, victim);
  assert.ok(!existsSync(at('sticky', 'fresh.db')), 'nothing was made');

  // A directory that is a link of nobody, one that belongs to nobody, and one in a directory that others may rename in.
  assert.equal(asNobody('ln -s "$1" "$2"', at('own'), at('sticky', 'way')).status, 0);
  mkdirSync(at('own'));
  refused(lab, at('sticky', 'way', 'new.db'), /is a symbolic link of another user/, victim);
  mkdirSync(at('theirs'));
  chownSync(at('theirs'), NOBODY, NOBODY);
  refused(lab, at('theirs', 'new.db'), /theirs belongs to user 65534/, victim);
  refused(lab, at('theirs', 'deeper', 'new.db'), /theirs belongs to user 65534/, victim);
  mkdirSync(at('open', 'inner'), { recursive: true });
  chmodSync(at('open'), 0o777);
  refused(lab, at('open', 'inner', 'new.db'), /open can be written by others/, victim);
  assert.deepEqual(
    [readdirSync(at('own')), readdirSync(at('theirs')), readdirSync(at('open', 'inner'))],
    [[], [], []],
  );
});

test('F36: files in a good directory that are links, of others, or open to others are refused', {
  skip,
}, t => {
  const lab = Lab.open(t);
  const at = (name: string) => join(lab.directory, name);
  writeFileSync(at('victim'), '');
  for (const suffix of ['', '-wal', '-shm', '-journal']) {
    symlinkSync(at('victim'), at(`soft.db${suffix}`));
    refused(lab, at('soft.db'), /is a symbolic link/, at('victim'));
    spawnSync('rm', [at(`soft.db${suffix}`)]);
    linkSync(at('victim'), at(`hard.db${suffix}`));
    refused(lab, at('hard.db'), /is a hard link/, at('victim'));
    spawnSync('rm', [at(`hard.db${suffix}`)]);
  }
  writeFileSync(at('theirs.db'), '');
  chownSync(at('theirs.db'), NOBODY, NOBODY);
  refused(lab, at('theirs.db'), /belongs to user 65534/, at('victim'));
  writeFileSync(at('open.db'), '');
  chmodSync(at('open.db'), 0o666);
  refused(lab, at('open.db'), /can be written by others/, at('victim'));
  symlinkSync(at('victim'), at('log.log'));
  refused(lab, at('log.db'), /log\.log is a symbolic link/, at('victim'));
  symlinkSync(at('victim'), at('key.key'));
  refused(lab, at('key.db'), /key\.key is a symbolic link/, at('victim'));
});

test("F36: a link of root's own on the way is followed, for the way behind it is looked at too", {
  skip,
}, t => {
  const lab = Lab.open(t);
  const at = (...parts: string[]) => join(lab.directory, ...parts);
  mkdirSync(at('disk'));
  symlinkSync(at('disk'), at('way'));
  const db = at('way', 'lab.db');
  const start = lab.snooprec('start', '--cgroup', lab.cgroup, '--db', db);
  assert.equal(start.status, 0, start.stderr);
  assert.equal(lab.snooprec('stop', '--db', db).status, 0);
  assert.ok(existsSync(at('disk', 'lab.db')));
  chmodSync(at('disk'), 0o777);
  refused(lab, db, /disk can be written by others/, SNOOPREC);
});
