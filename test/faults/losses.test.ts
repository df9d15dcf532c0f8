/** F6 and F30: what cannot be kept is counted to the last record, and what may have killed is kept all the same. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Background, cannotRecord, Lab } from '../kernel/lab.js';
import { assertLedger, FIRST, lostOf, numbersOf, recorderPid, until } from './recorder.js';

const skip = cannotRecord;
const SMALL = ['--bulk-buffer', '64K'];
const KILLS = 100;

/** Stops the recorder for the time of `work`, and lets it go on. Returns the span in microseconds. */
async function frozen(lab: Lab, work: () => Promise<void> | void): Promise<{ from: number; to: number }> {
  const pid = recorderPid(lab);
  process.kill(pid, 'SIGSTOP');
  const from = Date.now() * 1000;
  try {
    await sleep(1_000);
    await work();
    await sleep(1_000);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  return { from, to: Date.now() * 1000 };
}

test('F6: while it is stopped nobody waits for it, and what was lost is counted exactly', {
  skip,
}, async t => {
  const lab = Lab.open(t);
  lab.record(...SMALL);
  let ns = 0;
  const span = await frozen(lab, () => {
    const from = performance.now();
    lab.inside('sequence', String(FIRST), '500000', '0');
    ns = ((performance.now() - from) * 1e6) / 500_000;
  });
  await until('status tells of the loss', () => JSON.parse(lab.snooprec('status', '--json').stdout).lost > 0);
  lab.stop();
  const { rows, numbers, count } = numbersOf(lab);
  const lost = lostOf(lab, 'attempt');
  assert.deepEqual([numbers, count], [rows, rows], 'what was kept is there once');
  assert.ok(lost > 0);
  assert.equal(rows + lost, 500_000);
  assertLedger(lab);
  const gaps = lab.rows<{ from_us: number; to_us: number; lane: string }>(
    "SELECT * FROM coverages WHERE kind = 'lost'",
  );
  for (const gap of gaps) {
    assert.equal(gap.lane, 'bulk');
    assert.ok(
      gap.from_us < gap.to_us && gap.from_us <= span.to && gap.to_us >= span.from,
      'the gap is told where it was',
    );
    assert.ok(gap.from_us > span.from - 10_000_000 && gap.to_us < span.to + 2_000_000, 'and not much wider');
  }
  t.diagnostic(
    `stopped for ${((span.to - span.from) / 1e6).toFixed(1)} s: 500,000 calls at ${ns.toFixed(0)} ns, ${lost} lost, all counted`,
  );
});

test('F6: an answer that a loss overlaps says so; one that it does not touch does not', { skip }, async t => {
  const lab = Lab.open(t);
  lab.record(...SMALL);
  const kill = () =>
    Number(lab.inside('/bin/sh', '-c', 'sleep 1000 & echo victim=$!; kill -9 $!; wait').facts.get('victim'));
  const before = kill();
  await sleep(6_500); // the span of a loss reaches back to the last batch, or heartbeat
  let during = 0;
  await frozen(lab, () => {
    const handler = lab.background('victims', '1', 'handle', '10');
    return handler.fact('pids').then(pid => {
      lab.inside('storm', '50000', '10', pid);
      during = kill();
      lab.inside('send', 'kill', '9', pid);
    });
  });
  await sleep(1_500); // the verdict looks at the second before a death, too
  const after = kill();
  lab.stop();
  assert.ok(lostOf(lab, 'signal') > 0);
  assertLedger(lab);
  for (const [victim, confidence, complete] of [
    [before, 'proven', true],
    [during, 'consistent', false],
    [after, 'proven', true],
  ] as const) {
    const verdict = lab.whoKilled(victim);
    assert.equal(verdict.verdict, 'killed');
    assert.equal(verdict.mechanism, 'kill');
    assert.equal(verdict.killer.comm, 'sh');
    assert.equal(verdict.confidence, confidence);
    assert.equal(verdict.coverage.complete, complete);
  }
  const strict = lab.snoopq('who-killed', String(during), '--strict');
  assert.equal(strict.status, 4, strict.stderr);
  assert.match(lab.snoopq('signals').stderr, /lost/);
});

/** Lets each of 100 processes be killed by a shell in the middle of what `storms` do, and finds every one. */
async function hundredKills(
  lab: Lab,
  storms: Background[],
): Promise<{ lost: number; seen: number; proven: number }> {
  await sleep(300);
  const script = `echo pid=$$; for i in $(seq ${KILLS}); do sleep 1000 & kill -9 $!; echo victim=$!; wait; done`;
  const { facts } = lab.inside('/bin/sh', '-c', script);
  for (const storm of storms) storm.kill('SIGKILL');
  for (const storm of storms) await storm.end();
  lab.stop();
  const { lost, seen } = assertLedger(lab);
  assert.equal(
    lab.value("SELECT count(*) FROM coverages WHERE kind = 'lost' AND lane = 'lethal'"),
    0,
    'of the lethal lane',
  );
  const victims = (facts.get('victim') as string).split(' ').map(Number);
  assert.equal(victims.length, KILLS);
  let proven = 0;
  for (const victim of victims) {
    const deaths = lab.rows(
      'SELECT signal, mechanism, killer_pid, confidence FROM kills WHERE pid = ?',
      victim,
    );
    assert.equal(deaths.length, 1, `the death of ${victim}`);
    const { confidence, ...facts_ } = deaths[0] as Record<string, unknown>;
    assert.deepEqual(facts_, { signal: 'SIGKILL', mechanism: 'kill', killer_pid: Number(facts.get('pid')) });
    assert.notEqual(confidence, 'incomplete');
    if (confidence === 'proven') proven++;
  }
  return { lost, seen, proven };
}

const STORMS: [what: string, sig: string, target: 'victim' | 'nobody'][] = [
  ['SIGUSR1 that is handled', '10', 'victim'],
  ['SIGURG', '23', 'victim'],
  ['refused SIGKILL', '9', 'nobody'],
];

for (const [what, sig, target] of STORMS) {
  test(`F30: in a storm of ${what} from two senders no kill -9 is missed, 100 of 100`, { skip }, async t => {
    const lab = Lab.open(t);
    lab.record(...SMALL);
    const pid =
      target === 'nobody' ? '4194303' : await lab.background('victims', '1', 'handle', sig).fact('pids');
    const storms = [1, 2].map(() => lab.background('storm', '1000000000', sig, pid));
    const { lost, seen, proven } = await hundredKills(lab, storms);
    t.diagnostic(
      `${KILLS} of ${KILLS} kills, ${proven} proven; of ${seen} records ${lost} were lost, all of the bulk lane`,
    );
    assert.ok(lost > 0, 'the bulk lane did overflow');
  });
}

test('F30: under a fork bomb no kill -9 is missed, 100 of 100', { skip }, async t => {
  const lab = Lab.open(t);
  lab.record(...SMALL);
  const bombs = [1, 2, 3, 4].map(() => lab.background('forks', '1000000'));
  const { lost, seen, proven } = await hundredKills(lab, bombs);
  t.diagnostic(`${KILLS} of ${KILLS} kills, ${proven} proven; of ${seen} records ${lost} were lost`);
});
