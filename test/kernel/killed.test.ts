/** The main job, on the real kernel: a process is killed, and the recorder knows by whom and how. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertInterrupted, cannotRecord, INTERRUPTS, Lab, stored } from './lab.js';

const skip = cannotRecord;

test('kill -9 is answered with sender, command, ancestry, time, and "proven"', { skip }, async t => {
  const lab = Lab.open(t);
  lab.record();
  const victim = await lab.background('/bin/sleep', '1000').running('sleep');
  const killer = lab.inside('/bin/sh', '-c', `kill -9 ${victim.pid}; :`);
  await victim.end();
  lab.stop();
  assert.equal(killer.status, 0);
  const verdict = lab.whoKilled(victim.pid);
  assert.equal(verdict.verdict, 'killed');
  assert.equal(verdict.confidence, 'proven');
  assert.deepEqual(verdict.signal, { number: 9, name: 'SIGKILL', core_dumped: false });
  assert.equal(verdict.mechanism, 'kill');
  assert.deepEqual(verdict.process.args, ['/bin/sleep', '1000']);
  assert.deepEqual(verdict.killer.args, ['/bin/sh', '-c', `kill -9 ${victim.pid}; :`]);
  assert.equal(verdict.killer.uid, 0);
  assert.deepEqual(verdict.call, { name: 'kill', target_arg: victim.pid, signal_arg: 9 });
  assert.ok(verdict.delay_us >= 0 && verdict.delay_us < 1_000_000, `delay ${verdict.delay_us}`);
  assert.ok(verdict.ancestry.length >= 2, 'the ancestry reaches beyond the recorder');
  assert.equal(verdict.ancestry.at(-1).pid, 1);
  assert.equal(verdict.coverage.complete, true);
});

for (const call of ['kill', 'tkill', 'tgkill', 'rt_sigqueueinfo', 'rt_tgsigqueueinfo', 'pidfd_send_signal']) {
  test(`death by ${call} names the call, the sender and the target`, { skip }, async t => {
    const lab = Lab.open(t);
    lab.record();
    const victim = await lab.background('/bin/sleep', '1000').running('sleep');
    const sender = lab.inside('send', call, '15', String(victim.pid));
    await victim.end();
    lab.stop();
    const verdict = lab.whoKilled(victim.pid);
    assert.equal(verdict.verdict, 'killed');
    assert.equal(verdict.confidence, 'proven');
    assert.equal(verdict.mechanism, call);
    assert.equal(verdict.signal.name, 'SIGTERM');
    assert.equal(verdict.killer.pid, Number(sender.facts.get('pid')));
    assert.equal(verdict.killer.comm, 'send');
  });
}

test('kill -TERM -PGID ends the whole group by one call', { skip }, async t => {
  const lab = Lab.open(t);
  lab.record();
  const victims = lab.background('victims', '5');
  const pids = (await victims.fact('pids')).split(',').map(Number);
  const sender = lab.inside('send', 'kill', '15', `-${await victims.fact('pgid')}`);
  await victims.end();
  lab.stop();
  assert.equal(pids.length, 5);
  for (const pid of pids) {
    const verdict = lab.whoKilled(pid);
    assert.equal(verdict.confidence, 'proven');
    assert.equal(verdict.killer.pid, Number(sender.facts.get('pid')));
    assert.equal(verdict.call.target_arg, -Number(await victims.fact('pgid')));
  }
  const calls = lab.rows(
    'SELECT call_id, count(*) AS n FROM signals WHERE signal = ? GROUP BY call_id',
    'SIGTERM',
  );
  assert.equal(calls.length, 1);
  assert.equal(calls[0]?.['n'], 5);
});

test('a kill inside a pid namespace is told with the pids of the host', { skip }, t => {
  const lab = Lab.open(t);
  lab.record();
  const { facts } = lab.inside('nskill');
  lab.stop();
  const verdict = lab.whoKilled(facts.get('victim') as string);
  assert.equal(verdict.verdict, 'killed');
  assert.equal(verdict.confidence, 'proven');
  assert.equal(verdict.killer.pid, Number(facts.get('init')));
  assert.equal(verdict.call.target_arg, Number(facts.get('inner')));
  assert.equal(
    lab.value('SELECT ns_pid FROM processes WHERE pid = ?', verdict.process.pid),
    Number(facts.get('inner')),
  );
});

const CRASHES: [how: string, signal: string, mechanism: string][] = [
  ['segv', 'SIGSEGV', 'fault'],
  ['fpe', 'SIGFPE', 'fault'],
  ['ill', 'SIGILL', 'fault'],
  ['bus', 'SIGBUS', 'fault'],
  ['trap', 'SIGTRAP', 'fault'],
  ['pipe', 'SIGPIPE', 'sigpipe'],
  ['xfsz', 'SIGXFSZ', 'rlimit'],
  ['sys', 'SIGSYS', 'seccomp'],
];

test('deaths that no process sent have no killer, whoever was running', { skip }, t => {
  const lab = Lab.open(t);
  lab.record();
  const pids = CRASHES.map(([how]) => lab.inside('crash', how).facts.get('pid') as string);
  lab.stop();
  CRASHES.forEach(([how, signal, mechanism], i) => {
    const verdict = lab.whoKilled(pids[i] as string);
    assert.equal(verdict.verdict, 'killed', how);
    assert.equal(verdict.confidence, 'proven', how);
    assert.equal(verdict.signal.name, signal, how);
    assert.equal(verdict.mechanism, mechanism, how);
    assert.equal(verdict.killer, null, how);
  });
});

test('a timer and a limit that an interrupt finds reached have no killer, whoever was running', {
  skip,
}, t => {
  const lab = Lab.open(t);
  lab.record();
  const pids = (how: string) =>
    Array.from({ length: INTERRUPTS }, () => lab.inside('crash', how).facts.get('pid') as string);
  const [alarms, limits] = [pids('alarm'), pids('xcpu')];
  lab.stop();
  const verdicts = (of: string[]) => of.map(pid => lab.whoKilled(pid));
  assertInterrupted(verdicts(alarms), 'SIGALRM', 'timer', 'alarm');
  assertInterrupted(verdicts(limits), 'SIGXCPU', 'rlimit', 'xcpu');
});

test('abort is self-inflicted', { skip }, t => {
  const lab = Lab.open(t);
  lab.record();
  const pid = Number(lab.inside('crash', 'abort').facts.get('pid'));
  lab.stop();
  const verdict = lab.whoKilled(pid);
  assert.equal(verdict.signal.name, 'SIGABRT');
  assert.equal(verdict.mechanism, 'tgkill');
  assert.equal(verdict.killer.pid, pid);
});

test('a plain exit is not a kill, and a wrapper that exits 137 is not one either', { skip }, t => {
  const lab = Lab.open(t);
  lab.record();
  const child = lab.inside('/bin/sh', '-c', 'sh -c "exit 137"; echo status=$?; echo pid=$$; exit 3');
  lab.stop();
  const verdict = lab.whoKilled(child.facts.get('pid') as string);
  assert.equal(verdict.verdict, 'exited');
  assert.equal(verdict.exit_code, 3);
  assert.equal(verdict.killer, null);
  const wrapper = lab.value('SELECT pid FROM processes WHERE exit_code = 137') as number;
  assert.equal(lab.whoKilled(wrapper).verdict, 'exited');
});

test('a process that still runs is said to run, one never seen is said to be unknown', { skip }, async t => {
  const lab = Lab.open(t);
  lab.record();
  const sleeper = await lab.background('/bin/sleep', '1000').running('sleep');
  await stored();
  assert.equal(lab.whoKilled(sleeper.pid).verdict, 'running');
  const unknown = lab.snoopq('who-killed', '4194303', '--json');
  assert.equal(unknown.status, 1);
  lab.stop();
});

test('of a pid that was borne several times the last life is told, and that there were others', {
  skip,
}, t => {
  const lab = Lab.open(t);
  lab.record();
  const { facts } = lab.inside('reuse');
  lab.stop();
  const pid = Number(facts.get('child'));
  const ends = [0, ...(facts.get('end') as string).split(' ').map(Number)]; // the first life only found a free pid
  const lives = lab.rows('SELECT exit_code, exit_signal FROM processes WHERE pid = ? ORDER BY id', pid);
  assert.equal(lives.length, ends.length);
  lives.forEach((life, i) => {
    const status = ends[i] as number;
    assert.equal(life['exit_signal'] ?? 0, status & 127);
    assert.equal(life['exit_code'] ?? 0, (status >> 8) & 255);
  });
  const verdict = lab.whoKilled(pid);
  assert.equal(verdict.reused, ends.length - 1);
  assert.equal(verdict.signal?.number ?? 0, (ends.at(-1) as number) & 127);
});

test('the status of threaded processes is the one that wait sees', { skip }, t => {
  const lab = Lab.open(t);
  lab.record();
  const status = (how: string) => Number(lab.inside('threads', how).facts.get('pid'));
  const leaderExits = status('leader-exits');
  const lastExit = lab.inside('threads', 'last-exit');
  const exitGroup = status('exit-group');
  const exec = status('exec');
  const tgkill = status('tgkill');
  lab.stop();
  const end = (pid: number) => lab.rows('SELECT exit_code, exit_signal FROM processes WHERE pid = ?', pid);
  assert.deepEqual(end(leaderExits), [{ exit_code: 7, exit_signal: null }]);
  assert.deepEqual(end(Number(lastExit.facts.get('pid'))), [
    { exit_code: lastExit.status, exit_signal: null },
  ]);
  assert.deepEqual(end(exitGroup), [{ exit_code: 9, exit_signal: null }]);
  assert.deepEqual(end(exec), [{ exit_code: 0, exit_signal: null }]);
  assert.deepEqual(end(tgkill), [{ exit_code: null, exit_signal: 15 }]);
  const [becameTrue] = lab.rows(
    'SELECT comm, old_tid FROM execs WHERE pid = ? AND old_tid IS NOT NULL',
    exec,
  );
  assert.equal(becameTrue?.['comm'], 'true');
  assert.equal(lab.whoKilled(tgkill).mechanism, 'tgkill');
});

test('a process that handled SIGTERM and exited was not killed', { skip }, async t => {
  const lab = Lab.open(t);
  lab.record();
  const polite = lab.background(
    '/bin/sh',
    '-c',
    'trap "exit 0" TERM; echo ready=1; while :; do sleep 0.05; done',
  );
  await polite.fact('ready');
  lab.inside('send', 'kill', '15', String(polite.pid));
  await polite.end();
  lab.stop();
  const verdict = lab.whoKilled(polite.pid);
  assert.equal(verdict.verdict, 'exited');
  assert.equal(verdict.exit_code, 0);
  assert.equal(verdict.earlier_signals[0].signal.name, 'SIGTERM');
});

test('the answers are the same for the sqlite3 tool, while recording and after', { skip }, async t => {
  const lab = Lab.open(t);
  lab.record();
  const pid = Number(lab.inside('crash', 'segv').facts.get('pid'));
  await stored();
  const sql = `SELECT signal, mechanism, confidence FROM kills WHERE pid = ${pid}`;
  const live = lab.command('sqlite3', lab.db, sql);
  lab.stop();
  const after = lab.command('sqlite3', lab.db, sql);
  assert.equal(live.stdout, 'SIGSEGV|fault|proven\n', live.stderr);
  assert.equal(after.stdout, live.stdout);
});
