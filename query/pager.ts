/**
 * Shows a long answer page by page. snoopq often runs as root, so the pager is never taken from PATH or PAGER, may not start a
 * shell, an editor or a preprocessor (LESSSECURE, no LESSOPEN), and is given nothing else of the environment.
 */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const LESS = ['/usr/bin/less', '/bin/less'];
const PASSED = /^(?:TERM|LANG|LC_\w+)$/;

/** Shows `text` in less; false where there is none, or it could not start. */
export function page(text: string, env: Record<string, string | undefined>): boolean {
  const less = LESS.find(existsSync);
  if (less === undefined) return false;
  // Ctrl-C belongs to less, which would be left behind with the terminal in its hands.
  const ignore = (): void => {};
  process.on('SIGINT', ignore);
  // -R lets colours through, and nothing else: what a process chose was escaped before.
  const { error } = spawnSync(less, ['-F', '-R', '-X'], {
    input: text,
    stdio: ['pipe', 'inherit', 'inherit'],
    env: { ...passed(env), LESSSECURE: '1', LESSHISTFILE: '-' },
  });
  process.off('SIGINT', ignore);
  return error === undefined || (error as NodeJS.ErrnoException).code === 'EPIPE'; // it was left before the end
}

function passed(env: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter(
      (pair): pair is [string, string] => PASSED.test(pair[0]) && pair[1] !== undefined,
    ),
  );
}
