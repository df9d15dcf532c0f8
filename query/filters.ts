/**
 * Filters that several questions share: the option, and the SQL that it becomes. Texts are looked up once, in the small
 * views of texts, and the rows are then compared by id: a million rows take 50 ms that way, and 400 ms by their texts.
 */

import type { Option } from './query.js';

export const UNIT: Option = {
  name: 'unit',
  flags: '--unit <unit>',
  kind: 'unit',
  doc: 'only processes of this systemd unit; nginx means nginx.service',
};

export const CONTAINER: Option = {
  name: 'container',
  flags: '--container <id>',
  kind: 'container',
  doc: 'only processes of this container; the first digits of its id will do',
};

/** Both, as every question about processes takes them. */
export const GROUP: readonly Option[] = [UNIT, CONTAINER];

/** True where an option is not given, or the cgroup is one of the group: for rows that have `cgroup_id`. */
export const IN_GROUP = '((:unit IS NULL AND :container IS NULL) OR cgroup_id IN (SELECT id FROM group_ids))';

/** What IN_GROUP needs. */
export const GROUP_IDS = `group_ids AS MATERIALIZED (SELECT id FROM cgroups
  WHERE (:unit IS NULL OR unit = :unit) AND (:container IS NULL OR container GLOB :container))`;

/** The processes of the group; behind GROUP_IDS. */
export const MEMBER_IDS =
  'member_ids AS MATERIALIZED (SELECT id FROM processes WHERE cgroup_id IN (SELECT id FROM group_ids))';

/** True where an option is not given, or a process is one of the group. */
export const inGroup = (...roles: string[]): string =>
  `((:unit IS NULL AND :container IS NULL) OR ${roles.map(role => `${role} IN (SELECT id FROM member_ids)`).join(' OR ')})`;

/** The ids of the command name in `:NAME_comm`, as NAME_comms. */
export const commIds = (name: string): string =>
  `${name}_comms AS MATERIALIZED (SELECT id FROM comms WHERE comm = :${name}_comm)`;

/** The ids of the paths that are `:KEY`, or end in it, as NAME_paths. */
export const pathIds = (name: string, key: string): string =>
  `${name}_paths AS MATERIALIZED (SELECT id FROM paths WHERE path = :${key} OR substr(path, -length(:${key}) - 1) = '/' || :${key})`;

/**
 * The ids of the newest :limit rows of `view` for each of the processes whose ids are in `processes`. Each is asked for by
 * itself, and its index read from the end: an IN would read and sort a million rows of one busy process for the last thousand.
 */
export const newestOfEach = (view: string, processes: string, column: string, where: string): string =>
  `SELECT found.value AS id FROM ${processes} who, json_each((SELECT json_group_array(id)
    FROM (SELECT id FROM ${view} WHERE ${column} = who.id AND ${where} ORDER BY id DESC LIMIT :limit))) found`;
