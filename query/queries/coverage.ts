/** The ledger: what was recorded when, and what was not. */

import { list } from '../answer.js';
import type { Row } from '../kinds.js';
import { type Answer, defineQuery, type ListQuestion } from '../query.js';
import { drawBars } from '../render/bars.js';

const QUESTION = {
  name: 'coverage',
  summary: 'what was recorded when, and what was not',
  why: 'The ledger beside every answer: spans that were recorded, and what is missing in them; on a terminal with a bar for each kind. down: no recorder ran. lost: the kernel could not write a record. malformed: it could not be decoded. shed: it could not be stored, or its segment cannot be read. dropped: older segments are gone, and the recording reaches back to the end of this span. clock: the wall clock stepped, the count is microseconds.',
  examples: [
    { command: 'snoopq coverage', doc: 'the whole ledger' },
    {
      command: 'snoopq coverage --since yesterday --strict',
      doc: 'exit 4 when anything is missing since yesterday',
    },
  ],
  args: [],
  options: [],
  views: ['coverages'],
  events: ['signal', 'attempt', 'exec', 'fork', 'exit', 'oom', 'cgroup'],
  isLedger: true,
} as const;

/** The rows of the ledger. */
export const ledger: ListQuestion = {
  ...QUESTION,
  sought: 'recorded spans',
  sql: `
SELECT kind, from_time, to_time, event, lane, count, cause, recording_id, from_us, to_us
FROM coverages
WHERE (:since IS NULL OR to_us >= :since) AND (:until IS NULL OR from_us <= :until)`,
  order: { by: 'from_us', first: 'oldest' },
  columns: {
    kind: 'name',
    from_time: 'time',
    to_time: 'time',
    event: 'name',
    lane: 'name',
    count: 'number',
    cause: 'text',
    recording_id: 'id',
    from_us: 'number',
    to_us: 'number',
  },
  shown: ['kind', 'from_time', 'to_time', 'event', 'lane', 'count', 'cause'],
};

export const coverage = defineQuery({
  ...QUESTION,
  shapes: [ledger.columns],
  answer(db, parameters): Answer {
    const found = list(ledger, db, parameters);
    const rows = [...found.rows];
    const { since = null, until = null } = parameters;
    const clock = { utc: parameters.utc === 1 };
    return {
      ...found,
      rows,
      ...(rows.length === 0
        ? {}
        : {
            head: (paint, width) =>
              drawBars(
                rows.map(row => spanOf(row, Number(since ?? 0), Number(until ?? Number.MAX_SAFE_INTEGER))),
                width,
                clock,
                paint,
              ),
          }),
    };
  },
});

/** The part of a span that is asked for. */
function spanOf({ kind, from_us, to_us }: Row, since: number, until: number) {
  const clamp = (us: number): number => Math.min(Math.max(us, since), until);
  return { kind: String(kind), from: clamp(Number(from_us)), to: clamp(Number(to_us)) };
}
