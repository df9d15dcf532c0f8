import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { SnoopError } from '../../migrations/errors.js';
import { SIGNAL, SIGNAL_TABLE } from '../../recorder/events/signal-row.js';
import { Process } from '../../recorder/process-table.js';
import { NULL, Rows } from '../../recorder/rows.js';
import { Store } from '../../recorder/store.js';
import { ask, batchOf, databaseFile, openStore, RUN, worldOf } from './batches.js';
import { attempt, cgroup, exec, exit, fork, type Key, oom, signal, snapshot } from './records.js';
import { tempDirectory } from './temp.js';
import { assertHas, BOOTED_US } from './world.js';

const INIT: Key = { pid: 7_000_001, start: 1e6, comm: 'systemd' };
const SHELL: Key = { pid: 7_000_100, start: 5e9, comm: 'bash', uid: 1000 };
const CHILD: Key = { pid: 7_000_200, start: 6e9, comm: 'bash', uid: 1000 };
const SLEEP: Key = { ...CHILD, comm: 'sleep' };

function refused(path: string): SnoopError {
  try {
    new Store(path, 'boot-1', BOOTED_US, null).abandon();
  } catch (error) {
    assert.ok(error instanceof SnoopError, `a bug, not an error for people: ${error}`);
    assert.equal(error.code, 'database');
    assert.ok(error.message.includes(path));
    assert.ok(error.hint);
    return error;
  }
  return assert.fail('was not refused');
}

test('a whole story is read back through the views', t => {
  const store = openStore(t);
  const world = worldOf(store);
  const records = [
    snapshot({ child: SHELL, parent: INIT }),
    cgroup({ id: 55, path: '/system.slice/job.service' }),
    fork({ child: CHILD, parent: SHELL, cgroup: 55 }),
    exec({
      process: SLEEP,
      argv: ['sleep', "it's 9"],
      exe: '/usr/bin/sleep',
      cwd: '/tmp',
      time: 6.1e9,
      cgroup: 55,
    }),
    exec({
      process: SLEEP,
      argv: ['x'],
      exe: null,
      filename: '/nope',
      cwd: '/tmp',
      time: 6.2e9,
      result: -2,
      cgroup: 55,
    }),
    signal({ sig: 15, sender: SHELL, target: SLEEP, time: 6.9e9 }),
    exit({ process: SLEEP, parent: SHELL, status: 15, time: 7e9 }),
    attempt({ caller: SHELL, args: [CHILD.pid, 9], sig: 9, result: -3, time: 7.1e9 }),
    oom({ victim: SHELL, trigger: SHELL, memcg: '/user.slice', time: 8e9 }),
  ];
  for (const record of records) world.apply(record);
  store.write(batchOf(world));
  const { path } = store;

  assertHas(ask(path, `SELECT * FROM processes WHERE pid = ${CHILD.pid}`)[0], {
    comm: 'sleep',
    exe: '/usr/bin/sleep',
    cmdline: `sleep 'it'\\''s 9'`,
    args: `["sleep","it's 9"]`,
    cwd: '/tmp',
    uid: 1000,
    ppid: SHELL.pid,
    parent_comm: 'bash',
    started: '2026-01-01T00:00:06.000000Z',
    ended: '2026-01-01T00:00:07.000000Z',
    duration_ms: 1000,
    cgroup: '/system.slice/job.service',
    unit: 'job.service',
    container: null,
    exit_code: null,
    exit_signal: 15,
    core_dumped: 0,
    origin: 'fork',
    boot_id: 'boot-1',
  });
  const [ok, failed] = ask(path, 'SELECT * FROM execs ORDER BY id');
  assertHas(ok, {
    result: 'ok',
    exe: '/usr/bin/sleep',
    filename: '/usr/bin/sleep',
    parent_comm: 'bash',
    device: '8:1',
  });
  assertHas(failed, {
    result: 'ENOENT',
    exe: null,
    filename: '/nope',
    comm: 'sleep',
    process_id: ok?.process_id,
  });
  const [term, kill] = ask(path, 'SELECT * FROM signals ORDER BY id');
  assertHas(term, {
    signal: 'SIGTERM',
    mechanism: 'kill',
    sender_comm: 'bash',
    target_comm: 'sleep',
    outcome: 'delivered',
    count: 1,
  });
  assertHas(kill, {
    signal: 'SIGKILL',
    outcome: 'ESRCH',
    target_id: null,
    target_arg: CHILD.pid,
    time: '2026-01-01T00:00:07.100000Z',
  });
  assertHas(ask(path, 'SELECT * FROM exits')[0], {
    pid: CHILD.pid,
    signal: 'SIGTERM',
    exit_signal: 15,
    duration_ms: 1000,
  });
  assertHas(ask(path, 'SELECT * FROM kills')[0], {
    pid: CHILD.pid,
    signal: 'SIGTERM',
    mechanism: 'kill',
    killer_pid: SHELL.pid,
    killer_comm: 'bash',
    killer_uid: 1000,
    delay_ms: 100,
    confidence: 'proven',
  });
  assertHas(ask(path, 'SELECT * FROM oom_kills')[0], { victim_pid: SHELL.pid, memory_cgroup: '/user.slice' });
});

for (const count of [0, 1, 31, 32, 33, 64, 1000]) {
  test(`${count} rows of a table are all stored, in order and unchanged`, t => {
    const store = openStore(t);
    const world = worldOf(store);
    world.apply(fork({ child: SHELL, parent: INIT }));
    for (let i = 0; i < count; i++) {
      world.apply(signal({ sig: 10, sender: SHELL, target: SHELL, args: [i + 1, 10], time: 9e9 + i * 1000 }));
    }
    store.write(batchOf(world));
    const rows = ask(store.path, 'SELECT id, target_arg, time, code, call FROM signal ORDER BY id');
    assert.deepEqual(
      rows,
      Array.from({ length: count }, (_, i) => ({
        id: i + 1,
        target_arg: i + 1,
        time: BOOTED_US + 9e6 + i,
        code: 0,
        call: null,
      })),
    );
  });
}

test('a process that changes is the same row', t => {
  const store = openStore(t);
  const world = worldOf(store);
  world.apply(fork({ child: CHILD, parent: SHELL }));
  store.write(batchOf(world));
  world.stored();
  world.apply(exec({ process: SLEEP, argv: ['sleep'] }));
  world.apply(exit({ process: SLEEP, status: 256 }));
  store.write(batchOf(world));
  const rows = ask(store.path, `SELECT * FROM processes WHERE pid = ${CHILD.pid}`);
  assert.equal(rows.length, 1);
  assertHas(rows[0], { exit_code: 1, exit_signal: null, comm: 'sleep', ppid: SHELL.pid });
});

test('a process comes back from the archive with all that is known of it', t => {
  const store = openStore(t);
  const process = new Process(9, 7_000_100, 5_123_456_789, BOOTED_US, 'repaired');
  const facts = {
    nsPid: 3,
    ended: 5,
    unseenEnd: null,
    parent: 1,
    parentExec: 2,
    exec: 3,
    comm: 4,
    exe: 5,
    argv: 6,
    cwd: 7,
  };
  Object.assign(process, facts, {
    uid: 4_294_967_295,
    cgroup: 8,
    status: 139,
    userUs: 1,
    systemUs: 2,
    maxRssKb: 3,
  });
  store.write(batchOf(null, { processes: [process] }));
  assert.deepEqual(store.findProcess(7_000_100, 5_123_456_789), process);
  assert.equal(store.findProcess(7_000_100, 5_123_456_788), null);
  assert.equal(store.findProcess(7_000_101, 5_123_456_789), null);
});

test('the living are those of this boot that were not seen to end', t => {
  const path = databaseFile(t);
  const first = openStore(t, path, 'boot-1');
  const world = worldOf(first);
  for (const key of [SHELL, CHILD]) world.apply(fork({ child: key, parent: INIT }));
  world.apply(exit({ process: CHILD, parent: INIT }));
  first.write(batchOf(world));
  assert.deepEqual(
    first
      .livingProcesses()
      .map(({ process: { pid } }) => pid)
      .sort(),
    [INIT.pid, SHELL.pid],
  );
  first.close('stopped', BOOTED_US + 9);

  const second = new Store(path, 'boot-2', BOOTED_US, null);
  t.after(() => second.abandon());
  second.begin({ ...RUN, started: BOOTED_US + 77 });
  assert.deepEqual(second.livingProcesses(), []);
  assert.equal(
    second.findProcess(SHELL.pid, SHELL.start),
    null,
    'the same key in another boot is another process',
  );
  const [row] = ask<{ unseen_end: number }>(path, `SELECT unseen_end FROM process WHERE pid = ${SHELL.pid}`);
  assert.equal(row?.unseen_end, BOOTED_US + 77);
});

test('ids go on after the file was closed and opened again', t => {
  const path = databaseFile(t);
  const first = openStore(t, path);
  assert.deepEqual(first.nextIds(), { comm: 1, path: 1, argv: 1, process: 1, cgroup: 1 });
  const world = worldOf(first);
  world.apply(cgroup({ id: 5, path: '/a.scope' }));
  world.apply(fork({ child: CHILD, parent: SHELL }));
  world.apply(exec({ process: SLEEP, argv: ['sleep'] }));
  world.apply(signal({ sig: 15, sender: SHELL, target: CHILD, args: [-5, 15] }));
  first.write(batchOf(world));
  const processes = ask<{ n: number }>(path, 'SELECT max(id) AS n FROM process')[0]?.n ?? 0;
  first.close('stopped', BOOTED_US + 9);

  const second = openStore(t, path);
  assertHas(second.nextIds(), { process: processes + 1, cgroup: 2, argv: 2 });
  assert.equal(second.nextId('exec'), 2);
  const again = worldOf(second);
  again.apply(exec({ process: SLEEP, argv: ['sleep', '2'] }));
  again.apply(signal({ sig: 15, sender: SHELL, target: CHILD, args: [-5, 15] }));
  second.write(batchOf(again));
  assert.deepEqual(ask(path, 'SELECT id, call_id FROM signals ORDER BY id'), [
    { id: 1, call_id: 1 },
    { id: 2, call_id: 2 },
  ]);
  assert.deepEqual(ask(path, 'SELECT DISTINCT process_id AS p FROM execs').length, 1);
});

test('a batch that fails leaves nothing behind, and the next one is stored', t => {
  const store = openStore(t);
  const world = worldOf(store);
  world.apply(fork({ child: CHILD, parent: SHELL }));
  const double = [1, 1]
    .map(id => ({ id, path: `/${id}` }))
    .map(({ id, path }) => ({ id, values: [path, null] }));
  assert.throws(() => store.write(batchOf(world, { paths: double })));
  assert.equal(ask(store.path, 'SELECT * FROM process').length, 0);
  assert.equal(store.rows, 0);
  store.write(batchOf(world));
  assert.ok(ask(store.path, 'SELECT * FROM process').length > 0);
});

test('what is seldom set is stored where it is, among hundreds of rows without it', t => {
  const store = openStore(t);
  const rows = new Rows(SIGNAL_TABLE, 1);
  const seldom = new Map([
    [0, SIGNAL.target_tid],
    [100, SIGNAL.dying],
    [199, SIGNAL.call],
    [210, SIGNAL.last_time],
  ]);
  for (let n = 0; n < 211; n++) {
    for (let column = 0; column < SIGNAL_TABLE.columns.length; column++)
      rows.set(column, SIGNAL_TABLE.seldom.includes(SIGNAL_TABLE.columns[column] as never) ? NULL : n);
    const column = seldom.get(n);
    if (column !== undefined) rows.set(column, 7_000 + n);
    rows.add();
  }
  store.write(batchOf(null, { rows: [rows] }));
  const stored = ask<Record<string, number | null>>(store.path, 'SELECT * FROM signal ORDER BY id');
  assert.equal(stored.length, 211);
  for (const [n, row] of stored.entries()) {
    const expected = SIGNAL_TABLE.columns.map(name => [
      name,
      seldom.get(n) === SIGNAL[name] ? 7_000 + n : SIGNAL_TABLE.seldom.includes(name as never) ? null : n,
    ]);
    assert.deepEqual(row, { id: n + 1, ...Object.fromEntries(expected) });
  }
});

test('a batch waits for no lock longer than a moment, and is stored when the lock is gone', t => {
  const store = openStore(t);
  const other = new Database(store.path);
  t.after(() => other.close());
  other.exec('BEGIN IMMEDIATE');
  const from = performance.now();
  assert.throws(() => store.write(batchOf(null)), /locked/);
  assert.ok(performance.now() - from < 2000);
  other.exec('COMMIT');
  store.write(batchOf(null));
});

test('the positions of the lanes are stored with the rows, and belong to their lanes only', t => {
  const store = openStore(t);
  assert.equal(store.laneState('t'), null);
  const lanes = { token: 't', lethal: 2 ** 40 + 8, bulk: 2 ** 33, accounted: 12, lost: [0, 3] };
  store.write(batchOf(null, { lanes }));
  assert.deepEqual(store.laneState('t'), lanes);
  assert.equal(store.laneState('other'), null);
  assert.throws(() =>
    store.write(batchOf(null, { lanes: { ...lanes, lethal: 99 }, comms: [{ id: 1, values: [null, null] }] })),
  );
  assert.deepEqual(store.laneState('t'), lanes, 'a batch that failed moves no position');
});

test('coverage and totals are in the views', t => {
  const store = openStore(t);
  store.attached([{ name: 'signal_generate', attached: true }], BOOTED_US + 3);
  const row = {
    from: BOOTED_US,
    to: BOOTED_US + 5,
    kind: 'lost',
    event: 'fork',
    lane: 'bulk',
    count: 7,
    cause: 'full',
  } as const;
  const totals = { ...batchOf(null).totals, seen: 10, stored: 2, folded: 1, lost: 7 };
  store.write(batchOf(null, { coverage: [row], totals }));
  assertHas(ask(store.path, "SELECT * FROM coverages WHERE kind = 'lost'")[0], {
    event: 'fork',
    count: 7,
    from_us: BOOTED_US,
  });
  assertHas(ask(store.path, 'SELECT * FROM recordings')[0], {
    seen: 10,
    stored: 2,
    folded: 1,
    lost: 7,
    ended: null,
    started_us: BOOTED_US + 3,
  });
});

test('the first run has none before it', t => {
  assert.equal(openStore(t).lastRun(), null);
});

test('a run that said goodbye is told from one that was killed', t => {
  const path = databaseFile(t);
  openStore(t, path).close('stopped', BOOTED_US + 100);
  const second = openStore(t, path);
  assert.deepEqual(second.lastRun(), { lastSeen: BOOTED_US + 100, wasKilled: false, transport: null });
  second.write(batchOf(null));
  second.abandon(); // as kill -9 would
  const third = openStore(t, path);
  assert.deepEqual(third.lastRun(), { lastSeen: BOOTED_US + 1e6, wasKilled: true, transport: null });
});

test('closing leaves one plain file without companions', t => {
  const store = openStore(t);
  const world = worldOf(store);
  world.apply(fork({ child: CHILD, parent: SHELL }));
  store.write(batchOf(world));
  assert.ok(existsSync(`${store.path}-wal`));
  store.close('stopped', BOOTED_US + 5);
  assert.deepEqual(readdirSync(dirname(store.path)), ['snooprec.db']);
  const header = readFileSync(store.path);
  assert.deepEqual([header[18], header[19]], [1, 1], 'no WAL: it can be read on a read-only medium');
  assertHas(ask(store.path, 'SELECT * FROM recordings')[0], { ending: 'stopped', ended_us: BOOTED_US + 5 });
});

test('closing beside an open reader loses nothing', t => {
  const store = openStore(t);
  const reader = new Database(store.path, { readonly: true });
  reader.exec('BEGIN');
  reader.prepare('SELECT count(*) FROM process').get();
  const world = worldOf(store);
  world.apply(fork({ child: CHILD, parent: SHELL }));
  store.write(batchOf(world));
  store.close('stopped', BOOTED_US + 5);
  reader.exec('COMMIT');
  reader.close();
  assert.equal(ask(store.path, `SELECT * FROM process WHERE pid = ${CHILD.pid}`).length, 1);
});

test('a database of someone else is refused and not touched', t => {
  const path = join(tempDirectory(t), 'theirs.db');
  const theirs = new Database(path);
  theirs.exec('CREATE TABLE process (id); INSERT INTO process VALUES (1)');
  theirs.close();
  const before = readFileSync(path);
  assert.match(refused(path).message, /is not a snooprec database/);
  assert.deepEqual(readFileSync(path), before);
  assert.deepEqual(readdirSync(dirname(path)), ['theirs.db']);
});

test('a database in WAL mode of someone else is not touched either', t => {
  const path = join(tempDirectory(t), 'theirs.db');
  const theirs = new Database(path);
  theirs.pragma('journal_mode = WAL');
  theirs.exec('CREATE TABLE process (id)');
  theirs.close();
  const before = readFileSync(path);
  refused(path);
  assert.deepEqual(readFileSync(path), before);
  assert.deepEqual(readdirSync(dirname(path)), ['theirs.db']);
});

test('an empty database with the application id of someone else is refused', t => {
  const path = join(tempDirectory(t), 'theirs.db');
  const theirs = new Database(path);
  theirs.pragma('application_id = 12345');
  theirs.close();
  const before = readFileSync(path);
  refused(path);
  assert.deepEqual(readFileSync(path), before);
});

test('a file that is no database is refused and not touched', t => {
  const path = join(tempDirectory(t), 'notes.txt');
  writeFileSync(path, 'my dear notes\n'.repeat(500));
  refused(path);
  assert.equal(readFileSync(path, 'utf8'), 'my dear notes\n'.repeat(500));
});

test('a short text file is refused and not touched', t => {
  const path = join(tempDirectory(t), 'note.txt');
  writeFileSync(path, 'hello');
  refused(path);
  assert.equal(readFileSync(path, 'utf8'), 'hello');
});

test('a database of a newer version is refused and not touched', t => {
  const store = openStore(t);
  store.close('stopped', 1);
  const db = new Database(store.path);
  db.pragma('user_version = 9999');
  db.close();
  const before = readFileSync(store.path);
  assert.match(refused(store.path).message, /has schema 9999/);
  assert.deepEqual(readFileSync(store.path), before);
});

test('a directory, and a path into nowhere, are refused with one line', t => {
  const directory = tempDirectory(t);
  mkdirSync(join(directory, 'd.db'));
  refused(join(directory, 'd.db'));
  refused(join(directory, 'none', 'snooprec.db'));
});

test('an empty file becomes a database', t => {
  const path = databaseFile(t);
  writeFileSync(path, '');
  openStore(t, path).write(batchOf(null));
  assert.equal(ask(path, 'SELECT * FROM recordings').length, 1);
});
