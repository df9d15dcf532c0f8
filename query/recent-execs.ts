/** Finds who wanted a process dead: among the parents of its killer, and among the commands that were run shortly before. */

import type Database from 'better-sqlite3';
import { idRange } from './id-range.js';
import {
  clientCommands,
  climb,
  containerNames,
  type Instigator,
  matchExec,
  type Names,
  type RecentExec,
} from './instigator.js';
import { ancestryOf, processOf, type Surroundings } from './kin.js';
import { type Life, lifeById } from './lives.js';
import { parseArgs } from './shell.js';
import { isoTime } from './time.js';
import type { Process, SignalFact } from './verdict.js';

/** A manager acts within moments, but waits up to 90 s between its request and SIGKILL. */
const SERVICE_US = 120_000_000;
/** One that kills itself does so at once. */
const ITSELF_US = 5_000_000;
const MOST_EXECS = 500;
const MOST_IDS = 100_000;

/**
 * Commands of a span that could name a victim; the ids bound what is read. It is read forward, hence the plus: a disk that
 * is read backward is read page by page.
 */
export const RECENT_EXECS = `WITH
  command_ids AS MATERIALIZED (SELECT id FROM comms WHERE comm IN (SELECT value FROM json_each(:commands)))
  SELECT id, time, time_us, process_id, comm, exe, args FROM execs
  WHERE id BETWEEN :first_id AND :last_id AND time_us BETWEEN :from AND :until
    AND comm_id IN (SELECT id FROM command_ids) AND errno IS NULL
  ORDER BY +id DESC LIMIT :limit`;

/** Names of the commands that name a victim, a JSON array. */
export const COMMANDS = JSON.stringify(clientCommands().map(name => name.slice(0, 15)));

interface Death {
  life: Life;
  process: Process;
  cause: SignalFact | null;
  /** How it came about is known without a sender: memory ran out, a timer. */
  isExplained: boolean;
  killer: Process | null;
  /** The killer's. */
  ancestry: readonly Process[];
}

/** Null where nothing fits: never a guess. */
export function instigatorOf(death: Death, around: Surroundings): Instigator | null {
  const { life, cause, isExplained, killer, ancestry } = death;
  if (life.ended_us === null || life.exit_signal === null || killer?.id === life.id) return null;
  if (cause === null) return isExplained ? null : named(death, null, life.ended_us, around);
  if (killer === null || cause.dying_id !== null) return null;
  const found = climb([killer, ...ancestry]);
  if (found.end === 'found') {
    return { process: found.process, why: found.why, certainty: 'proven', exec: null };
  }
  return found.end === 'service' ? named(death, found.service, cause.time_us, around) : null;
}

/** By a command that names the victim. */
function named(
  { life, process }: Death,
  service: Process | null,
  sent: number,
  around: Surroundings,
): Instigator | null {
  const { db } = around;
  const execs = recentExecs(db, sent - (service === null ? ITSELF_US : SERVICE_US), sent);
  if (execs.length === 0) return null;
  const ancestors = ancestryOf(db, life).map(ancestor => processOf(ancestor, around));
  const names: Names = { ...process, containerNames: containerNames([process, ...ancestors]) };
  const match = matchExec(execs, names, service);
  if (match === null) return null;
  const { exec } = match;
  const client = lifeById(db, exec.process_id);
  if (client === undefined || client.id === life.id) return null;
  const asClient: Process = { ...processOf(client, around), comm: exec.comm, exe: exec.exe, args: exec.args };
  const line = [asClient, ...ancestryOf(db, client).map(ancestor => processOf(ancestor, around))];
  const asked = climb(line);
  return {
    process: asked.end === 'found' ? asked.process : asClient,
    why: match.why(sent),
    certainty: 'probable',
    exec: { id: exec.id, time: isoTime(exec.time_us), process_id: exec.process_id, args: exec.args },
  };
}

function recentExecs(db: Database.Database, from: number, until: number): RecentExec[] {
  const { first_id, last_id } = idRange(db, 'exec', { from, to: until });
  const rows = db.prepare(RECENT_EXECS).all({
    first_id: Math.max(first_id, last_id - MOST_IDS),
    last_id,
    from,
    until,
    commands: COMMANDS,
    limit: MOST_EXECS,
  }) as (Omit<RecentExec, 'args'> & { args: string | null })[];
  return rows.map(row => ({ ...row, args: parseArgs(row.args) }));
}
