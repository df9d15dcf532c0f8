/** What may come next on a command line of snoopq: from the list of questions, and from the recording where there is one. */

import type Database from 'better-sqlite3';
import { type CommonOption, commonOptions } from './common-options.js';
import type { AnyQuestion, Option, Parameter, Vocabulary } from './query.js';
import { signalName } from './signal-names.js';

/** What the recording offers; `undefined`: there is none that can be read. */
type Recording = Database.Database | undefined;

interface Value extends Pick<Parameter, 'kind'> {
  choices?: readonly string[];
  vocabulary?: Vocabulary;
}

const MOST = 300;
const TIMES = ['now', 'today', 'yesterday', 'recent', 'boot', '-10min', '-1h', '-1d'];
const SIGNALS = Array.from({ length: 31 }, (_, i) => signalName(i + 1).replace(/^SIG/, ''));

// Newest first: whoever asks about a process asks soon.
const STATEMENTS = {
  process: `SELECT DISTINCT word FROM (SELECT CAST(pid AS TEXT) AS word, id FROM processes UNION ALL
    SELECT comm, id FROM processes WHERE comm IS NOT NULL ORDER BY id DESC LIMIT ${2 * MOST}) LIMIT ${MOST}`,
  program: `SELECT comm FROM comms ORDER BY id DESC LIMIT ${MOST}`,
  unit: `SELECT DISTINCT unit FROM cgroups WHERE unit IS NOT NULL ORDER BY id DESC LIMIT ${MOST}`,
  container: `SELECT DISTINCT substr(container, 1, 12) FROM cgroups WHERE container IS NOT NULL ORDER BY id DESC LIMIT ${MOST}`,
  uid: `SELECT name FROM user_name ORDER BY uid LIMIT ${MOST}`,
  mechanism: 'SELECT name FROM mechanism_name',
  outcome: 'SELECT name FROM outcome_name',
} as const;

/** The words that fit at the end of `line`, which holds the command line up to the cursor. */
export function complete(line: string, questions: readonly AnyQuestion[], db: Recording): string[] {
  const words = line.trimStart().split(/\s+/).slice(1);
  const current = words.at(-1) ?? '';
  const fits = candidates(words, questions, db).filter(word => word.startsWith(current));
  // A name that a shell would read as something else is never offered.
  return [...new Set(fits)].filter(word => /^[-A-Za-z0-9_@%+=:,./]+$/.test(word));
}

/** The file that --db names on the line. */
export function databaseOf(line: string): string | undefined {
  return /\s--db[\s=](\S+)\s/.exec(line)?.[1];
}

function candidates(words: readonly string[], questions: readonly AnyQuestion[], db: Recording): string[] {
  const [name, ...rest] = words;
  const question = questions.find(question => question.name === name);
  if (rest.length === 0) return [...questions.map(question => question.name), 'help', '--help', '--version'];
  if (name === 'help') return questions.map(question => question.name);
  if (question === undefined) return [];
  const options = [...question.options, ...commonOptions(question)];
  const before = rest.at(-2) ?? '';
  const given = options.find(({ flags }) => flags.includes('<') && flags.split(/[ ,]+/).includes(before));
  if (given !== undefined) return valuesOf(typedOf(given), db);
  if (rest.at(-1)?.startsWith('-'))
    return [...options.flatMap(({ flags }) => /--[a-z-]+/.exec(flags) ?? []), '--help'];
  const [argument] = question.args;
  return argument === undefined ? [] : valuesOf(argument, db);
}

function typedOf(option: Option | CommonOption): Value {
  if ('kind' in option) return option;
  return { kind: ['since', 'until', 'at'].includes(option.name) ? 'time' : 'number' };
}

function valuesOf({ kind, choices, vocabulary }: Value, db: Recording): string[] {
  if (choices !== undefined) return [...choices];
  if (kind === 'signal') return SIGNALS;
  if (kind === 'time') return TIMES;
  const statement = STATEMENTS[(vocabulary ?? kind) as keyof typeof STATEMENTS];
  return db === undefined || statement === undefined ? [] : (db.prepare(statement).pluck().all() as string[]);
}
