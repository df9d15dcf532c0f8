/** What is recorded: the whole machine, some cgroups with all below them, or the process tree of one command. */

import { realpathSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { SnoopError } from '../migrations/errors.js';
import { unifiedRoot } from './cgroup.js';

/** SCOPE_CGROUPS_MAX in bpf/snoop.bpf.h. */
const CGROUPS_MAX = 8;

export type Scope =
  | { kind: 'machine' }
  | { kind: 'cgroups'; cgroups: ScopeCgroup[] }
  /** `root` is the recorder: what it forks is recorded, it is not. */
  | { kind: 'tree'; root: number; command: readonly string[] };

export interface ScopeCgroup {
  /** Below the mount point. */
  path: string;
  id: number;
  /** Depth below the root of the hierarchy. */
  level: number;
}

/** The scope of `--cgroup DIR…`; a DIR is a directory, or a path below the mount point of the unified hierarchy. */
export function cgroupScope(directories: readonly string[]): Scope {
  if (directories.length === 0) return { kind: 'machine' };
  if (directories.length > CGROUPS_MAX) {
    throw new SnoopError(
      'usage',
      `--cgroup was given ${directories.length} times`,
      `at most ${CGROUPS_MAX} are possible`,
    );
  }
  return { kind: 'cgroups', cgroups: directories.map(scopeCgroup) };
}

function scopeCgroup(directory: string): ScopeCgroup {
  const root = unifiedRoot();
  if (root === null) {
    throw new SnoopError(
      'kernel',
      'no cgroup2 hierarchy is mounted',
      'mount one: mount -t cgroup2 none /sys/fs/cgroup',
    );
  }
  const found = [resolve(directory), join(root, directory)].find(path => isBelow(root, path));
  if (found === undefined) {
    throw new SnoopError(
      'usage',
      `${directory} is not a cgroup of the unified hierarchy`,
      `name a directory below ${root}; ls shows them`,
    );
  }
  const path = relative(root, realpathSync(found));
  return { path: `/${path}`, id: statSync(found).ino, level: path === '' ? 0 : path.split('/').length };
}

function isBelow(root: string, path: string): boolean {
  try {
    const real = realpathSync(path);
    return (real === root || real.startsWith(`${root}/`)) && statSync(real).isDirectory();
  } catch {
    return false;
  }
}

/** The scope as the table `recording` tells it. */
export function scopeText(scope: Scope): string {
  if (scope.kind === 'machine') return 'machine';
  if (scope.kind === 'tree') return `tree ${scope.command.join(' ')}`;
  return `cgroup ${scope.cgroups.map(cgroup => cgroup.path).join(' ')}`;
}
