/** Deaths of which one has to know more than the last signal, on the real kernel. */

import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cannotRecord, Lab, tool } from './lab.js';

const skip = cannotRecord;

/** A shell script in the laboratory. */
function script(lab: Lab, name: string, ...lines: string[]): string {
  const path = join(lab.directory, name);
  writeFileSync(path, ['#!/bin/sh', ...lines, ''].join('\n'));
  chmodSync(path, 0o755);
  return path;
}

// biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests assert
function whyExit(lab: Lab, pid: number | string): any {
  const answer = lab.snoopq('why-exit', String(pid), '--json');
  assert.equal(answer.status, 0, answer.stderr);
  return JSON.parse(answer.stdout);
}

test('SIGTERM that was handled, and SIGKILL after a grace, are one story', { skip }, t => {
  const lab = Lab.open(t);
  const stubborn = script(lab, 'stubborn', "trap ':' TERM", 'echo ready=1', 'while :; do sleep 0.05; done');
  const stopper = script(
    lab,
    'stopper',
    `"${stubborn}" >ready & victim=$!`,
    'until [ -s ready ]; do sleep 0.02; done',
    'echo victim=$victim; echo pid=$$',
    'kill -TERM $victim; sleep 0.6; kill -KILL $victim; wait',
  );
  lab.record();
  const { facts } = lab.inside(stopper);
  lab.stop();
  const verdict = lab.whoKilled(facts.get('victim') as string);
  assert.equal(verdict.signal.name, 'SIGKILL');
  assert.equal(verdict.confidence, 'proven');
  assert.equal(verdict.killer.pid, Number(facts.get('pid')));
  assert.equal(verdict.grace.signal.name, 'SIGTERM');
  assert.equal(verdict.grace.fate, 'handled');
  assert.equal(verdict.grace.is_same_sender, true);
  assert.ok(verdict.grace.waited_us >= 600_000, String(verdict.grace.waited_us));
  assert.equal(verdict.instigator, null, 'a script decides for itself');
});

test('the first process of a pid namespace drops a SIGTERM that it has no handler for, and that is said', {
  skip,
}, t => {
  const lab = Lab.open(t);
  const stopper = script(
    lab,
    'stopper',
    'unshare --pid --fork sleep 60 2>/dev/null & outer=$!',
    'until victim=$(pgrep -x -P $outer sleep); do sleep 0.02; done',
    'echo victim=$victim',
    'kill -TERM $victim; sleep 0.3; kill -KILL $victim; wait',
  );
  lab.record();
  const { facts } = lab.inside(stopper);
  lab.stop();
  const verdict = lab.whoKilled(facts.get('victim') as string);
  assert.equal(verdict.signal.name, 'SIGKILL');
  assert.equal(verdict.grace.fate, 'unkillable');
});

test('a signal that waited while the process was stopped is told so', { skip }, t => {
  const lab = Lab.open(t);
  const stopper = script(
    lab,
    'stopper',
    'sleep 60 & victim=$!; sleep 0.2',
    'kill -STOP $victim; sleep 0.2; kill -TERM $victim; sleep 0.4; kill -CONT $victim; wait',
    'echo victim=$victim',
  );
  lab.record();
  const { facts } = lab.inside(stopper);
  lab.stop();
  const verdict = lab.whoKilled(facts.get('victim') as string);
  assert.equal(verdict.signal.name, 'SIGTERM');
  assert.equal(verdict.stopped.signal.name, 'SIGSTOP');
  assert.notEqual(verdict.stopped.until, null);
  assert.ok(verdict.delay_us >= 400_000);
});

test('who wanted it is the script above the couriers', { skip }, t => {
  const lab = Lab.open(t);
  const tidy = script(lab, 'tidy', 'sh -c "env nice pkill -9 -P $1 sleep; :"', ':');
  lab.record();
  const outer = script(
    lab,
    'outer',
    'sleep 60 & victim=$!; sleep 0.2',
    `"${tidy}" $$; wait; echo victim=$victim`,
  );
  const { facts } = lab.inside(outer);
  lab.stop();
  const verdict = lab.whoKilled(facts.get('victim') as string);
  assert.equal(verdict.killer.comm, 'pkill');
  assert.equal(verdict.instigator.process.comm, 'tidy');
  assert.equal(verdict.instigator.certainty, 'proven');
});

test('137 is followed through shells and make to the process that SIGKILL ended, and back up', {
  skip,
}, async t => {
  const lab = Lab.open(t);
  writeFileSync(join(lab.directory, 'Makefile'), 'all:\n\t@echo ready=1; sleep 60; exit $$?\n');
  const build = script(lab, 'build', 'make', 'status=$?', 'echo status=$status', 'exit $status');
  lab.record();
  const job = lab.background('/bin/sh', build);
  await job.fact('ready');
  const killer = lab.inside('/usr/bin/pkill', '-9', '-x', '-g', '0', 'nosuch');
  assert.equal(killer.status, 1);
  const asleep = lab.command('/usr/bin/pgrep', '-x', 'sleep').stdout.split('\n');
  const inside = asleep.find(pid => pid !== '' && isBelow(lab, pid, job.pid));
  lab.inside(tool('send'), 'kill', '9', inside as string);
  const ended = await job.end();
  lab.stop();
  assert.equal(ended.facts.get('status'), '2');
  const found = whyExit(lab, job.pid);
  assert.equal(found.exit_code, 2);
  const comms = found.chain.map((link: { process: { comm: string } }) => link.process.comm);
  assert.deepEqual(comms, ['make', 'sh', 'sleep']);
  assert.equal(found.chain.at(-1).signal.name, 'SIGKILL');
  assert.equal(found.chain.at(-1).killer.comm, 'send');
  const back = whyExit(lab, inside as string);
  const up = back.passed_on.map((step: { exit_code: number }) => step.exit_code);
  assert.deepEqual(up, [137, 2, 2]);
});

test('timeout exits 124 because it ended its command, and that is no mystery', { skip }, t => {
  const lab = Lab.open(t);
  lab.record();
  const ended = lab.inside('/usr/bin/timeout', '0.3', '/bin/sleep', '60');
  lab.stop();
  assert.equal(ended.status, 124);
  const pid = lab.value("SELECT pid FROM processes WHERE comm = 'timeout'") as number;
  const found = whyExit(lab, pid);
  assert.equal(found.chain[0].signal.name, 'SIGTERM');
  assert.equal(found.chain[0].killer.pid, pid);
});

test('a command that was not found is named behind 127', { skip }, t => {
  const lab = Lab.open(t);
  lab.record();
  const ended = lab.command(tool('cginto'), lab.cgroup, '/bin/sh', '-c', 'exec /opt/no/such/program');
  lab.stop();
  assert.equal(ended.status, 127);
  const pid = lab.value("SELECT pid FROM exits WHERE exit_code = 127 AND comm = 'sh'") as number;
  const found = whyExit(lab, pid);
  assert.equal(found.failed_execs[0].filename, '/opt/no/such/program');
  assert.match(found.explanation, /could not execute \/opt\/no\/such\/program: ENOENT/);
});

/** Whether a process has `top` among its ancestors now. */
function isBelow(lab: Lab, pid: string, top: number): boolean {
  for (let at = pid; at !== '' && at !== '0'; ) {
    if (Number(at) === top) return true;
    at = lab.command('/usr/bin/ps', '-o', 'ppid=', '-p', at).stdout.trim();
  }
  return false;
}
