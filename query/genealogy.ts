/** Follows an exit status through the tree of processes: down to the child that it tells of, up to those that passed it on. */

import type Database from 'better-sqlite3';
import type { FailedExec } from './explain-exit.js';
import { type Life, lifeById } from './lives.js';
import { prepared } from './prepared.js';
import { MOST_RECEIVED } from './reach.js';
import { parseArgs } from './shell.js';
import { HARMLESS_SIGNALS } from './signal-names.js';
import { type EndedChild, explainedBy, passesOn } from './status.js';

const LONGEST_US = 60_000_000; // the longest of the habits
const FAILED_US = 5_000_000;
const MOST_FAILED = 20;
const MOST_CHILDREN = 50;
const MOST_PARENTS = 16;

/** The children that ended badly, or under a signal of the parent's, shortly before it did: the last first. */
export const ENDED_CHILDREN = `SELECT id FROM processes
  WHERE parent_id = :id AND ended_us BETWEEN :from AND :until
  ORDER BY ended_us DESC LIMIT :limit`;

/** A lethal signal of one process to another, among the last that this one received. */
export const SIGNALLED = `SELECT id FROM
  (SELECT id, sender_id, sig, outcome FROM signals WHERE target_id = :target ORDER BY id DESC LIMIT ${MOST_RECEIVED})
  WHERE sender_id = :sender AND sig NOT IN (SELECT value FROM json_each(:harmless)) AND outcome = 'delivered' LIMIT 1`;

const HARMLESS = JSON.stringify(HARMLESS_SIGNALS);

/** Executions that were refused to a process. */
export const FAILED_EXECS = `SELECT id, time, filename, result AS error FROM execs
  WHERE process_id = :id AND result <> 'ok' AND time_us BETWEEN :from AND :until ORDER BY id DESC LIMIT :limit`;

export type Child = Life & EndedChild;

/** The child whose end this process told by its own, and by which habit. */
export function reportedChild(db: Database.Database, life: Life): { child: Child; why: string } | null {
  if (life.ended_us === null || (life.exit_code ?? 0) + (life.exit_signal ?? 0) === 0) return null;
  // Ended by a signal, it tells of a child only if it sent that to itself.
  if (life.exit_signal !== null && !wasSignalled(db, life.id, life.id)) return null;
  const parent = asEnded(life, life.ended_us);
  const ids = db
    .prepare(ENDED_CHILDREN)
    .pluck()
    .all({
      id: life.id,
      from: life.ended_us - LONGEST_US,
      until: life.ended_us,
      limit: MOST_CHILDREN,
    }) as number[];
  const children = ids
    .map(id => lifeById(db, id))
    .filter((child): child is Life & { ended_us: number } => child !== undefined && child.ended_us !== null)
    .map(child => ({ ...child, isSignalled: wasSignalled(db, child.id, life.id) }));
  return explainedBy(parent, children);
}

/** The ancestors that ended with what this process's end became in them, nearest first. */
export function passedOnBy(db: Database.Database, life: Life): { life: Life; why: string }[] {
  const line: { life: Life; why: string }[] = [];
  for (let child = life; line.length < MOST_PARENTS && child.parent_id !== null; ) {
    const parent = lifeById(db, child.parent_id);
    if (parent === undefined || parent.ended_us === null || child.ended_us === null) break;
    const ended = { ...child, ended_us: child.ended_us, isSignalled: wasSignalled(db, child.id, parent.id) };
    const why = passesOn(asEnded(parent, parent.ended_us), ended);
    // Of several children the parent tells of one only.
    if (why === null || reportedChild(db, parent)?.child.id !== child.id) break;
    line.push({ life: parent, why });
    child = parent;
  }
  return line;
}

/** What the process tried in vain to execute shortly before `until`, oldest first. */
export function failedExecs(db: Database.Database, id: number, until: number | null): FailedExec[] {
  if (until === null) return [];
  const found = db.prepare(FAILED_EXECS).all({ id, from: until - FAILED_US, until, limit: MOST_FAILED });
  return (found as FailedExec[]).reverse();
}

function asEnded(life: Life, ended: number) {
  const { id, comm, exe, exit_code, exit_signal } = life;
  return { id, comm, exe, exit_code, exit_signal, ended_us: ended, args: parseArgs(life.args) };
}

function wasSignalled(db: Database.Database, target: number, sender: number): boolean {
  return prepared(db, SIGNALLED).get({ target, sender, harmless: HARMLESS }) !== undefined;
}
