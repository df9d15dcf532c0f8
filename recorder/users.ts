/** passwd(5): the names of users, and the one that the service runs as. */

import { readFileSync } from 'node:fs';

/** Whom the recorder becomes once its probes are attached, where the machine has such a user. */
const SERVICE = 'snooprec';

export interface User {
  uid: number;
  gid: number;
  name: string;
}

export function usersOf(passwd: string): User[] {
  return passwd.split('\n').flatMap(line => {
    const [name, , uid, gid] = line.split(':');
    return name && uid && /^\d+$/.test(uid) ? [{ uid: Number(uid), gid: Number(gid), name }] : [];
  });
}

/** The users that /etc/passwd names; none where it cannot be read. */
export function readUsers(): User[] {
  try {
    return usersOf(readFileSync('/etc/passwd', 'utf8'));
  } catch {
    return [];
  }
}

/** The user of the service; null: there is none, or it is root by another name. */
export function serviceUser(): User | null {
  const user = readUsers().find(({ name }) => name === SERVICE);
  return user && user.uid > 0 && user.gid > 0 ? user : null;
}
