import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpenCalls } from '../../recorder/open-calls.js';

test('all targets of one call share the number of its first row, and the next call has another', () => {
  const calls = new OpenCalls();
  assert.deepEqual([calls.of(100, 7), calls.of(100, 8), calls.of(100, 9)], [7, 7, 7]);
  calls.close(100);
  assert.equal(calls.of(100, 10), 10);
});

test('two threads are in two calls', () => {
  const calls = new OpenCalls();
  assert.deepEqual([calls.of(100, 1), calls.of(101, 2), calls.of(100, 3)], [1, 2, 1]);
});

test('closing a call that was never seen is nothing', () => {
  const calls = new OpenCalls();
  calls.close(5);
  assert.equal(calls.of(5, 1), 1);
});
