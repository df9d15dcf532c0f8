/**
 * What happened, as one kind of row for all kinds of events: the statements that read them, and the sentence that tells each.
 * `timeline` asks for those of some processes, `tail` for the newest.
 */

import { showEnd } from './ending.js';
import type { Columns, Row } from './kinds.js';
import { isoTime, showDuration } from './time.js';

/** The kinds, in the order in which they stand when they have the same time. */
export const HAPPENINGS = ['fork', 'exec', 'signal', 'oom', 'exit', 'gap'] as const;
export type Kind = (typeof HAPPENINGS)[number];

/** A row of one of the statements below; what a kind does not have is absent. */
export interface Happening {
  event: Kind;
  /** Of the row in its view: signals, execs, oom_kills; of the process for fork and exit; null for a gap. */
  id: number | null;
  time_us: number;
  /** Who did it: the sender, the parent that forked, the process that executed or ended; null: the kernel. */
  process_id: number | null;
  pid: number | null;
  comm: string | null;
  uid?: number | null;
  /** To whom: the target, the child, the victim. */
  target_id?: number | null;
  target_pid?: number | null;
  target_comm?: string | null;
  target_arg?: number | null;
  sig?: number | null;
  signal?: string | null;
  count?: number | null;
  mechanism?: string | null;
  outcome?: string | null;
  disposition?: string | null;
  errno?: number | null;
  exit_code?: number | null;
  exit_signal?: number | null;
  core_dumped?: number | null;
  started_us?: number | null;
  file?: string | null;
  rss_kb?: number | null;
  cmdline?: string | null;
  cause?: string | null;
}

/** The columns that every answer made of happenings has. */
export const COLUMNS: Columns = {
  time: 'time',
  event: 'name',
  id: 'id',
  process_id: 'id',
  pid: 'pid',
  comm: 'name',
  uid: 'uid',
  target_id: 'id',
  target_pid: 'pid',
  target_comm: 'name',
  signal: 'name',
  sig: 'number',
  count: 'count',
  mechanism: 'name',
  outcome: 'name',
  disposition: 'name',
  ret: 'number',
  exit_code: 'number',
  exit_signal: 'number',
  file: 'path',
  cmdline: 'cmdline',
  text: 'text',
  time_us: 'number',
};

/** What they hold. */
export const COLUMN_DOCS: Readonly<Record<string, string>> = {
  time: 'when',
  event: 'fork, exec, signal, oom, exit or gap',
  id: 'of the row in signals, execs or oom_kills, of fork and exit in processes; null: a gap',
  process_id:
    'who did it: the sender, the parent that forked, the one that executed or ended; null: the kernel',
  pid: 'who did it: process id',
  comm: 'who did it: command name',
  uid: 'who did it: real user id',
  target_id: 'to whom: the target, the child, the victim: id',
  target_pid: 'to whom: process id',
  target_comm: 'to whom: command name',
  signal: 'name of the signal',
  sig: 'its number',
  count: 'how many identical ones this stands for; of a gap, what is missing',
  mechanism: 'how the signal came about',
  outcome: 'what became of it, or the name of the error; of an exec ok or the error',
  disposition: 'what the target would do with the signal',
  ret: 'what the call returned: 0, or minus the number of the error',
  exit_code: 'exit status, null when a signal ended it',
  exit_signal: 'number of the signal that ended it, null when it exited',
  file: 'file that was executed; of an oom the memory cgroup',
  cmdline: 'arguments, quoted so that a shell would read them back',
  text: 'the same as a sentence',
  time_us: 'time, microseconds',
};

/** Without WHERE. Signals that tell of the end of a child are left out by those who show that end itself. */
export const SELECT: Readonly<Record<Exclude<Kind, 'gap'>, string>> = {
  fork: `SELECT 'fork' AS event, id, started_us AS time_us, parent_id AS process_id, ppid AS pid, parent_comm AS comm,
  id AS target_id, pid AS target_pid, comm AS target_comm, uid FROM processes`,
  exec: `SELECT 'exec' AS event, id, time_us, process_id, pid, comm, uid, errno, result AS outcome,
  coalesce(filename, exe) AS file, cmdline FROM execs`,
  signal: `SELECT 'signal' AS event, id, time_us, sender_id AS process_id, sender_pid AS pid, sender_comm AS comm, sender_uid AS uid,
  target_id, target_pid, target_comm, target_arg, sig, signal, count, mechanism, outcome, disposition, errno FROM signals`,
  oom: `SELECT 'oom' AS event, id, time_us, NULL AS process_id, NULL AS pid, NULL AS comm, victim_id AS target_id,
  victim_pid AS target_pid, victim_comm AS target_comm, memory_cgroup AS file, rss_kb FROM oom_kills`,
  exit: `SELECT 'exit' AS event, id, ended_us AS time_us, id AS process_id, pid, comm, uid, exit_code, exit_signal, core_dumped,
  started_us, cmdline FROM processes`,
};

const RANK = new Map(HAPPENINGS.map((kind, rank) => [kind, rank]));

/** By time; a process is forked before it executes, and ends last. */
export function byTime(a: Happening, b: Happening): number {
  return (
    a.time_us - b.time_us || (RANK.get(a.event) ?? 0) - (RANK.get(b.event) ?? 0) || (a.id ?? 0) - (b.id ?? 0)
  );
}

/** The row of an answer. */
export function rowOf(found: Happening): Row {
  const row: Row = {};
  for (const name of Object.keys(COLUMNS)) row[name] = (found as unknown as Row)[name] ?? null;
  row.time = isoTime(found.time_us);
  row.ret = found.event === 'signal' || found.event === 'exec' ? -(found.errno ?? 0) || 0 : null;
  row.text = sentence(found);
  return row;
}

/** One sentence without a full stop, as a kernel log would say it; not yet escaped. */
export function sentence(found: Happening): string {
  switch (found.event) {
    case 'fork':
      return `${who(found)} forked PID ${found.target_pid}`;
    case 'exec':
      return `${who(found)} ${found.errno == null ? 'executed' : 'could not execute'} ${found.file ?? '?'}, ret = ${returned(found)}: ${found.cmdline ?? ''}`.trimEnd();
    case 'signal':
      return signalSentence(found);
    case 'oom':
      return `the kernel chose PID ${found.target_pid} (${found.target_comm ?? '?'})${found.rss_kb == null ? '' : `, which held ${Math.round(found.rss_kb / 1024)} MiB,`} to be killed for want of memory${found.file == null ? '' : ` in ${found.file}`}`;
    case 'exit':
      return `${who(found)} ${endOf(found)} after ${showDuration(found.time_us - (found.started_us ?? found.time_us))}`;
    case 'gap':
      return `not recorded: ${found.cause ?? '?'}${found.count == null ? '' : ` (${found.count} records)`}`;
  }
}

function signalSentence(found: Happening): string {
  const { sig, signal, target_pid, target_comm, target_arg, count, mechanism, outcome, disposition } = found;
  const name = sig === 0 || signal == null ? '' : ` (${signal})`;
  const target =
    target_pid == null
      ? `${target_arg ?? '?'}`
      : `PID ${target_pid}${target_comm == null ? '' : ` (${target_comm})`}`;
  const times = (count ?? 1) > 1 ? `, ${count} times` : '';
  const ret = found.process_id == null && found.pid == null ? '' : `, ret = ${returned(found)}`;
  const fate = found.errno != null ? '' : `: ${outcome}${disposition == null ? '' : `, ${disposition}`}`;
  return `${who(found)} sent signal ${sig}${name} to ${target}${ret}, by ${mechanism}${times}${fate}`;
}

function returned({ errno, outcome }: Happening): string {
  return errno == null ? '0' : `-${errno} (${outcome})`;
}

function who({ pid, comm }: Happening): string {
  return pid == null ? 'the kernel' : `PID ${pid} (${comm ?? '?'})`;
}

function endOf({ exit_code = null, exit_signal = null, core_dumped = null }: Happening): string {
  const end = showEnd({ exit_code, exit_signal, core_dumped, ended_us: 0, unseen_end_us: null });
  return exit_signal === null ? `ended with ${end}` : `was ended by ${end}`;
}
