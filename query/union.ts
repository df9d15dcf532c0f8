/**
 * The tables and views of several segments as those of one recording: TEMP views with the same names, which stand before
 * those of the file. Each segment can be read alone, so a view that joins tables is made once for each of them, inside it
 * and by its indexes, and the rows are put together afterwards: SQLite would read a joined union whole.
 */

import type Database from 'better-sqlite3';
import { viewsSql } from '../migrations/migrate.js';
import { EVENTS, GROWING, TEXTS } from '../migrations/tables.js';
import { disorder } from './id-range.js';
import type { Window } from './query.js';
import type { Shape } from './shape.js';

/** A file of the recording that is attached as `schema`. */
export interface Segment {
  schema: string;
  path: string;
  /** Start in microseconds; null: not known. */
  from: number | null;
  isKept: boolean;
  /** The sum of the first ids of its own rows: it grows from segment to segment. */
  firstIds: number;
  /** The last id of each growing table. */
  lastIds: Record<string, number>;
  /** How its tables are asked. */
  table: Shape;
}

/** A span that is not in the segments that were read; a row of `coverage`. */
export interface Hole {
  from: number;
  to: number;
  kind: 'shed' | 'dropped';
  cause: string;
}

/** Tables of which every segment has its own, or the same. Together with GROWING: all. */
export const SINGLE: readonly string[] = [
  'meta',
  'chain',
  'first_id',
  'lane_position',
  'user_name',
  'signal_name',
  'errno_name',
  'mechanism_name',
  'outcome_name',
  'disposition_name',
];

/** Rows of these change: of several copies the newest is the current one. */
const CHANGING: ReadonlySet<string> = new Set(['process', 'recording']);

/** Views that join growing tables, each with the table of its rows; the others read from these. */
export const JOINING: Readonly<Record<string, string>> = {
  processes: 'process',
  execs: 'exec',
  signals: 'signal',
  deliveries: 'delivery',
  oom_kills: 'oom_kill',
};

/** Makes one recording of `segments`, oldest first, as far as they can overlap the window. */
export function joinSegments(
  db: Database.Database,
  segments: readonly Segment[],
  holes: (db: Database.Database) => Hole[],
  window: Window,
): void {
  const views = new Map(
    // Without the comments, which SQLite would read twice for each segment.
    [
      ...viewsSql()
        .replace(/ *--.*$/gm, '')
        .matchAll(/^CREATE VIEW (\w+) AS[\s\S]*?;$/gm),
    ].map(([sql, name = '']) => [name, sql]),
  );
  db.exec(`CREATE TEMP TABLE newest_process (id INTEGER PRIMARY KEY, segment INTEGER);
    CREATE TEMP TABLE newest_recording (id INTEGER PRIMARY KEY, segment INTEGER);
    CREATE TEMP TABLE hole AS SELECT * FROM ${segments[0]?.table('coverage')} LIMIT 0`);
  noteNewest(db, 'recording', segments);
  union(db, 'recording', arms('recording', segments));
  const insert = db.prepare('INSERT INTO hole (from_time, to_time, kind, cause) VALUES (?, ?, ?, ?)');
  for (const { from, to, kind, cause } of holes(db)) insert.run(from, to, kind, cause);
  union(db, 'coverage', [...arms('coverage', segments), 'SELECT * FROM temp.hole']);

  const overlapping = overlap(segments, window, disorder(db));
  noteNewest(db, 'process', segments, overlapping);
  for (const table of TEXTS) union(db, table, arms(table, segments));
  for (const table of EVENTS) union(db, table, arms(table, segments, overlapping));
  for (const [name, table] of Object.entries(JOINING)) {
    const sql = views.get(name) ?? '';
    for (const segment of overlapping) db.exec(inside(segment, sql));
    union(
      db,
      name,
      arms(table, segments, overlapping, ({ schema }) => `${schema}_${name}`),
    );
  }
  for (const [name, sql] of views)
    if (!(name in JOINING)) db.exec(sql.replace('CREATE VIEW', 'CREATE TEMP VIEW'));
}

/** The statement of a view, read within one segment alone. */
function inside({ schema, table }: Segment, sql: string): string {
  return sql
    .replace(/^CREATE VIEW /, `CREATE TEMP VIEW ${schema}_`)
    .replace(/\b(FROM|JOIN) (\w+)/g, (all, word, name) => {
      if (GROWING.includes(name)) return `${word} ${table(name)}`;
      return name in JOINING ? `${word} ${schema}_${name}` : all;
    });
}

function union(db: Database.Database, name: string, selects: readonly string[]): void {
  db.exec(`CREATE TEMP VIEW ${name} AS ${selects.join('\nUNION ALL ')}`);
}

/** A SELECT for each segment that gives the rows which no other one gives. */
function arms(
  table: string,
  segments: readonly Segment[],
  chosen = segments,
  source = (segment: Segment) => segment.table(table),
): string[] {
  return chosen.map(segment => {
    const condition = CHANGING.has(table)
      ? newest(table, segments, segment)
      : unseen(table, segments, segment);
    return `SELECT * FROM ${source(segment)} ${table}${condition === '' ? '' : ` WHERE ${condition}`}`;
  });
}

// What is carried over from a segment that is gone or unreadable stands in the next one only, so that is where it is read.
function unseen(table: string, segments: readonly Segment[], segment: Segment): string {
  const at = segments.indexOf(segment);
  if (segment.isKept) {
    const next = segments[at + 1];
    return next === undefined
      ? ''
      : `NOT EXISTS (SELECT 1 FROM ${next.table(table)} o WHERE o.id = ${table}.id)`;
  }
  const before = lastId(
    table,
    segments.slice(0, at).filter(({ isKept }) => !isKept),
  );
  // By + no bound for the planner, which would take it in place of the question's own one; the copies are few.
  return before === 0 ? '' : `+${table}.id > ${before}`;
}

function newest(table: string, segments: readonly Segment[], segment: Segment): string {
  const at = segments.indexOf(segment);
  if (at === segments.length - 1) return '';
  return `NOT EXISTS (SELECT 1 FROM temp.newest_${table} n WHERE n.id = ${table}.id AND n.segment > ${at})`;
}

/** Notes of each row that was carried over which segment has the newest copy. */
function noteNewest(
  db: Database.Database,
  table: string,
  segments: readonly Segment[],
  chosen = segments,
): void {
  for (const segment of chosen) {
    const at = segments.indexOf(segment);
    const before = lastId(table, segments.slice(0, at));
    if (before === 0) continue;
    db.prepare(
      `INSERT OR REPLACE INTO temp.newest_${table} SELECT id, ? FROM ${segment.table(table)} WHERE id <= ?`,
    ).run(at, before);
  }
}

function lastId(table: string, segments: readonly Segment[]): number {
  return Math.max(0, ...segments.map(({ lastIds }) => lastIds[table] ?? 0));
}

/** The segments whose span, widened by `slack`, overlaps the window. */
function overlap(segments: readonly Segment[], window: Window, slack: number): readonly Segment[] {
  const found = segments.filter((segment, at) => {
    const to = segments[at + 1]?.from;
    const isBefore = window.from !== null && to != null && to < window.from - slack;
    const isAfter = window.to !== null && segment.from !== null && segment.from > window.to + slack;
    return !isBefore && !isAfter;
  });
  return found.length > 0 ? found : segments.slice(-1);
}
