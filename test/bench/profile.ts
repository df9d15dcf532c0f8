/**
 * Where the cost of recording goes: what each probe takes of an operation by the kernel's own statistics of BPF programs, less
 * what these take themselves, and what is left. That is the way into the probes, and the caches that a workload loses.
 */

import { costWorkloads } from './cost.js';
import { factsOf, numbersIn, program, runCommand, runWorkload } from './programs.js';
import { Recording } from './recorder.js';
import type { Result } from './result.js';
import type { Scene } from './scene.js';
import { spreadOf } from './spread.js';
import type { Workload } from './subject.js';
import type { Plan } from './suites.js';

/** The names of snooprec's probes begin so, and that of one that does nothing here (limit.bpf.c). */
const PROBES = 'on_';
const IDLE = 'others';
const NAME_CHARS = 15; // what the kernel keeps of a name (include/uapi/linux/bpf.h, BPF_OBJ_NAME_LEN)

/** Nanoseconds of an operation, by what takes them. */
type Parts = Map<string, number>;

export async function measureProfile(scene: Scene, { quick, rounds, say }: Plan): Promise<Result[]> {
  const results: Result[] = [];
  for (const workload of costWorkloads(quick ? 0.1 : 1)) {
    const { title, kind } = workload;
    if (quick && kind !== 'signals') continue;
    const all: Parts[] = [];
    for (let round = 0; round < rounds; round++) {
      say(`profile: ${title}, round ${round + 1} of ${rounds}`);
      all.push(partsOf(scene, workload));
    }
    const names = [...new Set(all.flatMap(parts => [...parts.keys()]))];
    results.push(
      ...names.map(part => ({
        measure: `where it goes: ${title}`,
        subject: part,
        value: spreadOf(all.map(parts => parts.get(part) ?? 0)),
        unit: 'ns',
      })),
    );
  }
  return results;
}

function partsOf(scene: Scene, { program: name, ops, kind }: Workload): Parts {
  const least = (run: () => { ns: number; ops: number }) =>
    Math.min(...[run(), run(), run()].map(({ ns, ops }) => ns / ops));
  const untraced = least(() => runWorkload(name, ops));
  const recording = new Recording(scene);
  const traced = least(() => runWorkload(name, ops));
  const { stdout } = runCommand(program('profile'), PROBES, program(name), String(ops));
  recording.stop();
  const measuring = costOfMeasuring();
  const parts: Parts = new Map([['untraced', untraced]]);
  let inProbes = 0;
  for (const { probe, runs, ns } of probesIn(stdout)) {
    if (runs < ops / 10) continue; // of the machine's own life
    const each = Math.max(0, ns - runs * measuring) / factsOf(stdout).ops;
    parts.set(probe.length < NAME_CHARS ? probe : `${probe}…`, each);
    inProbes += each;
  }
  // A fork with its exec takes so long that what is left of it is lost in its spread.
  if (kind !== 'execs') parts.set('the way into the probes, and caches', traced - untraced - inProbes);
  return parts;
}

/** What the statistics add to the time of one run: all that a probe takes that returns at once. */
function costOfMeasuring(): number {
  const calls = 200_000;
  const limit = [program('limit'), 'count', IDLE];
  const { stdout } = runCommand(
    '/bin/sh',
    '-c',
    SCRIPT,
    'sh',
    program('profile'),
    IDLE,
    program('kill-64'),
    String(calls),
    ...limit,
  );
  const [idle] = probesIn(stdout);
  return idle === undefined ? 0 : idle.ns / idle.runs;
}

/** Runs `$1 $2 $3 $4` while the command behind them runs. */
const SCRIPT = `profile=$1 prefix=$2 workload=$3 calls=$4
shift 4
"$@" >/dev/null &
sleep 0.5
"$profile" "$prefix" "$workload" "$calls"
kill $!
wait`;

function probesIn(stdout: string): { probe: string; runs: number; ns: number }[] {
  const of = numbersIn(stdout);
  return [...stdout.matchAll(/^runs_(\w+)=/gm)].map(([, probe = '']) => ({
    probe,
    runs: of(`runs_${probe}`),
    ns: of(`ns_${probe}`),
  }));
}
