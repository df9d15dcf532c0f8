/**
 * Splits a recording into the segments in which the recorder would have written it: each holds the rows of its own span,
 * and copies of the living processes, their ancestors, and whatever its rows refer to. What a process or a run became
 * later stands in later segments only.
 */

import Database from 'better-sqlite3';
import { migrate } from '../../migrations/migrate.js';
import { at, START } from './fixture.js';

/**
 * Between a kill of a process group and the deaths of its members, and while a blocked signal waits: a death stands in
 * another segment than its cause.
 */
export const BOUNDARIES = [at(110.0001), at(625.5)];
/** Also within spans in which nothing happened, or no recorder ran. */
export const MANY_BOUNDARIES = [60.5, 110.0001, 215, 230.0001, 300, 409.7, 509, 625.5, 950].map(at);

const REFERENCES: Record<string, Record<string, string>> = {
  process: {
    parent: 'process',
    exec: 'exec',
    parent_exec: 'exec',
    comm: 'comm',
    exe: 'path',
    argv: 'argv',
    cwd: 'path',
    cgroup: 'cgroup',
  },
  exec: {
    process: 'process',
    filename: 'path',
    exe: 'path',
    interp: 'path',
    argv: 'argv',
    cwd: 'path',
    comm: 'comm',
    cgroup: 'cgroup',
  },
  signal: {
    sender: 'process',
    target: 'process',
    sender_comm: 'comm',
    target_comm: 'comm',
    sender_exec: 'exec',
    dying: 'process',
  },
  oom_kill: { victim: 'process', trigger: 'process', memory_cgroup: 'path' },
};
const TIMES: Record<string, string> = {
  recording: 'started',
  process: 'started',
  exec: 'time',
  signal: 'time',
  oom_kill: 'time',
  coverage: 'to_time',
  uid_syscalls: 'to_time',
};
const TEXTS = ['comm', 'path', 'argv', 'cgroup'];

/** Writes the recording `source` as segments with the live one at `live`, whose path is given back. */
export function split(source: string, live: string, boundaries: readonly number[]): string {
  const starts = [START, ...boundaries];
  const next: Record<string, number> = {};
  for (const [i, from] of starts.entries()) {
    const to = starts[i + 1] ?? null;
    writeSegment(source, to === null ? live : sealedPath(live, from), { from, to, isFirst: i === 0 }, next);
  }
  return live;
}

/** The path of the sealed segment that starts at `from`. */
export function sealedPath(live: string, from: number): string {
  const name = new Date(Math.floor(from / 1000)).toISOString().replace(/[-:.]/g, '');
  return live.replace(/\.db$/, `-${name}.db`);
}

interface Span {
  from: number;
  to: number | null;
  isFirst: boolean;
}

/** `next` holds the first id of each table that no segment has yet. */
function writeSegment(source: string, path: string, span: Span, next: Record<string, number>): void {
  const db = new Database(path);
  migrate(db);
  db.pragma('foreign_keys = OFF');
  db.prepare('ATTACH ? AS old').run(source);
  db.exec('DELETE FROM user_name; INSERT INTO user_name SELECT * FROM old.user_name');
  db.prepare("INSERT INTO meta (key, value) VALUES ('from', ?)").run(String(span.from));
  const insert = db.prepare('INSERT INTO first_id ("table", id) VALUES (?, ?)');
  if (!span.isFirst) for (const [table, id] of Object.entries(next)) insert.run(table, id);

  db.exec('INSERT INTO boot SELECT * FROM old.boot');
  const wanted = new Map<string, Set<number>>();
  const want = (table: string, id: number): void => {
    const ids = wanted.get(table) ?? new Set();
    if (ids.has(id)) return;
    wanted.set(table, ids.add(id));
    const row = db.prepare(`SELECT * FROM old."${table}" WHERE id = ?`).get(id) as Record<
      string,
      number | null
    >;
    for (const [column, other] of Object.entries(REFERENCES[table] ?? {})) {
      const reference = row[column];
      if (reference != null) want(other, reference);
    }
  };
  for (const [table, time] of Object.entries(TIMES)) {
    const first = next[table] ?? 1;
    const end = firstIdAt(db, table, time, span.to);
    for (const id of idsOf(db, `SELECT id FROM old.${table} WHERE id >= ? AND id < ?`, first, end))
      want(table, id);
    next[table] = Math.max(first, end === Number.MAX_SAFE_INTEGER ? first : end);
  }
  if (!span.isFirst) {
    const living = `coalesce(ended, unseen_end, ${span.from}) >= ${span.from}`;
    for (const id of idsOf(db, `SELECT id FROM old.process WHERE started < ? AND ${living}`, span.from))
      want('process', id);
    for (const id of idsOf(db, 'SELECT max(id) FROM old.recording WHERE started < ?', span.from))
      want('recording', id);
  }
  db.exec('BEGIN');
  for (const [table, ids] of wanted) {
    const copy = db.prepare(`INSERT INTO main."${table}" SELECT * FROM old."${table}" WHERE id = ?`);
    for (const id of ids) copy.run(id);
    if (TEXTS.includes(table)) next[table] = Math.max(next[table] ?? 1, Math.max(...ids) + 1);
  }
  db.exec('COMMIT');
  if (span.to !== null) forgetLater(db, span.to);
  db.exec('DETACH old');
  db.close();
}

function firstIdAt(db: Database.Database, table: string, column: string, time: number | null): number {
  const id = db
    .prepare(`SELECT min(id) FROM old.${table} WHERE ${column} >= ?`)
    .pluck()
    .get(time ?? Number.MAX_SAFE_INTEGER);
  return (id as number | null) ?? Number.MAX_SAFE_INTEGER;
}

function idsOf(db: Database.Database, sql: string, ...parameters: number[]): number[] {
  return (
    db
      .prepare(sql)
      .pluck()
      .all(...parameters) as (number | null)[]
  ).filter(id => id !== null);
}

/** Takes back what happened to carried rows after the segment was sealed. */
function forgetLater(db: Database.Database, to: number): void {
  db.prepare('UPDATE process SET ended = NULL, status = NULL WHERE ended >= ?').run(to);
  db.prepare('UPDATE process SET unseen_end = NULL WHERE unseen_end >= ?').run(to);
  db.prepare('UPDATE recording SET ended = NULL, ending = NULL WHERE ended >= ?').run(to);
  db.prepare('UPDATE recording SET updated = @to, seen = 0, stored = 0 WHERE updated >= @to').run({ to });
}
