/** Gathers from the views what a verdict is made of. Every statement finds its rows through an index. */

import type Database from 'better-sqlite3';
import { type DeliveryFact, deliveriesTo } from './deliveries.js';
import { countPid, type Life, lifeById } from './lives.js';
import { type Recorded, readGaps } from './loss.js';
import { parseArgs } from './shell.js';
import { isLethal } from './signal-names.js';
import {
  type End,
  judge,
  type OomFact,
  type Process,
  type SignalFact,
  selectCause,
  type Verdict,
  windowOf,
} from './verdict.js';

/** Events whose loss could change a verdict. */
export const VERDICT_EVENTS = ['signal', 'exit'] as const;

const MOST_SIGNALS = 200;
const MOST_ANCESTORS = 256; // a damaged recording could go in circles
const MOST_DEATHS = 4; // of a chain in which one death led to the next
const CHILD_NEAR_US = 10_000_000;

const SIGNAL_COLUMNS = `id, time_us, last_time_us, count, sig, mechanism, outcome, disposition, target_arg,
  sender_id, sender_pid, sender_comm, sender_uid, sender_exec_id, dying_id`;

/** The newest signals that were aimed at a process, however many it received. */
export const SIGNALS = `SELECT ${SIGNAL_COLUMNS} FROM signals
  WHERE target_id = :id AND sig NOT IN (SELECT value FROM json_each(:harmless)) AND time_us <= :until
  ORDER BY id DESC LIMIT :limit`;

/** The newest of those with the signal that ended it: a storm of others must not push it out. */
export const FATAL_SIGNALS = `SELECT ${SIGNAL_COLUMNS} FROM signals
  WHERE target_id = :id AND sig = :sig AND time_us <= :until AND outcome IN ('delivered', 'delivered-bare', 'pending')
  ORDER BY id DESC LIMIT :limit`;

export const OOM = `SELECT time_us, trigger_pid, trigger_comm, memory_cgroup, rss_kb FROM oom_kills
  WHERE victim_id = :id AND time_us <= :until ORDER BY id DESC LIMIT 1`;

export const EXEC = 'SELECT comm, exe, args, cwd FROM execs WHERE id = :id';

type Running = Pick<Life, 'comm' | 'exe' | 'args' | 'cwd'>;

/** The child that died of a signal just before its parent exited with 128 + that signal. */
export const DEAD_CHILD = `SELECT id FROM processes
  WHERE parent_id = :id AND exit_signal = :sig AND ended_us BETWEEN :from AND :until
  ORDER BY ended_us DESC LIMIT 1`;

const HARMLESS = JSON.stringify(Array.from({ length: 65 }, (_, sig) => sig).filter(sig => !isLethal(sig)));

/** What all verdicts of one answer share. */
export interface Surroundings {
  db: Database.Database;
  recorded: Recorded;
  userName: (uid: number | null) => string | null;
}

/** The verdict on one process, and on the deaths that led to its own. */
export function verdictOn(life: Life, around: Surroundings, depth = 1): Verdict {
  const { db, recorded } = around;
  const end = endOf(life);
  const deliveries = deliveriesTo(db, life.id, untilOf(life));
  const signals = signalsTo(db, life, deliveries);
  const cause = selectCause(end, signals, deliveries);
  const killer = cause?.sender_id == null ? undefined : lifeById(db, cause.sender_id);
  return judge({
    pid: life.pid,
    process: processOf(life, around),
    end,
    signals,
    deliveries,
    oom:
      life.ended_us === null
        ? null
        : ((db.prepare(OOM).get({ id: life.id, until: life.ended_us }) ?? null) as OomFact | null),
    killer: killer === undefined || cause === null ? null : asItWas(killer, cause, around),
    ancestry: killer === undefined ? [] : ancestryOf(db, killer).map(ancestor => processOf(ancestor, around)),
    gaps: readGaps(db, windowOf(end, cause, recorded), life.ended_us === null ? ['exit'] : VERDICT_EVENTS),
    recorded,
    reused: countPid(db, life.pid) - 1,
    cause: depth < MOST_DEATHS ? ledTo(life, cause, around, depth) : null,
  });
}

/** The ancestors of a process, nearest first, each as it was when it forked the next. */
export function ancestryOf(db: Database.Database, life: Life): Life[] {
  const line: Life[] = [];
  for (let child = life; child.parent_id !== null && line.length < MOST_ANCESTORS; ) {
    const parent = lifeById(db, child.parent_id);
    if (parent === undefined) break;
    line.push(whenRunning(db, parent, child.parent_exec_id));
    child = parent;
  }
  return line;
}

/** A process as it was while it ran what that exec began. */
function whenRunning(db: Database.Database, life: Life, exec: number | null): Life {
  const then = exec === null ? undefined : (db.prepare(EXEC).get({ id: exec }) as Running | undefined);
  return then === undefined ? life : { ...life, ...then, comm: then.comm ?? life.comm };
}

/** A process as answers show it. */
export function processOf(life: Life, { userName }: Pick<Surroundings, 'userName'>): Process {
  return {
    id: life.id,
    pid: life.pid,
    started: life.started,
    ended: life.ended,
    comm: life.comm,
    exe: life.exe,
    args: parseArgs(life.args),
    cwd: life.cwd,
    uid: life.uid,
    user: userName(life.uid),
    ppid: life.ppid,
    cgroup: life.cgroup,
    unit: life.unit,
    container: life.container,
  };
}

function untilOf(life: Life): number {
  return life.ended_us ?? life.unseen_end_us ?? Number.MAX_SAFE_INTEGER;
}

function signalsTo(db: Database.Database, life: Life, deliveries: readonly DeliveryFact[]): SignalFact[] {
  const asked = { id: life.id, until: untilOf(life), limit: MOST_SIGNALS };
  const newest = db.prepare(SIGNALS).all({ ...asked, harmless: HARMLESS }) as SignalFact[];
  const isEnough =
    newest.length < MOST_SIGNALS || life.exit_signal === null || hasCause(life, newest, deliveries);
  const fatal = isEnough
    ? []
    : (db.prepare(FATAL_SIGNALS).all({ ...asked, sig: life.exit_signal }) as SignalFact[]);
  const byId = new Map([...newest, ...fatal].map(signal => [signal.id, signal]));
  return [...byId.values()].sort((a, b) => a.time_us - b.time_us || a.id - b.id);
}

function hasCause(life: Life, signals: readonly SignalFact[], deliveries: readonly DeliveryFact[]): boolean {
  const cause = selectCause(endOf(life), signals, deliveries);
  return cause !== null && cause.outcome !== 'pending';
}

function endOf(life: Life): End {
  return { ...life, core_dumped: life.core_dumped === 1 };
}

// A shell that ran kill(1) by exec may run something else by now, so what the sender was at that time goes first.
function asItWas(killer: Life, cause: SignalFact, around: Surroundings): Process {
  const process = processOf(killer, around);
  const exec =
    cause.sender_exec_id === null
      ? undefined
      : (around.db.prepare(EXEC).get({ id: cause.sender_exec_id }) as Running | undefined);
  const uid = cause.sender_uid ?? process.uid;
  const then = exec === undefined ? {} : { exe: exec.exe, args: parseArgs(exec.args), cwd: exec.cwd };
  return {
    ...process,
    ...then,
    comm: cause.sender_comm ?? exec?.comm ?? process.comm,
    uid,
    user: around.userName(uid),
  };
}

function ledTo(life: Life, cause: SignalFact | null, around: Surroundings, depth: number): Verdict | null {
  if (cause !== null) {
    const dying = cause.dying_id === null ? undefined : lifeById(around.db, cause.dying_id);
    return dying === undefined || dying.id === life.id ? null : verdictOn(dying, around, depth + 1);
  }
  if (life.ended_us === null || life.exit_code === null) return null;
  const sig = life.exit_code - 128;
  if (sig < 1 || !isLethal(sig)) return null;
  const child = around.db
    .prepare(DEAD_CHILD)
    .pluck()
    .get({ id: life.id, sig, from: life.ended_us - CHILD_NEAR_US, until: life.ended_us }) as
    | number
    | undefined;
  const dead = child === undefined ? undefined : lifeById(around.db, child);
  return dead === undefined ? null : verdictOn(dead, around, depth + 1);
}
