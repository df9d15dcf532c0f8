/** What /proc tells of other processes: their descendants, their CPU time, their memory, what they hold open. */

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const TICK_US = 10_000; // sysconf(_SC_CLK_TCK) is 100 on every Linux that has /proc

interface Stat {
  pid: number;
  ppid: number;
  /** Of itself and of its dead children. */
  cpuUs: number;
}

/** The process and all below it. */
function treeOf(root: number): Stat[] {
  const all = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => statOf(Number(name)) ?? []);
  const tree = new Set([root]);
  for (let grown = true; grown; ) {
    grown = false;
    for (const { pid, ppid } of all) {
      if (!tree.has(ppid) || tree.has(pid)) continue;
      tree.add(pid);
      grown = true;
    }
  }
  return all.filter(({ pid }) => tree.has(pid));
}

function statOf(pid: number): Stat | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // Behind the name, which may hold anything: state is field 3, proc_pid_stat(5).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const field = (number: number) => Number(fields[number - 3]);
    return { pid, ppid: field(4), cpuUs: (field(14) + field(15) + field(16) + field(17)) * TICK_US };
  } catch {
    return null; // gone by now
  }
}

/** CPU time of the process and all below it, microseconds, to the hundredth of a second. */
export function cpuOf(pid: number): number {
  return treeOf(pid).reduce((sum, { cpuUs }) => sum + cpuUs, 0);
}

/** A value of /proc/PID/status in KiB, like VmRSS or VmHWM. */
export function memoryKb(pid: number, key: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]);
}

/** How many descriptors whose target matches the process and all below it hold. */
export function descriptors(pid: number, target: RegExp): number {
  return treeOf(pid).reduce((sum, { pid }) => sum + linksOf(pid).filter(link => target.test(link)).length, 0);
}

function linksOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map(fd => readlinkSync(`/proc/${pid}/fd/${fd}`));
  } catch {
    return []; // gone, or a descriptor closed while we looked
  }
}
