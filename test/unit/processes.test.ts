import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fate } from '../../recorder/event-spec.js';
import type { Archive } from '../../recorder/identity.js';
import { Process } from '../../recorder/process-table.js';
import { processFacts } from '../../recorder/procfs.js';
import { cgroup, exec, exit, fork, type Key, signal, snapshot } from './records.js';
import { assertHas, BOOTED_US, World } from './world.js';

const INIT: Key = { pid: 7_000_001, start: 1e6, comm: 'systemd' };
const SHELL: Key = { pid: 7_000_100, start: 5e9, comm: 'bash', uid: 1000 };
const CHILD: Key = { pid: 7_000_200, start: 6e9, comm: 'bash', uid: 1000 };
const SLEEP: Key = { ...CHILD, comm: 'sleep' };

const LIFE = [
  fork({ child: CHILD, parent: SHELL, time: 6e9 }),
  exec({ process: SLEEP, argv: ['sleep', '9'], exe: '/usr/bin/sleep', cwd: '/tmp', time: 6.1e9 }),
  exit({ process: SLEEP, parent: SHELL, status: 15, time: 7e9 }),
] as const;

function worldWithShell(): World {
  const world = new World();
  world.apply(snapshot({ child: SHELL, parent: INIT }));
  world.apply(exec({ process: SHELL, argv: ['-bash'], exe: '/bin/bash', cwd: '/home' }));
  return world;
}

/** The facts of the child that hold in whatever order its records came. */
function assertWholeLife(world: World): void {
  const child = world.process(CHILD);
  const shell = world.process(SHELL);
  assertHas(child, {
    origin: 'fork',
    started: BOOTED_US + 6e6,
    ended: BOOTED_US + 7e6,
    unseenEnd: null,
    parent: shell.id,
    status: 15,
    uid: 1000,
    userUs: 3000,
    systemUs: 2000,
    maxRssKb: 1024,
  });
  assert.equal(world.text('comms', child.comm), 'sleep');
  assert.equal(world.text('paths', child.exe), '/usr/bin/sleep');
  assert.equal(world.text('paths', child.cwd), '/tmp');
  assert.equal(world.text('argvs', child.argv), '["sleep","9"]');
}

test('fork, exec, exit: a whole life', () => {
  const world = worldWithShell();
  assert.deepEqual(
    LIFE.map(record => world.apply(record)),
    [Fate.stored, Fate.stored, Fate.stored],
  );
  assertWholeLife(world);
  assertHas(world.process(CHILD), { parentExec: 1, exec: 2 });
});

test('exec and exit before the fork arrives: the same life', () => {
  const world = worldWithShell();
  const [born, ran, died] = LIFE;
  assert.deepEqual(
    [ran, died, born].map(record => world.apply(record)),
    [Fate.stored, Fate.stored, Fate.folded],
  );
  assertWholeLife(world);
});

test('exit before the fork arrives, without an exec: what it ran is what its parent runs', () => {
  const world = worldWithShell();
  world.apply(exit({ process: CHILD, parent: SHELL, status: 256 }));
  assertHas(world.process(CHILD), { origin: 'repaired', parent: world.process(SHELL).id, uid: 1000 });
  world.apply(fork({ child: CHILD, parent: SHELL }));
  assertHas(world.process(CHILD), {
    origin: 'fork',
    status: 256,
    exe: world.process(SHELL).exe,
    argv: world.process(SHELL).argv,
  });
});

test('until it executes something a child runs what its parent runs', () => {
  const world = worldWithShell();
  world.apply(fork({ child: CHILD, parent: SHELL }));
  const { exe, argv, cwd } = world.process(SHELL);
  assertHas(world.process(CHILD), { exe, argv, cwd, exec: null, parentExec: 1 });
});

test('a fork that the snapshot told of already is folded, and changes nothing', () => {
  const world = worldWithShell();
  world.apply(exec({ process: { ...SHELL, comm: 'zsh' }, argv: ['zsh'], exe: '/bin/zsh' }));
  assert.equal(world.apply(fork({ child: SHELL, parent: INIT })), Fate.folded);
  assert.equal(world.text('paths', world.process(SHELL).exe), '/bin/zsh');
  assert.equal(world.process(SHELL).origin, 'snapshot');
});

test('a pid that is used again: two processes, each with its own end', () => {
  const world = worldWithShell();
  const heir: Key = { ...CHILD, start: 9e9, comm: 'heir' };
  world.apply(fork({ child: CHILD, parent: SHELL }));
  world.apply(fork({ child: heir, parent: SHELL }));
  assertHas(world.process(CHILD), { ended: null, unseenEnd: BOOTED_US + 9e6 });
  world.apply(exit({ process: CHILD, parent: SHELL, time: 8e9 })); // late, and still its own
  assertHas(world.process(CHILD), { ended: BOOTED_US + 8e6, unseenEnd: null });
  assertHas(world.process(heir), { ended: null, unseenEnd: null });
  assert.notEqual(world.process(CHILD).id, world.process(heir).id);
});

test('a signal from a process whose fork was lost: it is repaired, and marked so', () => {
  const world = worldWithShell();
  world.apply(signal({ sig: 15, sender: CHILD, target: SHELL }));
  const child = world.process(CHILD);
  assertHas(child, { origin: 'repaired', started: BOOTED_US + 6e6, parent: null });
  assert.ok(world.table.dirty.includes(child));
  assert.equal(world.text('comms', child.comm), 'bash');
});

test('a fork whose parent is not known brings the parent too', () => {
  const world = new World();
  world.apply(fork({ child: CHILD, parent: SHELL }));
  assert.equal(world.process(SHELL).origin, 'repaired');
  assert.equal(world.process(CHILD).parent, world.process(SHELL).id);
});

test('an exec from a thread: the process stays who it is, the thread is in the row', () => {
  const world = worldWithShell();
  world.apply(fork({ child: CHILD, parent: SHELL }));
  world.apply(exec({ process: SLEEP, argv: ['sleep'], oldTid: 7_000_205 }));
  const [, row] = world.rows('exec');
  assertHas(row, { process: world.process(CHILD).id, old_tid: 7_000_205 });
  assertHas(world.rows('exec')[0], { old_tid: null });
});

test('an exec that failed leaves the process as it was', () => {
  const world = worldWithShell();
  const before = { ...world.process(SHELL) };
  world.apply(
    exec({
      process: SHELL,
      argv: ['nope'],
      exe: null,
      filename: '/bin/nope',
      cwd: '/home',
      result: -2,
      time: 9e9,
    }),
  );
  const { exec: last, exe, argv, cwd, comm } = before;
  assertHas(world.process(SHELL), { exec: last, exe, argv, cwd, comm });
  const row = world.rows('exec')[1];
  assertHas(row, { result: -2, exe: null, inode: null, device: null });
  assert.equal(world.text('paths', row?.filename as number), '/bin/nope');
  assert.equal(world.text('argvs', row?.argv as number), '["nope"]');
});

test('no login, no session and no terminal are NULL', () => {
  const world = worldWithShell();
  assertHas(world.rows('exec')[0], { loginuid: null, session: null, tty: null, interp: null });
  world.apply(
    exec({ process: SHELL, argv: ['x'], loginuid: 0, session: 3, tty: (136 << 20) | 2, interp: '/bin/sh' }),
  );
  assertHas(world.rows('exec')[1], { loginuid: 0, session: 3, tty: (136 << 20) | 2 });
});

test('arguments that were cut keep their full length and their mark', () => {
  const world = worldWithShell();
  world.apply(exec({ process: SHELL, argv: ['x'.repeat(100)], argsBytes: 5_000_000, flags: 1 }));
  const row = world.rows('exec')[1];
  assertHas(row, { flags: 1 });
  const argv = world.texts.argvs.added.find(added => added.id === row?.argv);
  assert.equal(argv?.values[1], 5_000_000);
});

test('an unreadable working directory is not the root', () => {
  const world = worldWithShell();
  const PATH_UNREADABLE = 8;
  world.apply(
    exec({ process: SHELL, argv: ['x'], exe: null, cwd: null, filename: 'x', flags: PATH_UNREADABLE }),
  );
  assertHas(world.rows('exec')[1], { exe: null, cwd: null });
});

test('a second exit of the same process is folded: the first one told it', () => {
  const world = worldWithShell();
  world.apply(fork({ child: CHILD, parent: SHELL }));
  assert.equal(world.apply(exit({ process: CHILD, status: 9, time: 7e9 })), Fate.stored);
  assert.equal(world.apply(exit({ process: CHILD, status: 9, time: 7.000_001e9 })), Fate.folded);
  assert.equal(world.process(CHILD).ended, BOOTED_US + 7e6);
});

test('the parent of a dead parent is still named within the grace time', () => {
  const world = worldWithShell();
  const grandchild: Key = { pid: 7_000_300, start: 8e9, comm: 'cat' };
  world.apply(fork({ child: CHILD, parent: SHELL }));
  world.apply(exit({ process: CHILD, parent: SHELL, time: 7e9 }));
  world.stored();
  world.table.expire(BOOTED_US + 8e6);
  world.apply(fork({ child: grandchild, parent: CHILD }));
  const parent = world.process(grandchild).parent;
  assert.equal(parent, world.process(CHILD).id);
  assert.equal(world.process(CHILD).parent, world.process(SHELL).id);
});

test('a process that was forgotten is found again in the archive, as the same', () => {
  const stored = new Map<string, Process>();
  const archive: Archive = { findProcess: (pid, start) => stored.get(`${pid} ${start}`) ?? null };
  const world = new World({ archive });
  world.apply(fork({ child: CHILD, parent: SHELL }));
  world.apply(exit({ process: CHILD, time: 7e9 }));
  const { id } = world.process(CHILD);
  stored.set(
    `${CHILD.pid} ${CHILD.start}`,
    Object.assign(new Process(id, CHILD.pid, CHILD.start, 0, 'fork'), { ended: 1 }),
  );
  world.stored();
  world.table.expire(BOOTED_US + 100e6);
  assert.equal(world.table.find(CHILD.pid, CHILD.start), null);
  world.apply(signal({ sig: 15, sender: CHILD, target: SHELL }));
  assert.equal(world.process(CHILD).id, id);
  assertHas(world.rows('signal')[0], { sender: id });
});

test('a process inside a pid namespace has its pid there too', () => {
  const world = worldWithShell();
  world.apply(fork({ child: CHILD, parent: SHELL, nsPid: 7, nsLevel: 1 }));
  assert.equal(world.process(CHILD).nsPid, 7);
  assert.equal(world.process(SHELL).nsPid, null);
});

test('a process in a cgroup that was made before it belongs there', () => {
  const world = worldWithShell();
  assert.equal(world.apply(cgroup({ id: 4711, path: '/system.slice/x.service' })), Fate.stored);
  world.apply(fork({ child: CHILD, parent: SHELL, cgroup: 4711 }));
  assert.equal(world.process(CHILD).cgroup, 1);
  world.apply(exec({ process: SLEEP, argv: ['sleep'], cgroup: 4711 }));
  assertHas(world.rows('exec')[1], { cgroup: 1 });
});

test('a name that changes is the last one known, and waits to be stored', () => {
  const world = worldWithShell();
  world.stored();
  world.apply(signal({ sig: 15, sender: { ...SHELL, comm: 'renamed' }, target: SHELL }));
  world.apply(
    signal({ sig: 15, sender: { ...SHELL, comm: 'renamed' }, target: { ...SHELL, comm: 'renamed' } }),
  );
  assert.equal(world.text('comms', world.process(SHELL).comm), 'renamed');
  assert.deepEqual(world.table.dirty, [world.process(SHELL)]);
});

test('the name of another thread is not the name of the process', () => {
  const world = worldWithShell();
  const name = world.process(SHELL).comm;
  world.apply(signal({ sig: 15, sender: { ...SHELL, tid: 7_000_101, comm: 'worker-1' }, target: CHILD }));
  assert.equal(world.process(SHELL).comm, name);
  assert.equal(world.text('comms', world.rows('signal')[0]?.sender_comm as number), 'worker-1');
});

test('a living stranger is described by /proc, with its ancestors', () => {
  const world = new World();
  const facts = processFacts(process.pid, null);
  assert.ok(facts);
  const self: Key = { pid: process.pid, start: facts.startNs + 1_234_567, comm: 'node' };
  world.apply(signal({ sig: 15, sender: self, target: CHILD }));
  const me = world.process(self);
  assert.equal(me.origin, 'repaired');
  assert.equal(world.text('paths', me.exe), process.execPath);
  assert.equal(me.uid, process.getuid?.());
  assert.ok(me.parent !== null);
});

test('a parent that was met in /proc is the same one when a record tells its exact start', () => {
  const world = new World();
  const [mine, parents] = [processFacts(process.pid, null), processFacts(process.ppid, null)];
  assert.ok(mine && parents);
  const self: Key = { pid: process.pid, start: mine.startNs + 1_234_567 };
  const parent: Key = { pid: process.ppid, start: parents.startNs + 7_654_321 };
  world.apply(signal({ sig: 15, sender: self, target: CHILD }));
  world.stored();
  world.apply(signal({ sig: 15, sender: parent, target: CHILD }));
  assert.equal(world.process(parent).id, world.process(self).parent);
  assert.equal(world.process(parent).unseenEnd, null);
  assert.ok(world.table.dirty.includes(world.process(parent)), 'the exact start is to be stored');
});

test('a process that ends as the child of another than made it is told with both', () => {
  const world = worldWithShell();
  world.apply(fork({ child: CHILD, parent: SHELL }));
  world.apply(exit({ process: CHILD, parent: INIT }));
  const child = world.process(CHILD);
  assert.equal(child.parent, world.process(SHELL).id);
  assert.equal(child.lastParent, world.process(INIT).id);
});

test('a process that ends as the child of who made it has no other parent', () => {
  const world = worldWithShell();
  world.apply(fork({ child: CHILD, parent: SHELL }));
  world.apply(exit({ process: CHILD, parent: SHELL }));
  assert.equal(world.process(CHILD).lastParent, null);
});
