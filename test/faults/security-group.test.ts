/** `--group`: its members read what is sealed, and nothing else; nobody else reads anything. */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PACKAGE_ROOT } from '../../migrations/database.js';
import { lockHolder } from '../../recorder/lock.js';
import { CAPABILITIES } from '../../recorder/service-unit.js';
import { cannotRecord, Lab } from '../kernel/lab.js';
import { READERS, SERVICE, withReaders, withServiceUser } from './accounts.js';
import { FIRST, SNOOPREC, until } from './recorder.js';

const SNOOPQ = join(PACKAGE_ROOT, 'dist', 'bin', 'snoopq.js');
const ANN = 64_997;
const hasSetpriv = spawnSync('setpriv', ['--version']).status === 0;
const skip = cannotRecord || (hasSetpriv ? false : 'needs setpriv');
const SIZE = '16M'; // and so a new segment every 2 MiB

/** Runs a command as a user who is a member of the readers, or of nothing. */
function asAnn(isMember: boolean, file: string, ...args: string[]) {
  const groups = isMember ? [`--groups=${READERS.gid}`] : ['--clear-groups'];
  return spawnSync('setpriv', [`--reuid=${ANN}`, `--regid=${ANN}`, ...groups, file, ...args], {
    encoding: 'utf8',
    cwd: '/',
  });
}

const modeOf = (path: string): number => statSync(path).mode & 0o7777;
const sealedIn = (own: string): string[] => readdirSync(own).filter(name => /-\d{8}T\d+Z\.db$/.test(name));

/** Distinct signals until a segment is full. By the newest name, for their number stays when the oldest is dropped. */
async function fill(lab: Lab, own: string): Promise<void> {
  const newest = () => sealedIn(own).sort().at(-1);
  const before = newest();
  for (let round = 0; round < 12 && newest() === before; round++)
    lab.inside('sequence', String(FIRST + round * 50_000), '50000', '50000');
  await until('a segment is sealed', () => newest() !== before, 20_000);
}

/** Until the recorder has stored all that it was sent: it may be in the midst of the next segment. */
async function settled(lab: Lab, db: string): Promise<void> {
  const events = () =>
    (JSON.parse(lab.snooprec('status', '--json', '--db', db).stdout) as { events: number }).events;
  let before: number;
  do {
    before = events();
    await sleep(1_000);
  } while (events() !== before);
}

/** What members and others find in a recording of which something is sealed. */
function assertShared(own: string, db: string, owner: number): void {
  assert.deepEqual([modeOf(own), statSync(own).gid], [0o750, READERS.gid]);
  for (const name of readdirSync(own)) {
    const path = join(own, name);
    const isSealed = sealedIn(own).includes(name) || name === 'lab-kept.db';
    assert.deepEqual([modeOf(path), statSync(path).uid], [isSealed ? 0o640 : 0o600, owner], name);
    if (isSealed) assert.equal(statSync(path).gid, READERS.gid, name);
    assert.equal(asAnn(true, 'head', '-c1', path).status === 0, isSealed, name);
    assert.notEqual(asAnn(false, 'head', '-c1', path).status, 0, name);
  }
  const asked = [process.execPath, SNOOPQ, 'exits', '--json', '--db', db] as const;
  const member = asAnn(true, ...asked);
  assert.equal(member.status, 0, member.stderr);
  assert.ok((JSON.parse(member.stdout) as { comm: string }[]).some(({ comm }) => comm === 'true'));
  const live = /warning: segment skipped: \S+lab\.db may not be read by this user, for it is not sealed yet/g;
  assert.equal(member.stderr.match(live)?.length, 1, member.stderr);
  const stranger = asAnn(false, ...asked);
  assert.deepEqual([stranger.status, stranger.stdout], [3, ''], stranger.stderr);
}

/** The laboratory stops the recorder of its own database only, and this one is another. */
async function thenStop(lab: Lab, db: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } finally {
    assert.equal(lab.snooprec('stop', '--db', db).status, 0);
  }
}

test('members of the group read sealed segments from the first instant, and never the live one; others nothing', {
  skip,
}, async t => {
  const lab = Lab.open(t);
  chmodSync(lab.directory, 0o755);
  withReaders(t);
  const own = join(lab.directory, 'own');
  const db = join(own, 'lab.db');
  const start = (...options: string[]) =>
    lab.snooprec('start', '--cgroup', lab.cgroup, '--max-size', SIZE, '--db', db, ...options);
  const started = start('--group', READERS.name);
  assert.equal(started.status, 0, started.stderr);
  await thenStop(lab, db, async () => {
    lab.inside('/bin/true');
    await fill(lab, own);
    await settled(lab, db);
    assertShared(own, db, 0);

    // What was dropped is kept in a file of its own, which they may read, too.
    for (let round = 0; !readdirSync(own).includes('lab-kept.db') && round < 12; round++)
      await fill(lab, own);
    await until('something was kept', () => readdirSync(own).includes('lab-kept.db'));
    await until('it is open to the group', () => modeOf(join(own, 'lab-kept.db')) === 0o640);
  });
  assert.equal(modeOf(db), 0o600, 'a file that the next start writes on stays closed');

  // Without the group the next start closes what is there.
  assert.equal(start().status, 0);
  const files = () => [...sealedIn(own), 'lab-kept.db'].map(name => join(own, name));
  await thenStop(lab, db, () => until('all is closed', () => files().every(path => modeOf(path) === 0o600)));
});

test('the user snooprec shares as root does, with the capabilities of the unit and none in the end', {
  skip,
}, async t => {
  const lab = Lab.open(t);
  chmodSync(lab.directory, 0o755);
  withServiceUser(t);
  withReaders(t);
  const own = join(lab.directory, 'own');
  const db = join(own, 'lab.db');
  const config = join(lab.directory, 'snooprec.toml');
  writeFileSync(config, `db = "${db}"\ngroup = "${READERS.name}"\nmax-size = "${SIZE}"\n`);
  const only = CAPABILITIES.map(name => `+${name.slice('CAP_'.length).toLowerCase()}`).join(',');
  const recorder = spawn(
    'setpriv',
    [
      `--bounding-set=-all,${only}`,
      '--no-new-privs',
      process.execPath,
      SNOOPREC,
      'start',
      '--foreground',
    ].concat(['--config', config, '--cgroup', lab.cgroup]),
    { stdio: 'ignore', env: { ...process.env, UV_USE_IO_URING: '0' } },
  );
  t.after(() => recorder.kill('SIGKILL'));
  await until('it records', () => lockHolder(db)?.ready === true, 20_000);
  await thenStop(lab, db, async () => {
    lab.inside('/bin/true');
    await fill(lab, own);
    await settled(lab, db);
    assertShared(own, db, SERVICE);
    const status = readFileSync(`/proc/${recorder.pid}/status`, 'latin1');
    assert.match(status, /^CapEff:\t0+$/m);
    assert.match(status, new RegExp(`^Groups:\\t${READERS.gid} $`, 'm'));
  });
});

test('a group that is not there, or cannot enter the directory, is refused before anything is made', {
  skip,
}, t => {
  const lab = Lab.open(t);
  withReaders(t);
  const refused = (db: string, group: string, status: number, words: RegExp) => {
    const start = lab.snooprec('start', '--cgroup', lab.cgroup, '--db', db, '--group', group);
    assert.equal(start.status, status, start.stderr);
    assert.match(start.stderr, words);
  };
  chmodSync(lab.directory, 0o755);
  refused(join(lab.directory, 'own', 'lab.db'), 'nosuchgroup', 2, /there is no group nosuchgroup/);
  mkdirSync(join(lab.directory, 'closed'), { mode: 0o700 });
  const closed = join(lab.directory, 'closed', 'lab.db');
  refused(closed, READERS.name, 1, /group snoopreaders cannot read .*closed[\s\S]*chgrp snoopreaders/);
  assert.deepEqual(readdirSync(join(lab.directory, 'closed')), []);
  chmodSync(lab.directory, 0o700);
  refused(join(lab.directory, 'own', 'lab.db'), READERS.name, 1, /cannot enter/);
  assert.ok(!readdirSync(lab.directory).includes('own'), 'what was made is removed again');
});
