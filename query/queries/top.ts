/** Who does most of it. */

import { capped, cutNote } from '../answer.js';
import { GROUP, GROUP_IDS, IN_GROUP, inGroup, MEMBER_IDS } from '../filters.js';
import { ALL, idRange } from '../id-range.js';
import type { Columns, Row } from '../kinds.js';
import { type Answer, defineQuery } from '../query.js';
import { gapsWithin, MOST_COUNTED, newestOrAll, reachNote, reachOf, shown } from '../reach.js';
import { isoTime } from '../time.js';

const DEFAULT_ROWS = 20;

interface Ranking {
  /** The table whose growing ids it selects by. */
  grows: 'signal' | 'exec' | 'process';
  events: readonly string[];
  columns: Columns;
  /** The column that says how high a row stands. */
  by: string;
  sql: string;
}

const SPAN = '(:since IS NULL OR time_us >= :since) AND (:until IS NULL OR time_us <= :until)';
const LIVED = `id BETWEEN :first_id AND :last_id AND (:since IS NULL OR coalesce(ended_us, :since) >= :since)
  AND (:until IS NULL OR started_us <= :until) AND ${IN_GROUP}`;
const GROUPS = `WITH ${GROUP_IDS},\n${MEMBER_IDS}`;
const TIMES = 'min(time_us) AS first, max(time_us) AS last';

// Counted by id, and the few ids that are left get their names: a name for each row of a million takes half a second.
// SQLite leaves out the joins of a view that nothing asks for, but not where rows are aggregated (src/select.c,
// OMIT_NOOP_JOIN): so LIMIT -1, which is none, keeps what is counted apart from the counting.
const ofSignals = (key: string, name: string, id: string, where: string): Ranking => ({
  grows: 'signal',
  events: ['signal', 'attempt'],
  columns: { [key]: 'name', signals: 'count', kills: 'count', refused: 'count', first: 'time', last: 'time' },
  by: 'signals',
  sql: `${GROUPS}
SELECT ${name} AS ${key}, sum(signals) AS signals, sum(kills) AS kills, sum(refused) AS refused, min(first) AS first, max(last) AS last
FROM (SELECT key, sum(count) AS signals, coalesce(sum(count) FILTER (WHERE sig = 9), 0) AS kills,
    coalesce(sum(count) FILTER (WHERE errno IS NOT NULL), 0) AS refused, ${TIMES}
  FROM (SELECT ${id} AS key, count, sig, errno, time_us FROM signals
    WHERE id BETWEEN :first_id AND :last_id AND ${SPAN} AND ${where} LIMIT -1)
  GROUP BY key)
GROUP BY 1`,
});

const ofExecs = (key: string, name: string, id: string): Ranking => ({
  grows: 'exec',
  events: ['exec'],
  columns: { [key]: 'path', execs: 'count', failed: 'count', first: 'time', last: 'time' },
  by: 'execs',
  sql: `${GROUPS}
SELECT ${name} AS ${key}, sum(execs) AS execs, sum(failed) AS failed, min(first) AS first, max(last) AS last
FROM (SELECT key, count(*) AS execs, count(errno) AS failed, ${TIMES}
  FROM (SELECT ${id} AS key, errno, time_us FROM execs
    WHERE id BETWEEN :first_id AND :last_id AND ${SPAN} AND ${IN_GROUP} LIMIT -1)
  GROUP BY key)
GROUP BY 1`,
});

const COMM = '(SELECT comm FROM comms WHERE id = key)';
const PATH = '(SELECT path FROM paths WHERE id = key)';
// Not news of children (SIGCHLD): everybody would lead who has many.
const NO_NEWS = 'sig <> 17';

/** What may be ranked. */
export const RANKINGS = {
  sender: ofSignals(
    'sender',
    COMM,
    'sender_comm_id',
    `sender_id IS NOT NULL AND ${NO_NEWS} AND ${inGroup('sender_id')}`,
  ),
  target: ofSignals(
    'target',
    COMM,
    'target_comm_id',
    `target_id IS NOT NULL AND ${NO_NEWS} AND ${inGroup('target_id')}`,
  ),
  signal: ofSignals(
    'signal',
    'coalesce((SELECT name FROM signal_names WHERE sig = key), CAST(key AS TEXT))',
    'sig',
    inGroup('sender_id', 'target_id'),
  ),
  binary: ofExecs('binary', PATH, 'coalesce(exe_id, filename_id)'),
  parent: ofExecs(
    'parent',
    `coalesce(${PATH}, (SELECT comm FROM comms WHERE id = -key))`,
    'coalesce(parent_exe_id, -parent_comm_id)',
  ),
  uid: {
    grows: 'process',
    events: ['fork', 'exit'],
    columns: {
      uid: 'uid',
      user: 'name',
      processes: 'count',
      killed: 'count',
      failed: 'count',
      system_calls: 'count',
      cpu_ms: 'milliseconds',
    },
    by: 'processes',
    sql: `${GROUPS}
SELECT uid, user, count(*) AS processes, count(exit_signal) AS killed, count(nullif(exit_code, 0)) AS failed,
  (SELECT sum(count) FROM uid_counts u WHERE u.uid = chosen.uid AND (:since IS NULL OR u.to_us >= :since)
    AND (:until IS NULL OR u.from_us <= :until)) AS system_calls,
  round(sum(user_us + system_us) / 1000.0) AS cpu_ms
FROM (SELECT uid, user, exit_signal, exit_code, user_us, system_us FROM processes WHERE ${LIVED} LIMIT -1) chosen
GROUP BY uid`,
  },
  unit: {
    grows: 'process',
    events: ['fork', 'exit'],
    columns: {
      unit: 'name',
      processes: 'count',
      killed: 'count',
      failed: 'count',
      out_of_memory: 'count',
      cpu_ms: 'milliseconds',
      max_rss_kb: 'number',
    },
    by: 'processes',
    sql: `${GROUPS},
oom_ids AS MATERIALIZED (SELECT victim_id AS id FROM oom_kills)
SELECT unit, count(*) AS processes, count(exit_signal) AS killed, count(nullif(exit_code, 0)) AS failed,
  count((SELECT 1 FROM oom_ids WHERE oom_ids.id = chosen.id)) AS out_of_memory,
  round(sum(user_us + system_us) / 1000.0) AS cpu_ms, max(max_rss_kb) AS max_rss_kb
FROM (SELECT id, unit, exit_signal, exit_code, user_us, system_us, max_rss_kb FROM processes WHERE ${LIVED} LIMIT -1) chosen
GROUP BY unit`,
  },
} as const satisfies Record<string, Ranking>;

const KEYS = Object.keys(RANKINGS);

/** The statement of a ranking, highest first. */
export function rankingSql({ sql, columns, by }: Ranking): string {
  const [key] = Object.keys(columns);
  return `${sql}\nORDER BY ${by} DESC, ${key}\nLIMIT :limit`;
}

export const top = defineQuery({
  name: 'top',
  summary: 'who sends, gets, runs or dies most',
  why: `Counts what was recorded by sender, target, signal, binary, parent, uid or unit, the highest first: of the newest ${shown(MOST_COUNTED)} rows, unless --since says from when on. Signals count as often as they were sent, also where identical ones share a row. By uid it also tells the system calls, where the recorder counted them (--count-syscalls).`,
  examples: [
    { command: 'snoopq top --by sender --since today', doc: 'who sent most signals today' },
    { command: 'snoopq top --by binary -n 5', doc: 'the five programs that were run most' },
    { command: 'snoopq top --by uid --json', doc: 'processes and system calls of each user, for a program' },
  ],
  args: [],
  options: [
    {
      name: 'by',
      flags: '--by <what>',
      kind: 'text',
      choices: KEYS,
      doc: `${KEYS.join(', ')} (default: sender)`,
    },
    ...GROUP,
  ],
  shapes: Object.values(RANKINGS).map(({ columns }) => columns),
  docs: {
    sender: '--by sender: command name of the sender',
    target: '--by target: command name of the target',
    signal: '--by signal: name of the signal',
    binary: '--by binary: file that was executed',
    parent: '--by parent: file of the parent that started it, or its command name',
    uid: '--by uid: real user id',
    user: 'its name on that machine',
    unit: '--by unit: systemd unit; null: of no unit',
    signals: 'signals, each as often as it was sent',
    kills: 'of these, SIGKILL',
    refused: 'of these, refused by the kernel',
    execs: 'executions',
    failed: 'of executions, refused ones; of processes, those that exited with a status other than 0',
    processes: 'processes',
    killed: 'of these, ended by a signal',
    out_of_memory: 'of these, chosen by the OOM killer',
    system_calls: 'system calls that they made, where the recorder counted them',
    cpu_ms: 'CPU time of those that ended, milliseconds',
    max_rss_kb: 'largest resident memory of one of them, KiB',
    first: 'time of the first',
    last: 'time of the last',
  },
  events: ['signal', 'attempt', 'exec', 'fork', 'exit'],
  answer(db, parameters): Answer {
    const by = (parameters.by ?? 'sender') as keyof typeof RANKINGS;
    const ranking: Ranking = RANKINGS[by];
    const limit = Number(parameters.limit ?? DEFAULT_ROWS);
    const window = { from: parameters.since as number | null, to: parameters.until as number | null };
    const { grows } = ranking;
    const ids = grows === 'process' ? ALL : idRange(db, grows, window);
    const near = reachOf(db, grows, { since: parameters.since ?? null }, ids.last_id, MOST_COUNTED);
    const statement = db.prepare(rankingSql(ranking));
    const asked = { ...parameters, ...ids, limit: limit === 0 ? -1 : limit + 1 };
    const { rows, reach } = newestOrAll(
      near,
      ids.first_id,
      first_id => statement.all({ ...asked, first_id }) as Row[],
    );
    const isCut = { value: false };
    const shown = [...capped(rows, limit, isCut)].map(withTimes);
    return {
      columns: ranking.columns,
      rows: parameters.reverse === 1 ? shown.reverse() : shown,
      gaps: gapsWithin(db, window, reach, ranking.events),
      sought: `counts by ${by}`,
      notes: () => [
        ...(isCut.value ? [cutNote(limit, false)] : []),
        ...(reach === null ? [] : [reachNote(reach, { utc: parameters.utc === 1 })]),
      ],
    };
  },
});

/** Times are found as numbers, and told as the views tell them. */
function withTimes(row: Row): Row {
  const { first, last } = row;
  return typeof first === 'number' && typeof last === 'number'
    ? { ...row, first: isoTime(first), last: isoTime(last) }
    : row;
}
