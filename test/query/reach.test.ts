/** What a question looks at that names no span: the newest rows, and it says so. A recording with more of them, the needle at its head. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { NEEDLE, writeBig } from './big.js';
import { writeFixture } from './fixture.js';
import { ask } from './io.js';
import { scratchDirectory } from './scratch.js';

const DIR = scratchDirectory();
const SMALL = join(DIR, 'small.db');
const LONG = { 'one file': join(DIR, 'one.db'), 'five segments': join(DIR, 'five.db') };
const NOTE =
  /^snoopq: only the newest [\d,]+ (signals|execs|ends|processes) were looked at, back to \S+ \S+; --since looks further back, --since @0 at all$/m;
const KILLER = '101';

before(() => {
  writeFixture(SMALL);
  writeBig(LONG['one file'], 300_000);
  writeBig(LONG['five segments'], 300_000, 5);
});

for (const [files, db] of Object.entries(LONG)) {
  const lists = [
    ['signals', '--target', NEEDLE.comm],
    ['signals', '--unit', NEEDLE.unit],
    ['execs', '--binary', NEEDLE.comm],
    ['exits', '--pid', NEEDLE.comm],
    ['parents', NEEDLE.comm],
    ['parents', NEEDLE.comm, '--tree'],
  ];
  for (const words of lists) {
    test(`'${words.join(' ')}' looks at all where it finds nothing among the newest, in ${files}`, async () => {
      const found = await ask(db, words);
      assert.equal(found.status, 0, found.err);
      assert.doesNotMatch(found.err, /looked at/);
      for (const further of [
        ['--since', '@0'],
        ['--limit', '0'],
      ])
        assert.equal((await ask(db, [...words, ...further])).out, found.out);
    });
  }

  test(`a list of the newest says back to when it looked, and looks at all when told, in ${files}`, async () => {
    for (const words of [
      ['signals', '--target', 'prog7', '--limit', '50000'],
      ['execs', '--binary', 'prog7', '--limit', '50000'],
      ['parents', 'prog7'],
      ['parents', 'prog7', '--tree'],
    ]) {
      const newest = await ask(db, words);
      assert.equal(newest.status, 0, newest.err);
      assert.match(newest.err, NOTE, words.join(' '));
      const all = await ask(db, [...words, '--since', '@0']);
      assert.equal(all.status, 0, all.err);
      assert.doesNotMatch(all.err, /looked at/);
      assert.notEqual(all.out, newest.out);
    }
  });

  test(`a list that is full of the newest says nothing of older ones that it did not look at, in ${files}`, async () => {
    const { err } = await ask(db, ['signals', '--limit', '10']);
    assert.match(err, /there are more rows than the newest 10 shown/);
    assert.doesNotMatch(err, /looked at/);
  });

  test(`top counts the newest and says so, and all when told, in ${files}`, async () => {
    for (const by of ['sender', 'binary', 'unit']) {
      const newest = await ask(db, ['top', '--by', by, '--json', '--limit', '0']);
      assert.match(newest.err, NOTE, by);
      const all = await ask(db, ['top', '--by', by, '--json', '--limit', '0', '--since', '@0']);
      assert.doesNotMatch(all.err, /looked at/, by);
      assert.ok(total(newest.out) >= 1 && total(newest.out) <= 50_000, by);
      assert.ok(total(all.out) >= 60_000, by);
    }
  });

  test(`a process is found by its pid or name wherever it is, in ${files}`, async () => {
    for (const who of [NEEDLE.comm, String(NEEDLE.pid)]) {
      for (const question of ['who-killed', 'timeline', 'tree', 'ancestry', 'why-exit']) {
        const { status, err } = await ask(db, [question, who]);
        assert.equal(status, 0, `${question} ${who}: ${err}`);
        assert.doesNotMatch(err, /looked at/);
      }
    }
    assert.equal((await ask(db, ['signals', '--target', String(NEEDLE.pid)])).status, 0);
  });

  test(`of a name, the last that ended is told, and that older ones were not counted, in ${files}`, async () => {
    const verdict = async (...more: string[]) =>
      JSON.parse((await ask(db, ['who-killed', 'prog7', '--json', ...more])).out);
    assert.deepEqual(await verdict(), await verdict('--since', '@0'));
    const told = (await ask(db, ['who-killed', 'prog7'])).out;
    assert.match(told, /^Others +\d+ other processes among the newest ends, others not counted;/m);
  });

  test(`what a busy process sent is told from its end, the same as all of it, in ${files}`, async () => {
    for (const words of [
      ['signals', '--sender', KILLER],
      ['killed-by', KILLER],
      ['timeline', KILLER],
    ]) {
      const some = (await ask(db, [...words, '--limit', '20', '--ndjson'])).out.trimEnd().split('\n');
      const all = (await ask(db, [...words, '--limit', '0', '--ndjson'])).out.trimEnd().split('\n');
      const withoutPause = (lines: string[]) => lines.map(line => ({ ...JSON.parse(line), after_us: 0 }));
      assert.deepEqual(withoutPause(some), withoutPause(all.slice(-20)), words.join(' '));
    }
  });
}

test('a recording that is looked at as a whole needs no such note', async () => {
  for (const words of [
    ['signals'],
    ['execs', '--binary', 'nobody'],
    ['top'],
    ['parents', 'sleep'],
    ['tail', '--signal', 'HUP'],
  ]) {
    assert.doesNotMatch((await ask(SMALL, words)).err, /looked at/, words.join(' '));
  }
});

test('tail says when it found fewer than were asked for among the newest', async () => {
  const { err } = await ask(LONG['one file'], ['tail', '--pid', NEEDLE.comm]);
  assert.match(
    err,
    /only the newest 20,000 of each kind of event were looked at; --since looks further back/,
  );
  assert.equal((await ask(LONG['one file'], ['tail', '--pid', NEEDLE.comm, '--since', '@0'])).status, 0);
});

function total(json: string): number {
  const rows = JSON.parse(json) as { signals?: number; execs?: number; processes?: number }[];
  return rows.reduce((sum, row) => sum + (row.signals ?? row.execs ?? row.processes ?? 0), 0);
}
