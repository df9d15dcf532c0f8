/** What holds of every verdict, whatever the facts: a wrong answer with a confident face is worse than none. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { COURIERS } from '../../query/couriers.js';
import type { Gap } from '../../query/loss.js';
import { type End, type Facts, judge, type Process, type SignalFact } from '../../query/verdict.js';

const BASE = Date.UTC(2026, 10, 21, 14) * 1000;
const UNSENT = ['fault', 'sigpipe', 'timer', 'oom', 'kernel', 'seccomp', 'rlimit', 'tty'];
const SENT = ['kill', 'tkill', 'tgkill', 'pidfd_send_signal', 'cgroup.kill', 'pdeathsig'];
const OUTCOMES = ['delivered', 'delivered-bare', 'ignored', 'pending', 'overflow', 'probe', 'EPERM', 'ESRCH'];

const programs = COURIERS.flatMap(({ programs: names }) => names);
const comm = fc.oneof(
  fc.constantFrom('bash', 'sleep', 'java', 'Proven: x', ...programs),
  fc.string({ maxLength: 15 }),
);

const anyProcess: fc.Arbitrary<Process> = fc.record({
  id: fc.integer({ min: 1, max: 9 }),
  pid: fc.integer({ min: 1, max: 99 }),
  started: fc.constant('2026-11-21T14:00:00.000000Z'),
  ended: fc.constant(null),
  comm: fc.option(comm),
  exe: fc.option(comm.map(name => `/usr/bin/${name}`)),
  args: fc.option(fc.array(fc.oneof(comm, fc.constantFrom('-c', '-9', 'stop', '12')), { maxLength: 4 })),
  cwd: fc.constant('/'),
  uid: fc.constantFrom(0, 1000, null),
  user: fc.constantFrom('root', 'ann', null),
  ppid: fc.constant(1),
  cgroup: fc.constant(null),
  unit: fc.constantFrom('a.service', null),
  container: fc.constant(null),
});

const time = fc.integer({ min: 0, max: 20_000_000 }).map(us => BASE + us);

const anySignal: fc.Arbitrary<SignalFact> = fc
  .record({
    id: fc.integer({ min: 1, max: 1000 }),
    time_us: time,
    lasts: fc.constantFrom(0, 0, 0, 1_000_000),
    sig: fc.constantFrom(1, 2, 6, 9, 9, 11, 15, 15),
    mechanism: fc.constantFrom(...UNSENT, ...SENT, 'kill', 'kill'),
    outcome: fc.constantFrom(...OUTCOMES, 'delivered', 'delivered', 'delivered'),
    disposition: fc.constantFrom('default', 'default', 'handled', 'blocked', 'ignored', null),
    sender: fc.integer({ min: 2, max: 5 }),
  })
  .map(({ lasts, sender, ...signal }) => {
    const isSent = SENT.includes(signal.mechanism);
    return {
      ...signal,
      last_time_us: signal.time_us + lasts,
      count: lasts === 0 ? 1 : 4,
      target_arg: isSent ? 100 : null,
      sender_id: isSent ? sender : null,
      sender_pid: isSent ? sender * 100 : null,
      sender_comm: isSent ? `s${sender}` : null,
      sender_uid: isSent ? 0 : null,
      sender_exec_id: null,
      dying_id: null,
    };
  });

const anyGap: fc.Arbitrary<Gap> = fc.record({
  id: fc.option(fc.integer({ min: 1, max: 99 })),
  kind: fc.constantFrom('lost', 'down', 'shed', 'malformed'),
  from: fc.constant('2026-11-21T14:00:09.900000Z'),
  to: fc.constant('2026-11-21T14:00:09.950000Z'),
  event: fc.constantFrom('signal', 'exit', null),
  lane: fc.constant(null),
  count: fc.option(fc.integer({ min: 1, max: 99 })),
  cause: fc.constant('full'),
});

const anyEnd: fc.Arbitrary<End> = fc
  .record({
    ended_us: fc.option(time, { freq: 8 }),
    unseen_end_us: fc.option(time),
    how: fc.oneof(fc.constantFrom(9, 9, 15, 11, 6, 1), fc.constant(null)),
    code: fc.option(fc.constantFrom(0, 1, 137, 143), { freq: 8 }),
    core_dumped: fc.boolean(),
  })
  .map(({ how, code, ...end }) => ({
    ...end,
    started_us: BASE - 5_000_000,
    unseen_end_us: end.ended_us === null ? end.unseen_end_us : null,
    exit_signal: end.ended_us === null ? null : how,
    exit_code: end.ended_us === null || how !== null ? null : code,
  }));

const anyFacts: fc.Arbitrary<Facts> = fc
  .record({
    process: anyProcess,
    end: anyEnd,
    signals: fc.array(anySignal, { maxLength: 8 }),
    stops: fc.array(
      anySignal.map(s => ({ ...s, sig: s.sig % 2 === 0 ? 18 : 19 })),
      { maxLength: 4 },
    ),
    oom: fc.option(
      fc.record({
        id: fc.integer({ min: 1, max: 9 }),
        time_us: time,
        trigger_pid: fc.option(fc.integer({ min: 1, max: 99 })),
        trigger_comm: fc.option(comm),
        memory_cgroup: fc.option(fc.constant('/a')),
        rss_kb: fc.option(fc.integer({ min: 0, max: 1e7 })),
      }),
      { freq: 6 },
    ),
    killer: anyProcess,
    ancestry: fc.array(anyProcess, { maxLength: 4 }),
    instigator: fc.option(
      fc.record({
        process: anyProcess,
        why: fc.constant('it ran sudo (pid 3)'),
        certainty: fc.constantFrom('proven' as const, 'probable' as const),
        exec: fc.constant(null),
      }),
    ),
    gaps: fc.array(anyGap, { maxLength: 2 }),
  })
  .map(given => ({
    ...given,
    pid: given.process.pid,
    deliveries: [],
    signals: [...given.signals].sort((a, b) => a.time_us - b.time_us || a.id - b.id),
    recorded: {
      from: BASE - 60_000_000,
      reach: BASE - 60_000_000,
      isOlderGone: false,
      to: null,
      isRunning: true,
    },
    reused: 0,
    cause: null,
    cause_why: null,
  }));

/** Checks `law` of many verdicts. */
function always(law: (facts: Facts) => void): void {
  fc.assert(fc.property(anyFacts, law), { numRuns: 3000 });
}

test('never "proven" where anything was lost in the window', () => {
  always(facts => {
    const { confidence, instigator, coverage } = judge(facts);
    if (facts.gaps.length === 0) return;
    assert.notEqual(confidence, 'proven');
    assert.equal(coverage.complete, false);
    assert.notEqual(instigator?.certainty, 'proven');
  });
});

test('never a killer, a call or an ancestry where the mechanism has no sender', () => {
  always(facts => {
    const verdict = judge(facts);
    if (verdict.mechanism !== null && SENT.includes(verdict.mechanism)) return;
    assert.equal(verdict.killer, null);
    assert.equal(verdict.call, null);
    assert.deepEqual(verdict.ancestry, []);
  });
});

test('never killed by a signal that the process handled, ignored, or that was refused', () => {
  always(facts => {
    const verdict = judge(facts);
    const row = verdict.evidence.find(
      ({ table, what }) => table === 'signal' && what === 'the signal that ended it',
    );
    if (row === undefined) return;
    const causes = facts.signals.filter(({ id }) => id === row.id);
    assert.ok(
      causes.some(
        s =>
          s.sig === facts.end.exit_signal &&
          s.disposition !== 'handled' &&
          ['delivered', 'delivered-bare', 'pending'].includes(s.outcome) &&
          s.time_us <= (facts.end.ended_us ?? 0),
      ),
    );
  });
});

test('without any row of the signal that killed, nobody is the killer, and only lack of memory can be proven', () => {
  always(facts => {
    const verdict = judge({ ...facts, signals: facts.signals.filter(s => s.sig !== facts.end.exit_signal) });
    if (verdict.verdict !== 'killed') return;
    assert.equal(verdict.killer, null);
    if (verdict.mechanism !== 'oom') assert.equal(verdict.confidence, 'incomplete');
  });
});

test('an exit is never a kill, whatever its number', () => {
  always(facts => {
    const verdict = judge(facts);
    if (facts.end.exit_code === null || facts.end.ended_us === null) return;
    assert.equal(verdict.verdict, 'exited');
    assert.equal(verdict.killer, null);
    assert.doesNotMatch(verdict.summary, /memory/);
  });
});

test('a request to end comes before the kill, from another process, and did reach the victim', () => {
  let seen = 0;
  always(facts => {
    const { grace, sent } = judge(facts);
    if (grace === null) return;
    seen++;
    assert.ok(grace.sent <= (sent ?? ''));
    assert.ok(grace.waited_us >= 0);
    assert.notEqual(grace.sender?.id, facts.process.id);
    assert.ok(facts.signals.some(s => s.id === grace.id && !/^E|overflow|probe/.test(s.outcome)));
  });
  assert.ok(seen > 20, `${seen} of them`);
});

test('the sentence ends with how sure it is, and no evidence is given twice', () => {
  always(facts => {
    const verdict = judge(facts);
    const sure = { proven: 'Proven: ', consistent: 'Consistent: ', incomplete: 'Incomplete: ' }[
      verdict.confidence
    ];
    assert.ok(verdict.explanation.startsWith(verdict.summary));
    assert.ok(verdict.explanation.slice(verdict.summary.length).includes(sure));
    const keys = verdict.evidence.map(({ table, id }) => `${table} ${id}`);
    assert.equal(new Set(keys).size, keys.length);
  });
});
