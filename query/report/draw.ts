/**
 * Draws the part of a story that is in view: lives as bars, forks as branches, signals as arrows, gaps as hatching. Gives
 * shapes, so that the file and the page that it becomes show the same. Only what is in view is drawn, and what would lie
 * on one pixel is drawn once: a frame costs the same for twenty events and for twenty thousand.
 */

import { fit, textWidth } from '../render/width.js';
import { type PlacedSignal, placeSignals } from './arrows.js';
import { ticksOf } from './axis.js';
import { drawArrows } from './draw-arrows.js';
import { extentOf, type Layout, layOut, type Row } from './layout.js';
import { AXIS, BAR, BAR_TOP, LETTER, ROW, type Rows } from './metrics.js';
import { endOf, type Story, type StoryExec } from './model.js';
import { path, rect, round, type Shape, text } from './shapes.js';
import { type View, xOf } from './view.js';

const LEAST_BAR = 2;
const INDENT = 13;
const MOST_INDENT = 6;
const TICK = 112; // room for the longest words of one
const FOOT = 10; // below the last row

/** A story with all that does not depend on the view. */
export interface Scene {
  story: Story;
  layout: Layout;
  placed: PlacedSignal[];
  /** When the signals came that ended processes, by process. */
  deaths: ReadonlyMap<number, number>;
  execs: ReadonlyMap<number, StoryExec[]>;
}

export function sceneOf(story: Story, open?: ReadonlySet<string>): Scene {
  const layout = layOut(story, open);
  const execs = new Map<number, StoryExec[]>();
  for (const exec of story.execs) {
    const known = execs.get(exec.process_id);
    if (known === undefined) execs.set(exec.process_id, [exec]);
    else known.push(exec);
  }
  const placed = placeSignals(story, layout);
  const fatal = placed.filter(({ kind }) => kind === 'fatal');
  const deaths = new Map(fatal.map(({ signal }) => [signal.target_id ?? 0, signal.time_us]));
  return { story, layout, placed, deaths, execs };
}

/** Height of the whole picture without its axis. */
export function heightOf({ layout }: Scene): number {
  return Math.max(1, layout.rows.length) * ROW + FOOT;
}

/** The axis of time, `AXIS` pixels high. */
export function drawAxis(view: View): Shape[] {
  const shapes: Shape[] = [];
  for (const { time, label } of ticksOf(view, view.width - view.labels, TICK, view.zone)) {
    const x = xOf(view, time);
    shapes.push(path('lines', 'tick', `M${round(x)} ${AXIS - 6}V${AXIS}`));
    const half = (textWidth(label) * LETTER) / 2;
    if (x - half > view.labels && x + half < view.width)
      shapes.push(text('words', 'time', x, AXIS - 10, label));
  }
  return shapes;
}

/** The picture below the axis. */
export function draw(scene: Scene, view: View, shown: Rows): Shape[] {
  const { rows } = scene.layout;
  const first = Math.max(0, shown.first);
  const last = Math.min(rows.length - 1, shown.last);
  const shapes: Shape[] = [...grid(scene, view), ...gaps(scene, view)];
  for (let i = first; i <= last; i++) {
    const row = rows[i] as Row;
    shapes.push(
      ...stripe(row, i, view),
      ...(row.lives.length > 1 ? crowd(scene, view, row, i) : bar(scene, view, row, i)),
    );
    shapes.push(...label(row, i, view));
  }
  shapes.push(...forks(scene, view, first, last), ...drawArrows(scene.placed, view, { first, last }));
  return shapes;
}

function grid(scene: Scene, view: View): Shape[] {
  const height = heightOf(scene);
  return ticksOf(view, view.width - view.labels, TICK, view.zone).map(({ time }) =>
    path('gaps', 'grid', `M${round(xOf(view, time))} 0V${height}`),
  );
}

function gaps(scene: Scene, view: View): Shape[] {
  const { story } = scene;
  const height = heightOf(scene);
  const shapes: Shape[] = [];
  for (const [i, gap] of story.gaps.entries()) {
    if (gap.to < view.from || gap.from > view.to) continue;
    const from = clampX(view, gap.from);
    const width = Math.max(3, clampX(view, gap.to) - from);
    const kind = gap.kind === 'down' || gap.event === null ? 'gap whole' : 'gap';
    shapes.push(rect('gaps', kind, from, 0, width, height, `g${i}`));
  }
  const { from, to } = story.recorded;
  if (from !== null && from > view.from)
    shapes.push(rect('gaps', 'outside', view.labels, 0, clampX(view, from) - view.labels, height));
  if (to !== null && to < view.to)
    shapes.push(rect('gaps', 'outside', clampX(view, to), 0, view.width - clampX(view, to), height));
  return shapes;
}

function stripe(row: Row, i: number, view: View): Shape[] {
  if (!row.isSubject) return [];
  return [rect('stripes', 'stripe', 0, i * ROW + BAR_TOP - 8, view.width, BAR + 16)];
}

function bar(scene: Scene, view: View, row: Row, i: number): Shape[] {
  const life = row.lives[0];
  if (life === undefined || row.isOpen) return [];
  const { span } = scene.story;
  const from = life.started_us;
  const to = endOf(life, span);
  if (to < view.from || from > view.to) return [];
  const y = i * ROW + BAR_TOP;
  const x = clampX(view, from);
  const width = Math.max(LEAST_BAR, clampX(view, to) - x);
  const isKilled = life.exit_signal !== null;
  const isOver = life.ended_us !== null || life.unseen_end_us !== null;
  const look = `bar${row.isSubject ? ' subject' : ''}${isKilled ? ' killed' : ''}${isOver ? '' : ' running'}`;
  const shapes: Shape[] = [rect('bars', look, x, y, width, BAR, row.key)];
  let start = x + 6;
  for (const exec of scene.execs.get(life.id) ?? []) {
    if (exec.time_us < view.from || exec.time_us > view.to) continue;
    const at = round(xOf(view, exec.time_us));
    if (at < start + 6) start = Math.max(start, at + 6);
    shapes.push(
      path(
        'marks',
        exec.result === 'ok' ? 'exec' : 'exec failed',
        `M${at} ${y - 2}v${BAR + 4}`,
        `x${exec.id}`,
      ),
    );
  }
  const isEndInView = isOver && to <= view.to;
  if (isEndInView) shapes.push(...cap(life.exit_signal, life.exit_code, x + width, y, row.key));
  // The arrow of the signal says it already.
  const isTold = isKilled && (scene.deaths.get(life.id) ?? view.from - 1) >= view.from;
  const ending = isEndInView && !isTold ? life.ending : '';
  return [...shapes, ...words(view, row, ending, { x, y, start, end: x + width })];
}

/** How a life ended beside its bar, or inside where there is no room, and what it ran inside. `start`: free from there on. */
function words(
  view: View,
  row: Row,
  ending: string,
  { x, y, start, end }: { x: number; y: number; start: number; end: number },
): Shape[] {
  const shapes: Shape[] = [];
  const kind = row.lives[0]?.exit_signal == null ? '' : ' killed';
  const needed = textWidth(ending) * LETTER;
  const isInside = ending !== '' && end + 12 + needed > view.width && end - x > needed + 60;
  const tell = (place: string, at: number): void => {
    shapes.push(text('words', `ending${place}${kind}`, at, y + BAR - 3, ending, row.key));
  };
  if (isInside) tell(row.isSubject ? ' inside subject' : ' inside', end - 8);
  else if (ending !== '' && end + 12 + needed <= view.width) tell('', end + 10);
  else if (ending !== '' && x - 8 - needed > view.labels) tell(' before', x - 8);
  const room = Math.floor((end - start - 6 - (isInside ? needed + 12 : 0)) / LETTER);
  if (room < 6) return shapes;
  const command = row.isSubject ? 'command subject' : 'command';
  return [...shapes, text('words', command, start, y + BAR - 3.5, fit(row.detail, room), row.key)];
}

/** The sign at the end of a life, told by its form as well as by its colour. */
function cap(signal: number | null, code: number | null, x: number, y: number, key: string): Shape[] {
  const middle = round(y + BAR / 2);
  const at = round(x);
  if (signal !== null) {
    const cross = `M${at - 4} ${middle - 4}l8 8m0 -8l-8 8`;
    return [path('heads', 'cap killed', cross, key)];
  }
  if (code === 0) return [path('heads', 'cap', `M${at} ${round(y - 2)}v${BAR + 4}`, key)];
  if (code === null) return [path('heads', 'cap unseen', `M${at} ${round(y - 2)}v${BAR + 4}`, key)];
  return [path('heads', 'cap failed', `M${at} ${middle - 5}l5 5l-5 5l-5 -5z`, key)];
}

/** Many lives in one row: a faint whole, and in it each life, as far as pixels can tell them apart. */
function crowd(scene: Scene, view: View, row: Row, i: number): Shape[] {
  const { span } = scene.story;
  const extent = extentOf(row, span);
  if (extent.to < view.from || extent.from > view.to) return [];
  const y = i * ROW + BAR_TOP;
  const x = clampX(view, extent.from);
  const shapes: Shape[] = [
    rect('bars', 'crowd', x, y, Math.max(LEAST_BAR, clampX(view, extent.to) - x), BAR, row.key),
  ];
  let begun = Number.NaN;
  let ended = Number.NaN;
  const flush = (): void => {
    if (!Number.isNaN(begun))
      shapes.push(rect('marks', 'member', begun, y, Math.max(1, ended - begun), BAR, row.key));
  };
  let lastDeath = Number.NEGATIVE_INFINITY;
  for (const life of row.lives) {
    const to = endOf(life, span);
    if (to < view.from || life.started_us > view.to) continue;
    const a = clampX(view, life.started_us);
    const b = Math.max(a + 1, clampX(view, to));
    if (a <= ended + 1) ended = Math.max(ended, b);
    else {
      flush();
      begun = a;
      ended = b;
    }
    if (life.exit_signal !== null && to <= view.to && b - lastDeath > 3) {
      lastDeath = b;
      shapes.push(path('heads', 'cap killed', `M${round(b - 3)} ${y + BAR / 2 - 3}l6 6m0 -6l-6 6`, row.key));
    }
  }
  flush();
  return shapes;
}

function label(row: Row, i: number, view: View): Shape[] {
  const indent = Math.min(row.depth, MOST_INDENT) * INDENT;
  const isCrowd = row.key.startsWith('c');
  const sign = isCrowd ? (row.isOpen ? '▾ ' : '▸ ') : '';
  const room = Math.floor((view.labels - indent - 16) / LETTER);
  const kind = `label${row.isSubject ? ' subject' : ''}${isCrowd ? ' folded' : ''}${row.isAncestor ? ' ancestor' : ''}`;
  return [
    text(
      'labels',
      kind,
      8 + indent,
      i * ROW + BAR_TOP + BAR - 3,
      fit(`${sign}${row.label}`, Math.max(4, room)),
      row.key,
    ),
  ];
}

/** From the parent's bar down to the child's, at the time of the fork. */
function forks(scene: Scene, view: View, first: number, last: number): Shape[] {
  const { layout } = scene;
  const shapes: Shape[] = [];
  const leaving = new Set<number>();
  for (let i = first; i < layout.rows.length; i++) {
    const row = layout.rows[i] as Row;
    const life = row.lives[0];
    if (life === undefined || life.parent_id === null || row.isOpen) continue;
    const parent = layout.rowOf.get(life.parent_id);
    if (parent === undefined || parent >= i || parent > last || (i > last && parent < first)) continue;
    if (life.origin !== 'fork' || life.started_us < view.from || life.started_us > view.to) continue;
    const x = round(xOf(view, life.started_us));
    const from = parent * ROW + BAR_TOP + BAR;
    const to = Math.min(i, last + 1) * ROW + BAR_TOP + BAR / 2;
    // Branches to rows below the view are drawn once a pixel.
    const place = parent * 65_536 + Math.round(x);
    if (i > last && leaving.size === leaving.add(place).size) continue;
    shapes.push(path('forks', 'fork', `M${x} ${from}V${to}`));
  }
  return shapes;
}

function clampX(view: View, time: number): number {
  return Math.min(Math.max(xOf(view, time), view.labels), view.width);
}
