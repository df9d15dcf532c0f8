import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Clock, type Clocks } from '../../recorder/clock.js';

const WALL = 1_767_225_600e9;

/** A clock that reads these pairs one after another, the last one for ever. */
function clockOf(...pairs: Clocks[]): Clock {
  let at = 0;
  return new Clock(() => pairs[Math.min(at++, pairs.length - 1)] as Clocks);
}

test('a boot time becomes microseconds since the epoch', () => {
  const clock = clockOf({ wall: WALL + 5e9, boot: 5e9 });
  assert.equal(clock.wallOf(0), WALL / 1000);
  assert.equal(clock.wallOf(5e9), WALL / 1000 + 5e6);
  assert.equal(clock.wallOf(1_999), WALL / 1000 + 1);
});

test('now is the wall clock, and the boot clock is at hand', () => {
  const clock = clockOf({ wall: WALL + 1_500_500, boot: 42 });
  assert.equal(clock.now(), WALL / 1000 + 1500);
  assert.equal(clock.bootNow(), 42);
});

test('an anchor without a step says so', () => {
  const clock = clockOf({ wall: WALL, boot: 1e9 }, { wall: WALL + 60e9, boot: 61e9 });
  assert.equal(clock.anchor(), 0);
});

test('the slow correction of a time service is no step, and is followed', () => {
  const clock = clockOf({ wall: WALL, boot: 0 }, { wall: WALL + 1e9 + 3e6, boot: 1e9 });
  assert.equal(clock.anchor(), 0);
  assert.equal(clock.wallOf(1e9), WALL / 1000 + 1e6 + 3e3);
});

test('a step forward and a step back are told in microseconds, once each', () => {
  const clock = clockOf(
    { wall: WALL, boot: 0 },
    { wall: WALL + 3600e9, boot: 0 },
    { wall: WALL + 3601e9, boot: 1e9 },
    { wall: WALL - 1e9, boot: 2e9 },
    { wall: WALL, boot: 3e9 },
  );
  assert.equal(clock.anchor(), 3600e6);
  assert.equal(clock.anchor(), 0);
  assert.equal(clock.anchor(), -3603e6);
  assert.equal(clock.anchor(), 0);
  assert.equal(clock.wallOf(3e9), WALL / 1000);
});

test('between two anchors later records never get earlier times', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 40), fc.maxSafeNat(), fc.maxSafeNat(), (boot, a, b) => {
      const clock = clockOf({ wall: WALL + boot, boot });
      const [early, late] = [Math.min(a, b), Math.max(a, b)];
      assert.ok(clock.wallOf(early) <= clock.wallOf(late));
      assert.ok(Number.isSafeInteger(clock.wallOf(late)));
    }),
  );
});
