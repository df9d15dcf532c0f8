/** The processes of a unit or container: the group that --unit and --container name. */

import type Database from 'better-sqlite3';
import { SnoopError } from '../migrations/errors.js';
import { GROUP_IDS } from './filters.js';
import { lifeById } from './lives.js';
import type { Parameters } from './query.js';

/** Statement for those that lived in the span, the newest first. */
export const MEMBERS = `WITH ${GROUP_IDS}
SELECT id FROM processes WHERE cgroup_id IN (SELECT id FROM group_ids)
  AND (:since IS NULL OR coalesce(ended_us, :since) >= :since) AND (:until IS NULL OR started_us <= :until)
ORDER BY id DESC LIMIT :limit`;

const CONTAINER_DIGITS = 12;

/** Whether a group is asked for; SnoopError 'usage' where a process is named too. */
export function asksForGroup({ who_pid, who_name, unit = null, container = null }: Parameters): boolean {
  const isGroup = unit !== null || container !== null;
  if (isGroup && (who_pid != null || who_name != null))
    throw new SnoopError(
      'usage',
      'a process and a group are two questions',
      'give a pid, a name, --unit or --container',
    );
  return isGroup;
}

/** Ids, the newest first; `limit` -1: all. */
export function membersOf(
  db: Database.Database,
  { unit = null, container = null, since = null, until = null }: Parameters,
  limit: number,
): number[] {
  return db.prepare(MEMBERS).pluck().all({ unit, container, since, until, limit }) as number[];
}

/** The group by the name that its members have: `app.service`, `container 4f5bee5c01ab`. */
export function groupName(
  db: Database.Database,
  ids: readonly number[],
  { unit = null }: Parameters,
): string {
  if (unit !== null) return String(unit);
  const found = ids[0] === undefined ? undefined : lifeById(db, ids[0]);
  return `container ${(found?.container ?? '?').slice(0, CONTAINER_DIGITS)}`;
}
