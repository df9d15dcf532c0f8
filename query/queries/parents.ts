/** Which parents start a program. */

import type Database from 'better-sqlite3';
import { list } from '../answer.js';
import { escapeText } from '../escape.js';
import { commIds, GROUP, GROUP_IDS, IN_GROUP, pathIds } from '../filters.js';
import { idRange } from '../id-range.js';
import type { Columns, Row } from '../kinds.js';
import { type Answer, defineQuery, type ListQuestion, type Parameters } from '../query.js';
import { gapsWithin, newestOrAll, reachNote, reachOf } from '../reach.js';
import { drawTree } from '../render/tree.js';
import { flatten, lineages, type Runs, type Spawner, spawnerTree } from '../spawners.js';
import { fromIsoTime, showTime } from '../time.js';

const MOST_PARENTS = 1000; // each is climbed by itself
const EVENTS = ['exec', 'fork'] as const;
const SOUGHT = 'successful execs of that program';

const TEXTS = [GROUP_IDS, pathIds('binary', 'binary'), commIds('binary')].join(',\n');
const RUNS = `FROM execs
WHERE errno IS NULL AND id BETWEEN :first_id AND :last_id
  AND (:since IS NULL OR time_us >= :since) AND (:until IS NULL OR time_us <= :until)
  AND (:uid IS NULL OR uid = :uid)
  AND (exe_id IN (SELECT id FROM binary_paths) OR filename_id IN (SELECT id FROM binary_paths)
    OR comm_id IN (SELECT id FROM binary_comms))
  AND ${IN_GROUP}`;

/** Statement for the runs of a program by the process that started it, the most frequent first. */
export const BY_PARENT = `WITH ${TEXTS}
SELECT parent_id, parent_exec_id, count(*) AS count, min(time) AS first, max(time) AS last
${RUNS}
GROUP BY parent_id, parent_exec_id
ORDER BY count DESC, first
LIMIT :limit`;

const QUESTION = {
  name: 'parents',
  summary: 'which parents start a program, and how often',
  why: 'Counts successful runs of a program by what the parent was when it forked, among the newest execs unless --since says from when on: the first thing to ask about a program that should not run, or runs too often. With --tree it goes on to the parents of the parents, up to the first process.',
  examples: [
    { command: 'snoopq parents gzip', doc: 'who runs gzip, from whatever directory' },
    { command: 'snoopq parents /usr/bin/python3 --since boot', doc: 'who ran exactly this file since boot' },
    { command: 'snoopq parents sleep --tree', doc: 'who runs sleep, and who runs those, as a tree' },
  ],
  args: [
    {
      name: 'binary',
      shown: 'BINARY',
      kind: 'program',
      doc: 'base name or full path of the file, or command name',
    },
  ],
  options: [
    { name: 'tree', flags: '--tree', kind: 'flag', doc: 'the parents of the parents too' },
    { name: 'uid', flags: '--uid <user>', kind: 'uid', doc: 'run by this user' },
    ...GROUP,
  ],
  views: ['execs'],
  docs: {
    depth: 'with --tree: 0 is the program itself, 1 who started it, and so on',
    comm: 'with --tree: command name',
    exe: 'with --tree: file that it executed',
    count: 'successful runs of the program',
    first: 'time of the first of them',
    last: 'time of the last',
  },
  events: EVENTS,
} as const;

/** The table: one row for each parent. */
export const parentsTable: ListQuestion = {
  ...QUESTION,
  sought: SOUGHT,
  sql: `WITH ${TEXTS}
SELECT parent_comm, parent_exe, count(*) AS count, min(time) AS first, max(time) AS last
${RUNS}
GROUP BY parent_comm_id, parent_exe_id`,
  grows: 'exec',
  order: { by: 'count', first: 'highest' },
  columns: { parent_comm: 'name', parent_exe: 'path', count: 'count', first: 'time', last: 'time' },
};

const TREE_COLUMNS: Columns = {
  depth: 'number',
  comm: 'name',
  exe: 'path',
  count: 'count',
  first: 'time',
  last: 'time',
};

export const parents = defineQuery({
  ...QUESTION,
  shapes: [parentsTable.columns, TREE_COLUMNS],
  answer: (db, parameters): Answer =>
    parameters.tree === 1 ? treeOf(db, parameters) : list(parentsTable, db, parameters),
});

function treeOf(db: Database.Database, parameters: Parameters): Answer {
  const window = { from: parameters.since as number | null, to: parameters.until as number | null };
  const ids = idRange(db, 'exec', window);
  const statement = db.prepare(BY_PARENT);
  const { rows: runs, reach } = newestOrAll(
    reachOf(db, 'exec', parameters, ids.last_id),
    ids.first_id,
    first_id => statement.all({ ...parameters, ...ids, first_id, limit: MOST_PARENTS + 1 }) as Runs[],
  );
  const shown = runs.slice(0, MOST_PARENTS);
  const nodes = [...flatten(spawnerTree(String(parameters.binary), shown, lineages(db)))];
  const rows = shown.length === 0 ? [] : nodes.map(rowOf);
  const clock = { utc: parameters.utc === 1 };
  return {
    columns: TREE_COLUMNS,
    rows: parameters.reverse === 1 ? rows.reverse() : rows,
    ...(rows.length === 0
      ? {}
      : {
          drawing: (width: number) =>
            drawTree(
              nodes.map(({ node, depth }) => ({ label: label(node, clock), depth })),
              width,
            ),
        }),
    gaps: gapsWithin(db, window, reach, EVENTS),
    sought: SOUGHT,
    notes: () => [
      ...(runs.length > shown.length
        ? [`only the ${MOST_PARENTS} parents with most runs are in the tree`]
        : []),
      ...(reach === null ? [] : [reachNote(reach, clock)]),
    ],
  };
}

function rowOf({ node: { comm, exe, count, first, last }, depth }: { node: Spawner; depth: number }): Row {
  return { depth, comm, exe, count, first, last };
}

function label({ comm, exe, count, first, last }: Spawner, clock: { utc: boolean }): string {
  const times = [first, last].map(iso => showTime(fromIsoTime(iso), clock, 0));
  const span = times[0] === times[1] ? times[0] : `${times[0]} … ${times[1]}`;
  return escapeText(`${comm ?? '?'}  ×${count}  ${exe === null ? '' : `${exe}  `}${span}`);
}
