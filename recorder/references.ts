/** The rows of other tables that a waiting batch refers to: they go along when it has to be stored in a new segment. */

import type { Batch } from './batch.js';
import { NULL } from './rows.js';
import type { Referred } from './table.js';

export type References = Map<Referred, Set<number>>;

export function referencesOf(batch: Batch): References {
  const references: References = new Map();
  const add = (to: Referred, id: number | null) => {
    if (id === null || id === NULL) return;
    const ids = references.get(to) ?? new Set();
    references.set(to, ids.add(id));
  };
  for (const rows of batch.rows) {
    for (const [column, to] of Object.entries(rows.table.refs)) {
      const at = rows.table.at[column] as number;
      for (let row = 0; row < rows.length; row++) add(to as Referred, rows.get(row, at));
    }
  }
  for (const process of batch.processes) {
    add('process', process.parent);
    add('process', process.lastParent);
    add('exec', process.exec);
    add('exec', process.parentExec);
    add('comm', process.comm);
    add('path', process.exe);
    add('path', process.cwd);
    add('argv', process.argv);
    add('cgroup', process.cgroup);
  }
  return references;
}
