/** However the threads of a process end, its recorded status is the one that wait(2) returned, and it ends once. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cannotRecord, Lab, tool } from './lab.js';

const skip = cannotRecord;
const N = 23;

/** How they end, and the status that wait must have seen; null: the kernel's choice. */
const WAYS: [words: string[], exit_code: number | null, exit_signal: number | null][] = [
  [['leader-exits'], 7, null],
  [['last-exit'], null, null],
  [['at-once'], null, null],
  [['two-groups'], null, null],
  [['exit-group'], 9, null],
  [['exec'], 0, null],
  [['exec', '/bin/sh', '-c', 'exit 3'], 3, null],
  [['exec', '/bin/sh', '-c', 'kill -KILL $$'], null, 9],
  [['tgkill'], null, 15],
  [['tgkill', '9'], null, 9],
  [['tgkill', '11'], null, 11],
];

test(`the status of ${N} threaded processes of each kind is what waitpid returned for each`, { skip }, t => {
  const lab = Lab.open(t);
  lab.record();
  const runs = WAYS.map(([words, exit_code, exit_signal]) => {
    const { facts } = lab.inside('again', String(N), tool('threads'), ...words);
    const ends = (facts.get('end') as string).split(' ').map(end => end.split(':').map(Number));
    return { how: words.join(' '), ends, exit_code, exit_signal };
  });
  lab.stop();
  for (const { how, ends, exit_code, exit_signal } of runs) {
    assert.equal(ends.length, N, how);
    for (const [pid, status] of ends as [number, number][]) {
      const waited = {
        exit_code: (status & 127) === 0 ? status >> 8 : null,
        exit_signal: status & 127 || null,
        core_dumped: (status >> 7) & 1,
      };
      const rows = lab.rows('SELECT exit_code, exit_signal, core_dumped FROM processes WHERE pid = ?', pid);
      assert.deepEqual(rows, [waited], `${how} ${pid}`);
      assert.equal(lab.value('SELECT count(*) FROM exits WHERE pid = ?', pid), 1, how);
      if (exit_code !== null) assert.equal(waited.exit_code, exit_code, how);
      assert.equal(waited.exit_signal, exit_signal, how);
    }
  }
});

test('a lethal signal to one thread ends the process, and is told as the cause, aimed at that thread', {
  skip,
}, t => {
  const lab = Lab.open(t);
  lab.record();
  const { facts } = lab.inside('threads', 'tgkill', '15');
  lab.stop();
  const verdict = lab.whoKilled(facts.get('pid') as string);
  assert.equal(verdict.mechanism, 'tgkill');
  assert.equal(verdict.confidence, 'proven');
  const [row] = lab.rows('SELECT target_pid, target_tid FROM signals WHERE sig = 15');
  assert.deepEqual(row, { target_pid: Number(facts.get('pid')), target_tid: Number(facts.get('tid')) });
});
