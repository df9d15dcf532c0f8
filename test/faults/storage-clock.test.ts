/** F23, F25 and F26: clocks that step, clocks of a namespace, and boots that give the same pid to others. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SnoopCounters } from '../../bpf/wire.gen.js';
import { bootOffsetNs, Clock } from '../../recorder/clock.js';
import { Ledger, Tally } from '../../recorder/coverage.js';
import { Pipeline, type Source } from '../../recorder/pipeline.js';
import { Store } from '../../recorder/store.js';
import { cannotRecord, Lab } from '../kernel/lab.js';
import { ask, batchOf, databaseFile, openStore, RUN, worldOf } from '../unit/batches.js';
import { FakeLane } from '../unit/fake-ring.js';
import { exit, fork, type Key, signal } from '../unit/records.js';
import { BOOTED_US } from '../unit/world.js';
import { SNOOPREC } from './storage.js';

const SENDER: Key = { pid: 7_000_100, start: 5e9, comm: 'bash' };
const TARGET: Key = { pid: 7_000_300, start: 6e9, comm: 'sleep' };
const HOURS_2 = 7_200e6;

test('F23: steps of the wall clock are in the ledger, each once, and move no event against another', t => {
  const store = openStore(t);
  const world = worldOf(store);
  const now = { wall: BOOTED_US * 1000 + 10e9, boot: 10e9 };
  world.context.clock = new Clock(() => now, 0);
  const tally = new Tally();
  const ledger = new Ledger(new ArrayBuffer(SnoopCounters.bytes), tally, BOOTED_US, null);
  const [lethal, bulk] = [new FakeLane(1 << 16), new FakeLane(1 << 16)];
  const source: Source = {
    lethal: lethal.ring,
    bulk: bulk.ring,
    pins: null,
    waiter: { wait: async () => {}, call() {} },
  };
  const pipeline = new Pipeline(source, world.context, tally, ledger, store, { flushMs: 10 });
  let arg = 1;
  /** A second passes, the wall clock is set by `step` microseconds, and a batch of two records comes, and another one. */
  const second = (step: number) => {
    now.boot += 1e9;
    now.wall += 1e9 + step * 1000;
    for (const ms of [0, 1]) {
      bulk.write(
        signal({ sig: 10, sender: SENDER, target: TARGET, time: now.boot + ms * 1e6, args: [arg++, 10] }),
      );
      pipeline.finish();
    }
  };
  for (const step of [0, HOURS_2, 0, -HOURS_2, 20_000, 0]) second(step);
  const steps = ask<{ count: number; cause: string }>(
    store.path,
    "SELECT * FROM coverages WHERE kind = 'clock'",
  );
  assert.deepEqual(
    steps.map(row => row.count),
    [HOURS_2, -HOURS_2],
    'the slow correction of a time service is no step',
  );
  assert.match(steps[0]?.cause ?? '', /stepped/);
  const rows = ask<{ target_arg: number; time: number }>(
    store.path,
    'SELECT target_arg, time FROM signal ORDER BY id',
  );
  assert.deepEqual(
    rows.map(row => row.target_arg),
    Array.from({ length: 12 }, (_, i) => i + 1),
    'the order is that of the kernel',
  );
  const at = (n: number) => (rows[n] as { time: number }).time - BOOTED_US;
  assert.equal(at(0), 11e6);
  assert.equal(at(3), 12e6 + 1_000 + HOURS_2, 'what comes after a step has the new time');
  assert.equal(at(7), 14e6 + 1_000);
});

test('F25: the offset of a time namespace is read as the kernel writes it', () => {
  assert.equal(
    bootOffsetNs('monotonic           0         0\nboottime        86400         5\n'),
    86_400e9 + 5,
  );
  assert.equal(bootOffsetNs('monotonic           7         0\nboottime           -3         1\n'), -3e9 + 1);
  assert.equal(bootOffsetNs(''), 0);
});

test('F25: the clock is right inside a time namespace', () => {
  const clock = new Clock(() => ({ wall: BOOTED_US * 1000 + 10e9, boot: 86_400e9 + 10e9 }), 86_400e9);
  assert.equal(clock.wallOf(10e9), BOOTED_US + 10e6);
  assert.equal(clock.bootNow(), 10e9);
});

test('F25: a recorder that is started inside a time namespace tells the right times', {
  skip: cannotRecord,
}, t => {
  const lab = Lab.open(t);
  const sleeper = lab.background('/bin/sleep', '1000'); // older than the recorder: met in /proc
  const inside = ['-T', '--boottime', '86400', '--fork', '--'];
  const started = lab.command(
    '/usr/bin/unshare',
    ...inside,
    process.execPath,
    SNOOPREC,
    'start',
    '--cgroup',
    lab.cgroup,
  );
  assert.equal(started.status, 0, started.stderr);
  assert.equal(lab.snooprec('status').status, 0, 'who looks from outside finds it');
  const victim = Number(
    lab.inside('/bin/sh', '-c', `echo victim=${sleeper.pid}; kill -9 ${sleeper.pid}`).facts.get('victim'),
  );
  const now = Date.now();
  lab.stop();
  const verdict = lab.whoKilled(victim);
  assert.deepEqual([verdict.verdict, verdict.mechanism], ['killed', 'kill']);
  const died = Date.parse(verdict.died);
  assert.ok(Math.abs(died - now) < 2_000, `died at ${verdict.died}, it is ${new Date(now).toISOString()}`);
  const lives = lab.rows<{ origin: string; comm: string; started_us: number }>(
    'SELECT * FROM processes WHERE pid = ?',
    victim,
  );
  assert.equal(lives.length, 1, 'it is one process, in /proc and in the records');
  assert.equal(lives[0]?.comm, 'sleep');
  assert.ok(Math.abs((lives[0]?.started_us ?? 0) / 1000 - now) < 60_000);
  t.diagnostic(`F25 right times inside a time namespace of +1 day | ${Math.abs(died - now)} ms off`);
});

test('F26: after a reboot the same pid, started at the same tick, is another process', t => {
  const path = databaseFile(t);
  const victim: Key = { pid: 7_000_200, start: 6e9, comm: 'victim' };
  const init: Key = { pid: 1, start: 1e6, comm: 'init' };
  for (const [boot, killer, sig, died] of [
    ['boot-1', 'first', 9, 7e9],
    ['boot-2', 'second', 15, 9e9],
  ] as const) {
    const store = boot === 'boot-1' ? openStore(t, path, boot) : new Store(path, boot, BOOTED_US, null);
    if (boot === 'boot-2') store.begin({ ...RUN, started: BOOTED_US + 8e6 });
    const world = worldOf(store);
    const sender: Key = { pid: 7_000_100, start: 5e9, comm: killer };
    world.apply(fork({ child: sender, parent: init }));
    world.apply(fork({ child: victim, parent: init }));
    world.apply(signal({ sig, sender, target: victim, time: died - 1e6 }));
    world.apply(exit({ process: victim, parent: init, status: sig, time: died }));
    store.write(batchOf(world));
    store.close('stopped', BOOTED_US + died / 1000 + 1e6);
  }
  const kills = ask<{ killer_comm: string; signal: string }>(
    path,
    'SELECT * FROM kills WHERE pid = 7000200 ORDER BY time_us',
  );
  assert.deepEqual(
    kills.map(kill => [kill.killer_comm, kill.signal]),
    [
      ['first', 'SIGKILL'],
      ['second', 'SIGTERM'],
    ],
  );
});
