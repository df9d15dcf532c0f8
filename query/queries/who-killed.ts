/** Who killed a process, how, on whose behalf, and how sure that is. */

import { cutNote, DEFAULT_LIMIT } from '../answer.js';
import { explainNothing } from '../explain.js';
import { VERDICT_EVENTS, verdictOn } from '../facts.js';
import type { Columns, Row } from '../kinds.js';
import { findLastLives, findLives, nameHint, soughtProcess } from '../lives.js';
import { describeSpan, type Gap, lostRecords, readDropped, readGaps, readRecorded } from '../loss.js';
import { type Answer, defineQuery, type Parameters } from '../query.js';
import { showVerdict } from '../render/verdict.js';
import { userNames } from '../users.js';
import type { Verdict } from '../verdict.js';
import { VERDICT_DOCUMENT } from '../verdict-schema.js';

/** Events by which the recorder could have met a process. */
const SIGHT_EVENTS = ['fork', 'exec', 'signal', 'exit'] as const;

/** Processes of one name that are counted. */
const MOST_NAMESAKES = 1000;

const COLUMNS: Columns = {
  died: 'time',
  pid: 'pid',
  comm: 'name',
  verdict: 'name',
  signal: 'name',
  exit_code: 'number',
  mechanism: 'name',
  killer_pid: 'pid',
  killer_comm: 'name',
  killer_args: 'args',
  killer_uid: 'uid',
  sent: 'time',
  delay_us: 'microseconds',
  confidence: 'name',
  explanation: 'text',
};

export const whoKilled = defineQuery({
  name: 'who-killed',
  summary: 'who killed a process, how, and how sure that is',
  why: 'Names the signal that ended a process, who sent it by which call, and on whose behalf; or says that nobody did: that it exited by itself, faulted, or runs still. A pid may come again: the last process that ended is meant, unless --at or --all says otherwise. Proven: cause and death were recorded and nothing was lost around them. Consistent: something was lost near them. Incomplete: no cause was recorded.',
  examples: [
    { command: 'snoopq who-killed 2219', doc: 'who killed pid 2219' },
    { command: 'snoopq who-killed nginx --all --since today', doc: 'every end of an nginx today' },
    {
      command: 'snoopq who-killed 2219 --at 14:05 --json',
      doc: 'the process that bore the pid then, for a program',
    },
  ],
  args: [
    {
      name: 'who',
      shown: 'PID|NAME',
      kind: 'process',
      doc: 'a pid; or a name: of the command, the file or its first argument; where none has it, a unit or container',
    },
  ],
  options: [
    { name: 'all', flags: '--all', kind: 'flag', doc: 'every process of that pid or name, the last first' },
    { name: 'at', flags: '--at <time>', kind: 'time', doc: 'the process that was alive at this time' },
  ],
  shapes: [COLUMNS],
  docs: {
    died: 'when it ended',
    pid: 'process id on the host',
    comm: 'command name',
    verdict: 'killed, exited, running or unknown',
    signal: 'signal that ended it',
    exit_code: 'exit status, null when a signal ended it',
    mechanism: 'how the signal came about',
    killer_pid: 'who sent it: process id; null: no process did',
    killer_comm: 'who sent it: command name at that time',
    killer_args: 'who sent it: arguments',
    killer_uid: 'who sent it: real user id',
    sent: 'when the signal reached it',
    delay_us: 'from the signal to the end, microseconds',
    confidence: 'proven; consistent: something was lost nearby; incomplete: no cause recorded',
    explanation: 'what happened, what led to it, and how sure that is',
  },
  document: VERDICT_DOCUMENT,
  events: VERDICT_EVENTS,
  answer(db, parameters): Answer {
    const isAll = parameters.all === 1;
    const limit = isAll ? Number(parameters.limit ?? DEFAULT_LIMIT) || 1e9 : 1;
    // A pid says by itself how often it came again; of a name the others are worth a line.
    const isNamed = parameters.who_pid == null;
    const { lives: found, isAll: isCounted } = isAll
      ? { lives: findLives(db, parameters, limit + 1), isAll: true }
      : findLastLives(db, parameters, isNamed ? MOST_NAMESAKES : 1);
    const lives = found.slice(0, limit);
    const namesakes = isAll ? [] : found.slice(1);
    const recorded = readRecorded(db);
    const around = { db, recorded, userName: userNames(recorded.host) };
    const verdicts = lives.map(life => verdictOn(life, around));
    if (parameters.reverse === 1) verdicts.reverse();
    const clock = { utc: parameters.utc === 1 };
    const window = { from: parameters.since as number | null, to: parameters.until as number | null };
    const gaps =
      lives.length === 0
        ? [...readDropped(db, window), ...readGaps(db, window, SIGHT_EVENTS)]
        : unique(verdicts.flatMap(v => v.coverage.gaps));
    const chosen = isAll ? null : whichLife(parameters, verdicts[0]);
    const sought = soughtProcess(parameters);
    const nothing = (): Verdict =>
      neverSeen(
        parameters,
        explainNothing(sought, describeSpan(window, recorded, { utc: true }), recorded.isOlderGone),
        gaps,
      );
    return {
      columns: COLUMNS,
      rows: verdicts.map(rowOf),
      document: isAll ? verdicts : (verdicts[0] ?? nothing()),
      text: (paint, width) =>
        verdicts.map(v => showVerdict(v, { clock, paint, width, chosen, namesakes, isCounted })).join('\n'),
      isFound: verdicts.length > 0,
      gaps,
      sought,
      hint: nameHint(parameters),
      notes: () => (isAll && found.length > lives.length ? [cutNote(limit, true)] : []),
    };
  },
});

function whichLife({ at }: Parameters, verdict: Verdict | undefined): string {
  if (at != null) return 'the last that was alive then';
  return verdict?.died == null ? 'the last that was seen' : 'the last that ended';
}

function unique(gaps: Gap[]): Gap[] {
  return [...new Map(gaps.map(gap => [JSON.stringify(gap), gap])).values()];
}

function neverSeen({ who_pid: pid }: Parameters, explanation: string, gaps: Gap[]): Verdict {
  return {
    pid: pid as number | null,
    process: null,
    verdict: 'unknown',
    confidence: 'incomplete',
    signal: null,
    exit_code: null,
    mechanism: null,
    killer: null,
    call: null,
    sent: null,
    died: null,
    delay_us: null,
    ancestry: [],
    instigator: null,
    earlier_signals: [],
    grace: null,
    stopped: null,
    cause: null,
    cause_why: null,
    coverage: { complete: gaps.length === 0, lost: lostRecords(gaps), gaps },
    reused: 0,
    evidence: [],
    summary: explanation,
    explanation,
  };
}

function rowOf(v: Verdict): Row {
  return {
    died: v.died,
    pid: v.pid,
    comm: v.process?.comm ?? null,
    verdict: v.verdict,
    signal: v.signal?.name ?? null,
    exit_code: v.exit_code,
    mechanism: v.mechanism,
    killer_pid: v.killer?.pid ?? null,
    killer_comm: v.killer?.comm ?? null,
    killer_args: v.killer?.args == null ? null : JSON.stringify(v.killer.args),
    killer_uid: v.killer?.uid ?? null,
    sent: v.sent,
    delay_us: v.delay_us,
    confidence: v.confidence,
    explanation: v.explanation,
  };
}
