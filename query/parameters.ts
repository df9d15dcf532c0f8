/** Words of the command line become named parameters of a statement: checked here, once, and never part of SQL text. */

import { SnoopError } from '../migrations/errors.js';
import type { Io } from './io.js';
import { commOf } from './lives.js';
import type { Parameter, Parameters } from './query.js';
import { parseSignal } from './signal-names.js';
import { parseSpan, parseTime } from './since.js';
import { didYouMean } from './suggest.js';

const MAX_PID = 4_194_304; // include/linux/threads.h, PID_MAX_LIMIT on 64 bit

/** Suffixes of systemd units: systemd.unit(5). */
const UNIT_SUFFIX = /\.(?:service|scope|slice|socket|target|timer|mount|automount|swap|path|device)$/;

/** The named parameters of `parameter` with the value `word`, or with NULL where it was not given. */
export function bind(
  parameter: Parameter & { choices?: readonly string[] },
  word: string | true | undefined,
  io: Io,
): Parameters {
  const { name, kind, choices } = parameter;
  if (kind === 'flag') return { [name]: word === undefined ? null : 1 };
  const text = word === undefined ? undefined : String(word);
  switch (kind) {
    case 'process': {
      const who = text === undefined ? { pid: null, name: null } : parseProcess(text);
      return { [`${name}_pid`]: who.pid, [`${name}_name`]: who.name, [`${name}_comm`]: comm(who.name) };
    }
    case 'program':
      return { [name]: text ?? null, [`${name}_comm`]: comm(text ?? null) };
    case 'pattern':
      return { [name]: text === undefined ? null : glob(text), [`${name}_piece`]: plainPiece(text ?? '') };
    default:
      if (text !== undefined && choices !== undefined && !choices.includes(text))
        throw notAChoice(name, text, choices);
      return { [name]: text === undefined ? null : parse(name, kind, text, io) };
  }
}

/** A pid, or else a name. Pids that Linux cannot give are refused. */
export function parseProcess(word: string): { pid: number | null; name: string | null } {
  if (word === '')
    throw new SnoopError(
      'usage',
      'the pid or name is empty',
      'give a pid such as 2219, or a name such as nginx',
    );
  if (!/^[+-]?\d+$/.test(word)) return { pid: null, name: word };
  const pid = Number(word);
  if (/^\d+$/.test(word) && pid >= 1 && pid <= MAX_PID) return { pid, name: null };
  throw new SnoopError('usage', `'${word}' is not a pid`, `a pid is a number from 1 to ${MAX_PID}`);
}

function parse(name: string, kind: Parameter['kind'], word: string, io: Io): string | number {
  switch (kind) {
    case 'signal':
      return parseSignal(word);
    case 'time':
      return parseTime(word, io);
    case 'span':
      return parseSpan(word);
    case 'uid':
      return parseUser(word);
    case 'number':
      return parseNumber(name, word);
    case 'unit':
      return UNIT_SUFFIX.test(word) ? word : `${word}.service`;
    case 'container':
      return `${word.replace(/[*?[]/g, special => `[${special}]`)}*`;
    default:
      return word;
  }
}

/** A whole number from 0 up. */
export function parseNumber(name: string, word: string): number {
  const number = Number(word);
  if (/^\d+$/.test(word) && Number.isSafeInteger(number)) return number;
  throw new SnoopError('usage', `'${word}' is not a number for --${name}`, 'give a whole number, 0 or more');
}

/** The number of a user, or his name, which the recording knows. */
function parseUser(word: string): string | number {
  if (!/^[+-]?\d+$/.test(word)) return word;
  if (/^\d+$/.test(word) && Number(word) < 2 ** 32) return Number(word);
  throw new SnoopError(
    'usage',
    `'${word}' is not a user id`,
    'give a number from 0 up, or the name of a user',
  );
}

function comm(name: string | null): string | null {
  return name === null ? null : commOf(name);
}

/** A glob that finds the text anywhere, or the glob itself. */
function glob(word: string): string {
  return /[*?[]/.test(word) ? word : `*${word}*`;
}

/**
 * The longest part of a pattern that looks the same in a quoted command line and in a JSON array: where it is missing from
 * the array the pattern cannot match, and the quoted line need not be made.
 */
export function plainPiece(pattern: string): string {
  const pieces = pattern.replace(/\[\^?\]?[^\]]*(?:\]|$)/g, '*').match(/[-A-Za-z0-9_@%+=:,./]+/g) ?? [];
  return pieces.reduce((longest, piece) => (piece.length > longest.length ? piece : longest), '');
}

function notAChoice(name: string, word: string, choices: readonly string[]): SnoopError {
  return new SnoopError(
    'usage',
    `'${word}' is no choice for --${name}`,
    didYouMean(word, choices) ?? `one of: ${choices.join(', ')}`,
  );
}
