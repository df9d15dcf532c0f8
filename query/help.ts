/** Pages for people who do not know yet what to ask. All of it comes from the list of questions. */

import type { AnyQuestion } from './query.js';

/** The page of `snoopq` alone: from what happened to the question. */
export function welcome(questions: readonly AnyQuestion[]): string {
  const width = Math.max(...questions.map(question => usageOf(question).length));
  const lines = questions.map(question => `  snoopq ${usageOf(question).padEnd(width)}  ${question.summary}`);
  const first = questions[0]?.examples[0]?.command ?? '';
  return `snoopq asks the recording that snooprec keeps of this machine's processes.

${lines.join('\n')}

Most people begin with:  ${first}
Times are words:         --since '10 min ago', --since yesterday --until 14:05
For programs:            --json, --ndjson, --csv, --tsv
More about a question:   snoopq help who-killed
`;
}

/** What follows the options of a question in its --help. */
export function questionHelp({ examples }: AnyQuestion): string {
  return `\nExamples:\n${examples.map(({ command, doc }) => `  $ ${command}\n      ${doc}`).join('\n')}`;
}

/** What follows the list of questions in --help. */
export const optionHelp = `
Every question takes --db, --since, --until, --limit, --reverse, --utc, --strict, and one of
--json, --ndjson, --csv, --tsv, --plain: see 'snoopq help QUESTION'.

Exit status: 0 answered, 1 nothing found, 2 usage or SQL error, 3 no readable recording,
4 with --strict: something was not recorded in the span of the answer.`;

function usageOf({ name, args }: AnyQuestion): string {
  return [name, ...args.map(({ shown, isOptional }) => (isOptional ? `[${shown}]` : shown))].join(' ');
}
