/** Everything about one process or group, in order. */

import type Database from 'better-sqlite3';
import { SnoopError } from '../../migrations/errors.js';
import { cutNote, DEFAULT_LIMIT } from '../answer.js';
import { escapeText } from '../escape.js';
import { GROUP, newestOfEach } from '../filters.js';
import { byTime, COLUMN_DOCS, COLUMNS, type Happening, rowOf, SELECT, sentence } from '../happenings.js';
import type { Columns } from '../kinds.js';
import { lastLives, nameHint, soughtProcess } from '../lives.js';
import { readDropped, readGaps } from '../loss.js';
import { asksForGroup, membersOf } from '../members.js';
import { type Answer, defineQuery, type Parameters } from '../query.js';
import { showDuration, showTime } from '../time.js';

const MOST_PROCESSES = 10_000;
const EVENTS = ['fork', 'exec', 'signal', 'attempt', 'exit', 'oom'] as const;

const SPAN = '(:since IS NULL OR time_us >= :since) AND (:until IS NULL OR time_us <= :until)';
const IDS = '(SELECT value FROM json_each(:ids))';
const of = (select: string, where: string): string =>
  `SELECT * FROM (${select} WHERE ${where}) WHERE ${SPAN} ORDER BY id DESC LIMIT :limit`;
// What one process may have a million of, as filters.ts says.
const ofEach = (select: string, view: string, column: string, where: string): string =>
  `WITH who AS MATERIALIZED (SELECT value AS id FROM json_each(:ids)),
event_ids AS MATERIALIZED (${newestOfEach(view, 'who', column, where)} ORDER BY 1 DESC LIMIT :limit)
${select} WHERE id IN (SELECT id FROM event_ids) ORDER BY id DESC`;
const NO_NEWS = `mechanism <> 'child' AND ${SPAN}`;
const FORKED = SPAN.replaceAll('time_us', 'started_us');
const ENDED = `ended_us IS NOT NULL AND ${SPAN.replaceAll('time_us', 'ended_us')}`;

/** Statements for the processes whose ids are in :ids, JSON. News of a child is left out: its end is there. */
export const STATEMENTS: readonly string[] = [
  of(SELECT.fork, `id IN ${IDS}`),
  ofEach(SELECT.fork, 'processes', 'parent_id', FORKED),
  ofEach(SELECT.exec, 'execs', 'process_id', SPAN),
  ofEach(SELECT.signal, 'signals', 'target_id', NO_NEWS),
  ofEach(SELECT.signal, 'signals', 'sender_id', NO_NEWS),
  of(SELECT.oom, `victim_id IN ${IDS}`),
  of(SELECT.exit, `id IN ${IDS} AND ended_us IS NOT NULL`),
  ofEach(SELECT.exit, 'processes', 'parent_id', ENDED),
];

const LINE_COLUMNS: Columns = { time: 'time', after_us: 'microseconds', ...COLUMNS };

export const timeline = defineQuery({
  name: 'timeline',
  summary: 'everything about a process or a unit, in order',
  why: 'Tells in order what a process, or every process of a unit or container, did and suffered: forks, execs, signals from it and to it, its end and those of its children, with the time that passed since the line before. Of several processes with the pid the one that ended last is meant, unless --at says when.',
  examples: [
    { command: 'snoopq timeline 2219', doc: 'the life of pid 2219' },
    { command: 'snoopq timeline --unit app --since 14:00', doc: 'what happened in app.service since 14:00' },
    { command: 'snoopq timeline make --at 14:01:45 --ndjson', doc: 'the make of that time, for a program' },
  ],
  args: [
    {
      name: 'who',
      shown: 'PID|NAME',
      isOptional: true,
      kind: 'process',
      doc: 'a pid, or the name of a command; or else --unit or --container',
    },
  ],
  options: [
    { name: 'at', flags: '--at <time>', kind: 'time', doc: 'the process that was alive at this time' },
    ...GROUP,
  ],
  shapes: [LINE_COLUMNS],
  docs: { ...COLUMN_DOCS, after_us: 'since the line before, microseconds' },
  events: EVENTS,
  answer(db, parameters): Answer {
    const limit = Number(parameters.limit ?? DEFAULT_LIMIT);
    const ids = whoseIds(db, parameters);
    const { found, isCut } = happenings(db, ids.slice(0, MOST_PROCESSES), parameters, limit);
    const after = found.map(({ time_us }, i) =>
      i === 0 ? null : time_us - (found[i - 1]?.time_us ?? time_us),
    );
    const lines = found.map((happening, i) => ({ ...rowOf(happening), after_us: after[i] ?? null }));
    const order = <T>(list: T[]): T[] => (parameters.reverse === 1 ? list.toReversed() : list);
    const window = {
      from: (parameters.since as number | null) ?? found[0]?.time_us ?? null,
      to: (parameters.until as number | null) ?? found.at(-1)?.time_us ?? null,
    };
    const clock = { utc: parameters.utc === 1 };
    return {
      columns: LINE_COLUMNS,
      rows: order(lines),
      text: paint =>
        order(
          found.map((happening, i) => {
            const pause = after[i] == null ? '' : `+${showDuration(after[i] ?? 0)}`;
            return `${paint('dim', `${showTime(happening.time_us, clock)} ${pause.padStart(12)}`)}  ${escapeText(sentence(happening))}\n`;
          }),
        ).join(''),
      isFound: found.length > 0,
      gaps: [...readDropped(db, window), ...readGaps(db, window, EVENTS)],
      sought: asksForGroup(parameters) ? 'process of that group' : soughtProcess(parameters),
      hint: nameHint(parameters),
      notes: () => [
        ...(isCut ? [cutNote(limit, true)] : []),
        ...(ids.length > MOST_PROCESSES
          ? [`only the newest ${MOST_PROCESSES} processes of the group are in it`]
          : []),
      ],
    };
  },
});

function whoseIds(db: Database.Database, parameters: Parameters): number[] {
  if (asksForGroup(parameters)) return membersOf(db, parameters, MOST_PROCESSES + 1);
  if (parameters.who_pid == null && parameters.who_name == null)
    throw new SnoopError('usage', 'no process is named', 'give a pid, a name, --unit or --container');
  return lastLives(db, { ...parameters, since: null, until: null }, 1).map(({ id }) => id);
}

/** The newest `limit` (0: all) of what happened to these processes, oldest first. */
function happenings(
  db: Database.Database,
  ids: readonly number[],
  { since = null, until = null }: Parameters,
  limit: number,
): { found: Happening[]; isCut: boolean } {
  const asked = { ids: JSON.stringify(ids), since, until, limit: limit === 0 ? -1 : limit + 1 };
  // A signal to itself, a fork within the group: found from both sides.
  const once = new Map<string, Happening>();
  for (const statement of STATEMENTS)
    for (const row of db.prepare(statement).all(asked) as Happening[])
      once.set(`${row.event} ${row.id}`, row);
  const all = [...once.values()].sort(byTime);
  return { found: limit === 0 ? all : all.slice(-limit), isCut: limit !== 0 && all.length > limit };
}
