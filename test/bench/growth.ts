/** Whether an event costs more as there is more of everything: rows in the database, living processes, segments. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { SIGNAL_TABLE } from '../../recorder/events/signal-row.js';
import { applyRecord } from '../../recorder/events.js';
import { Rows } from '../../recorder/rows.js';
import { Store } from '../../recorder/store.js';
import { split } from '../query/split.js';
import { batchOf } from '../unit/batches.js';
import { FakeLane } from '../unit/fake-ring.js';
import { signal } from '../unit/records.js';
import { World } from '../unit/world.js';
import { FIRST_PID, writeBig } from './big.js';
import { SNOOPQ } from './programs.js';
import type { Result } from './result.js';
import { addRow, FIRST_TIME, SIGNALS } from './rows.js';
import type { Scene } from './scene.js';
import { ratios, spreadOf } from './spread.js';
import { emptyStore } from './storage.js';
import type { Plan } from './suites.js';

const GOAL = { most: 1.3 };
const RECORDS = 100_000; // as many as fit into the lane

export async function measureGrowth(scene: Scene, plan: Plan): Promise<Result[]> {
  return [...rowsInDatabase(scene, plan), ...livingProcesses(scene, plan), ...segments(scene, plan)];
}

function rowsInDatabase(scene: Scene, { quick, rounds, say }: Plan): Result[] {
  const many = quick ? 1_000_000 : 20_000_000;
  const batches = quick ? 5 : 20;
  const path = join(scene.subdirectory(), 'big.db');
  say(`growth: writing ${many.toLocaleString('en-US')} signals`);
  // New rows are of new processes, as they would be.
  const from = writeBig(path, many) * SIGNALS;
  const big = new Store(path, 'boot', FIRST_TIME, null);
  big.begin({ ...RUN_AGAIN });
  const full: number[] = [];
  const empty: number[] = [];
  for (let round = 0; round < rounds; round++) {
    say(`growth: rows, round ${round + 1} of ${rounds}`);
    full.push(write(big, batches, from));
    const small = emptyStore(join(scene.subdirectory(), 'small.db'));
    empty.push(write(small, batches, 0));
    small.abandon();
  }
  big.abandon();
  return [
    {
      measure: 'growth, cost of a row',
      subject: `snooprec, ${many / 1e6} million rows against none`,
      value: spreadOf(ratios(full, empty)),
      unit: '×',
      goal: GOAL,
    },
  ];
}

const RUN_AGAIN = {
  started: FIRST_TIME,
  host: 'bench',
  kernel: '',
  version: '',
  pid: 1,
  scope: 'machine',
  options: '{}',
  users: [],
};

/** Milliseconds for so many full batches. */
function write(store: Store, batches: number, from: number): number {
  const rows = new Rows(SIGNAL_TABLE, store.nextId(SIGNAL_TABLE.name));
  let ms = 0;
  for (let n = from; n < from + batches * SIGNAL_TABLE.capacity; ) {
    for (const end = n + SIGNAL_TABLE.capacity; n < end; n++) addRow(rows, n);
    const began = performance.now();
    store.write(batchOf(null, { rows: [rows] }));
    ms += performance.now() - began;
    rows.clear();
  }
  return ms;
}

function livingProcesses(scene: Scene, { rounds, say }: Plan): Result[] {
  const many: number[] = [];
  const few: number[] = [];
  applyAll(scene, 200); // what runs for the first time is still slow
  for (let round = 0; round < rounds; round++) {
    say(`growth: processes, round ${round + 1} of ${rounds}`);
    many.push(applyAll(scene, 20_000));
    few.push(applyAll(scene, 200));
  }
  return [
    {
      measure: 'growth, cost of a record',
      subject: 'snooprec, 20,000 living processes against 200',
      value: spreadOf(ratios(many, few)),
      unit: '×',
      goal: GOAL,
      note: 'until it is stored',
    },
  ];
}

/** Milliseconds to store the signals of so many processes, each known and each signalled. */
function applyAll(scene: Scene, processes: number): number {
  const world = new World();
  const store = emptyStore(join(scene.subdirectory(), 'living.db'));
  const key = (n: number) => ({ pid: 1000 + (n % processes), start: 1e9 + (n % processes), comm: 'crowd' });
  const lane = new FakeLane(1 << 24);
  for (let n = 0; n < RECORDS; n++) {
    const facts = { sig: 10, sender: key(n), target: key(n * 7 + 1), time: 2e9 + n };
    lane.write(signal({ ...facts, args: [n + 1, 10] })); // no two alike: none is folded
  }
  walk(lane, world, store); // meets them all
  const ms = walk(lane, world, store);
  store.abandon();
  return ms;
}

/** Nothing is given back to the lane, so that it can be read again. */
function walk(lane: FakeLane, world: World, store: Store): number {
  const ring = lane.reopen();
  const rows = world.context.rows(SIGNAL_TABLE);
  const from = performance.now();
  while (ring.next()) {
    applyRecord(world.context, ring.memory, ring.at, ring.length);
    ring.take();
    if (!rows.isFull) continue;
    store.write(batchOf(null, { rows: [rows] }));
    world.stored();
  }
  return performance.now() - from;
}

/** The number of segments counts here, not their size. */
function segments(scene: Scene, { rounds, say }: Plan): Result[] {
  const signals = 2_000;
  const one = join(scene.subdirectory(), 'one.db');
  const processes = writeBig(one, signals);
  const ten = join(scene.subdirectory(), 'ten.db');
  say('growth: splitting into ten segments');
  const span = signals * 10;
  split(
    one,
    ten,
    Array.from({ length: 9 }, (_, i) => FIRST_TIME + (span / 10) * (i + 1)),
  );
  const pid = String(FIRST_PID + 4 * Math.round(processes / 8));
  const whole: number[] = [];
  const parts: number[] = [];
  for (let round = 0; round < rounds * 2; round++) {
    whole.push(ask(one, pid));
    parts.push(ask(ten, pid));
  }
  return [
    {
      measure: 'growth, who-killed',
      subject: 'snooprec, ten segments beyond one',
      value: spreadOf(parts.map((ms, round) => ms - (whole[round] as number))),
      unit: 'ms',
    },
  ];
}

function ask(db: string, pid: string): number {
  const from = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [SNOOPQ, 'who-killed', pid, '--db', db, '--json'], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`who-killed ${pid} failed: ${stderr}`);
  return performance.now() - from;
}
