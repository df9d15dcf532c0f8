/** Draws signals as arrows, with a word to each where there is room for it. */

import { textWidth } from '../render/width.js';
import { ARROW_KINDS, type Arrow, arrowsIn, type PlacedSignal } from './arrows.js';
import { BAR, BAR_TOP, LETTER, ROW, type Rows } from './metrics.js';
import { path, round, type Shape, text } from './shapes.js';
import type { View } from './view.js';

const HEAD = 5;
/** More arrows cannot be told apart, by a pointer or by words: each kind of them is one shape. */
const MOST_APART = 120;

/** The arrows of which an end is in the rows that are shown. */
export function drawArrows(placed: readonly PlacedSignal[], view: View, { first, last }: Rows): Shape[] {
  const shapes: Shape[] = [];
  const taken = new Map<number, [number, number][]>();
  const drawn = arrowsIn(placed, view, first, last);
  const fatal = drawn.filter(({ kind }) => kind === 'fatal');
  // What killed is told apart as long as it can be, and gets its words first.
  const apart = drawn.length <= MOST_APART ? drawn : fatal.length <= MOST_APART ? fatal : [];
  shapes.push(...drawDense(drawn.filter(arrow => !apart.includes(arrow))));
  apart.sort((a, b) => Number(b.kind === 'fatal') - Number(a.kind === 'fatal') || a.x - b.x);
  for (const arrow of apart) {
    const key = `s${arrow.signal.id}`;
    const { line, head, words, lane } = geometry(arrow);
    shapes.push(path('lines', `arrow ${arrow.kind}${arrow.count > 1 ? ' many' : ''}`, line, key));
    shapes.push(path('heads', `head ${arrow.kind}`, head, key));
    const told = wordsOf(arrow);
    const width = textWidth(told) * LETTER;
    const isLeft = arrow.x + 8 + width > view.width;
    const x = isLeft ? arrow.x - 7 - width : arrow.x + 7;
    const lanes = taken.get(lane) ?? [];
    if (x < view.labels || lanes.some(([from, to]) => x < to + 6 && x + width + 6 > from)) continue;
    lanes.push([x, x + width]);
    taken.set(lane, lanes);
    shapes.push(text('words', `word ${arrow.kind}`, x, words, told, key));
  }
  return shapes;
}

function drawDense(drawn: readonly Arrow[]): Shape[] {
  const shapes: Shape[] = [];
  for (const kind of ARROW_KINDS) {
    const drawings = drawn.filter(arrow => arrow.kind === kind).map(geometry);
    if (drawings.length === 0) continue;
    shapes.push(path('lines', `arrow dense ${kind}`, drawings.map(({ line }) => line).join('')));
    shapes.push(path('heads', `head dense ${kind}`, drawings.map(({ head }) => head).join('')));
  }
  return shapes;
}

/** Where an arrow runs, and where its words stand: in the room above the row `lane`. */
function geometry({ x: at, from, to }: Arrow): { line: string; head: string; words: number; lane: number } {
  const x = round(at);
  const middle = (row: number): number => row * ROW + BAR_TOP + BAR / 2;
  const top = (row: number): number => row * ROW + BAR_TOP;
  if (to === null) {
    const y = middle(from ?? 0);
    const end = y + BAR / 2 + 6;
    return {
      line: `M${x} ${y}V${end}`,
      head: `M${x - 3} ${end - 3}l6 6m0 -6l-6 6`,
      words: end + 6,
      lane: (from ?? 0) + 1,
    };
  }
  if (from === null || from === to) {
    const y = top(to);
    return { line: `M${x} ${y - 9}V${y}`, head: arrowHead(x, y, 1), words: y - 3, lane: to };
  }
  const isDown = from < to;
  const end = isDown ? top(to) : top(to) + BAR;
  return {
    line: `M${x} ${middle(from)}V${end}`,
    head: arrowHead(x, end, isDown ? 1 : -1),
    words: isDown ? end - 3 : end + 11,
    lane: isDown ? to : to + 1,
  };
}

function arrowHead(x: number, y: number, down: 1 | -1): string {
  return `M${x} ${y}l${-HEAD + 1} ${-HEAD * 1.4 * down}h${2 * (HEAD - 1)}z`;
}

function wordsOf({ signal, count, from, to, kind }: Arrow): string {
  const name = signal.sig === 0 ? 'probe' : signal.signal;
  const times = count > 1 ? ` ×${count}` : '';
  const fate = kind === 'refused' ? ` ${signal.outcome}` : signal.disposition === 'handled' ? ' handled' : '';
  const source =
    from === null
      ? ` ${signal.mechanism}`
      : from === to && signal.sender_id === signal.target_id
        ? ' itself'
        : '';
  return `${name}${times}${source}${fate}`;
}
