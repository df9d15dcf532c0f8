/**
 * The story of some processes: what a report tells, a trace exports and a case holds. Plain facts in microseconds, found by
 * story.ts. What draws it runs in a browser too: it knows no database, no file and no process.
 */

import type { Verdict } from '../verdict.js';

/** A span of time, microseconds. */
export interface Span {
  from: number;
  to: number;
}

/** A process from its fork to its end, with what it ran last. */
export interface StoryLife {
  id: number;
  pid: number;
  parent_id: number | null;
  ppid: number | null;
  comm: string | null;
  exe: string | null;
  /** Arguments, quoted for a shell. */
  cmdline: string | null;
  cwd: string | null;
  uid: number | null;
  user: string | null;
  unit: string | null;
  container: string | null;
  origin: string;
  started_us: number;
  /** null: runs still, or its end was not seen. */
  ended_us: number | null;
  /** It was gone by then, and its exit was not recorded. */
  unseen_end_us: number | null;
  exit_code: number | null;
  exit_signal: number | null;
  /** How it ended, in a few words: `exit 0`, `SIGKILL`, `runs on`. */
  ending: string;
}

/** One execve(2). */
export interface StoryExec {
  id: number;
  process_id: number;
  time_us: number;
  comm: string | null;
  filename: string | null;
  cmdline: string | null;
  /** `ok`, or the name of the error. */
  result: string;
}

/** One row of the view signals: a signal, an attempt or a probe. */
export interface StorySignal {
  id: number;
  time_us: number;
  last_time_us: number;
  count: number;
  sig: number;
  signal: string;
  sender_id: number | null;
  target_id: number | null;
  target_arg: number | null;
  /** The same for all targets of one call. */
  call_id: number | null;
  mechanism: string;
  outcome: string;
  disposition: string | null;
}

/** The kernel chose this process when memory ran out. */
export interface StoryOom {
  id: number;
  time_us: number;
  victim_id: number;
}

/** A span in which not everything was recorded. */
export interface StoryGap extends Span {
  kind: string;
  event: string | null;
  count: number | null;
  cause: string;
}

export interface Story {
  /** `sleep (pid 2219)`, or the words for a span. */
  title: string;
  /** Machine that was recorded. */
  host: string | null;
  /** The process that the story is about; null: it is about a span of time. */
  subject: number | null;
  /** Lives that a verdict or the question names: never hidden in a crowd. */
  notable: number[];
  /** What the picture covers. */
  span: Span;
  /** What the recorder covered, as far as it is known. */
  recorded: { from: number | null; to: number | null };
  lives: StoryLife[];
  execs: StoryExec[];
  signals: StorySignal[];
  ooms: StoryOom[];
  gaps: StoryGap[];
  /** What was left out because there was too much of it, a phrase for each. */
  omitted: string[];
  /** On the subject; of a span on its violent deaths, the last first. */
  verdicts: Verdict[];
}

/** The last moment at which a process is known to have lived; the end of the picture for one that runs still. */
export function endOf(life: StoryLife, span: Span): number {
  return life.ended_us ?? life.unseen_end_us ?? Math.max(span.to, life.started_us);
}

/** `sleep 2219`. */
export function nameOf(life: Pick<StoryLife, 'comm' | 'pid'>): string {
  return `${life.comm ?? '?'} ${life.pid}`;
}
