/** Only what was asked for is recorded: some cgroups with all below them, or the process tree of one command. */

import assert from 'node:assert/strict';
import { mkdirSync, rmdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { cannotRecord, Lab, tool } from './lab.js';

const skip = cannotRecord;

/** The first arguments of all recorded runs of /bin/true, in order. */
function marks(lab: Lab): unknown[] {
  return lab
    .rows<{ mark: unknown }>(
      "SELECT json_extract(args, '$[1]') AS mark FROM execs WHERE comm = 'true' ORDER BY id",
    )
    .map(({ mark }) => mark);
}

test('with --cgroup a busy neighbour is not recorded', { skip }, async t => {
  const lab = Lab.open(t);
  const neighbour = Lab.open(t);
  lab.record();
  const busy = neighbour.background('spawn', '200', '/bin/true', 'neighbour');
  neighbour.inside('send', 'kill', '0', 'self', '1009');
  neighbour.inside('failexec', '11');
  lab.inside('/bin/true', 'mine');
  await busy.end();
  lab.stop();
  assert.deepEqual(marks(lab), ['mine']);
  assert.equal(lab.value('SELECT count(*) FROM execs'), 1);
  assert.equal(lab.value('SELECT count(*) FROM signals WHERE sig = 0'), 0);
  assert.equal(lab.value('SELECT count(*) FROM processes WHERE pid = ?', busy.pid), 0);
  assert.equal(
    lab.value(
      "SELECT count(*) FROM processes WHERE cgroup LIKE '%' || ?",
      neighbour.cgroup.split('/').at(-1),
    ),
    0,
  );
  const seen = lab.value('SELECT seen FROM recordings') as number;
  assert.ok(seen < 60, `the kernel wrote nothing of the neighbour, but ${seen} records in all`);
});

test('a timer of a neighbour is not recorded, whoever it interrupts', { skip }, async t => {
  const lab = Lab.open(t);
  const neighbour = Lab.open(t);
  lab.record();
  // On every processor, so that the interrupts of the timer find them.
  const interrupted = cpus().map(() => lab.background('/bin/sh', '-c', 'while :; do :; done'));
  neighbour.inside('ticks', 'kill', '2003');
  for (const each of interrupted) each.kill('SIGKILL');
  await Promise.all(interrupted.map(each => each.end()));
  lab.stop();
  assert.equal(lab.value("SELECT count(*) FROM signals WHERE mechanism = 'timer'"), 0);
});

test('who hits a target inside from outside is recorded as its sender', { skip }, async t => {
  const lab = Lab.open(t);
  const neighbour = Lab.open(t);
  lab.record();
  const victim = await lab.background('/bin/sleep', '1000').running('sleep');
  const sender = neighbour.inside('send', 'kill', '15', String(victim.pid));
  await victim.end();
  lab.stop();
  const verdict = lab.whoKilled(victim.pid);
  assert.equal(verdict.confidence, 'proven');
  assert.equal(verdict.mechanism, 'kill');
  assert.equal(verdict.killer.pid, Number(sender.facts.get('pid')));
  assert.equal(verdict.killer.comm, 'send');
  assert.equal(verdict.killer.uid, 0);
});

test('who is hit outside by a sender inside is recorded as its target', { skip }, async t => {
  const lab = Lab.open(t);
  const neighbour = Lab.open(t);
  lab.record();
  const victim = await neighbour.background('/bin/sleep', '1000').running('sleep');
  const sender = lab.inside('send', 'kill', '15', String(victim.pid));
  await victim.end();
  lab.stop();
  const [signal] = lab.rows(
    'SELECT sender_pid, target_pid, target_comm, outcome FROM signals WHERE sig = 15',
  );
  assert.deepEqual(signal, {
    sender_pid: Number(sender.facts.get('pid')),
    target_pid: victim.pid,
    target_comm: 'sleep',
    outcome: 'delivered',
  });
});

test('cgroups below are recorded, however deep, and those made meanwhile', { skip }, t => {
  const lab = Lab.open(t);
  const before = lab.subgroup('before');
  lab.record();
  const deep = ['meanwhile', 'meanwhile/a', 'meanwhile/a/b'].map(name => lab.subgroup(name)).at(-1) as string;
  const brief = join(lab.cgroup, 'brief');
  mkdirSync(brief);
  for (const [directory, mark] of [
    [before, 'before'],
    [deep, 'deep'],
    [brief, 'brief'],
  ] as const) {
    assert.equal(lab.inside('cginto', directory, '/bin/true', mark).status, 0);
  }
  rmdirSync(brief);
  lab.stop();
  assert.deepEqual(marks(lab), ['before', 'deep', 'brief']);
  const name = lab.cgroup.split('/').at(-1);
  const cgroups = lab
    .rows("SELECT cgroup FROM execs WHERE comm = 'true' ORDER BY id")
    .map(row => row['cgroup']);
  assert.deepEqual(cgroups, [`/${name}/before`, `/${name}/meanwhile/a/b`, `/${name}/brief`]);
});

test('of two cgroups that were named both are recorded, and not the third beside them', { skip }, t => {
  const lab = Lab.open(t);
  const [one, two, three] = ['one', 'two', 'three'].map(name => lab.subgroup(name)) as [
    string,
    string,
    string,
  ];
  const started = lab.snooprec('start', '--cgroup', one, '--cgroup', two);
  assert.equal(started.status, 0, started.stderr);
  for (const directory of [one, three, two, lab.cgroup])
    lab.command(tool('cginto'), directory, '/bin/true', directory);
  lab.stop();
  assert.deepEqual(marks(lab), [one, two]);
});

test('`run` records orphans of the command too, and nobody else', { skip }, async t => {
  const lab = Lab.open(t);
  const neighbour = Lab.open(t);
  const busy = neighbour.background('spawn', '500', '/bin/true', 'neighbour');
  const script = `/bin/true child
    (setsid sh -c '(sleep 0.2; /bin/true orphan) & exit') &
    sleep 0.6; /bin/true last`;
  const run = lab.snooprec('run', '--db', lab.db, '--', '/bin/sh', '-c', script);
  await busy.end();
  assert.equal(run.status, 0, run.stderr);
  assert.deepEqual(marks(lab), ['child', 'orphan', 'last']);
  const execs = lab.rows(
    "SELECT comm, count(*) AS n FROM execs WHERE result = 'ok' GROUP BY comm ORDER BY comm",
  );
  assert.deepEqual(execs, [
    { comm: 'setsid', n: 1 },
    { comm: 'sh', n: 2 },
    { comm: 'sleep', n: 2 },
    { comm: 'true', n: 3 },
  ]);
  const open = lab.value("SELECT count(*) FROM processes WHERE ended IS NULL AND origin = 'fork'");
  assert.equal(open, 0, 'all of them ended within the recording');
});
