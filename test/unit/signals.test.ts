import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SnoopSenderState } from '../../bpf/wire.gen.js';
import { Fate } from '../../recorder/event-spec.js';
import { Mechanism } from '../../recorder/mechanism.js';
import { SYSCALL } from '../../recorder/numbers.js';
import { Repeats } from '../../recorder/repeats.js';
import { attempt, exec, exit, fork, IDLE, type Key, oom, signal } from './records.js';
import { assertHas, BOOTED_US, World } from './world.js';

const INIT: Key = { pid: 7_000_001, start: 1e6, comm: 'systemd' };
const SHELL: Key = { pid: 7_000_100, start: 5e9, comm: 'bash', uid: 1000 };
const VICTIM: Key = { pid: 7_000_200, start: 6e9, comm: 'sleep', uid: 1000 };
const OTHER: Key = { pid: 7_000_300, start: 7e9, comm: 'cat', uid: 1000 };

/** A shell with two children. */
function family(): World {
  const world = new World();
  world.apply(fork({ child: SHELL, parent: INIT }));
  world.apply(fork({ child: VICTIM, parent: SHELL }));
  world.apply(fork({ child: OTHER, parent: SHELL }));
  return world;
}

test('kill(2): sender, target, call and times are in the row', () => {
  const world = family();
  const fate = world.apply(
    signal({
      sig: 15,
      sender: SHELL,
      target: VICTIM,
      time: 9e9,
      code: 0,
      syscall: SYSCALL.kill,
      args: [VICTIM.pid, 15],
    }),
  );
  assert.equal(fate, Fate.stored);
  const [row] = world.rows('signal');
  const { id: sender } = world.process(SHELL);
  const { id: target } = world.process(VICTIM);
  assertHas(row, {
    time: BOOTED_US + 9e6,
    last_time: null,
    count: 1,
    sender,
    sender_tid: SHELL.pid,
    sender_uid: 1000,
    target,
    target_tid: null,
    sig: 15,
    code: 0,
    mechanism: Mechanism.kill,
    call: null,
    outcome: 0,
    disposition: 0,
    target_arg: VICTIM.pid,
    syscall: SYSCALL.kill,
  });
});

test('a storm of identical signals is one row with its count, its first and its last time', () => {
  const world = family();
  const fates = Array.from({ length: 1000 }, (_, i) =>
    world.apply(signal({ sig: 10, sender: SHELL, target: VICTIM, time: 9e9 + i * 1000 })),
  );
  assert.equal(fates.filter(fate => fate === Fate.stored).length, 1);
  assert.equal(fates.filter(fate => fate === Fate.folded).length, 999);
  const rows = world.rows('signal');
  assert.equal(rows.length, 1);
  assertHas(rows[0], { count: 1000, time: BOOTED_US + 9e6, last_time: BOOTED_US + 9e6 + 999 });
});

test('signals that differ in anything are rows of their own', () => {
  const world = family();
  const base = { sig: 10, sender: SHELL, target: VICTIM };
  const others = [
    base,
    { ...base, sig: 12, args: [VICTIM.pid, 12] as const },
    { ...base, target: OTHER },
    { ...base, sender: OTHER },
    { ...base, sender: { ...SHELL, tid: SHELL.pid + 1 } },
    { ...base, sender: { ...SHELL, uid: 0 } },
    { ...base, sender: { ...SHELL, comm: 'renamed' } },
    { ...base, target: { ...VICTIM, comm: 'renamed' } },
    { ...base, group: false },
    { ...base, result: 2 },
    { ...base, disposition: 2 },
    { ...base, code: 128 },
    { ...base, args: [1, 10] as const },
    { ...base, code: -6, syscall: SYSCALL.tkill },
  ];
  for (const facts of others) assert.equal(world.apply(signal(facts)), Fate.stored, JSON.stringify(facts));
  assert.equal(world.rows('signal').length, others.length);
});

test('a signal to a thread names the thread', () => {
  const world = family();
  world.apply(
    signal({
      sig: 10,
      sender: SHELL,
      target: { ...VICTIM, tid: 7_000_205 },
      group: false,
      code: -6,
      syscall: 234,
    }),
  );
  assertHas(world.rows('signal')[0], { target_tid: 7_000_205 });
});

test('kill(-pgid): all targets share one call, which its return closes', () => {
  const world = family();
  const call = { sig: 15, sender: SHELL, args: [-42, 15] as const };
  world.apply(signal({ ...call, target: VICTIM }));
  world.apply(signal({ ...call, target: OTHER }));
  assert.equal(world.apply(attempt({ caller: SHELL, args: [-42, 15], sig: 15, result: 0 })), Fate.folded);
  world.apply(signal({ ...call, target: VICTIM }));
  world.apply(signal({ ...call, target: OTHER }));
  const rows = world.rows('signal');
  assert.deepEqual(
    rows.map(row => row.call),
    [1, 1, 3, 3],
    'the id of the first row of each',
  );
  assert.ok(rows.every(row => row.target_arg === -42));
});

test('kill(0) and kill(-1) are calls to a group too, two threads in them are two calls', () => {
  const world = family();
  world.apply(signal({ sig: 15, sender: SHELL, target: VICTIM, args: [0, 15] }));
  world.apply(signal({ sig: 15, sender: { ...SHELL, tid: 7_000_101 }, target: VICTIM, args: [-1, 15] }));
  world.apply(signal({ sig: 15, sender: SHELL, target: OTHER, args: [0, 15] }));
  assert.deepEqual(
    world.rows('signal').map(row => row.call),
    [1, 2, 1],
  );
});

test('asking a whole group with signal 0 is a probe', () => {
  const world = family();
  assert.equal(world.apply(attempt({ caller: SHELL, args: [-42, 0], sig: 0, result: 0 })), Fate.stored);
  assertHas(world.rows('signal')[0], { sig: 0, outcome: 5, target: null, target_arg: -42 });
});

test('a refused kill names whom it was meant for', () => {
  const world = family();
  world.apply(attempt({ caller: SHELL, args: [VICTIM.pid, 9], sig: 9, result: -1 }));
  assertHas(world.rows('signal')[0], {
    sender: world.process(SHELL).id,
    target: world.process(VICTIM).id,
    sig: 9,
    code: null,
    mechanism: Mechanism.kill,
    outcome: -1,
    target_arg: VICTIM.pid,
    disposition: null,
  });
});

test('a kill of nobody has no target, and neither has one of a process that is gone', () => {
  const world = family();
  world.apply(attempt({ caller: SHELL, args: [7_999_999, 9], sig: 9, result: -3 }));
  world.apply(exit({ process: VICTIM, parent: SHELL }));
  world.apply(attempt({ caller: SHELL, args: [VICTIM.pid, 9], sig: 9, result: -3 }));
  assert.deepEqual(
    world.rows('signal').map(row => [row.target, row.outcome]),
    [
      [null, -3],
      [null, -3],
    ],
  );
});

test('inside another pid namespace, or with a descriptor, the argument is no pid of ours', () => {
  const world = family();
  world.apply(attempt({ caller: SHELL, args: [VICTIM.pid, 9], sig: 9, result: -3, nsLevel: 1 }));
  world.apply(
    attempt({ caller: SHELL, args: [VICTIM.pid, 9], sig: 9, result: -9, syscall: SYSCALL.pidfd_send_signal }),
  );
  assert.ok(world.rows('signal').every(row => row.target === null && row.target_arg === VICTIM.pid));
});

test('whom the kernel found behind a descriptor or a pid of another namespace is the target', () => {
  const world = family();
  for (const syscall of [SYSCALL.pidfd_send_signal, SYSCALL.kill])
    world.apply(
      attempt({ caller: SHELL, syscall, args: [3, 9], sig: 9, result: -1, nsLevel: 1, target: VICTIM }),
    );
  const { id } = world.process(VICTIM);
  assert.deepEqual(
    world.rows('signal').map(({ target, target_arg }) => [target, target_arg]),
    [
      [id, 3],
      [id, 3],
    ],
  );
});

test('a call that found nobody names nobody, though the one who bore the pid was not seen to end', () => {
  const world = family();
  world.apply(attempt({ caller: SHELL, args: [VICTIM.pid, 9], sig: 9, result: -3 }));
  assertHas(world.rows('signal')[0], { target: null, outcome: -3 });
});

test('an attempt with a call that sends nothing is malformed', () => {
  assert.equal(
    family().apply(attempt({ caller: SHELL, args: [1, 2], sig: 2, result: 0, syscall: 39 })),
    Fate.malformed,
  );
});

test('whoever runs when a timer fires is not the sender', () => {
  const world = family();
  for (const code of [-2, 128]) {
    world.apply(
      signal({ sig: 14, sender: SHELL, target: VICTIM, code, syscall: SYSCALL.kill, args: [VICTIM.pid, 14] }),
    );
    world.apply(
      signal({ sig: 14, sender: IDLE, target: VICTIM, code, syscall: -1, state: SnoopSenderState.KTHREAD }),
    );
  }
  for (const row of world.rows('signal')) {
    assertHas(row, {
      sender: null,
      sender_tid: null,
      sender_uid: null,
      sender_comm: null,
      sender_exec: null,
    });
    assertHas(row, { mechanism: Mechanism.timer, target_arg: null, target: world.process(VICTIM).id });
  }
});

test('PDEATHSIG is sent by the parent that dies', () => {
  const world = family();
  const state = SnoopSenderState.EXITING;
  world.apply(
    signal({ sig: 15, sender: SHELL, target: VICTIM, code: 0, syscall: 231, state, pdeathsig: 15 }),
  );
  assertHas(world.rows('signal')[0], {
    sender: world.process(SHELL).id,
    mechanism: Mechanism.pdeathsig,
    target_arg: null,
    dying: null, // as far as is known only a thread of it
  });
});

test('a hang-up has no sender, and names the process whose end it is', () => {
  const world = family();
  const state = SnoopSenderState.EXITING | SnoopSenderState.GROUP_ENDS;
  world.apply(signal({ sig: 1, sender: SHELL, target: VICTIM, code: 128, syscall: 231, state }));
  assertHas(world.rows('signal')[0], {
    sender: null,
    mechanism: Mechanism.tty,
    dying: world.process(SHELL).id,
  });
});

test('the OOM killer is named for the SIGKILL that comes just before its mark', () => {
  const world = family();
  const kill = { sig: 9, sender: SHELL, code: 128, syscall: 9 };
  world.apply(signal({ ...kill, target: OTHER, time: 8e9 }));
  world.apply(signal({ ...kill, target: VICTIM, time: 9e9 }));
  assert.equal(
    world.apply(oom({ victim: VICTIM, trigger: SHELL, memcg: '/docker/x', time: 9.1e9 })),
    Fate.stored,
  );
  world.apply(signal({ ...kill, target: VICTIM, time: 9.2e9 }));
  assert.deepEqual(
    world.rows('signal').map(row => row.mechanism),
    [Mechanism.kernel, Mechanism.oom, Mechanism.oom],
  );
  const [row] = world.rows('oom_kill');
  assertHas(row, { victim: world.process(VICTIM).id, trigger: world.process(SHELL).id });
  assert.equal(world.text('paths', row?.memory_cgroup as number), '/docker/x');
});

test('a kill(2) of a process that the OOM killer marks later stays a kill', () => {
  const world = family();
  world.apply(signal({ sig: 9, sender: SHELL, target: VICTIM }));
  world.apply(oom({ victim: VICTIM, trigger: SHELL }));
  assertHas(world.rows('signal')[0], { mechanism: Mechanism.kill });
});

test('what the sender ran when it sent is kept: an exec in between splits the rows', () => {
  const world = family();
  const usr1 = signal({ sig: 10, sender: SHELL, target: VICTIM });
  world.apply(usr1);
  world.apply(exec({ process: SHELL, argv: ['bash', '-x'] }));
  world.apply(usr1);
  assert.deepEqual(
    world.rows('signal').map(row => row.sender_exec),
    [null, 1],
  );
});

test('a repeated probe of a pid that passed on to another process names the new one', () => {
  const world = family();
  const probe = attempt({ caller: SHELL, args: [VICTIM.pid, 0], sig: 0, result: 0 });
  world.apply(probe);
  world.apply(probe);
  const heir: Key = { ...VICTIM, start: 20e9, comm: 'heir' };
  world.apply(signal({ sig: 10, sender: SHELL, target: heir })); // its fork was lost
  world.apply(probe);
  const rows = world.rows('signal').filter(row => row.sig === 0);
  assert.deepEqual(
    rows.map(row => [row.target, row.count]),
    [
      [world.process(VICTIM).id, 2],
      [world.process(heir).id, 1],
    ],
  );
});

test('recognising repeated records changes no row', () => {
  const key = fc.constantFrom<Key>(
    SHELL,
    VICTIM,
    OTHER,
    { ...SHELL, comm: 'sh' },
    { ...VICTIM, start: 8e9 },
    { ...OTHER, tid: 5 },
    IDLE,
  );
  const sig = fc.constantFrom(9, 10, 15);
  const args = fc.constantFrom<readonly [number, number]>(
    [SHELL.pid, 10],
    [VICTIM.pid, 15],
    [-42, 15],
    [0, 9],
  );
  const record = fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .record({ sig, sender: key, target: key, args, code: fc.constantFrom(0, -6, 128) })
        .map(signal),
    },
    {
      weight: 4,
      arbitrary: fc
        .record({ caller: key, args, sig: fc.constantFrom(0, 9), result: fc.constantFrom(0, -1) })
        .map(attempt),
    },
    { weight: 1, arbitrary: fc.record({ process: key, argv: fc.constant(['x']) }).map(exec) },
    { weight: 1, arbitrary: fc.record({ child: key, parent: key }).map(fork) },
    { weight: 1, arbitrary: fc.record({ process: key }).map(exit) },
    { weight: 1, arbitrary: fc.record({ victim: key, trigger: key }).map(oom) },
  );
  const blind = new Repeats();
  blind.find = () => -1;
  fc.assert(
    fc.property(fc.array(record, { maxLength: 40 }), records => {
      const [quick, slow] = [new World(), new World()];
      slow.context.repeats = blind;
      for (const bytes of records) {
        const fate = quick.apply(bytes);
        assert.equal(slow.apply(bytes), fate);
      }
      assert.deepEqual(quick.rows('signal'), slow.rows('signal'));
    }),
    { numRuns: 1000 },
  );
});

test('the memory of a victim is told in KiB, and as unknown when it had none any more', () => {
  const world = family();
  world.apply(oom({ victim: VICTIM, trigger: SHELL, pages: [1000, 20, 3] }));
  world.apply(oom({ victim: OTHER, trigger: SHELL, pages: [-1, -1, -1] }));
  const [held, none] = world.rows('oom_kill');
  assertHas(held, { anon_kb: 4000, file_kb: 80, shmem_kb: 12 });
  assertHas(none, { anon_kb: null, file_kb: null, shmem_kb: null });
});
