/**
 * What a storm loses, with the buffers that snooprec has by itself: each of its events is counted in the database, and what
 * is missing must be what the recorder says that it lost. Then the rate up to which events that cannot be folded are kept.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type Facts, factsOf, program, runWorkload } from './programs.js';
import { Recording } from './recorder.js';
import type { Result } from './result.js';
import type { Scene } from './scene.js';
import { spreadOf } from './spread.js';
import type { Plan } from './suites.js';

const PIDS = 30_000; // more than a batch has rows: nothing can be folded

/** What is in the database, and what must be. */
interface Count {
  expected: number;
  recorded: number;
  /** As the recorder tells, of the whole machine. */
  lost: number;
}

interface Storm {
  title: string;
  events: number;
  run(events: number): Promise<Facts[]>;
  /** SQL over `signal s`: its events of the process with that pid. */
  where: string;
}

const STORMS: readonly Storm[] = [
  {
    title: 'kill(self, 0)',
    events: 2_000_000,
    run: async events => [runWorkload('kill-self', events)],
    where: 's.sig = 0',
  },
  {
    title: 'signals to 64 processes',
    events: 2_000_000,
    run: async events => [runWorkload('kill-64', events)],
    where: 's.sig = 10',
  },
  {
    title: 'refused calls (ESRCH)',
    events: 2_000_000,
    run: async events => [runWorkload('refused', events)],
    where: 's.outcome = -3',
  },
  {
    title: 'two storms at once, both of kill(self, 0)',
    events: 2_000_000,
    run: events => Promise.all([together('kill-self', events / 2), together('kill-self', events / 2)]),
    where: 's.sig = 0',
  },
  {
    title: 'queued signals of 4 senders',
    events: 400_000,
    run: async events => [runWorkload('queued', events, 4)],
    where: 's.sig >= 34',
  },
  {
    title: `refused calls of ${PIDS.toLocaleString('en-US')} pids, full speed`,
    events: 2_000_000,
    run: async events => [runWorkload('refused', events, PIDS)],
    where: 's.outcome = -3',
  },
];

export async function measureLoss(scene: Scene, { quick, rounds, say }: Plan): Promise<Result[]> {
  const results: Result[] = [];
  for (const storm of STORMS) {
    const counts: Count[] = [];
    for (let round = 0; round < (quick ? 1 : rounds); round++) {
      say(`loss: ${storm.title}, round ${round + 1}`);
      counts.push(await record(scene, storm, quick ? storm.events / 8 : storm.events));
    }
    const { expected } = counts[0] as Count;
    const missing = counts.map(count => count.expected - count.recorded);
    const isExact = counts.every(
      (count, i) => (missing[i] as number) >= 0 && (missing[i] as number) <= count.lost,
    );
    results.push({
      measure: `loss in ${storm.title}`,
      subject: 'snooprec',
      value: spreadOf(missing),
      unit: `of ${expected.toLocaleString('en-US')}`,
      lost: spreadOf(missing).median / expected,
      ...(storm.title.includes(`pids`) ? {} : { goal: { most: 0 } }),
      note: isExact ? 'each one stored or counted as lost' : 'NOT ALL WERE COUNTED',
    });
  }
  results.push(await sustained(scene, quick, say));
  return results;
}

async function record(scene: Scene, storm: Storm, events: number): Promise<Count> {
  const recording = new Recording(scene);
  const runs = await storm.run(events);
  recording.stop();
  return {
    expected: runs.reduce((sum, { ops }) => sum + ops, 0),
    recorded: runs.reduce((sum, facts) => sum + signalsOf(recording, facts, storm.where), 0),
    lost: recording.lost,
  };
}

/** Signals that the process, or a child of it, sent. */
function signalsOf(recording: Recording, { pid }: Facts, where: string): number {
  return recording.value(
    `SELECT coalesce(sum(s.count), 0) FROM signal s JOIN process p ON p.id = s.sender
     LEFT JOIN process parent ON parent.id = p.parent
     WHERE ${where} AND (p.pid = ? OR parent.pid = ?)`,
    pid,
    pid,
  );
}

/** Runs a workload without waiting for it here, so that another may run at the same time. */
async function together(name: string, ops: number): Promise<Facts> {
  const child = spawn(program(name), [String(ops)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.on('data', chunk => {
    stdout += String(chunk);
  });
  await once(child, 'close');
  return factsOf(stdout);
}

/** The highest rate, tried one after another, at which nothing of a flood of rows of their own is lost for some seconds. */
async function sustained(scene: Scene, quick: boolean, say: (line: string) => void): Promise<Result> {
  const seconds = quick ? 1 : 6;
  const step = quick ? 2 : 1.25;
  let kept = 0;
  let lost = Number.POSITIVE_INFINITY;
  for (let rate = 60_000; rate < 2_000_000; rate = Math.round(rate * step)) {
    say(`loss: ${rate} distinct events a second`);
    const recording = new Recording(scene);
    const facts = runWorkload('refused', rate * seconds, PIDS, rate);
    recording.stop();
    const reached = facts.ops / (facts.ns / 1e9);
    if (reached < rate * 0.95) break; // the workload cannot do more
    lost = facts.ops - signalsOf(recording, facts, 's.outcome = -3');
    if (lost > 0) break;
    kept = reached;
  }
  return {
    measure: 'distinct events without a loss',
    subject: 'snooprec',
    value: spreadOf([kept]),
    unit: 'a second',
    note: `for ${seconds} s; each rate ${step} times the one before${lost > 0 ? ', the next one lost some' : ', faster the workload is not'}`,
  };
}
