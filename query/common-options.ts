/** The options that every question takes, as a list: the command line, the completions and the manual derive from it. */

import { DEFAULT_LIMIT } from './answer.js';
import type { AnyQuestion } from './query.js';
import { FORMATS } from './render/index.js';

export interface CommonOption {
  name: string;
  flags: string;
  doc: string;
}

const MOMENT: CommonOption = {
  name: 'at',
  flags: '--at <time>',
  doc: 'only at this time: 14:05 is a minute, 14:05:30 a second, yesterday a day',
};

const EVERYWHERE: readonly CommonOption[] = [
  { name: 'db', flags: '--db <file>', doc: 'the recording to ask (else SNOOPREC_DB, else the default)' },
  {
    name: 'since',
    flags: '--since <time>',
    doc: "from this time on: '10 min ago', yesterday, 14:05; @0: from the very beginning",
  },
  { name: 'until', flags: '--until <time>', doc: 'up to this time' },
  {
    name: 'limit',
    flags: '-n, --limit <n>',
    doc: `at most so many rows, the newest; 0: all (default: ${DEFAULT_LIMIT})`,
  },
  { name: 'reverse', flags: '-r, --reverse', doc: 'turn the order around' },
  { name: 'pager', flags: '--no-pager', doc: 'do not show a long answer page by page' },
  { name: 'utc', flags: '--utc', doc: 'show times in UTC, not in local time' },
  {
    name: 'strict',
    flags: '--strict',
    doc: 'exit 4 when something was not recorded in the span of the answer',
  },
  ...Object.entries(FORMATS).map(([name, doc]) => ({ name, flags: `--${name}`, doc })),
];

/** Those of a question, in the order of its help. */
export function commonOptions(question: AnyQuestion): readonly CommonOption[] {
  return hasMoment(question) ? [MOMENT, ...EVERYWHERE] : EVERYWHERE;
}

/** Whether --at means a span of time; elsewhere it chooses among the processes that bore a pid. */
export function hasMoment({ options, isOffline }: AnyQuestion): boolean {
  return !isOffline && !options.some(({ name }) => name === 'at');
}
