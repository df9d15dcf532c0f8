/** Contexts: one that goes on where a recording ends, with what it tells a new segment of that, and one of no recording. */

import { Cgroups } from './cgroup.js';
import { Clock } from './clock.js';
import type { Context } from './context.js';
import { TABLES } from './events.js';
import { type Archive, Identity } from './identity.js';
import { clocks, pageBytes } from './libc.js';
import { OpenCalls } from './open-calls.js';
import { type Process, ProcessTable } from './process-table.js';
import { Repeats } from './repeats.js';
import { Rows } from './rows.js';
import type { Listener, Segments } from './segments.js';
import { type Keeping, type NextIds, Texts } from './texts.js';

/** Where a recording stands. */
export interface Standing {
  /** First free ids. */
  nextIds(): NextIds & { process: number; cgroup: number };
  nextId(table: string): number;
}

/** Of a recording that is none: what is made of records is looked at, or not at all, and never stored. */
const NOWHERE: Standing & Archive = {
  nextIds: () => ({ comm: 1, path: 1, argv: 1, process: 1, cgroup: 1 }),
  nextId: () => 1,
  findProcess: () => null,
};

/** A context that belongs to no recording. */
export function scratchContext(): Context {
  return contextAt(NOWHERE, NOWHERE, new Clock(clocks), { roots: [] });
}

/** @param living the processes that the recording has as living */
export function newContext(
  segments: Segments,
  living: readonly Process[],
  clock: Clock,
  keeping: Keeping,
): Context {
  const { store } = segments;
  const context = contextAt(store, segments, clock, { keeping });
  for (const process of living) context.identity.table.restore(process);
  return context;
}

function contextAt(
  standing: Standing,
  archive: Archive,
  clock: Clock,
  { roots, keeping }: { roots?: readonly string[]; keeping?: Keeping },
): Context {
  const next = standing.nextIds();
  const cgroups = new Cgroups(next.cgroup, roots);
  const texts = new Texts(next, keeping);
  const rows: Rows[] = [];
  for (const table of TABLES) rows[table.index] = new Rows(table, standing.nextId(table.name));
  return {
    clock,
    identity: new Identity(new ProcessTable(next.process), texts, clock, cgroups, archive),
    texts,
    cgroups,
    calls: new OpenCalls(),
    pageKb: pageBytes() / 1024,
    repeats: new Repeats(),
    rows: table => rows[table.index] as Rows,
  };
}

/** What has to be told again in a segment that does not have all that the one before had. */
export function listenerOf({ clock, identity, texts, cgroups, rows }: Context): Listener {
  const movedOn = () => {
    texts.forget();
    cgroups.forget();
  };
  return {
    movedOn,
    lostAll() {
      movedOn();
      for (const process of identity.table.living()) identity.tellAgain(process);
    },
    *nextIds() {
      yield ['process', identity.table.nextId];
      yield ['cgroup', cgroups.nextId];
      yield* Object.entries(texts.nextIds);
      for (const table of TABLES) yield [table.name, rows(table).firstId];
      // Nobody keeps count of these; the seconds of the epoch grow faster than their ids.
      for (const table of ['coverage', 'uid_syscalls']) yield [table, Math.floor(clock.now() / 1e6)];
    },
  };
}
