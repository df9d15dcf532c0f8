/** Turns a list question and its parameters into an answer: picks the statement, the order and the limit. */

import type Database from 'better-sqlite3';
import { idRange } from './id-range.js';
import type { Io } from './io.js';
import type { Row } from './kinds.js';
import { readDropped, readGaps } from './loss.js';
import type { Answer, AnyQuestion, ListQuestion, Parameters, Variant, Window } from './query.js';
import { type Reach, reachNote, reachOf } from './reach.js';

/** Rows of a list unless --limit says otherwise. */
export const DEFAULT_LIMIT = 1000;

/** The answer to any question. */
export function answer(question: AnyQuestion, db: Database.Database, parameters: Parameters, io: Io): Answer {
  return 'sql' in question ? list(question, db, parameters) : question.answer(db, parameters, io);
}

/** The two statements of a list: as it is read, and with what matters most first. The parts are constants of its file. */
export function statementsOf(
  question: ListQuestion,
  parameters: Parameters,
): { forward: string; backward: string } {
  const sql = variantOf(question, parameters)?.sql ?? question.sql;
  return {
    forward: `${sql}\nORDER BY ${question.order.by}\nLIMIT :limit`,
    backward: `${sql}\nORDER BY ${question.order.by} DESC\nLIMIT :limit`,
  };
}

function variantOf({ variants }: ListQuestion, parameters: Parameters): Variant | undefined {
  return variants?.find(({ given }) => parameters[given] != null);
}

/** The answer to a list question. */
export function list(question: ListQuestion, db: Database.Database, parameters: Parameters): Answer {
  const limit = Number(parameters.limit ?? DEFAULT_LIMIT);
  const isReversed = parameters.reverse === 1;
  const { forward, backward } = statementsOf(question, parameters);
  const isByTime = question.order.first === 'oldest';
  const isCut = { value: false };
  const window = { from: numberOrNull(parameters.since), to: numberOrNull(parameters.until) };
  const { bounds, reach } = boundsOf(question, db, parameters, window);
  const read = (sql: string): Iterable<Row> =>
    capped(
      db
        .prepare(sql)
        .iterate({ ...parameters, ...bounds, limit: limit === 0 ? -1 : limit + 1 }) as Iterable<Row>,
      limit,
      isCut,
    );
  // The newest rows, in the order in which they happened: what journalctl -n shows.
  const rows =
    isByTime && !isReversed
      ? limit === 0
        ? read(forward)
        : reversed(() => read(backward))
      : read(isByTime !== isReversed ? forward : backward);
  return {
    columns: question.columns,
    ...(question.shown === undefined ? {} : { shown: question.shown }),
    rows,
    gaps: [
      ...readDropped(db, window),
      ...readGaps(db, { ...window, from: reach?.from ?? window.from }, question.events),
    ],
    sought: question.sought,
    reachesTo: reach?.from ?? null,
    notes: () => [
      ...(isCut.value ? [cutNote(limit, isByTime, isReversed)] : []),
      // Where the newest rows are as many as were asked for, no older one would be among them.
      ...(reach !== null && !(isCut.value && isByTime)
        ? [reachNote(reach, { utc: parameters.utc === 1 })]
        : []),
    ],
  };
}

/** The bounds of what a list reads: those of the span, or else of the newest rows, unless an index leads to the others. */
function boundsOf(
  question: ListQuestion,
  db: Database.Database,
  parameters: Parameters,
  window: Window,
): { bounds: Parameters; reach: Reach | null } {
  const { grows } = question;
  if (grows === undefined) return { bounds: {}, reach: null };
  const variant = variantOf(question, parameters);
  const isBounded = variant === undefined || variant.isBounded === true;
  if (grows === 'end') {
    const last_us = window.to ?? Number.MAX_SAFE_INTEGER;
    const reach = isBounded ? reachOf(db, grows, parameters, last_us) : null;
    return { bounds: { first_us: reach?.first ?? window.from ?? 0, last_us }, reach };
  }
  const ids = idRange(db, grows, window);
  const reach = isBounded ? reachOf(db, grows, parameters, ids.last_id) : null;
  return { bounds: { ...ids, ...(reach === null ? {} : { first_id: reach.first }) }, reach };
}

/** Says that rows were left out, and how to see them. */
export function cutNote(limit: number, isByTime: boolean, isReversed = false): string {
  const which = isByTime ? 'newest' : isReversed ? 'last' : 'first';
  return `there are more rows than the ${which} ${limit} shown; --limit 0 shows all`;
}

/** At most `limit` rows; one more that was there is noted. */
export function* capped(rows: Iterable<Row>, limit: number, isCut: { value: boolean }): Generator<Row> {
  let count = 0;
  for (const row of rows) {
    if (limit !== 0 && count++ === limit) {
      isCut.value = true;
      return;
    }
    yield row;
  }
}

function* reversed(rows: () => Iterable<Row>): Generator<Row> {
  yield* [...rows()].reverse();
}

function numberOrNull(value: string | number | null | undefined): number | null {
  return typeof value === 'number' ? value : null;
}
