/** Who does not know the questions is led to one: by `snoopq` alone, and by what is said to words that are none. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { migrate } from '../../migrations/migrate.js';
import { stateOf } from '../../query/state.js';
import { NEEDLE, writeBig } from './big.js';
import { writeFixture } from './fixture.js';
import { ask } from './io.js';
import { scratchDirectory } from './scratch.js';
import { MANY_BOUNDARIES, split } from './split.js';

process.env['TZ'] = 'UTC';
const DIR = scratchDirectory();
const DB = join(DIR, 'fixture.db');
writeFixture(DB);
const TEN = split(DB, join(DIR, 'ten.db'), MANY_BOUNDARIES);
const BIG = join(DIR, 'big.db');
writeBig(BIG, 100_000);

async function welcome(db: string): Promise<string> {
  process.env['SNOOPREC_DB'] = db;
  try {
    return (await ask('', [])).out;
  } finally {
    delete process.env['SNOOPREC_DB'];
  }
}

test('snoopq alone names the last that were killed, each with the question that tells of it', async () => {
  for (const db of [DB, TEN]) {
    const page = await welcome(db);
    assert.match(
      page,
      /^Killed last:\n {2}2026-11-21 14:16:40 {2}survivor\(4600\): SIGKILL by bash\(5978\) +snoopq who-killed 4600\n/m,
    );
    const asked = [...page.matchAll(/snoopq who-killed (\d+)$/gm)].map(match => match[1] ?? '');
    assert.equal(asked.length, 3);
    for (const pid of asked) assert.match((await ask(db, ['who-killed', pid])).out, / killed /);
  }
});

test('it leads from what happened to a question, each of which there is', async () => {
  const page = await welcome(DB);
  const ways = /What happened\?\n([\s\S]*?)\n\n/.exec(page)?.[1] ?? '';
  assert.ok(ways.split('\n').length >= 8);
  for (const [, name = ''] of ways.matchAll(/snoopq ([a-z-]+)/g))
    assert.match(page, new RegExp(`^ {2}snoopq ${name}\\b`, 'm'));
  assert.ok(ways.split('\n').every(line => line.length <= 100));
});

test('without a recording, or an empty one, it says so and what to do first', async () => {
  assert.match(
    await welcome(join(DIR, 'none.db')),
    /^Nothing can be asked yet: .* First start the recorder: sudo/m,
  );
  const empty = join(DIR, 'empty.db');
  const db = new Database(empty);
  migrate(db);
  db.close();
  assert.match(await welcome(empty), /is empty yet\.\n\nWhat happened\?/);
});

test('a name that would move the cursor does not', async () => {
  const hostile = join(DIR, 'hostile.db');
  writeBig(hostile, 10_000);
  const db = new Database(hostile);
  db.prepare('UPDATE comm SET comm = ? ').run('\u001b[2J\u202eevil');
  db.close();
  const { deaths } = stateOf(hostile);
  assert.ok(deaths.length > 0);
  for (const { line } of deaths) assert.match(line, /\\x1b\[2J\\u202eevil/);
});

test('it looks at the last ends only, however many there are', () => {
  const start = process.cpuUsage();
  assert.equal(stateOf(BIG).deaths.length, 3);
  const { user, system } = process.cpuUsage(start);
  assert.ok(user + system < 200_000, `${user + system} µs`);
  assert.ok(
    stateOf(BIG).deaths.every(({ pid }) => pid !== NEEDLE.pid),
    'that one was long ago',
  );
});

const WRONG: [words: string, said: RegExp][] = [
  ['who-killed', /missing required argument 'PID\|NAME'\nhint: for example: snoopq who-killed 2219/],
  ['2219', /hint: is that a process\? snoopq who-killed 2219;/],
  ['nginx --since today', /hint: is that a process\? snoopq who-killed nginx;/],
  ['who killed 2219', /hint: did you mean who-killed\?/],
  ['why 2219', /hint: did you mean why-exit\?/],
  ['kill', /hint: did you mean killed-by\?/],
  ['sgnals', /hint: did you mean signals\?/],
  ['frobnicate it', /hint: all questions: snoopq$/m],
  ['--since today', /hint: a question comes first/],
  ['signals --frobnicate', /hint: see 'snoopq help signals'/],
  ['help sgnals', /'sgnals' is no question\nhint: did you mean signals\?/],
  ['help frobnicate', /'frobnicate' is no question\nhint: all questions: snoopq/],
];

for (const [words, said] of WRONG) {
  test(`snoopq ${words}: says what was probably meant`, async () => {
    const { status, err } = await ask('', words.split(' '));
    assert.equal(status, 2);
    assert.match(err, said);
  });
}
