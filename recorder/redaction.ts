/** How a run redacts: with which key, if at all; and what it may say of its own options. */

import { randomBytes } from 'node:crypto';
import type { RecordOptions } from './options.js';
import { KEEP_ALL, makeRedactor, type Redactor } from './redact.js';
import { keyBeside } from './secret-key.js';
import { decodeText, splitStrings } from './text.js';

/** The key of a recording lies beside it; what `run` records matches only itself. */
export function redactorOf({ redact, scope, db }: RecordOptions): Redactor {
  if (!redact) return KEEP_ALL;
  return makeRedactor(scope.kind === 'tree' ? randomBytes(32) : keyBeside(db));
}

/** The options as they may be stored: the command of `run` may hold a secret, too. */
export function shownOptions(options: RecordOptions, redactor: Redactor): RecordOptions {
  const { scope } = options;
  if (scope.kind !== 'tree') return options;
  const words = redactor.args(Buffer.from(scope.command.map(word => `${word}\0`).join('')), false);
  const command = splitStrings(words).map(word => decodeText(word).text);
  return {
    ...options,
    scope: { ...scope, command: options.argsBytes === 0 ? command.slice(0, 1) : command },
  };
}
