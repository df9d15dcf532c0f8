/** Pages for people who do not know yet what to ask. All of it comes from the list of questions. */

import { JSON_VERSION } from './json-schema.js';
import type { AnyQuestion } from './query.js';
import type { Death, State } from './state.js';

/** From what people see to what they ask. */
const WAYS: readonly (readonly [string, string])[] = [
  ['a process is gone', 'snoopq who-killed PID|NAME'],
  ['a command failed: 137, 143, 1, …', 'snoopq why-exit PID|NAME'],
  ['a service was restarted or crashes', 'snoopq timeline --unit UNIT --since today'],
  ['a container stopped', 'snoopq timeline --container ID --since today'],
  ['something kills processes', 'snoopq killed-by PID|NAME, snoopq top --by sender'],
  ['a program runs and nobody knows why', 'snoopq parents BINARY --tree'],
  ['memory ran out', 'snoopq oom'],
  ['others must be shown what happened', 'snoopq report PID|NAME, snoopq report --unit UNIT'],
  ['what happens right now?', 'snoopq tail -f'],
];
const WAY_WIDTH = Math.max(...WAYS.map(([happened]) => happened.length));

/** The page of `snoopq` alone: from what happened to the question, those first that this recording can answer. */
export function welcome(questions: readonly AnyQuestion[], { line, deaths }: State): string {
  const width = Math.max(...questions.map(question => usageOf(question).length));
  const lines = questions.map(question => `  snoopq ${usageOf(question).padEnd(width)}  ${question.summary}`);
  return `snoopq asks the recording that snooprec keeps of this machine's processes.
${line}
${killed(deaths)}
What happened?
${WAYS.map(([happened, command]) => `  ${happened.padEnd(WAY_WIDTH)}  ${command}`).join('\n')}

${lines.join('\n')}

Times are words:         --since '10 min ago', --since yesterday --until 14:05
For programs:            --json, --ndjson, --csv, --tsv
More about a question:   snoopq help who-killed
`;
}

/** Who died violently, each with the question about it. */
function killed(deaths: readonly Death[]): string {
  if (deaths.length === 0) return '';
  const width = Math.max(...deaths.map(({ line }) => line.length));
  const lines = deaths.map(({ pid, line }) => `  ${line.padEnd(width)}  snoopq who-killed ${pid}\n`);
  return `\nKilled last:\n${lines.join('')}`;
}

/** What follows the options of a question in its --help. */
export function questionHelp({ examples }: AnyQuestion): string {
  return `\nExamples:\n${examples.map(({ command, doc }) => `  $ ${command}\n      ${doc}`).join('\n')}`;
}

/** What follows the list of questions in --help. */
export const optionHelp = `
Every question takes --db, --since, --until, --at, --limit, --reverse, --utc, --strict, and one of
--json, --ndjson, --csv, --tsv, --plain: see 'snoopq help QUESTION'.

JSON (version ${JSON_VERSION}) is an array of rows with the names and values of the views; of who-killed and its like it is one
object. 'snoopq schema --json-of QUESTION' explains each name, as JSON Schema. Absent facts are null. Names are only
added; were one to be taken away or to change its meaning, the version would.

Exit status: 0 answered, 1 nothing found, 2 usage or SQL error, 3 no readable recording,
4 with --strict: something was not recorded in the span of the answer.`;

function usageOf({ name, args }: AnyQuestion): string {
  return [name, ...args.map(({ shown, isOptional }) => (isOptional ? `[${shown}]` : shown))].join(' ');
}
