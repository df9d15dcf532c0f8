/** One call, many targets; many threads, one target; and a sender who only happened to run. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cannotRecord, Lab } from './lab.js';

const skip = cannotRecord;

/** What became of the signal in each child of `everyone`. */
const FATES = [
  { how: 'default', outcome: 'delivered', disposition: 'default' },
  { how: 'handle', outcome: 'delivered', disposition: 'handled' },
  { how: 'ignore', outcome: 'ignored', disposition: 'ignored' },
  { how: 'block', outcome: 'delivered', disposition: 'blocked' },
];

test('kill(0) is one call, and each process of the group has an outcome of its own', { skip }, t => {
  const lab = Lab.open(t);
  lab.record();
  const { facts } = lab.inside('everyone', 'group', '15');
  lab.stop();
  const sender = Number(facts.get('sender'));
  const rows = lab.rows(
    'SELECT target_pid, sender_pid, target_arg, outcome, disposition FROM signals WHERE sig = 15 ORDER BY target_pid',
  );
  const expected = [
    ...FATES.map(({ how, outcome, disposition }) => ({
      target_pid: Number(facts.get(how)),
      outcome,
      disposition,
    })),
    { target_pid: sender, outcome: 'ignored', disposition: 'ignored' },
  ].map(({ target_pid, outcome, disposition }) => ({
    target_pid,
    sender_pid: sender,
    target_arg: 0,
    outcome,
    disposition,
  }));
  assert.deepEqual(
    rows,
    expected.sort((a, b) => a.target_pid - b.target_pid),
  );
  assert.equal(
    lab.value('SELECT count(DISTINCT call_id) FROM signals WHERE sig = 15 AND call_id IS NOT NULL'),
    1,
  );
  assert.equal(lab.value('SELECT count(*) FROM signals WHERE sig = 15 AND call_id IS NULL'), 0);
  const verdict = lab.whoKilled(facts.get('default') as string);
  assert.equal(verdict.mechanism, 'kill');
  assert.equal(verdict.killer.pid, sender);
  assert.deepEqual(verdict.call, { name: 'kill', target_arg: 0, signal_arg: 15 });
});

test('kill(-1) in a pid namespace is one call to everyone in there but its sender', { skip }, t => {
  const lab = Lab.open(t);
  lab.record();
  const { facts } = lab.inside('everyone', 'all', '15');
  lab.stop();
  const sender = Number(facts.get('sender'));
  const rows = lab.rows(
    `SELECT ns_pid, sender_pid, target_arg, outcome, disposition FROM signals JOIN processes p ON p.id = target_id
     WHERE sig = 15 ORDER BY ns_pid`,
  );
  const expected = FATES.map(({ how, outcome, disposition }) => ({
    ns_pid: Number(facts.get(how)),
    sender_pid: sender,
    target_arg: -1,
    outcome,
    disposition,
  }));
  assert.deepEqual(rows, expected);
  assert.equal(lab.value('SELECT count(DISTINCT call_id) FROM signals WHERE sig = 15'), 1);
  const victim = lab.value('SELECT pid FROM processes WHERE exit_signal = 15') as number;
  const verdict = lab.whoKilled(victim);
  assert.equal(verdict.killer.pid, sender);
  assert.equal(verdict.call.target_arg, -1);
});

test('two calls to one group are told apart', { skip }, async t => {
  const lab = Lab.open(t);
  lab.record();
  const victims = lab.background('victims', '3', 'handle', '10');
  const pgid = await victims.fact('pgid');
  lab.inside('send', 'kill', '10', `-${pgid}`, '2');
  lab.stop();
  const calls = lab.rows(
    'SELECT count(*) AS targets, sum(count) AS signals FROM signals WHERE sig = 10 GROUP BY call_id',
  );
  assert.deepEqual(calls, [
    { targets: 3, signals: 3 },
    { targets: 3, signals: 3 },
  ]);
});

test('a process of several threads that is killed has one cause and one end', { skip }, async t => {
  const lab = Lab.open(t);
  lab.record();
  const victim = lab.background('threads', 'wait');
  await victim.fact('tid');
  const sender = lab.inside('send', 'kill', '9', String(victim.pid));
  await victim.end();
  lab.stop();
  const verdict = lab.whoKilled(victim.pid);
  assert.equal(verdict.killer.pid, Number(sender.facts.get('pid')));
  assert.equal(verdict.confidence, 'proven');
  assert.deepEqual(verdict.earlier_signals, []);
  const signals = lab.rows('SELECT target_pid, target_tid, count FROM signals WHERE sig = 9');
  assert.deepEqual(signals, [{ target_pid: victim.pid, target_tid: null, count: 1 }]);
  assert.equal(lab.value('SELECT count(*) FROM exits WHERE pid = ?', victim.pid), 1);
});

test('SIGTERM to a process of several threads is not told as the SIGKILL that its threads got', {
  skip,
}, async t => {
  const lab = Lab.open(t);
  lab.record();
  const victim = lab.background('threads', 'wait');
  const tid = await victim.fact('tid');
  lab.inside('send', 'tgkill', '15', `${victim.pid}:${tid}`);
  await victim.end();
  lab.stop();
  const verdict = lab.whoKilled(victim.pid);
  assert.equal(verdict.signal.name, 'SIGTERM');
  assert.equal(verdict.mechanism, 'tgkill');
  assert.equal(lab.value('SELECT target_tid FROM signals WHERE sig = 15'), Number(tid));
  assert.equal(lab.value('SELECT count(*) FROM signals WHERE sig = 9'), 0);
});

test('a thread that kills is told as its process, and by its own id', { skip }, async t => {
  const lab = Lab.open(t);
  lab.record();
  const victim = await lab.background('/bin/sleep', '1000').running('sleep');
  const { facts } = lab.inside('threads', 'kill', '15', String(victim.pid));
  await victim.end();
  lab.stop();
  assert.notEqual(facts.get('tid'), facts.get('pid'));
  const [row] = lab.rows(
    'SELECT sender_pid, sender_tid FROM signals WHERE target_pid = ? AND sig = 15',
    victim.pid,
  );
  assert.deepEqual(row, { sender_pid: Number(facts.get('pid')), sender_tid: Number(facts.get('tid')) });
  assert.equal(lab.whoKilled(victim.pid).killer.pid, Number(facts.get('pid')));
});

for (const call of ['kill', 'rt_sigqueueinfo']) {
  test(`a timer that fires in the midst of another's ${call} is never blamed on that one`, { skip }, t => {
    const lab = Lab.open(t);
    lab.record();
    const { facts } = lab.inside('ticks', call, '2003');
    lab.stop();
    const senders = (pid: string | undefined) =>
      lab.rows(
        'SELECT DISTINCT mechanism, sender_pid, disposition FROM signals WHERE sig = 10 AND target_pid = ?',
        Number(pid),
      );
    // It waits in sigwaitinfo(2), which takes what is blocked.
    assert.deepEqual(senders(facts.get('timer')), [
      { mechanism: 'timer', sender_pid: null, disposition: 'blocked' },
    ]);
    const sender_pid = Number(facts.get('pid'));
    assert.deepEqual(senders(facts.get('pid')), [{ mechanism: call, sender_pid, disposition: 'ignored' }]);
    const recorded = lab.value('SELECT sum(count) FROM signals WHERE sig = 10') as number;
    const lost = lab.value(
      "SELECT coalesce(sum(count), 0) FROM coverages WHERE kind = 'lost' AND event = 'signal'",
    ) as number;
    const missed = Number(facts.get('sent')) + Number(facts.get('ticks')) - recorded - lost;
    t.diagnostic(`lost ${lost}, missed ${missed}`);
    // Of signals that interrupts send the kernel sometimes hides one from us (seen on 6.18: 1 of 3,000), and counts no miss.
    // What was lost is not told by its signal: where some were, a few may have been the SIGCHLD of those who had ended.
    const others = lost > 0 ? 8 : 0;
    assert.ok(missed >= -others && missed <= 20, `missed ${missed}`);
  });
}

for (const returns of ['each', 'all']) {
  test(`a signal by the 32-bit table is told with its own arguments${returns === 'all' ? ', and a refusal' : ''}`, {
    skip: skip || (process.arch === 'x64' ? false : 'needs x86-64, where a program may use either table'),
  }, async t => {
    const lab = Lab.open(t);
    lab.record('--capture', 'regs', '--returns', returns);
    const victims = lab.background('victims', '1', 'ignore', '10');
    const pid = Number(await victims.fact('pids'));
    const sent = lab.inside('send32', '10', String(pid), '23');
    const refused = lab.inside('send32', '10', '4194303', '23');
    lab.stop();
    assert.equal(sent.facts.get('ok'), '23');
    assert.equal(refused.facts.get('ESRCH'), '23');
    const rows = lab.rows(
      `SELECT mechanism, outcome, sender_pid, target_arg, sum(count) AS n FROM signals WHERE sig = 10
       GROUP BY 1, 2, 3, 4 ORDER BY target_arg`,
    );
    const by = ({ facts }: { facts: Map<string, string> }) => Number(facts.get('pid'));
    const told = [
      { mechanism: 'kill', outcome: 'ignored', sender_pid: by(sent), target_arg: pid, n: 23 },
      { mechanism: 'kill', outcome: 'ESRCH', sender_pid: by(refused), target_arg: 4194303, n: 23 },
    ];
    assert.deepEqual(rows, returns === 'all' ? told : told.slice(0, 1));
  });
}
