/** Spans of time as bars above one axis: a kind a line, so that the ledger is seen at a glance. Pure. */

import { type Clock, showDuration, showTime } from '../time.js';
import type { Painter } from './paint.js';

/** A span of one kind, in microseconds; where both ends are the same it is a moment. */
export interface Span {
  kind: string;
  from: number;
  to: number;
}

const COLORS: Readonly<Record<string, Parameters<Painter>[0]>> = { recorded: 'green', clock: 'yellow' };
/** Eighths of a cell: a span that is short on this scale is still seen. */
const MOMENT = '▏';
const FULL = '█';
const PART = '▓';

/** The kinds in the order of their first span, each with its bar and the time it adds up to; ends with a line feed. */
export function drawBars(spans: readonly Span[], width: number, clock: Clock, paint: Painter): string {
  const from = Math.min(...spans.map(span => span.from));
  const to = Math.max(...spans.map(span => span.to));
  const kinds = [...new Set(spans.map(span => span.kind))];
  const label = Math.max(...kinds.map(kind => kind.length)) + 2;
  const cells = Math.max(10, Math.min(100, width - label - 12));
  const lines = kinds.map(kind => {
    const own = spans.filter(span => span.kind === kind);
    const total = own.reduce((sum, span) => sum + span.to - span.from, 0);
    const bar = barOf(own, from, to, cells);
    const length = kind === 'clock' ? `${own.length}×` : showDuration(total);
    return `${kind.padEnd(label)}${paint(COLORS[kind] ?? 'red', bar)}  ${length}\n`;
  });
  const times = [from, to].map(us => showTime(us, clock, 0));
  const axis = `${times[0]}${(times[1] ?? '').padStart(Math.max(cells - (times[0] ?? '').length, 2 + (times[1] ?? '').length))}`;
  return `${' '.repeat(label)}${paint('dim', axis)}\n${lines.join('')}`;
}

/** One cell for each part of the axis: full where it is covered, part where a longer span begins or ends, a stroke for a moment. */
export function barOf(spans: readonly Span[], from: number, to: number, cells: number): string {
  const cell = Math.max(1, (to - from) / cells);
  return Array.from({ length: cells }, (_, i) => {
    const start = from + i * cell;
    const end = start + cell;
    const isLast = i === cells - 1;
    const within = spans.filter(
      span => span.from < end && (span.to > start || (span.from === span.to && span.from >= start)),
    );
    const atEnd = isLast ? spans.filter(span => span.from === to) : [];
    const found = [...within, ...atEnd];
    if (found.length === 0) return '·';
    const covered = found.reduce((sum, span) => sum + Math.min(span.to, end) - Math.max(span.from, start), 0);
    return covered >= cell * 0.99 ? FULL : covered >= cell * 0.25 ? PART : MOMENT;
  }).join('');
}
