/** The lines of the one table that the bench prints, and how they are written. */

import type { Spread } from './spread.js';

/** What a median has to reach: at most or at least that. */
export type Goal = { most: number } | { least: number };

/** One thing measured for one subject. */
export interface Result {
  /** What was measured, the same for all subjects that are to be compared. */
  measure: string;
  /** Who was measured: snooprec, or what it is compared with. */
  subject: string;
  /** Null: it could not be measured; `note` says why. */
  value: Spread | null;
  /** Behind the number: '×', 'rows/s', … */
  unit: string;
  /** Share of the events that were lost, 0 to 1; null: not applicable. */
  lost?: number | null;
  goal?: Goal;
  note?: string;
}

export const HEAD = ['measure', 'subject', 'median (lowest – highest)', 'lost', 'goal', '', 'note'] as const;

/** Whether the goal is reached; null: there is none, or nothing was measured. */
export function isReached({ value, goal }: Result): boolean | null {
  if (goal === undefined || value === null) return null;
  return 'most' in goal ? value.median <= goal.most : value.median >= goal.least;
}

/** One line of the table, in the order of HEAD. */
export function cells(result: Result): string[] {
  const { measure, subject, value, unit, goal, note } = result;
  const lost = result.lost ?? null;
  const reached = isReached(result);
  return [
    measure,
    subject,
    value === null
      ? '–'
      : `${shown(value.median)} ${unit} (${shown(value.low)} – ${shown(value.high)})`.replaceAll(' ×', '×'),
    lost === null ? '' : share(lost),
    goal === undefined ? '' : 'most' in goal ? `≤ ${shown(goal.most)}` : `≥ ${shown(goal.least)}`,
    reached === null ? '' : reached ? 'reached' : 'MISSED',
    [note, reached === false ? 'where it goes: LIMITS.md' : undefined].filter(Boolean).join('; '),
  ];
}

/** Three digits that count, thousands apart. */
export function shown(value: number): string {
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.min(digits, 4) });
}

function share(lost: number): string {
  if (lost === 0) return '0';
  return lost < 0.001 ? '< 0.1 %' : `${(lost * 100).toFixed(1)} %`;
}
