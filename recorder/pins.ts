/**
 * Pins: lanes, counters and links under names in bpffs. What is pinned outlives the recorder: kill it, and the kernel goes
 * on recording into the lanes; the next start takes them over and misses nothing, its own murder included.
 *
 *     /sys/fs/bpf/snooprec/<database>/<wire>_<setup>_<token>/{lane_lethal,lane_bulk,counters,snapshot,link_…}
 *
 * The name says what the lanes hold (wire), what is recorded into them (setup: probes and options), and which lanes they are
 * (token: the stored positions belong to just these).
 */

import { createHash, randomBytes } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmdirSync,
  statfsSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { mountBpffs } from './libc.js';

const BPFFS = '/sys/fs/bpf';
const BPF_FS_MAGIC = 0xcafe4a11; // include/uapi/linux/magic.h
const LINK = 'link_';
const ROOT = join(BPFFS, 'snooprec');

/** One set of pins, there or to be made. */
export interface PinSet {
  directory: string;
  wire: string;
  setup: string;
  token: string;
}

/** A short name for anything that JSON can tell apart. */
export function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12);
}

/** Makes sure that pins can be made. False: bpffs is not there and may not be mounted, or is closed; then it works without pins. */
export function hasBpffs(): boolean {
  if (!existsSync(BPFFS)) return false;
  if (isBpffs()) return isWritable(existsSync(ROOT) ? ROOT : BPFFS);
  try {
    mountBpffs(BPFFS);
  } catch {
    return false;
  }
  return isBpffs();
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isBpffs(): boolean {
  return existsSync(BPFFS) && statfsSync(BPFFS).type === BPF_FS_MAGIC;
}

/** The sets that recorders of this database left behind. */
export function leftPins(db: string): PinSet[] {
  const directory = join(ROOT, digest(db));
  if (!isBpffs() || !existsSync(directory)) return [];
  return readdirSync(directory).map(name => {
    const [wire = '', setup = '', token = ''] = name.split('_');
    return { directory: join(directory, name), wire, setup, token };
  });
}

/** The place for a new set. */
export function newPins(db: string, wire: string, setup: string): PinSet {
  const token = randomBytes(6).toString('hex');
  return { directory: join(ROOT, digest(db), `${wire}_${setup}_${token}`), wire, setup, token };
}

export function makePins(pins: PinSet): void {
  mkdirSync(pins.directory, { recursive: true, mode: 0o700 });
}

/** Where the link of a probe is pinned. */
export function linkPath(pins: PinSet, tracepoint: string): string {
  return join(pins.directory, LINK + tracepoint);
}

/** Whether the snapshot can be taken again. */
export function hasSnapshot(pins: PinSet): boolean {
  return existsSync(join(pins.directory, 'snapshot'));
}

/** The tracepoints whose probes are pinned. */
export function pinnedLinks(pins: PinSet): string[] {
  return readdirSync(pins.directory)
    .filter(name => name.startsWith(LINK))
    .map(name => name.slice(LINK.length));
}

/** The directories of a set, its own first. */
export function pinDirectories(pins: PinSet): string[] {
  return [pins.directory, join(pins.directory, '..')];
}

/**
 * Holds the directory of a set open, and names it by the descriptor from now on: who gives up being root may own it, and yet
 * not walk there.
 */
export function holdPins(pins: PinSet): void {
  pins.directory = `/proc/self/fd/${openSync(pins.directory, constants.O_RDONLY | constants.O_DIRECTORY)}`;
}

/** Removes directories that a recorder which is not root left empty. */
export function removeEmptyPins(db: string): void {
  for (const pins of leftPins(db)) if (readdirSync(pins.directory).length === 0) removePins(pins);
}

/** Takes the links away: the probes stop, the lanes stay. */
export function unpinLinks(pins: PinSet): void {
  unlinkAll(pins, name => name.startsWith(LINK));
}

/** Takes everything away, and the directories that are empty then. */
export function removePins(pins: PinSet): void {
  unlinkAll(pins, () => true);
  for (const directory of [...pinDirectories(pins), ROOT]) {
    try {
      rmdirSync(directory);
    } catch {} // another database has pins in there
  }
}

/** Closes a descriptor while what it holds is pinned, and unpins that at once; where nothing can be pinned, it just closes it. */
export function closePinned(fd: number, pin: (path: string) => void): void {
  const path = join(BPFFS, `snooprec_passing_${randomBytes(6).toString('hex')}`);
  let isPinned = false;
  try {
    if (isBpffs()) {
      pin(path);
      isPinned = true;
    }
  } catch {} // not allowed to
  closeSync(fd);
  if (isPinned) unlinkSync(path);
}

function unlinkAll(pins: PinSet, isMeant: (name: string) => boolean): void {
  if (!existsSync(pins.directory)) return;
  for (const name of readdirSync(pins.directory)) if (isMeant(name)) unlinkSync(join(pins.directory, name));
}
