/** Signals as arrows between rows; those that would be drawn over each other are one arrow with a count. */

import type { Layout } from './layout.js';
import type { Story, StorySignal } from './model.js';
import { type View, xOf } from './view.js';

/** What the line of an arrow tells. */
export const ARROW_KINDS = ['sent', 'refused', 'probe', 'fatal'] as const;

export type ArrowKind = (typeof ARROW_KINDS)[number];

export interface Arrow {
  x: number;
  /** Rows; null: no process of the story. */
  from: number | null;
  to: number | null;
  kind: ArrowKind;
  /** The last of those that it stands for. */
  signal: StorySignal;
  count: number;
}

/** A signal with its place among the rows. */
export interface PlacedSignal {
  signal: StorySignal;
  from: number | null;
  to: number | null;
  kind: ArrowKind;
}

const MERGE_PX = 5;

/** Finds the rows of all signals once, for any number of views. In the order of time. */
export function placeSignals(story: Story, { rowOf }: Layout): PlacedSignal[] {
  const fatal = fatalIds(story);
  const row = (id: number | null): number | null => (id === null ? null : (rowOf.get(id) ?? null));
  return story.signals.map(signal => ({
    signal,
    from: row(signal.sender_id),
    to: row(signal.target_id),
    kind: fatal.has(signal.id) ? 'fatal' : kindOf(signal),
  }));
}

/** The arrows that are in view, with one end in the rows from `first` to `last`. */
export function arrowsIn(placed: readonly PlacedSignal[], view: View, first: number, last: number): Arrow[] {
  const isIn = (row: number | null): boolean => row !== null && row >= first && row <= last;
  const merged = new Map<number, Arrow>();
  for (let i = firstFrom(placed, view.from); i < placed.length; i++) {
    const { signal, from, to, kind } = placed[i] as PlacedSignal;
    if (signal.time_us > view.to) break;
    if (!isIn(from) && !isIn(to)) continue;
    const x = xOf(view, signal.time_us);
    const key =
      (((from ?? -1) + 1) * 16_384 + (to ?? -1) + 1) * 65_536 +
      Math.round(x / MERGE_PX) * 4 +
      ARROW_KINDS.indexOf(kind);
    const known = merged.get(key);
    if (known === undefined) merged.set(key, { x, from, to, kind, signal, count: signal.count });
    else {
      known.signal = signal;
      known.count += signal.count;
    }
  }
  return [...merged.values()];
}

function firstFrom(placed: readonly PlacedSignal[], time: number): number {
  let low = 0;
  let high = placed.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((placed[middle] as PlacedSignal).signal.time_us < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

function kindOf({ sig, outcome }: StorySignal): ArrowKind {
  if (/^E[A-Z0-9]+$/.test(outcome)) return 'refused';
  return sig === 0 ? 'probe' : 'sent';
}

/** Of each process that a signal ended, the last one that could have done it. */
function fatalIds({ lives, signals }: Story): ReadonlySet<number> {
  const died = new Map(lives.filter(life => life.exit_signal !== null).map(life => [life.id, life]));
  const fatal = new Map<number, number>();
  for (const { id, target_id: target, sig, outcome, disposition, time_us: time } of signals) {
    const life = target === null ? undefined : died.get(target);
    if (life === undefined || life.exit_signal !== sig || time > (life.ended_us ?? 0)) continue;
    if (outcome.startsWith('delivered') && disposition !== 'handled') fatal.set(life.id, id);
  }
  return new Set(fatal.values());
}
