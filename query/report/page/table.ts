/** The list of events below the picture, with a search. Shows a hundred rows at a time. */

import type { StoryEvent } from '../events.js';
import { clockTime, wallTime, type Zone } from '../zone.js';

const PAGE = 100;
const MOST_ON_PAPER = 2000;

interface Parts {
  search: HTMLInputElement;
  body: HTMLTableSectionElement;
  count: HTMLElement;
  more: HTMLButtonElement;
}

export interface Table {
  /** Tells its times by another zone. */
  show(zone: Zone): void;
}

/** Takes over the table of the page; `choose` is told which event somebody wants to see. */
export function startTable(
  events: readonly StoryEvent[],
  parts: Parts,
  choose: (event: StoryEvent) => void,
  first: Zone,
): Table {
  const { search, body, count, more } = parts;
  let most = PAGE;
  let zone = first;
  const textsOf = (): string[] =>
    events.map(({ time_us: time, kind, who, what }) =>
      `${wallTime(time, zone)} ${kind} ${who} ${what}`.toLowerCase(),
    );
  let texts = textsOf();

  const update = (): void => {
    const words = search.value
      .toLowerCase()
      .split(/\s+/)
      .filter(word => word !== '');
    const found = events.filter((_, i) => words.every(word => texts[i]?.includes(word)));
    body.replaceChildren(...found.slice(0, most).map(event => rowOf(event, zone, choose)));
    const isAll = found.length === events.length;
    count.textContent = isAll ? `${events.length} events` : `${found.length} of ${events.length} events`;
    more.hidden = found.length <= most;
    more.textContent = `Show ${Math.min(PAGE, found.length - most)} more`;
  };
  search.addEventListener('input', () => {
    most = PAGE;
    update();
  });
  more.addEventListener('click', () => {
    most += PAGE;
    update();
  });
  window.addEventListener('beforeprint', () => {
    most = MOST_ON_PAPER;
    update();
  });
  update();
  return {
    show: next => {
      zone = next;
      texts = textsOf();
      update();
    },
  };
}

function rowOf(event: StoryEvent, zone: Zone, choose: (event: StoryEvent) => void): HTMLTableRowElement {
  const row = document.createElement('tr');
  row.className = event.isDeath ? 'death' : event.kind;
  const time = document.createElement('button');
  time.type = 'button';
  time.textContent = clockTime(event.time_us, zone);
  time.title = 'show it in the picture';
  time.addEventListener('click', () => choose(event));
  const first = document.createElement('td');
  first.append(time);
  row.append(first);
  for (const text of [event.kind, event.who, event.what]) {
    const cell = document.createElement('td');
    cell.textContent = text;
    row.append(cell);
  }
  return row;
}
