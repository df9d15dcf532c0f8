import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EvCgroup, EvExec, EvOom, SnoopHeader, SnoopType } from '../../bpf/wire.gen.js';
import { Fate } from '../../recorder/event-spec.js';
import { applyRecord, EVENTS, eventName } from '../../recorder/events.js';
import { guardedMemory } from './guarded.js';
import { attempt, cgroup, delivery, exec, exit, fork, oom, signal, snapshot } from './records.js';
import { World } from './world.js';

const SHELL = { pid: 7_000_001, start: 5e9, comm: 'bash' };
const CHILD = { pid: 7_000_002, start: 6e9, comm: 'sleep' };

/** One good record of each type. */
const GOOD: Record<string, Uint8Array> = {
  signal: signal({ sig: 15, sender: SHELL, target: CHILD }),
  attempt: attempt({ caller: SHELL, args: [CHILD.pid, 0], sig: 0, result: 0 }),
  exec: exec({ process: CHILD, argv: ['sleep', '1'], exe: '/usr/bin/sleep', cwd: '/tmp', interp: '/bin/sh' }),
  fork: fork({ child: CHILD, parent: SHELL }),
  exit: exit({ process: CHILD, parent: SHELL }),
  oom: oom({ victim: CHILD, trigger: SHELL, memcg: '/a/b' }),
  snapshot: snapshot({ child: CHILD, parent: SHELL }),
  cgroup: cgroup({ id: 99, path: '/system.slice/x.service' }),
  delivery: delivery({ process: CHILD, sig: 15, code: 0, from: { pid: SHELL.pid, uid: 0 }, action: 2 }),
};

/** Where each type keeps the lengths of its variable parts. */
const LENGTHS: Record<string, readonly number[]> = {
  exec: [EvExec.exe_bytes, EvExec.cwd_bytes, EvExec.filename_bytes, EvExec.interp_bytes, EvExec.argv_bytes],
  oom: [EvOom.memcg_bytes],
  cgroup: [EvCgroup.path_bytes],
};

function applyGuarded(world: World, record: Uint8Array): Fate {
  if (world.isFull) world.stored();
  return applyRecord(world.context, guardedMemory(record), 8, record.length);
}

test('the table names each type once, and has a record of each here', () => {
  const names = Object.values(EVENTS).map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  assert.deepEqual(Object.keys(GOOD).sort(), names.sort());
  assert.equal(eventName(SnoopType.OOM), 'oom');
  assert.equal(eventName(13), 'type 13');
});

test('the variable parts of the table are those of the wire', () => {
  for (const { name, parts } of Object.values(EVENTS)) assert.deepEqual(parts, LENGTHS[name] ?? [], name);
});

for (const [name, record] of Object.entries(GOOD)) {
  test(`a good ${name} is stored, and read only within its bytes`, () => {
    assert.equal(applyGuarded(new World(), record), Fate.stored);
  });

  test(`a ${name} cut anywhere is malformed and leaves no trace`, () => {
    const world = new World();
    for (let length = 0; length < record.length; length++) {
      assert.equal(applyGuarded(world, record.subarray(0, length)), Fate.malformed, `${length} bytes`);
    }
    assert.equal(world.table.dirty.length, 0);
    assert.equal(world.waiting, 0);
  });

  test(`a ${name} with bytes behind its end is the same record`, () => {
    const longer = new Uint8Array(record.length + 24).fill(0xee);
    longer.set(record);
    assert.equal(applyGuarded(new World(), longer), Fate.stored);
  });
}

for (const [name, offsets] of Object.entries(LENGTHS)) {
  test(`a ${name} whose lengths claim more than there is is malformed`, () => {
    for (const at of offsets) {
      for (const more of [1, 8, 4096, 0x7fffffff, 0xffffffff]) {
        const record = Uint8Array.from(GOOD[name] as Uint8Array);
        const view = new DataView(record.buffer);
        view.setUint32(at, Math.min(view.getUint32(at, true) + more, 0xffffffff), true);
        assert.equal(applyGuarded(new World(), record), Fate.malformed, `${at} + ${more}`);
      }
    }
  });
}

test('lengths whose sum wraps around 2^32 are malformed', () => {
  const record = Uint8Array.from(GOOD.exec as Uint8Array);
  for (const at of LENGTHS.exec as number[]) new DataView(record.buffer).setUint32(at, 0x80000000, true);
  assert.equal(applyGuarded(new World(), record), Fate.malformed);
});

test('types that nobody knows are malformed', () => {
  for (const type of [0, 10, 12, 15, 16, 17, 255, 0x7fffffff, 0xffffffff]) {
    const record = Uint8Array.from(GOOD.signal as Uint8Array);
    new DataView(record.buffer).setUint32(SnoopHeader.type, type, true);
    assert.equal(applyGuarded(new World(), record), Fate.malformed, `type ${type}`);
  }
});

test('the idle task neither executes nor ends nor is a victim', () => {
  const idle = { pid: 0, start: 0 };
  const world = new World();
  assert.equal(applyGuarded(world, exec({ process: idle, argv: [] })), Fate.malformed);
  assert.equal(applyGuarded(world, exit({ process: idle })), Fate.malformed);
  assert.equal(applyGuarded(world, oom({ victim: idle, trigger: SHELL })), Fate.malformed);
});

test('random bytes never throw and are never read outside', () => {
  const world = new World();
  const junk = fc.uint8Array({ maxLength: 260, size: 'max' });
  const typed = fc.tuple(junk, fc.integer({ min: 0, max: 17 })).map(([bytes, type]) => {
    if (bytes.length >= 4) new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, type, true);
    return bytes;
  });
  /** Like a record up to the lengths, which are small, so that many come through to the end. */
  const plausible = typed.map(bytes => {
    const type = bytes.length >= 4 ? bytes[0] : 0;
    const lengths =
      type === SnoopType.EXEC ? LENGTHS.exec : type === SnoopType.OOM ? LENGTHS.oom : LENGTHS.cgroup;
    if (type !== SnoopType.EXEC && type !== SnoopType.OOM && type !== SnoopType.CGROUP) return bytes;
    for (const at of lengths ?? []) {
      if (bytes.length >= at + 4)
        new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, (bytes[at] as number) >> 3, true);
    }
    return bytes;
  });
  const fates = [0, 0, 0];
  fc.assert(
    fc.property(fc.oneof(junk, typed, plausible), bytes => {
      fates[applyGuarded(world, bytes)]! += 1;
    }),
    { numRuns: 20_000 },
  );
  assert.ok((fates[Fate.stored] as number) > 100, `only ${fates[Fate.stored]} came through`);
  assert.ok((fates[Fate.malformed] as number) > 100);
});

test('good records with flipped bytes never throw and are never read outside', () => {
  const world = new World();
  const flips = fc.array(fc.tuple(fc.nat(400), fc.integer({ min: 1, max: 255 })), {
    minLength: 1,
    maxLength: 6,
  });
  fc.assert(
    fc.property(fc.constantFrom(...Object.values(GOOD)), flips, (good, changes) => {
      const record = Uint8Array.from(good);
      for (const [at, mask] of changes) record[at % record.length]! ^= mask;
      applyGuarded(world, record);
    }),
    { numRuns: 5000 },
  );
});
