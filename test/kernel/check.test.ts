/** `snooprec check` proves what it says: each probe is made to see something, from the kernel to the decoded record. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PACKAGE_ROOT } from '../../migrations/database.js';
import { CGROUP_ROOT, cannotRecord, Lab, type Outcome } from './lab.js';

const skip = cannotRecord;
const PROBES = [
  'cgroup_mkdir',
  'sched_process_exec',
  'sched_process_exit',
  'sched_process_fork',
  'signal_deliver',
  'signal_generate',
  'sys_exit_execve',
  'sys_exit_kill',
  'task iterator',
];

/** The probes that `check` saw working. */
function working({ stdout }: Outcome): string[] {
  return [...stdout.matchAll(/^ok +(\w+(?: \w+)?) +works: saw /gm)].map(match => match[1] as string).sort();
}

test('each probe sees what the check does, and nothing of it stays', { skip }, t => {
  const lab = Lab.open(t);
  const from = performance.now();
  const check = lab.snooprec('check');
  t.diagnostic(`${Math.round(performance.now() - from)} ms`);
  assert.equal(check.status, 0, check.stdout);
  assert.deepEqual(working(check), PROBES, check.stdout);
  assert.doesNotMatch(
    check.stdout,
    /nothing here tries it/,
    'each probe has a canary, or a reason to have none',
  );
  assert.match(check.stdout, /^ok +mark_victim +attached; cannot be tried/m);
  assert.deepEqual(readdirSync(lab.directory), []);
  const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '/';
  const left = readdirSync(join(CGROUP_ROOT as string, own)).filter(name =>
    name.startsWith('snooprec-check'),
  );
  assert.deepEqual(left, []);
});

test('the check works beside a recorder, which goes on and loses nothing', { skip }, t => {
  const lab = Lab.open(t);
  lab.record();
  const check = lab.snooprec('check');
  assert.equal(check.status, 0, check.stdout);
  assert.deepEqual(working(check), PROBES, check.stdout);
  assert.match(check.stdout, /^ok +recorder +process \d+ records into /m);
  const { facts } = lab.inside('send', 'kill', '0', 'self', '23');
  lab.stop();
  const n = lab.value('SELECT sum(count) FROM signals WHERE sender_pid = ?', Number(facts.get('pid')));
  assert.equal(n, 23);
  assert.equal(lab.value('SELECT lost + malformed + shed FROM recordings'), 0);
});

test('a check that cannot start anything says so, and fails', { skip }, t => {
  const lab = Lab.open(t);
  const script = 'mount --bind /dev/null "$(realpath /bin/sh)"; exec "$@"';
  const check = lab.command(
    '/usr/bin/unshare',
    '--mount',
    '/bin/bash',
    '-c',
    script,
    'bash',
    process.execPath,
    join(PACKAGE_ROOT, 'dist', 'bin', 'snooprec.js'),
    'check',
  );
  assert.equal(check.status, 1, check.stdout);
  assert.match(check.stdout, /^FAIL +trial of the probes +spawn \/bin\/sh EACCES/m);
});
