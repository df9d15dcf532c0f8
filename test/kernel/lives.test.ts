/** Who is who: pids that come again, boots that come again, processes older than the recorder, and forks that were lost. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { cannotRecord, Lab } from './lab.js';

const skip = cannotRecord;

interface Life {
  id: number;
  exit_code: number | null;
  exit_signal: number | null;
  unseen_end_us: number | null;
  started_us: number;
  ended_us: number;
  boot_id: string;
}

function livesOf(lab: Lab, pid: number): Life[] {
  return lab.rows<Life>(
    'SELECT id, exit_code, exit_signal, unseen_end_us, started_us, ended_us, boot_id FROM processes WHERE pid = ? ORDER BY id',
    pid,
  );
}

/** As if the recording so far had been made before the machine was booted. */
function reboot(lab: Lab): void {
  const db = new Database(lab.db);
  db.prepare('UPDATE boot SET boot_id = ?').run('00000000-0000-0000-0000-000000000000');
  db.close();
}

test('each of 23 lives of one pid is told with its own end, at its own time', { skip }, t => {
  const lab = Lab.open(t);
  lab.record();
  const { facts } = lab.inside('reuse', '22');
  lab.stop();
  const pid = Number(facts.get('child'));
  const ends = [0, ...(facts.get('end') as string).split(' ').map(Number)];
  const lives = livesOf(lab, pid);
  assert.deepEqual(
    lives.map(({ exit_code, exit_signal }) => exit_signal ?? (exit_code as number) << 8),
    ends,
  );
  for (const at of [0, 11, 22]) {
    const { id, started_us, ended_us } = lives[at] as Life;
    const middle = ((started_us + ended_us) / 2 / 1e6).toFixed(6);
    const verdict = lab.whoKilled(pid, '--at', `@${middle}`);
    assert.equal(verdict.process.id, id);
    assert.equal(verdict.reused, 22);
    assert.equal(verdict.verdict, (ends[at] as number) & 127 ? 'killed' : 'exited');
  }
});

test('a pid and even its start time mean another process after the next boot', { skip }, async t => {
  const lab = Lab.open(t);
  lab.record();
  const before = lab.inside('reuse', '2').facts;
  const pid = Number(before.get('child'));
  const left = lab.background('/bin/sleep', '1000');
  await left.running('sleep');
  lab.stop();
  reboot(lab);
  left.kill('SIGKILL');
  await left.end();
  lab.record();
  lab.inside('reuse', '2', String(pid));
  lab.stop();
  const lives = livesOf(lab, pid);
  assert.deepEqual(
    lives.map(({ exit_code, exit_signal }) => [exit_code, exit_signal]),
    [
      [0, null],
      [3, null],
      [null, 9],
      [3, null],
      [null, 9],
    ],
  );
  assert.equal(new Set(lives.map(({ boot_id }) => boot_id)).size, 2);
  assert.equal(lives[2]?.boot_id, '00000000-0000-0000-0000-000000000000');
  assert.equal(lives[3]?.boot_id, readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  const last = lab.whoKilled(pid);
  assert.equal(last.process.id, lives[4]?.id);
  assert.equal(last.reused, 4);
  const earlier = lab.whoKilled(pid, '--at', `@${((lives[2] as Life).ended_us / 1e6).toFixed(6)}`);
  assert.equal(earlier.process.id, lives[2]?.id);
  assert.equal(earlier.killer.pid, Number(before.get('pid')));
  const [gone, ...others] = livesOf(lab, left.pid);
  assert.equal(others.length, 0, 'nothing of it was seen in the next boot');
  assert.ok(gone?.unseen_end_us, 'what lived in the boot before is gone');
});

test('the ancestry of a killer reaches processes that are older than the recorder', { skip }, async t => {
  const lab = Lab.open(t);
  const script = 'echo ready=1; while [ ! -e go ]; do sleep 0.05; done; sh -c "kill -9 $(cat go); :"; :';
  const old = lab.background('/bin/sh', '-c', script, 'older than the recorder');
  await old.fact('ready');
  lab.record();
  const victim = await lab.background('/bin/sleep', '1000').running('sleep');
  lab.command('/bin/sh', '-c', `echo ${victim.pid} > go.new && mv go.new go`);
  await victim.end();
  await old.end();
  lab.stop();
  const verdict = lab.whoKilled(victim.pid);
  assert.equal(verdict.confidence, 'proven');
  const [parent] = verdict.ancestry;
  assert.equal(parent.pid, old.pid);
  assert.deepEqual(parent.args, ['/bin/sh', '-c', script, 'older than the recorder']);
  assert.equal(verdict.ancestry.at(-1).pid, 1);
  const origin = (pid: number) => lab.value('SELECT origin FROM processes WHERE pid = ?', pid);
  assert.equal(origin(old.pid), 'snapshot');
  assert.equal(origin(verdict.killer.pid), 'fork');
});

test('processes whose forks were lost are marked as repaired, and who killed them is known', {
  skip,
}, async t => {
  const lab = Lab.open(t);
  lab.record('--bulk-buffer', '64K');
  const recorder = JSON.parse(lab.snooprec('status', '--json').stdout).pid as number;
  process.kill(recorder, 'SIGSTOP');
  let pids: number[];
  let sender: number;
  try {
    lab.inside('sequence', '5000000', '20000', '0'); // fills the lane of forks and execs
    const victims = lab.background('victims', '23');
    pids = (await victims.fact('pids')).split(',').map(Number);
    sender = Number(lab.inside('send', 'kill', '9', `-${await victims.fact('pgid')}`).facts.get('pid'));
    await victims.end();
  } finally {
    process.kill(recorder, 'SIGCONT');
  }
  await sleep(500);
  lab.stop();
  const lost = lab.value("SELECT sum(count) FROM coverages WHERE kind = 'lost' AND event = 'fork'") as number;
  assert.ok(lost >= 23, `${lost} forks were lost`);
  for (const pid of pids) {
    const rows = lab.rows('SELECT origin, ppid IS NOT NULL AS has_parent FROM processes WHERE pid = ?', pid);
    assert.deepEqual(rows, [{ origin: 'repaired', has_parent: 1 }]);
    const verdict = lab.whoKilled(pid);
    assert.equal(verdict.killer.pid, sender);
    assert.equal(verdict.mechanism, 'kill');
  }
});
