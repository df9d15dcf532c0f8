/** Argument vectors as lines that a shell would read back. */

/** The arguments, quoted where they must be; the same text as the views' cmdline. */
export function shellLine(args: readonly string[]): string {
  return args.map(quote).join(' ');
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

function quote(arg: string): string {
  return /^[-A-Za-z0-9_@%+=:,./]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`;
}
