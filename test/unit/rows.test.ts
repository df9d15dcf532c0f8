import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NULL, Rows } from '../../recorder/rows.js';
import { defineTable } from '../../recorder/table.js';

const COUNT = 1;
const SAME_FROM = 2;

/** Rows that are folded from the column `a` on. */
const folding = (capacity: number) =>
  new Rows(defineTable('t', ['time', 'count', 'a', 'b', 'c'], {}, capacity, 'a'), 1);
const distinct = (capacity: number) =>
  new Rows(defineTable('t', ['time', 'count', 'a', 'b', 'c'], {}, capacity), 1);

/** Adds a row as the events do: counts it in an equal one, or with 1. Returns its index. */
function add(rows: Rows, time: number, ...same: number[]): number {
  const fresh = rows.length;
  rows.set(0, time);
  rows.set(COUNT, 1);
  same.forEach((value, i) => {
    rows.set(SAME_FROM + i, value);
  });
  const row = rows.add();
  if (row !== fresh) rows.put(row, COUNT, rows.get(row, COUNT) + 1);
  return row;
}

test('equal rows are folded into the first', () => {
  const rows = folding(10);
  assert.equal(add(rows, 100, 1, 2, 3), 0);
  assert.equal(add(rows, 101, 1, 2, 3), 0);
  assert.equal(add(rows, 102, 1, 2, 3), 0);
  assert.equal(rows.length, 1);
  assert.equal(rows.get(0, COUNT), 3);
  assert.equal(rows.get(0, 0), 100);
});

test('rows that differ in any one column are kept apart', () => {
  const rows = folding(10);
  add(rows, 100, 1, 2, 3);
  assert.equal(add(rows, 100, 9, 2, 3), 1);
  assert.equal(add(rows, 100, 1, 9, 3), 2);
  assert.equal(add(rows, 100, 1, 2, 9), 3);
  assert.equal(rows.length, 4);
});

test('columns with the same hash are not taken for equal', () => {
  const rows = folding(10);
  add(rows, 0, 1, 0, 0);
  add(rows, 0, 1 + 2 ** 32, 0, 0); // the same low half
  add(rows, 0, NULL, 0, 0); // its low half is 1 too
  add(rows, 0, 1.25, 0, 0);
  assert.equal(rows.length, 4);
});

test('NULL equals NULL, differs from every number, and is copied as null', () => {
  const rows = folding(10);
  assert.equal(add(rows, 1, NULL, 2, NULL), 0);
  assert.equal(add(rows, 2, NULL, 2, NULL), 0);
  assert.equal(add(rows, 3, 0, 2, NULL), 1);
  assert.equal(add(rows, 4, -1, 2, NULL), 2);
  const out: (number | null)[] = [];
  rows.copy([0, 1, 2, 3, 4], 0, 1, out);
  assert.deepEqual(out, [1, 1, 2, null, 2, null], 'the id comes first');
});

test('a table that never folds keeps equal rows', () => {
  const rows = distinct(10);
  assert.equal(add(rows, 1, 1, 1, 1), 0);
  assert.equal(add(rows, 1, 1, 1, 1), 1);
  assert.equal(rows.length, 2);
});

test('copy takes rows from the middle, and the columns that are asked for', () => {
  const rows = new Rows(defineTable('t', ['a', 'b'], {}, 10), 1);
  for (let i = 0; i < 5; i++) {
    rows.set(0, i);
    rows.set(1, i === 3 ? NULL : -i);
    rows.add();
  }
  const out: (number | null)[] = [];
  rows.copy([0, 1], 2, 2, out);
  assert.deepEqual(out, [3, 2, -2, 4, 3, null], 'the id comes first');
  out.length = 0;
  rows.copy([1], 1, 2, out);
  assert.deepEqual(out, [2, -1, 3, -2]);
  assert.deepEqual(
    [rows.areNull([1], 3, 1), rows.areNull([1], 2, 2), rows.areNull([0, 1], 3, 1), rows.areNull([], 0, 5)],
    [true, false, false, true],
  );
});

test('clear forgets the rows, and folds nothing into them', () => {
  const rows = folding(10);
  add(rows, 1, 1, 2, 3);
  add(rows, 1, 4, 5, 6);
  rows.clear();
  assert.equal(rows.length, 0);
  assert.equal(add(rows, 2, 4, 5, 6), 0);
  assert.equal(add(rows, 2, 1, 2, 3), 1);
  assert.equal(rows.get(0, COUNT), 1);
});

test('ids grow by one a row, on over every batch, and folded rows use none', () => {
  const rows = folding(10);
  for (const value of [1, 2, 2, 3]) add(rows, 1, value, 0, 0);
  assert.equal(rows.firstId, 1);
  rows.clear();
  assert.equal(rows.firstId, 4);
});

test('rows are full at their capacity, and an equal one still folds then', () => {
  const rows = folding(3);
  for (let i = 0; i < 3; i++) {
    assert.equal(rows.isFull, false);
    add(rows, i, i, 0, 0);
  }
  assert.equal(rows.isFull, true);
  assert.equal(add(rows, 9, 1, 0, 0), 1);
  assert.equal(rows.length, 3);
  assert.equal(rows.get(2, SAME_FROM), 2);
});

test('the counts add up to the adds, and each distinct key has exactly one row', () => {
  const value = fc.oneof(
    fc.integer({ min: -3, max: 3 }),
    fc.constantFrom(NULL, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1, -(2 ** 31)),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(value, value, value), { maxLength: 400 }), keys => {
      const rows = folding(500);
      for (const [time, key] of keys.entries()) add(rows, time, ...key);
      const expected = new Map<string, number>();
      for (const key of keys) expected.set(key.join(), (expected.get(key.join()) ?? 0) + 1);
      const found = Array.from({ length: rows.length }, (_, row): [string, number] => [
        [2, 3, 4].map(column => rows.get(row, column)).join(),
        rows.get(row, COUNT),
      ]);
      assert.deepEqual(found, [...expected]);
    }),
    { numRuns: 300 },
  );
});

test('a full batch of distinct rows is still told apart', () => {
  const rows = folding(20_000);
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 20_000; i++) add(rows, i, i % 100, Math.floor(i / 100), 7);
  }
  assert.equal(rows.length, 20_000);
  assert.ok(Array.from({ length: 20_000 }, (_, row) => rows.get(row, COUNT)).every(count => count === 2));
});
