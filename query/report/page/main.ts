/** The script of a report: brings its picture and its table to life. It reads what the file holds and nothing else. */

import { eventsOf, tellerOf } from '../events.js';
import type { Story } from '../model.js';
import { startPicture } from './picture.js';
import { startTable } from './table.js';

function part<T extends Element>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`no ${id} in this page`);
  return found;
}

const story = JSON.parse(part('story', HTMLScriptElement).textContent ?? '') as Story;
const events = eventsOf(story);
const picture = startPicture(
  story,
  {
    frame: part('timeline', HTMLElement),
    scroller: part('scroller', HTMLElement),
    axis: part('axis', SVGSVGElement),
    picture: part('picture', SVGSVGElement),
    status: part('status', HTMLElement),
    tip: part('tip', HTMLElement),
  },
  tellerOf(story, events),
);
startTable(
  events,
  {
    search: part('search', HTMLInputElement),
    body: part('events', HTMLTableSectionElement),
    count: part('count', HTMLElement),
    more: part('more', HTMLButtonElement),
  },
  ({ key, time_us: time }) => {
    const span = Math.max(1000, (story.span.to - story.span.from) / 200);
    picture.show({ from: time - span, to: time + span }, key);
    part('timeline', HTMLElement).scrollIntoView({ block: 'nearest' });
  },
);
document.documentElement.classList.add('alive');
