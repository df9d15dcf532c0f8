/** Walks the tree of processes downwards, a generation at a time: a recursive statement would read each segment whole. */

import type Database from 'better-sqlite3';
import type { Life } from './lives.js';

/** A process with its depth below the first one. */
export interface Descendant {
  life: Life;
  depth: number;
}

/** Statement for the children of the processes whose ids are in :ids, JSON; found by the index on the parent. */
export const CHILDREN = `SELECT id, pid, started, ended, comm, exe, args, cwd, uid, ppid, parent_id, parent_exec_id, cgroup, unit,
    container, exit_code, exit_signal, core_dumped, origin, started_us, ended_us, unseen_end_us
  FROM processes WHERE parent_id IN (SELECT value FROM json_each(:ids))
  ORDER BY id LIMIT :limit`;

/**
 * The process and all that descend from it, each followed by its own, at most `limit` in all (0: all).
 * `isCut` is set when there were more.
 */
export function descendants(
  db: Database.Database,
  first: Life,
  limit: number,
  isCut: { value: boolean },
): Descendant[] {
  const most = limit === 0 ? Number.MAX_SAFE_INTEGER : limit;
  const statement = db.prepare(CHILDREN);
  const children = new Map<number, Life[]>();
  const known = new Set([first.id]);
  for (let ids = [first.id]; ids.length > 0 && known.size < most; ) {
    const found = statement.all({ ids: JSON.stringify(ids), limit: -1 }) as Life[];
    ids = [];
    for (const life of found) {
      // A damaged recording could go in circles.
      if (known.has(life.id)) continue;
      if (known.size >= most) {
        isCut.value = true;
        break;
      }
      known.add(life.id);
      ids.push(life.id);
      const parent = life.parent_id ?? 0;
      children.set(parent, [...(children.get(parent) ?? []), life]);
    }
  }
  const line: Descendant[] = [];
  const waiting: Descendant[] = [{ life: first, depth: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    line.push(next);
    const { depth } = next;
    waiting.push(
      ...(children.get(next.life.id) ?? []).toReversed().map(life => ({ life, depth: depth + 1 })),
    );
  }
  return line;
}
