/**
 * What the recorder may do, and how it gives that up. Attaching takes CAP_BPF and CAP_PERFMON; reading the lanes and writing
 * the database takes nothing. So, once every probe is attached:
 *
 * - where the machine has a user `snooprec` and the directory of the database is that user's (`start` gives it one that it makes
 *   itself), the recorder becomes that user. setuid(2) of the C library reaches every thread, and the kernel takes all
 *   capabilities from each (capabilities(7), "Effect of user ID changes").
 * - else it stays root, with the few capabilities that `start` leaves to what it spawns. They cannot be given up later:
 *   capset(2) changes one thread, and Node has several.
 *
 * As `snooprec` it cannot read /proc/PID/exe and /proc/PID/cwd of others any more (ptrace(2), access mode checks): a process whose
 * fork was lost then has its name and arguments only. It cannot make its directory anew when somebody removes that. What it
 * may not remove at its end, an empty directory in bpffs and its lock file, `snooprec stop` and the next start remove.
 */

import {
  chownSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { SnoopError } from '../migrations/errors.js';
import type { Group } from './group.js';
import type { Transport } from './kernel-ways.js';
import { allowLockedMemory, becomeUser, forbidNewPrivileges, giveUpForChildren, hideMemory } from './libc.js';
import { O_PATH } from './path-safety.js';
import { serviceUser, type User } from './users.js';

/** include/uapi/linux/capability.h */
const CAP = {
  CHOWN: 0,
  DAC_OVERRIDE: 1,
  FOWNER: 3,
  SETGID: 6,
  SETUID: 7,
  IPC_LOCK: 14,
  SYS_PTRACE: 19,
  SYS_NICE: 23,
  PERFMON: 38,
  BPF: 39,
};
const CAP_LAST = 40;
/** What a recorder needs that stays root: to attach, to read of whom it missed the fork, to be heard in a storm. */
const TO_RECORD = [CAP.BPF, CAP.PERFMON, CAP.SYS_PTRACE, CAP.SYS_NICE];
/** And to map the buffers of perf events, which are locked memory (kernel/events/core.c, perf_mmap). */
const TO_MAP_PERF = [CAP.IPC_LOCK];
/** And what it needs to become another user, who owns the files. */
const TO_CHANGE = [CAP.SETUID, CAP.SETGID, CAP.CHOWN, CAP.DAC_OVERRIDE, CAP.FOWNER];

/** Throws unless this process may attach probes. */
export function requirePrivileges(): void {
  if (process.geteuid?.() === 0) return;
  const mine = effectiveCapabilities('/proc/self/status');
  if ([CAP.BPF, CAP.PERFMON].every(capability => (mine >> BigInt(capability)) & 1n)) return;
  throw new SnoopError('privilege', 'recording needs root, or CAP_BPF and CAP_PERFMON', 'run it with sudo');
}

/** From now on whatever this process spawns has, and can get, only what a recorder needs. Changes the calling thread, which spawns. */
export function confineChildren(transport: Transport): void {
  if (process.geteuid?.() !== 0) return;
  allowLockedMemory(); // before 5.11 BPF maps count as locked memory, and a recorder may not raise its limit
  const needed = [
    ...TO_RECORD,
    ...(serviceUser() === null ? [] : TO_CHANGE),
    ...(transport === 'perf' ? TO_MAP_PERF : []),
  ];
  const others = Array.from({ length: CAP_LAST + 1 }, (_, capability) => capability);
  giveUpForChildren(others.filter(capability => !needed.includes(capability)));
}

/** Who is to own a directory that was made for a recording. */
export function giveToService(directory: string): void {
  const user = serviceUser();
  if (user !== null && process.geteuid?.() === 0) chownSync(directory, user.uid, user.gid);
}

/**
 * Becomes the user of the service, if this is root and the directory of the database is that user's; the files of the recording
 * become the user's, too. To be called when everything that needs privileges is done.
 * @param group which it stays a member of
 * @param holdPins makes the pins usable for who cannot walk to them any more; returns their directories
 */
export function becomeService(
  db: string,
  group: Group | null | undefined,
  holdPins: () => readonly string[],
): void {
  forbidNewPrivileges();
  hideMemory();
  const user = serviceUser();
  if (user === null || process.geteuid?.() !== 0 || statSync(dirname(db)).uid !== user.uid) return;
  handOver(db, user);
  for (const directory of holdPins()) chownSync(directory, user.uid, user.gid);
  becomeUser(user.uid, user.gid, group ? [group.gid] : []);
  for (const thread of readdirSync('/proc/self/task')) {
    if (effectiveCapabilities(`/proc/self/task/${thread}/status`) === 0n) continue;
    throw new SnoopError('privilege', `cannot become ${user.name}: thread ${thread} keeps capabilities`);
  }
}

/**
 * Gives the files of a recording to a user: only plain ones with no other name, and each by a descriptor, so that what was looked
 * at is what changes hands. With O_PATH, for closing any other descriptor of the database would drop SQLite's locks on it.
 */
function handOver(db: string, { uid, gid }: User): void {
  const stem = basename(db).replace(/\.db$/, '');
  for (const name of readdirSync(dirname(db)).filter(name => name.startsWith(stem))) {
    const fd = openSync(join(dirname(db), name), O_PATH | constants.O_NOFOLLOW);
    const found = fstatSync(fd);
    if (found.isFile() && found.nlink === 1 && found.uid !== uid) chownSync(`/proc/self/fd/${fd}`, uid, gid);
    closeSync(fd);
  }
}

function effectiveCapabilities(status: string): bigint {
  return BigInt(`0x${/^CapEff:\s+([0-9a-f]+)$/m.exec(readFileSync(status, 'latin1'))?.[1] ?? '0'}`);
}
