/** What is new since a cursor, in order: the statements of `tail`, and the cursor of the present. */

import type Database from 'better-sqlite3';
import type { Cursor } from './cursor.js';
import { GROUP_IDS } from './filters.js';
import { byTime, type Happening, SELECT } from './happenings.js';
import { idRange } from './id-range.js';
import type { Grows, Parameters } from './query.js';
import { MOST_TAILED, reachOf } from './reach.js';

/** An end may be stored after one that came a little later: the two arrive in two lanes. */
const LATE_US = 2_000_000;

const SPAN = '(:since IS NULL OR time_us >= :since) AND (:until IS NULL OR time_us <= :until)';
// One row of processes each: the members of a unit would be looked for among all of them, four times a second.
const inGroup = (...roles: string[]): string =>
  `((:unit IS NULL AND :container IS NULL) OR EXISTS (SELECT 1 FROM processes WHERE id IN (${roles.join(', ')})
    AND cgroup_id IN (SELECT id FROM group_ids)))`;
const named = (pids: readonly string[], comms: readonly string[]): string =>
  `((:pid_pid IS NULL AND :pid_name IS NULL) OR ${pids.map(pid => `${pid} = :pid_pid`).join(' OR ')}
    OR ${comms.map(comm => `${comm} = :pid_comm`).join(' OR ')})`;
const BOTH = named(['pid', 'target_pid'], ['comm', 'target_comm']);

interface Source {
  /** What the rows are ordered by. */
  order: 'id' | 'time_us';
  sql: string;
}

const source = (
  select: string,
  beyond: string,
  filters: readonly string[],
  order: Source['order'] = 'id',
): Source => ({
  order,
  sql: `WITH ${GROUP_IDS}
SELECT * FROM (${select} WHERE ${beyond}) AS news
WHERE (:event IS NULL OR event = :event) AND ${SPAN} AND ${filters.join(' AND ')}`,
});

const BY_UID = '(:uid IS NULL OR uid = :uid)';
const NO_SIGNAL = '(:signal IS NULL AND :refused IS NULL)';

/** The sources of news; each knows by which numbers of the cursor it begins and ends. */
export const SOURCES: readonly Source[] = [
  source(SELECT.fork, "id > :from_process AND id <= :to_process AND origin = 'fork'", [
    BOTH,
    BY_UID,
    NO_SIGNAL,
    inGroup('target_id'),
  ]),
  source(SELECT.exec, 'id > :from_exec AND id <= :to_exec', [
    named(['pid'], ['comm']),
    BY_UID,
    '(:signal IS NULL AND (:refused IS NULL OR errno IS NOT NULL))',
    inGroup('process_id'),
  ]),
  source(SELECT.signal, 'id > :from_signal AND id <= :to_signal', [
    BOTH,
    BY_UID,
    // The end of a child is told by itself.
    "(:signal = sig OR (:signal IS NULL AND mechanism <> 'child'))",
    '(:refused IS NULL OR errno IS NOT NULL)',
    inGroup('process_id', 'target_id'),
  ]),
  source(SELECT.oom, 'id > :from_oom_kill AND id <= :to_oom_kill', [
    named(['target_pid'], ['target_comm']),
    '(:uid IS NULL)',
    NO_SIGNAL,
    inGroup('target_id'),
  ]),
  source(
    SELECT.exit,
    `ended_us > :from_ended_us AND ended_us <= :to_ended_us AND id NOT IN (SELECT value FROM json_each(:told))`,
    [
      named(['pid'], ['comm']),
      BY_UID,
      '(:refused IS NULL AND (:signal IS NULL OR exit_signal = :signal))',
      inGroup('process_id'),
    ],
    'time_us',
  ),
  // What was not recorded is told whatever else is asked for.
  {
    order: 'time_us',
    sql: `SELECT 'gap' AS event, NULL AS id, to_us AS time_us, NULL AS process_id, NULL AS pid, NULL AS comm, count, cause
FROM coverages WHERE kind IN ('down', 'lost', 'malformed', 'shed') AND to_us > :from_gap_us AND to_us <= :to_gap_us AND ${SPAN}`,
  },
];

// Not max(id): of several segments it would read every row.
const last = (column: string, view: string, where = ''): string =>
  `coalesce((SELECT ${column} FROM ${view} ${where} ORDER BY ${column} DESC LIMIT 1), 0) AS`;
/** Statement for the cursor behind everything. */
const PRESENT = `SELECT ${last('id', 'signals')} signal, ${last('id', 'execs')} exec, ${last('id', 'processes')} process,
  ${last('id', 'oom_kills')} oom_kill, ${last('ended_us', 'processes', 'WHERE ended_us IS NOT NULL')} ended_us,
  ${last('to_us', 'coverages', "WHERE kind IN ('down', 'lost', 'malformed', 'shed')")} gap_us`;

/** Statement for the ends near the last one. */
export const LATELY = 'SELECT id FROM processes WHERE ended_us > :since';

/** Before everything. */
export const NOTHING: Cursor = {
  signal: 0,
  exec: 0,
  process: 0,
  oom_kill: 0,
  ended_us: 0,
  ended: [],
  gap_us: 0,
};

/** The cursor behind everything that `db` has; never one before `before`. */
export function presentOf(db: Database.Database, before: Cursor = NOTHING): Cursor {
  const found = db.prepare(PRESENT).get() as Omit<Cursor, 'ended'>;
  const ended_us = Math.max(before.ended_us, found.ended_us);
  return {
    signal: Math.max(before.signal, found.signal),
    exec: Math.max(before.exec, found.exec),
    process: Math.max(before.process, found.process),
    oom_kill: Math.max(before.oom_kill, found.oom_kill),
    ended_us,
    ended: db
      .prepare(LATELY)
      .pluck()
      .all({ since: ended_us - LATE_US }) as number[],
    gap_us: Math.max(before.gap_us, found.gap_us),
  };
}

/** Whether a cursor cannot be one of this recording, whose present is given. */
export function isForeign(cursor: Cursor, present: Cursor): boolean {
  return (['signal', 'exec', 'process', 'oom_kill'] as const).some(name => cursor[name] > present[name]);
}

/** What happened between two cursors, in order of time as far as it was stored in order. */
export function* newsBetween(
  db: Database.Database,
  from: Cursor,
  to: Cursor,
  parameters: Parameters,
): Generator<Happening> {
  const bound = bindings(from, to, parameters);
  // Merged as they are read: after a long absence they are too many to be held.
  const heads = SOURCES.map(({ sql, order }) => {
    const rows = db.prepare(`${sql}\nORDER BY ${order}`).iterate(bound) as IterableIterator<Happening>;
    return { rows, next: rows.next() };
  });
  try {
    for (;;) {
      const [first, ...others] = heads.filter(head => !head.next.done);
      if (first === undefined) return;
      const head = others.reduce(
        (best, other) => (byTime(other.next.value, best.next.value) < 0 ? other : best),
        first,
      );
      yield head.next.value;
      head.next = head.rows.next();
    }
  } finally {
    for (const { rows } of heads) rows.return?.();
  }
}

/** The newest of what happened up to a cursor, oldest first; `limit` 0: all. Without a span, of the newest rows alone (reach.ts). */
export function newest(
  db: Database.Database,
  to: Cursor,
  parameters: Parameters,
  limit: number,
): Happening[] {
  const window = { from: parameters.since as number | null, to: parameters.until as number | null };
  const before = (grows: Grows, last: number, first = 0): number =>
    Math.max(0, (reachOf(db, grows, parameters, last, MOST_TAILED)?.first ?? first) - 1);
  const from = {
    ...NOTHING,
    process: before('process', to.process),
    signal: before('signal', to.signal, idRange(db, 'signal', window).first_id),
    exec: before('exec', to.exec, idRange(db, 'exec', window).first_id),
    ended_us: before('end', to.ended_us, window.from ?? 0) + LATE_US,
  };
  const bound = { ...bindings(from, to, parameters), limit: limit === 0 ? -1 : limit };
  const found = SOURCES.flatMap(
    ({ sql, order }) => db.prepare(`${sql}\nORDER BY ${order} DESC LIMIT :limit`).all(bound) as Happening[],
  ).sort(byTime);
  return limit === 0 ? found : found.slice(-limit);
}

function bindings(from: Cursor, to: Cursor, parameters: Parameters): Parameters {
  const bound: Parameters = { ...parameters, told: JSON.stringify(from.ended) };
  for (const name of ['signal', 'exec', 'process', 'oom_kill', 'gap_us'] as const) {
    bound[`from_${name}`] = from[name];
    bound[`to_${name}`] = to[name];
  }
  bound.from_ended_us = from.ended_us - LATE_US;
  bound.to_ended_us = to.ended_us;
  return bound;
}
