/** The metadata for Datasette: fresh, complete, nothing in it invented, and every canned query answers. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { PACKAGE_ROOT } from '../../migrations/database.js';
import { CANNED } from '../../query/canned.js';
import { PID, writeFixture } from './fixture.js';
import { ask } from './io.js';
import { scansOf } from './plan.js';
import { scratchDirectory } from './scratch.js';

const KEPT = join(PACKAGE_ROOT, 'docs', 'datasette.json');
const FILE = join(scratchDirectory(), 'snooprec.db');
writeFixture(FILE);
const db = new Database(FILE, { readonly: true });

interface Metadata {
  databases: {
    snooprec: {
      tables: Record<string, { description?: string; columns?: Record<string, string>; hidden?: true }>;
      queries: Record<string, { title: string; description: string; params: string[]; sql: string }>;
    };
  };
}
const said = await ask('', ['schema', '--datasette']);
const { tables, queries } = (JSON.parse(said.out) as Metadata).databases.snooprec;

/** What somebody types into the form. */
const TYPED: Record<string, Record<string, string>> = {
  'who-killed': { pid: String(PID.sleep) },
  'who-killed-name': { name: 'sleep' },
  'killed-by': { pid: String(PID.bash) },
  'why-exit': { pid: String(PID.bash) },
  'signals-to': { pid: String(PID.sleep) },
  'who-sends': { name: 'sleep', signal: 'SIGKILL' },
  refused: { since: '' },
  handled: { pid: String(PID.groupHandles) },
  'execs-of': { program: 'sleep' },
  'execs-with': { text: 'sleep', since: '2026-11-21' },
  'failed-execs': { since: '' },
  'from-memory': { since: '' },
  'parents-of': { program: 'sleep' },
  ancestry: { pid: String(PID.sleep) },
  tree: { pid: String(PID.bash) },
  timeline: { pid: String(PID.refuser) },
  unit: { unit: 'app.service', since: '' },
  container: { container: '', since: '' },
  'exits-with': { status: '137', since: '' },
  crashes: { since: '2026-11-21 00:00' },
  'out-of-memory': { since: '' },
  'top-senders': { since: '' },
  'top-programs': { since: '' },
  gaps: {},
};

/** What the fixture has none of. */
const ABSENT = ['container', 'from-memory', 'handled'];

test('the metadata in docs/ is what this version says', () => {
  if (process.env.UPDATE_GOLDENS) writeFileSync(KEPT, said.out);
  assert.equal(readFileSync(KEPT, 'utf8'), said.out, 'npm run golden');
});

test('every view and column is described, every table hidden, and nothing is invented', () => {
  const found = db
    .prepare(
      "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'",
    )
    .all() as { name: string; type: string }[];
  assert.deepEqual(Object.keys(tables).sort(), found.map(({ name }) => name).sort());
  for (const { name, type } of found) {
    const { description = '', columns = {}, hidden = false } = tables[name] ?? {};
    assert.equal(hidden, type === 'table', name);
    if (type === 'table') continue;
    assert.match(description, /^[A-Z].+\.$/, name);
    const own = db.prepare(`SELECT * FROM ${name}`).columns();
    assert.deepEqual(
      Object.keys(columns),
      own.map(column => column.name),
    );
    assert.ok(Object.values(columns).every(doc => doc.length > 1));
  }
});

for (const { name } of CANNED) {
  test(`the canned query ${name} answers as a form asks it`, () => {
    const { title, description, params, sql } = queries[name] ?? assert.fail(name);
    assert.match(title, /^[A-Z].+\?$/);
    assert.match(description, /\.$/);
    assert.deepEqual([...new Set([...sql.matchAll(/:(\w+)/g)].map(match => match[1] ?? ''))].sort(), [
      ...params.toSorted(),
    ]);
    for (const param of params) assert.ok(description.includes(`${param}:`), `${param} is explained`);
    const typed = TYPED[name] ?? assert.fail(`${name} is not tried`);
    assert.deepEqual(Object.keys(typed).sort(), params.toSorted());
    const rows = db.prepare(sql).all(typed);
    assert.equal(rows.length > 0, !ABSENT.includes(name), `${rows.length} rows`);
    const empty = Object.fromEntries(params.map(param => [param, '']));
    assert.ok(db.prepare(sql).all(empty).length >= 0);
  });

  if (['pid'].includes(queries[name]?.params.join() ?? ''))
    test(`the canned query ${name} reads no table of events from end to end`, () => {
      assert.deepEqual(scansOf(db, queries[name]?.sql ?? ''), []);
    });
}

test('a span begins where the form says', () => {
  const { sql = '' } = queries['exits-with'] ?? {};
  const count = (since: string): number => db.prepare(sql).all({ status: '137', since }).length;
  assert.ok(count('') > 0);
  assert.equal(count('2026-11-20'), count(''));
  assert.equal(count('2026-11-22'), 0);
});
