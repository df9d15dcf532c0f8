/** How long after an event `snoopq tail -f` tells it, while hardly anything happens. */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { SNOOPQ } from './programs.js';
import { Recording } from './recorder.js';
import type { Result } from './result.js';
import type { Scene } from './scene.js';
import { spreadOf } from './spread.js';
import type { Plan } from './suites.js';

const NOBODY = 5_000_000; // no pid is as large (include/linux/threads.h, PID_MAX_LIMIT)
const LOST_MS = 5_000;
/** Unlike the periods of the recorder and of the question, so that their phases are met evenly. */
const REST_MS = 730;

export async function measureTail(scene: Scene, { quick, rounds, say }: Plan): Promise<Result[]> {
  say('tail: lag');
  const recording = new Recording(scene);
  const words = ['tail', '-f', '--refused', '--ndjson', '--db', recording.db];
  const tail = spawn(process.execPath, [SNOOPQ, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  const abandon = scene.defer(() => tail.kill('SIGKILL'));
  let told: (line: string) => void = () => {};
  createInterface(tail.stdout).on('line', line => told(line));
  const lags: number[] = [];
  for (let i = 0; i < rounds * (quick ? 1 : 4); i++) {
    await sleep(REST_MS);
    const pid = NOBODY + i;
    const line = new Promise<void>(resolve => {
      told = text => text.includes(` to ${pid},`) && resolve();
    });
    const from = performance.now();
    refuse(pid);
    await Promise.race([line, sleep(LOST_MS, null, { ref: false })]);
    lags.push(performance.now() - from);
  }
  abandon();
  recording.stop();
  return [
    {
      measure: 'tail -f, from an event to its line',
      subject: 'snooprec',
      value: spreadOf(lags),
      unit: 'ms',
      goal: { most: 400 },
      note: 'at rest',
    },
  ];
}

/** A call of kill(2) that nobody gets. */
function refuse(pid: number): void {
  try {
    process.kill(pid, 0);
  } catch {}
}
