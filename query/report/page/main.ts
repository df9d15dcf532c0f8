/** The script of a report: brings its picture and its table to life. It reads what the file holds and nothing else. */

import { eventsOf, tellerOf } from '../events.js';
import type { Story } from '../model.js';
import { UTC, type Zone } from '../zone.js';
import { startPicture } from './picture.js';
import { startTable } from './table.js';

function part<T extends Element>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`no ${id} in this page`);
  return found;
}

const story = JSON.parse(part('story', HTMLScriptElement).textContent ?? '') as Story;
const events = eventsOf(story);
const local = JSON.parse(part('zone', HTMLScriptElement).textContent ?? '') as Zone;
const root = document.documentElement;
const zoneNow = (): Zone => (root.dataset['zone'] === 'utc' ? UTC : local);
let tell = tellerOf(story, events, zoneNow());
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
  key => tell(key),
  zoneNow(),
);
const table = startTable(
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
  zoneNow(),
);
for (const button of document.querySelectorAll<HTMLButtonElement>('button[data-zone]'))
  button.addEventListener('click', () => {
    root.dataset['zone'] = button.dataset['zone'] ?? 'utc'; // the style shows the texts of this zone
    tell = tellerOf(story, events, zoneNow());
    picture.setZone(zoneNow());
    table.show(zoneNow());
  });
root.classList.add('alive');
