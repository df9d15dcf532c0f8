/** What to say to somebody whose words are no question: what is wrong, and what was probably meant. */

import type { CommanderError } from 'commander';
import type { AnyQuestion } from './query.js';
import { didYouMean } from './suggest.js';

const ALL = 'all questions: snoopq';

/** The line and the hint. */
export function usageMessage(
  error: Pick<CommanderError, 'code' | 'message'>,
  argv: readonly string[],
  questions: readonly AnyQuestion[],
): { message: string; hint: string } {
  // What commander throws for `help QUESTION` where there is no such question: "(outputHelp)"
  if (error.code === 'commander.help') {
    const word = argv[1] ?? '';
    const names = questions.map(({ name }) => name);
    return { message: `'${word}' is no question`, hint: didYouMean(word, names) ?? ALL };
  }
  // "error: unknown command 'x'\n(Did you mean y?)"
  const [first = '', guess] = error.message.split('\n');
  const message = first.replace(/^error: /, '');
  if (guess !== undefined)
    return { message, hint: guess.replace(/^\(Did you mean (.*)\?\)$/, 'did you mean $1?') };
  return { message, hint: hintFor(error.code, argv, questions) };
}

function hintFor(
  code: string,
  [word = '', next = '-']: readonly string[],
  questions: readonly AnyQuestion[],
): string {
  const question = questions.find(({ name }) => name === word);
  if (question !== undefined) {
    const example = question.examples[0]?.command;
    return code === 'commander.missingArgument' ? `for example: ${example}` : `see 'snoopq help ${word}'`;
  }
  if (word.startsWith('-')) return `a question comes first, then its options; ${ALL}`;
  const begun = questions.filter(({ name }) => word !== '' && name.startsWith(word)).map(({ name }) => name);
  if (begun.length > 0) return `did you mean ${begun.join(' or ')}?`;
  // Who names a process only wants to know what became of it.
  return next.startsWith('-') ? `is that a process? snoopq who-killed ${word}; ${ALL}` : ALL;
}
