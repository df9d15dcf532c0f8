/** The two captures, the two ways to see calls return and the two transports: which of them are taken, that they say so, and what only they do. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { chooseWays } from '../../recorder/kernel-ways.js';
import { leftPins } from '../../recorder/pins.js';
import {
  assertLedger,
  bpfIds,
  bpftool,
  hasProgram,
  murder,
  recorderPid,
  stateOf,
  until,
} from '../faults/recorder.js';
import { cannotRecord, Lab } from './lab.js';

const skip = cannotRecord;

interface Told {
  capture: string;
  returns: string;
  transport: string;
  pinned: boolean;
  probes: { name: string }[];
}

function told(lab: Lab): Told {
  return JSON.parse(lab.snooprec('status', '--json').stdout);
}

for (const capture of ['regs', 'hash'] as const) {
  for (const transport of ['ring', 'perf'] as const) {
    test(`status and the recording say that ${capture} and ${transport} were taken`, { skip }, t => {
      const lab = Lab.open(t);
      lab.record('--capture', capture, '--transport', transport);
      const status = told(lab);
      assert.deepEqual([status.capture, status.transport], [capture, transport]);
      assert.equal(status.pinned, transport === 'ring', 'perf event buffers cannot be pinned');
      assert.equal(
        status.probes.some(({ name }) => name === 'sys_enter'),
        capture === 'hash',
      );
      lab.stop();
      const options = JSON.parse(lab.value('SELECT options FROM recordings') as string);
      assert.deepEqual([options.capture, options.transport], [capture, transport]);
    });
  }
}

for (const returns of ['each', 'all'] as const) {
  test(`status and the recording say that the return of ${returns} was seen`, { skip }, t => {
    const lab = Lab.open(t);
    lab.record('--capture', 'regs', '--returns', returns);
    const status = told(lab);
    assert.equal(status.returns, returns);
    const onReturns = status.probes.map(({ name }) => name).filter(name => name.startsWith('sys_exit'));
    assert.equal(onReturns.length, returns === 'all' ? 1 : 8, onReturns.join());
    lab.stop();
    assert.equal(lab.value("SELECT options ->> '$.returns' FROM recordings"), returns);
  });
}

test('auto takes what check says, and that is never "auto"', { skip }, t => {
  const lab = Lab.open(t);
  const ways = chooseWays({ capture: 'auto', returns: 'auto', transport: 'auto' });
  lab.record('--capture', 'auto', '--returns', 'auto', '--transport', 'auto');
  const { capture, returns, transport } = told(lab);
  lab.stop();
  assert.deepEqual({ capture, returns, transport }, ways);
  const { stdout } = lab.snooprec('check');
  assert.match(stdout, new RegExp(`calls in progress +${capture}: `));
  assert.match(stdout, new RegExp(`returns of calls +${returns}: `));
  assert.match(stdout, new RegExp(`lanes +${transport}: `));
});

test('what sleeps beside perf event buffers is woken by the first record', { skip }, async t => {
  const lab = Lab.open(t);
  lab.record('--transport', 'perf', '--flush', '10');
  for (let i = 1; i <= 3; i++) {
    await sleep(700); // nothing to do any more: without a record it would sleep for five seconds
    lab.inside('send', 'kill', '0', 'self', '1');
    const deadline = Date.now() + 2_000;
    while (lab.value("SELECT count(*) FROM execs WHERE comm = 'send'") !== i) {
      assert.ok(Date.now() < deadline, `record ${i} was not stored within two seconds`);
      await sleep(20);
    }
  }
});

test('a recorder with perf event buffers that is killed leaves nothing but a gap that says why', {
  skip,
}, async t => {
  const lab = Lab.open(t);
  lab.record('--transport', 'perf');
  lab.inside('/bin/true');
  await sleep(600);
  const pid = recorderPid(lab);
  const programs = bpfIds(pid, 'prog');
  assert.ok(programs.length > 0);
  await murder(pid);
  assert.deepEqual(leftPins(lab.db), []);
  await until('the programs are freed', () => !programs.some(hasProgram));
  lab.inside('/bin/true');
  lab.record('--transport', 'perf');
  lab.inside('/bin/true');
  lab.stop();
  assert.equal(lab.value("SELECT count(*) FROM execs WHERE comm = 'true'"), 2);
  assert.deepEqual(
    lab.rows("SELECT kind, cause FROM coverages WHERE kind = 'down'").map(row => row['cause']),
    ['the recorder had ended without a goodbye, and perf event buffers end with their recorder'],
  );
  assertLedger(lab);
});

/** The threads of which the probes of a recorder have noted a call, in progress. */
function notedThreads(recorder: number): number[] {
  const maps = bpfIds(recorder, 'map');
  const calls = maps.find(id => JSON.parse(bpftool('-j', 'map', 'show', 'id', String(id))).name === 'calls');
  assert.ok(calls !== undefined, 'the probes have a map of calls');
  // bpftool asks for a key, then for its value: of a note that was taken away in between it tells an error, and no `formatted`.
  const entries = JSON.parse(bpftool('-j', 'map', 'dump', 'id', String(calls))) as {
    formatted?: { key: number };
  }[];
  return entries.flatMap(entry => entry.formatted?.key ?? []);
}

test('a call is noted while it lasts, and the note goes with a thread that dies in it', { skip }, async t => {
  const lab = Lab.open(t);
  lab.record('--capture', 'hash');
  const recorder = recorderPid(lab);
  const full = join(lab.directory, 'full');
  lab.command('mkfifo', full);
  // Two bytes are few enough to be a write to cgroup.kill; nobody reads them, so the last one waits for ever.
  const writer = lab.background('/bin/sh', '-c', `exec 3<>${full}; while :; do echo x >&3; done`);
  await until(
    'the write waits',
    () => stateOf(writer.pid) === 'S' && notedThreads(recorder).includes(writer.pid),
  );
  writer.kill('SIGKILL');
  await writer.end();
  assert.ok(!notedThreads(recorder).includes(writer.pid));
});

test('a call is noted no more when a second thread became the program that it executed', {
  skip,
}, async t => {
  const lab = Lab.open(t);
  lab.record('--capture', 'hash');
  const recorder = recorderPid(lab);
  const program = lab.background('threads', 'exec', '/bin/sleep', '1000');
  const tid = Number(await program.fact('tid'));
  await program.running('sleep');
  const noted = notedThreads(recorder);
  assert.ok(!noted.includes(tid) && !noted.includes(program.pid), `${noted}`);
});
