/** What a recording has to tell somebody who does not know yet what to ask. */

import type Database from 'better-sqlite3';
import { SnoopError } from '../migrations/errors.js';
import { databaseError } from './db.js';
import { escapeText } from './escape.js';
import { describeSpan, readRecorded } from './loss.js';
import { openRecording } from './segments.js';
import { fromIsoTime, showTime } from './time.js';

const MOST_DEATHS = 3;
/** Ends among which violent ones are looked for, the last: a machine may have millions, and not one of them violent. */
const MOST_ENDS = 2000;
const LOCAL = { utc: false };

/** Statement for the last violent deaths. */
export const LAST_DEATHS = `SELECT id FROM (SELECT id, exit_signal FROM processes WHERE ended_us IS NOT NULL
  ORDER BY ended_us DESC LIMIT :ends) WHERE exit_signal IS NOT NULL LIMIT :limit`;
/** Statement for one of them. */
export const DEATH = `SELECT time, pid, comm, signal, mechanism, killer_pid, killer_comm FROM kills WHERE process_id = :id`;

/** A violent death, and what to type to be told about it. */
export interface Death {
  pid: number;
  /** `14:05:00  sleep(2219), SIGKILL by bash(5978)`; harmless for a terminal. */
  line: string;
}

export interface State {
  /** Whether there is anything to ask, in a line. */
  line: string;
  /** The last that died violently, the last first. */
  deaths: readonly Death[];
}

/** Of the recording at `path`, also where there is none. */
export function stateOf(path: string): State {
  try {
    const { db } = openRecording(path);
    try {
      const recorded = readRecorded(db);
      const { from, to, isRunning } = recorded;
      if (from === null || to === null)
        return { line: `The recording ${escapeText(path)} is empty yet.`, deaths: [] };
      const span = describeSpan({ from: null, to: null }, recorded, LOCAL);
      const line = `The recording ${escapeText(path)} tells what happened ${span}${isRunning ? '' : '; no recorder runs now'}.`;
      return { line, deaths: lastDeaths(db) };
    } finally {
      db.close();
    }
  } catch (thrown) {
    const error = databaseError(path, thrown);
    if (!(error instanceof SnoopError)) throw error;
    const hint = error.hint === undefined ? '' : ` First ${escapeText(error.hint)}`;
    return { line: `Nothing can be asked yet: ${escapeText(error.message)}.${hint}`, deaths: [] };
  }
}

function lastDeaths(db: Database.Database): Death[] {
  const ids = db.prepare(LAST_DEATHS).pluck().all({ ends: MOST_ENDS, limit: MOST_DEATHS }) as number[];
  const statement = db.prepare(DEATH);
  return ids.flatMap(id => {
    const found = statement.get({ id }) as Found | undefined;
    return found === undefined ? [] : [{ pid: found.pid, line: lineOf(found) }];
  });
}

interface Found {
  time: string;
  pid: number;
  comm: string | null;
  signal: string | null;
  mechanism: string | null;
  killer_pid: number | null;
  killer_comm: string | null;
}

function lineOf({ time, pid, comm, signal, mechanism, killer_pid, killer_comm }: Found): string {
  const by =
    killer_pid !== null
      ? ` by ${killer_pid === pid ? 'itself' : `${killer_comm ?? '?'}(${killer_pid})`}`
      : mechanism === null
        ? ''
        : ` (${mechanism})`;
  return escapeText(
    `${showTime(fromIsoTime(time), LOCAL, 0)}  ${comm ?? '?'}(${pid}): ${signal ?? '?'}${by}`,
  );
}
