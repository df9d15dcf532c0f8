import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EvProcess, EvSignal, SnoopCounters } from '../../bpf/wire.gen.js';
import type { Batch } from '../../recorder/batch.js';
import { Ledger, Tally } from '../../recorder/coverage.js';
import { Pipeline } from '../../recorder/pipeline.js';
import { HEADER_BYTES } from '../../recorder/ring.js';
import { Store } from '../../recorder/store.js';
import { ask, databaseFile, RUN, worldOf } from './batches.js';
import { FakeLane } from './fake-ring.js';
import { exec, exit, fork, type Key, signal, snapshot } from './records.js';
import { assertHas, BOOTED_US, type World } from './world.js';

const SHELL: Key = { pid: 7_000_100, start: 5e9, comm: 'bash' };
const CHILD: Key = { pid: 7_000_200, start: 6e9, comm: 'sleep' };

/** A database that sometimes is not at hand. */
class FlakyStore extends Store {
  failures = 0;
  writes = 0;

  override write(batch: Batch): void {
    this.writes++;
    if (this.failures > 0) {
      this.failures--;
      throw new Error('database is locked');
    }
    super.write(batch);
  }
}

/** A recorder without its probes. */
class Rig {
  readonly lethal: FakeLane;
  readonly bulk: FakeLane;
  readonly store: FlakyStore;
  readonly world: World;
  readonly tally = new Tally();
  readonly ledger: Ledger;
  readonly pipeline: Pipeline;

  constructor(path: string, laneBytes = 1 << 16) {
    this.lethal = new FakeLane(laneBytes);
    this.bulk = new FakeLane(laneBytes);
    this.store = new FlakyStore(path, 'boot-1', BOOTED_US, null);
    this.store.begin(RUN);
    this.world = worldOf(this.store);
    this.ledger = new Ledger(new ArrayBuffer(SnoopCounters.bytes), this.tally, BOOTED_US, null);
    const source = {
      lethal: this.lethal.ring,
      bulk: this.bulk.ring,
      pins: { token: 't' },
      waiter: { wait: async () => {}, call() {} },
    };
    this.pipeline = new Pipeline(source, this.world.context, this.tally, this.ledger, this.store, {
      flushMs: 10,
    });
  }

  readonly ask = <T = Record<string, unknown>>(sql: string): T[] => ask<T>(this.store.path, sql);

  assertDrained(): void {
    assert.deepEqual([this.lethal.consumer, this.bulk.consumer], [this.lethal.producer, this.bulk.producer]);
  }
}

function rig(t: Parameters<typeof databaseFile>[0], laneBytes?: number): Rig {
  const made = new Rig(databaseFile(t), laneBytes);
  t.after(() => made.store.abandon());
  return made;
}

const usr1 = (time: number, arg: number) =>
  signal({ sig: 10, sender: SHELL, target: CHILD, time, args: [arg, 10] });

test('records of both lanes are stored in the order of kernel time', t => {
  const { lethal, bulk, pipeline, ask } = rig(t);
  for (const [lane, time] of [
    [lethal, 1],
    [bulk, 2],
    [bulk, 3],
    [lethal, 4],
    [lethal, 5],
    [bulk, 6],
  ] as const) {
    lane.write(usr1(9e9 + time * 1000, time));
  }
  pipeline.finish();
  assert.deepEqual(
    ask('SELECT target_arg FROM signal ORDER BY id').map(row => row.target_arg),
    [1, 2, 3, 4, 5, 6],
  );
});

test('an exit in the lethal lane comes after the fork in the bulk lane', t => {
  const { lethal, bulk, pipeline, ask } = rig(t);
  lethal.write(exit({ process: CHILD, parent: SHELL, status: 9, time: 8e9 }));
  bulk.write(fork({ child: CHILD, parent: SHELL, time: 6e9 }));
  bulk.write(exec({ process: CHILD, argv: ['sleep', '5'], time: 7e9 }));
  pipeline.finish();
  assertHas(ask(`SELECT * FROM processes WHERE pid = ${CHILD.pid}`)[0], {
    origin: 'fork',
    cmdline: 'sleep 5',
    exit_signal: 9,
  });
});

test('after finish the lanes are empty, and their positions are in the database', t => {
  const made = rig(t);
  for (let i = 0; i < 100; i++) made.bulk.write(usr1(9e9 + i, i + 1));
  made.lethal.write(usr1(9e9, 1000));
  made.pipeline.finish();
  made.assertDrained();
  assertHas(made.store.laneState('t') ?? undefined, {
    lethal: made.lethal.producer,
    bulk: made.bulk.producer,
    accounted: 101,
  });
});

test('records are not given back before they are stored', t => {
  const made = rig(t);
  made.bulk.write(usr1(9e9, 1));
  made.store.failures = 1e9;
  made.pipeline.finish();
  assert.equal(made.bulk.consumer, 0);
  assert.equal(made.bulk.ring.held, made.bulk.producer);
  assert.equal(made.ask('SELECT * FROM signal').length, 0);
});

test('a database that is away for a while: everything is stored once, nothing twice', t => {
  const made = rig(t);
  for (let i = 0; i < 50; i++) made.bulk.write(usr1(9e9 + i, i + 1));
  made.lethal.write(exit({ process: CHILD, parent: SHELL, status: 9, time: 9.5e9 }));
  made.store.failures = 5;
  made.pipeline.finish();
  assert.equal(made.store.writes, 6);
  made.assertDrained();
  const args = made
    .ask<{ target_arg: number }>('SELECT target_arg FROM signal ORDER BY id')
    .map(row => row.target_arg);
  assert.deepEqual(
    args,
    Array.from({ length: 50 }, (_, i) => i + 1),
  );
  assert.equal(made.ask('SELECT * FROM exits').length, 1);
  assertHas(made.tally, { stored: 51, folded: 0, malformed: 0, seen: 51 });
});

test('what was seen is what was written: stored, folded, malformed, and in the row of the run', t => {
  const made = rig(t);
  for (let i = 0; i < 300; i++) made.bulk.write(usr1(9e9 + i, 1 + (i % 3)));
  for (let i = 0; i < 7; i++) made.bulk.write(new Uint8Array(48).fill(i * 30));
  made.lethal.write(exit({ process: CHILD, parent: SHELL }));
  made.lethal.write(exit({ process: CHILD, parent: SHELL }));
  made.pipeline.finish();
  assertHas(made.tally, { stored: 4, folded: 298, malformed: 7, lost: 0, seen: 309 });
  assertHas(made.ask('SELECT * FROM recordings')[0], {
    seen: 309,
    stored: 4,
    folded: 298,
    malformed: 7,
    lost: 0,
    shed: 0,
  });
  assert.equal(made.ask<{ n: number }>('SELECT sum(count) AS n FROM signal')[0]?.n, 300);
  assertHas(made.ask("SELECT * FROM coverages WHERE kind = 'malformed'")[0], { count: 7 });
  assert.equal(made.ledger.accounted, 309);
});

test('more records than a batch has room for come in several batches', t => {
  const made = rig(t, 1 << 20);
  let written = 0;
  while (made.bulk.write(exec({ process: CHILD, argv: ['x'], exe: '/x', cwd: '/', time: 9e9 + written })))
    written++;
  let signals = 0;
  while (made.lethal.write(usr1(9e9 + signals, signals + 1))) signals++;
  made.pipeline.finish();
  made.assertDrained();
  assert.equal(made.ask('SELECT id FROM exec').length, written);
  assert.equal(made.ask('SELECT id FROM signal').length, signals);
  assert.equal(made.tally.stored, written + signals);
});

test('a busy record holds back what is behind it, not what is before', t => {
  const made = rig(t);
  made.bulk.write(usr1(9e9, 1));
  const busy = made.bulk.reserve(usr1(9e9 + 1000, 2));
  made.bulk.write(usr1(9e9 + 2000, 3));
  made.pipeline.finish();
  assert.equal(made.ask('SELECT id FROM signal').length, 1);
  busy?.submit();
  made.pipeline.finish();
  made.assertDrained();
  assert.equal(made.ask('SELECT id FROM signal').length, 3);
});

test('a snapshot is applied parents first, whatever its order, and is stored', t => {
  const made = rig(t);
  const records = [
    snapshot({ child: CHILD, parent: SHELL }),
    snapshot({ child: SHELL, parent: { pid: 0, start: 0 } }),
  ];
  made.pipeline.applySnapshot(Buffer.concat(records), EvProcess.bytes);
  made.pipeline.finish();
  assert.deepEqual(made.ask('SELECT pid, ppid, origin FROM processes ORDER BY id'), [
    { pid: SHELL.pid, ppid: null, origin: 'snapshot' },
    { pid: CHILD.pid, ppid: SHELL.pid, origin: 'snapshot' },
  ]);
});

test('a gap is entered once', t => {
  const made = rig(t);
  made.pipeline.cover({
    from: 1,
    to: 2,
    kind: 'down',
    event: null,
    lane: null,
    count: null,
    cause: 'no recorder ran',
  });
  made.store.failures = 2;
  made.pipeline.finish();
  made.pipeline.finish();
  assert.equal(made.ask("SELECT * FROM coverages WHERE kind = 'down'").length, 1);
});

test('while it runs records are stored by themselves, and stop ends it', async t => {
  const made = rig(t);
  const running = made.pipeline.run();
  made.bulk.write(usr1(9e9, 1));
  const until = performance.now() + 5000;
  while (made.bulk.consumer !== made.bulk.producer && performance.now() < until) {
    await new Promise(resolve => setTimeout(resolve, 5));
  }
  made.assertDrained();
  assert.equal(made.ask('SELECT id FROM signal').length, 1);
  made.pipeline.stop();
  await running;
});

test('a recorder killed after the transaction and before the commit of the lanes: nothing twice', t => {
  const made = rig(t);
  for (let i = 0; i < 10; i++) made.bulk.write(usr1(9e9 + i, i + 1));
  const { ring } = made.bulk;
  ring.commit = () => {}; // killed here
  made.pipeline.finish();
  assert.equal(made.bulk.consumer, 0);
  made.bulk.write(usr1(9.1e9, 11));
  const heir = made.bulk.reopen();
  heir.resume(made.store.laneState('t')?.bulk ?? 0);
  const one = HEADER_BYTES + EvSignal.bytes;
  assert.equal(heir.waiting, one, 'only the eleventh is left');
  assert.equal(made.bulk.consumer, made.bulk.producer - one);
});

test('any two lanes: each record is accounted for exactly once, whenever the database fails', t => {
  const made = rig(t, 1 << 15);
  const step = fc.record({
    lethal: fc.boolean(),
    arg: fc.integer({ min: 1, max: 4 }),
    kind: fc.constantFrom('signal', 'exec', 'junk'),
    failures: fc.constantFrom(0, 0, 0, 0, 1, 3),
    finish: fc.boolean(),
  });
  let time = 9e9;
  let written = 0;
  let signals = 0;
  let execs = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), steps => {
      for (const { lethal, arg, kind, failures, finish } of steps) {
        time += 1000;
        const lane = lethal ? made.lethal : made.bulk;
        const record =
          kind === 'signal'
            ? usr1(time, arg)
            : kind === 'exec'
              ? exec({ process: CHILD, argv: ['x'], time })
              : new Uint8Array(40 + arg).fill(0xee);
        assert.ok(lane.write(record));
        written++;
        if (kind === 'signal') signals++;
        if (kind === 'exec') execs++;
        made.store.failures = failures;
        if (finish) made.pipeline.finish();
      }
      made.pipeline.finish();
      made.assertDrained();
      assert.equal(made.tally.seen, written);
      assert.equal(made.ask<{ n: number }>('SELECT coalesce(sum(count), 0) AS n FROM signal')[0]?.n, signals);
      assert.equal(made.ask<{ n: number }>('SELECT count(*) AS n FROM exec')[0]?.n, execs);
    }),
    { numRuns: 15 },
  );
});
