/** What was recorded and what was not: beside every answer stands how much it can be trusted. */

import type Database from 'better-sqlite3';
import { type Clock, fromIsoTime, showDuration, showTime } from './time.js';

/** A row of the ledger that tells of something missing; times as in the views. */
export interface Gap {
  /** Of the row in the ledger; null: it has none, such as a segment that cannot be read. */
  id: number | null;
  kind: string;
  from: string;
  to: string;
  event: string | null;
  lane: string | null;
  count: number | null;
  cause: string;
}

/** The span of time that the file knows of. */
export interface Recorded {
  from: number | null;
  /** From when on all of it is still there: older segments may be gone. */
  reach: number | null;
  isOlderGone: boolean;
  to: number | null;
  /** A recorder said hello and not yet goodbye. */
  isRunning: boolean;
  host: string | null;
}

const GAPS = `
  SELECT id, kind, from_time AS "from", to_time AS "to", event, lane, count, cause
  FROM coverages
  WHERE kind IN ('lost', 'down', 'malformed', 'shed')
    AND (:from IS NULL OR to_us >= :from) AND (:to IS NULL OR from_us <= :to)
    AND (event IS NULL OR event IN (SELECT value FROM json_each(:events)))
  ORDER BY from_us, kind`;

const DROPPED = `
  SELECT id, kind, from_time AS "from", to_time AS "to", event, lane, count, cause
  FROM coverages WHERE kind = 'dropped' AND to_us >= :from`;

const RECORDED = `
  SELECT min(started_us) AS "from", max(coalesce(ended_us, updated_us)) AS "to",
    (SELECT max(to_us) FROM coverages WHERE kind = 'dropped') AS reach,
    (SELECT ended_us IS NULL FROM recordings ORDER BY id DESC LIMIT 1) AS running,
    (SELECT host FROM recordings ORDER BY id DESC LIMIT 1) AS host
  FROM recordings`;

/** The gaps that overlap the window and concern these events. */
export function readGaps(
  db: Database.Database,
  window: { from: number | null; to: number | null },
  events: readonly string[],
): Gap[] {
  return db.prepare(GAPS).all({ ...window, events: JSON.stringify(events) }) as Gap[];
}

/** The span of segments that are gone, where a window begins in it by intent. Verdicts rest on what was kept of them. */
export function readDropped(db: Database.Database, { from }: { from: number | null }): Gap[] {
  return from === null ? [] : (db.prepare(DROPPED).all({ from }) as Gap[]);
}

/** The span from the first recording to the last sign of life. */
export function readRecorded(db: Database.Database): Recorded {
  const row = db.prepare(RECORDED).get() as {
    from: number | null;
    reach: number | null;
    to: number | null;
    running: number | null;
    host: string | null;
  };
  return {
    from: row.from,
    reach: row.reach ?? row.from,
    isOlderGone: row.reach !== null,
    to: row.to,
    isRunning: row.running === 1,
    host: row.host,
  };
}

/** Records known to be missing. */
export function lostRecords(gaps: readonly Gap[]): number {
  return gaps.reduce((sum, gap) => sum + (gap.kind === 'down' ? 0 : (gap.count ?? 0)), 0);
}

/** "14 records were lost, and no recorder ran for 3 min 20 s": one phrase for any number of gaps. */
export function describeGaps(gaps: readonly Gap[]): string {
  const lost = lostRecords(gaps);
  const isUncounted = gaps.some(gap => !['down', 'dropped'].includes(gap.kind) && gap.count === null);
  const down = gaps.filter(gap => gap.kind === 'down');
  const downtime = down.reduce((sum, gap) => sum + fromIsoTime(gap.to) - fromIsoTime(gap.from), 0);
  const phrases = [];
  if (lost > 0) phrases.push(`${lost} ${lost === 1 ? 'record was' : 'records were'} lost`);
  if (isUncounted) phrases.push(`${lost > 0 ? 'more' : 'some'} records were lost uncounted`);
  if (down.length > 0) phrases.push(`no recorder ran for ${showDuration(downtime)}`);
  if (gaps.some(gap => gap.kind === 'dropped')) phrases.push('older segments are gone');
  return phrases.join(', and ');
}

/** "between A and B": a span for a sentence, its open ends taken from what was recorded. */
export function describeSpan(
  window: { from: number | null; to: number | null },
  recorded: Recorded,
  clock: Clock,
): string {
  const from = window.from ?? recorded.reach;
  const to = window.to ?? recorded.to;
  if (recorded.from === null || from === null || to === null) return 'in an empty recording';
  return `between ${showTime(from, clock, 0)} and ${showTime(to, clock, 0)}`;
}
