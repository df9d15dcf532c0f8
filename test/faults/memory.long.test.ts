/** F7, F45: in a storm of events that are all different the recorder's memory, and what it takes of the processors, stay bounded. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { cannotRecord, Lab } from '../kernel/lab.js';
import { assertLedger, recorderPid } from './recorder.js';

const SECONDS = Number(process.env['SNOOPREC_SECONDS'] ?? 60);
const MB_MAX = 150;
const CORES_MAX = 1;
const TICKS = 100; // a second: USER_HZ, the unit of /proc/PID/stat
const GROWTH_MAX = 10; // MB, the garbage collector's breathing; a hundred bytes kept of each event would be hundreds

interface Memory {
  second: number;
  /** Resident, MB; `own` without what is shared with the kernel: the lanes. */
  all: number;
  own: number;
}

function memoryOf(pid: number, second: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const mb = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024;
  return { second, all: mb('VmRSS'), own: mb('RssAnon') };
}

/** Seconds that all its threads have been on a processor. */
function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const [utime, stime] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(utime) + Number(stime)) / TICKS;
}

/** The least that it had in a part of the time: what the garbage collector left. */
function floor(samples: readonly Memory[], from: number, to: number): number {
  return Math.min(...samples.filter(({ second }) => second > from && second <= to).map(({ own }) => own));
}

test(`F7, F45: ${SECONDS} s of storms of everything cost at most ${MB_MAX} MB, no more the longer they last, and one processor`, {
  skip: cannotRecord,
}, async t => {
  const lab = Lab.open(t);
  lab.record();
  const pid = recorderPid(lab);
  const idle = memoryOf(pid, 0);
  const [cpu, began] = [cpuOf(pid), performance.now()];
  const storms = [1, 2].map(() => lab.background('rain', String(SECONDS)));
  const samples: Memory[] = [];
  for (let second = 1; second <= SECONDS; second++) {
    await sleep(1_000);
    samples.push(memoryOf(pid, second));
  }
  for (const storm of storms) await storm.end();
  const cores = (cpuOf(pid) - cpu) / ((performance.now() - began) / 1000);
  const peak = Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) / 1024;
  lab.stop();
  const third = SECONDS / 3;
  const grown = floor(samples, 2 * third, SECONDS) - floor(samples, third, 2 * third);
  t.diagnostic(
    `idle ${idle.all.toFixed(0)} MB (own ${idle.own.toFixed(0)}), peak ${peak.toFixed(0)} MB, ` +
      `${grown.toFixed(1)} MB more in the last third than in the second`,
  );
  t.diagnostic(
    `own MB, every 5 s: ${samples
      .filter((_, i) => i % 5 === 4)
      .map(s => s.own.toFixed(0))
      .join(' ')}`,
  );
  const { seen, lost } = assertLedger(lab);
  t.diagnostic(`${seen} records, ${lost} lost`);
  t.diagnostic(`${cores.toFixed(2)} processors`);
  assert.ok(cores <= CORES_MAX, `${cores} processors`);
  assert.ok(peak <= MB_MAX, `${peak} MB`);
  assert.ok(grown <= GROWTH_MAX, `${grown} MB`);
});
