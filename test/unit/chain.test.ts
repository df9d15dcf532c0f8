import assert from 'node:assert/strict';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { migrate } from '../../migrations/migrate.js';
import { APPENDED, bytesOf, CHANGING, Content, hashOf, textOf } from '../../recorder/chain.js';
import { TABLES } from '../../recorder/events.js';
import { Rows } from '../../recorder/rows.js';
import type { Table } from '../../recorder/table.js';

/** Why the chain leaves these out: recorder/chain.ts. */
const LEFT_OUT = [
  ...['chain', 'meta', 'first_id', 'lane_position'],
  ...['signal_name', 'errno_name', 'mechanism_name', 'outcome_name', 'disposition_name'],
];

test('each table is covered by the chain, or left out for a reason', () => {
  const db = new Database(':memory:');
  migrate(db);
  const tables = db
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    .pluck()
    .all() as string[];
  assert.deepEqual([...APPENDED, ...CHANGING, ...LEFT_OUT].sort(), tables);
  for (const { name } of TABLES) assert.ok((APPENDED as readonly string[]).includes(name), name);
});

test('rows have the same digest as they lie in memory and as SQLite gives them back', () => {
  const table = TABLES.find(({ name }) => name === 'signal') as Table;
  const rows = new Rows(table, 1);
  const values = [
    [1.7e15, null, 1, -0, 3.5],
    [2 ** 52, -9, 2, 0, Number.MAX_SAFE_INTEGER],
  ];
  const given = values.map(row => table.columns.map((_, i) => row[i % row.length] as number | null));
  for (const row of given) {
    row.forEach((value, column) => {
      rows.set(column, value ?? Number.MIN_SAFE_INTEGER);
    });
    rows.length++;
  }
  const back = given.map(row => row.map(value => (value === 0 ? 0 : value)));
  assert.deepEqual(Buffer.from(rows.bytes()), Buffer.from(bytesOf(back)));
});

test('what differs in any value, type or order has another digest', () => {
  const digest = (table: string, ...rows: (string | number | Buffer | null)[][]) => {
    const content = new Content();
    content.add(table, rows);
    return content.digest().toString('hex');
  };
  const all = [
    digest('comm', [1, 'a', null]),
    digest('path', [1, 'a', null]),
    digest('comm', [2, 'a', null]),
    digest('comm', [1, 'b', null]),
    digest('comm', [1, 'a', 'null']),
    digest('comm', [1, 'a', Buffer.from('a')]),
    digest('comm', [1, '1', null]),
    digest('comm', [1, 1, null]),
    digest('comm', [1, 'a', null], [2, 'b', null]),
    digest('comm', [2, 'b', null], [1, 'a', null]),
  ];
  assert.equal(new Set(all).size, all.length);
  assert.notEqual(textOf([1, 'x']), textOf(['1', 'x']));
});

test('a link depends on all of itself and on the one before', () => {
  const link = { id: 7, kind: 'batch' as const, time: 5, covers: '{}', content: Buffer.alloc(32) };
  const hashes = [
    hashOf(null, link),
    hashOf(Buffer.alloc(32, 1), link),
    hashOf(null, { ...link, id: 8 }),
    hashOf(null, { ...link, kind: 'stop' }),
    hashOf(null, { ...link, time: 6 }),
    hashOf(null, { ...link, covers: '[]' }),
    hashOf(null, { ...link, content: Buffer.alloc(32, 1) }),
  ];
  assert.equal(new Set(hashes.map(hash => hash.toString('hex'))).size, hashes.length);
});
