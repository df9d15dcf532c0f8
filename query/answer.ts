/** Turns a list question and its parameters into an answer: picks the statement, the order and the limit. */

import type Database from 'better-sqlite3';
import { idRange } from './id-range.js';
import type { Io } from './io.js';
import type { Row } from './kinds.js';
import type { Answer, AnyQuestion, Grows, ListQuestion, Parameters, Variant, Window } from './query.js';
import { gapsWithin, type Reach, reachNote, reachOf } from './reach.js';

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

/** The answer to a list question. Where none of the newest rows fits, all are looked at: that takes as long as it takes. */
export function list(question: ListQuestion, db: Database.Database, parameters: Parameters): Answer {
  const limit = Number(parameters.limit ?? DEFAULT_LIMIT);
  const isReversed = parameters.reverse === 1;
  const isByTime = question.order.first === 'oldest';
  // The newest rows, in the order in which they happened: what journalctl -n shows.
  const isFromEnd = isByTime && !isReversed && limit !== 0;
  const { forward, backward } = statementsOf(question, parameters);
  const statement = db.prepare(isFromEnd || isByTime === isReversed ? backward : forward);
  const window = { from: numberOrNull(parameters.since), to: numberOrNull(parameters.until) };
  const asked = { ...parameters, limit: limit === 0 ? -1 : limit + 1 };
  const range = rangeOf(question, db, window);
  const boundsFrom = (near: Reach | null): Parameters => range?.bounds(near?.first ?? range.first) ?? {};
  const near =
    range === null || isIndexed(question, parameters)
      ? null
      : reachOf(db, range.grows, parameters, range.last);
  const newest = near === null ? [] : (statement.all({ ...asked, ...boundsFrom(near) }) as Row[]);
  const reach = newest.length === 0 ? null : near;
  const isCut = { value: false };
  const rows = capped(
    reach === null ? (statement.iterate({ ...asked, ...boundsFrom(null) }) as Iterable<Row>) : newest,
    limit,
    isCut,
  );
  return {
    columns: question.columns,
    ...(question.shown === undefined ? {} : { shown: question.shown }),
    rows: isFromEnd ? reversed(rows) : rows,
    gaps: gapsWithin(db, window, reach, question.events),
    sought: question.sought,
    notes: () => [
      ...(isCut.value ? [cutNote(limit, isByTime, isReversed)] : []),
      // Where the newest rows are as many as were asked for, no older one would be among them.
      ...(reach !== null && !(isCut.value && isByTime)
        ? [reachNote(reach, { utc: parameters.utc === 1 })]
        : []),
    ],
  };
}

/** Whether an index leads to the rows that are asked for, however old they are. */
function isIndexed(question: ListQuestion, parameters: Parameters): boolean {
  const variant = variantOf(question, parameters);
  return variant !== undefined && variant.isBounded !== true;
}

/** What a list reads. */
interface Range {
  grows: Grows;
  /** By ids, or of ends by their times. */
  first: number;
  last: number;
  /** The parameters of its statement, read from `first` on. */
  bounds(first: number): Parameters;
}

/** The rows of the span; null: the statement finds them by itself. */
function rangeOf({ grows }: ListQuestion, db: Database.Database, window: Window): Range | null {
  if (grows === undefined) return null;
  if (grows === 'end') {
    const last = window.to ?? Number.MAX_SAFE_INTEGER;
    return { grows, first: window.from ?? 0, last, bounds: first => ({ first_us: first, last_us: last }) };
  }
  const { first_id, last_id } = idRange(db, grows, window);
  return { grows, first: first_id, last: last_id, bounds: first => ({ first_id: first, last_id }) };
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

function* reversed(rows: Iterable<Row>): Generator<Row> {
  yield* [...rows].reverse();
}

function numberOrNull(value: string | number | null | undefined): number | null {
  return typeof value === 'number' ? value : null;
}
