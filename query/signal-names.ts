/** Names and numbers of signals, from the C library's list that Node carries: nothing is retyped here. */

import { constants } from 'node:os';
import { SnoopError } from '../migrations/errors.js';
import { didYouMean } from './suggest.js';

const RTMIN = 34; // 32 and 33 belong to the C library
const RTMAX = 64;
const ALIASES = new Set(['SIGIOT', 'SIGPOLL', 'SIGCLD', 'SIGUNUSED']); // other names of a number that has a better one
const NUMBERS = new Map(Object.entries(constants.signals) as [string, number][]);
const NAMES = new Map(
  [...NUMBERS].filter(([name]) => !ALIASES.has(name)).map(([name, number]) => [number, name]),
);

/** What people call them: without SIG. */
const NAMED = [...NAMES.values(), 'SIGRTMIN', 'SIGRTMAX'].map(name => name.slice(3));

/** Signals whose default action does not end a process: child, continue, stops, urgent data, window size. */
const HARMLESS = new Set(
  (['SIGCHLD', 'SIGCONT', 'SIGSTOP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU', 'SIGURG', 'SIGWINCH'] as const).map(
    name => constants.signals[name] as number,
  ),
);

/** `SIGKILL` of 9, `SIGRTMIN+1` of 35, the number itself where there is no name. */
export function signalName(number: number): string {
  const name = NAMES.get(number);
  if (name !== undefined) return name;
  if (number === RTMIN) return 'SIGRTMIN';
  if (number === RTMAX) return 'SIGRTMAX';
  if (number > RTMIN && number < RTMAX) return `SIGRTMIN+${number - RTMIN}`;
  return number === 32 || number === 33 ? `SIG${number}` : String(number);
}

/** Whether the default action of the signal ends the process. */
export function isLethal(number: number): boolean {
  return number > 0 && !HARMLESS.has(number);
}

/** 0, and all whose default action does not end a process. */
export const HARMLESS_SIGNALS: readonly number[] = [0, ...HARMLESS];

/** The number of `KILL`, `SIGKILL`, `9`, `RTMIN+1`, `SIGRTMAX-1`; SnoopError 'usage' for what is no signal. */
export function parseSignal(text: string): number {
  const number = numberOf(text.trim().toUpperCase());
  if (number === undefined) {
    throw new SnoopError(
      'usage',
      `'${text}' is not a signal`,
      didYouMean(text.replace(/^SIG/i, ''), NAMED) ?? 'give a name or a number: KILL, SIGTERM, 9, RTMIN+1',
    );
  }
  return number;
}

function numberOf(word: string): number | undefined {
  if (/^\d+$/.test(word)) return Number(word) <= RTMAX ? Number(word) : undefined;
  const name = word.startsWith('SIG') ? word : `SIG${word}`;
  const realTime = /^SIGRT(MIN|MAX)(?:([+-])(\d+))?$/.exec(name);
  if (realTime !== null) {
    const step = Number(realTime[3] ?? 0) * (realTime[2] === '-' ? -1 : 1);
    const number = (realTime[1] === 'MIN' ? RTMIN : RTMAX) + step;
    return number >= RTMIN && number <= RTMAX ? number : undefined;
  }
  if (name === 'SIG32' || name === 'SIG33') return Number(name.slice(3));
  return NUMBERS.get(name);
}
