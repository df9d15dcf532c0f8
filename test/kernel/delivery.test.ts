/** What became of a signal after it was sent: whether a handler ran, when, and what it did to those who had none. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { cannotRecord, Lab } from './lab.js';

const skip = cannotRecord;
const N = 23;

const TAKEN: [how: string, ran: number, outcomes: Record<string, number>][] = [
  ['handle', N, { delivered: N }],
  ['release', N, { delivered: N }],
  ['pending', 1, { delivered: 1, pending: N - 1 }],
  ['ignore', 0, { ignored: N }],
  ['wait', 0, { delivered: N }],
];

test('handled, blocked, pending, ignored and waited-for signals are told apart, 23 of each', { skip }, t => {
  const lab = Lab.open(t);
  lab.record();
  const ended = TAKEN.map(([how]) => lab.inside('take', how, String(N)));
  lab.stop();
  TAKEN.forEach(([how, ran, outcomes], i) => {
    const facts = ended[i]?.facts;
    const pid = Number(facts?.get('pid'));
    assert.equal(facts?.get('ran'), String(ran), how);
    const sent = lab.rows<{ outcome: string; n: number }>(
      'SELECT outcome, sum(count) AS n FROM signals WHERE sig = 10 AND target_pid = ? GROUP BY 1 ORDER BY 1',
      pid,
    );
    assert.deepEqual(Object.fromEntries(sent.map(({ outcome, n }) => [outcome, n])), outcomes, how);
    const taken = lab.rows(
      'SELECT action, mechanism, code, from_pid, from_uid, tid, sum(count) AS n FROM deliveries WHERE pid = ? GROUP BY 1, 2, 3, 4, 5, 6',
      pid,
    );
    const handled = {
      action: 'handled',
      mechanism: null,
      code: 0,
      from_pid: pid,
      from_uid: 0,
      tid: null,
      n: ran,
    };
    assert.deepEqual(taken, ran === 0 ? [] : [handled], how);
  });
});

test('23 signals that were blocked when they came and then killed are 23 deaths, each with its wait', {
  skip,
}, t => {
  const lab = Lab.open(t);
  lab.record();
  const { facts } = lab.inside('take', 'fall', String(N));
  lab.stop();
  const children = (facts.get('child') as string).split(' ').map(Number);
  assert.equal(children.length, N);
  const deaths = lab.rows<Record<'pid' | 'n' | 'waited', number>>(
    `SELECT d.pid, sum(d.count) AS n, d.time_us - s.time_us AS waited FROM deliveries d
     JOIN signals s ON s.target_id = d.process_id AND s.sig = d.sig AND s.disposition = 'blocked'
     WHERE d.action = 'default' AND d.signal = 'SIGUSR1' GROUP BY d.pid ORDER BY d.id`,
  );
  assert.deepEqual(
    deaths.map(({ pid, n }) => [pid, n]),
    children.map(pid => [pid, 1]),
  );
  for (const { waited } of deaths) assert.ok(waited >= 2000, `waited ${waited} µs`);
  const verdict = lab.whoKilled(children[0] as number);
  assert.equal(verdict.confidence, 'proven');
  assert.equal(verdict.killer.pid, children[0]);
});

test('a death whose signal was not seen being sent is told by the signal itself', { skip }, t => {
  const lab = Lab.open(t);
  lab.record();
  const how = [
    ['crash', 'alarm', 'SIGALRM', 'timer'],
    ['crash', 'xcpu', 'SIGXCPU', 'rlimit'],
    ['crash', 'segv', 'SIGSEGV', 'fault'],
    ['timer', 'posix', 'SIGTERM', 'timer'],
  ] as const;
  const pids = how.map(([tool, way]) => lab.inside(tool, way).facts.get('pid') as string);
  lab.stop();
  const db = new Database(lab.db);
  db.exec('DELETE FROM signal');
  db.close();
  how.forEach(([, way, signal, mechanism], i) => {
    const verdict = lab.whoKilled(pids[i] as string);
    assert.equal(verdict.signal.name, signal, way);
    assert.equal(verdict.mechanism, mechanism, way);
    assert.equal(verdict.confidence, 'proven', way);
    assert.equal(verdict.killer, null, way);
    const kill = lab.rows('SELECT mechanism, confidence FROM kills WHERE pid = ?', Number(pids[i]));
    assert.deepEqual(kill, [{ mechanism, confidence: 'proven' }], way);
  });
});

test('what a process sent and was not seen sending names its sender, and proves no call', {
  skip,
}, async t => {
  const lab = Lab.open(t);
  lab.record();
  const victim = await lab.background('/bin/sleep', '1000').running('sleep');
  const sender = lab.inside('send', 'kill', '15', String(victim.pid));
  await victim.end();
  lab.stop();
  const db = new Database(lab.db);
  db.exec('DELETE FROM signal');
  db.close();
  const verdict = lab.whoKilled(victim.pid);
  assert.equal(verdict.confidence, 'incomplete');
  assert.equal(verdict.killer, null);
  assert.match(verdict.explanation, new RegExp(`names process ${sender.facts.get('pid')} \\(uid 0\\)`));
});

test('a thread that takes a signal is told by its id', { skip }, t => {
  const lab = Lab.open(t);
  lab.record();
  const { facts } = lab.inside('threads', 'tgkill', '11');
  lab.stop();
  assert.deepEqual(lab.rows('SELECT pid, tid, action, code FROM deliveries'), [
    { pid: Number(facts.get('pid')), tid: Number(facts.get('tid')), action: 'default', code: -6 },
  ]);
});

test('the threads that a fatal signal takes down, and harmless signals, write nothing', { skip }, async t => {
  const lab = Lab.open(t);
  lab.record();
  const victim = lab.background('threads', 'wait');
  await victim.fact('tid');
  lab.inside('send', 'kill', '9', String(victim.pid));
  await victim.end();
  lab.inside(
    '/bin/sh',
    '-c',
    'trap : CHLD CONT URG WINCH; kill -CONT $$; kill -URG $$; kill -WINCH $$; /bin/true',
  );
  lab.stop();
  assert.deepEqual(lab.rows('SELECT * FROM deliveries'), []);
  const counted = lab.value('SELECT coalesce(sum(lost), 0) FROM recordings');
  assert.equal(counted, 0);
});
