/** What happened last, and what happens now. */

import type Database from 'better-sqlite3';
import { DEFAULT_LIMIT } from '../answer.js';
import { escapeText } from '../escape.js';
import { GROUP } from '../filters.js';
import { follow } from '../follow.js';
import { COLUMN_DOCS, COLUMNS, HAPPENINGS, type Happening, rowOf, sentence } from '../happenings.js';
import { readDropped, readGaps } from '../loss.js';
import { newest, presentOf } from '../news.js';
import { type Answer, defineQuery, type Parameters } from '../query.js';
import { MOST_TAILED, reachOf, shown } from '../reach.js';
import type { Painter } from '../render/paint.js';
import { type Clock, showTime } from '../time.js';

const DEFAULT_LINES = 10;
const EVENTS = ['fork', 'exec', 'signal', 'attempt', 'exit', 'oom'] as const;

export const tail = defineQuery({
  name: 'tail',
  summary: 'what happened last; with -f also what happens now',
  why: 'Tells forks, execs, signals, ends, OOM kills and gaps one a line, in order; that a child ended is told once, not by its SIGCHLD too. With -f it goes on as the recorder stores more, 0.4 s behind at most, also when the recording goes on in a new segment. With --cursor-file it begins behind the last line that it told with that file.',
  examples: [
    { command: 'snoopq tail', doc: 'the last ten events' },
    { command: 'snoopq tail -f --event signal', doc: 'every signal as it is sent, until Ctrl-C' },
    { command: 'snoopq tail --pid nginx --since 14:00', doc: 'what nginx did and suffered since 14:00' },
    {
      command: 'snoopq tail -f --ndjson --cursor-file /var/lib/shipper/cursor',
      doc: 'feeds another program, nothing left out and nothing twice',
    },
  ],
  args: [],
  options: [
    { name: 'follow', flags: '-f, --follow', kind: 'flag', doc: 'go on with what happens now' },
    {
      name: 'cursorFile',
      flags: '--cursor-file <file>',
      kind: 'text',
      doc: 'begin behind what is in this file, and keep it there',
    },
    {
      name: 'event',
      flags: '--event <kind>',
      kind: 'text',
      choices: HAPPENINGS.filter(kind => kind !== 'gap'),
      doc: `only ${HAPPENINGS.filter(kind => kind !== 'gap').join(', ')}`,
    },
    { name: 'pid', flags: '--pid <pid|name>', kind: 'process', doc: 'from or to this process' },
    { name: 'signal', flags: '--signal <signal>', kind: 'signal', doc: 'only this signal, and ends by it' },
    { name: 'refused', flags: '--refused', kind: 'flag', doc: 'only calls that the kernel refused' },
    { name: 'uid', flags: '--uid <user>', kind: 'uid', doc: 'by this user' },
    ...GROUP,
  ],
  shapes: [COLUMNS],
  docs: COLUMN_DOCS,
  events: EVENTS,
  isLedger: true, // its gaps are lines of it
  answer(db, parameters): Answer {
    const found = newest(db, presentOf(db), parameters, linesOf(parameters));
    const ordered = parameters.reverse === 1 ? found.toReversed() : found;
    const window = {
      from: found[0]?.time_us ?? (parameters.since as number | null),
      to: parameters.until as number | null,
    };
    const clock = { utc: parameters.utc === 1 };
    return {
      columns: COLUMNS,
      rows: ordered.map(rowOf),
      text: paint => ordered.map(happening => lineOf(happening, clock, paint)).join(''),
      isFound: found.length > 0,
      gaps: [
        ...readDropped(db, { from: parameters.since as number | null }),
        ...readGaps(db, window, EVENTS),
      ],
      sought: 'events',
      notes: () =>
        found.length < linesOf(parameters) && parameters.since == null && isLong(db)
          ? [
              `only the newest ${shown(MOST_TAILED)} of each kind of event were looked at; --since looks further back`,
            ]
          : [],
    };
  },
  isEndless: parameters => parameters.follow === 1,
  async stream(path, parameters, { io, paint, row }, signal) {
    const clock = { utc: parameters.utc === 1 };
    await follow({
      path,
      parameters,
      before: linesOf(parameters),
      cursorFile: parameters.cursorFile as string | null,
      io,
      signal,
      tell: happening => io.out(row === null ? lineOf(happening, clock, paint) : row(rowOf(happening))),
    });
  },
});

/** Whether the recording has more than is read without a span. */
function isLong(db: Database.Database): boolean {
  return (['signal', 'exec', 'process', 'end'] as const).some(
    grows => reachOf(db, grows, {}, Number.MAX_SAFE_INTEGER, MOST_TAILED) !== null,
  );
}

function linesOf({ limit, since }: Parameters): number {
  return Number(limit ?? (since == null ? DEFAULT_LINES : DEFAULT_LIMIT));
}

function lineOf(happening: Happening, clock: Clock, paint: Painter): string {
  const text = escapeText(sentence(happening));
  return `${paint('dim', showTime(happening.time_us, clock))}  ${isViolent(happening) ? paint('red', text) : text}\n`;
}

function isViolent({ event, exit_signal }: Happening): boolean {
  return event === 'oom' || event === 'gap' || (event === 'exit' && exit_signal != null);
}
