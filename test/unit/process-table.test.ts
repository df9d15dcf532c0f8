import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Process, ProcessTable } from '../../recorder/process-table.js';

const S = 1_000_000; // microseconds
const GRACE = 30 * S;

function end(table: ProcessTable, process: Process, at: number): void {
  process.ended = at;
  table.ended(process);
}

test('a process is found by pid and start, never by its pid alone', () => {
  const table = new ProcessTable(1);
  const process = table.add(100, 5, 0, 'fork');
  assert.equal(table.find(100, 5), process);
  assert.equal(table.find(100, 6), null);
  assert.equal(table.find(101, 5), null);
});

test('a pid that is used again: both processes are found, the older one ended unseen', () => {
  const table = new ProcessTable(1);
  const older = table.add(100, 5, 1 * S, 'fork');
  const younger = table.add(100, 9, 2 * S, 'fork');
  assert.equal(table.find(100, 5), older);
  assert.equal(table.find(100, 9), younger);
  assert.equal(table.bearer(100), younger);
  assert.equal(older.unseenEnd, 2 * S);
  assert.equal(older.ended, null);
  assert.deepEqual(table.dirty, [older]);
});

test('an older process that was seen to end keeps its end', () => {
  const table = new ProcessTable(1);
  const older = table.add(100, 5, 1 * S, 'fork');
  end(table, older, 1.5 * S);
  table.add(100, 9, 2 * S, 'fork');
  assert.deepEqual([older.ended, older.unseenEnd], [1.5 * S, null]);
});

test('an older life met late takes its place behind the younger, as one that ended unseen', () => {
  const table = new ProcessTable(1);
  const younger = table.add(100, 9, 2 * S, 'fork');
  const older = table.add(100, 5, 1 * S, 'repaired');
  assert.equal(table.bearer(100), younger);
  assert.equal(table.find(100, 5), older);
  assert.equal(older.unseenEnd, 2 * S);
  assert.equal(younger.unseenEnd, null);
  table.clearDirty();
  table.expire(2 * S + GRACE + 1);
  assert.equal(table.find(100, 5), null);
  assert.equal(table.find(100, 9), younger);
});

test('who bears a pid is nobody after the end, seen or unseen', () => {
  const table = new ProcessTable(1);
  const process = table.add(100, 5, 0, 'fork');
  end(table, process, 1);
  assert.equal(table.bearer(100), null);
  const gone = table.add(101, 5, 0, 'fork');
  gone.unseenEnd = 1;
  table.ended(gone);
  assert.equal(table.bearer(101), null);
  assert.deepEqual([...table.living()], []);
});

test('the dead stay for a grace time, then they are forgotten', () => {
  const table = new ProcessTable(1);
  const process = table.add(100, 5, 0, 'fork');
  end(table, process, 10 * S);
  table.expire(10 * S + GRACE);
  assert.equal(table.find(100, 5), process);
  table.expire(10 * S + GRACE + 1);
  assert.equal(table.find(100, 5), null);
  assert.equal(table.size, 0);
});

test('a living process is never forgotten', () => {
  const table = new ProcessTable(1);
  const process = table.add(100, 5, 0, 'fork');
  table.expire(Number.MAX_SAFE_INTEGER);
  assert.equal(table.find(100, 5), process);
});

test('of very many dead the oldest are forgotten early', () => {
  const table = new ProcessTable(1);
  for (let pid = 1; pid <= 20_100; pid++) end(table, table.add(pid, pid, 0, 'fork'), 5 * S);
  table.expire(5 * S);
  assert.equal(table.size, 20_000);
  assert.equal(table.find(100, 100), null);
  assert.ok(table.find(101, 101));
});

test('a dead process that the database told of is forgotten in its turn', () => {
  const table = new ProcessTable(1);
  const archived = new Process(7, 100, 5, 0, 'fork');
  archived.ended = 1;
  table.restore(archived);
  assert.equal(table.find(100, 5), archived);
  table.expire(GRACE + 2);
  assert.equal(table.find(100, 5), null);
});

test('many lives of one pid are told apart, and forgotten one by one', () => {
  const table = new ProcessTable(1);
  const lives = Array.from({ length: 50 }, (_, i) => table.add(100, 10 + i, i * S, 'fork'));
  for (const [i, life] of lives.entries()) {
    assert.equal(table.find(100, 10 + i), life);
    assert.equal(life.unseenEnd, i < 49 ? (i + 1) * S : null);
  }
  table.expire(20 * S + GRACE + 1); // those that ended by second 20
  assert.deepEqual(
    lives.map(life => table.find(100, life.start) !== null),
    lives.map((_, i) => i >= 20),
  );
});

test('ids grow from the first that is free, one each', () => {
  const table = new ProcessTable(1000);
  assert.deepEqual(
    [table.add(1, 1, 0, 'fork').id, table.add(2, 1, 0, 'fork').id, table.add(1, 2, 0, 'fork').id],
    [1000, 1001, 1002],
  );
});

test('a process that changes twice waits once', () => {
  const table = new ProcessTable(1);
  const process = table.add(100, 5, 0, 'fork');
  assert.deepEqual(table.dirty, []);
  table.changed(process);
  table.changed(process);
  assert.deepEqual(table.dirty, [process]);
  table.clearDirty();
  assert.deepEqual(table.dirty, []);
  table.changed(process);
  assert.deepEqual(table.dirty, [process]);
});

test('in whatever order the lives of a pid are met, each is found and only the youngest lives', () => {
  const starts = fc.uniqueArray(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(starts, order => {
      const table = new ProcessTable(1);
      for (const start of order) table.add(100, start, start * S, 'repaired');
      const youngest = Math.max(...order);
      for (const start of order) {
        const process = table.find(100, start);
        assert.equal(process?.start, start);
        assert.equal(process?.unseenEnd !== null, start !== youngest);
      }
      assert.equal(table.bearer(100)?.start, youngest);
      table.clearDirty();
      table.expire(200 * S + GRACE);
      assert.deepEqual(
        order.filter(start => table.find(100, start)),
        [youngest],
      );
    }),
  );
});
