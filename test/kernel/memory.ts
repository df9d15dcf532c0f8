/** A memory cgroup with a limit, in whichever hierarchy the memory controller is: the old one of its own, or the unified one. */

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CGROUP_ROOT, cannotRecord, type Lab } from './lab.js';

const V1 = '/sys/fs/cgroup/memory';
const isOld = existsSync(join(V1, 'memory.limit_in_bytes'));

/** Why memory cannot be limited here; false: it can. */
export const cannotLimit: string | false =
  cannotRecord ||
  (isOld || / ?memory ?/.test(readFileSync(join(CGROUP_ROOT as string, 'cgroup.controllers'), 'utf8'))
    ? false
    : 'needs the memory controller');

/** A tool moves itself in by `cginto directory`, and stays in the laboratory's cgroup. */
export interface MemoryCgroup {
  directory: string;
  /** As the recorder tells it: below the mount point. */
  path: string;
}

/** A cgroup whose processes get `mib` MiB and no swap. */
export function limitMemory(test: TestContext, lab: Lab, mib: number): MemoryCgroup {
  return isOld ? limitOld(test, lab, mib) : limitUnified(lab, mib);
}

function limitOld(test: TestContext, lab: Lab, mib: number): MemoryCgroup {
  const name = basename(lab.cgroup);
  const directory = join(V1, name);
  mkdirSync(directory);
  test.after(() => removeEmptied(directory));
  writeFileSync(join(directory, 'memory.limit_in_bytes'), String(mib << 20));
  const withSwap = join(directory, 'memory.memsw.limit_in_bytes');
  if (existsSync(withSwap)) writeFileSync(withSwap, String(mib << 20));
  return { directory, path: `/${name}` };
}

/** The laboratory's own cgroup: the unified hierarchy gives a controller only to children of a cgroup without processes. */
function limitUnified(lab: Lab, mib: number): MemoryCgroup {
  const directory = lab.cgroup;
  writeFileSync(join(dirname(directory), 'cgroup.subtree_control'), '+memory');
  writeFileSync(join(directory, 'memory.max'), String(mib << 20));
  const swap = join(directory, 'memory.swap.max');
  if (existsSync(swap)) writeFileSync(swap, '0');
  return { directory, path: `/${relative(CGROUP_ROOT as string, directory)}` };
}

/** Whoever was killed in there may take a moment to be gone. */
async function removeEmptied(directory: string): Promise<void> {
  for (let tries = 0; tries < 100 && readFileSync(join(directory, 'cgroup.procs'), 'utf8') !== ''; tries++)
    await sleep(20);
  rmdirSync(directory);
}
