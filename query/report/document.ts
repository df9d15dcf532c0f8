/** A report as one file of HTML that needs nothing else: no network, no fonts, no frames. Pure. */

import { createHash } from 'node:crypto';
import { type Clock, fromIsoTime, showDuration } from '../time.js';
import type { Verdict } from '../verdict.js';
import { draw, drawAxis, heightOf, type Scene, sceneOf } from './draw.js';
import { eventsOf, type StoryEvent, tellerOf } from './events.js';
import { harmless } from './harmless.js';
import { escapeHtml, scriptJson } from './html.js';
import { AXIS } from './metrics.js';
import type { Span, Story } from './model.js';
import { svgInside } from './svg.js';
import { openingOf, type View } from './view.js';
import { clockTime, dayTime, UTC, type Zone, zoneWords } from './zone.js';

/** What the file is made of beside the story. */
export interface Setting {
  /** Script and style of the page, as the build made them. */
  script: string;
  style: string;
  /** Of snooprec. */
  version: string;
  /** The facts of a verdict, a label and a text each, with times as a clock shows them. */
  facts: (verdict: Verdict, clock: Clock) => readonly Fact[];
  /** Where the report is made; without it UTC. */
  zone?: Zone;
  /** Whether it opens with times in UTC all the same. */
  isUtc?: boolean;
}

type Fact = readonly [label: string, text: string];

/** Without the script as many rows of the picture, and of the table, are shown. */
const MOST_ROWS = 150;
const MOST_EVENTS = 400;
const MOST_DEATHS = 4;
const WIDTH = 1180;
const LABELS = 208;
const SIGNS = { proven: '●', consistent: '◐', incomplete: '○' } as const;

/** The file. */
export function reportHtml(
  unsafe: Story,
  { script, style, version, facts, zone: local = UTC, isUtc = false }: Setting,
): string {
  const story = harmless(unsafe);
  const events = eventsOf(story);
  const zone = isUtc ? UTC : local;
  const both = inZones(local);
  const title = story.subject === null ? story.title : `Who killed ${story.title}?`;
  const heading = story.verdicts[0] === undefined || story.subject === null ? story.title : headingOf(story);
  return `<!doctype html>
<html lang="en" data-zone="${zone === UTC ? 'utc' : 'local'}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy(script, style)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="snooprec ${escapeHtml(version)}">
<link rel="icon" href="data:,">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<header>
<p class="kicker">snooprec report${story.host === null ? '' : ` · ${escapeHtml(story.host)}`} · ${both(of => spanWords(story.span, of))}${switchHtml(local)}</p>
<h1>${both(of => titleIn(heading, of))}</h1>
${story.subject === null ? deathsHtml(story.verdicts) : story.verdicts.map(verdictHtml).join('\n')}
${story.subject === null ? '' : story.verdicts.map(verdict => factsHtml(clock => harmless(facts(verdict, clock)), local)).join('\n')}
${notes(story)}
</header>
<main>
${pictureHtml(story, events, zone)}
${tableHtml(events, zone)}
</main>
<footer>Made by snooprec ${escapeHtml(version)}. Times are ${both(of => (of === UTC ? 'UTC' : `those of ${zoneWords(of, story.span.to)}`))}. This file holds all that it shows: it loads nothing and sends nothing.</footer>
<div id="tip" hidden></div>
<script type="application/json" id="story">${scriptJson(story)}</script>
<script type="application/json" id="zone">${scriptJson(local)}</script>
<script>${script}</script>
</body>
</html>
`;
}

/** Only this script and this style, by their hashes; nothing is fetched, sent, framed or built from text. */
function policy(script: string, style: string): string {
  const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  return [
    "default-src 'none'",
    `script-src ${hash(script)}`,
    `style-src ${hash(style)}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}

function headingOf({ verdicts, title }: Story): string {
  const verdict = verdicts[0] as Verdict;
  switch (verdict.verdict) {
    case 'killed':
      return `Who killed ${title}?`;
    case 'exited':
      return `How ${title} ended`;
    case 'running':
      return `${title} runs on`;
    default:
      return `What became of ${title}?`;
  }
}

function verdictHtml(verdict: Verdict): string {
  return `<p class="lead">${escapeHtml(verdict.explanation)}</p>
<p>${sureHtml(verdict)}</p>`;
}

/** The violent deaths of a span, the first few at once. */
function deathsHtml(verdicts: readonly Verdict[]): string {
  if (verdicts.length === 0) return '<p class="lead">No process died violently in this span.</p>';
  const list = (part: readonly Verdict[]): string => {
    const items = part.map(verdict => `<li>${escapeHtml(verdict.explanation)} ${sureHtml(verdict)}</li>`);
    return `<ul class="verdicts">${items.join('\n')}</ul>`;
  };
  const rest = verdicts.slice(MOST_DEATHS);
  const more = `<details><summary>${rest.length} more violent deaths</summary>${list(rest)}</details>`;
  return `${list(verdicts.slice(0, MOST_DEATHS))}${rest.length === 0 ? '' : more}`;
}

function sureHtml({ confidence }: Verdict): string {
  return `<span class="sure ${confidence}">${SIGNS[confidence]} ${confidence}</span>`;
}

function factsHtml(facts: (clock: Clock) => readonly Fact[], local: Zone): string {
  const inUtc = facts({ utc: true });
  const inLocal = local === UTC ? inUtc : facts({ utc: false });
  const rows = inUtc.map(([label, text], i) => {
    const words = inZones(local)(of => (of === UTC ? text : (inLocal[i]?.[1] ?? text)));
    return `<div><dt>${escapeHtml(label)}</dt><dd>${words}</dd></div>`;
  });
  return `<dl>${rows.join('\n')}</dl>`;
}

function notes({ gaps, omitted }: Story): string {
  const lines: string[] = [];
  const lost = gaps.reduce((sum, gap) => sum + (gap.count ?? 0), 0);
  if (gaps.length > 0) {
    const count = lost > 0 ? `: ${lost} records are missing` : '';
    lines.push(`Not everything was recorded within this picture${count}. What is hatched is doubtful.`);
  }
  for (const phrase of omitted) lines.push(`There is more than a report can hold. Of the ${phrase}.`);
  return lines.map(line => `<p class="note">${escapeHtml(line)}</p>`).join('\n');
}

function pictureHtml(story: Story, events: readonly StoryEvent[], zone: Zone): string {
  const scene = sceneOf(story);
  const tell = tellerOf(story, events, zone);
  const title = (key: string): string => tell(key).join('\n');
  const opening = openingOf(story);
  const view: View = { ...opening, width: WIDTH, labels: LABELS, zone };
  const shown = Math.min(scene.layout.rows.length, MOST_ROWS);
  const height = Math.min(heightOf(scene), heightOf(scene) * (shown / Math.max(1, scene.layout.rows.length)));
  const isCut = scene.layout.rows.length > shown;
  return `<h2>What happened</h2>
<figure id="timeline">
<div class="bar-of-tools needs-script" role="toolbar" aria-label="Picture">
<button type="button" data-do="in" title="key +">Zoom in</button>
<button type="button" data-do="out" title="key −">Zoom out</button>
<button type="button" data-do="left" title="key ←" aria-label="Earlier">←</button>
<button type="button" data-do="right" title="key →" aria-label="Later">→</button>
<button type="button" data-do="whole" title="key 0">Whole story</button>
<button type="button" data-do="end" title="key e">The end</button>
<output id="status" aria-live="polite"></output>
</div>
<div class="frame">
<div class="above"><svg id="axis" viewBox="0 0 ${WIDTH} ${AXIS}" width="100%" aria-hidden="true">
${svgInside(drawAxis(view), () => '')}</svg></div>
<div id="scroller" tabindex="0" role="group" aria-label="Picture of the story: ${escapeHtml(summary(scene))}">
<svg id="picture" viewBox="0 0 ${WIDTH} ${height}" width="100%" role="img" aria-label="${escapeHtml(summary(scene))}">
${svgInside(draw(scene, view, { first: 0, last: shown - 1 }), title)}</svg>
</div>
</div>
<svg width="0" height="0" aria-hidden="true"><defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="hatching" d="M0 0V6"/></pattern></defs></svg>
<figcaption>
${legend()}
<span class="needs-script">Wheel or + − to zoom, drag or ← → to move, 0 for the whole; a double click on a process shows its life.</span>
${opening.from > story.span.from ? `<span>Opened at the last ${showDuration(opening.to - opening.from)} of ${showDuration(story.span.to - story.span.from)}.</span>` : ''}
${isCut ? `<span>The first ${shown} rows.</span>` : ''}
</figcaption>
</figure>`;
}

function legend(): string {
  const sign = (inside: string): string =>
    `<svg width="22" height="14" viewBox="0 0 22 14" aria-hidden="true">${inside}</svg>`;
  const signs: readonly (readonly [string, string])[] = [
    [
      sign('<path class="arrow fatal" d="M11 0V9"/><path class="head fatal" d="M11 14l-4 -7h8z"/>'),
      'signal that killed',
    ],
    [sign('<path class="arrow" d="M11 0V9"/><path class="head" d="M11 14l-4 -7h8z"/>'), 'other signal'],
    [sign('<path class="arrow refused" d="M11 0V14"/>'), 'refused, or a probe'],
    [sign('<path class="cap killed" d="M7 3l8 8m0 -8l-8 8"/>'), 'killed'],
    [sign('<path class="cap failed" d="M11 2l5 5l-5 5l-5 -5z"/>'), 'exit status not 0'],
    [sign('<path class="exec" d="M11 0v14"/>'), 'exec'],
    [sign('<rect class="gap whole" width="22" height="14"/>'), 'not recorded'],
  ];
  return signs.map(([svg, words]) => `<span>${svg} ${words}</span>`).join('\n');
}

function summary({ story }: Scene): string {
  return `${story.lives.length} processes, ${story.signals.length} signals in ${showDuration(story.span.to - story.span.from)}`;
}

function tableHtml(events: readonly StoryEvent[], zone: Zone): string {
  const rows = events
    .slice(0, MOST_EVENTS)
    .map(
      ({ time_us: time, kind, who, what, isDeath }) =>
        `<tr class="${isDeath ? 'death' : kind}"><td>${clockTime(time, zone)}</td><td>${kind}</td><td>${escapeHtml(who)}</td><td>${escapeHtml(what)}</td></tr>`,
    );
  return `<h2>Every event</h2>
<div class="finder"><input id="search" class="needs-script" type="search" placeholder="Search: SIGTERM nginx …" aria-label="Search events" spellcheck="false"> <span id="count" aria-live="polite">${events.length} events${events.length > MOST_EVENTS ? `, the first ${MOST_EVENTS}` : ''}</span></div>
<table>
<thead><tr><th scope="col">Time</th><th scope="col">Event</th><th scope="col">Who</th><th scope="col">What</th></tr></thead>
<tbody id="events">
${rows.join('\n')}
</tbody>
</table>
<button type="button" id="more" hidden>Show more</button>`;
}

function spanWords({ from, to }: Span, zone: Zone): string {
  const first = dayTime(from, zone);
  const last = dayTime(to, zone);
  const isOneDay = first.slice(0, 10) === last.slice(0, 10);
  return `${first} – ${isOneDay ? last.slice(11) : last} ${zoneWords(zone, to)}, ${showDuration(to - from)}`;
}

/** The title of a span names its ends in UTC. */
function titleIn(title: string, zone: Zone): string {
  if (zone === UTC) return title;
  return title.replace(/\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/g, time =>
    dayTime(fromIsoTime(`${time.slice(0, -1)}.000000Z`), zone),
  );
}

/** Text that has times in it, as it is in each zone; the style shows the one that was chosen. */
function inZones(local: Zone): (write: (zone: Zone) => string) => string {
  return write => {
    const [here, inUtc] = [local, UTC].map(zone => escapeHtml(write(zone)));
    return here === inUtc
      ? (inUtc ?? '')
      : `<span class="in-local">${here}</span><span class="in-utc">${inUtc}</span>`;
  };
}

function switchHtml(local: Zone): string {
  if (local === UTC) return '';
  const button = (shown: string, to: string, name: string): string =>
    ` <button type="button" class="zone in-${shown} needs-script" data-zone="${to}">Show times in ${escapeHtml(name)}</button>`;
  return button('local', 'utc', UTC.name) + button('utc', 'local', local.name);
}
