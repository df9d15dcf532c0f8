import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { memoryOf, u64 } from '../../recorder/lane.js';
import { FakeLane, takeAll } from './fake-ring.js';

const PAGE = 4096;

function bytes(length: number, seed = 1): Buffer {
  return Buffer.from(Array.from({ length }, (_, i) => (seed * 31 + i * 7) & 255));
}

test('an empty lane lends nothing', () => {
  const { ring } = new FakeLane();
  ring.look();
  assert.equal(ring.next(), false);
  assert.equal(ring.waiting, 0);
  assert.equal(ring.held, 0);
});

test('one record is lent with its very bytes', () => {
  const lane = new FakeLane();
  lane.write(bytes(40));
  assert.equal(lane.ring.waiting, 48);
  assert.deepEqual(takeAll(lane.ring), [bytes(40)]);
  assert.equal(lane.ring.waiting, 0);
});

test('the same record is lent until it is taken', () => {
  const lane = new FakeLane();
  lane.write(bytes(8, 1));
  lane.write(bytes(8, 2));
  lane.ring.look();
  assert.ok(lane.ring.next());
  const { at } = lane.ring;
  assert.ok(lane.ring.next());
  assert.equal(lane.ring.at, at);
  lane.ring.take();
  assert.ok(lane.ring.next());
  assert.notEqual(lane.ring.at, at);
});

test('a record that came after the last look waits for the next', () => {
  const lane = new FakeLane();
  lane.write(bytes(8, 1));
  lane.ring.look();
  lane.write(bytes(8, 2));
  assert.ok(lane.ring.next());
  lane.ring.take();
  assert.equal(lane.ring.next(), false);
  assert.deepEqual(takeAll(lane.ring), [bytes(8, 2)]);
});

test('many records of every length come in order, padded to eight bytes', () => {
  const lane = new FakeLane(1 << 16);
  const records = Array.from({ length: 200 }, (_, i) => bytes(i, i));
  for (const record of records) assert.ok(lane.write(record));
  assert.deepEqual(takeAll(lane.ring), records);
});

test('a record across the end of the ring is read in one piece from the second mapping', () => {
  const lane = new FakeLane(PAGE, PAGE - 24);
  const record = bytes(64);
  lane.write(record);
  assert.deepEqual(takeAll(lane.ring), [record]);
  lane.ring.commit();
  assert.equal(lane.consumer, PAGE - 24 + 72);
});

test('a busy record stops the reader, and is lent when it is not busy any more', () => {
  const lane = new FakeLane();
  lane.write(bytes(16, 1));
  const busy = lane.reserve(bytes(16, 2));
  lane.write(bytes(16, 3));
  assert.deepEqual(takeAll(lane.ring), [bytes(16, 1)]);
  lane.ring.look();
  assert.equal(lane.ring.next(), false);
  assert.equal(lane.ring.waiting, 48);
  busy?.submit();
  assert.deepEqual(takeAll(lane.ring), [bytes(16, 2), bytes(16, 3)]);
});

test('discarded records are skipped, and their room is given back', () => {
  const lane = new FakeLane();
  lane.reserve(bytes(16, 1))?.discard();
  lane.write(bytes(16, 2));
  lane.reserve(bytes(16, 3))?.discard();
  assert.deepEqual(takeAll(lane.ring), [bytes(16, 2)]);
  lane.ring.commit();
  assert.equal(lane.consumer, lane.producer);
});

test('taking leaves the consumer position, the commit moves it', () => {
  const lane = new FakeLane();
  lane.write(bytes(16));
  lane.write(bytes(16));
  takeAll(lane.ring, 1);
  assert.equal(lane.consumer, 0);
  assert.equal(lane.ring.held, 24);
  assert.equal(lane.ring.waiting, 24);
  lane.ring.commit();
  assert.equal(lane.consumer, 24);
  assert.equal(lane.ring.held, 0);
});

test('a lent record that was not taken is not committed', () => {
  const lane = new FakeLane();
  lane.write(bytes(16));
  lane.ring.look();
  lane.ring.next();
  lane.ring.commit();
  assert.equal(lane.consumer, 0);
  assert.ok(lane.ring.next());
});

test('the kernel gets room again only by the commit', () => {
  const lane = new FakeLane(PAGE);
  while (lane.write(bytes(1000)));
  takeAll(lane.ring);
  assert.equal(lane.write(bytes(1000)), false);
  lane.ring.commit();
  assert.equal(lane.write(bytes(1000)), true);
});

test('a new reader begins where the consumer position stands', () => {
  const lane = new FakeLane(PAGE, 5 * PAGE + 512);
  lane.write(bytes(24));
  assert.deepEqual(takeAll(lane.ring), [bytes(24)]);
});

test('a reader that resumes goes on at the stored position, and gives back what lies before it', () => {
  const lane = new FakeLane();
  lane.write(bytes(16, 1));
  lane.write(bytes(16, 2));
  takeAll(lane.ring, 1);
  const { position } = lane.ring; // stored, but the reader was killed before its commit
  const heir = lane.reopen();
  heir.resume(position);
  assert.equal(lane.consumer, 24);
  assert.deepEqual(takeAll(heir), [bytes(16, 2)]);
});

test('a stored position that is not of this lane is not followed', () => {
  const lane = new FakeLane(PAGE, 8 * PAGE);
  lane.write(bytes(16));
  for (const position of [0, 8 * PAGE - 8, 8 * PAGE + 32, 2 ** 40]) {
    const heir = lane.reopen();
    heir.resume(position);
    assert.equal(heir.position, 8 * PAGE, String(position));
  }
});

test('positions grow past 2^32 without a break', () => {
  const start = 2 ** 32 - 64;
  const lane = new FakeLane(PAGE, start);
  const records = Array.from({ length: 300 }, (_, i) => bytes(8 + (i % 90), i));
  for (const record of records) {
    assert.ok(lane.write(record));
    assert.deepEqual(takeAll(lane.ring), [record]);
    lane.ring.commit();
    assert.equal(lane.consumer, lane.producer);
  }
  assert.ok(lane.consumer > 2 ** 32 + PAGE);
});

test('a record that straddles 2^32 is one record', () => {
  const lane = new FakeLane(PAGE, 2 ** 32 - 64);
  lane.write(bytes(128));
  lane.write(bytes(32));
  assert.equal(lane.ring.waiting, 136 + 40);
  assert.deepEqual(takeAll(lane.ring), [bytes(128), bytes(32)]);
});

test('a length larger than what is pending is cut to it', () => {
  const lane = new FakeLane();
  lane.write(bytes(16));
  lane.forge(0, 1000);
  lane.ring.look();
  assert.ok(lane.ring.next());
  assert.equal(lane.ring.length, 16);
  lane.ring.take();
  assert.equal(lane.ring.next(), false);
});

test('hostile lengths are never lent beyond the pending bytes, and the walk ends', () => {
  const word = fc.oneof(
    fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    fc.constantFrom(0, 0x3fffffff, 0x7fffffff, PAGE, 2 * PAGE),
  );
  const start = fc.integer({ min: 0, max: 600 }).map(n => n * 8);
  fc.assert(
    fc.property(
      start,
      fc.array(fc.tuple(fc.integer({ min: 0, max: 300 }), fc.option(word)), { maxLength: 12 }),
      (at, writes) => {
        const lane = new FakeLane(PAGE, at);
        for (const [length, forged] of writes) {
          const position = lane.producer;
          if (lane.write(bytes(length)) && forged !== null) lane.forge(position, forged);
        }
        const { ring } = lane;
        const pending = ring.waiting;
        let records = 0;
        ring.look();
        while (ring.next()) {
          assert.ok(ring.length >= 0 && ring.length <= pending);
          assert.ok(ring.at >= 8 && ring.at + ring.length <= ring.memory.u8.length);
          ring.take();
          assert.ok(ring.held <= pending, 'took more than the kernel had written');
          assert.ok(++records <= PAGE / 8, 'walks for ever');
        }
        ring.commit();
        assert.ok(lane.consumer <= lane.producer);
      },
    ),
    { numRuns: 2000 },
  );
});

test('whatever is written, in whatever portions it is read, comes back byte-equal and in order', () => {
  const operation = fc.oneof(
    fc.uint8Array({ maxLength: 700 }).map(record => ({ record, discard: false })),
    fc.uint8Array({ maxLength: 100 }).map(record => ({ record, discard: true })),
    fc.record({ read: fc.integer({ min: 0, max: 9 }), commit: fc.boolean() }),
  );
  const start = fc.constantFrom(0, 8, PAGE - 8, 2 ** 32 - 64, 2 ** 40 - 4096 + 16);
  fc.assert(
    fc.property(start, fc.array(operation, { maxLength: 80 }), (at, operations) => {
      const lane = new FakeLane(PAGE, at);
      const written: Buffer[] = [];
      const read: Buffer[] = [];
      for (const step of operations) {
        if ('read' in step) {
          read.push(...takeAll(lane.ring, step.read));
          if (step.commit) lane.ring.commit();
          continue;
        }
        const reserved = lane.reserve(step.record);
        if (reserved && !step.discard) written.push(Buffer.from(step.record));
        if (step.discard) reserved?.discard();
        else reserved?.submit();
      }
      read.push(...takeAll(lane.ring));
      lane.ring.commit();
      assert.deepEqual(read, written);
      assert.equal(lane.consumer, lane.producer);
    }),
    { numRuns: 500 },
  );
});

test('a u64 is read exactly below 2^53', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), value => {
      const memory = memoryOf(BigUint64Array.of(BigInt(value)).buffer);
      assert.equal(u64(memory, 0), value);
    }),
  );
});
