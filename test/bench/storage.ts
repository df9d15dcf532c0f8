/**
 * How fast rows get into the database, beside a C program that inserts the same rows into the same tables with the same
 * SQLite, and how much room they take there.
 */

import { copyFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { PACKAGE_ROOT } from '../../migrations/database.js';
import { SIGNAL_TABLE } from '../../recorder/events/signal-row.js';
import { NULL, Rows } from '../../recorder/rows.js';
import { Store } from '../../recorder/store.js';
import { batchOf, RUN } from '../unit/batches.js';
import { runCommand, runWorkload, SNOOPREC } from './programs.js';
import type { Result } from './result.js';
import { addRow, FIRST_TIME } from './rows.js';
import type { Scene } from './scene.js';
import { ratios, spreadOf } from './spread.js';
import type { Plan } from './suites.js';

const BATCH = SIGNAL_TABLE.capacity;
const MIX = join(PACKAGE_ROOT, 'test', 'bench', 'mix.sh');

export async function measureStorage(scene: Scene, { quick, rounds, say }: Plan): Promise<Result[]> {
  const count = quick ? 100_000 : 1_000_000;
  const directory = scene.subdirectory();
  const empty = join(directory, 'empty.db');
  emptyStore(empty).close('stopped', FIRST_TIME);
  const file = join(directory, 'rows');
  writeRows(empty, file, count);

  const ours: number[] = [];
  const theirs = new Map<number, number[]>([1, 32].map(many => [many, []]));
  let bytes = 0;
  for (let round = 0; round < rounds; round++) {
    say(`storage: writer, round ${round + 1} of ${rounds}`);
    const mine = measureWriter(join(directory, 'ours.db'), count);
    ours.push(mine.rowsPerSecond);
    bytes = mine.bytes;
    for (const [many, rates] of theirs) rates.push(measureC(empty, join(directory, 'c.db'), file, many));
  }
  const bySpeed = [...theirs].sort(([, a], [, b]) => spreadOf(b).median - spreadOf(a).median);
  const [, best] = bySpeed[0] as [number, number[]];
  const writer = 'rows into SQLite, distinct signals';
  return [
    {
      measure: writer,
      subject: 'snooprec, of the faster C',
      value: spreadOf(ratios(ours, best)),
      unit: '×',
      goal: { least: 0.85 },
    },
    { measure: writer, subject: 'snooprec', value: spreadOf(ours), unit: 'rows/s' },
    ...bySpeed.map(
      ([many, rates]): Result => ({
        measure: writer,
        subject: `C, ${many} rows a statement`,
        value: spreadOf(rates),
        unit: 'rows/s',
      }),
    ),
    {
      measure: 'disk, a distinct signal',
      subject: 'snooprec',
      value: spreadOf([bytes / count]),
      unit: 'bytes',
      goal: { most: 100 },
      note: 'with its indexes',
    },
    ...measureExecs(scene, quick ? 1 : 3, quick ? 100 : 400),
  ];
}

/** A new database, empty but for a run. */
export function emptyStore(path: string): Store {
  const store = new Store(path, 'boot', FIRST_TIME, null);
  store.begin({ ...RUN, started: FIRST_TIME });
  return store;
}

/** The time within `write` alone: the C program finds its rows ready, too. */
function measureWriter(path: string, count: number): { rowsPerSecond: number; bytes: number } {
  const store = emptyStore(path);
  const before = statSync(path).size;
  const rows = new Rows(SIGNAL_TABLE, 1);
  let ms = 0;
  for (let n = 0; n < count; ) {
    for (const end = Math.min(n + BATCH, count); n < end; n++) addRow(rows, n);
    const from = performance.now();
    store.write(batchOf(null, { rows: [rows] }));
    ms += performance.now() - from;
    rows.clear();
  }
  store.close('stopped', FIRST_TIME);
  const bytes = statSync(path).size - before;
  rmSync(path);
  return { rowsPerSecond: (count / ms) * 1000, bytes };
}

function measureC(empty: string, path: string, file: string, many: number): number {
  copyFileSync(empty, path);
  const columns = String(tableColumns(empty).length);
  const { ops, ns } = runWorkload('insert', path, 'signal', columns, file, BATCH, many);
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
  return ops / (ns / 1e9);
}

/** The same rows as 64-bit integers, each behind its id and in the order of the columns of the table. */
function writeRows(db: string, file: string, count: number): void {
  const names = tableColumns(db);
  const at = SIGNAL_TABLE.at as Record<string, number | undefined>;
  const values = new BigInt64Array(count * names.length);
  const rows = new Rows(SIGNAL_TABLE, 1);
  for (let n = 0, to = 0; n < count; n++) {
    addRow(rows, n);
    for (const name of names) {
      const column = at[name];
      values[to++] = BigInt(name === 'id' ? n + 1 : column === undefined ? NULL : rows.get(0, column));
    }
    rows.clear();
  }
  writeFileSync(file, values);
}

function tableColumns(path: string): string[] {
  const db = new Database(path, { readonly: true });
  try {
    return db.prepare('SELECT name FROM pragma_table_info(?)').pluck().all(SIGNAL_TABLE.name) as string[];
  } finally {
    db.close();
  }
}

/** A mix of commands as administrators, timers and builds run them, recorded; all that it made in the database counts. */
function measureExecs(scene: Scene, rounds: number, loops: number): Result[] {
  const perExec: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const db = join(scene.subdirectory(), 'mix.db');
    const record = (...command: string[]) =>
      runCommand(process.execPath, SNOOPREC, 'run', '--db', db, '--', ...command);
    record('true');
    const before = statSync(db).size;
    record('bash', MIX, String(loops));
    const open = new Database(db, { readonly: true });
    const execs = open.prepare('SELECT count(*) FROM exec').pluck().get() as number;
    open.close();
    perExec.push((statSync(db).size - before) / execs);
  }
  return [
    {
      measure: 'disk, an exec',
      subject: 'snooprec',
      value: spreadOf(perExec),
      unit: 'bytes',
      goal: { most: 350 },
      note: 'with its process, its end, arguments, paths and indexes',
    },
  ];
}
