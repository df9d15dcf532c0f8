/** A SELECT of the user on the views. The connection is read-only; what could reach past it is refused by name. */

import type Database from 'better-sqlite3';
import { SnoopError } from '../../migrations/errors.js';
import { capped, cutNote, DEFAULT_LIMIT } from '../answer.js';
import type { Columns, Row } from '../kinds.js';
import { readDropped, readGaps } from '../loss.js';
import { type Answer, defineQuery, type Parameters } from '../query.js';

const COMMENTS = /^(?:\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/|;)+/;
const READING = /^(?:select|with|values|explain)\b/i;
const HINT = 'only SELECT, WITH, VALUES and EXPLAIN may be asked; the views: snoopq schema';

/** The prepared statement, if it is one that only reads. */
export function prepareReading(db: Database.Database, sql: string): Database.Statement {
  if (!READING.test(sql.replace(COMMENTS, '')))
    throw new SnoopError('usage', 'this statement does not only read', HINT);
  let statement: Database.Statement;
  try {
    statement = db.prepare(sql);
  } catch (error) {
    throw new SnoopError(
      'usage',
      (error as Error).message,
      'the views and their columns: snoopq schema',
      error,
    );
  }
  // VACUUM INTO writes a file on a read-only connection too; SQLite calls it not readonly.
  if (!statement.readonly || !statement.reader)
    throw new SnoopError('usage', 'this statement does not only read', HINT);
  return statement;
}

export const sql = defineQuery({
  name: 'sql',
  summary: 'any SELECT on the views',
  why: 'For every question that has no name yet. The recording is opened read-only. :since and :until may be used in the statement: they are the times of the options in microseconds, to compare with the *_us columns.',
  examples: [
    {
      command: "snoopq sql 'SELECT signal, count(*) AS n FROM signals GROUP BY signal ORDER BY n DESC'",
      doc: 'which signals there are',
    },
    {
      command: "snoopq sql --since '1h ago' 'SELECT * FROM kills WHERE time_us >= :since' --json",
      doc: 'violent deaths of the last hour, for a program',
    },
  ],
  args: [{ name: 'statement', shown: 'SELECT', kind: 'text', doc: 'one statement that reads' }],
  options: [],
  shapes: [],
  events: ['signal', 'attempt', 'exec', 'fork', 'exit', 'oom', 'cgroup'],
  isIsolated: true,
  answer(db, parameters: Parameters): Answer {
    const statement = prepareReading(db, String(parameters.statement)).safeIntegers(true);
    const limit = Number(parameters.limit ?? DEFAULT_LIMIT);
    const isCut = { value: false };
    const columns: Columns = Object.fromEntries(statement.columns().map(({ name }) => [name, 'any']));
    const { since = null, until = null } = parameters;
    const rows = start(statement, { since, until });
    const window = { from: since as number | null, to: until as number | null };
    return {
      columns,
      rows: capped(plainNumbers(rows), limit, isCut),
      gaps: [...readDropped(db, window), ...readGaps(db, window, sql.events)],
      sought: 'rows',
      notes: () => (isCut.value ? [cutNote(limit, false)] : []),
    };
  },
});

function start(statement: Database.Statement, parameters: Parameters): Iterable<Row> {
  try {
    return statement.iterate(parameters) as Iterable<Row>;
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    throw new SnoopError('usage', error.message, 'only :since and :until are known here', error);
  }
}

// Integers come as BigInt so that none is rounded; nearly all of them are safe as numbers.
function* plainNumbers(rows: Iterable<Row>): Generator<Row> {
  for (const row of rows) {
    for (const name of Object.keys(row)) {
      const value = row[name];
      if (typeof value === 'bigint' && Number.isSafeInteger(Number(value))) row[name] = Number(value);
    }
    yield row;
  }
}
