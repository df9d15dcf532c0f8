/**
 * Answers about a big recording cost less than reading it would: of processor time, for the machine has other things to do. What
 * they take in milliseconds, of ten million events, is measured by `npm run bench`.
 */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';
import Database from 'better-sqlite3';
import { NEEDLE, writeBig } from './big.js';
import { ask } from './io.js';
import { scratchDirectory } from './scratch.js';

const EVENTS = 300_000;
/** What an answer may cost of reading every signal once; the dearest take 0.4. */
const MOST = 0.75;
const EVERY_SIGNAL =
  'SELECT max(time), max(sender_comm), max(target_comm), max(mechanism), max(outcome) FROM signals';
const DIR = scratchDirectory();
const RECORDINGS = { 'one file': join(DIR, 'one.db'), 'five segments': join(DIR, 'five.db') };

const ASKED: string[][] = [
  ['who-killed', String(NEEDLE.pid)],
  ['who-killed', NEEDLE.comm],
  ['killed-by', '101'],
  ['killed-by', NEEDLE.comm],
  ['signals', '--target', String(NEEDLE.pid)],
  ['signals', '--target', NEEDLE.comm],
  ['signals', '--unit', 'needle'],
  ['execs', '--binary', NEEDLE.comm],
  ['execs', '--args', 'find-me'],
  ['execs', '--uid', '4242'],
  ['exits', '--limit', '100'],
  ['exits', '--unit', 'needle'],
  ['exits', '--pid', String(NEEDLE.pid)],
  ['parents', NEEDLE.comm],
  ['parents', NEEDLE.comm, '--tree'],
  ['ancestry', NEEDLE.comm],
  ['tree', NEEDLE.comm],
  ['timeline', NEEDLE.comm],
  ['timeline', '--unit', 'needle'],
  ['tail'],
  ['coverage'],
  ['top'],
  ['top', '--by', 'parent'],
  ['top', '--by', 'unit'],
];

let reading = 0;

before(async () => {
  writeBig(RECORDINGS['one file'], EVENTS);
  writeBig(RECORDINGS['five segments'], EVENTS, 5);
  const db = new Database(RECORDINGS['one file'], { readonly: true });
  reading = await leastCpuOf(async () => void db.prepare(EVERY_SIGNAL).get());
  db.close();
});

/** Microseconds of processor time, the least of three runs. */
async function leastCpuOf(work: () => Promise<void>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3; i++) {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, user + system);
  }
  return least;
}

for (const [files, db] of Object.entries(RECORDINGS)) {
  for (const words of ASKED) {
    test(`'${words.join(' ')}' about ${EVENTS} events in ${files} costs less than reading them`, async () => {
      const cost = await leastCpuOf(async () => {
        const { status, err } = await ask(db, words);
        assert.ok(status <= 1, err);
      });
      const ratio = cost / reading;
      assert.ok(ratio <= MOST, `${ratio.toFixed(2)} of ${Math.round(reading / 1000)} ms`);
    });
  }
}

test('the needle is found in both by who looks at all, and the answers are the same', async () => {
  for (const words of ASKED.filter(words =>
    words.some(word => word === NEEDLE.comm || word === String(NEEDLE.pid) || word === 'needle'),
  )) {
    const [one, five] = await Promise.all(
      Object.values(RECORDINGS).map(db => ask(db, [...words, '--since', '@0', '--tsv'])),
    );
    const expected = words[0] === 'killed-by' ? 1 : 0;
    assert.deepEqual([one?.status, five?.status], [expected, expected], words.join(' '));
    assert.equal(five?.out, one?.out, words.join(' '));
  }
});
