/**
 * Everything that was recorded in a span as one stream of rows, in the order of time as far as rows of one batch have one.
 * Nothing is held: each kind of event is read by itself, and the earliest is given out.
 */

import type Database from 'better-sqlite3';
import { idRange } from './id-range.js';
import type { Columns, Row } from './kinds.js';
import type { Window } from './query.js';

/** Columns of the stream. `other` is the parent of a start, the sender of a signal, the trigger of an OOM kill. */
export const EVENT_COLUMNS: Columns = {
  time: 'time',
  event: 'name',
  process_id: 'id',
  pid: 'pid',
  comm: 'name',
  uid: 'uid',
  other_id: 'id',
  other_pid: 'pid',
  other_comm: 'name',
  other_uid: 'uid',
  signal: 'name',
  mechanism: 'name',
  outcome: 'name',
  disposition: 'name',
  count: 'count',
  result: 'name',
  exit_code: 'number',
  duration_ms: 'milliseconds',
  cmdline: 'cmdline',
  unit: 'name',
  container: 'name',
  cause: 'text',
};

/** What they hold. */
export const EVENT_DOCS: Readonly<Record<string, string>> = {
  time: 'when; of a gap, when it began',
  event: 'start, exec, signal, oom, end or gap',
  process_id: 'whom it befell: the child, the one that executed, the target, the victim: id',
  pid: 'whom it befell: process id',
  comm: 'whom it befell: command name; of a gap the events that are missing, null: all',
  uid: 'whom it befell: real user id',
  other_id: 'who did it: the parent, the sender, the process whose allocation failed: id',
  other_pid: 'who did it: process id',
  other_comm: 'who did it: command name',
  other_uid: 'who did it: real user id, of a signal',
  signal: 'signal that was sent, or that ended the process',
  mechanism: 'how the signal came about',
  outcome: 'what became of the signal, or the name of the error',
  disposition: 'what the target would do with the signal',
  count: 'how many identical signals this stands for; of a gap, what is missing',
  result: 'of an exec, ok or the name of the error; of a gap, its kind',
  exit_code: 'exit status, null when a signal ended it',
  duration_ms: 'of an end, the life time; of a gap, its length, milliseconds',
  cmdline: 'arguments, quoted so that a shell would read them back',
  unit: 'systemd unit',
  container: 'container id',
  cause: 'of a gap, why',
};

/** What each kind of event puts into the columns; the others are NULL. Each in the order of its times. */
const SOURCES: readonly { columns: Record<string, string>; from: string; grows?: 'signal' | 'exec' }[] = [
  {
    columns: {
      time: 'started',
      event: "'start'",
      process_id: 'id',
      pid: 'pid',
      comm: 'comm',
      uid: 'uid',
      other_id: 'parent_id',
      other_pid: 'ppid',
      other_comm: 'parent_comm',
      unit: 'unit',
      container: 'container',
      time_us: 'started_us',
    },
    from: `processes WHERE origin = 'fork' AND started_us BETWEEN :from AND :to ORDER BY id`,
  },
  {
    columns: {
      time: 'time',
      event: "'exec'",
      process_id: 'process_id',
      pid: 'pid',
      comm: 'comm',
      uid: 'uid',
      other_id: 'parent_id',
      other_pid: 'ppid',
      other_comm: 'parent_comm',
      result: 'result',
      cmdline: 'cmdline',
      unit: 'unit',
      container: 'container',
      time_us: 'time_us',
    },
    from: 'execs WHERE id BETWEEN :first_id AND :last_id AND time_us BETWEEN :from AND :to ORDER BY id',
    grows: 'exec',
  },
  {
    columns: {
      time: 'time',
      event: "'signal'",
      process_id: 'target_id',
      pid: 'target_pid',
      comm: 'target_comm',
      other_id: 'sender_id',
      other_pid: 'sender_pid',
      other_comm: 'sender_comm',
      other_uid: 'sender_uid',
      signal: 'signal',
      mechanism: 'mechanism',
      outcome: 'outcome',
      disposition: 'disposition',
      count: 'count',
      time_us: 'time_us',
    },
    from: 'signals WHERE id BETWEEN :first_id AND :last_id AND time_us BETWEEN :from AND :to ORDER BY id',
    grows: 'signal',
  },
  {
    columns: {
      time: 'time',
      event: "'oom'",
      process_id: 'victim_id',
      pid: 'victim_pid',
      comm: 'victim_comm',
      other_id: 'trigger_id',
      other_pid: 'trigger_pid',
      other_comm: 'trigger_comm',
      cmdline: 'victim_cmdline',
      time_us: 'time_us',
    },
    from: 'oom_kills WHERE time_us BETWEEN :from AND :to ORDER BY id',
  },
  {
    columns: {
      time: 'time',
      event: "'end'",
      process_id: 'process_id',
      pid: 'pid',
      comm: 'comm',
      uid: 'uid',
      other_pid: 'ppid',
      other_comm: 'parent_comm',
      signal: 'signal',
      exit_code: 'exit_code',
      duration_ms: 'duration_ms',
      cmdline: 'cmdline',
      unit: 'unit',
      container: 'container',
      time_us: 'time_us',
    },
    from: 'exits WHERE time_us BETWEEN :from AND :to ORDER BY time_us',
  },
  {
    columns: {
      time: 'from_time',
      event: "'gap'",
      comm: 'event',
      count: 'count',
      result: 'kind',
      duration_ms: '(to_us - from_us) / 1000.0',
      cause: 'cause',
      time_us: 'from_us',
    },
    from: `coverages WHERE kind <> 'recorded' AND from_us <= :to AND to_us >= :from ORDER BY from_us`,
  },
];

/** One statement a kind of event. */
export const EVENT_STATEMENTS: readonly string[] = SOURCES.map(({ columns, from }) => {
  const names = [...Object.keys(EVENT_COLUMNS), 'time_us'];
  return `SELECT ${names.map(name => `${columns[name] ?? 'NULL'} AS ${name}`).join(', ')} FROM ${from}`;
});

/** Of several segments SQLite would sort all rows of a statement, so it is asked for so many ids at a time. */
const PAGE = 20_000;

/** The rows of a span, with the columns of EVENT_COLUMNS and `time_us`. */
export function* allEvents(db: Database.Database, window: Window, page = PAGE): Generator<Row> {
  const span = { from: window.from ?? 0, to: window.to ?? Number.MAX_SAFE_INTEGER };
  const heads = SOURCES.map(({ grows }, i) => {
    const sql = EVENT_STATEMENTS[i] ?? '';
    const rows =
      grows === undefined
        ? (db.prepare(sql).iterate(span) as IterableIterator<Row>)
        : pages(db, sql, grows, window, span, page);
    return { rows, next: rows.next() };
  });
  try {
    for (;;) {
      let first: (typeof heads)[number] | undefined;
      for (const head of heads) {
        if (head.next.done) continue;
        if (first === undefined || timeOf(head.next) < timeOf(first.next)) first = head;
      }
      if (first === undefined) return;
      yield first.next.value as Row;
      first.next = first.rows.next();
    }
  } finally {
    for (const { rows } of heads) rows.return?.();
  }
}

function* pages(
  db: Database.Database,
  sql: string,
  table: 'signal' | 'exec',
  window: Window,
  span: { from: number; to: number },
  page: number,
): Generator<Row> {
  const ids = idRange(db, table, window);
  const edge = (order: string): number =>
    (db.prepare(`SELECT id FROM ${table} ORDER BY id ${order} LIMIT 1`).pluck().get() as
      | number
      | undefined) ?? 0;
  const last = Math.min(ids.last_id, edge('DESC'));
  const statement = db.prepare(sql);
  for (let first = Math.max(ids.first_id, edge('ASC')); first <= last; first += page)
    yield* statement.all({ ...span, first_id: first, last_id: Math.min(first + page - 1, last) }) as Row[];
}

function timeOf(head: IteratorResult<Row>): number {
  return Number((head.value as Row)['time_us']);
}
