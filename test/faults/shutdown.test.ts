/** F2 to F5, F8, F9: how a recorder starts, stops, dies, and what is left of it then. */

import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { leftPins } from '../../recorder/pins.js';
import { parseStat } from '../../recorder/procfs.js';
import { cannotRecord, Lab } from '../kernel/lab.js';
import {
  assertLedger,
  assertNothingLeft,
  endOf,
  FIRST,
  foreground,
  isAlive,
  isReady,
  listeningSockets,
  lockFile,
  murder,
  numbersOf,
  pinnedPrograms,
  recorderPid,
  recordersOf,
  SNOOPREC,
  stateOf,
  until,
} from './recorder.js';

const skip = cannotRecord;

test('F1: killed 3 times in a storm, it stores every number exactly once', { skip }, async t => {
  const lab = Lab.open(t);
  lab.record();
  const storm = lab.background('sequence', String(FIRST), '0', '20000');
  for (let kills = 0; kills < 3; kills++) {
    await sleep(50 + Math.random() * 700);
    await murder(recorderPid(lab));
    lab.record();
  }
  storm.kill('SIGTERM');
  const sent = Number((await storm.end()).facts.get('sent'));
  lab.stop();
  assert.equal(assertLedger(lab).lost, 0);
  assert.deepEqual(numbersOf(lab), { rows: sent, numbers: sent, count: sent });
});

test('F1: killed while it stops with full lanes, it stores every number exactly once', { skip }, async t => {
  const lab = Lab.open(t);
  let sent = 0;
  for (const ms of [1, 20, 40, 80, 160]) {
    const recorder = foreground(lab);
    await until('it records', () => isReady(lab));
    recorder.kill('SIGSTOP');
    sent += Number(lab.inside('sequence', String(FIRST + sent), '50000', '0').facts.get('sent'));
    recorder.kill('SIGTERM');
    recorder.kill('SIGCONT');
    await sleep(ms);
    recorder.kill('SIGKILL');
    await endOf(recorder);
  }
  lab.snooprec('stop');
  assert.deepEqual(numbersOf(lab), { rows: sent, numbers: sent, count: sent });
  assert.equal(assertLedger(lab).lost, 0);
});

test('F2: the next recorder names who killed the last one; stop leaves nothing', { skip }, async t => {
  const lab = Lab.open(t);
  const started = lab.inside(process.execPath, SNOOPREC, 'start', '--db', lab.db, '--cgroup', lab.cgroup);
  assert.equal(started.status, 0, started.stderr);
  const pid = recorderPid(lab);
  const killer = lab.inside('/bin/sh', '-c', `echo pid=$$; kill -9 ${pid}; :`);
  await until('it is gone', () => !isAlive(pid));
  lab.record();
  const programs = pinnedPrograms(lab.db);
  assert.ok(programs.length >= 7, `${programs.length} programs`);
  lab.stop();
  const verdict = lab.whoKilled(pid);
  assert.equal(verdict.verdict, 'killed');
  assert.equal(verdict.confidence, 'proven');
  assert.equal(verdict.mechanism, 'kill');
  assert.equal(verdict.signal.name, 'SIGKILL');
  assert.equal(verdict.killer.pid, Number(killer.facts.get('pid')));
  await assertNothingLeft(lab, programs);
});

test('F2: stop alone stores what a killed recorder left in the kernel, and takes it away', {
  skip,
}, async t => {
  const lab = Lab.open(t);
  lab.record();
  const pid = recorderPid(lab);
  await murder(pid);
  const { facts } = lab.inside('sequence', String(FIRST), '5000', '0');
  const victim = Number(
    lab.inside('/bin/sh', '-c', 'sleep 1000 & echo victim=$!; kill -9 $!; :').facts.get('victim'),
  );
  const programs = pinnedPrograms(lab.db);
  const status = lab.snooprec('status');
  assert.equal(status.status, 3);
  assert.match(status.stdout, /the kernel records on/);
  const stopped = lab.snooprec('stop');
  assert.equal(stopped.status, 0, stopped.stderr);
  assert.match(stopped.stdout, /was killed/);
  await assertNothingLeft(lab, programs);
  assert.deepEqual(readdirSync(lab.directory).sort(), ['lab.db', 'lab.key', 'lab.log'], 'one plain file');
  const sent = Number(facts.get('sent'));
  assert.deepEqual(numbersOf(lab), { rows: sent, numbers: sent, count: sent });
  assert.equal(lab.whoKilled(victim).confidence, 'proven');
  assert.equal(assertLedger(lab).lost, 0);
  assert.match(lab.snooprec('stop').stdout, /not running/);
});

test('F2: stop stores what a killed recorder left although its database is gone, in a new one', {
  skip,
}, async t => {
  const lab = Lab.open(t);
  lab.record();
  await murder(recorderPid(lab));
  const programs = pinnedPrograms(lab.db);
  const sent = Number(lab.inside('sequence', String(FIRST), '5000', '0').facts.get('sent'));
  for (const suffix of ['', '-wal', '-shm']) if (existsSync(lab.db + suffix)) unlinkSync(lab.db + suffix);
  const stopped = lab.snooprec('stop');
  assert.equal(stopped.status, 0, stopped.stderr);
  await assertNothingLeft(lab, programs);
  assert.deepEqual(numbersOf(lab), { rows: sent, numbers: sent, count: sent });
});

test('F2: a recorder that is being killed is not taken for one that records', { skip }, t => {
  const lab = Lab.open(t);
  lab.record('--transport', 'perf'); // its probes end with it, and the kernel takes its time for that
  for (let kills = 0; kills < 3; kills++) {
    const pid = recorderPid(lab);
    process.kill(pid, 'SIGKILL');
    lab.record('--transport', 'perf');
    assert.notEqual(recorderPid(lab), pid);
  }
  const pid = Number(lab.inside('/bin/sh', '-c', 'echo pid=$$; exit 3').facts.get('pid'));
  lab.stop();
  assert.equal(lab.whoKilled(pid).exit_code, 3);
});

test('F3: pins of another wire are dropped, and the ledger tells of the gap', { skip }, async t => {
  const lab = Lab.open(t);
  lab.record();
  await murder(recorderPid(lab));
  const [pins] = leftPins(lab.db);
  assert.ok(pins);
  const programs = pinnedPrograms(lab.db);
  renameSync(pins.directory, pins.directory.replace(pins.wire, '0123456789ab'));
  lab.record();
  const now = leftPins(lab.db);
  assert.equal(now.length, 1);
  assert.equal(now[0]?.wire, pins.wire);
  await until(
    'the programs of the other version are freed',
    () => !programs.some(id => pinnedPrograms(lab.db).includes(id)),
  );
  lab.stop();
  const gaps = lab.rows<{ from_us: number; to_us: number; cause: string }>(
    "SELECT * FROM coverages WHERE kind = 'down'",
  );
  assert.equal(gaps.length, 1);
  assert.ok((gaps[0]?.to_us ?? 0) > (gaps[0]?.from_us ?? 0));
  assertLedger(lab);
});

test('F3: pins of the same wire and other options are drained first', { skip }, async t => {
  const lab = Lab.open(t);
  lab.record();
  await murder(recorderPid(lab));
  const { facts } = lab.inside('sequence', String(FIRST), '5000', '0');
  const victim = Number(
    lab.inside('/bin/sh', '-c', 'sleep 1000 & echo victim=$!; kill -9 $!; :').facts.get('victim'),
  );
  await sleep(300); // so that the death is not near the moment when no probe was attached
  const before = Date.now() * 1000;
  lab.record('--bulk-buffer', '8M', '--args-bytes', '64K');
  assert.equal(leftPins(lab.db).length, 1);
  lab.stop();
  const sent = Number(facts.get('sent'));
  assert.deepEqual(numbersOf(lab), { rows: sent, numbers: sent, count: sent });
  assertLedger(lab);
  assert.equal(lab.whoKilled(victim).verdict, 'killed');
  const [gap] = lab.rows<{ from_us: number }>("SELECT from_us FROM coverages WHERE kind = 'down'");
  assert.ok(gap, 'between the old probes and the new ones none was attached');
  assert.ok(gap.from_us >= before, 'until then the old ones recorded');
});

for (const missing of ['link_sched_process_exit', 'lane_bulk', 'every link', 'everything'] as const) {
  test(`F3: a set of pins that a recorder died over does not stop a start (${missing} missing)`, {
    skip,
  }, async t => {
    const lab = Lab.open(t);
    lab.record();
    await murder(recorderPid(lab));
    const [pins] = leftPins(lab.db);
    assert.ok(pins);
    for (const name of readdirSync(pins.directory)) {
      const isMissing =
        missing === 'everything' ||
        name === missing ||
        (missing === 'every link' && name.startsWith('link_'));
      if (isMissing) unlinkSync(join(pins.directory, name));
    }
    lab.record();
    const programs = pinnedPrograms(lab.db);
    assert.ok(programs.length >= 7, `all probes are attached: ${programs.length}`);
    const pid = Number(lab.inside('/bin/sh', '-c', 'echo pid=$$; exit 3').facts.get('pid'));
    lab.stop();
    assert.equal(lab.whoKilled(pid).exit_code, 3);
    assert.ok(
      (lab.value("SELECT count(*) FROM coverages WHERE kind = 'down'") as number) >= 1,
      'the ledger tells of the gap',
    );
    assertLedger(lab);
    await assertNothingLeft(lab, programs);
  });
}

test('F4: from start to ready it takes at most 2 s', { skip }, t => {
  const lab = Lab.open(t);
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    const from = performance.now();
    lab.record();
    times.push(performance.now() - from);
    lab.stop();
  }
  t.diagnostic(`start to ready: ${times.map(ms => ms.toFixed(0)).join(', ')} ms`);
  assert.ok(Math.max(...times) <= 2_000, `${times}`);
});

for (const [what, sig, target] of [
  ['handled signals', '10', 'victim'],
  ['refused calls', '9', 'nobody'],
] as const) {
  test(`F4: two storms of ${what} at full rate do not keep it from stopping within 5 s`, {
    skip,
  }, async t => {
    const lab = Lab.open(t);
    const recorder = foreground(lab);
    await until('it records', () => lab.snooprec('status').status === 0);
    const pid =
      target === 'nobody' ? '4194303' : await lab.background('victims', '1', 'handle', sig).fact('pids');
    const storms = [
      lab.background('storm', '1000000000', sig, pid),
      lab.background('storm', '1000000000', sig, pid),
    ];
    await sleep(2_000);
    const from = performance.now();
    recorder.kill('SIGTERM');
    const end = await endOf(recorder);
    const ms = performance.now() - from;
    for (const storm of storms) storm.kill('SIGKILL');
    assert.deepEqual(end, { code: 0, signal: null });
    const { seen, lost } = assertLedger(lab);
    t.diagnostic(`stopped after ${ms.toFixed(0)} ms; ${seen} records seen in 2 s, ${lost} lost`);
    assert.ok(ms <= 5_000, `${ms} ms`);
    assert.equal(lab.value('SELECT ending FROM recordings'), 'stopped');
    assert.deepEqual(leftPins(lab.db), []);
  });
}

test('F5: no signal but KILL, STOP, TERM and INT keeps it from recording, and none makes it listen', {
  skip,
}, async t => {
  const lab = Lab.open(t);
  lab.record();
  const pid = recorderPid(lab);
  const sent: number[] = [];
  for (let sig = 1; sig <= 64; sig++) {
    if ([2, 9, 15, 19].includes(sig)) continue;
    process.kill(pid, sig);
    await sleep(20);
    assert.ok(isAlive(pid), `signal ${sig} ended it`);
    assert.notEqual(stateOf(pid), 'T', `signal ${sig} stopped it`);
    assert.deepEqual(listeningSockets(pid), [], `after signal ${sig}`);
    lab.inside('send', 'kill', String(sig), '4194303');
    sent.push(sig);
  }
  lab.stop();
  const recorded = lab.rows<{ sig: number }>(
    "SELECT DISTINCT sig FROM signals WHERE outcome = 'ESRCH' ORDER BY sig",
  );
  assert.deepEqual(
    recorded.map(row => row.sig),
    sent,
  );
  t.diagnostic(`${sent.length} signals survived`);
});

test('F5: a signal does not end it while it starts', { skip }, async t => {
  const lab = Lab.open(t);
  const recorder = foreground(lab);
  const { pid } = recorder;
  assert.ok(pid);
  await until(
    'it has its handlers',
    () =>
      /^SigIgn:.*[^0]$/m.test(readFileSync(`/proc/${pid}/status`, 'latin1')) &&
      (ignored(pid) & (1n << 33n)) !== 0n,
  );
  for (const sig of [1, 10, 12, 13, 40]) process.kill(pid, sig);
  await until('it records', () => lab.snooprec('status').status === 0);
  recorder.kill('SIGINT');
  assert.deepEqual(await endOf(recorder), { code: 0, signal: null });
  assert.equal(lab.value('SELECT ending FROM recordings'), 'interrupted');
});

function ignored(pid: number): bigint {
  return BigInt(`0x${/^SigIgn:\s+(\w+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? '0'}`);
}

test('F8: 20 starts at once give one recorder, and all say so', { skip }, t => {
  const lab = Lab.open(t);
  const db = join(lab.directory, 'not', 'yet', 'there.db');
  const script = `
    for i in $(seq 20); do "$0" "$@" & pids="$pids $!"; done
    for pid in $pids; do wait $pid; echo "end$pid=$?"; done`;
  try {
    const from = performance.now();
    const all = lab.command(
      '/bin/sh',
      '-c',
      script,
      process.execPath,
      SNOOPREC,
      'start',
      '--db',
      db,
      '--cgroup',
      lab.cgroup,
    );
    t.diagnostic(`20 starts took ${(performance.now() - from).toFixed(0)} ms`);
    const ends = [...all.facts].filter(([key]) => key.startsWith('end')).map(([, status]) => status);
    assert.deepEqual(ends, Array(20).fill('0'), all.stderr);
    const pids = new Set([...all.stdout.matchAll(/\(pid (\d+)\)/g)].map(match => Number(match[1])));
    assert.equal(pids.size, 1, all.stdout);
    assert.equal([...all.stdout.matchAll(/^recording into/gm)].length, 1, all.stdout);
    assert.deepEqual(recordersOf(db), [...pids]);
    assert.equal(leftPins(db).length, 1);
  } finally {
    assert.equal(lab.snooprec('stop', '--db', db).status, 0);
  }
  assert.deepEqual(readdirSync(join(lab.directory, 'not', 'yet')).sort(), [
    'there.db',
    'there.key',
    'there.log',
  ]);
  assert.match(readFileSync(db.replace(/db$/, 'log'), 'utf8'), /recording into/);
});

test('F9: a stale pid in the lock file neither stops a start nor is anybody killed', { skip }, async t => {
  const lab = Lab.open(t);
  const stranger = await lab.background('/bin/sleep', '1000').running('sleep');
  mkdirSync('/run/snooprec', { recursive: true });
  const { startTicks } = parseStat(readFileSync(`/proc/${stranger.pid}/stat`));
  writeFileSync(
    lockFile(lab.db),
    `${JSON.stringify({ pid: stranger.pid, startTicks, db: lab.db, ready: true })}\n`,
  );
  assert.equal(lab.snooprec('status').status, 3);
  assert.match(lab.snooprec('stop').stdout, /not running/);
  assert.ok(!existsSync(lockFile(lab.db)), 'stop removes it');
  lab.record();
  assert.notEqual(recorderPid(lab), stranger.pid);
  lab.stop();
  assert.ok(isAlive(stranger.pid));
  stranger.kill('SIGKILL');
  await assertNothingLeft(lab, []);
});

test('F9: a pid in the lock file that somebody else bears by now is no recorder', { skip }, async t => {
  const lab = Lab.open(t);
  const stranger = await lab.background('/bin/sleep', '1000').running('sleep');
  lab.record();
  const holder = JSON.parse(readFileSync(lockFile(lab.db), 'utf8')) as Record<string, unknown>;
  await murder(recorderPid(lab));
  writeFileSync(lockFile(lab.db), `${JSON.stringify({ ...holder, pid: stranger.pid })}\n`);
  lab.stop(); // cleans up after the killed one
  assert.ok(isAlive(stranger.pid));
  stranger.kill('SIGKILL');
  await assertNothingLeft(lab, []);
});
