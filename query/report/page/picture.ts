/** The picture: draws what is in view, and turns wheel, drag, keys and buttons into another view. */

import { showDuration } from '../../time.js';
import { draw, drawAxis, heightOf, type Scene, sceneOf } from '../draw.js';
import { extentOf } from '../layout.js';
import { AXIS, ROW, type Rows } from '../metrics.js';
import type { Span, Story } from '../model.js';
import { focus, openingOf, pan, timeAt, type View, zoom } from '../view.js';
import { dayTime, UTC, type Zone } from '../zone.js';
import { surfaceOf } from './surface.js';
import { tipOf } from './tip.js';

const NARROW = 640;
const WHEEL = 0.0016; // of a zoom by e, a pixel of the wheel
const STEP = 1.5;
const DRAG_PX = 4;
const MOST_ON_PAPER = 300; // rows

export interface Picture {
  /** Brings a span and the row of a process into view. */
  show(span: Span, key: string | null): void;
  /** Tells its times by another zone. */
  setZone(zone: Zone): void;
}

interface Parts {
  frame: HTMLElement;
  scroller: HTMLElement;
  axis: SVGSVGElement;
  picture: SVGSVGElement;
  status: HTMLElement;
  tip: HTMLElement;
}

/** Takes over the picture of the page. `tell` says what a thing is, a line for each fact. */
export function startPicture(
  story: Story,
  parts: Parts,
  tell: (key: string) => string[],
  zone: Zone,
): Picture {
  const { frame, scroller, axis, picture, status } = parts;
  const open = new Set<string>();
  let scene: Scene = sceneOf(story, open);
  const paint = surfaceOf(picture);
  const paintAxis = surfaceOf(axis);
  let isDue = false;
  let isPaper = false;
  let view: View = { ...openingOf(story), width: 1000, labels: 200, zone };

  const resize = (): void => {
    const width = isPaper ? 1000 : Math.max(300, scroller.clientWidth);
    view = { ...view, width, labels: width < NARROW ? 112 : 208 };
    later();
  };
  const later = (): void => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(now);
  };
  const now = (): void => {
    isDue = false;
    const height = heightOf(scene);
    for (const [svg, h] of [
      [picture, height],
      [axis, AXIS],
    ] as const) {
      svg.setAttribute('viewBox', `0 0 ${view.width} ${h}`);
      svg.setAttribute('height', String(h));
      svg.setAttribute('width', String(view.width));
    }
    paintAxis(drawAxis(view));
    paint(draw(scene, view, rowsInView()));
    status.textContent = `${dayTime(view.from, view.zone ?? UTC)} ${(view.zone ?? UTC).name}, ${showDuration(view.to - view.from)} in view`;
  };
  const rowsInView = (): Rows => {
    if (isPaper) return { first: 0, last: MOST_ON_PAPER };
    const first = Math.floor(scroller.scrollTop / ROW) - 1;
    return { first, last: first + Math.ceil(scroller.clientHeight / ROW) + 2 };
  };
  const change = (next: View): boolean => {
    const isOther = next.from !== view.from || next.to !== view.to || next.zone !== view.zone;
    view = next;
    if (isOther) later();
    return isOther;
  };
  const middle = (): number => (view.labels + view.width) / 2;
  const zoomBy = (factor: number, x = middle()): boolean => change(zoom(view, story.span, factor, x));
  const panBy = (part: number): boolean => change(pan(view, story.span, part * (view.width - view.labels)));
  const show = (span: Span, key: string | null): void => {
    change(focus(view, story.span, span));
    const row = key === null ? undefined : rowOf(key);
    if (row !== undefined) {
      const top = row * ROW;
      if (top < scroller.scrollTop || top + 2 * ROW > scroller.scrollTop + scroller.clientHeight)
        scroller.scrollTop = top - scroller.clientHeight / 2;
    }
    later();
  };
  const rowOf = (key: string): number | undefined => {
    const signal = key.startsWith('s') ? story.signals.find(({ id }) => `s${id}` === key) : undefined;
    const exec = key.startsWith('x') ? story.execs.find(({ id }) => `x${id}` === key) : undefined;
    const oom = key.startsWith('o') ? story.ooms.find(({ id }) => `o${id}` === key) : undefined;
    const life =
      signal?.target_id ?? signal?.sender_id ?? exec?.process_id ?? oom?.victim_id ?? Number(key.slice(1));
    return scene.layout.rowOf.get(life);
  };
  const toggle = (key: string): void => {
    if (open.has(key)) open.delete(key);
    else open.add(key);
    scene = sceneOf(story, open);
    later();
  };
  const at = (event: MouseEvent): number => event.clientX - scroller.getBoundingClientRect().left;
  const keyAt = (event: Event): string | undefined =>
    event.target instanceof Element
      ? (event.target.closest('[data-key]') as SVGElement | null)?.dataset['key']
      : undefined;

  const actions: Record<string, () => void> = {
    in: () => zoomBy(STEP),
    out: () => zoomBy(1 / STEP),
    left: () => panBy(-0.25),
    right: () => panBy(0.25),
    whole: () => change({ ...view, ...story.span }),
    end: () => show(endOf(story), `l${story.subject ?? story.notable[0] ?? ''}`),
  };
  for (const button of frame.querySelectorAll<HTMLButtonElement>('button[data-do]'))
    button.addEventListener('click', () => actions[button.dataset['do'] ?? '']?.());

  const keys: Record<string, () => void> = {
    '+': () => zoomBy(STEP),
    '=': () => zoomBy(STEP),
    '-': () => zoomBy(1 / STEP),
    '0': () => actions['whole']?.(),
    e: () => actions['end']?.(),
    Escape: () => tip.hide(),
    ArrowLeft: () => panBy(-0.1),
    ArrowRight: () => panBy(0.1),
    Home: () => change(pan(view, story.span, -1e12)),
    End: () => change(pan(view, story.span, 1e12)),
  };
  scroller.addEventListener('keydown', event => {
    const action = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
    if (action === undefined) return;
    event.preventDefault();
    action();
  });

  scroller.addEventListener(
    'wheel',
    event => {
      const x = at(event);
      if (x < view.labels && !event.ctrlKey) return; // over the names the wheel moves the rows
      const unit = event.deltaMode === 0 ? 1 : 40;
      const isSideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
      const by = (isSideways && event.deltaX !== 0 ? event.deltaX : event.deltaY) * unit;
      const hasChanged = isSideways ? change(pan(view, story.span, by)) : zoomBy(Math.exp(-by * WHEEL), x);
      if (hasChanged || event.ctrlKey) event.preventDefault(); // at the limit the page scrolls on
    },
    { passive: false },
  );

  const held = new Map<number, PointerEvent>();
  let hasDragged = false;
  scroller.addEventListener('pointerdown', event => {
    if (event.button !== 0) return;
    if (held.size === 0) hasDragged = false;
    held.set(event.pointerId, event);
  });
  scroller.addEventListener('pointermove', event => {
    const before = held.get(event.pointerId);
    if (before === undefined) {
      hover(event);
      return;
    }
    const dx = event.clientX - before.clientX;
    const dy = event.clientY - before.clientY;
    if (!hasDragged && Math.abs(dx) < DRAG_PX && Math.abs(dy) < DRAG_PX) return;
    hasDragged = true;
    scroller.setPointerCapture(event.pointerId);
    const other = [...held.values()].find(({ pointerId }) => pointerId !== event.pointerId);
    held.set(event.pointerId, event);
    tip.hide();
    if (other === undefined) {
      change(pan(view, story.span, -dx));
      if (event.pointerType === 'mouse') scroller.scrollTop -= dy;
    } else {
      const apart = (one: PointerEvent): number => Math.max(20, Math.abs(one.clientX - other.clientX));
      zoomBy(apart(event) / apart(before), (at(event) + at(other)) / 2);
    }
  });
  const release = (event: PointerEvent): void => void held.delete(event.pointerId);
  scroller.addEventListener('pointerup', release);
  scroller.addEventListener('pointercancel', release);
  scroller.addEventListener('click', event => {
    const key = keyAt(event);
    if (!hasDragged && key?.startsWith('c')) toggle(key);
  });
  scroller.addEventListener('dblclick', event => {
    const key = keyAt(event);
    const row = scene.layout.rows.find(row => row.key === key);
    if (row !== undefined && row.lives.length === 1) show(extentOf(row, story.span), key ?? null);
    else if (key === undefined) zoomBy(STEP * STEP, at(event));
    else show({ from: timeAt(view, at(event)), to: timeAt(view, at(event)) }, null);
  });

  const tip = tipOf(parts.tip);
  const hover = (event: PointerEvent): void => {
    const key = keyAt(event);
    tip.show(key === undefined ? [] : linesOf(scene, key, tell), event);
  };
  scroller.addEventListener('pointerleave', tip.hide);
  scroller.addEventListener('scroll', () => {
    tip.hide();
    later();
  });

  const onPaper = (isOn: boolean) => (): void => {
    isPaper = isOn;
    resize();
    now();
  };
  window.addEventListener('beforeprint', onPaper(true));
  window.addEventListener('afterprint', onPaper(false));
  new ResizeObserver(resize).observe(scroller);
  resize();
  now();
  return { show, setZone: next => void change({ ...view, zone: next }) };
}

/** The moments around the death that the story is about. */
function endOf(story: Story): Span {
  const ends = story.lives.filter(({ id }) => id === (story.subject ?? story.notable[0]));
  const ended = ends[0]?.ended_us ?? story.span.to;
  const to = story.signals.filter(signal => signal.target_id === ends[0]?.id && signal.time_us <= ended);
  const sent = to.at(-1)?.last_time_us ?? ended - 1000;
  return { from: Math.min(sent, ended - 100), to: ended };
}

function linesOf({ layout }: Scene, key: string, tell: (key: string) => string[]): string[] {
  if (!key.startsWith('c')) return tell(key);
  const row = layout.rows.find(row => row.key === key);
  if (row === undefined) return [];
  const endings = new Map<string, number>();
  for (const { ending } of row.lives) endings.set(ending, (endings.get(ending) ?? 0) + 1);
  const told = [...endings].sort((a, b) => b[1] - a[1]).slice(0, 6);
  return [
    row.label,
    row.detail,
    ...told.map(([ending, count]) => `${count} × ${ending}`),
    row.isOpen ? 'click to fold' : 'click to unfold',
  ].filter(line => line !== '');
}
