/** Gathers from the views what a verdict is made of. Every statement finds its rows through an index. */

import type Database from 'better-sqlite3';
import { selectCause, windowOf } from './cause.js';
import { type DeliveryFact, deliveriesTo, fatalDelivery } from './deliveries.js';
import { reportedChild } from './genealogy.js';
import { ALL, idRange } from './id-range.js';
import { ancestryOf, EXEC, processOf, type Running, type Surroundings } from './kin.js';
import { countPid, type Life, lifeById } from './lives.js';
import { readGaps } from './loss.js';
import { prepared } from './prepared.js';
import { MOST_RECEIVED } from './reach.js';
import { instigatorOf } from './recent-execs.js';
import { parseArgs } from './shell.js';
import { HARMLESS_SIGNALS } from './signal-names.js';
import { type End, judge, type OomFact, type Process, type SignalFact, type Verdict } from './verdict.js';

export { ancestryOf, processOf, type Surroundings };

/** Events whose loss could change a verdict. */
export const VERDICT_EVENTS = ['signal', 'exit'] as const;

const MOST_SIGNALS = 200;
const MOST_DEATHS = 4; // of a chain in which one death led to the next
const MOST_STOPS = 100;

const SIGNAL_COLUMNS = `id, time_us, last_time_us, count, sig, mechanism, outcome, disposition, target_arg,
  sender_id, sender_pid, sender_comm, sender_uid, sender_exec_id, dying_id`;

/** The newest signals that were aimed at a process, however many it received. */
export const SIGNALS = `SELECT ${SIGNAL_COLUMNS} FROM signals
  WHERE target_id = :id AND id <= :last_id AND sig NOT IN (SELECT value FROM json_each(:harmless)) AND time_us <= :until
  ORDER BY id DESC LIMIT :limit`;

/** When the newest of them was sent. */
export const NEWEST_SIGNAL = 'SELECT time_us FROM signals WHERE target_id = :id ORDER BY id DESC LIMIT 1';

const newestTo = `FROM (SELECT ${SIGNAL_COLUMNS} FROM signals
  WHERE target_id = :id AND id <= :last_id ORDER BY id DESC LIMIT :most)`;

/** The newest of those with the signal that ended it: a storm of others must not push it out. Of :most that it received, -1: of all. */
export const FATAL_SIGNALS = `SELECT ${SIGNAL_COLUMNS} ${newestTo}
  WHERE sig = :sig AND time_us <= :until AND outcome IN ('delivered', 'delivered-bare', 'pending')
  ORDER BY id DESC LIMIT :limit`;

export const OOM = `SELECT id, time_us, trigger_pid, trigger_comm, memory_cgroup, rss_kb FROM oom_kills
  WHERE victim_id = :id AND time_us <= :until ORDER BY id DESC LIMIT 1`;

/** Signals that stopped it or let it go on, the newest first, of the :most last ones that it received. */
export const STOPS = `SELECT ${SIGNAL_COLUMNS} ${newestTo}
  WHERE sig BETWEEN 18 AND 22 AND time_us <= :until
  ORDER BY id DESC LIMIT :limit`;

const HARMLESS = JSON.stringify(HARMLESS_SIGNALS);

/** The verdict on one process, and on the deaths that led to its own, `depth` of them at most. */
export function verdictOn(life: Life, around: Surroundings, depth = MOST_DEATHS): Verdict {
  const { db, recorded } = around;
  const end = endOf(life);
  const deliveries = deliveriesTo(db, life.id, untilOf(life));
  const last_id = lastIdFor(db, life);
  const signals = signalsTo(db, life, last_id, deliveries);
  const cause = selectCause(end, signals, deliveries);
  const killer = cause?.sender_id == null ? undefined : lifeById(db, cause.sender_id);
  const process = processOf(life, around);
  const asKiller = killer === undefined || cause === null ? null : asItWas(killer, cause, around);
  const ancestry =
    killer === undefined ? [] : ancestryOf(db, killer).map(ancestor => processOf(ancestor, around));
  const oom =
    life.ended_us === null
      ? null
      : ((prepared(db, OOM).get({ id: life.id, until: life.ended_us }) ?? null) as OomFact | null);
  const isExplained = oom !== null || fatalDelivery(end, deliveries)?.mechanism != null;
  const led = depth > 1 ? ledTo(life, cause, around, depth) : null;
  return judge({
    pid: life.pid,
    process,
    end,
    signals,
    deliveries,
    stops: stopsOf(db, life, last_id),
    oom,
    killer: asKiller,
    ancestry,
    instigator: instigatorOf({ life, process, cause, isExplained, killer: asKiller, ancestry }, around),
    gaps: readGaps(db, windowOf(end, cause, recorded), life.ended_us === null ? ['exit'] : VERDICT_EVENTS),
    recorded,
    reused: countPid(db, life.pid) - 1,
    cause: led?.verdict ?? null,
    cause_why: led?.why ?? null,
  });
}

/** The last id that a signal which matters can have. Who is dead and not yet waited for can get a million more. */
function lastIdFor(db: Database.Database, life: Life): number {
  const newest = prepared(db, NEWEST_SIGNAL).pluck().get({ id: life.id }) as number | undefined;
  if (newest === undefined || newest <= untilOf(life)) return ALL.last_id;
  return idRange(db, 'signal', { from: null, to: untilOf(life) }).last_id;
}

function untilOf(life: Life): number {
  return life.ended_us ?? life.unseen_end_us ?? Number.MAX_SAFE_INTEGER;
}

function signalsTo(
  db: Database.Database,
  life: Life,
  last_id: number,
  deliveries: readonly DeliveryFact[],
): SignalFact[] {
  const asked = { id: life.id, last_id, until: untilOf(life), limit: MOST_SIGNALS };
  const newest = prepared(db, SIGNALS).all({ ...asked, harmless: HARMLESS }) as SignalFact[];
  let found = newest;
  if (newest.length === MOST_SIGNALS && life.exit_signal !== null)
    // The signal that ends a process is seldom far from its end, but may be: one that was blocked.
    for (const most of [MOST_RECEIVED, -1]) {
      if (hasCause(life, found, deliveries)) break;
      const fatal = prepared(db, FATAL_SIGNALS).all({
        ...asked,
        sig: life.exit_signal,
        most,
      }) as SignalFact[];
      found = [...new Map([...newest, ...fatal].map(signal => [signal.id, signal])).values()];
    }
  return found.sort((a, b) => a.time_us - b.time_us || a.id - b.id);
}

function stopsOf(db: Database.Database, life: Life, last_id: number): SignalFact[] {
  const asked = { id: life.id, last_id, until: untilOf(life), limit: MOST_STOPS, most: MOST_RECEIVED };
  return (prepared(db, STOPS).all(asked) as SignalFact[]).reverse();
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
      : (prepared(around.db, EXEC).get({ id: cause.sender_exec_id }) as Running | undefined);
  const uid = cause.sender_uid ?? process.uid;
  const then = exec === undefined ? {} : { exe: exec.exe, args: parseArgs(exec.args), cwd: exec.cwd };
  return {
    ...process,
    ...then,
    comm: cause.sender_comm ?? exec?.comm ?? process.comm,
    uid,
    user: uid === process.uid ? process.user : around.userName(uid),
  };
}

/** The death that led to this one: told by the kernel, or by the habit of a wrapper. */
function ledTo(
  life: Life,
  cause: SignalFact | null,
  around: Surroundings,
  depth: number,
): { verdict: Verdict; why: string | null } | null {
  if (cause !== null && cause.dying_id !== null) {
    const dying = lifeById(around.db, cause.dying_id);
    if (dying === undefined || dying.id === life.id) return null;
    return { verdict: verdictOn(dying, around, depth - 1), why: null };
  }
  // One that ends itself by a signal may tell by it how its child ended.
  if (life.exit_signal !== null && cause?.sender_id !== life.id) return null;
  const found = reportedChild(around.db, life);
  return found === null ? null : { verdict: verdictOn(found.child, around, depth - 1), why: found.why };
}
