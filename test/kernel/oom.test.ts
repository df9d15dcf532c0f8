/** The kernel runs out of memory and chooses: that is told from a SIGKILL that somebody sent, whatever his reasons were. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Lab, tool } from './lab.js';
import { cannotLimit, limitMemory } from './memory.js';

const skip = cannotLimit;

/** A laboratory that records, and a memory cgroup of 50 MiB with the words that start `oom` in there. */
function open(t: TestContext) {
  const lab = Lab.open(t);
  const memory = limitMemory(t, lab, 50);
  lab.record();
  return { lab, memory, limited: [memory.directory, tool('oom')] as const };
}

test('a process that outgrows its memory cgroup was killed by the kernel, and nobody sent that', {
  skip,
}, t => {
  const { lab, memory, limited } = open(t);
  const grown = lab.inside('cginto', ...limited, '200');
  lab.stop();
  assert.equal(grown.signal, 'SIGKILL');
  const pid = Number(grown.facts.get('pid'));
  const verdict = lab.whoKilled(pid);
  assert.equal(verdict.verdict, 'killed');
  assert.equal(verdict.confidence, 'proven');
  assert.equal(verdict.signal.name, 'SIGKILL');
  assert.equal(verdict.mechanism, 'oom');
  assert.equal(verdict.killer, null);
  assert.equal(verdict.call, null);
  assert.deepEqual(
    lab.rows('SELECT victim_pid, victim_comm, trigger_pid, trigger_comm, memory_cgroup FROM oom_kills'),
    [
      {
        victim_pid: pid,
        victim_comm: 'oom',
        trigger_pid: pid,
        trigger_comm: 'oom',
        memory_cgroup: memory.path,
      },
    ],
  );
  const [held] = lab.rows<Record<'anon_kb' | 'file_kb' | 'shmem_kb' | 'rss_kb', number>>(
    'SELECT anon_kb, file_kb, shmem_kb, rss_kb FROM oom_kills',
  );
  assert.ok(held);
  // The limit is 50 MiB, most of it what the process itself had filled; each counter is some pages a processor behind.
  assert.ok(held.anon_kb > 40 * 1024 && held.anon_kb <= 51 * 1024, JSON.stringify(held));
  // Pages of its program are the file's, or shared memory where that lies on a tmpfs.
  const program = [held.file_kb, held.shmem_kb];
  assert.ok(Math.min(...program) >= 0 && Math.max(...program) < 10 * 1024, JSON.stringify(held));
  assert.equal(held.rss_kb, held.anon_kb + held.file_kb + held.shmem_kb);
  assert.match(verdict.explanation, /; it held (4\d|5[0-9]) MiB of memory then\./);
  const signals = lab.rows(
    'SELECT sender_id, mechanism, count FROM signals WHERE sig = 9 AND target_pid = ?',
    pid,
  );
  assert.deepEqual(signals, [{ sender_id: null, mechanism: 'oom', count: 1 }]);
});

test('shared memory is told apart from what is a process alone', { skip }, t => {
  const { lab, memory } = open(t);
  const grown = lab.inside('cginto', memory.directory, tool('oom'), '200', 'shared');
  lab.stop();
  assert.equal(grown.signal, 'SIGKILL');
  const [held] = lab.rows<Record<'anon_kb' | 'shmem_kb', number>>('SELECT anon_kb, shmem_kb FROM oom_kills');
  assert.ok(held && held.shmem_kb > 40 * 1024 && held.shmem_kb <= 51 * 1024, JSON.stringify(held));
  assert.ok(held.anon_kb < 5 * 1024, JSON.stringify(held));
});

test('who asked for the memory is not the victim, and not the killer', { skip }, async t => {
  const { lab, limited } = open(t);
  const victim = lab.background('cginto', ...limited, '30', 'hold');
  await victim.fact('survived');
  const grower = lab.inside('cginto', ...limited, '35');
  await victim.end();
  lab.stop();
  const verdict = lab.whoKilled(victim.pid);
  assert.equal(verdict.mechanism, 'oom');
  assert.equal(verdict.killer, null);
  assert.equal(verdict.confidence, 'proven');
  // The kernel kills the grower too where the victim's pages come back too late: that is a death of its own, after this one.
  const kills = lab.rows('SELECT victim_pid, trigger_pid, oom_score_adj FROM oom_kills ORDER BY id');
  assert.equal(kills.length, grower.facts.get('survived') === '35' ? 1 : 2);
  const [kill] = kills;
  assert.deepEqual(kill, {
    victim_pid: victim.pid,
    trigger_pid: Number(grower.facts.get('pid')),
    oom_score_adj: 1000,
  });
});

test('a SIGKILL by a daemon that frees memory is a kill by that daemon', { skip }, async t => {
  const { lab, limited } = open(t);
  const victim = lab.background('cginto', ...limited, '45', 'hold');
  await victim.fact('survived');
  const daemon = lab.inside('send', 'kill', '9', String(victim.pid));
  await victim.end();
  lab.stop();
  const verdict = lab.whoKilled(victim.pid);
  assert.equal(verdict.signal.name, 'SIGKILL');
  assert.equal(verdict.mechanism, 'kill');
  assert.equal(verdict.killer.pid, Number(daemon.facts.get('pid')));
  assert.deepEqual(lab.rows('SELECT * FROM oom_kills'), []);
});
