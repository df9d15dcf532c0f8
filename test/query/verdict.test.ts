/** The rules of the verdict, each with facts made up for it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { selectCause, windowOf } from '../../query/cause.js';
import type { Gap } from '../../query/loss.js';
import { type End, type Facts, judge, type Process, type SignalFact } from '../../query/verdict.js';
import { at } from './fixture.js';

const PROCESS: Process = {
  id: 1,
  pid: 100,
  started: '',
  ended: null,
  comm: 'victim',
  exe: null,
  args: null,
  cwd: null,
  uid: 0,
  user: null,
  ppid: null,
  cgroup: null,
  unit: null,
  container: null,
};
const KILLER: Process = { ...PROCESS, id: 2, pid: 200, comm: 'killer' };
const KILLED: End = {
  started_us: at(0),
  ended_us: at(10),
  unseen_end_us: null,
  exit_code: null,
  exit_signal: 9,
  core_dumped: false,
};
const RECORDED = { from: at(-60), reach: at(-60), isOlderGone: false, to: at(60), isRunning: true };
const EXITED: End = { ...KILLED, exit_code: 0, exit_signal: null };
const GAP: Gap = {
  id: 1,
  kind: 'lost',
  from: '2026-11-21T14:00:09.900000Z',
  to: '2026-11-21T14:00:09.950000Z',
  event: 'signal',
  lane: 'lethal',
  count: 3,
  cause: 'full',
};

function signal(seconds: number, fact: Partial<SignalFact> = {}): SignalFact {
  const time = at(seconds);
  return {
    id: Math.round(seconds * 1000),
    time_us: time,
    last_time_us: time,
    count: 1,
    sig: 9,
    mechanism: 'kill',
    outcome: 'delivered',
    disposition: 'default',
    target_arg: 100,
    sender_id: 2,
    sender_pid: 200,
    sender_comm: 'killer',
    sender_uid: 0,
    sender_exec_id: null,
    dying_id: null,
    ...fact,
  };
}

function facts(given: Partial<Facts> = {}): Facts {
  return {
    pid: 100,
    process: PROCESS,
    end: KILLED,
    signals: [],
    deliveries: [],
    stops: [],
    oom: null,
    killer: KILLER,
    ancestry: [],
    instigator: null,
    gaps: [],
    recorded: RECORDED,
    reused: 0,
    cause: null,
    cause_why: null,
    ...given,
  };
}

test('the last signal that was to act by default is the cause', () => {
  assert.equal(selectCause(KILLED, [signal(1), signal(9)])?.id, 9000);
  assert.equal(selectCause(KILLED, [signal(9), signal(9.5, { disposition: 'handled' })])?.id, 9000);
  assert.equal(
    selectCause(KILLED, [signal(9), signal(9.5, { outcome: 'ignored' }), signal(9.6, { outcome: 'EPERM' })])
      ?.id,
    9000,
  );
  assert.equal(selectCause(KILLED, [signal(9), signal(11)])?.id, 9000, 'after the death');
  assert.equal(selectCause(KILLED, [signal(9, { sig: 15 })]), null, 'another signal');
  assert.equal(selectCause(EXITED, [signal(9)]), null, 'not killed');
});

test('a signal that found another one waiting was dropped, so the one that waited is the cause', () => {
  assert.equal(
    selectCause(KILLED, [signal(1, { disposition: 'blocked' }), signal(2, { outcome: 'pending' })])?.id,
    1000,
  );
  assert.equal(
    selectCause(KILLED, [signal(2, { outcome: 'pending' })])?.id,
    2000,
    'the one that waited was not recorded',
  );
});

test('a folded signal counts to its last time, but not beyond the death', () => {
  const verdict = judge(facts({ signals: [signal(5, { last_time_us: at(12), count: 4 })] }));
  assert.equal(verdict.delay_us, 0);
  assert.equal(judge(facts({ signals: [signal(5, { last_time_us: at(9), count: 4 })] })).delay_us, 1_000_000);
});

test('killed by somebody, and nothing lost: proven', () => {
  const verdict = judge(facts({ signals: [signal(9.999915)] }));
  assert.equal(verdict.verdict, 'killed');
  assert.equal(verdict.confidence, 'proven');
  assert.deepEqual(verdict.call, { name: 'kill', target_arg: 100, signal_arg: 9 });
  assert.equal(
    verdict.explanation,
    'killer (pid 200) killed victim (pid 100) with SIGKILL by kill(2), 10 s after it started; it died 85 µs after the signal. Proven: the signal and the death were recorded and nothing was lost around them.',
  );
});

test('something lost near it: consistent; no cause: incomplete', () => {
  assert.equal(judge(facts({ signals: [signal(9.9)], gaps: [GAP] })).confidence, 'consistent');
  const blind = judge(facts({ gaps: [GAP] }));
  assert.equal(blind.confidence, 'incomplete');
  assert.equal(blind.killer, null);
  assert.equal(blind.mechanism, null);
  assert.match(blind.explanation, /Incomplete: 3 records were lost\./);
  assert.match(judge(facts()).explanation, /nothing was lost near it, so the cause lies outside/);
});

test('a death from before the recording is not proven, one after its last sign of life is', () => {
  const verdict = judge(
    facts({ signals: [signal(9)], recorded: { ...RECORDED, from: at(10.5), reach: at(10.5) } }),
  );
  assert.equal(verdict.confidence, 'consistent');
  assert.equal(verdict.coverage.complete, false);
  const late = { ...RECORDED, to: at(5) };
  assert.equal(judge(facts({ signals: [signal(9)], recorded: late })).confidence, 'proven');
});

test('the window reaches from the signal, or a second before the death, to the death', () => {
  const recorded = RECORDED;
  assert.deepEqual(windowOf(KILLED, signal(5), recorded), { from: at(5), to: at(10) });
  assert.deepEqual(windowOf(KILLED, signal(9.9), recorded), { from: at(9), to: at(10) });
  assert.deepEqual(windowOf(KILLED, null, recorded), { from: at(9), to: at(10) });
});

for (const mechanism of ['fault', 'sigpipe', 'timer', 'oom', 'kernel', 'seccomp', 'rlimit', 'tty']) {
  test(`${mechanism}: killed, and nobody is blamed`, () => {
    const oom =
      mechanism === 'oom'
        ? {
            id: 1,
            time_us: at(8),
            trigger_pid: 300,
            trigger_comm: 'eater',
            memory_cgroup: null,
            rss_kb: null,
          }
        : null;
    const verdict = judge(
      facts({
        signals: [signal(9, { mechanism, sender_id: null, sender_pid: null, sender_comm: null })],
        oom,
      }),
    );
    assert.equal(verdict.verdict, 'killed');
    assert.equal(verdict.mechanism, mechanism);
    assert.equal(verdict.killer, null);
    assert.equal(verdict.call, null);
    assert.deepEqual(verdict.ancestry, []);
    assert.doesNotMatch(verdict.explanation, /killer/);
    if (mechanism === 'oom') assert.match(verdict.explanation, /eater \(pid 300\).* not to blame/);
  });
}

test('memory that ran out explains a SIGKILL whose signal was not seen', () => {
  const verdict = judge(
    facts({
      oom: {
        id: 1,
        time_us: at(9),
        trigger_pid: 100,
        trigger_comm: 'victim',
        memory_cgroup: '/a',
        rss_kb: null,
      },
    }),
  );
  assert.equal(verdict.mechanism, 'oom');
  assert.equal(verdict.confidence, 'proven');
  assert.doesNotMatch(verdict.explanation, /blame/);
});

test('a real sender stands although memory ran out before', () => {
  const verdict = judge(
    facts({
      signals: [signal(9.5)],
      oom: {
        id: 1,
        time_us: at(9),
        trigger_pid: 300,
        trigger_comm: 'eater',
        memory_cgroup: null,
        rss_kb: null,
      },
    }),
  );
  assert.equal(verdict.mechanism, 'kill');
  assert.equal(verdict.killer?.pid, 200);
});

test('an exit is not a killing, and the signal that was handled before is named', () => {
  const handled = signal(9.997, { sig: 15, disposition: 'handled' });
  const verdict = judge(facts({ end: EXITED, signals: [handled] }));
  assert.equal(verdict.verdict, 'exited');
  assert.equal(verdict.killer, null);
  assert.equal(verdict.earlier_signals.length, 1);
  assert.match(
    verdict.explanation,
    /not killed: it exited 0 by itself, 10 s after it started, 3 ms after a SIGTERM from killer \(pid 200\) that it handled\./,
  );
});

test('status 137 is an exit status only', () => {
  const verdict = judge(facts({ end: { ...EXITED, exit_code: 137 } }));
  assert.equal(verdict.verdict, 'exited');
  assert.match(verdict.explanation, /128 \+ 9: .*No signal ended this process/);
  assert.doesNotMatch(judge(facts({ end: { ...EXITED, exit_code: 1 } })).explanation, /128/);
  assert.doesNotMatch(judge(facts({ end: { ...EXITED, exit_code: 255 } })).explanation, /128/);
});

test('running, ended unseen, and an end without a status', () => {
  const open = { ...EXITED, ended_us: null, exit_code: null };
  assert.equal(judge(facts({ end: open })).verdict, 'running');
  const unseen = judge(facts({ end: { ...open, unseen_end_us: at(20) } }));
  assert.equal(unseen.verdict, 'unknown');
  assert.equal(unseen.confidence, 'incomplete');
  assert.equal(judge(facts({ end: { ...EXITED, exit_code: null } })).verdict, 'unknown');
});

test('what led to it is told without its own confidence, whatever names stand in it', () => {
  const cause = judge(facts({ process: { ...PROCESS, comm: 'x Proven: y' }, signals: [signal(9)] }));
  const verdict = judge(facts({ end: { ...EXITED, exit_code: 137 }, cause }));
  assert.match(
    verdict.explanation,
    /What led to it: killer \(pid 200\) killed x Proven: y \(pid 100\).*after the signal\. Proven: its end was recorded/,
  );
});

test('no fact is missing from the object: absent ones are null', () => {
  for (const end of [KILLED, EXITED, { ...EXITED, ended_us: null, exit_code: null }]) {
    const json = JSON.parse(JSON.stringify(judge(facts({ end }))));
    assert.deepEqual(Object.keys(json).sort(), [
      'ancestry',
      'call',
      'cause',
      'cause_why',
      'confidence',
      'coverage',
      'delay_us',
      'died',
      'earlier_signals',
      'evidence',
      'exit_code',
      'explanation',
      'grace',
      'instigator',
      'killer',
      'mechanism',
      'pid',
      'process',
      'reused',
      'sent',
      'signal',
      'stopped',
      'summary',
      'verdict',
    ]);
  }
});

test('a stop counts only where the process can have been stopped when the signal came', () => {
  const stop = signal(8, { sig: 19 });
  const going = signal(9.5, { sig: 18, outcome: 'ignored' });
  const ended = (sig: number, stops: SignalFact[]) =>
    judge(facts({ end: { ...KILLED, exit_signal: sig }, signals: [signal(9, { sig })], stops })).stopped;
  assert.equal(ended(9, [stop])?.signal.name, 'SIGSTOP', 'SIGKILL reaches it all the same');
  assert.equal(
    ended(15, [stop]),
    null,
    'SIGTERM would have waited, so it was there before the stop took effect',
  );
  assert.equal(ended(15, [stop, going])?.continued_by?.comm, 'killer');
  assert.equal(
    ended(15, [stop, signal(8.5, { sig: 18, outcome: 'ignored' })]),
    null,
    'let go before the signal',
  );
  assert.equal(ended(9, [signal(8, { sig: 20, disposition: 'handled' })]), null, 'it handled that');
  const running = { ...EXITED, ended_us: null, exit_code: null };
  assert.match(judge(facts({ end: running, stops: [stop] })).explanation, /stopped by a SIGSTOP from killer/);
});
