/** A context that goes on where a recording ends, and what it tells a new segment of that recording. */

import { Cgroups } from './cgroup.js';
import type { Clock } from './clock.js';
import type { Context } from './context.js';
import { TABLES } from './events.js';
import { Identity } from './identity.js';
import { pageBytes } from './libc.js';
import { OpenCalls } from './open-calls.js';
import { type Process, ProcessTable } from './process-table.js';
import { Repeats } from './repeats.js';
import { Rows } from './rows.js';
import type { Listener, Segments } from './segments.js';
import { type Keeping, Texts } from './texts.js';

/** @param living the processes that the recording has as living */
export function newContext(
  segments: Segments,
  living: readonly Process[],
  clock: Clock,
  keeping: Keeping,
): Context {
  const { store } = segments;
  const next = store.nextIds();
  const table = new ProcessTable(next.process);
  for (const process of living) table.restore(process);
  const texts = new Texts(next, keeping);
  const cgroups = new Cgroups(next.cgroup);
  const rows: Rows[] = [];
  for (const table of TABLES) rows[table.index] = new Rows(table, store.nextId(table.name));
  return {
    clock,
    identity: new Identity(table, texts, clock, cgroups, segments),
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
