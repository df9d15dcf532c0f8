/** The recorder as a guest of the machine: how soon it records and is gone again, what it costs idle, how much memory it takes. */

import { mkdirSync, rmdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CGROUP_ROOT } from '../kernel/lab.js';
import { Background } from './peer.js';
import { cpuOf, memoryKb } from './proc.js';
import { program, runWorkload } from './programs.js';
import { Recording } from './recorder.js';
import type { Result } from './result.js';
import type { Scene } from './scene.js';
import { spreadOf } from './spread.js';
import type { Plan } from './suites.js';

export async function measureDaemon(scene: Scene, plan: Plan): Promise<Result[]> {
  return [...(await startAndStop(scene, plan)), ...(await idle(scene, plan)), ...storm(scene, plan)];
}

async function startAndStop(scene: Scene, { quick, rounds, say }: Plan): Promise<Result[]> {
  const processes = quick ? 200 : 2_000;
  say(`daemon: start and stop among ${processes} processes`);
  const crowd = new Background(scene, scene.subdirectory(), [program('crowd'), String(processes)]);
  await crowd.ready(() => true);
  const starts: number[] = [];
  const stops: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const from = performance.now();
    const recording = new Recording(scene);
    const ready = performance.now();
    recording.stop();
    starts.push((ready - from) / 1000);
    stops.push((performance.now() - ready) / 1000);
  }
  await crowd.end('SIGTERM');
  const note = `with ${processes} processes more than there were`;
  return [
    {
      measure: 'start until ready',
      subject: 'snooprec',
      value: spreadOf(starts),
      unit: 's',
      goal: { most: 2 },
      note,
    },
    { measure: 'stop', subject: 'snooprec', value: spreadOf(stops), unit: 's', goal: { most: 5 }, note },
  ];
}

/** In a cgroup in which nothing happens: of a whole machine nobody can say that it is idle. */
async function idle(scene: Scene, { quick, say }: Plan): Promise<Result[]> {
  const seconds = quick ? 5 : 60;
  const cgroup = join(CGROUP_ROOT as string, basename(scene.directory));
  mkdirSync(cgroup);
  const remove = scene.defer(() => rmdirSync(cgroup));
  const recording = new Recording(scene, '--cgroup', cgroup);
  await sleep(3_000); // what a start leaves to be done
  say(`daemon: idle for ${seconds} s`);
  const before = cpuOf(recording.pid);
  const from = performance.now();
  await sleep(seconds * 1000);
  const share = (cpuOf(recording.pid) - before) / 1000 / (performance.now() - from);
  const rss = memoryKb(recording.pid, 'VmRSS') / 1024;
  recording.stop();
  remove();
  return [
    {
      measure: 'idle',
      subject: 'snooprec, CPU',
      value: spreadOf([share * 100]),
      unit: '% of a core',
      goal: { most: 0.2 },
      note: `over ${seconds} s`,
    },
    {
      measure: 'idle',
      subject: 'snooprec, resident memory',
      value: spreadOf([rss]),
      unit: 'MiB',
      goal: { most: 90 },
    },
  ];
}

function storm(scene: Scene, { quick, say }: Plan): Result[] {
  say('daemon: memory in storms');
  const recording = new Recording(scene);
  const events = quick ? 300_000 : 2_000_000;
  runWorkload('kill-self', events);
  runWorkload('refused', events, 30_000);
  runWorkload('fork-exec', events / 500);
  const most = memoryKb(recording.pid, 'VmHWM') / 1024;
  recording.stop();
  return [
    {
      measure: 'in storms',
      subject: 'snooprec, most resident memory',
      value: spreadOf([most]),
      unit: 'MiB',
      goal: { most: 150 },
      note: 'the same event, distinct ones, execs; the lanes included',
    },
  ];
}
