/** Which part of a story is looked at, and how zooming and moving change it. Pure, so that the page only passes events on. */

import type { Span, Story } from './model.js';
import type { Zone } from './zone.js';

/** The part of time that is shown, and the pixels that it is shown in. */
export interface View extends Span {
  /** Of the whole picture, pixels. */
  width: number;
  /** Of the column of names at its left. */
  labels: number;
  /** By which its times are read; without it UTC. */
  zone?: Zone;
}

const LEAST_SPAN_US = 50; // times are whole microseconds, and a double holds a quarter of one

const QUIET = 0.02; // of the whole: what happens in so short a part would be one line
const LEAST_OPENING_US = 2_000_000;

/** What is shown first: the whole, or the end of a long life of which nearly all happened at the end. */
export function openingOf({ span, subject, lives, signals, execs }: Story): Span {
  const times = [
    ...lives.flatMap(life => [life.id === subject ? null : life.started_us, life.ended_us]),
    ...signals.map(signal => signal.time_us),
    ...execs.map(exec => (exec.process_id === subject ? null : exec.time_us)),
  ].filter((time): time is number => time !== null && time >= span.from);
  const early = times.sort((a, b) => a - b)[Math.floor(times.length / 10)];
  const length = span.to - span.from;
  if (subject === null || early === undefined || span.to - early > QUIET * length) return span;
  const shown = Math.max((span.to - early) * 1.2, LEAST_OPENING_US);
  return shown >= length ? span : { from: span.to - shown, to: span.to };
}

/** Where a moment stands. */
export function xOf(view: View, time: number): number {
  return view.labels + ((time - view.from) / (view.to - view.from)) * (view.width - view.labels);
}

/** Which moment stands there. */
export function timeAt(view: View, x: number): number {
  return view.from + ((x - view.labels) / (view.width - view.labels)) * (view.to - view.from);
}

/** `factor` above 1 shows less time and more of it; the moment at `x` stays where it is. */
export function zoom(view: View, whole: Span, factor: number, x: number): View {
  const length = clamp((view.to - view.from) / factor, LEAST_SPAN_US, whole.to - whole.from);
  const part = (x - view.labels) / (view.width - view.labels);
  const at = timeAt(view, x);
  return within({ ...view, from: at - part * length, to: at + (1 - part) * length }, whole);
}

/** Moves by so many pixels; what is right comes into view where `pixels` is positive. */
export function pan(view: View, whole: Span, pixels: number): View {
  const by = (pixels / (view.width - view.labels)) * (view.to - view.from);
  return within({ ...view, from: view.from + by, to: view.to + by }, whole);
}

/** Shows a span with some room around it. */
export function focus(view: View, whole: Span, span: Span): View {
  const room = Math.max((span.to - span.from) * 0.15, LEAST_SPAN_US * 5);
  return within({ ...view, from: span.from - room, to: span.to + room }, whole);
}

/** The same length, moved so that nothing outside of the story is shown. */
function within(view: View, whole: Span): View {
  const length = Math.min(view.to - view.from, whole.to - whole.from);
  const from = clamp(view.from, whole.from, whole.to - length);
  return { ...view, from, to: from + length };
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
