/**
 * How programs tell by their own end what became of a child: the habits of wrappers. An exit status is eight bits that
 * anyone may choose, so a rule makes a connection probable, never proven; and 137 is no more than "128 + 9".
 *
 * A rule gives the status, or the signal, with which the wrapper would end for that end of a child. The first that fits is
 * taken. Without `programs` it holds for any.
 */

/** How a process ended: one of the two is null. */
export interface End {
  exit_code: number | null;
  exit_signal: number | null;
}

export interface Habit {
  programs?: readonly string[];
  /** Null: such an end of a child says nothing. */
  ends(child: End): Partial<End> | null;
  /** The child was sent a lethal signal by the wrapper itself. */
  onlyIfSignalled?: true;
  /** The child ended at most so long before, microseconds. */
  within: number;
  /** The habit, as a clause of its own. */
  doc: string;
}

const SECOND = 1_000_000;

const failed = ({ exit_code: code, exit_signal: sig }: End): boolean => sig !== null || (code ?? 0) !== 0;

export const HABITS: readonly Habit[] = [
  {
    programs: ['timeout'],
    ends: () => ({ exit_code: 124 }),
    onlyIfSignalled: true,
    within: 10 * SECOND,
    doc: 'timeout exits 124 when it ended a command whose time was up',
  },
  {
    programs: ['make', 'gmake', 'bmake'],
    ends: child => (failed(child) ? { exit_code: 2 } : null),
    within: 10 * SECOND,
    doc: 'make exits 2 when a command of a recipe failed, however it failed',
  },
  {
    programs: ['xargs'],
    ends: ({ exit_code: code, exit_signal: sig }) => {
      if (sig !== null) return { exit_code: 125 };
      if (code === 255) return { exit_code: 124 };
      return code !== null && code >= 1 && code <= 125 ? { exit_code: 123 } : null;
    },
    within: 60 * SECOND,
    doc: 'xargs exits 125 for a command that a signal ended, 123 for one that failed, 124 for one that exited 255',
  },
  {
    programs: ['ninja', 'go', 'npm', 'yarn', 'pnpm', 'tox', 'find'],
    ends: child => (failed(child) ? { exit_code: 1 } : null),
    within: 10 * SECOND,
    doc: 'such a program exits 1 when a command that it ran failed',
  },
  {
    programs: ['cargo', 'parallel'],
    ends: child => (failed(child) ? { exit_code: 101 } : null),
    within: 10 * SECOND,
    doc: 'such a program exits 101 when a command that it ran ended badly',
  },
  {
    ends: ({ exit_signal: sig }) => (sig === null ? null : { exit_code: 128 + sig }),
    within: 10 * SECOND,
    doc: 'shells, tini and container runtimes exit with 128 + n for a child that signal n ended',
  },
  {
    ends: ({ exit_signal: sig }) => (sig === null ? null : { exit_code: 256 - sig }),
    within: 10 * SECOND,
    doc: 'a Python program that exits with the return code of a child does so with 256 - n for signal n',
  },
  {
    ends: ({ exit_signal: sig }) => (sig === null ? null : { exit_signal: sig }),
    within: 2 * SECOND,
    doc: 'sudo, npm and strace end themselves by the signal that ended their child',
  },
  {
    ends: ({ exit_code: code }) => (code === null || code === 0 ? null : { exit_code: code }),
    within: 2 * SECOND,
    doc: 'many programs exit with the status of their child',
  },
];

/** What an exit status means by convention alone, for a sentence. */
export const CONVENTIONS: ReadonlyMap<number, string> = new Map([
  [124, 'what timeout exits with when the time is up'],
  [126, 'what a shell exits with when a command could not be executed'],
  [127, 'what a shell exits with when a command was not found'],
  [255, 'what ssh exits with when the connection failed, and others for -1'],
]);
