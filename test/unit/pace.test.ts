/** How long the recorder rests between two looks at the lanes. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Pace } from '../../recorder/pace.js';

const MIB = 1 << 20;

interface Room {
  bytes: number;
  position: number;
}

/** Two lanes and a clock, all set by hand. */
function scene() {
  const lanes = [
    { bytes: 4 * MIB, position: 0 },
    { bytes: 16 * MIB, position: 0 },
  ] as [Room, Room];
  const clock = { ms: 1000 };
  const pace = new Pace(lanes, () => clock.ms);
  return { lethal: lanes[0], bulk: lanes[1], clock, pace };
}

test('with little to do it rests twice as long each time, up to as long as it may', () => {
  const { bulk, clock, pace } = scene();
  for (const rest of [4, 8, 16, 20, 20]) {
    assert.equal(pace.rest(), rest);
    clock.ms += rest;
    bulk.position += 1000;
  }
});

test('in a storm it comes back when an eighth of the lane is full', () => {
  const { lethal, bulk, clock, pace } = scene();
  for (let i = 0; i < 4; i++) pace.rest();
  clock.ms += 10;
  bulk.position += 2 * MIB;
  assert.equal(pace.rest(), 10);
  clock.ms += 10;
  lethal.position += 1 * MIB; // an eighth of this one in 5 ms
  bulk.position += 2 * MIB;
  assert.equal(pace.rest(), 5);
  clock.ms += 5;
  assert.equal(pace.rest(), 10);
});

test('after a time without records it comes back at once, for what comes now is not known', () => {
  const { bulk, clock, pace } = scene();
  clock.ms += 5000;
  assert.equal(pace.restAtFirst(), 2);
  clock.ms += 2;
  bulk.position += MIB / 2; // an eighth of the lane in 8 ms, but the storm may only have begun
  assert.equal(pace.rest(), 4);
});

test('it never rests longer than the fullest lane has room at that rate', () => {
  fc.assert(
    fc.property(
      fc.nat(16 * MIB),
      fc.nat(4 * MIB),
      fc.double({ min: 0.01, max: 1000, noNaN: true }),
      (b, l, ms) => {
        const { lethal, bulk, clock, pace } = scene();
        clock.ms += ms;
        bulk.position += b;
        lethal.position += l;
        const rest = pace.rest();
        assert.ok(rest >= 2 && rest <= 20);
        for (const { position, bytes } of [lethal, bulk])
          assert.ok(rest === 2 || (position / ms) * rest <= bytes / 8 + 1e-6 * bytes);
      },
    ),
  );
});
