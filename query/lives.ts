/** Finds the processes that a person means by a pid or a name. A pid alone is nobody: it comes again. */

import type Database from 'better-sqlite3';
import { commIds, pathIds } from './filters.js';
import { prepared } from './prepared.js';
import type { Parameters } from './query.js';
import { MOST_NAMED, reachOf } from './reach.js';

/** A process as the view `processes` shows it. */
export interface Life {
  id: number;
  pid: number;
  started: string;
  ended: string | null;
  comm: string | null;
  exe: string | null;
  args: string | null;
  cwd: string | null;
  uid: number | null;
  /** Name of that user on the recorded machine. */
  user: string | null;
  ppid: number | null;
  parent_id: number | null;
  parent_exec_id: number | null;
  cgroup: string | null;
  unit: string | null;
  container: string | null;
  exit_code: number | null;
  exit_signal: number | null;
  core_dumped: number | null;
  origin: string;
  started_us: number;
  ended_us: number | null;
  unseen_end_us: number | null;
}

const COLUMNS = `id, pid, started, ended, comm, exe, args, cwd, uid, user, ppid, parent_id, parent_exec_id, cgroup, unit, container,
  exit_code, exit_signal, core_dumped, origin, started_us, ended_us, unseen_end_us`;

/** Statement for an id. */
export const BY_ID = `SELECT ${COLUMNS} FROM processes WHERE id = :id`;

// Ended ones first and the last of them first; then those that ended unseen; then what still runs.
const ORDER = `ORDER BY ended_us IS NULL, unseen_end_us IS NULL, coalesce(ended_us, unseen_end_us, started_us) DESC, id DESC`;

const ALIVE = `(:at IS NULL OR (started_us <= :at AND (coalesce(ended_us, unseen_end_us) IS NULL OR coalesce(ended_us, unseen_end_us) >= :at)))
  AND (:since IS NULL OR coalesce(ended_us, unseen_end_us) IS NULL OR coalesce(ended_us, unseen_end_us) >= :since)
  AND (:until IS NULL OR coalesce(ended_us, started_us) <= :until)`;

/** Statement for a pid; the plan is tested to use the index on pid. */
export const BY_PID = `SELECT ${COLUMNS} FROM processes WHERE pid = :pid AND ${ALIVE} ${ORDER} LIMIT :limit`;

const NAME_IDS = `WITH ${commIds('who')},
${pathIds('who', 'name')},
who_args AS MATERIALIZED (SELECT id FROM arguments WHERE json_extract(args, '$[0]') = :name
  OR substr(json_extract(args, '$[0]'), -length(:name) - 1) = '/' || :name)`;
const GROUPS = `group_ids AS MATERIALIZED (SELECT id FROM cgroups WHERE unit = :name OR unit = :name || '.service'
  OR (length(:name) >= 8 AND substr(container, 1, length(:name)) = :name))`;

/** Whether anything bears a name, and whether a group does: few texts are asked before millions of processes. */
export const IS_NAME = `${NAME_IDS}, ${GROUPS}
SELECT EXISTS (SELECT 1 FROM who_comms) OR EXISTS (SELECT 1 FROM who_paths) OR EXISTS (SELECT 1 FROM who_args) AS isName,
  EXISTS (SELECT 1 FROM group_ids) AS isGroup`;

/** Statement for a name: of the command, of the file, or of the first argument. */
export const BY_NAME = `${NAME_IDS}
SELECT ${COLUMNS} FROM processes
WHERE (comm_id IN (SELECT id FROM who_comms) OR exe_id IN (SELECT id FROM who_paths)
    OR args_id IN (SELECT id FROM who_args))
  AND ${ALIVE} ${ORDER} LIMIT :limit`;

/** Statement for a name among the ends since :from, the last first: read backwards until there are enough. */
export const BY_NAME_LATELY = `
WITH ${commIds('who')},
${pathIds('who', 'name')}
SELECT ${COLUMNS} FROM processes
WHERE ended_us >= :from AND (comm_id IN (SELECT id FROM who_comms) OR exe_id IN (SELECT id FROM who_paths)
    OR json_extract(args, '$[0]') = :name OR substr(json_extract(args, '$[0]'), -length(:name) - 1) = '/' || :name)
  AND ${ALIVE} ORDER BY ended_us DESC, id DESC LIMIT :limit`;

/** Statement for a unit, with or without its suffix, or the beginning of a container id. */
export const BY_GROUP = `WITH ${GROUPS}
SELECT ${COLUMNS} FROM processes WHERE cgroup_id IN (SELECT id FROM group_ids) AND ${ALIVE} ${ORDER} LIMIT :limit`;

/** Statement that counts the processes that bore a pid. */
export const COUNT_PID = 'SELECT count(*) FROM processes WHERE pid = :pid';

/** The processes meant by :who_pid or :who_name, the one most likely meant first. Where none has the name, a unit or container may. */
export function findLives(db: Database.Database, parameters: Parameters, limit: number): Life[] {
  const { who_pid: pid = null, who_name: name = null, since = null, until = null, at = null } = parameters;
  if (pid !== null) return db.prepare(BY_PID).all({ pid, since, until, at, limit }) as Life[];
  const sought = { name, who_comm: commOf(String(name)) };
  const { isName, isGroup } = db.prepare(IS_NAME).get(sought) as { isName: number; isGroup: number };
  const named = isName === 1 ? db.prepare(BY_NAME).all({ ...sought, since, until, at, limit }) : [];
  if (named.length > 0 || isGroup === 0) return named as Life[];
  return db.prepare(BY_GROUP).all({ name, since, until, at, limit }) as Life[];
}

/** As findLives: but where one of the last ends is of that name, the last is meant, and the others are those of them alone. */
export function findLastLives(
  db: Database.Database,
  parameters: Parameters,
  limit: number,
): { lives: Life[]; isAll: boolean } {
  const { who_name: name = null, since = null, until = null, at = null } = parameters;
  const reach =
    name === null
      ? null
      : reachOf(db, 'end', parameters, Number(until ?? Number.MAX_SAFE_INTEGER), MOST_NAMED);
  const found =
    reach === null
      ? []
      : db.prepare(BY_NAME_LATELY).all({
          name,
          who_comm: commOf(String(name)),
          from: reach.first,
          since,
          until,
          at,
          limit,
        });
  if (found.length > 0) return { lives: found as Life[], isAll: false };
  return { lives: findLives(db, parameters, limit), isAll: true };
}

/** Of findLastLives: the processes. */
export function lastLives(db: Database.Database, parameters: Parameters, limit: number): Life[] {
  return findLastLives(db, parameters, limit).lives;
}

/** The process with this id. */
export function lifeById(db: Database.Database, id: number): Life | undefined {
  return prepared(db, BY_ID).get({ id }) as Life | undefined;
}

/** How many processes of the recording bore this pid. */
export function countPid(db: Database.Database, pid: number): number {
  return db.prepare(COUNT_PID).pluck().get({ pid }) as number;
}

/** The 15 bytes that the kernel keeps of a command name. */
export function commOf(name: string): string {
  return Buffer.from(name.slice(name.lastIndexOf('/') + 1))
    .subarray(0, 15)
    .toString();
}

/** What was looked for, for "no … found". */
export function soughtProcess({ who_pid: pid, who_name: name, at }: Parameters): string {
  const who = pid === null ? `process named '${name}'` : `process with pid ${pid}`;
  return at == null ? who : `${who} alive at that time`;
}

/** What to say to someone who mistyped a pid. */
export function nameHint({ who_name: name }: Parameters): string | undefined {
  return /^\d/.test(String(name ?? '')) ? `'${name}' is not a number, so it was taken for a name` : undefined;
}
