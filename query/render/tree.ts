/** Lines of descent and trees as drawings. Labels are escaped before they come here. */

import { fit } from './width.js';

/** Lines of text, nearest first: each line is the parent of the one above it. */
export function drawLine(labels: readonly string[], width: number): string {
  return labels
    .map(
      (label, depth) => `${fit(depth === 0 ? label : `${' '.repeat(3 * (depth - 1))}└─ ${label}`, width)}\n`,
    )
    .join('');
}

/** A tree, given as its nodes in the order in which they are drawn, each with its depth. */
export function drawTree(nodes: readonly { label: string; depth: number }[], width: number): string {
  // From the end: whether another node of the same parent follows.
  const open: boolean[] = [];
  const lines: string[] = [];
  for (const { label, depth } of nodes.toReversed()) {
    const stem = Array.from({ length: Math.max(0, depth - 1) }, (_, i) => (open[i + 1] ? '│  ' : '   ')).join(
      '',
    );
    const branch = depth === 0 ? '' : open[depth] ? '├─ ' : '└─ ';
    open[depth] = true;
    open.length = depth + 1;
    lines.push(`${fit(`${stem}${branch}${label}`, width)}\n`);
  }
  return lines.reverse().join('');
}
