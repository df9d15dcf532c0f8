/** F42: once the probes are attached no thread of the recorder has a capability that it does not need. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { leftPins } from '../../recorder/pins.js';
import { cannotRecord, Lab } from '../kernel/lab.js';
import { SERVICE, withServiceUser } from './accounts.js';
import { assertNothingLeft, FIRST, lockFile, murder, recorderPid, SNOOPREC, until } from './recorder.js';

const skip = cannotRecord;
const BPF = 39n;
const PERFMON = 38n;

/** What the kernel says of each thread of a process. */
function threads(pid: number): Map<string, string>[] {
  return readdirSync(`/proc/${pid}/task`).map(
    thread =>
      new Map(
        readFileSync(`/proc/${pid}/task/${thread}/status`, 'latin1')
          .split('\n')
          .map(line => line.split(':\t') as [string, string]),
      ),
  );
}

test('without a user of its own the recorder stays root, with four capabilities in every thread and no way to more', {
  skip,
}, t => {
  const lab = Lab.open(t);
  lab.record();
  for (const status of threads(recorderPid(lab))) {
    assert.equal(
      BigInt(`0x${status.get('CapPrm')}`),
      (1n << BPF) | (1n << PERFMON) | (1n << 19n) | (1n << 23n),
    );
    assert.equal(status.get('CapBnd'), status.get('CapPrm'));
    assert.equal(BigInt(`0x${status.get('CapAmb')}`), 0n);
    assert.equal(status.get('NoNewPrivs'), '1');
  }
  lab.inside('/bin/true');
  lab.stop();
  assert.equal(lab.value("SELECT count(*) FROM exits WHERE comm = 'true'"), 1);
});

test('F42: with one it becomes that user, and no capability is left in any thread; it records, seals, drops and stops', {
  skip,
}, async t => {
  const lab = Lab.open(t);
  chmodSync(lab.directory, 0o755);
  withServiceUser(t);
  const db = join(lab.directory, 'own', 'lab.db');
  const run = (...args: string[]) => {
    const outcome = lab.snooprec(...args, '--db', db);
    assert.equal(outcome.status, 0, outcome.stderr);
    return outcome.stdout;
  };
  const start = () => run('start', '--cgroup', lab.cgroup, '--max-size', '16M', '--count-syscalls');
  const pidOf = () => (JSON.parse(run('status', '--json')) as { pid: number }).pid;
  start();
  for (const status of threads(pidOf())) {
    assert.equal(status.get('Uid'), [SERVICE, SERVICE, SERVICE, SERVICE].join('\t'));
    assert.equal(status.get('Gid'), [SERVICE, SERVICE, SERVICE, SERVICE].join('\t'));
    assert.equal(status.get('Groups')?.trim(), '');
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'])
      assert.equal(BigInt(`0x${status.get(set)}`), 0n, set);
    assert.equal(status.get('NoNewPrivs'), '1');
  }
  const own = join(lab.directory, 'own');
  for (const name of readdirSync(own)) assert.equal(statSync(join(own, name)).uid, SERVICE, name);

  // F48: not even a process of the same user looks into its memory, or has it dumped.
  for (const name of ['environ', 'mem', 'maps']) {
    const look = spawnSync('head', ['-c1', `/proc/${pidOf()}/${name}`], { uid: SERVICE, gid: SERVICE });
    assert.notEqual(look.status, 0, name);
  }

  // Distinct signals fill more than one segment of 2 MiB, and the oldest are dropped.
  const sealed = () => readdirSync(own).filter(name => /-\d{8}T/.test(name)).length;
  for (let round = 0; round < 12 && sealed() < 1; round++)
    lab.inside('sequence', String(FIRST + round * 50_000), '50000', '50000');
  await until('a segment is sealed', () => sealed() > 0, 20_000);

  // Killed, it is pinned on, and root's next start takes over what belongs to the user.
  await murder(pidOf());
  lab.inside('/bin/false');
  start();
  const pid = pidOf();
  assert.equal(threads(pid)[0]?.get('Uid')?.split('\t')[0], String(SERVICE));
  lab.inside('/bin/true');
  run('stop');
  assert.ok(!existsSync(lockFile(db)), 'stop removes the lock file');
  assert.deepEqual(leftPins(db), [], 'and the pins');
  for (const name of ['false', 'true']) {
    const found = lab.snoopq('exits', '--db', db, '--json').stdout;
    assert.ok(found.includes(`"comm":"${name}"`), `${name} was recorded`);
  }
  const users = lab.snoopq('sql', 'SELECT count(*) AS n FROM uid_counts', '--db', db, '--json').stdout;
  assert.ok(
    Number((JSON.parse(users) as { n: number }[])[0]?.n) > 0,
    'system calls are counted without capabilities',
  );
  await assertNothingLeft(lab, []);
});

test('it does not become that user in a directory of root, which it could not write', { skip }, t => {
  const lab = Lab.open(t);
  withServiceUser(t);
  lab.record();
  assert.equal(threads(recorderPid(lab))[0]?.get('Uid')?.split('\t')[0], '0');
  lab.inside('/bin/true');
  lab.stop();
  assert.equal(lab.value("SELECT count(*) FROM exits WHERE comm = 'true'"), 1);
});

const hasSetpriv = spawnSync('setpriv', ['--version']).status === 0;

test('CAP_BPF and CAP_PERFMON are enough for another user, in a directory of its own', {
  skip: skip || (hasSetpriv ? false : 'needs setpriv'),
}, t => {
  const lab = Lab.open(t);
  chownSync(lab.directory, SERVICE, SERVICE);
  const { db } = lab;
  const as = (caps: string, ...args: string[]) =>
    lab.command(
      'setpriv',
      `--reuid=${SERVICE}`,
      `--regid=${SERVICE}`,
      '--clear-groups',
      `--inh-caps=${caps}`,
      `--ambient-caps=${caps}`,
      process.execPath,
      SNOOPREC,
      ...args,
      '--db',
      db,
    );
  const caps = '-all,+bpf,+perfmon';
  const without = as('-all', 'start', '--cgroup', lab.cgroup);
  assert.equal(without.status, 4, without.stderr);
  assert.match(without.stderr, /recording needs root, or CAP_BPF and CAP_PERFMON/);
  const start = as(caps, 'start', '--cgroup', lab.cgroup);
  assert.equal(start.status, 0, start.stderr);
  lab.inside('/bin/true');
  assert.equal(lab.snooprec('status', '--db', db).status, 0, 'root sees it');
  const second = lab.snooprec('start', '--cgroup', lab.cgroup, '--db', db);
  assert.match(second.stdout, /already running/);
  const stop = as('-all', 'stop');
  assert.equal(stop.status, 0, stop.stderr);
  assert.match(lab.snoopq('exits', '--db', db, '--plain').stdout, /true/);
});

test('F43: what NODE_OPTIONS and NODE_PATH name is not loaded into the recorder', { skip }, t => {
  const lab = Lab.open(t);
  const told = join(lab.directory, 'told');
  const module = join(lab.directory, 'x.cjs');
  writeFileSync(
    module,
    `require('node:fs').appendFileSync('${told}', process.argv.slice(2).join(' ') + '\\n')`,
  );
  const start = lab.command(
    '/usr/bin/env',
    `NODE_OPTIONS=--require=${module}`,
    `NODE_PATH=${lab.directory}`,
    process.execPath,
    SNOOPREC,
    'start',
    '--cgroup',
    lab.cgroup,
  );
  assert.equal(start.status, 0, start.stderr);
  assert.match(readFileSync(told, 'utf8'), /^start --cgroup/, 'who starts it decides for itself');
  assert.doesNotMatch(readFileSync(told, 'utf8'), /--foreground/);
  const environment = readFileSync(`/proc/${recorderPid(lab)}/environ`, 'utf8');
  assert.doesNotMatch(environment, /NODE_OPTIONS|NODE_PATH/);
});
