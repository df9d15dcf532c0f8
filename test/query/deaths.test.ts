/** Deaths of which one has to know more than the last signal: the stories of deaths.ts, each with its golden. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { EXITED, VICTIM, writeDeaths } from './deaths.js';
import { compareGolden } from './golden.js';
import { ask } from './io.js';
import { scratchDirectory } from './scratch.js';

process.env.TZ = 'UTC';
const DB = join(scratchDirectory(), 'deaths.db');
writeDeaths(DB);

// biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests assert
async function json(...words: string[]): Promise<any> {
  return JSON.parse((await ask(DB, [...words, '--json'])).out);
}

test('every story reads well aloud: who killed', async () => {
  const said = await Promise.all(
    Object.entries(VICTIM).map(async ([story, pid]) => {
      const { out, err } = await ask(DB, ['who-killed', String(pid)]);
      return `# ${story}\n$ snoopq who-killed ${pid}\n${out}${err}`;
    }),
  );
  compareGolden('deaths-killed', said.join('\n'));
});

test('every story reads well aloud: why it exited', async () => {
  const said = await Promise.all(
    Object.entries(EXITED).map(async ([story, pid]) => {
      const { out, err } = await ask(DB, ['why-exit', String(pid)]);
      return `# ${story}\n$ snoopq why-exit ${pid}\n${out}${err}`;
    }),
  );
  compareGolden('deaths-exited', said.join('\n'));
});

test('the instigator is the one that decided, and a command that fits is only probable', async () => {
  const told = async (story: keyof typeof VICTIM) => {
    const { instigator } = await json('who-killed', String(VICTIM[story]));
    return instigator === null
      ? null
      : [instigator.process.comm, instigator.certainty, instigator.exec !== null];
  };
  assert.deepEqual(await told('human'), ['bash', 'proven', false]);
  assert.deepEqual(await told('cronJob'), ['tidy', 'proven', false]);
  assert.deepEqual(await told('timeout'), ['bash', 'proven', false]);
  assert.deepEqual(await told('unit'), ['bash', 'probable', true]);
  assert.deepEqual(await told('container'), ['bash', 'probable', true]);
  assert.deepEqual(await told('lostCause'), ['bash', 'probable', true]);
  assert.deepEqual(await told('shutdown'), ['bash', 'probable', true]);
  assert.equal(await told('unitNobody'), null, 'another unit was stopped, and this one only looked at');
  assert.equal(await told('oomd'), null, 'it decides for itself');
  assert.equal(await told('hangup'), null, 'the death before it has one');
});

test('without the row of the cause no other killer is named', async () => {
  const verdict = await json('who-killed', String(VICTIM.lostCause));
  assert.equal(verdict.killer, null);
  assert.equal(verdict.mechanism, null);
  assert.equal(verdict.confidence, 'incomplete');
});

test('the request before the kill is told with what became of it', async () => {
  const told = async (story: keyof typeof VICTIM) => {
    const { grace } = await json('who-killed', String(VICTIM[story]));
    return [grace.signal.name, grace.fate, grace.waited_us / 1e6, grace.is_same_sender];
  };
  assert.deepEqual(await told('unit'), ['SIGTERM', 'handled', 90, true]);
  assert.deepEqual(await told('container'), ['SIGTERM', 'unkillable', 10, true]);
  assert.deepEqual(await told('stranger'), ['SIGTERM', 'blocked', 10, false]);
  const { grace } = await json('who-killed', String(VICTIM.human));
  assert.equal(grace, null);
});

test('a stop is told where it explains the delay, and only there', async () => {
  const { stopped } = await json('who-killed', String(VICTIM.stoppedTerm));
  assert.equal(stopped.signal.name, 'SIGSTOP');
  assert.equal(stopped.sender.comm, 'bash');
  assert.equal(stopped.until, '2026-11-22T20:09:00.000000Z');
  assert.equal((await json('who-killed', String(VICTIM.human))).stopped, null);
});

test('137 is followed to the child that SIGKILL ended, through make and two shells', async () => {
  const found = await json('why-exit', String(EXITED.shell));
  assert.deepEqual(
    found.chain.map((link: { process: { comm: string } }) => link.process.comm),
    ['make', 'sh', 'cc'],
  );
  assert.equal(found.chain.at(-1).killer.comm, 'systemd-oomd');
});

test('137 alone is never called a kill, nor a lack of memory', async () => {
  const found = await json('why-exit', String(EXITED.alone137));
  assert.deepEqual(found.chain, []);
  assert.equal(found.cause, null);
  assert.doesNotMatch(found.explanation, /memory|OOM|was killed/i);
});

test('a status is followed up to those that passed it on', async () => {
  const found = await json('why-exit', '4004');
  assert.deepEqual(
    found.passed_on.map(({ process, exit_code: code }: { process: { comm: string }; exit_code: number }) => [
      process.comm,
      code,
    ]),
    [
      ['sh', 137],
      ['make', 2],
      ['sh', 2],
    ],
  );
  assert.match(found.explanation, /passed on: sh \(pid 4002\) exited 137, then make \(pid 4001\) exited 2/);
});

test('every row of the evidence is there, in the table and in its view', async () => {
  const views: Record<string, string> = {
    process: 'processes',
    oom_kill: 'oom_kills',
    coverage: 'coverages',
  };
  const asked = [
    ...Object.values(VICTIM).map(pid => ['who-killed', pid] as const),
    ...Object.values(EXITED).map(pid => ['why-exit', pid] as const),
  ];
  for (const [question, pid] of asked) {
    const { evidence } = await json(question, String(pid));
    assert.ok(evidence.length > 0);
    for (const { table, id } of evidence) {
      for (const name of [table, views[table] ?? `${table}s`]) {
        const rows = await json('sql', `SELECT id FROM ${name} WHERE id = ${id}`);
        assert.deepEqual(rows, [{ id }], `${name} ${id} of ${pid}`);
      }
    }
  }
});
