import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SnoopCounters, SnoopLane, SnoopType } from '../../bpf/wire.gen.js';
import { type LaneState, Ledger, Tally } from '../../recorder/coverage.js';

/** The map `counters` of a machine with three CPUs. */
class FakeCounters {
  readonly buffer = new ArrayBuffer(3 * SnoopCounters.bytes);
  readonly #cells = new BigUint64Array(this.buffer);

  seen(cpu: number, lane: SnoopLane, type: SnoopType, count: number): void {
    this.#add(SnoopCounters.seen, cpu, lane, type, count);
  }

  /** What is lost was seen. */
  lost(cpu: number, lane: SnoopLane, type: SnoopType, count: number): void {
    this.seen(cpu, lane, type, count);
    this.#add(SnoopCounters.lost, cpu, lane, type, count);
  }

  #add(field: number, cpu: number, lane: number, type: number, count: number): void {
    const at = (cpu * SnoopCounters.bytes + field) / 8 + lane * SnoopType.TYPES + type;
    this.#cells[at] = (this.#cells[at] as bigint) + BigInt(count);
  }
}

test('where nothing was lost there is no row', () => {
  const counters = new FakeCounters();
  const tally = new Tally();
  const ledger = new Ledger(counters.buffer, tally, 1000, null);
  counters.seen(0, SnoopLane.BULK, SnoopType.FORK, 500);
  assert.deepEqual(ledger.check(2000), []);
  assert.equal(tally.lost, 0);
});

test('a loss is one row over all CPUs, with the span since the last look', () => {
  const counters = new FakeCounters();
  const tally = new Tally();
  const ledger = new Ledger(counters.buffer, tally, 1000, null);
  counters.lost(0, SnoopLane.LETHAL, SnoopType.SIGNAL, 3);
  counters.lost(1, SnoopLane.LETHAL, SnoopType.SIGNAL, 4);
  counters.lost(2, SnoopLane.LETHAL, SnoopType.SIGNAL, 5);
  assert.deepEqual(ledger.check(2000), [
    {
      from: 1000,
      to: 2000,
      kind: 'lost',
      event: 'signal',
      lane: 'lethal',
      count: 12,
      cause: 'the lane was full',
    },
  ]);
  assert.equal(tally.lost, 12);
});

test('a loss is told once, and later only what came after', () => {
  const counters = new FakeCounters();
  const tally = new Tally();
  const ledger = new Ledger(counters.buffer, tally, 1000, null);
  counters.lost(2, SnoopLane.BULK, SnoopType.EXEC, 7);
  assert.equal(ledger.check(2000)[0]?.count, 7);
  assert.deepEqual(ledger.check(3000), []);
  counters.lost(0, SnoopLane.BULK, SnoopType.EXEC, 1);
  const rows = ledger.check(4000);
  assert.deepEqual(
    rows.map(({ from, to, event, lane, count }) => [from, to, event, lane, count]),
    [[3000, 4000, 'exec', 'bulk', 1]],
  );
  assert.equal(tally.lost, 8);
});

test('each lane and each type has its own row', () => {
  const counters = new FakeCounters();
  const ledger = new Ledger(counters.buffer, new Tally(), 0, null);
  counters.lost(0, SnoopLane.LETHAL, SnoopType.EXIT, 1);
  counters.lost(0, SnoopLane.BULK, SnoopType.EXIT, 2);
  counters.lost(1, SnoopLane.BULK, SnoopType.FORK, 3);
  counters.lost(1, SnoopLane.BULK, SnoopType.CGROUP, 4);
  assert.deepEqual(
    ledger.check(1).map(({ event, lane, count }) => `${event} ${lane} ${count}`),
    ['exit lethal 1', 'fork bulk 3', 'exit bulk 2', 'cgroup bulk 4'],
  );
});

test('malformed records become a row once', () => {
  const tally = new Tally();
  const ledger = new Ledger(new FakeCounters().buffer, tally, 10, null);
  tally.malformed += 2;
  const [row] = ledger.check(20);
  assert.deepEqual([row?.kind, row?.count, row?.from, row?.to], ['malformed', 2, 10, 20]);
  assert.deepEqual(ledger.check(30), []);
});

test('what the kernel saw is the sum over lanes, types and CPUs, past 2^32 too', () => {
  const counters = new FakeCounters();
  const ledger = new Ledger(counters.buffer, new Tally(), 0, null);
  counters.seen(0, SnoopLane.LETHAL, SnoopType.SIGNAL, 2 ** 33);
  counters.seen(1, SnoopLane.BULK, SnoopType.ATTEMPT, 10);
  counters.lost(2, SnoopLane.BULK, SnoopType.CGROUP, 5);
  assert.equal(ledger.kernelSeen, 2 ** 33 + 15);
});

test('what was seen is stored, folded, lost, malformed and shed together, and all of it is accounted for', () => {
  const counters = new FakeCounters();
  const tally = new Tally();
  const ledger = new Ledger(counters.buffer, tally, 0, null);
  counters.lost(1, SnoopLane.BULK, SnoopType.SIGNAL, 4);
  ledger.check(1);
  tally.stored = 1;
  tally.folded = 2;
  tally.malformed = 3;
  tally.shed = 5;
  assert.equal(tally.seen, 15);
  assert.equal(ledger.accounted, 15);
});

test('a run that goes on with pinned lanes tells only the losses that the last one did not', () => {
  const counters = new FakeCounters();
  const first = new Tally();
  const before = new Ledger(counters.buffer, first, 0, null);
  counters.lost(0, SnoopLane.BULK, SnoopType.FORK, 3);
  counters.seen(0, SnoopLane.BULK, SnoopType.FORK, 4);
  before.check(1000);
  first.stored = 4;
  const state: LaneState = { token: 't', lethal: 0, bulk: 0, accounted: before.accounted, lost: before.lost };
  counters.lost(1, SnoopLane.BULK, SnoopType.FORK, 2); // while no recorder ran
  const second = new Tally();
  const after = new Ledger(counters.buffer, second, 1000, JSON.parse(JSON.stringify(state)) as LaneState);
  const rows = after.check(5000);
  assert.deepEqual(
    rows.map(({ from, to, count }) => [from, to, count]),
    [[1000, 5000, 2]],
  );
  assert.equal(second.seen, 2);
  assert.equal(after.kernelSeen, 9);
  assert.equal(after.accounted, 9);
});

test('two sets of lanes that one run reads share its tally, and each accounts for its own', () => {
  const tally = new Tally();
  const old = new Ledger(new FakeCounters().buffer, tally, 0, null);
  tally.stored += 5;
  tally.malformed += 1;
  assert.equal(old.check(1).length, 1);
  assert.equal(old.accounted, 6);
  const young = new Ledger(new FakeCounters().buffer, tally, 0, null);
  tally.stored += 2;
  assert.deepEqual(young.check(2), []);
  assert.equal(young.accounted, 2);
});
