/**
 * What --json gives, as JSON Schema (2020-12), one for each question: from the columns that the question declares and the
 * comments of the views; of a verdict by hand (verdict-schema.ts). Pure.
 */

import type { Columns, Kind } from './kinds.js';
import type { AnyQuestion } from './query.js';

export type Schema = { readonly [keyword: string]: unknown };

/** Of all documents of --json. Names are only added; were one to be taken away or to change its meaning, this would grow. */
export const JSON_VERSION = 1;

/** A time of the views: UTC with microseconds. */
const TIME = '^-?\\d{4,6}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}Z$';
/** Absent facts are null. */
const orNull = (type: string, more: Schema = {}): Schema => ({ type: [type, 'null'], ...more });
const INTEGER = orNull('integer');
const NUMBER = orNull('number');
const TEXT = orNull('string');

/** What the values of a column of each kind are. */
const OF_KIND: Record<Kind, Schema> = {
  time: orNull('string', { pattern: TIME }),
  milliseconds: NUMBER,
  microseconds: INTEGER,
  pid: INTEGER,
  id: INTEGER,
  uid: INTEGER,
  count: INTEGER,
  number: NUMBER,
  bytes: INTEGER,
  flag: { enum: [0, 1, null] },
  name: TEXT,
  path: TEXT,
  cmdline: TEXT,
  args: orNull('array', { items: { type: 'string' } }),
  text: TEXT,
  // An integer beyond 2^53 is a string, for a JSON number would be rounded; bytes are one object.
  any: {
    anyOf: [
      { type: ['string', 'number', 'null'] },
      { type: 'object', properties: { base64: { type: 'string' } }, required: ['base64'] },
    ],
  },
};

/** A view, or one of its columns, with what views.sql says of it. */
export type Documented = {
  view: string;
  /** Null: the view itself. */
  column: string | null;
  doc: string;
};

/** The schema of --json, and as $defs/row that of a line of --ndjson; undefined for a question that only makes files. */
export function jsonSchema(question: AnyQuestion, documented: readonly Documented[]): Schema | undefined {
  const { name, summary, document } = question;
  const shapes = shapesOf(question);
  if (shapes === null) return undefined;
  const rows = shapes.map(columns => rowSchema(question, columns, documented));
  const [only] = rows;
  const row = only === undefined ? OF_ANY_ROW : rows.length === 1 ? only : { anyOf: rows };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: schemaId(name),
    title: document?.title ?? `snoopq ${name} --json`,
    description: `${summary}. Version ${JSON_VERSION}: names are only added, absent facts are null. A row, such as a line of --ndjson, is $defs/row.`,
    ...(document?.root ?? { type: 'array', items: { $ref: '#/$defs/row' } }),
    $defs: { row, ...document?.defs },
  };
}

/** By which the schema of a question is known. */
export function schemaId(name: string): string {
  return `urn:snooprec:snoopq:${name}:${JSON_VERSION}`;
}

/** An object that has all of these names, each explained. */
export function objectSchema(properties: Readonly<Record<string, Schema>>): Schema {
  return { type: 'object', properties, required: Object.keys(properties) };
}

/** What explains a column: the question itself, else the first of its views that has one of this name. */
export function columnDoc(
  { docs = {}, views = [] }: AnyQuestion,
  column: string,
  documented: readonly Documented[],
): string | undefined {
  const found = views.map(view => documented.find(row => row.view === view && row.column === column));
  return docs[column] ?? found.find(row => row !== undefined)?.doc;
}

/** The columns that the rows of any question may have, as `shapes` has them. */
export function shapesOf(question: AnyQuestion): readonly Columns[] | null {
  return 'sql' in question ? [question.columns] : question.shapes;
}

const OF_ANY_ROW: Schema = { type: 'object', additionalProperties: OF_KIND.any };

function rowSchema(question: AnyQuestion, columns: Columns, documented: readonly Documented[]): Schema {
  return objectSchema(
    Object.fromEntries(
      Object.entries(columns).map(([name, kind]) => {
        const doc = columnDoc(question, name, documented);
        return [name, { ...(doc === undefined ? {} : { description: doc }), ...OF_KIND[kind] }];
      }),
    ),
  );
}
