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
/** What an answer may cost of reading every signal once. */
const MOST = 1;
const ROUNDS = 12;
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

before(() => {
  writeBig(RECORDINGS['one file'], EVENTS);
  writeBig(RECORDINGS['five segments'], EVENTS, 5);
});

/** Microseconds of processor time. */
async function cpuOf(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** The least that each of the two took, in rounds of both until the ratio is as it should be: whatever else runs here passes. */
async function ratioOf(answer: () => unknown, reading: () => unknown): Promise<number> {
  let answered = Number.POSITIVE_INFINITY;
  let read = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS && (round < 2 || answered > MOST * read); round++) {
    answered = Math.min(answered, await cpuOf(answer));
    read = Math.min(read, await cpuOf(reading));
  }
  return answered / read;
}

for (const [files, path] of Object.entries(RECORDINGS)) {
  for (const words of ASKED) {
    test(`'${words.join(' ')}' about ${EVENTS} events in ${files} costs less than reading them`, async t => {
      const db = new Database(RECORDINGS['one file'], { readonly: true });
      const every = db.prepare(EVERY_SIGNAL);
      const ratio = await ratioOf(
        async () => {
          const { status, err } = await ask(path, words);
          assert.ok(status <= 1, err);
        },
        () => every.get(),
      );
      db.close();
      t.diagnostic(`${ratio.toFixed(2)} of reading them`);
      assert.ok(ratio <= MOST, `${ratio.toFixed(2)} of reading them`);
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
