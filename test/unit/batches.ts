/** A database in a temp directory, and batches for it. */

import { join } from 'node:path';
import type { TestContext } from 'node:test';
import Database from 'better-sqlite3';
import type { Batch, RunFacts } from '../../recorder/batch.js';
import { Store } from '../../recorder/store.js';
import { tempDirectory } from './temp.js';
import { BOOTED_US, World } from './world.js';

export const RUN: RunFacts = {
  started: BOOTED_US,
  host: 'test',
  kernel: '6.18.0',
  version: '0.0.0',
  pid: 42,
  scope: 'machine',
  users: [],
  options: '{}',
};

export function databaseFile(t: TestContext): string {
  return join(tempDirectory(t), 'snooprec.db');
}

/** A store in which a run has begun; closed with the test if it is not before. */
export function openStore(t: TestContext, path = databaseFile(t), bootId = 'boot-1'): Store {
  const store = new Store(path, bootId, BOOTED_US, null);
  store.begin(RUN);
  t.after(() => store.abandon());
  return store;
}

/** A world that goes on where the database ends. */
export function worldOf(store: Store): World {
  return new World({ archive: store, ids: store.nextIds(), firstId: table => store.nextId(table) });
}

/** All that waits in a world, or nothing, and what the test says. */
export function batchOf(world: World | null, parts: Partial<Batch> = {}): Batch {
  return {
    rows: world ? [...world.allRows.values()] : [],
    processes: world?.table.dirty ?? [],
    comms: world?.texts.comms.added ?? [],
    paths: world?.texts.paths.added ?? [],
    argvs: world?.texts.argvs.added ?? [],
    cgroups: world?.context.cgroups.added ?? [],
    coverage: [],
    uidSyscalls: [],
    lanes: { token: 't', lethal: 0, bulk: 0, accounted: 0, lost: [] },
    totals: {
      updated: BOOTED_US + 1e6,
      seen: 0,
      stored: 0,
      folded: 0,
      lost: 0,
      malformed: 0,
      shed: 0,
      rows: 0,
      eventsPerS: 0,
      rowsPerS: 0,
      lagUs: 0,
    },
    ...parts,
  };
}

/** What a query of its own connection answers. */
export function ask<T = Record<string, unknown>>(path: string, sql: string): T[] {
  const db = new Database(path, { readonly: true });
  try {
    return db.prepare(sql).all() as T[];
  } finally {
    db.close();
  }
}
