/** The one error that both commands show to people: a sentence, a hint, and the status to exit with. */

/** Why it failed; each has one exit status per command (DESIGN: snooprec 1, 2, 4, 6; snoopq 1, 2, 3). */
export const ERROR_CODES = [
  'usage', // a wrong option or argument
  'privilege', // not root, or a capability is missing
  'kernel', // the kernel lacks something, or refused it
  'library', // libbpf, or the database addon, cannot be used
  'database', // missing, foreign, corrupt, unreadable or unwritable
  'running', // another recorder holds the database, or none does
  'config', // a configuration file is wrong
  'command', // `snooprec run`: the command cannot be started
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/**
 * An error for the user. `message` names the object ("cannot attach probe on_exec"), `hint` says how to mend it.
 * Whatever else is thrown is a bug and is shown with its stack.
 */
export class SnoopError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, hint?: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'SnoopError';
    this.code = code;
    this.hint = hint;
  }
}
