/** A line of descent as a drawing: each line is the parent of the one above it. */

import { fit } from './width.js';

/** Lines of text, nearest first. */
export function drawLine(labels: readonly string[], width: number): string {
  return labels
    .map(
      (label, depth) => `${fit(depth === 0 ? label : `${' '.repeat(3 * (depth - 1))}└─ ${label}`, width)}\n`,
    )
    .join('');
}
