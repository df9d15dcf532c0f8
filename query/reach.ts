/**
 * How far back a question looks that names no span and that no index answers: rows are read from the newest on, and in a
 * recording of months a name that is seldom in it would take seconds. What was not looked at is said beside the answer; where
 * nothing was found all is looked at.
 */

import type Database from 'better-sqlite3';
import { type Gap, readDropped, readGaps } from './loss.js';
import type { Grows, Parameters, Window } from './query.js';
import { type Clock, showTime } from './time.js';

interface Order {
  table: string;
  /** The column that its rows are put in order by. */
  order: string;
  time: string;
  noun: string;
  /** Rows that are looked at: what is read in less than a tenth of a second, a parent's name beside an exec, too. */
  most: number;
}

const ORDERS: Record<Grows, Order> = {
  signal: { table: 'signal', order: 'id', time: 'time', noun: 'signals', most: 100_000 },
  exec: { table: 'exec', order: 'id', time: 'time', noun: 'execs', most: 50_000 },
  process: { table: 'process', order: 'id', time: 'started', noun: 'processes', most: 50_000 },
  // By an index of its own, as ids grow with the start.
  end: { table: 'process', order: 'ended', time: 'ended', noun: 'ends', most: 50_000 },
};

/** Rows that `top` counts: each costs half a microsecond or more, for it may become a group of its own. */
export const MOST_COUNTED = 50_000;
/** Ends among which a name is looked for before all: few, as they are read twice where it is not there. */
export const MOST_NAMED = 10_000;
/** Rows of each kind that `tail` reads for the last few: names are compared as texts. */
export const MOST_TAILED = 20_000;

/** Signals to one process that are read for one kind: each costs a page of the file where it got a million others. */
export const MOST_RECEIVED = 5_000;

/** The rule, for the manual. */
export const REACH_DOC = `A process is found by its pid or name wherever it is in the recording, and so are the events of a pid. Where no index leads to the rows, as those of a name, a signal or a user, and no --since is given, the newest are looked at: ${shown(ORDERS.signal.most)} signals, ${shown(ORDERS.exec.most)} execs or ends; top counts ${shown(MOST_COUNTED)}, tail looks at ${shown(MOST_TAILED)} of each kind. Where none of these fits, all are looked at. Where there were older ones and fewer rows were found than --limit allows, a line on stderr says back to when was looked. With --since, all from then on is looked at, however long that takes; --since @0 means all that there is.`;

/** The part of the recording that is looked at in place of all. */
export interface Reach {
  /** Its first row: an id, or for ends a time. */
  first: number;
  /** When that was, microseconds. */
  from: number;
  /** The rows in it, as a phrase. */
  rows: string;
}

/** The newest `most` rows up to `last`; null: that is all, or the user says how far: by --since, or --limit 0. */
export function reachOf(
  db: Database.Database,
  grows: Grows,
  { since, limit }: Parameters,
  last: number,
  most = ORDERS[grows].most,
): Reach | null {
  if (since != null || limit === 0) return null;
  const { table, order, time, noun } = ORDERS[grows];
  const newest = db
    .prepare(`SELECT ${order} FROM ${table} WHERE ${order} <= ? ORDER BY ${order} DESC LIMIT 1 OFFSET ?`)
    .pluck();
  // Ids have no holes to speak of, so that none need be counted.
  const first = order === 'id' ? Number(newest.get(last, 0) ?? 0) - most + 1 : newest.get(last, most - 1);
  if (first === undefined || Number(first) <= 0) return null;
  const rest = `FROM ${table} WHERE ${order}`;
  const begin = db
    .prepare(`SELECT ${order}, ${time} ${rest} >= ? ORDER BY ${order} LIMIT 1`)
    .raw()
    .get(first) as [number, number];
  if (db.prepare(`SELECT 1 ${rest} < ? LIMIT 1`).get(begin[0]) === undefined) return null;
  return { first: begin[0], from: begin[1], rows: `${shown(most)} ${noun}` };
}

/** Rows read from the first of `near` on, or where none fits there from `first`. `reach`: what was looked at, null: all. */
export function newestOrAll<T>(
  near: Reach | null,
  first: number,
  read: (first: number) => T[],
): { rows: T[]; reach: Reach | null } {
  const rows = near === null ? [] : read(near.first);
  return rows.length > 0 ? { rows, reach: near } : { rows: read(first), reach: null };
}

/** What was not recorded in what was looked at: in the span, or the part of it that `reach` is. */
export function gapsWithin(
  db: Database.Database,
  window: Window,
  reach: Reach | null,
  events: readonly string[],
): Gap[] {
  return [
    ...readDropped(db, window),
    ...readGaps(db, { ...window, from: reach?.from ?? window.from }, events),
  ];
}

/** Says how far was looked. */
export function reachNote({ from, rows }: Reach, clock: Clock): string {
  return `only the newest ${rows} were looked at, back to ${showTime(from, clock, 0)}; --since looks further back, --since @0 at all`;
}

/** 100,000. Not by toLocaleString, whose first call reads the tables of all languages: 20 ms of every command. */
export function shown(rows: number): string {
  return String(rows).replace(/\B(?=(\d{3})+$)/g, ',');
}
