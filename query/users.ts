/** User names of user ids. They are facts of the recorded machine, so another machine's list is never asked. */

import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type Database from 'better-sqlite3';
import { SnoopError } from '../migrations/errors.js';
import { didYouMean } from './suggest.js';

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

/** The user id that a name had on the recorded machine; SnoopError 'usage' for a name that it did not know. */
export function userId(db: Database.Database, name: string): number {
  if (name === 'root') return 0;
  const uid = db.prepare('SELECT uid FROM user_name WHERE name = ? ORDER BY uid LIMIT 1').pluck().get(name);
  if (uid !== undefined) return uid as number;
  const host = db.prepare('SELECT host FROM recordings ORDER BY id DESC LIMIT 1').pluck().get();
  const here = host === hostname() ? [...readUsers()].find(([, user]) => user === name)?.[0] : undefined;
  if (here !== undefined) return here;
  const names = db.prepare('SELECT name FROM user_name').pluck().all() as string[];
  throw new SnoopError(
    'usage',
    `'${name}' is not a user of the recorded machine`,
    didYouMean(name, names) ?? 'give the user id as a number',
  );
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
