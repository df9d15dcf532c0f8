/**
 * `--group NAME`: who may read what is sealed. Members of the group enter the directory of the recording and read its sealed
 * segments and what was kept of dropped ones (0640). The live segment stays closed (0600): to read a log that is being written,
 * SQLite takes locks on the file and on the index beside it, and whoever may take these can hold up the recorder, and have it
 * leave segment after segment until the old ones are dropped. A lock on a sealed one holds up nothing: it is only read and
 * removed, and what was kept is written into a copy where somebody reads it (kept.ts).
 */

import { chmodSync, chownSync, lstatSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { SnoopError } from '../migrations/errors.js';
import { takeGroups } from './libc.js';

const SHARED = 0o640;
const CLOSED = 0o600;
const PERMISSIONS = 0o777;
const GROUP_READS_AND_ENTERS = 0o050;
const GROUP_ENTERS = 0o010;
const OTHERS_ENTER = 0o001;
/** chown(2): stays as it is. */
const SAME = -1;

export interface Group {
  gid: number;
  name: string;
}

/** The group of that name in /etc/group. */
export function findGroup(name: string): Group {
  const line = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .map(line => line.split(':'))
    .find(([known]) => known === name);
  const gid = Number(line?.[2] ?? Number.NaN);
  if (Number.isInteger(gid)) return { gid, name };
  throw new SnoopError('usage', `there is no group ${name} in /etc/group`, `groupadd --system ${name}`);
}

/** Lets this process, and what it spawns, give its files to the group: chown(2) wants a member. */
export function joinGroup({ gid, name }: Group): void {
  if (process.getegid?.() === gid || process.getgroups?.().includes(gid)) return;
  try {
    takeGroups([gid]);
  } catch (error) {
    throw new SnoopError(
      'privilege',
      `user ${process.geteuid?.()} is not in group ${name}: ${(error as Error).message}`,
      'run it as root, or as a member of the group',
      error,
    );
  }
}

/**
 * Opens the directories that were made for the recording to the group, and refuses one that was there and is closed to it: who
 * made that decides.
 */
export function openWay({ gid, name }: Group, directory: string, made: readonly string[]): void {
  for (const path of made) chownSync(path, SAME, gid);
  for (let path = directory, needed = GROUP_READS_AND_ENTERS; ; path = dirname(path), needed = GROUP_ENTERS) {
    const found = statSync(path);
    const isOpen =
      found.gid === gid
        ? (found.mode & needed) === needed
        : (found.mode & OTHERS_ENTER) !== 0 && (needed === GROUP_ENTERS || (found.mode & 0o004) !== 0);
    if (!isOpen) {
      throw new SnoopError(
        'database',
        `group ${name} cannot ${path === directory ? 'read' : 'enter'} ${path}`,
        `chgrp ${name} ${path} && chmod g+rx ${path}`,
      );
    }
    if (path === '/') return;
  }
}

/** Opens a file that is not written any more to the group, or to nobody; where there is none, nothing. */
export function share(path: string, group: Group | null): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  // The owner first: or those of another group could read it for an instant.
  if (group !== null && found.gid !== group.gid) chownSync(path, SAME, group.gid);
  const mode = group === null ? CLOSED : SHARED;
  if ((found.mode & PERMISSIONS) !== mode) chmodSync(path, mode);
}
