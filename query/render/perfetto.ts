/**
 * A story in the Trace Event Format, which ui.perfetto.dev and chrome://tracing open: a track for each process with its life
 * and, inside, what it executed; signals as flow arrows. Times are microseconds since the epoch.
 * https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
 */

import { escapeJson } from '../escape.js';
import { fateOf } from '../report/events.js';
import { harmless } from '../report/harmless.js';
import { endOf, nameOf, type Story, type StoryExec, type StoryLife } from '../report/model.js';

/** An event of the format; which fields it has depends on `ph`. */
export interface TraceEvent {
  /** M metadata, X slice, i instant, s and f ends of a flow, b and e ends of a span that is on no track. */
  ph: 'M' | 'X' | 'i' | 's' | 'f' | 'b' | 'e';
  name: string;
  pid: number;
  tid: number;
  ts?: number;
  dur?: number;
  cat?: string;
  id?: number;
  /** Scope of an instant: t, its thread. */
  s?: 't';
  /** A flow ends in the slice around it, not in the next one. */
  bp?: 'e';
  args?: Record<string, unknown>;
}

/** PID_MAX_LIMIT of 64-bit kernels: a pid that comes again gets so much more, for the format knows pids alone. */
const PID_LIMIT = 4_194_304;
/** Stands for the recorder; gaps are shown below it. */
const RECORDER = 0;

/** Writes the whole file. */
export function renderPerfetto(story: Story, version: string, write: (text: string) => void): void {
  const other = {
    recorder: `snooprec ${version}`,
    host: story.host,
    from_us: story.span.from,
    to_us: story.span.to,
  };
  write(`{"displayTimeUnit":"ms","otherData":${json(harmless(other))},"traceEvents":[`);
  let separator = '\n';
  for (const event of traceOf(story)) {
    write(`${separator}${json(event)}`);
    separator = ',\n';
  }
  write('\n]}\n');
}

/** The events: metadata first, then in the order of time; a slice stands before what lies in it. */
export function traceOf(unsafe: Story): TraceEvent[] {
  const story = harmless(unsafe);
  const pids = pidsOf(story.lives);
  const slices = new Map(story.lives.map(life => [life.id, sliceOf(life, story)]));
  const events: TraceEvent[] = [];
  const execs = new Map<number, StoryExec[]>();
  for (const exec of story.execs) execs.set(exec.process_id, [...(execs.get(exec.process_id) ?? []), exec]);

  for (const life of story.lives) {
    const pid = pids.get(life.id) ?? life.pid;
    const track = { pid, tid: pid };
    const { from, to } = slices.get(life.id) ?? sliceOf(life, story);
    events.push(
      {
        ph: 'X',
        name: nameOf(life),
        cat: 'process',
        ...track,
        ts: from,
        dur: to - from,
        args: factsOf(life),
      },
      ...execSlices(execs.get(life.id) ?? [], from, to).map(slice => ({ ...slice, ...track })),
    );
  }
  const at = (id: number | null, time: number): { pid: number; tid: number; ts: number } | null => {
    const slice = id === null ? undefined : slices.get(id);
    if (id === null || slice === undefined) return null;
    const pid = pids.get(id) ?? 0;
    return { pid, tid: pid, ts: Math.min(Math.max(time, slice.from), slice.to - 1) };
  };
  for (const signal of story.signals) {
    const { id, time_us: time, count, sender_id: sender, target_id: target } = signal;
    const name = `${signal.sig === 0 ? 'signal 0' : signal.signal}${count > 1 ? ` ×${count}` : ''}`;
    const args = { mechanism: signal.mechanism, fate: fateOf(signal), count, signal_id: id };
    const sent = at(sender, time);
    const received = at(target, time);
    if (sent !== null) events.push({ ph: 'i', name: `sent ${name}`, cat: 'signal', ...sent, s: 't', args });
    if (received !== null && target !== sender)
      events.push({ ph: 'i', name: `got ${name}`, cat: 'signal', ...received, s: 't', args });
    if (sent !== null && received !== null && target !== sender) {
      // A flow may not go back in time; the edges of two lives could make it.
      const ts = Math.max(sent.ts, received.ts);
      if (ts < (slices.get(target ?? 0)?.to ?? 0)) {
        events.push({ ph: 's', name, cat: 'signal', id, ...sent });
        events.push({ ph: 'f', name, cat: 'signal', id, ...received, ts, bp: 'e' });
      }
    }
  }
  for (const { time_us: time, victim_id: victim } of story.ooms) {
    const place = at(victim, time);
    if (place !== null)
      events.push({ ph: 'i', name: 'chosen by the OOM killer', cat: 'oom', ...place, s: 't' });
  }
  for (const [i, { from, to, kind, cause, count, event }] of story.gaps.entries()) {
    const span = { name: `not recorded: ${kind}`, cat: 'gap', id: i, pid: RECORDER, tid: RECORDER };
    events.push({ ph: 'b', ...span, ts: from, args: { cause, count, event } }, { ph: 'e', ...span, ts: to });
  }
  return [...metadata(story, pids), ...events.sort(byTime)];
}

// Of the same moment the longer slice is the outer one; what is at the edge of a slice comes after its beginning.
function byTime(a: TraceEvent, b: TraceEvent): number {
  return (a.ts ?? 0) - (b.ts ?? 0) || (b.dur ?? -1) - (a.dur ?? -1);
}

/** A number for each process; the real pid, unless another one bore it before. */
function pidsOf(lives: readonly StoryLife[]): ReadonlyMap<number, number> {
  const borne = new Map<number, number>();
  const pids = new Map<number, number>();
  for (const { id, pid } of lives) {
    const before = borne.get(pid) ?? 0;
    borne.set(pid, before + 1);
    pids.set(id, pid + before * PID_LIMIT);
  }
  return pids;
}

function sliceOf(life: StoryLife, { span }: Story): { from: number; to: number } {
  const from = Math.min(Math.max(life.started_us, span.from), endOf(life, span));
  return { from, to: Math.max(endOf(life, span), from + 1) };
}

function execSlices(
  execs: readonly StoryExec[],
  from: number,
  to: number,
): Omit<TraceEvent, 'pid' | 'tid'>[] {
  const clamp = (time: number): number => Math.min(Math.max(time, from), to - 1);
  const good = execs.filter(({ result }) => result === 'ok');
  const slices = good.map((exec, i): Omit<TraceEvent, 'pid' | 'tid'> => {
    const ts = clamp(exec.time_us);
    const next = good[i + 1];
    const end = next === undefined ? to : clamp(next.time_us);
    return {
      ph: 'X',
      name: exec.comm ?? exec.filename ?? '?',
      cat: 'exec',
      ts,
      dur: end - ts,
      args: { cmdline: exec.cmdline, filename: exec.filename },
    };
  });
  const failed = execs.filter(({ result }) => result !== 'ok');
  return [
    ...slices,
    ...failed.map(({ filename, result, time_us: time }): Omit<TraceEvent, 'pid' | 'tid'> => {
      const args = { filename, result };
      return { ph: 'i', name: `exec ${result}`, cat: 'exec', ts: clamp(time), s: 't', args };
    }),
  ];
}

function metadata(story: Story, pids: ReadonlyMap<number, number>): TraceEvent[] {
  const name = (pid: number, text: string, sort: number): TraceEvent[] => [
    { ph: 'M', name: 'process_name', pid, tid: pid, args: { name: text } },
    { ph: 'M', name: 'thread_name', pid, tid: pid, args: { name: 'life' } },
    { ph: 'M', name: 'process_sort_index', pid, tid: pid, args: { sort_index: sort } },
  ];
  const recorder = story.gaps.length === 0 ? [] : name(RECORDER, 'recorder', -1);
  return [
    ...recorder,
    ...story.lives.flatMap((life, i) => name(pids.get(life.id) ?? life.pid, nameOf(life), i)),
  ];
}

function factsOf({
  id,
  pid,
  ppid,
  exe,
  cmdline,
  cwd,
  uid,
  user,
  unit,
  container,
  ending,
}: StoryLife): Record<string, unknown> {
  return { process_id: id, pid, ppid, exe, cmdline, cwd, uid, user, unit, container, ending };
}

function json(value: unknown): string {
  return escapeJson(JSON.stringify(value));
}
