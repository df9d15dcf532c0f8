/** Every way to die has a name, and a sender only where a process sent it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertInterrupted, cannotRecord, INTERRUPTS, Lab, tool } from './lab.js';

const skip = cannotRecord;

test('a write to cgroup.kill killed every process in there, and the writer is the killer', {
  skip,
}, async t => {
  const lab = Lab.open(t);
  const doomed = lab.subgroup('doomed');
  lab.record();
  const victims = lab.background('cginto', doomed, tool('victims'), '3');
  const pids = [victims.pid, ...(await victims.fact('pids')).split(',').map(Number)];
  const writer = lab.inside('cgkill', doomed);
  await victims.end();
  lab.stop();
  for (const pid of pids) {
    const verdict = lab.whoKilled(pid);
    assert.equal(verdict.verdict, 'killed');
    assert.equal(verdict.confidence, 'proven');
    assert.equal(verdict.signal.name, 'SIGKILL');
    assert.equal(verdict.mechanism, 'cgroup.kill');
    assert.equal(verdict.killer.pid, Number(writer.facts.get('pid')));
    assert.equal(verdict.call, null);
  }
});

for (const sig of [9, 15]) {
  test(`a child that dies of its parent's death is led back to who killed the parent (signal ${sig})`, {
    skip,
  }, t => {
    const lab = Lab.open(t);
    lab.record();
    const { facts } = lab.inside('pdeath', String(sig), 'killed');
    lab.stop();
    assert.equal(facts.get('end'), String(sig));
    const verdict = lab.whoKilled(facts.get('child') as string);
    assert.equal(verdict.mechanism, 'pdeathsig');
    assert.equal(verdict.confidence, 'proven');
    assert.equal(verdict.signal.number, sig);
    assert.equal(verdict.killer.pid, Number(facts.get('parent')));
    assert.equal(verdict.call, null);
    assert.equal(verdict.cause.pid, Number(facts.get('parent')));
    assert.equal(verdict.cause.verdict, 'killed');
    assert.equal(verdict.cause.mechanism, 'kill');
    assert.equal(verdict.cause.killer.pid, Number(facts.get('pid')));
  });
}

test("a child that dies of its parent's exit is led back to that exit", { skip }, t => {
  const lab = Lab.open(t);
  lab.record();
  const { facts } = lab.inside('pdeath', '15');
  lab.stop();
  const verdict = lab.whoKilled(facts.get('child') as string);
  assert.equal(verdict.mechanism, 'pdeathsig');
  assert.equal(verdict.killer.pid, Number(facts.get('parent')));
  assert.equal(verdict.cause.pid, Number(facts.get('parent')));
  assert.equal(verdict.cause.verdict, 'exited');
});

test("a child whose parent lost only the thread that forked it did not die of its parent's death", {
  skip,
}, t => {
  const lab = Lab.open(t);
  lab.record();
  const { facts } = lab.inside('pdeath', '15', 'thread');
  lab.stop();
  assert.equal(facts.get('end'), '15');
  const verdict = lab.whoKilled(facts.get('child') as string);
  assert.equal(verdict.mechanism, 'pdeathsig');
  assert.equal(verdict.confidence, 'proven');
  assert.equal(verdict.killer.pid, Number(facts.get('parent')));
  assert.equal(verdict.cause, null, 'the parent lived on');
});

test('a pid namespace that ends takes all its processes, and the dying init is the sender', { skip }, t => {
  const lab = Lab.open(t);
  lab.record();
  const { facts } = lab.inside('nsinit', '3', 'killed');
  lab.stop();
  const init = Number(facts.get('init'));
  const members = lab.rows<{ pid: number }>(
    'SELECT pid FROM processes WHERE ns_pid BETWEEN 2 AND 4 AND ppid = ?',
    init,
  );
  assert.equal(members.length, 3);
  for (const { pid } of members) {
    const verdict = lab.whoKilled(pid);
    assert.equal(verdict.mechanism, 'pidns-teardown');
    assert.equal(verdict.confidence, 'proven');
    assert.equal(verdict.signal.name, 'SIGKILL');
    assert.equal(verdict.killer.pid, init);
    assert.equal(verdict.cause.pid, init);
    assert.equal(verdict.cause.mechanism, 'kill');
    assert.equal(verdict.cause.killer.pid, Number(facts.get('pid')));
  }
});

test('a pid namespace whose init exits is led back to that exit', { skip }, t => {
  const lab = Lab.open(t);
  lab.record();
  const { facts } = lab.inside('nsinit', '1');
  lab.stop();
  const member = lab.value(
    'SELECT pid FROM processes WHERE ns_pid = 2 AND ppid = ?',
    Number(facts.get('init')),
  ) as number;
  const verdict = lab.whoKilled(member);
  assert.equal(verdict.mechanism, 'pidns-teardown');
  assert.equal(verdict.cause.verdict, 'exited');
  assert.equal(verdict.cause.exit_code, 3);
});

const TTY: [how: string, signal: string, victim: string][] = [
  ['interrupt', 'SIGINT', 'leader'],
  ['hangup', 'SIGHUP', 'leader'],
  ['leader', 'SIGHUP', 'member'],
];

for (const [how, signal, victim] of TTY) {
  test(`what a terminal sends has no sender: ${how}`, { skip }, t => {
    const lab = Lab.open(t);
    lab.record();
    const { facts } = lab.inside('pty', how);
    lab.stop();
    const verdict = lab.whoKilled(facts.get(victim) as string);
    assert.equal(verdict.verdict, 'killed');
    assert.equal(verdict.confidence, 'proven');
    assert.equal(verdict.signal.name, signal);
    assert.equal(verdict.mechanism, 'tty');
    assert.equal(verdict.killer, null);
  });
}

test('a session leader that is killed hangs up its group, and the hang-up is led back to who killed it', {
  skip,
}, t => {
  const lab = Lab.open(t);
  lab.record();
  const { facts } = lab.inside('pty', 'killed');
  lab.stop();
  const verdict = lab.whoKilled(facts.get('member') as string);
  assert.equal(verdict.mechanism, 'tty');
  assert.equal(verdict.signal.name, 'SIGHUP');
  assert.equal(verdict.confidence, 'proven');
  assert.equal(verdict.killer, null);
  assert.equal(verdict.cause.pid, Number(facts.get('leader')));
  assert.equal(verdict.cause.signal.name, 'SIGKILL');
  assert.equal(verdict.cause.mechanism, 'kill');
  assert.equal(verdict.cause.killer.pid, Number(facts.get('pid')));
});

test('a terminal whose other side is closed by a death is led back to that death', { skip }, t => {
  const lab = Lab.open(t);
  lab.record();
  const { facts } = lab.inside('pty', 'emulator');
  lab.stop();
  const verdict = lab.whoKilled(facts.get('leader') as string);
  assert.equal(verdict.mechanism, 'tty');
  assert.equal(verdict.signal.name, 'SIGHUP');
  assert.equal(verdict.confidence, 'proven');
  assert.equal(verdict.cause.pid, Number(facts.get('emulator')));
  assert.equal(verdict.cause.killer.pid, Number(facts.get('pid')));
});

test('whose end made the kernel send a signal is in its row, and only then', { skip }, t => {
  const lab = Lab.open(t);
  lab.record();
  const ended = lab.inside('pty', 'leader').facts;
  const closed = lab.inside('pty', 'hangup').facts;
  const thread = lab.inside('pdeath', '15', 'thread').facts;
  lab.stop();
  const dying = (pid: string | undefined, sig: number) =>
    lab.value(
      `SELECT d.pid FROM signals s JOIN processes t ON t.id = s.target_id LEFT JOIN processes d ON d.id = s.dying_id
       WHERE t.pid = ? AND s.sig = ?`,
      pid,
      sig,
    );
  assert.equal(dying(ended.get('member'), 1), Number(ended.get('leader')));
  assert.equal(dying(closed.get('leader'), 1), null, 'closed by a process that lived on');
  assert.equal(dying(thread.get('child'), 15), null, 'only a thread of it ended');
});

const TIMERS: [how: string, sig: string, signal: string][] = [
  ['alarm', '', 'SIGALRM'],
  ['real', '', 'SIGALRM'],
  ['virtual', '', 'SIGVTALRM'],
  ['prof', '', 'SIGPROF'],
  ['posix', '15', 'SIGTERM'],
  ['posix', '9', 'SIGKILL'],
];

test('a timer that kills has no sender, whichever signal it sends', { skip }, t => {
  const lab = Lab.open(t);
  lab.record();
  const pids = TIMERS.map(([how, sig]) =>
    Array.from(
      { length: INTERRUPTS },
      () => lab.inside('timer', how, sig || '15').facts.get('pid') as string,
    ),
  );
  lab.stop();
  TIMERS.forEach(([how, , signal], i) => {
    const verdicts = (pids[i] as string[]).map(pid => lab.whoKilled(pid));
    assertInterrupted(verdicts, signal, 'timer', how);
  });
});

test('the SIGKILL for too much CPU time is the work of the limit', { skip }, t => {
  const lab = Lab.open(t);
  lab.record();
  const ends = Array.from({ length: 2 }, () => lab.inside('crash', 'cpu'));
  lab.stop();
  for (const end of ends) assert.equal(end.signal, 'SIGKILL');
  const verdicts = ends.map(end => lab.whoKilled(end.facts.get('pid') as string));
  assertInterrupted(verdicts, 'SIGKILL', 'rlimit', 'cpu');
});
