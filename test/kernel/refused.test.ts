/** Calls that sent nothing: what the kernel answered, and which process they were aimed at, if there was one. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { cannotRecord, Lab, tool } from './lab.js';

const skip = cannotRecord;
const N = 23;
const CALLS = ['kill', 'tkill', 'tgkill', 'rt_sigqueueinfo', 'rt_tgsigqueueinfo', 'pidfd_send_signal'];
/** Becomes nobody, and sends. */
const AS_NOBODY = ['--reuid=65534', '--regid=65534', '--clear-groups', tool('send')];

test('23 calls that are not permitted name the process that they were aimed at, by any of the six', {
  skip,
}, async t => {
  const lab = Lab.open(t);
  lab.record();
  const victim = await lab.background('/bin/sleep', '1000').running('sleep');
  for (const call of CALLS) {
    const sender = lab.inside('/usr/bin/setpriv', ...AS_NOBODY, call, '9', String(victim.pid), String(N));
    assert.equal(sender.facts.get('EPERM'), String(N), call + sender.stdout);
  }
  lab.stop();
  const rows = lab.rows(
    `SELECT mechanism, outcome, sender_uid, target_pid, target_comm, sum(count) AS n FROM signals
     WHERE sig = 9 AND outcome <> 'delivered' GROUP BY 1, 2, 3, 4, 5`,
  );
  const expected = {
    outcome: 'EPERM',
    sender_uid: 65534,
    target_pid: victim.pid,
    target_comm: 'sleep',
    n: N,
  };
  assert.deepEqual(
    rows,
    [...CALLS].sort().map(mechanism => ({ mechanism, ...expected })),
  );
});

test('23 probes of a process that may not be signalled name it too', { skip }, async t => {
  const lab = Lab.open(t);
  lab.record();
  const victim = await lab.background('/bin/sleep', '1000').running('sleep');
  lab.inside('/usr/bin/setpriv', ...AS_NOBODY, 'pidfd_send_signal', '0', String(victim.pid), String(N));
  lab.inside('send', 'pidfd_send_signal', '0', String(victim.pid), String(N));
  lab.stop();
  const rows = lab.rows(
    'SELECT outcome, target_pid, sum(count) AS n FROM signals WHERE sig = 0 GROUP BY 1, 2 ORDER BY 1',
  );
  assert.deepEqual(rows, [
    { outcome: 'EPERM', target_pid: victim.pid, n: N },
    { outcome: 'probe', target_pid: victim.pid, n: N },
  ]);
});

test('a call that found nobody names nobody, even where somebody had that pid before', { skip }, t => {
  const lab = Lab.open(t);
  lab.record();
  const script = `/bin/true & gone=$!; wait; echo gone=$gone
    for call in ${CALLS.join(' ')}; do ${tool('send')} $call 15 $gone ${N}; done`;
  const ended = lab.inside('/bin/sh', '-c', script);
  lab.stop();
  assert.equal(ended.facts.get('ESRCH'), CALLS.map(() => N).join(' '), ended.stdout);
  const rows = lab.rows(
    "SELECT mechanism, target_id, sum(count) AS n FROM signals WHERE outcome = 'ESRCH' GROUP BY 1, 2",
  );
  assert.deepEqual(
    rows,
    [...CALLS].sort().map(mechanism => ({ mechanism, target_id: null, n: N })),
  );
});

test('a refused call in a pid namespace names the process of the host, or none, never a wrong one', {
  skip,
}, t => {
  const lab = Lab.open(t);
  lab.record();
  const script = `sleep 1000 & inner=$!; echo inner=$inner
    for call in ${CALLS.join(' ')}; do setpriv ${AS_NOBODY.join(' ')} $call 15 $inner ${N}; done; kill -9 $inner`;
  const ended = lab.inside('/usr/bin/unshare', '--pid', '--fork', '/bin/sh', '-c', script);
  lab.stop();
  assert.equal(ended.facts.get('EPERM'), CALLS.map(() => N).join(' '), ended.stdout);
  const inner = Number(ended.facts.get('inner'));
  const victim = lab.value("SELECT pid FROM processes WHERE comm = 'sleep' AND ns_pid = ?", inner) as number;
  assert.notEqual(victim, inner);
  const rows = lab.rows(
    `SELECT mechanism, target_arg = ? AS by_number, target_pid, sum(count) AS n FROM signals
     WHERE outcome = 'EPERM' AND sig = 15 GROUP BY 1, 2, 3`,
    inner,
  );
  const translates = readFileSync('/proc/kallsyms', 'utf8').includes(' bpf_task_from_vpid');
  assert.deepEqual(
    rows,
    [...CALLS].sort().map(mechanism => {
      const isDescriptor = mechanism === 'pidfd_send_signal';
      const target_pid = isDescriptor || translates ? victim : null;
      return { mechanism, by_number: isDescriptor ? 0 : 1, target_pid, n: N };
    }),
  );
});
