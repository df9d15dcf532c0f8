/** The lane of perf event buffers: every record of every CPU comes once, whole, in the order of time, and is given back by a commit. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SnoopHeader } from '../../bpf/wire.gen.js';
import { u64 } from '../../recorder/lane.js';
import { HOLD_NS, type PerfLane } from '../../recorder/perfbuf.js';
import { FakePerf, pieces, timed } from './fake-perf.js';

const PAGE = 4096;
const ALL = Number.POSITIVE_INFINITY;

const body = (length: number, seed = length): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 7 + seed * 13) & 0xff);

/** Takes what the last look saw, as copies without the bytes that the kernel pads with. */
function takeAll(lane: PerfLane, limit = ALL): { time: number; length: number; bytes: Buffer }[] {
  const taken = [];
  while (taken.length < limit && lane.next()) {
    const { memory, at, length } = lane;
    taken.push({
      time: u64(memory, at + SnoopHeader.time),
      length,
      bytes: Buffer.from(memory.u8.subarray(at, at + length)),
    });
    lane.take();
  }
  return taken;
}

/** A record comes back with its bytes, and at most seven more behind them. */
function assertIs(got: { length: number; bytes: Buffer } | undefined, record: Uint8Array): void {
  assert.ok(got, 'a record is missing');
  assert.ok(
    got.length >= record.length && got.length < record.length + 8,
    `${got.length} of ${record.length}`,
  );
  assert.deepEqual(got.bytes.subarray(0, record.length), Buffer.from(record));
}

test('an empty lane lends nothing', () => {
  const { lane } = new FakePerf(3);
  lane.look(ALL);
  assert.equal(lane.next(), false);
  assert.deepEqual([lane.waiting, lane.held, lane.position], [0, 0, 0]);
});

test('a record is lent with its very bytes, and the same one until it is taken', () => {
  const { lane, cpus } = new FakePerf();
  const record = timed(5, body(40));
  cpus[0]?.output(record);
  lane.look(ALL);
  assert.ok(lane.next());
  const { at } = lane;
  assert.ok(lane.next());
  assert.equal(lane.at, at);
  assertIs(takeAll(lane)[0], record);
});

test('nothing is lent that came after the last look', () => {
  const { lane, cpus } = new FakePerf();
  lane.look(ALL);
  cpus[0]?.output(timed(1, body(8)));
  assert.equal(lane.next(), false);
  assert.ok(lane.waiting > 0);
  lane.look(ALL);
  assert.equal(lane.next(), true);
});

test('records of several CPUs come in the order of their times', () => {
  const { lane, cpus } = new FakePerf(3);
  const times = [
    [1, 4, 9],
    [2, 3, 10],
    [5, 6, 7, 8],
  ];
  times.forEach((own, cpu) => {
    for (const time of own) cpus[cpu]?.output(timed(time, body(8)));
  });
  lane.look(ALL);
  assert.deepEqual(
    takeAll(lane).map(({ time }) => time),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  );
});

test('a young record is held back until an older one of another CPU can no longer come to light', () => {
  const { lane, cpus } = new FakePerf(2);
  const now = 1e9;
  cpus[0]?.output(timed(now - 5, body(8))); // of the other CPU, one was begun before that and is not there yet
  lane.look(now);
  assert.equal(lane.next(), false);
  cpus[1]?.output(timed(now - 10, body(8)));
  lane.look(now + HOLD_NS);
  assert.deepEqual(
    takeAll(lane).map(({ time }) => time),
    [now - 10, now - 5],
  );
});

test('when no more records come, none is held back', () => {
  const { lane, cpus } = new FakePerf(2);
  cpus[1]?.output(timed(2 ** 50, body(8)));
  lane.look(ALL);
  assert.equal(takeAll(lane).length, 1);
});

test('a record over the end of a buffer comes in one piece, wherever the end cuts it', () => {
  for (let before = 8; before <= 120; before += 8) {
    const { lane, cpus } = new FakePerf(1, PAGE, 7 * PAGE - before);
    const records = [timed(1, body(61)), timed(2, body(30))];
    for (const record of records) cpus[0]?.output(record);
    lane.look(ALL);
    const taken = takeAll(lane);
    records.forEach((record, i) => {
      assertIs(taken[i], record);
    });
  }
});

test('a copied record stays as it is until the commit, whatever is read after it', () => {
  const { lane, cpus } = new FakePerf(1, PAGE, PAGE - 32);
  const record = timed(1, body(64));
  cpus[0]?.output(record);
  cpus[0]?.output(timed(2, body(64)));
  lane.look(ALL);
  assert.ok(lane.next());
  const { memory, at } = lane;
  lane.take();
  assert.ok(lane.next());
  assert.deepEqual(Buffer.from(memory.u8.subarray(at, at + record.length)), Buffer.from(record));
});

test('the kernel gets room again only by the commit, and what it says of losses is passed over', () => {
  const { lane, cpus } = new FakePerf(2, PAGE);
  const [cpu] = cpus as [(typeof cpus)[0]];
  let written = 0;
  while (cpu.output(timed(written + 1, body(100)))) written++;
  lane.look(ALL);
  assert.equal(takeAll(lane).length, written);
  assert.equal(cpu.output(timed(100, body(100))), false);
  assert.equal(lane.held, lane.position);
  lane.commit();
  assert.equal(lane.held, 0);
  assert.equal(cpu.output(timed(101, body(100))), true); // with the kernel's word about two losses before it
  lane.look(ALL);
  assert.deepEqual(
    takeAll(lane).map(({ time }) => time),
    [101],
  );
  lane.commit();
  assert.equal(cpu.tail, cpu.head);
});

test('a lent record that was not taken is not given back', () => {
  const perf = new FakePerf();
  perf.cpus[0]?.output(timed(1, body(8)));
  perf.lane.look(ALL);
  assert.ok(perf.lane.next());
  perf.lane.commit();
  assert.equal(perf.cpus[0]?.tail, 0);
  assert.ok(perf.lane.next());
});

test('held tells of the fullest buffer, waiting of all of them', () => {
  const { lane, cpus } = new FakePerf(2);
  for (const time of [1, 2, 3]) cpus[0]?.output(timed(time, body(4)));
  cpus[1]?.output(timed(4, body(4)));
  const one = 8 + 4 + SnoopHeader.bytes + 4;
  assert.equal(lane.waiting, 4 * one);
  lane.look(ALL);
  takeAll(lane);
  assert.deepEqual([lane.waiting, lane.held, lane.position], [0, 3 * one, 4 * one]);
});

test('whatever is written on whichever CPU, in whatever portions it is read, comes once, whole and in order', () => {
  const output = fc.record({
    cpu: fc.nat({ max: 2 }),
    bytes: fc.oneof(fc.uint8Array({ maxLength: 60 }), fc.uint8Array({ minLength: 500, maxLength: 1500 })),
    later: fc.integer({ min: 1, max: 3 * HOLD_NS }),
  });
  const read = fc.record({ read: fc.nat({ max: 9 }), commit: fc.boolean() });
  const start = fc.constantFrom(0, 8, PAGE - 8, PAGE - 40, 2 ** 32 - 64, 2 ** 40 - PAGE + 16);
  fc.assert(
    fc.property(start, fc.array(fc.oneof(output, output, read), { maxLength: 90 }), (at, steps) => {
      const perf = new FakePerf(3, PAGE, at);
      const { lane } = perf;
      const written: Uint8Array[] = [];
      const taken: ReturnType<typeof takeAll> = [];
      let now = 1e9;
      for (const step of steps) {
        if ('read' in step) {
          lane.look(now);
          taken.push(...takeAll(lane, step.read));
          if (step.commit) lane.commit();
        } else {
          now += step.later;
          const record = timed(now, step.bytes);
          if (perf.cpus[step.cpu]?.output(record)) written.push(record);
        }
      }
      lane.look(ALL);
      taken.push(...takeAll(lane));
      assert.equal(taken.length, written.length);
      written.forEach((record, i) => {
        assertIs(taken[i], record);
      });
      lane.commit();
      assert.ok(perf.isDrained);
    }),
    { numRuns: 500 },
  );
});

test('records that come to light late, but within the hold, are in order too', () => {
  const record = fc.record({
    cpu: fc.nat({ max: 3 }),
    gap: fc.integer({ min: 1, max: HOLD_NS }),
    delay: fc.integer({ min: 0, max: HOLD_NS - 1 }),
  });
  fc.assert(
    fc.property(fc.array(record, { maxLength: 60 }), records => {
      const { lane, cpus } = new FakePerf(4, 4 * PAGE);
      let time = 1e9;
      const events = records.map(({ cpu, gap, delay }) => {
        time += gap;
        return { cpu, time, shown: time + delay };
      });
      // A CPU shows its own records in the order of their times.
      for (const cpu of [0, 1, 2, 3]) {
        let last = 0;
        for (const event of events.filter(event => event.cpu === cpu))
          last = event.shown = Math.max(last, event.shown);
      }
      const got: number[] = [];
      const inOrderOfShow = [...events].sort((a, b) => a.shown - b.shown);
      for (const event of inOrderOfShow) {
        lane.look(event.shown); // just before it is there
        got.push(...takeAll(lane).map(({ time }) => time));
        cpus[event.cpu]?.output(timed(event.time, body(4)));
      }
      lane.look(ALL);
      got.push(...takeAll(lane).map(({ time }) => time));
      assert.deepEqual(
        got,
        events.map(event => event.time),
      );
    }),
    { numRuns: 300 },
  );
});

test('hostile sizes are never lent beyond what was seen, and the walk ends', () => {
  const size = fc.oneof(fc.nat({ max: 0xffff }), fc.constantFrom(0, 4, 8, 12, 0xffff));
  const forged = fc.record({ type: fc.constantFrom(0, 2, 9, 0xffffffff), size });
  const writes = fc.array(fc.tuple(fc.nat({ max: 300 }), fc.option(forged)), { maxLength: 12 });
  fc.assert(
    fc.property(
      writes,
      fc.nat({ max: 511 }).map(n => n * 8),
      (steps, start) => {
        const { lane, cpus } = new FakePerf(1, PAGE, start);
        const [cpu] = cpus as [(typeof cpus)[0]];
        for (const [length, header] of steps) {
          const position = cpu.head;
          if (cpu.output(timed(1, body(length))) && header !== null)
            cpu.forge(position, header.type, header.size);
        }
        const pending = lane.waiting;
        lane.look(ALL);
        let records = 0;
        while (lane.next()) {
          assert.ok(lane.length >= 0 && lane.length <= pending);
          assert.ok(lane.at >= 0 && lane.at + lane.length <= lane.memory.u8.length);
          lane.take();
          assert.ok(lane.held <= pending, 'took more than the kernel had written');
          assert.ok(++records <= PAGE / 8, 'walks for ever');
        }
        lane.commit();
        assert.ok(cpu.tail <= cpu.head);
      },
    ),
    { numRuns: 1000 },
  );
});

test('a record in pieces comes as one, and what an interrupt wrote between them comes too', () => {
  const { lane, cpus } = new FakePerf(1, 4 * PAGE, PAGE);
  const long = timed(2, body(5000));
  const [first, second, third] = pieces(long, 2048);
  for (const record of [timed(1, body(9)), first, timed(3, body(10)), second, third, timed(4, body(11))])
    assert.ok(cpus[0]?.output(record as Uint8Array));
  lane.look(ALL);
  const taken = takeAll(lane);
  assert.deepEqual(
    taken.map(({ time }) => time),
    [1, 3, 2, 4],
  );
  assert.equal(taken[2]?.length, long.length);
  assertIs(taken[2], long);
});

test('a record whose later pieces found no room is left out, and the next one is whole', () => {
  const { lane, cpus } = new FakePerf(1, 4 * PAGE);
  const [half] = pieces(timed(1, body(5000, 1)), 4096);
  const whole = timed(2, body(5000, 2));
  for (const piece of [half as Uint8Array, ...pieces(whole, 4096)]) cpus[0]?.output(piece);
  lane.look(ALL);
  const taken = takeAll(lane);
  assert.equal(taken.length, 1);
  assertIs(taken[0], whole);
});

test('any records in any pieces come back as they were', () => {
  const record = fc.tuple(
    fc.uint8Array({ minLength: 1, maxLength: 3000 }),
    fc.integer({ min: 8, max: 1500 }),
  );
  fc.assert(
    fc.property(fc.array(record, { maxLength: 20 }), fc.constantFrom(0, 4 * PAGE - 40), (records, start) => {
      const { lane, cpus } = new FakePerf(1, 4 * PAGE, start);
      records.forEach(([bytes, room], i) => {
        const written = timed(i + 1, bytes);
        for (const piece of pieces(written, room)) assert.ok(cpus[0]?.output(piece));
        lane.look(ALL);
        const [taken, ...more] = takeAll(lane);
        assertIs(taken, written);
        assert.deepEqual(more, []);
        lane.commit();
      });
    }),
    { numRuns: 200 },
  );
});
