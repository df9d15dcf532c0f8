/** Whose child a process was when it was made, and whose when it ended. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cannotRecord, Lab, type Outcome } from './lab.js';

const skip = cannotRecord;
const N = 23;

/** The parents at creation and the reapers of the children that `orphan` told of, as recorded. */
function orphans(lab: Lab, { facts }: Outcome): { ppid: number; reaper_pid: number | null }[] {
  const children = (facts.get('child') as string).split(' ').map(Number);
  assert.equal(children.length, N);
  return children.map(pid => {
    const [row, ...others] = lab.rows<{ ppid: number; reaper_pid: number | null }>(
      'SELECT ppid, reaper_pid FROM processes WHERE pid = ?',
      pid,
    );
    assert.ok(row && others.length === 0, `process ${pid} is there once`);
    return row;
  });
}

test('23 orphans keep the parent that made them, and are told with the one that took them in', {
  skip,
}, t => {
  const lab = Lab.open(t);
  lab.record();
  for (const words of [[String(N)], [String(N), 'init']]) {
    const ended = lab.inside('orphan', ...words);
    const of = (key: string) => (ended.facts.get(key) as string).split(' ').map(Number);
    if (words.length === 1) assert.deepEqual([...new Set(of('reaper'))], of('pid'));
    lab.snooprec('stop');
    const expected = of('parent').map((ppid, i) => ({ ppid, reaper_pid: of('reaper')[i] }));
    assert.deepEqual(orphans(lab, ended), expected);
    const known = lab.value(
      'SELECT count(*) FROM processes p JOIN processes r ON r.id = p.reaper_id WHERE p.reaper_comm = r.comm',
    ) as number;
    assert.ok(known >= N);
    lab.record();
  }
  lab.stop();
});

test('23 children that their own parent waited for have no other reaper', { skip }, t => {
  const lab = Lab.open(t);
  lab.record();
  const { facts } = lab.inside('forks', String(N));
  lab.stop();
  const rows = lab.rows('SELECT reaper_id FROM processes WHERE ppid = ?', Number(facts.get('pid')));
  assert.deepEqual(rows, Array(N).fill({ reaper_id: null }));
});
