/** "Did you mean": near words are found, far ones are not. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { didYouMean, distance, nearest } from '../../query/suggest.js';

const SIGNALS = ['HUP', 'INT', 'KILL', 'TERM', 'STOP', 'TSTP', 'USR1', 'USR2'];

test('a slip of one letter is found, whatever the case', () => {
  for (const word of ['KIL', 'kil', 'KLIL', 'KILLL', 'KIIL'])
    assert.deepEqual(nearest(word, SIGNALS), ['KILL'], word);
  assert.deepEqual(nearest('USR', SIGNALS), ['USR1', 'USR2']);
  assert.equal(didYouMean('USR', SIGNALS), 'did you mean USR1 or USR2?');
});

test('a word that is near to none gets no guess', () => {
  assert.deepEqual(nearest('WHATEVER', SIGNALS), []);
  assert.equal(didYouMean('', SIGNALS), undefined);
});

test('distance is none for the same word, symmetric, and at most the longer length', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
      assert.equal(distance(a, a), 0);
      assert.equal(distance(a, b), distance(b, a));
      assert.ok(distance(a, b) <= Math.max(a.length, b.length));
      assert.ok(distance(a, b) >= Math.abs(a.length - b.length));
    }),
  );
});
