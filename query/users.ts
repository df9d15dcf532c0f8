/** User names of user ids. They are facts of the recorded machine, so another machine's list is never asked. */

import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** Names the users of `host`; of another machine than this one only root is known. */
export function userNames(host: string | null): (uid: number | null) => string | null {
  let names: Map<number, string> | undefined;
  return uid => {
    if (uid === null) return null;
    if (uid === 0) return 'root';
    if (host !== hostname()) return null;
    names ??= readUsers();
    return names.get(uid) ?? null;
  };
}

/** The uid of a user of this machine, if there is such a one. */
export function uidOf(name: string): number | undefined {
  if (name === 'root') return 0;
  return [...readUsers()].find(([, user]) => user === name)?.[0];
}

function readUsers(): Map<number, string> {
  const users = new Map<number, string>();
  for (const line of passwd().split('\n')) {
    const [name, , uid] = line.split(':');
    if (name && uid && !users.has(Number(uid))) users.set(Number(uid), name);
  }
  return users;
}

function passwd(): string {
  try {
    return readFileSync('/etc/passwd', 'utf8');
  } catch {
    return ''; // a machine without it has no names to give
  }
}
