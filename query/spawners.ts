/** The tree of spawners of a program: what its parents were when they forked, and theirs, with counts. Pure but for `lineage`. */

import type Database from 'better-sqlite3';
import { ancestryOf } from './facts.js';
import type { Life } from './lives.js';

/** Runs of a program that one process started while it ran one file. */
export interface Runs {
  parent_id: number | null;
  parent_exec_id: number | null;
  count: number;
  first: string;
  last: string;
}

/** A program in the tree, and the programs that started it. */
export interface Spawner {
  comm: string | null;
  exe: string | null;
  count: number;
  first: string;
  last: string;
  spawners: Spawner[];
}

type Ancestor = Pick<Life, 'comm' | 'exe'>;

/** The ancestors of what such a parent started, nearest first; asked for once for each parent. */
export function lineages(db: Database.Database): (runs: Runs) => Ancestor[] {
  return ({ parent_id, parent_exec_id }) => ancestryOf(db, { parent_id, parent_exec_id } as Life);
}

/** Puts together the lines of ancestors that are the same: the more runs, the earlier. */
export function spawnerTree(
  name: string,
  runs: readonly Runs[],
  lineage: (runs: Runs) => Ancestor[],
): Spawner {
  const root = spawner({ comm: name, exe: null });
  for (const found of runs) {
    add(root, found);
    let at = root;
    for (const { comm, exe } of lineage(found)) {
      let next = at.spawners.find(known => known.comm === comm && known.exe === exe);
      if (next === undefined) {
        next = spawner({ comm, exe });
        at.spawners.push(next);
      }
      add(next, found);
      at = next;
    }
  }
  sort(root);
  return root;
}

/** Each program with its depth, in the order in which they are drawn. */
export function* flatten(node: Spawner, depth = 0): Generator<{ node: Spawner; depth: number }> {
  yield { node, depth };
  for (const next of node.spawners) yield* flatten(next, depth + 1);
}

function spawner({ comm, exe }: Ancestor): Spawner {
  return { comm, exe, count: 0, first: '', last: '', spawners: [] };
}

function add(to: Spawner, { count, first, last }: Runs): void {
  to.count += count;
  if (to.first === '' || first < to.first) to.first = first;
  if (last > to.last) to.last = last;
}

function sort(node: Spawner): void {
  node.spawners.sort((a, b) => b.count - a.count || (a.first < b.first ? -1 : 1));
  for (const next of node.spawners) sort(next);
}
