/** The command line of snoopq, derived from the list of questions; everything but the process itself. */

import type Database from 'better-sqlite3';
import { Command, CommanderError, Option as CommanderOption } from 'commander';
import { databasePath } from '../migrations/database.js';
import { SnoopError } from '../migrations/errors.js';
import { answer } from './answer.js';
import { commonOptions, hasMoment } from './common-options.js';
import { databaseError, isDamage, openNothing } from './db.js';
import { escapeText } from './escape.js';
import { optionHelp, questionHelp, welcome } from './help.js';
import { type Io, OutputClosed } from './io.js';
import { describeGaps, describeSpan, readRecorded } from './loss.js';
import { bind, parseNumber } from './parameters.js';
import { questions } from './queries/index.js';
import type { Answer, AnswerQuestion, AnyQuestion, Parameters } from './query.js';
import { FORMATS, type Format, ndjsonRow, render } from './render/index.js';
import { painter } from './render/paint.js';
import { resolve } from './resolve.js';
import { openRecording } from './segments.js';
import { parseMoment, parseTime } from './since.js';
import { stateOf } from './state.js';
import { type Clock, showTime } from './time.js';
import { usageMessage } from './usage.js';
import { version } from './version.js';

/** The exit statuses, a contract. */
export const EXIT = { answered: 0, nothing: 1, usage: 2, database: 3, loss: 4, interrupted: 130 } as const;

type Flags = Record<string, string | true | undefined>;

/** Answers in a process of its own; `isTimed`: which may not take for ever. */
export type Isolate = (argv: readonly string[], isTimed: boolean) => Promise<number>;

/** Answers `argv` (without node and script) and gives the exit status. */
export async function run(argv: readonly string[], io: Io, isolate?: Isolate): Promise<number> {
  let status: number | Promise<number> = EXIT.answered;
  const act = (question: AnyQuestion, words: string[], flags: Flags): void => {
    const isTimed = question.isIsolated === true;
    const isAlone = isTimed || question.makesFile?.(parametersOf(question, words, flags, io), io) === true;
    if (!isAlone || isolate === undefined) {
      status = ask(question, words, flags, io);
      return;
    }
    io.unwatch?.();
    status = isolate(argv, isTimed);
  };
  // Twenty questions have four hundred options: where one is asked, the others are not needed.
  const asked = questions.filter(({ name }) => name === argv[0]);
  const program = buildProgram(io, act, asked.length > 0 ? asked : questions);
  try {
    if (argv.length === 0) io.out(welcome(questions, stateOf(databasePath(undefined))));
    else await program.parseAsync(argv as string[], { from: 'user' });
    return await status;
  } catch (error) {
    return fail(error, argv, io);
  }
}

/** The commander program of these questions. */
export function buildProgram(
  io: Io,
  act: (question: AnyQuestion, words: string[], flags: Flags) => void,
  asked: readonly AnyQuestion[] = questions,
): Command {
  const program = new Command('snoopq')
    .description('Asks a recording of snooprec who killed a process, how, and on whose behalf.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain a question and its options')
    .addHelpText('after', optionHelp)
    .configureOutput({ writeOut: text => io.out(text), writeErr: () => {}, getOutHelpWidth: () => io.width })
    .exitOverride();
  for (const question of asked) program.addCommand(commandOf(question, io, act));
  return program;
}

function commandOf(
  question: AnyQuestion,
  io: Io,
  act: (q: AnyQuestion, words: string[], flags: Flags) => void,
): Command {
  const command = new Command(question.name)
    .summary(question.summary)
    .description(question.why)
    .helpOption('-h, --help', 'explain this question')
    .addHelpText('after', questionHelp(question))
    .configureOutput({ writeOut: text => io.out(text), writeErr: () => {}, getOutHelpWidth: () => io.width })
    .exitOverride();
  for (const { shown, doc, isOptional } of question.args)
    command.argument(isOptional ? `[${shown}]` : `<${shown}>`, doc);
  for (const option of question.options) command.option(option.flags, option.doc);
  addCommonOptions(command, question);
  return command.action((...given: unknown[]) => {
    const words = given.slice(0, question.args.length) as string[];
    act(question, words, given[question.args.length] as Flags);
  });
}

function addCommonOptions(command: Command, question: AnyQuestion): void {
  const formats = Object.keys(FORMATS);
  for (const { name, flags, doc } of commonOptions(question)) {
    const others = formats.includes(name) ? formats.filter(other => other !== name) : [];
    command.addOption(new CommanderOption(flags, doc).conflicts(others));
  }
}

/** Closes the recording; one whose rows could not be read to their end cannot be closed, and that error must not hide the first. */
function closeAfter(db: Database.Database): void {
  try {
    db.close();
  } catch {}
}

function ask(question: AnyQuestion, words: string[], flags: Flags, io: Io): number | Promise<number> {
  const format =
    (Object.keys(FORMATS) as Format[]).find(name => flags[name]) ?? (io.isTerminal ? 'table' : 'plain');
  const parameters = parametersOf(question, words, flags, io);
  if ('answer' in question && question.isEndless?.(parameters))
    return stream(question, parameters, format, io, flags);
  if (question.isOffline) return tell(question, openNothing(), parameters, format, io, flags);
  const path = databasePath(flags.db as string | undefined);
  io.watch?.(path);
  const window = { from: parameters.since as number | null, to: parameters.until as number | null };
  const isAboutEvents = 'sql' in question && !question.isLedger;
  const warned = new Set<string>();
  const damaged = new Map<string, string>();
  for (;;) {
    const recording = openRecording(path, { damaged, ...(isAboutEvents ? { window } : {}) });
    let hasBegun = false;
    const out = (text: string): void => {
      hasBegun = true;
      io.out(text);
    };
    try {
      for (const line of recording.warnings.filter(line => !warned.has(line))) {
        warned.add(line);
        io.err(`snoopq: warning: ${escapeText(line)}\n`);
      }
      return tell(question, recording.db, parameters, format, { ...io, out }, flags);
    } catch (error) {
      // Damage within a sealed segment shows only where it is read: then the others answer alone.
      const found = isDamage(error) ? recording.findDamaged() : new Map<string, string>();
      for (const [file, why] of found) damaged.set(file, why);
      if (found.size === 0) throw databaseError(path, error);
      if (hasBegun)
        throw new SnoopError(
          'database',
          [...found.values()].join('; '),
          'rename it so that it ends in ~, and ask again',
          error,
        );
    } finally {
      closeAfter(recording.db);
    }
  }
}

/** Answers without an end, until the process is ended or what `io` calls an interruption comes. */
async function stream(
  question: AnswerQuestion,
  parameters: Parameters,
  format: Format,
  io: Io,
  flags: Flags,
): Promise<number> {
  if (!['table', 'plain', 'ndjson'].includes(format)) {
    throw new SnoopError('usage', `what has no end cannot be one --${format}`, 'for a program: --ndjson');
  }
  io.unwatch?.();
  const path = databasePath(flags.db as string | undefined);
  const recording = openRecording(path);
  const known = resolve(question, recording.db, parameters);
  recording.db.close();
  const signal = io.interruption?.() ?? new AbortController().signal;
  const row = format === 'ndjson' ? ndjsonRow : null;
  await question.stream?.(path, known, { io, paint: painter(io.hasColor), row }, signal);
  return EXIT.interrupted;
}

function tell(
  question: AnyQuestion,
  db: Database.Database,
  parameters: Parameters,
  format: Format,
  io: Io,
  flags: Flags,
): number {
  const clock = { utc: flags.utc === true };
  const known = question.isOffline ? parameters : resolve(question, db, parameters);
  const found = answer(question, db, known, io);
  const hasFound = render(found, format, clock, io);
  for (const note of found.notes?.() ?? []) io.err(`snoopq: ${note}\n`);
  if (!hasFound) sayNothingFound(found, question.isOffline ? '' : where(found, db, parameters, clock), io);
  else if (found.gaps.length > 0 && !question.isLedger)
    io.err(`snoopq: warning: ${warning(found)}; see: snoopq coverage\n`);
  if (flags.strict === true && found.gaps.length > 0) return EXIT.loss;
  return hasFound ? EXIT.answered : EXIT.nothing;
}

function parametersOf(question: AnyQuestion, words: string[], flags: Flags, io: Io): Parameters {
  const parameters: Parameters = {
    since: timeOf(flags.since, io),
    until: timeOf(flags.until, io),
    limit: flags.limit === undefined ? null : parseNumber('limit', String(flags.limit)),
    reverse: flags.reverse === true ? 1 : null,
    utc: flags.utc === true ? 1 : null,
  };
  if (flags.at !== undefined && hasMoment(question)) {
    if (flags.since !== undefined || flags.until !== undefined)
      throw new SnoopError('usage', '--at is a span by itself', 'leave out --since and --until');
    const { from, to } = parseMoment(String(flags.at), io);
    Object.assign(parameters, { since: from, until: to });
  }
  const { since, until } = parameters;
  if (since != null && until != null && since > until) {
    throw new SnoopError('usage', '--since is later than --until', 'exchange the two');
  }
  question.args.forEach((argument, i) => {
    Object.assign(parameters, bind(argument, words[i], io));
  });
  for (const option of question.options) Object.assign(parameters, bind(option, flags[option.name], io));
  return parameters;
}

function timeOf(word: string | true | undefined, io: Io): number | null {
  return word === undefined ? null : parseTime(String(word), io);
}

function warning({ gaps }: Answer): string {
  return `the recording has gaps within the span of this answer: ${describeGaps(gaps)}`;
}

/** Where was searched, and whether what was sought may have been there all the same. */
function where({ gaps }: Answer, db: Database.Database, { since, until }: Parameters, clock: Clock): string {
  const recorded = readRecorded(db);
  const span = describeSpan({ from: since as number | null, to: until as number | null }, recorded, clock);
  const begins = recorded.reach === null ? '' : showTime(recorded.reach, clock, 0);
  const isEarlier = since != null && recorded.reach !== null && Number(since) < recorded.reach;
  const start = isEarlier
    ? ` (the recording ${recorded.isOlderGone ? 'reaches back to' : 'begins at'} ${begins})`
    : '';
  return ` ${span}${start}; ${gaps.length === 0 ? 'nothing was lost there' : `not all was recorded there: ${describeGaps(gaps)}`}`;
}

function sayNothingFound(found: Answer, span: string, io: Io): void {
  io.err(`snoopq: no ${escapeText(found.sought)} found${span}\n`);
  if (found.hint !== undefined) io.err(`hint: ${escapeText(found.hint)}\n`);
}

/** Says what went wrong, and gives the exit status for it. */
function fail(error: unknown, argv: readonly string[], io: Io): number {
  if (error instanceof OutputClosed) return EXIT.answered;
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.answered;
    return complain(io, usageMessage(error, argv, questions), EXIT.usage);
  }
  if (error instanceof SnoopError) {
    return complain(
      io,
      { message: error.message, hint: error.hint },
      error.code === 'usage' ? EXIT.usage : EXIT.database,
    );
  }
  if (
    typeof (error as { code?: unknown }).code === 'string' &&
    String((error as { code: string }).code).startsWith('SQLITE_')
  ) {
    return complain(
      io,
      { message: (error as Error).message, hint: 'the views and their columns: snoopq schema' },
      EXIT.usage,
    );
  }
  throw error;
}

function complain(
  io: Io,
  { message, hint }: { message: string; hint?: string | undefined },
  status: number,
): number {
  io.err(`snoopq: ${escapeText(message)}\n`);
  if (hint !== undefined) io.err(`hint: ${escapeText(hint)}\n`);
  return status;
}
