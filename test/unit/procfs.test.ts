import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseStat, processFacts } from '../../recorder/procfs.js';

/** The fields of proc(5) behind the name: state, ppid, … up to starttime and some more. */
const FIELDS = 'S 41 42 42 34816 42 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1000 200 18446744073709551615';

function stat(comm: string | Buffer): Buffer {
  return Buffer.concat([Buffer.from('42 ('), Buffer.from(comm), Buffer.from(`) ${FIELDS}\n`)]);
}

test('the parent and the start time are read from behind the name', () => {
  const { comm, ppid, startTicks } = parseStat(stat('bash'));
  assert.deepEqual([comm.toString(), ppid, startTicks], ['bash', 41, 987654]);
});

test('a process whose main thread ended, or is about to, is told from one that lives', () => {
  const isEnding = (fields: string) => parseStat(Buffer.from(`42 (a) R) ${fields}\n`)).isEnding;
  assert.equal(isEnding(FIELDS), false);
  assert.equal(isEnding(FIELDS.replace('S', 'Z')), true);
  assert.equal(isEnding(FIELDS.replace('S', 'X')), true);
  assert.equal(isEnding(FIELDS.replace('4194560', String(4194560 | 0x4))), true);
});

test('a name may hold brackets, spaces and line ends', () => {
  for (const name of ['a) b (c', ')', '(', ') R 1 2 3', 'a\nb', '', '((sd-pam))', 'x) S 1']) {
    const { comm, ppid, startTicks } = parseStat(stat(name));
    assert.deepEqual([comm.toString(), ppid, startTicks], [name, 41, 987654], name);
  }
});

test('a name may be any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 15 }), name => {
      const { comm, ppid } = parseStat(stat(Buffer.from(name)));
      assert.deepEqual(comm, Buffer.from(name));
      assert.equal(ppid, 41);
    }),
  );
});

test('this very process is found, under its pid and its start time only', () => {
  const facts = processFacts(process.pid, null);
  assert.ok(facts);
  assert.equal(facts.ppid, process.ppid);
  assert.equal(facts.uid, process.getuid?.());
  assert.equal(facts.exe.toString(), process.execPath);
  assert.ok(facts.cmdline.at(-1) === 0);
  assert.ok(processFacts(process.pid, facts.startNs + 9_999_999), 'the same hundredth of a second');
  assert.equal(processFacts(process.pid, facts.startNs + 10_000_000), null);
  assert.equal(processFacts(process.pid, facts.startNs - 1), null);
});

test('a pid that nobody bears is not known', () => {
  assert.equal(processFacts(2 ** 22 + 1, null), null);
  assert.equal(processFacts(-1, null), null);
});
