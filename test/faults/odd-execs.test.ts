/** F33 and F34: arguments that are too long, too many or none, and processes that are gone before anybody could look. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cannotRecord, Lab } from '../kernel/lab.js';
import { assertLedger, recorderPid } from './recorder.js';

const skip = cannotRecord;

interface Exec {
  filename: string;
  args: string;
  args_truncated: number;
  args_bytes: number;
  result: string;
}

/** The one exec of /bin/true that a process of `bigargs` did. */
function execOf(lab: Lab, pid: string | undefined): Exec & { list: string[] } {
  const rows = lab.rows<Exec>("SELECT * FROM execs WHERE pid = ? AND filename = '/bin/true'", Number(pid));
  assert.equal(rows.length, 1);
  const [row] = rows as [Exec];
  return { ...row, list: JSON.parse(row.args) as string[] };
}

for (const [kept, options] of [
  [32 << 10, []],
  [128 << 10, ['--args-bytes', '128K']],
] as const) {
  test(`F33: of 2 MB of arguments and of 100,000 of them the first ${kept} bytes are kept, and the full length`, {
    skip,
  }, t => {
    const lab = Lab.open(t);
    lab.record(...options);
    const long = lab.inside('bigargs', 'long', '2000000');
    const many = lab.inside('bigargs', 'many', '100000');
    lab.stop();
    for (const { facts } of [long, many]) {
      const exec = execOf(lab, facts.get('pid'));
      assert.equal(exec.result, 'ok');
      assert.equal(exec.args_truncated, 1);
      assert.equal(exec.args_bytes, Number(facts.get('bytes')));
      const bytes = exec.list.reduce((sum, arg) => sum + arg.length + 1, 0);
      assert.ok(bytes >= kept && bytes <= kept + 1, `${bytes} bytes kept`);
      assert.equal(exec.list[0], 'true');
    }
    const numbers = execOf(lab, many.facts.get('pid')).list;
    assert.deepEqual(numbers.slice(1, -1), Object.keys(numbers).slice(1, -1));
    assertLedger(lab);
    t.diagnostic(`kept ${kept} of ${long.facts.get('bytes')} bytes, ${numbers.length} of 100,000 arguments`);
  });
}

test('F33: an exec without any argument, with an empty one, and one that is refused for its length', {
  skip,
}, t => {
  const lab = Lab.open(t);
  lab.record();
  const pid = (...args: string[]) => lab.inside('bigargs', ...args).facts.get('pid');
  const empty = pid('empty');
  const none = pid('none');
  const missing = pid('null');
  const tooLong = lab.inside('bigargs', 'toolong', '200000');
  lab.stop();
  for (const nothing of [empty, none, missing]) {
    // Without a name the kernel gives an empty one since Linux 5.18 (fs/exec.c, do_execveat_common).
    const exec = execOf(lab, nothing);
    assert.deepEqual(exec.list, ['']);
    assert.deepEqual([exec.result, exec.args_truncated, exec.args_bytes], ['ok', 0, 1]);
  }
  assert.equal(tooLong.facts.get('errno'), 'E2BIG');
  const refused = execOf(lab, tooLong.facts.get('pid'));
  assert.equal(refused.result, 'E2BIG');
  assert.equal(refused.args_truncated, 1, 'what was cut is said to be');
  assertLedger(lab);
});

test('F34: processes that are gone before the recorder looks are recorded whole', { skip }, async t => {
  const lab = Lab.open(t);
  lab.record();
  const pid = recorderPid(lab);
  process.kill(pid, 'SIGSTOP');
  let spawner: string | undefined;
  try {
    spawner = lab.inside('spawn', '2000', '/bin/true', 'one', 'two words').facts.get('pid');
    lab.inside('/bin/sh', '-c', 'cd /usr; i=0; while [ $i -lt 200 ]; do /bin/true "$i"; i=$((i+1)); done');
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  lab.stop();
  assert.equal(assertLedger(lab).lost, 0);
  const whole = `SELECT count(*) FROM execs e JOIN processes p ON p.id = e.process_id
    WHERE e.comm = 'true' AND e.exe LIKE '%/true' AND e.filename = '/bin/true' AND e.uid = 0 AND e.ppid = p.ppid
      AND p.origin = 'fork' AND p.ended_us >= e.time_us AND p.exit_code = 0 AND p.cgroup = e.cgroup
      AND e.cgroup = ? AND e.cwd = ? AND e.args `;
  const cgroup = `/${lab.cgroup.split('/').at(-1)}`;
  assert.equal(
    lab.value(
      `${whole} = '["/bin/true","one","two words"]' AND e.ppid = ?`,
      cgroup,
      lab.directory,
      Number(spawner),
    ),
    2_000,
  );
  assert.equal(lab.value(`${whole} LIKE '["/bin/true","%"]' AND e.parent_comm = 'sh'`, cgroup, '/usr'), 200);
});
