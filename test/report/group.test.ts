/** The story of a whole unit or container: what belongs to it, in each form. */

import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PID, writeFixture } from '../query/fixture.js';
import { ask } from '../query/io.js';
import { scratchDirectory } from '../query/scratch.js';
import { MANY_BOUNDARIES, split } from '../query/split.js';

process.env['TZ'] = 'UTC';
const DIR = scratchDirectory();
process.chdir(DIR); // where files get names of their own
const DB = join(DIR, 'fixture.db');
writeFixture(DB);
const RECORDINGS = { 'one file': DB, 'ten segments': split(DB, join(DIR, 'ten.db'), MANY_BOUNDARIES) };

for (const [which, db] of Object.entries(RECORDINGS)) {
  test(`the report of a unit has its processes, their ancestors and its violent deaths, of ${which}`, async () => {
    const { out, status } = await ask(db, ['report', '--unit', 'app', '-o', '-']);
    assert.equal(status, 0);
    assert.match(out, /<h1>app\.service<\/h1>/);
    assert.match(out, /<li>The kernel killed hog \(pid 3300\)/);
    const story = JSON.parse(/id="story">([^<]*)</.exec(out)?.[1] ?? '');
    assert.deepEqual(
      story.lives.map(({ pid }: { pid: number }) => pid),
      [PID.systemd, PID.oomTrigger, PID.oom],
    );
  });

  test(`events of a unit are those from and to it, and the gaps beside them, of ${which}`, async () => {
    const { out } = await ask(db, ['export', '--unit', 'app', '--format', 'ndjson', '-o', '-']);
    const rows = out
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line));
    assert.deepEqual(
      rows.filter(({ event }) => event !== 'gap').map(({ event, pid }) => `${event} ${pid}`),
      ['start 3301', 'exec 3301', 'start 3300', 'exec 3300', 'oom 3300', 'signal 3300', 'end 3300'],
    );
    assert.ok(rows.some(({ event }) => event === 'gap'));
  });
}

test('a span narrows the story of a unit', async () => {
  const words = ['export', '--unit', 'app', '--format', 'dot', '--until', '2026-11-21 14:03:37'];
  const { out } = await ask(DB, words);
  assert.match(out, /java/);
  assert.doesNotMatch(out, /hog/);
});

test('a case of a unit answers on each of its deaths as the recording does', async () => {
  const said = await ask(DB, ['export', '--case', '--unit', 'app', '-o', 'ticket']);
  assert.equal(said.status, 0);
  assert.doesNotMatch(said.err, /does not answer/);
  const words = ['who-killed', String(PID.oom), '--json'];
  const [from, whole] = [await ask(join(DIR, 'ticket', 'case.db'), words), await ask(DB, words)];
  assert.deepEqual(from, whole);
});

test('a file of a unit is named after it', async () => {
  await ask(DB, ['report', '--unit', 'app'], { isTerminal: true });
  assert.ok(existsSync('report-app.service.html'), readdirSync('.').join());
});

test('a group that nobody was in is not found, and beside a process it is refused', async () => {
  for (const words of [['report'], ['export', '--format', 'ndjson'], ['export', '--case']]) {
    const nobody = await ask(DB, [...words, '--container', 'abc']);
    assert.equal(nobody.status, 1, words.join(' '));
    assert.match(nobody.err, /no process of that group found/);
  }
  const both = await ask(DB, ['report', '3300', '--unit', 'app']);
  assert.equal(both.status, 2);
  assert.match(both.err, /a process and a group are two questions/);
});
