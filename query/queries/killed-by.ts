/** What a process killed, or tried to. */

import type Database from 'better-sqlite3';
import { list } from '../answer.js';
import { commIds, GROUP, GROUP_IDS, inGroup, MEMBER_IDS, newestOfEach } from '../filters.js';
import type { Columns, Row, Value } from '../kinds.js';
import { type Answer, defineQuery, type ListQuestion } from '../query.js';
import { isLethal } from '../signal-names.js';

const HARMLESS = Array.from({ length: 65 }, (_, sig) => sig).filter(sig => !isLethal(sig));
const FILTER = `sig NOT IN (${HARMLESS.join(', ')})
  AND (:since IS NULL OR last_time_us >= :since) AND (:until IS NULL OR time_us <= :until)
  AND (:signal IS NULL OR sig = :signal)
  AND ${inGroup('target_id')}`;
const TEXTS = [GROUP_IDS, MEMBER_IDS, commIds('who')].join(',\n');

// The ids first, as in signals.ts; the end of each target is then looked up for the rows that are shown.
const selected = (ids: string): string => `
WITH ${TEXTS},
process_ids AS MATERIALIZED (SELECT id FROM processes WHERE pid = :who_pid),
signal_ids AS MATERIALIZED (${ids})
SELECT id, time, last_time, count, signal, sig, sender_id, sender_pid, sender_comm, sender_uid, target_id, target_pid,
  target_comm, target_arg, mechanism, call_id, outcome, disposition,
  (SELECT coalesce((SELECT name FROM signal_names n WHERE n.sig = e.exit_signal), 'exit ' || e.exit_code)
    FROM processes e WHERE e.id = target_id) AS target_end,
  (SELECT e.ended FROM processes e WHERE e.id = target_id) AS target_ended, time_us
FROM signals
WHERE id IN (SELECT id FROM signal_ids)`;

/** Statement for the signal that a process died of. */
export const DIED_OF = 'SELECT signal_id FROM kills WHERE process_id = :id';

const QUESTION = {
  name: 'killed-by',
  summary: 'what a process killed, or tried to kill',
  why: 'Lists what a process sent that may end another, refused attempts too, one row for each real target: with what became of the signal, whether the target died of it, and how the target ended at last. Probes (signal 0) and signals that end nobody are left out: see signals --sender.',
  examples: [
    { command: 'snoopq killed-by 5978', doc: 'everything that pid 5978 killed or tried to' },
    { command: 'snoopq killed-by systemd --since today', doc: 'what systemd ended today' },
    {
      command: 'snoopq killed-by bash --signal KILL --json',
      doc: 'every kill -9 from a bash, for a program',
    },
  ],
  args: [
    {
      name: 'who',
      shown: 'PID|NAME',
      kind: 'process',
      doc: 'the sender: a pid, or the name of its command at that time',
    },
  ],
  options: [
    { name: 'signal', flags: '--signal <signal>', kind: 'signal', doc: 'only this signal: KILL, SIGTERM, 9' },
    ...GROUP.map(option => ({ ...option, doc: option.doc.replace('only processes', 'only targets') })),
  ],
  views: ['signals'],
  docs: {
    target_end: 'how the target ended at last: name of the signal, or exit and its status',
    target_ended: 'when that was',
    died_of_it: '1 when the target died of this very signal',
  },
  events: ['signal', 'attempt', 'exit'],
} as const;

/** The signals with the ends of their targets. */
export const killedByTable: ListQuestion = {
  ...QUESTION,
  sought: 'signals that may end a process',
  sql: selected(`SELECT id FROM signals WHERE id BETWEEN :first_id AND :last_id
  AND sender_comm_id IN (SELECT id FROM who_comms) AND ${FILTER} ORDER BY id DESC LIMIT :limit`),
  variants: [
    { given: 'who_pid', sql: selected(newestOfEach('signals', 'process_ids', 'sender_id', FILTER)) },
  ],
  grows: 'signal',
  order: { by: 'id', first: 'oldest' },
  columns: {
    id: 'id',
    time: 'time',
    last_time: 'time',
    count: 'count',
    signal: 'name',
    sig: 'number',
    sender_id: 'id',
    sender_pid: 'pid',
    sender_comm: 'name',
    sender_uid: 'uid',
    target_id: 'id',
    target_pid: 'pid',
    target_comm: 'name',
    target_arg: 'number',
    mechanism: 'name',
    call_id: 'id',
    outcome: 'name',
    disposition: 'name',
    target_end: 'name',
    target_ended: 'time',
    time_us: 'number',
  },
};

const COLUMNS: Columns = { ...killedByTable.columns, died_of_it: 'flag' };

export const killedBy = defineQuery({
  ...QUESTION,
  shapes: [COLUMNS],
  answer(db, parameters): Answer {
    const found = list(killedByTable, db, parameters);
    const rows = [...found.rows];
    return {
      ...found,
      columns: COLUMNS,
      shown: [
        'time',
        'sender_pid',
        'signal',
        'target_pid',
        'target_comm',
        'outcome',
        'disposition',
        'died_of_it',
        'target_end',
        'count',
      ],
      rows: withDeaths(db, rows),
    };
  },
});

/** Adds died_of_it: 1 where the kill of the target names this very signal. */
function withDeaths(db: Database.Database, rows: readonly Row[]): Row[] {
  const causes = new Map<Value, Value>();
  let statement: Database.Statement | undefined;
  return rows.map(row => {
    const { id = null, target_id = null, signal, target_end } = row;
    if (signal !== target_end) return { ...row, died_of_it: 0 };
    // Compiled only where somebody died: for ten segments that takes longer than to run it.
    statement ??= db.prepare(DIED_OF).pluck();
    if (!causes.has(target_id)) causes.set(target_id, (statement.get({ id: target_id }) ?? null) as Value);
    return { ...row, died_of_it: causes.get(target_id) === id ? 1 : 0 };
  });
}
