/**
 * Cgroups by the kernel's id: their paths, and what a path tells of the systemd unit and the container. New ones are known
 * from their making, older ones from a walk through the mounted hierarchy; a row is written for those that are referred to.
 * The kernel's ids begin anew with each boot, so rows have ids of their own.
 */

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Where the unified hierarchy may be mounted: beside the old ones, or alone. */
export const CGROUP_ROOTS = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'] as const;

/** A row of `cgroup`, in the order of its columns. */
export type CgroupRow = [id: number, path: string, unit: string | null, container: string | null];

export class Cgroups {
  /** Rows to be stored. */
  readonly added: CgroupRow[] = [];
  nextId: number;
  readonly #rowIds = new Map<number, number>();
  readonly #paths = new Map<number, string>();

  constructor(nextId: number, roots: readonly string[] = CGROUP_ROOTS) {
    this.nextId = nextId;
    const root = unifiedRoot(roots);
    if (root !== null) this.#walk(root, '/');
  }

  #walk(directory: string, path: string): void {
    try {
      this.#paths.set(statSync(directory).ino, path);
      for (const entry of readdirSync(directory, { withFileTypes: true })) {
        if (entry.isDirectory()) this.#walk(join(directory, entry.name), join(path, entry.name));
      }
    } catch {} // gone meanwhile
  }

  /** A cgroup was made. */
  made(kernelId: number, path: string): void {
    this.#paths.set(kernelId, path);
    this.#add(kernelId, path);
  }

  /** The row id of a cgroup, or null when nothing told its path. */
  id(kernelId: number | null): number | null {
    if (kernelId === null) return null;
    const known = this.#rowIds.get(kernelId);
    if (known !== undefined) return known;
    const path = this.#paths.get(kernelId);
    return path === undefined ? null : this.#add(kernelId, path);
  }

  /** Their rows are not where the next ones go. */
  forget(): void {
    this.#rowIds.clear();
  }

  #add(kernelId: number, path: string): number {
    const id = this.nextId++;
    this.#rowIds.set(kernelId, id);
    this.added.push([id, path, unitOf(path), containerOf(path)]);
    return id;
  }
}

/** The mount point of the unified hierarchy: the first that has its control file. */
export function unifiedRoot(roots: readonly string[] = CGROUP_ROOTS): string | null {
  for (const root of roots) {
    try {
      statSync(join(root, 'cgroup.procs'));
      return root;
    } catch {}
  }
  return null;
}

/** The innermost systemd unit that the path names; systemd escapes nothing that ends a name here. */
export function unitOf(path: string): string | null {
  const units = path.split('/').filter(part => /\.(service|scope|socket|mount|swap|timer)$/.test(part));
  return units.at(-1) ?? null;
}

/**
 * The container id: 64 hex digits, alone, as docker-ID.scope, cri-containerd-ID.scope, crio-ID.scope, libpod-ID.scope, or as
 * kubepods-….slice:cri-containerd:ID, where containerd and the kubelet disagree about who makes cgroups.
 */
export function containerOf(path: string): string | null {
  for (const part of path.split('/').reverse()) {
    const match = /^(?:.*[-:])?([0-9a-f]{64})(?:\.scope)?$/.exec(part);
    if (match) return match[1] as string;
  }
  return null;
}
