/**
 * What recording costs: nanoseconds that an operation takes while nobody, snooprec or a peer records, in turn, as ratios of
 * the same round, each after a tenth that is not measured; what each lost of it, and the CPU time that it took to record a
 * million events.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { runWorkload } from './programs.js';
import { type Goal, isReached, type Result, shown } from './result.js';
import type { Scene } from './scene.js';
import { ratios, spreadOf } from './spread.js';
import {
  LIMIT,
  type Outcome,
  Refused,
  type Session,
  type Subject,
  UNTRACED,
  type Workload,
} from './subject.js';

/** Share of the operations that are done before those that are measured: what is compiled or mapped at first use, is by then. */
const WARM_UP = 0.1;
/** Longer than a batch is gathered (--flush, 250 ms): a recorder that has not used the processor for so long is done. */
const SETTLE_MS = 300;
const SETTLE_MAX_MS = 20_000;

export interface CostWorkload extends Workload {
  goal: Goal;
}

/** @param ops of the full run; the quick one does a tenth */
export function costWorkloads(scale: number): CostWorkload[] {
  const workload = (
    title: string,
    program: string,
    kind: Workload['kind'],
    sig: number,
    ops: number,
    most: number,
    least = 0,
  ): CostWorkload => ({
    title,
    program,
    kind,
    sig,
    ops: Math.max(least, Math.round(ops * scale)),
    goal: { most },
  });
  return [
    workload('kill(self, 0)', 'kill-self', 'calls', 0, 2_000_000, 1.7),
    workload('signals to 64 processes', 'kill-64', 'signals', 10, 2_000_000, 1.65),
    workload('refused calls (ESRCH)', 'refused', 'calls', 15, 2_000_000, 2.6),
    workload('unrelated call (getppid)', 'getppid', 'calls', 0, 4_000_000, 1.2),
    // What a recorder compiles of its own code in the first second costs as much as a thousand of these.
    workload('fork + exec, two workers', 'fork-exec', 'execs', 0, 16_000, 1.1, 4_000),
  ];
}

/** One run of a workload under one subject. */
interface Sample extends Outcome {
  nsPerOp: number;
  /** Of the recorder, for a million operations. */
  cpuUs: number;
}

/** @param subjects snooprec and its peers; nobody at all is always measured, too */
export async function measureCost(
  scene: Scene,
  subjects: readonly Subject[],
  rounds: number,
  scale: number,
  say: (line: string) => void,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const workload of costWorkloads(scale)) {
    const mine = [UNTRACED, ...subjects.filter(subject => subject.kinds.includes(workload.kind))];
    const samples = new Map<Subject, Sample[]>(mine.map(subject => [subject, []]));
    const refused = new Map<Subject, string>();
    for (let round = 0; round < rounds; round++) {
      say(`cost: ${workload.title}, round ${round + 1} of ${rounds}`);
      // Each round begins with another one, so that none always comes after the same.
      for (const subject of [...mine.slice(round % mine.length), ...mine.slice(0, round % mine.length)]) {
        if (refused.has(subject)) continue;
        try {
          samples.get(subject)?.push(await sample(scene, subject, workload));
        } catch (error) {
          if (!(error instanceof Refused)) throw error;
          refused.set(subject, error.message);
        }
      }
    }
    results.push(...resultsOf(workload, samples, refused));
  }
  return results;
}

async function sample(scene: Scene, subject: Subject, workload: Workload): Promise<Sample> {
  const session = await subject.open(scene, workload);
  const ops = Math.max(100, Math.round(workload.ops * subject.share));
  // Execs are told apart by their name alone, so all of them are measured.
  if (workload.kind !== 'execs') {
    runWorkload(workload.program, Math.round(ops * WARM_UP));
    if (subject !== UNTRACED) await settle(session);
  }
  const before = session.cpuUs();
  const facts = runWorkload(workload.program, ops);
  if (subject !== UNTRACED) await settle(session);
  const cpuUs = session.cpuUs() - before;
  const outcome = await session.close(facts);
  return {
    ...outcome,
    nsPerOp: facts.ns / facts.ops,
    cpuUs: (cpuUs / facts.ops) * 1e6,
  };
}

/** Waits until it has worked off what the workload left it. */
async function settle(session: Session): Promise<void> {
  for (const until = Date.now() + SETTLE_MAX_MS; Date.now() < until; ) {
    const before = session.cpuUs();
    await sleep(SETTLE_MS);
    if (session.cpuUs() - before <= SETTLE_MS * 20) return; // less than 2 %: idle
  }
}

function resultsOf(
  workload: CostWorkload,
  samples: ReadonlyMap<Subject, readonly Sample[]>,
  refused: ReadonlyMap<Subject, string>,
): Result[] {
  const bases = (samples.get(UNTRACED) ?? []).map(({ nsPerOp }) => nsPerOp);
  const costs: Result[] = [];
  const cpus: Result[] = [];
  for (const [subject, taken] of samples) {
    const { name: who, share } = subject;
    const measure = `cost of ${workload.title}`;
    const why = refused.get(subject);
    if (why !== undefined || taken.length === 0) {
      costs.push({ measure, subject: who, value: null, unit: '×', note: `not measured: ${why}` });
      continue;
    }
    const ns = spreadOf(taken.map(({ nsPerOp }) => nsPerOp)).median;
    const value = spreadOf(
      ratios(
        taken.map(({ nsPerOp }) => nsPerOp),
        bases,
      ),
    );
    const lost = lostOf(taken);
    const fewer = share < 1 ? `, ${share * 100} % of the calls` : '';
    costs.push({
      measure,
      subject: who,
      value,
      unit: '×',
      lost,
      ...(subject.name === 'snooprec' ? { goal: workload.goal } : {}),
      note: `${ns < 10_000 ? `${Math.round(ns)} ns` : `${Math.round(ns / 1000)} µs`} each${fewer}`,
    });
    if (subject === UNTRACED || workload.program === 'getppid') continue;
    cpus.push({
      measure: `CPU of the recorder, ${workload.title}`,
      subject: who,
      value: spreadOf(taken.map(({ cpuUs }) => cpuUs / 1e6)),
      unit: 's / million',
      lost,
    });
  }
  return [...costs.map(cost => withLimit(cost, costs)), ...cpus];
}

/** What missed its goal is told beside the least that it could be. */
function withLimit(cost: Result, all: readonly Result[]): Result {
  const limit = all.find(({ subject }) => subject === LIMIT)?.value;
  if (isReached(cost) !== false || limit == null) return cost;
  return { ...cost, note: `${cost.note}; ${LIMIT}, take ${shown(limit.median)}×` };
}

function lostOf(taken: readonly Sample[]): number | null {
  const told = taken.flatMap(({ lost }) => lost ?? []);
  return told.length === 0 ? null : spreadOf(told).median;
}
