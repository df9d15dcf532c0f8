/** The documents of who-killed and why-exit as JSON Schema, by hand from their types: a name that is missing does not compile. */

import type { Evidence } from './evidence.js';
import type { FailedExec, Link, PassedOn, WhyExit } from './explain-exit.js';
import type { Grace, Stop } from './grace.js';
import type { Instigator } from './instigator.js';
import { objectSchema, type Schema } from './json-schema.js';
import type { Gap } from './loss.js';
import type { EarlierSignal, Process, Sender, Verdict } from './verdict.js';

type Fields<T> = Record<keyof T & string, Schema>;

const about = (description: string, schema: Schema): Schema => ({ description, ...schema });
const ref = (name: string): Schema => ({ $ref: `#/$defs/${name}` });
const refOrNull = (name: string): Schema => ({ anyOf: [ref(name), { type: 'null' }] });
const list = (name: string): Schema => ({ type: 'array', items: ref(name) });
const INTEGER: Schema = { type: 'integer' };
const TEXT: Schema = { type: 'string' };
const INTEGER_OR_NULL: Schema = { type: ['integer', 'null'] };
const TEXT_OR_NULL: Schema = { type: ['string', 'null'] };
const ARGS: Schema = { type: ['array', 'null'], items: TEXT };
const TIME = ref('time');
const TIME_OR_NULL = refOrNull('time');
const FLAG: Schema = { type: 'boolean' };

const PROCESS: Fields<Process> = {
  id: about('of the process in this database; pids come again, this does not', INTEGER),
  pid: about('process id on the host', INTEGER),
  started: about('time of the fork', TIME),
  ended: about('time of the exit; null: runs still, or ended unseen', TIME_OR_NULL),
  comm: about('command name, at most 15 bytes', TEXT_OR_NULL),
  exe: about('file that it executes', TEXT_OR_NULL),
  args: about('its arguments', ARGS),
  cwd: about('working directory', TEXT_OR_NULL),
  uid: about('real user id', INTEGER_OR_NULL),
  user: about('its name on that machine', TEXT_OR_NULL),
  ppid: about('parent at creation: process id', INTEGER_OR_NULL),
  cgroup: about('path of its cgroup', TEXT_OR_NULL),
  unit: about('systemd unit', TEXT_OR_NULL),
  container: about('container id', TEXT_OR_NULL),
};

const SIGNAL = { number: INTEGER, name: TEXT };

const SENDER: Fields<Sender> = {
  id: about('of the process that sent it', INTEGER),
  pid: about('its process id', INTEGER_OR_NULL),
  comm: about('its command name at that time', TEXT_OR_NULL),
  uid: about('its real user id at that time', INTEGER_OR_NULL),
};

const INSTIGATOR: Fields<Instigator> = {
  process: about('who wanted it', ref('process')),
  why: about('on what this rests, one phrase', TEXT),
  certainty: about('proven: who started whom was recorded; probable: a command fits', {
    enum: ['proven', 'probable'],
  }),
  exec: about('the command that fits; null where the line of parents tells', {
    anyOf: [
      objectSchema({
        id: about('of the row in execs', INTEGER),
        time: TIME,
        process_id: INTEGER,
        args: ARGS,
      }),
      { type: 'null' },
    ],
  }),
};

const EARLIER: Fields<EarlierSignal> = {
  id: about('of the row in signals', INTEGER),
  time: about('when; of the first, if counted', TIME),
  last_time: about('when the last was sent', TIME),
  count: about('how many identical ones this stands for', INTEGER),
  signal: ref('signal'),
  mechanism: about('how it came about', TEXT),
  outcome: about('what became of it, or the name of the error', TEXT),
  disposition: about('what the process would do with it', TEXT_OR_NULL),
  delivered: about('when it took effect, and whether a handler ran then; null: not recorded, or never', {
    anyOf: [
      objectSchema({ action: { enum: ['handled', 'default'] }, time: TIME, delay_us: INTEGER }),
      { type: 'null' },
    ],
  }),
  sender: about('who sent it; null: no process', refOrNull('sender')),
};

const GRACE: Fields<Grace> = {
  id: about('of the row in signals', INTEGER),
  signal: ref('signal'),
  sent: about('when it was asked to end', TIME),
  waited_us: about('from the request to the signal that ended it, microseconds', INTEGER),
  fate: about('what became of the request', {
    enum: ['handled', 'blocked', 'ignored', 'unkillable', 'default'],
  }),
  sender: about('who asked', refOrNull('sender')),
  is_same_sender: about('the one who asked is the one who killed', FLAG),
};

const STOP: Fields<Stop> = {
  id: about('of the row in signals', INTEGER),
  signal: ref('signal'),
  since: about('from when on it was stopped', TIME),
  until: about('when it was told to continue; null: never', TIME_OR_NULL),
  sender: about('who stopped it', refOrNull('sender')),
  continued_by: about('who let it go on', refOrNull('sender')),
};

const GAP: Fields<Gap> = {
  id: about('of the row in coverages; null: it has none', INTEGER_OR_NULL),
  kind: about('down, lost, malformed, shed, clock or dropped', TEXT),
  from: TIME,
  to: TIME,
  event: about('event type; null: all', TEXT_OR_NULL),
  lane: about('lane; null: both', TEXT_OR_NULL),
  count: about('records, where that is known', INTEGER_OR_NULL),
  cause: about('one phrase', TEXT),
};

const EVIDENCE: Fields<Evidence> = {
  table: { enum: ['process', 'signal', 'exec', 'oom_kill', 'coverage', 'delivery'] },
  id: about('of the row', INTEGER),
  what: about('what it says for this verdict', TEXT),
};

const VERDICT: Fields<Verdict> = {
  pid: about('what was asked about', INTEGER_OR_NULL),
  process: about('the process; null: none was found', refOrNull('process')),
  verdict: about('what became of it', { enum: ['killed', 'exited', 'running', 'unknown'] }),
  confidence: about('proven; consistent: something was lost nearby; incomplete: no cause recorded', {
    enum: ['proven', 'consistent', 'incomplete'],
  }),
  signal: about('what ended it; null: no signal did', {
    anyOf: [objectSchema({ ...SIGNAL, core_dumped: FLAG }), { type: 'null' }],
  }),
  exit_code: about('exit status; null: a signal ended it, or it runs', INTEGER_OR_NULL),
  mechanism: about('how the signal came about', TEXT_OR_NULL),
  killer: about('who sent it, as it was then; null: no process, or not recorded', refOrNull('process')),
  call: about('the system call that sent it', {
    anyOf: [objectSchema({ name: TEXT, target_arg: INTEGER_OR_NULL, signal_arg: INTEGER }), { type: 'null' }],
  }),
  sent: about('when the signal reached it', TIME_OR_NULL),
  died: about('when it ended', TIME_OR_NULL),
  delay_us: about('from the signal to the end, microseconds', INTEGER_OR_NULL),
  ancestry: about("the killer's parents, the nearest first", list('process')),
  instigator: about('on whose behalf', refOrNull('instigator')),
  earlier_signals: about('lethal signals before it, the oldest first', list('earlier')),
  grace: about('the request to end that came before', refOrNull('grace')),
  stopped: about('it was stopped when the end came, or when the signal did', refOrNull('stop')),
  cause: about('the verdict on the death that led to this one', refOrNull('verdict')),
  cause_why: about('on what that rests, where it is only probable', TEXT_OR_NULL),
  coverage: about(
    'what was not recorded around the end',
    objectSchema({
      complete: FLAG,
      lost: about('records', INTEGER),
      gaps: list('gap'),
    }),
  ),
  reused: about('other processes that bore the pid', INTEGER),
  evidence: about('the rows that it rests on', list('evidence')),
  summary: about('what happened, in a sentence or two', TEXT),
  explanation: about('the same, what led to it, and how sure that is', TEXT),
};

const LINK: Fields<Link> = {
  process: refOrNull('process'),
  exit_code: INTEGER_OR_NULL,
  signal: VERDICT.signal,
  mechanism: TEXT_OR_NULL,
  killer: refOrNull('process'),
  died: TIME_OR_NULL,
  why: about('the habit by which the one before tells of it', TEXT),
};

const FAILED_EXEC: Fields<FailedExec> = {
  id: about('of the row in execs', INTEGER),
  time: TIME,
  filename: about('file asked for', TEXT_OR_NULL),
  error: about('name of the error', TEXT),
};

const PASSED_ON: Fields<PassedOn> = {
  process: ref('process'),
  exit_code: INTEGER_OR_NULL,
  exit_signal: INTEGER_OR_NULL,
  after_us: about('from the end of the child to its own, microseconds', INTEGER_OR_NULL),
  why: TEXT,
};

const WHY_EXIT: Fields<WhyExit> = {
  ...VERDICT,
  chain: about('the children that it tells of, the nearest first', list('link')),
  failed_execs: about('executions that failed in the last of them, or in itself', list('failed_exec')),
  passed_on: about('the ancestors that passed it on, the nearest first', list('passed_on')),
};

const SHARED: Readonly<Record<string, Schema>> = {
  time: { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}Z$' },
  signal: objectSchema(SIGNAL),
  process: objectSchema(PROCESS),
  sender: objectSchema(SENDER),
  instigator: objectSchema(INSTIGATOR),
  earlier: objectSchema(EARLIER),
  grace: objectSchema(GRACE),
  stop: objectSchema(STOP),
  gap: objectSchema(GAP),
  evidence: objectSchema(EVIDENCE),
  verdict: objectSchema(VERDICT),
};

/** One document, or with --all an array of them. */
const oneOrAll = (name: string): Schema => ({ anyOf: [ref(name), list(name)] });

/** What `who-killed --json` prints. */
export const VERDICT_DOCUMENT = { root: oneOrAll('verdict'), defs: SHARED };

/** What `why-exit --json` prints; nothing where no process is found. */
export const WHY_EXIT_DOCUMENT = {
  root: oneOrAll('why_exit'),
  defs: {
    ...SHARED,
    why_exit: objectSchema(WHY_EXIT),
    link: objectSchema(LINK),
    failed_exec: objectSchema(FAILED_EXEC),
    passed_on: objectSchema(PASSED_ON),
  },
};
