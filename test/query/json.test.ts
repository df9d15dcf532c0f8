/**
 * --json is a contract: what every golden prints is what the schemas in docs/json say, every name is explained, and against
 * what was published a name is only ever added.
 */

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { PACKAGE_ROOT } from '../../migrations/database.js';
import { viewsSql } from '../../migrations/migrate.js';
import { columnDoc, schemaId, shapesOf } from '../../query/json-schema.js';
import { questions } from '../../query/queries/index.js';
import { documentedColumns, schemaOfJson } from '../../query/queries/schema.js';
import { writeFixture } from './fixture.js';
import { ask } from './io.js';
import { changesOf } from './json-changes.js';
import { scratchDirectory } from './scratch.js';

const FOLDER = join(PACKAGE_ROOT, 'docs', 'json');
const GOLDENS = join(PACKAGE_ROOT, 'test', 'goldens');
const fileOf = (name: string): string => join(FOLDER, `${name}.schema.json`);
const printed = questions.filter(question => shapesOf(question) !== null).map(({ name }) => name);

/** The same schema, but a name that it does not have is an error: so that what is printed is documented. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  return 'properties' in copy && !('additionalProperties' in copy)
    ? { ...copy, additionalProperties: false }
    : copy;
}

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });
for (const name of printed) ajv.addSchema(closed(schemaOfJson(name)) as object);

function complaints(name: string, part: '' | '#/$defs/row', value: unknown): unknown[] {
  const validate = ajv.getSchema(`${schemaId(name)}${part}`) ?? assert.fail(`no schema of ${name}`);
  return validate(value) ? [] : (validate.errors ?? []);
}

/** What the goldens show: the question, the format, and the text. */
function* shown(): Generator<{ golden: string; name: string; format: string; text: string }> {
  for (const golden of readdirSync(GOLDENS)) {
    const parts = readFileSync(join(GOLDENS, golden), 'utf8').split(/^\$ snoopq /m);
    for (const part of parts) {
      const [, name = '', format = '', text = ''] =
        /^(\S+)[^\n]* --(json|ndjson)\n([\s\S]*?)^(?:2> |=> )/m.exec(part) ?? [];
      if (format !== '') yield { golden, name, format, text };
    }
  }
}

test('what every golden prints as JSON is what the schema of its question says, and every name of it', () => {
  const seen = new Set<string>();
  let lines = 0;
  for (const { golden, name, format, text } of shown()) {
    if (format === 'json') {
      assert.deepEqual(complaints(name, '', JSON.parse(text)), [], `${golden} --json`);
      seen.add(name);
    } else {
      for (const line of text.split('\n').filter(line => line !== '')) {
        assert.deepEqual(complaints(name, '#/$defs/row', JSON.parse(line)), [], `${golden}: ${line}`);
        lines++;
      }
    }
  }
  assert.deepEqual(
    printed.filter(name => !seen.has(name)),
    ['export'],
  );
  assert.ok(lines > 200, `${lines} lines`);
});

test('a line of export --format ndjson is what its schema says', async () => {
  const db = join(scratchDirectory(), 'fixture.db');
  writeFixture(db);
  const { out } = await ask(db, ['export', '--format', 'ndjson', '-o', '-']);
  const rows = out
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
  assert.ok(rows.length > 100);
  for (const row of rows) assert.deepEqual(complaints('export', '', row), []);
});

test('every column of every question is explained', () => {
  const documented = documentedColumns(viewsSql());
  for (const question of questions) {
    const columns = new Set((shapesOf(question) ?? []).flatMap(shape => Object.keys(shape)));
    const bare = [...columns].filter(column => columnDoc(question, column, documented) === undefined);
    assert.deepEqual(bare, [], question.name);
    assert.deepEqual(
      Object.keys(question.docs ?? {}).filter(column => !columns.has(column)),
      [],
      `${question.name} explains what it does not have`,
    );
  }
});

for (const name of printed) {
  test(`--json of ${name} is what was published, and nothing was taken away from it`, () => {
    const text = `${JSON.stringify(schemaOfJson(name), null, 2)}\n`;
    let kept: string | null;
    try {
      kept = readFileSync(fileOf(name), 'utf8');
    } catch {
      kept = null; // a new question
    }
    // Checked before anything is rewritten: a golden may change, a promise may not.
    if (kept !== null) assert.deepEqual(changesOf(JSON.parse(kept), schemaOfJson(name)), []);
    if (process.env.UPDATE_GOLDENS) {
      mkdirSync(FOLDER, { recursive: true });
      writeFileSync(fileOf(name), text);
    } else assert.equal(text, kept, 'something was added: npm run golden');
  });
}

test('no schema is left of a question that is gone', () => {
  assert.deepEqual(readdirSync(FOLDER).sort(), printed.map(name => `${name}.schema.json`).sort());
});

test('a name that is gone, or another type, is told; what is added is not', () => {
  const row = (properties: object, required = Object.keys(properties)): object => ({
    $defs: { row: { type: 'object', properties, required } },
  });
  const text = { type: ['string', 'null'] };
  const before = row({ time: text, pid: { type: ['integer', 'null'] } });
  assert.deepEqual(changesOf(before, before), []);
  assert.deepEqual(
    changesOf(before, row({ time: text, pid: { type: ['integer', 'null'] }, more: text })),
    [],
  );
  assert.deepEqual(
    changesOf(
      before,
      row({ time: { description: 'new words', ...text }, pid: { type: ['integer', 'null'] } }),
    ),
    [],
  );
  assert.match(changesOf(before, row({ time: text })).join('\n'), /row\/properties\/pid is gone/);
  assert.match(
    changesOf(before, row({ time: text, pid: text })).join('\n'),
    /pid\/type: .*integer.* became .*string/,
  );
  assert.match(
    changesOf(before, row({ time: text, pid: { type: ['integer', 'null'] } }, ['time'])).join('\n'),
    /required: "pid" is gone/,
  );
});

test('schema --json-of prints the schema, and knows what it has none of', async () => {
  const { out, status } = await ask('', ['schema', '--json-of', 'signals']);
  assert.equal(status, 0);
  assert.equal(out, readFileSync(fileOf('signals'), 'utf8'));
  const wrong = await ask('', ['schema', '--json-of', 'signal']);
  assert.equal(wrong.status, 2);
  assert.match(wrong.err, /'signal' is no question\nhint: did you mean signals\?/);
  const files = await ask('', ['schema', '--json-of', 'report']);
  assert.match(files.err, /report makes files, not JSON/);
});
