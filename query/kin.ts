/** Processes as answers show them, and whose children they were: each as it was at the time that is meant. */

import type Database from 'better-sqlite3';
import { type Life, lifeById } from './lives.js';
import type { Recorded } from './loss.js';
import { prepared } from './prepared.js';
import { parseArgs } from './shell.js';
import type { Process } from './verdict.js';

const MOST_ANCESTORS = 256; // a damaged recording could go in circles

export const EXEC = 'SELECT comm, exe, args, cwd FROM execs WHERE id = :id';

export type Running = Pick<Life, 'comm' | 'exe' | 'args' | 'cwd'>;

/** What all verdicts of one answer share. */
export interface Surroundings {
  db: Database.Database;
  recorded: Recorded;
  userName: (uid: number | null) => string | null;
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
  const then = exec === null ? undefined : (prepared(db, EXEC).get({ id: exec }) as Running | undefined);
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
    user: life.user ?? userName(life.uid),
    ppid: life.ppid,
    cgroup: life.cgroup,
    unit: life.unit,
    container: life.container,
  };
}
