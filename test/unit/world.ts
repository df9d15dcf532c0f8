/** Everything that turning records into rows needs, without a kernel and without a database. */

import assert from 'node:assert/strict';
import { Cgroups } from '../../recorder/cgroup.js';
import { Clock } from '../../recorder/clock.js';
import type { Context } from '../../recorder/context.js';
import type { Fate } from '../../recorder/event-spec.js';
import { applyRecord, TABLES } from '../../recorder/events.js';
import { type Archive, Identity } from '../../recorder/identity.js';
import { memoryOf } from '../../recorder/lane.js';
import { OpenCalls } from '../../recorder/open-calls.js';
import { type Process, ProcessTable } from '../../recorder/process-table.js';
import { Repeats } from '../../recorder/repeats.js';
import { NULL, Rows } from '../../recorder/rows.js';
import type { Table } from '../../recorder/table.js';
import { type NextIds, Texts } from '../../recorder/texts.js';

/** 2026-01-01 00:00:00 UTC, when the machine of the tests was booted. */
export const BOOTED_US = 1_767_225_600_000_000;

const EMPTY_ARCHIVE: Archive = { findProcess: () => null };
const FIRST_IDS = { comm: 1, path: 1, argv: 1, process: 1, cgroup: 1 };

export interface WorldOptions {
  archive?: Archive;
  ids?: NextIds & { process: number; cgroup: number };
  firstId?: (table: string) => number;
}

export class World {
  readonly context: Context;
  readonly table: ProcessTable;
  readonly texts: Texts;
  readonly allRows: Map<Table, Rows>;

  constructor({ archive = EMPTY_ARCHIVE, ids = FIRST_IDS, firstId = () => 1 }: WorldOptions = {}) {
    this.allRows = new Map(TABLES.map(table => [table, new Rows(table, firstId(table.name))]));
    const byIndex: Rows[] = [];
    for (const [table, rows] of this.allRows) byIndex[table.index] = rows;
    const clock = new Clock(() => ({ wall: BOOTED_US * 1000 + 10e9, boot: 10e9 }));
    const cgroups = new Cgroups(ids.cgroup, []);
    this.table = new ProcessTable(ids.process);
    this.texts = new Texts(ids);
    this.context = {
      clock,
      identity: new Identity(this.table, this.texts, clock, cgroups, archive),
      texts: this.texts,
      cgroups,
      calls: new OpenCalls(),
      pageKb: 4,
      repeats: new Repeats(),
      rows: table => byIndex[table.index] as Rows,
    };
  }

  /** Applies a record that ends where its memory ends. */
  apply(record: Uint8Array): Fate {
    const buffer = new ArrayBuffer(8 + record.length);
    new Uint8Array(buffer).set(record, 8);
    return applyRecord(this.context, memoryOf(buffer), 8, record.length);
  }

  /** The process with this key, which must be there. */
  process({ pid, start }: { pid: number; start: number }): Process {
    const process = this.table.find(pid, start);
    if (process === null) throw new Error(`process ${pid} of ${start} is not known`);
    return process;
  }

  /** The waiting rows of a table as objects, NULL as null. */
  rows(table: 'signal' | 'exec' | 'oom_kill' | 'delivery'): Record<string, number | null>[] {
    const rows = [...this.allRows.values()].find(some => some.table.name === table);
    if (rows === undefined) throw new Error(`no table ${table}`);
    return Array.from({ length: rows.length }, (_, row) =>
      Object.fromEntries(
        rows.table.columns.map((name, column) => {
          const value = rows.get(row, column);
          return [name, value === NULL ? null : value];
        }),
      ),
    );
  }

  get isFull(): boolean {
    return [...this.allRows.values()].some(rows => rows.isFull);
  }

  /** Rows that wait, of all tables. */
  get waiting(): number {
    return [...this.allRows.values()].reduce((sum, rows) => sum + rows.length, 0);
  }

  /** The text of an id, which must have been added since the last `stored`. */
  text(pool: 'comms' | 'paths' | 'argvs', id: number | null): string | null {
    const row = this.texts[pool].added.find(added => added.id === id);
    return row === undefined ? null : (row.values[0] as string);
  }

  /** All that waits counts as stored. */
  stored(): void {
    for (const rows of this.allRows.values()) rows.clear();
    this.context.repeats.clear();
    this.table.clearDirty();
    this.texts.clear();
  }
}

/** That an object has these values, whatever else it has. */
export function assertHas(actual: object | undefined, expected: object): void {
  const part = Object.fromEntries(
    Object.keys(expected).map(key => [key, (actual as Record<string, unknown>)?.[key]]),
  );
  assert.deepEqual(part, { ...expected });
}
