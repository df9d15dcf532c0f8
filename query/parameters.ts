/** Words of the command line become named parameters of a statement: checked here, once, and never part of SQL text. */

import { SnoopError } from '../migrations/errors.js';
import type { Io } from './io.js';
import type { Parameter, Parameters } from './query.js';
import { parseSignal } from './signal-names.js';
import { parseTime } from './since.js';
import { uidOf } from './users.js';

const MAX_PID = 4_194_304; // include/linux/threads.h, PID_MAX_LIMIT on 64 bit

/** The named parameters of `parameter` with the value `word`, or with NULL where it was not given. */
export function bind({ name, kind }: Parameter, word: string | true | undefined, io: Io): Parameters {
  if (kind === 'flag') return { [name]: word === undefined ? null : 1 };
  if (kind === 'process') {
    const who = word === undefined ? { pid: null, name: null } : parseProcess(String(word));
    return { [`${name}_pid`]: who.pid, [`${name}_name`]: who.name };
  }
  if (word === undefined) return { [name]: null };
  return { [name]: parse(name, kind, String(word), io) };
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
    case 'uid':
      return parseUid(word);
    case 'number':
      return parseNumber(name, word);
    case 'pattern':
      return /[*?[]/.test(word) ? word : `*${word}*`;
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

function parseUid(word: string): number {
  const uid = /^\d+$/.test(word) ? Number(word) : uidOf(word);
  if (uid !== undefined && uid < 2 ** 32) return uid;
  throw new SnoopError('usage', `'${word}' is not a user of this machine`, 'give the user id as a number');
}
