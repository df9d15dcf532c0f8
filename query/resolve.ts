/** Words that only the recording can explain: its users, and its names for mechanisms and outcomes. */

import type Database from 'better-sqlite3';
import { SnoopError } from '../migrations/errors.js';
import type { AnyQuestion, Parameters, Vocabulary } from './query.js';
import { didYouMean } from './suggest.js';
import { userId } from './users.js';

const WORDS: Record<Vocabulary, string> = {
  mechanism: 'SELECT name FROM mechanism_name',
  outcome: 'SELECT name FROM outcome_name UNION ALL SELECT name FROM errno_name',
};

/** The parameters with user names as ids; SnoopError 'usage' for a word that the recording does not know. */
export function resolve(question: AnyQuestion, db: Database.Database, parameters: Parameters): Parameters {
  const resolved = { ...parameters };
  for (const { name, kind, vocabulary } of question.options) {
    const word = parameters[name];
    if (typeof word !== 'string') continue;
    if (kind === 'uid') resolved[name] = userId(db, word);
    if (vocabulary !== undefined) checkWord(db, vocabulary, word);
  }
  return resolved;
}

function checkWord(db: Database.Database, vocabulary: Vocabulary, word: string): void {
  const words = db.prepare(WORDS[vocabulary]).pluck().all() as string[];
  if (words.includes(word)) return;
  const known = words.filter(known => !/^E[A-Z0-9]+$/.test(known)).join(', ');
  throw new SnoopError(
    'usage',
    `'${word}' is no ${vocabulary}`,
    didYouMean(word, words) ??
      `one of: ${known}${vocabulary === 'outcome' ? ', or an errno name such as EPERM' : ''}`,
  );
}
