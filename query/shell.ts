/** Argument vectors as lines that a shell would read back. */

import { escapeText, SHORT, UNSAFE } from './escape.js';

/** The arguments, quoted where they must be; the same text as the views' cmdline. */
export function shellLine(args: readonly string[]): string {
  return args.map(quote).join(' ');
}

const QUOTED = /\\'|'([^']*)'/g;

/**
 * A line of `shellLine`, or of a view's cmdline, that is safe for a terminal and still read back as the same bytes: what
 * holds an odd character is quoted as $'…', which bash, zsh, ksh and POSIX.1-2024 know.
 */
export function safeLine(line: string): string {
  const safe = line.replace(QUOTED, (all, inside: string | undefined) =>
    inside === undefined || inside.search(UNSAFE) < 0
      ? all
      : `$'${inside.replaceAll('\\', '\\\\').replace(UNSAFE, bytesOf)}'`,
  );
  return escapeText(safe); // nothing, unless it is not such a line
}

function bytesOf(text: string): string {
  return (
    SHORT[text] ?? [...Buffer.from(text)].map(byte => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
  );
}

/** The strings of a JSON array; null where it is none. */
export function parseArgs(json: string | null): string[] | null {
  if (json === null) return null;
  try {
    const parsed: unknown = JSON.parse(json);
    return Array.isArray(parsed) ? parsed.map(String) : null;
  } catch {
    return null; // a damaged text is an absent fact, not the end of the answer
  }
}

/** The command line of an argument vector as the views hold it; null where there is none. */
export function commandLine(json: string | null): string | null {
  const args = parseArgs(json);
  return args === null ? null : shellLine(args);
}

function quote(arg: string): string {
  return /^[-A-Za-z0-9_@%+=:,./]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`;
}
