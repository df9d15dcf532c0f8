/** F7, F11, F12: what a recorder does that runs out of memory, that is broken itself, or that lacks what it needs. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { lockHolder } from '../../recorder/lock.js';
import { leftPins } from '../../recorder/pins.js';
import { cannotRecord, Lab } from '../kernel/lab.js';
import {
  assertLedger,
  assertNothingLeft,
  endOf,
  FIRST,
  isAlive,
  isReady,
  numbersOf,
  pinnedPrograms,
  recorderPid,
  SNOOPREC,
  until,
} from './recorder.js';

const skip = cannotRecord;
const MEMCG = '/sys/fs/cgroup/memory';
const noMemcg = existsSync(join(MEMCG, 'memory.limit_in_bytes'))
  ? false
  : 'needs the memory controller of cgroup v1';

/** A cgroup of the memory controller for one test. */
function memoryCgroup(t: TestContext, name: string): string {
  const path = join(MEMCG, name);
  mkdirSync(path);
  t.after(() => rmdirSync(path));
  return path;
}

test('F7: killed for want of memory, it is taken over without a loss, and its own death is told', {
  skip: skip || noMemcg,
}, async t => {
  const lab = Lab.open(t);
  const memory = memoryCgroup(t, lab.cgroup.split('/').at(-1) as string);
  // Room in the lane for some 15 s of the storm: on a busy machine its death may take that long.
  const room = ['--bulk-buffer', '64M'];
  const started = lab.inside(
    process.execPath,
    SNOOPREC,
    'start',
    '--db',
    lab.db,
    '--cgroup',
    lab.cgroup,
    ...room,
  );
  assert.equal(started.status, 0, started.stderr);
  const pid = recorderPid(lab);
  writeFileSync(join(memory, 'memory.limit_in_bytes'), String(2 << 20)); // for what it takes from now on
  writeFileSync(join(memory, 'cgroup.procs'), String(pid));
  const storm = lab.background('sequence', String(FIRST), '0', '40000');
  await until('it is killed', () => !isAlive(pid), 30_000);
  lab.record(...room);
  await sleep(500);
  storm.kill('SIGTERM');
  const sent = Number((await storm.end()).facts.get('sent'));
  lab.stop();
  const verdict = lab.whoKilled(pid);
  assert.equal(verdict.verdict, 'killed');
  assert.equal(verdict.mechanism, 'oom');
  assert.equal(lab.value('SELECT count(*) FROM oom_kills WHERE victim_pid = ?', pid), 1);
  const { lost } = assertLedger(lab);
  assert.equal(lost, 0);
  assert.deepEqual(numbersOf(lab), { rows: sent, numbers: sent, count: sent });
  t.diagnostic(`${sent} numbers, ${lost} lost`);
});

/** A recorder in which something throws as soon as there is a file of that name. */
function recorderWithBomb(lab: Lab): { recorder: ChildProcess; ignite: () => void } {
  const bomb = join(lab.directory, 'bomb.cjs');
  const fuse = join(lab.directory, 'fuse');
  writeFileSync(
    bomb,
    `const { existsSync } = require('node:fs');
    setInterval(() => { if (existsSync(${JSON.stringify(fuse)})) throw new Error('injected by the test'); }, 10)`,
  );
  const recorder = spawn(
    process.execPath,
    ['--require', bomb, SNOOPREC, 'start', '--foreground', '--db', lab.db, '--cgroup', lab.cgroup],
    { cwd: lab.directory, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  return { recorder, ignite: () => writeFileSync(fuse, '') };
}

test('F11: an exception that nobody caught ends it with a word in the log, and the next one misses nothing', {
  skip,
}, async t => {
  const lab = Lab.open(t);
  const { recorder, ignite } = recorderWithBomb(lab);
  let said = '';
  recorder.stderr?.on('data', text => {
    said += text;
  });
  await until('it records', () => lab.snooprec('status').status === 0);
  const storm = lab.background('sequence', String(FIRST), '0', '20000');
  await sleep(300);
  ignite();
  const end = await endOf(recorder);
  assert.equal(end.signal, null);
  assert.notEqual(end.code, 0);
  assert.match(said, /injected by the test/);
  lab.record();
  storm.kill('SIGTERM');
  const sent = Number((await storm.end()).facts.get('sent'));
  const programs = pinnedPrograms(lab.db);
  lab.stop();
  assert.deepEqual(numbersOf(lab), { rows: sent, numbers: sent, count: sent });
  assert.equal(assertLedger(lab).lost, 0);
  await assertNothingLeft(lab, programs);
});

test('F11: a recorder that sleeps is gone at once too, and lets go of the lock of its database', {
  skip,
}, async t => {
  const lab = Lab.open(t);
  const { recorder, ignite } = recorderWithBomb(lab);
  await until('it records', () => isReady(lab));
  await sleep(700); // it waits in another thread then, for up to five seconds, and koffi would wait for that one
  ignite();
  const from = performance.now();
  await endOf(recorder);
  const ms = performance.now() - from;
  assert.ok(ms < 2_000, `it took ${ms.toFixed(0)} ms to end`);
  assert.equal(lockHolder(lab.db), null);
  lab.record();
  lab.stop();
  assertLedger(lab);
});

/** Runs `snooprec start` in a mount namespace in which something is not there. Returns what it answered. */
function startWithout(lab: Lab, hide: string) {
  const script = `${hide}; exec "$0" "$@"`;
  return lab.command(
    '/usr/bin/unshare',
    '--mount',
    '/bin/sh',
    '-ec',
    script,
    process.execPath,
    SNOOPREC,
    'start',
    '--db',
    lab.db,
    '--cgroup',
    lab.cgroup,
  );
}

function assertRefused(
  lab: Lab,
  { status, stderr }: { status: number | null; stderr: string },
  code: number,
  words: RegExp,
): void {
  assert.equal(status, code, stderr);
  assert.match(stderr, /^snooprec: .*\n(hint: .*\n)?$/, 'one line and a hint');
  assert.match(stderr, words);
  assert.deepEqual(readdirSync(lab.directory), [], 'a start that failed leaves no file');
  assert.deepEqual(leftPins(lab.db), [], 'and no pin');
}

test('F12: without root it says so and exits with 4', { skip }, t => {
  const lab = Lab.open(t);
  const outcome = lab.command(
    '/usr/bin/setpriv',
    '--reuid=65534',
    '--clear-groups',
    process.execPath,
    SNOOPREC,
    'start',
    '--db',
    lab.db,
  );
  assertRefused(lab, outcome, 4, /needs root/);
});

test('F12: as root without capabilities it says so and exits with 4', { skip }, t => {
  const lab = Lab.open(t);
  const without = '-bpf,-perfmon,-sys_admin';
  const outcome = lab.command(
    '/usr/bin/setpriv',
    `--bounding-set=${without}`,
    `--inh-caps=${without}`,
    process.execPath,
    SNOOPREC,
    'start',
    '--db',
    lab.db,
    '--cgroup',
    lab.cgroup,
  );
  assertRefused(lab, outcome, 4, /EPERM|EACCES|CAP_BPF/);
});

test('F12: without libbpf it says so and how to get it', { skip }, t => {
  const lab = Lab.open(t);
  const hide =
    'for f in $(ldconfig -p | sed -n "s/.*libbpf.so.1 .*=> //p"); do mount --bind /dev/null "$f"; done';
  assertRefused(lab, startWithout(lab, hide), 1, /libbpf[\s\S]*install/);
});

test('F12: without the type information of the kernel it says so', { skip }, t => {
  const lab = Lab.open(t);
  assertRefused(lab, startWithout(lab, 'mount -t tmpfs none /sys/kernel/btf'), 1, /BTF|kernel lacks/);
});

test('F12: where there is no bpffs and none may be mounted it records without pins', { skip }, t => {
  const lab = Lab.open(t);
  const hide =
    'umount -l /sys/fs/bpf; exec setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin "$0" "$@"';
  const started = startWithout(lab, hide);
  assert.equal(started.status, 0, started.stderr);
  assert.deepEqual(leftPins(lab.db), []);
  lab.inside('sequence', String(FIRST), '1000', '0');
  lab.stop();
  assert.deepEqual(numbersOf(lab), { rows: 1000, numbers: 1000, count: 1000 });
  assertLedger(lab);
});
