/** Shares the width of a terminal among columns. Texts give way, then names; numbers and times never: cut, they lie. */

import { type Columns, isGreedy, isNumeric, type Kind } from '../kinds.js';
import { textWidth } from './width.js';

/** Who gives way, in this order, and how many columns are left to it. */
const TIERS: readonly { gives: (kind: Kind) => boolean; least: number }[] = [
  { gives: isGreedy, least: 12 },
  { gives: kind => !isNumeric(kind) && kind !== 'time', least: 9 },
];

/** Widths for `names`, together at most `room` if that can be, by what `rows` and the heads need. */
export function layOut(
  names: readonly string[],
  columns: Columns,
  rows: readonly string[][],
  room: number,
): number[] {
  const widths = names.map((name, i) =>
    rows.reduce((most, row) => Math.max(most, textWidth(row[i] ?? '')), name.length),
  );
  for (const { gives, least } of TIERS) {
    const giving = names.map((_, i) => i).filter(i => gives(columns[names[i] ?? ''] ?? 'text'));
    for (let excess = total(widths) - room; excess > 0; excess--) {
      const widest = giving.reduce((best, i) => ((widths[i] ?? 0) > (widths[best] ?? -1) ? i : best), -1);
      if (widest < 0 || (widths[widest] ?? 0) <= least) break;
      widths[widest] = (widths[widest] ?? 0) - 1;
    }
  }
  return widths;
}

/** The sum of the widths. */
export function total(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0);
}
