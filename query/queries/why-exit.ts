/** Where an exit status came from: down to the process that really failed or died, and up to those that passed it on. */

import { DEFAULT_LIMIT } from '../answer.js';
import { explainExit, type Link, type WhyExit } from '../explain-exit.js';
import { VERDICT_EVENTS, verdictOn } from '../facts.js';
import { failedExecs, passedOnBy } from '../genealogy.js';
import { processOf } from '../kin.js';
import type { Columns, Row } from '../kinds.js';
import { findLives, type Life, lastLives, nameHint, soughtProcess } from '../lives.js';
import { readGaps, readRecorded } from '../loss.js';
import { type Answer, defineQuery } from '../query.js';
import { showExit } from '../render/why-exit.js';
import { userNames } from '../users.js';
import type { Verdict } from '../verdict.js';
import { WHY_EXIT_DOCUMENT } from '../verdict-schema.js';

/** Layers of wrappers that are followed. */
const DEEPEST = 16;

const COLUMNS: Columns = {
  place: 'name',
  depth: 'number',
  ended: 'time',
  pid: 'pid',
  comm: 'name',
  exit_code: 'number',
  signal: 'name',
  killer_pid: 'pid',
  killer_comm: 'name',
  mechanism: 'name',
  why: 'text',
};

export const whyExit = defineQuery({
  name: 'why-exit',
  summary: 'where an exit status came from: 137, 143, or any other',
  why: 'An exit status is a number that a program chose; 137 may stand for a child that SIGKILL ended, or for nothing at all. Follows it down the tree, through shells, make and other wrappers, to the process that really died or failed, and says who killed that one; and up, to those that passed it on. Who is whose child and how each ended is recorded; that one tells of the other by its status is probable. The number alone never means that memory ran out.',
  examples: [
    { command: 'snoopq why-exit 2219', doc: 'why pid 2219 exited with the status that it had' },
    { command: 'snoopq why-exit make', doc: 'why the last make failed' },
    { command: 'snoopq why-exit 2219 --json', doc: 'the same for a program' },
  ],
  args: [
    {
      name: 'who',
      shown: 'PID|NAME',
      kind: 'process',
      doc: 'a pid; or a name: of the command, the file or its first argument',
    },
  ],
  options: [
    { name: 'all', flags: '--all', kind: 'flag', doc: 'every process of that pid or name, the last first' },
    { name: 'at', flags: '--at <time>', kind: 'time', doc: 'the process that was alive at this time' },
  ],
  shapes: [COLUMNS],
  docs: {
    place: 'asked about; tells of: a child, further down; passed on: an ancestor',
    depth: '0 is the process itself, 1 the child that it tells of, -1 its parent, and so on',
    ended: 'when it ended',
    pid: 'process id on the host',
    comm: 'command name',
    exit_code: 'exit status, null when a signal ended it',
    signal: 'signal that ended it',
    killer_pid: 'who sent it: process id',
    killer_comm: 'who sent it: command name at that time',
    mechanism: 'how the signal came about',
    why: 'on what it rests that the one tells of the other',
  },
  document: WHY_EXIT_DOCUMENT,
  events: VERDICT_EVENTS,
  answer(db, parameters): Answer {
    const limit = parameters.all === 1 ? Number(parameters.limit ?? DEFAULT_LIMIT) || 1e9 : 1;
    const lives = (parameters.all === 1 ? findLives : lastLives)(db, parameters, limit);
    const recorded = readRecorded(db);
    const around = { db, recorded, userName: userNames(recorded.host) };
    const answers = lives.map((life): WhyExit => {
      const verdict = verdictOn(life, around, DEEPEST);
      const chain = chainOf(verdict);
      const failed = failedExecs(db, chain.at(-1)?.process?.id ?? life.id, life.ended_us);
      const passedOn = passedOnBy(db, life).map(({ life: parent, why }) => ({
        process: processOf(parent, around),
        exit_code: parent.exit_code,
        exit_signal: parent.exit_signal,
        after_us: afterUs(life, parent),
        why,
      }));
      return explainExit({ ...verdict, chain, failed_execs: failed, passed_on: passedOn });
    });
    if (parameters.reverse === 1) answers.reverse();
    const window = { from: parameters.since as number | null, to: parameters.until as number | null };
    const clock = { utc: parameters.utc === 1 };
    return {
      columns: COLUMNS,
      rows: answers.flatMap(rowsOf),
      ...(answers.length === 0 ? {} : { document: parameters.all === 1 ? answers : answers[0] }),
      text: (paint, width) => answers.map(found => showExit(found, { clock, paint, width })).join('\n'),
      isFound: answers.length > 0,
      gaps:
        answers.length === 0
          ? readGaps(db, window, VERDICT_EVENTS)
          : answers.flatMap(found => found.coverage.gaps),
      sought: soughtProcess(parameters),
      hint: nameHint(parameters),
    };
  },
});

/** The children that its end tells of. */
function chainOf({ cause, cause_why: why }: Verdict): Link[] {
  if (cause === null || why === null) return [];
  const { process, exit_code, signal, mechanism, killer, died } = cause;
  return [{ process, exit_code, signal, mechanism, killer, died, why }, ...chainOf(cause)];
}

function afterUs(life: Life, parent: Life): number | null {
  return parent.ended_us === null || life.ended_us === null ? null : parent.ended_us - life.ended_us;
}

function rowsOf(found: WhyExit): Row[] {
  const { chain, passed_on: passedOn } = found;
  return [
    ...passedOn.toReversed().map(({ process, exit_code: code, why }, i) => ({
      ...NO_ROW,
      place: 'passed on',
      depth: i - passedOn.length,
      ended: process.ended,
      pid: process.pid,
      comm: process.comm,
      exit_code: code,
      why,
    })),
    ...[{ ...found, why: null }, ...chain].map((v, i) => ({
      place: i === 0 ? 'asked about' : 'tells of',
      depth: i,
      ended: v.died,
      pid: v.process?.pid ?? null,
      comm: v.process?.comm ?? null,
      exit_code: v.exit_code,
      signal: v.signal?.name ?? null,
      killer_pid: v.killer?.pid ?? null,
      killer_comm: v.killer?.comm ?? null,
      mechanism: v.mechanism,
      why: v.why,
    })),
  ];
}

const NO_ROW: Row = Object.fromEntries(Object.keys(COLUMNS).map(name => [name, null]));
