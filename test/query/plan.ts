/** How SQLite would answer a statement, and whether it would read a table of events from end to end for it. */

import type Database from 'better-sqlite3';

interface Step {
  id: number;
  parent: number;
  detail: string;
}

/** Texts and groups are small, and looked up once; the members of a group only where one is given. */
const LOOKUP =
  /^MATERIALIZE (?:group_ids|member_ids|args_ids|who_args|oom_ids|\w+_comms|\w+_paths)$|^SCAN (?:group_ids|member_ids|args_ids|who_args|oom_ids|\w+_comms|\w+_paths|process_ids|signal_ids|exec_ids)$/;
/** The tables of events, by the names that the views give them. */
const EVENTS = /^SCAN (?:[sep]|signal|exec|process)(?: |$)/;

/** The steps that read every row of signal, exec or process (victims of the OOM killer are few), or make an index for this statement alone. */
export function scansOf(db: Database.Database, sql: string): string[] {
  const steps = stepsOf(db, sql);
  const lookups = new Set<number>();
  for (const { id, parent, detail } of steps) if (lookups.has(parent) || LOOKUP.test(detail)) lookups.add(id);
  return steps
    .filter(({ id }) => !lookups.has(id))
    .map(({ detail }) => detail)
    .filter(
      detail =>
        (EVENTS.test(detail) && !/VIRTUAL/.test(detail) && !/USING (?:COVERING )?INDEX/.test(detail)) ||
        /AUTOMATIC/.test(detail),
    );
}

function stepsOf(db: Database.Database, sql: string): Step[] {
  const names = [...sql.matchAll(/:(\w+)/g)].map(match => [match[1], '1']);
  return db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(Object.fromEntries(names)) as Step[];
}
