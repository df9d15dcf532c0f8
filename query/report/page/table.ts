/** The list of events below the picture, with a search. Shows a hundred rows at a time. */

import { isoTime } from '../../time.js';
import type { StoryEvent } from '../events.js';

const PAGE = 100;
const MOST_ON_PAPER = 2000;

interface Parts {
  search: HTMLInputElement;
  body: HTMLTableSectionElement;
  count: HTMLElement;
  more: HTMLButtonElement;
}

/** Takes over the table of the page; `choose` is told which event somebody wants to see. */
export function startTable(
  events: readonly StoryEvent[],
  parts: Parts,
  choose: (event: StoryEvent) => void,
): void {
  const { search, body, count, more } = parts;
  let most = PAGE;
  const texts = events.map(({ time_us: time, kind, who, what }) =>
    `${isoTime(time)} ${kind} ${who} ${what}`.toLowerCase(),
  );

  const update = (): void => {
    const words = search.value
      .toLowerCase()
      .split(/\s+/)
      .filter(word => word !== '');
    const found = events.filter((_, i) => words.every(word => texts[i]?.includes(word)));
    body.replaceChildren(...found.slice(0, most).map(event => rowOf(event, choose)));
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
}

function rowOf(event: StoryEvent, choose: (event: StoryEvent) => void): HTMLTableRowElement {
  const row = document.createElement('tr');
  row.className = event.isDeath ? 'death' : event.kind;
  const time = document.createElement('button');
  time.type = 'button';
  time.textContent = isoTime(event.time_us).slice(11, 26);
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
