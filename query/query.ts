/**
 * What a question is: a plain table of values. Help, options, columns and tests derive from it. A question is one
 * file in queries/ and one line in queries/index.ts.
 */

import type Database from 'better-sqlite3';
import type { Io } from './io.js';
import type { Schema } from './json-schema.js';
import type { Columns, Row } from './kinds.js';
import type { Gap } from './loss.js';
import type { Painter } from './render/paint.js';

/** What an argument or option holds, and so which named parameters it becomes (parameters.ts). */
export type ParameterKind =
  | 'process' // PID or NAME: :x_pid and :x_name, and :x_comm as the kernel would cut it
  | 'program' // name or path of a file, or name of a command: :x and :x_comm
  | 'signal' // name or number: :x is the number
  | 'uid' // number or user name: :x is the number (resolve.ts)
  | 'unit' // systemd unit: :x with its suffix
  | 'container' // id of a container, or the first digits of one: :x is a glob
  | 'number' // a whole number from 0 up: :x
  | 'time' // a time word: :x in microseconds
  | 'span' // a length of time, such as 2s: :x in microseconds
  | 'text' // :x as it is
  | 'pattern' // part of a text, or a glob when it holds * ? or [: :x is a glob, :x_piece a part of it without quotes
  | 'flag'; // :x is 1 or NULL

/** Lists of names that a recording carries. */
export type Vocabulary = 'mechanism' | 'outcome';

export interface Parameter {
  /** The name of the parameters; for an option the long flag. */
  name: string;
  kind: ParameterKind;
  doc: string;
}

export interface Option extends Parameter {
  /** `--sender <pid|name>`, as commander reads it. */
  flags: string;
  /** The words that it may be: these, … */
  choices?: readonly string[];
  /** … or those of a list in the recording. */
  vocabulary?: Vocabulary;
}

export interface Argument extends Parameter {
  /** As it is shown in the usage line: `PID|NAME`. */
  shown: string;
  isOptional?: boolean;
}

export interface Example {
  command: string;
  doc: string;
}

/** Values of the named parameters of a statement. */
export type Parameters = Record<string, string | number | null>;

/** A span of time in microseconds; null: open. */
export interface Window {
  from: number | null;
  to: number | null;
}

/** What rows are put in order by, and so are read from the newest on: the ids of a table, or the times of ends. */
export type Grows = 'signal' | 'exec' | 'process' | 'end';

/** What every question gives back, and every renderer takes. */
export interface Answer {
  columns: Columns;
  /** The columns for people, where that is not all. */
  shown?: readonly string[];
  rows: Iterable<Row>;
  /** For JSON in place of the rows. */
  document?: unknown;
  /** For a terminal, and for plain text, in place of a table; ends with a line feed. */
  text?: (paint: Painter, width: number) => string;
  /** For a terminal only, in place of a table. */
  drawing?: (width: number) => string;
  /** Writes itself in place of all this: a file is made, or `out` gets the text of one. */
  write?: (out: (text: string) => void) => void;
  /** For a terminal only, above the table. */
  head?: (paint: Painter, width: number) => string;
  /** What was not recorded within the span that the answer speaks of. */
  gaps: Gap[];
  /** What was looked for and not found: "process with pid 12". */
  sought: string;
  /** How a fruitless search might be mended. */
  hint?: string | undefined;
  /** Remarks for stderr once the rows are out: that some were left out. */
  notes?: () => string[];
  /** False when `document` or `text` only say that nothing was found. */
  isFound?: boolean;
}

interface Question {
  name: string;
  /** One line for the list of questions. */
  summary: string;
  /** When to ask it, and what the answer means. */
  why: string;
  examples: readonly Example[];
  args: readonly Argument[];
  options: readonly Option[];
  /** The views that explain its columns, the first of them that has one. */
  views?: readonly string[];
  /** Explains the columns that no view has, or that mean something else here. */
  docs?: Readonly<Record<string, string>>;
  /** What --json prints in place of rows, as JSON Schema. */
  document?: { root: Schema; defs: Readonly<Record<string, Schema>>; title?: string };
  /** Names of the events whose loss makes the answer doubtful. */
  events: readonly string[];
  /** Runs the statement of a user: in a process of its own, that can be ended (isolate.ts). */
  isIsolated?: boolean;
  /** Whether these parameters make a file: likewise, so that nothing half made is left where that is ended. */
  makesFile?(parameters: Parameters, io: Io): boolean;
  /** Works without a recording. */
  isOffline?: boolean;
  /** Gaps are the answer itself: no warning about them. */
  isLedger?: boolean;
}

/** Another statement for the same rows. */
export interface Variant {
  given: string;
  sql: string;
  /** It reads the rows of the span, all the same: without one only the newest. */
  isBounded?: boolean;
}

/** A question that one SELECT on the views answers. */
export interface ListQuestion extends Question {
  /** Without ORDER BY and LIMIT; parameters of the options, :since and :until. */
  sql: string;
  /** The table whose growing ids it selects by: `sql` has :first_id and :last_id, or for ends :first_us and :last_us, which bound those of the span. */
  grows?: 'signal' | 'exec' | 'end';
  /** Statements for a given parameter, which SQLite answers from an index. The first whose parameter is given is taken. */
  variants?: readonly Variant[];
  /** A column of the result; `first` says which rows matter most when not all are shown, and come first. */
  order: { by: string; first: 'oldest' | 'highest' };
  columns: Columns;
  shown?: readonly string[];
  /** What the rows are, for "no … found". */
  sought: string;
}

/** A question that needs more than one SELECT. */
export interface AnswerQuestion extends Question {
  /** The columns that its rows may have: one of these lists; none: whatever a statement gives; null: it makes files. */
  shapes: readonly Columns[] | null;
  answer(db: Database.Database, parameters: Parameters, io: Io): Answer;
  /** Whether these parameters ask for what has no end; then `stream` answers. */
  isEndless?(parameters: Parameters): boolean;
  /** Writes to `to` until `signal` is aborted. */
  stream?(path: string, parameters: Parameters, to: Stream, signal: AbortSignal): Promise<void>;
}

/** Where an endless answer goes. */
export interface Stream {
  io: Io;
  paint: Painter;
  /** A row as the chosen format writes it; null: a line for people. */
  row: ((row: Row) => string) | null;
}

export type AnyQuestion = ListQuestion | AnswerQuestion;

/** Checks the shape of a question at compile time, and gives it back. */
export function defineQuery(question: ListQuestion): ListQuestion;
export function defineQuery(question: AnswerQuestion): AnswerQuestion;
export function defineQuery(question: AnyQuestion): AnyQuestion {
  return question;
}
