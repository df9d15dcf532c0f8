/**
 * /proc/PID as it is now, for processes that no record described. Reading it is racy: any file may be gone, or be of the
 * next process with that pid, so the start time is compared and errors mean "not known".
 */

import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { CGROUP_ROOTS } from './cgroup.js';
import { bootOffsetNs } from './clock.js';

/** Start times in /proc count in clock ticks, 100 a second on every Linux (USER_HZ). */
const TICK_NS = 10_000_000;
/** Our time namespace shows in /proc (fs/proc/array.c, do_task_stat), and not in what others read there. */
const TICKS_AHEAD = Math.floor(bootOffsetNs() / TICK_NS);

export interface ProcessFacts {
  comm: Buffer;
  /** NUL-terminated arguments; empty for kernel threads. */
  cmdline: Buffer;
  exe: Buffer;
  cwd: Buffer;
  ppid: number;
  uid: number | null;
  /** Inside its own pid namespace, null where that is the initial one. */
  nsPid: number | null;
  /** Id of its cgroup in the unified hierarchy, null when that is not mounted where we look. */
  cgroup: number | null;
  /** Start time, only to the hundredth of a second. */
  startNs: number;
}

const EMPTY = Buffer.alloc(0);
const PF_EXITING = 0x4; // include/linux/sched.h

/**
 * What /proc says of `pid`, or null when it is gone or, if `start` (nanoseconds since boot) is given, when the pid belongs to
 * another process by now.
 */
export function processFacts(pid: number, start: number | null): ProcessFacts | null {
  const directory = `/proc/${pid}`;
  const stat = read(`${directory}/stat`);
  if (stat.length === 0) return null;
  const { comm, ppid, startTicks } = parseStat(stat);
  if (start !== null && Math.floor(start / TICK_NS) !== startTicks) return null;
  const status = read(`${directory}/status`).toString('latin1');
  return {
    comm,
    cmdline: read(`${directory}/cmdline`),
    exe: link(`${directory}/exe`),
    cwd: link(`${directory}/cwd`),
    ppid,
    uid: numberOf(/^Uid:\s+(\d+)/m.exec(status)?.[1]),
    nsPid: parseNsPid(status),
    cgroup: cgroupId(read(`${directory}/cgroup`).toString('utf8')),
    startNs: startTicks * TICK_NS,
  };
}

/** A start time as exact as /proc tells it. */
export function coarseStart(start: number): number {
  return Math.floor(start / TICK_NS) * TICK_NS;
}

/** What /proc/PID/stat says. */
export interface Stat {
  comm: Buffer;
  ppid: number;
  startTicks: number;
  /** Its main thread has ended or is about to; others may hold its files open for a while. */
  isEnding: boolean;
}

/** proc(5), /proc/PID/stat. The name may hold anything, a ')' too, so it ends at the last one. */
export function parseStat(stat: Buffer): Stat {
  const open = stat.indexOf('(');
  const close = stat.lastIndexOf(')');
  const fields = stat.toString('latin1', close + 2).split(' ');
  return {
    comm: stat.subarray(open + 1, close),
    ppid: Number(fields[1]),
    startTicks: Number(fields[19]) - TICKS_AHEAD,
    isEnding: /[ZX]/.test(fields[0] as string) || (Number(fields[6]) & PF_EXITING) !== 0,
  };
}

/** proc(5), NSpid: the pid in each namespace, the innermost last; one number: the initial namespace. */
function parseNsPid(status: string): number | null {
  const pids = /^NSpid:\s+(.*)$/m.exec(status)?.[1]?.split(/\s+/) ?? [];
  return pids.length > 1 ? Number(pids.at(-1)) : null;
}

function cgroupId(file: string): number | null {
  const path = /^0::(.*)$/m.exec(file)?.[1];
  if (path === undefined) return null;
  for (const root of CGROUP_ROOTS) {
    try {
      return statSync(root + path).ino;
    } catch {}
  }
  return null;
}

function numberOf(text: string | undefined): number | null {
  return text === undefined ? null : Number(text);
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return EMPTY;
  }
}

function link(path: string): Buffer {
  try {
    return readlinkSync(path, { encoding: 'buffer' });
  } catch {
    return EMPTY;
  }
}
