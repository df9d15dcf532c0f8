import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SnoopDisposition } from '../../bpf/wire.gen.js';
import { Fate } from '../../recorder/event-spec.js';
import { Mechanism, mechanismOfCode } from '../../recorder/mechanism.js';
import { delivery, exit, fork, type Key } from './records.js';
import { assertHas, BOOTED_US, World } from './world.js';

const INIT: Key = { pid: 7_000_001, start: 1e6, comm: 'systemd' };
const SHELL: Key = { pid: 7_000_100, start: 5e9, comm: 'bash' };
const DEFAULT = SnoopDisposition.DEFAULT;
const HANDLED = SnoopDisposition.HANDLED;
const SIGTERM = 15;
const SIGALRM = 14;
const SI_KERNEL = 128;

function shell(): World {
  const world = new World();
  world.apply(fork({ child: SHELL, parent: INIT }));
  return world;
}

const handled = (time: number, more: Partial<Parameters<typeof delivery>[0]> = {}) =>
  delivery({
    process: SHELL,
    sig: SIGTERM,
    code: 0,
    from: { pid: 33, uid: 1000 },
    action: HANDLED,
    time,
    ...more,
  });

test('a handler that ran is a row with the siginfo that it got', () => {
  const world = shell();
  assert.equal(world.apply(handled(9e9)), Fate.stored);
  assertHas(world.rows('delivery')[0], {
    time: BOOTED_US + 9e6,
    last_time: null,
    count: 1,
    process: world.process(SHELL).id,
    tid: null,
    sig: SIGTERM,
    code: 0,
    action: HANDLED,
    mechanism: null,
    from_pid: 33,
    from_uid: 1000,
  });
});

test('23 that are equal are one row that counts 23; one that differs in anything has its own', () => {
  const world = shell();
  for (let i = 0; i < 23; i++) world.apply(handled(9e9 + i * 1e6));
  assertHas(world.rows('delivery')[0], { count: 23, time: BOOTED_US + 9e6, last_time: BOOTED_US + 9.022e6 });
  world.apply(handled(10e9, { sig: 10 }));
  world.apply(handled(10e9, { code: -1 }));
  world.apply(handled(10e9, { action: DEFAULT }));
  world.apply(handled(10e9, { from: { pid: 34, uid: 1000 } }));
  world.apply(handled(10e9, { from: { pid: 33, uid: 0 } }));
  world.apply(handled(10e9, { process: { ...SHELL, tid: SHELL.pid + 1 } }));
  assert.deepEqual(
    world.rows('delivery').map(({ count }) => count),
    [23, 1, 1, 1, 1, 1, 1],
  );
});

test('what the kernel signed has no sender, and its code names the mechanism', () => {
  const world = shell();
  world.apply(delivery({ process: SHELL, sig: 24, code: SI_KERNEL, action: DEFAULT }));
  assertHas(world.rows('delivery')[0], { mechanism: Mechanism.rlimit, from_pid: null, from_uid: null });
});

test('a signal that never left its queue is told by the end of the process', () => {
  const world = shell();
  const end = exit({ process: SHELL, status: SIGALRM, time: 11e9, info: { sig: SIGALRM, code: SI_KERNEL } });
  assert.equal(world.apply(end), Fate.stored);
  assertHas(world.rows('delivery')[0], {
    time: BOOTED_US + 11e6,
    sig: SIGALRM,
    action: DEFAULT,
    mechanism: Mechanism.timer,
  });
});

test('one that was delivered by default is not told again by the end', () => {
  const world = shell();
  world.apply(handled(9e9, { action: DEFAULT }));
  world.apply(exit({ process: SHELL, status: SIGTERM, info: { sig: SIGTERM, code: 0 } }));
  assert.equal(world.rows('delivery').length, 1);
});

test('an exit without a signal in its queue tells none', () => {
  const world = shell();
  world.apply(exit({ process: SHELL, status: 9 }));
  assert.deepEqual(world.rows('delivery'), []);
});

test('a code that a process may write never names a mechanism', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 64 }), fc.integer({ min: -100, max: 0 }), (sig, code) => {
      assert.equal(mechanismOfCode(sig, code), code === -2 ? Mechanism.timer : null);
    }),
  );
});
