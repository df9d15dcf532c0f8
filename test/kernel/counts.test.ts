/** Do 23 of a thing, see exactly 23; do 10,000, see exactly 10,000; and nothing goes missing uncounted. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cannotRecord, Lab, orLess, tool } from './lab.js';

const skip = cannotRecord;
const TRUES = orLess(10_000, 211);
const PROBES = orLess(2_000_000, 20_011);
const CALLS = orLess(
  ['kill', 'tkill', 'tgkill', 'rt_sigqueueinfo', 'rt_tgsigqueueinfo', 'pidfd_send_signal'],
  ['kill', 'tgkill', 'pidfd_send_signal'],
);

for (const call of CALLS) {
  test(`23 signals by ${call} are 23 signals`, { skip }, async t => {
    const lab = Lab.open(t);
    lab.record();
    const victims = lab.background('victims', '1', 'handle', '10');
    const pid = await victims.fact('pids');
    const sender = lab.inside('send', call, '10', pid, '23');
    lab.stop();
    assert.equal(sender.facts.get('ok'), '23');
    const [row] = lab.rows(
      'SELECT sum(count) AS n, min(mechanism) AS first, max(mechanism) AS last FROM signals WHERE sig = 10 AND target_pid = ?',
      Number(pid),
    );
    assert.deepEqual(row, { n: 23, first: call, last: call });
  });

  test(`23 refused calls of ${call} are 23 attempts with their errno`, { skip }, t => {
    const lab = Lab.open(t);
    lab.record();
    const sender = lab.inside('send', call, '15', '4194303', '23');
    lab.stop();
    assert.equal(sender.facts.get('ESRCH'), '23', sender.stdout);
    const [row] = lab.rows(
      'SELECT sum(count) AS n, min(outcome) AS outcome FROM signals WHERE mechanism = ? AND sig = 15',
      call,
    );
    assert.deepEqual(row, { n: 23, outcome: 'ESRCH' });
  });

  test(`23 probes by ${call} with signal 0 are 23 probes`, { skip }, t => {
    const lab = Lab.open(t);
    lab.record();
    const sender = lab.inside('send', call, '0', 'self', '23');
    lab.stop();
    assert.equal(sender.facts.get('ok'), '23', sender.stdout);
    const rows = lab.rows(
      'SELECT outcome, sum(count) AS n FROM signals WHERE mechanism = ? AND sig = 0 GROUP BY 1',
      call,
    );
    assert.deepEqual(rows, [{ outcome: 'probe', n: 23 }]);
  });
}

test('an invalid signal is refused with EINVAL', { skip }, t => {
  const lab = Lab.open(t);
  lab.record();
  lab.inside('send', 'kill', '99', 'self', '23');
  lab.stop();
  const [row] = lab.rows('SELECT sum(count) AS n, signal, outcome FROM signals WHERE sig = 99');
  assert.deepEqual(row, { n: 23, signal: '99', outcome: 'EINVAL' });
});

test('EPERM keeps who was meant', { skip }, async t => {
  const lab = Lab.open(t);
  lab.record();
  const victim = await lab.background('/bin/sleep', '1000').running('sleep');
  lab.inside(
    '/usr/bin/setpriv',
    '--reuid=65534',
    '--clear-groups',
    tool('send'),
    'kill',
    '9',
    String(victim.pid),
    '23',
  );
  lab.stop();
  const [row] = lab.rows(
    "SELECT sum(count) AS n, target_pid, sender_uid FROM signals WHERE outcome = 'EPERM'",
  );
  assert.deepEqual(row, { n: 23, target_pid: victim.pid, sender_uid: 65534 });
});

test('signals that are ignored or already pending are told apart from delivered ones', { skip }, async t => {
  const lab = Lab.open(t);
  lab.record();
  const ignoring = await lab.background('victims', '1', 'ignore', '10').fact('pids');
  const blocking = await lab.background('victims', '1', 'block', '10').fact('pids');
  lab.inside('send', 'kill', '10', ignoring, '23');
  lab.inside('send', 'kill', '10', blocking, '23');
  lab.stop();
  const outcomes = (pid: string) =>
    lab.rows(
      'SELECT outcome, sum(count) AS n FROM signals WHERE sig = 10 AND target_pid = ? GROUP BY 1 ORDER BY 1',
      Number(pid),
    );
  assert.deepEqual(outcomes(ignoring), [{ outcome: 'ignored', n: 23 }]);
  assert.deepEqual(outcomes(blocking), [
    { outcome: 'delivered', n: 1 },
    { outcome: 'pending', n: 22 },
  ]);
});

test(`${TRUES} /bin/true under \`snooprec run\` are ${TRUES} execs and ${TRUES} exits with their args`, {
  skip,
}, t => {
  const lab = Lab.open(t);
  const run = lab.snooprec(
    'run',
    '--db',
    lab.db,
    '--',
    '/bin/sh',
    '-c',
    `i=0; while [ $i -lt ${TRUES} ]; do /bin/true $i; i=$((i+1)); done`,
  );
  assert.equal(run.status, 0, run.stderr);
  const trues = "FROM execs WHERE comm = 'true' AND result = 'ok'";
  assert.equal(lab.value(`SELECT count(*) ${trues}`), TRUES);
  assert.equal(lab.value(`SELECT count(DISTINCT json_extract(args, '$[1]')) ${trues}`), TRUES);
  assert.equal(lab.value(`SELECT sum(json_array_length(args)) ${trues}`), 2 * TRUES);
  assert.equal(lab.value("SELECT count(*) FROM exits WHERE comm = 'true' AND exit_code = 0"), TRUES);
  const [totals] = lab.rows(
    'SELECT seen, stored + folded + lost + malformed + shed AS told, lost FROM recordings',
  );
  assert.deepEqual(totals, { seen: totals?.['seen'], told: totals?.['seen'], lost: 0 });
});

test(`a storm of ${PROBES} kill(self, 0) is counted to the last one`, { skip }, t => {
  const lab = Lab.open(t);
  const run = lab.snooprec('run', '--db', lab.db, '--', tool('storm'), String(PROBES), '0', 'self');
  assert.equal(run.status, 0, run.stderr);
  const recorded = lab.value("SELECT coalesce(sum(count), 0) FROM signals WHERE outcome = 'probe'") as number;
  const [totals] =
    lab.rows<Record<'seen' | 'stored' | 'folded' | 'lost' | 'malformed' | 'shed', number>>(
      'SELECT * FROM recordings',
    );
  assert.ok(totals);
  const { seen, stored, folded, lost, malformed, shed } = totals;
  assert.equal(seen, stored + folded + lost + malformed + shed);
  assert.equal(malformed + shed, 0);
  // A record of another kind may be lost among them.
  const missing = lab.value(
    "SELECT coalesce(sum(count), 0) FROM coverages WHERE kind = 'lost' AND event = 'attempt'",
  ) as number;
  t.diagnostic(`lost ${missing} of ${PROBES}, and ${lost - missing} others`);
  assert.equal(recorded + missing, PROBES);
});
