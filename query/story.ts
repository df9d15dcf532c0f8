/**
 * Collects a story from the views: what one process did and what was done to it, with its family and with whom it dealt; or
 * all that happened in a span of time. Bounded, however much was recorded: what is left out is said.
 */

import { ancestryOf, type Surroundings, verdictOn } from './facts.js';
import { type Bounds, Gathered } from './gathered.js';
import { type Life, lifeById } from './lives.js';
import type { Window } from './query.js';
import type { Span, Story } from './report/model.js';
import { fromIsoTime } from './time.js';
import type { Process, Verdict } from './verdict.js';

const BOUNDS: Bounds = { lives: 5000, execs: 10_000, signals: 20_000, verdicts: 20 };
const MARGIN = 0.04;
const LEAST_SPAN_US = 1000;

/** Of some processes, whose ids are in :ids, JSON. */
export const DEATHS_OF = `SELECT id FROM processes WHERE id IN (SELECT value FROM json_each(:ids))
  AND exit_signal IS NOT NULL AND ended_us BETWEEN :from AND :to ORDER BY ended_us DESC LIMIT :limit`;
const DEATHS_OF_SPAN = `SELECT id FROM processes
  WHERE exit_signal IS NOT NULL AND ended_us BETWEEN :from AND :to ORDER BY ended_us DESC LIMIT :limit`;

/** From the first start to the last end, NULL: one of them runs still. */
export const EXTENT_OF = `SELECT min(started_us) AS first,
  CASE WHEN count(*) = count(coalesce(ended_us, unseen_end_us)) THEN max(coalesce(ended_us, unseen_end_us)) END AS last
  FROM processes WHERE id IN (SELECT value FROM json_each(:ids))`;

/** The story of one process. */
export function storyOf(
  life: Life,
  around: Surroundings,
  window: Window = { from: null, to: null },
  bounds = BOUNDS,
): Story {
  const { db, recorded } = around;
  const verdict = verdictOn(life, around);
  const named = new Set([life.id, ...idsIn(verdict)]);
  const last = life.ended_us ?? life.unseen_end_us ?? recorded.to ?? life.started_us;
  const span = widen({
    from: window.from ?? Math.min(life.started_us, ...sentTimes(verdict)),
    to: window.to ?? last,
  });
  const gathered = new Gathered(db, span, bounds);
  for (const id of named) gathered.addLife(id);
  // A killer may have dealt with many others: of it and of ancestors only what they ran is told.
  const own = new Set([...deadIn(verdict), ...gathered.addDescendants(life.id)]);
  for (const ancestor of ancestryOf(db, life)) gathered.addLife(ancestor.id);
  for (const id of [...gathered.ids]) gathered.addEventsOf(id, own.has(id));
  gathered.addCalls();
  return {
    ...gathered.story(around),
    title: `${life.comm ?? '?'} (pid ${life.pid})`,
    subject: life.id,
    notable: [...named],
    verdicts: [verdict],
  };
}

/** The story of a span; open ends are those of the recording. */
export function storyOfSpan(window: Window, around: Surroundings, title: string, bounds = BOUNDS): Story {
  const { db, recorded } = around;
  const span = {
    from: window.from ?? recorded.reach ?? 0,
    to: Math.max(window.to ?? recorded.to ?? 0, (window.from ?? recorded.reach ?? 0) + LEAST_SPAN_US),
  };
  const gathered = new Gathered(db, span, bounds);
  const verdicts = verdictsOn(DEATHS_OF_SPAN, span, gathered, around, bounds);
  const named = new Set(verdicts.flatMap(idsIn));
  for (const id of named) gathered.addLife(id);
  gathered.addSpan();
  return { ...gathered.story(around), title, subject: null, notable: [...named], verdicts };
}

/** The story of a unit or container, by the ids of its processes, the newest first; open ends are those of its life. */
export function storyOfGroup(
  members: readonly number[],
  window: Window,
  around: Surroundings,
  title: string,
  bounds = BOUNDS,
): Story {
  const { db, recorded } = around;
  const shown = members.slice(0, bounds.lives);
  const { first, last } = db.prepare(EXTENT_OF).get({ ids: JSON.stringify(shown) }) as {
    first: number | null;
    last: number | null;
  };
  // A service may be older than the recording, which tells nothing of that time.
  const from = window.from ?? Math.max(first ?? 0, recorded.reach ?? 0);
  const to = Math.max(window.to ?? last ?? recorded.to ?? 0, from);
  const isWhole = window.from !== null && window.to !== null;
  const span = isWhole ? { from, to: Math.max(to, from + LEAST_SPAN_US) } : widen({ from, to });
  const gathered = new Gathered(db, span, bounds);
  if (members.length > shown.length) gathered.omit(`processes: only the newest ${shown.length} are shown`);
  const verdicts = verdictsOn(DEATHS_OF, { ...span, ids: JSON.stringify(shown) }, gathered, around, bounds);
  const named = new Set(verdicts.flatMap(idsIn));
  for (const id of [...shown, ...named]) gathered.addLife(id);
  const own = new Set([...shown, ...verdicts.flatMap(deadIn)]);
  for (const id of [...gathered.ids]) gathered.addEventsOf(id, own.has(id));
  gathered.addCalls();
  gathered.addAncestors();
  return { ...gathered.story(around), title, subject: null, notable: [...named], verdicts };
}

/** The verdicts on the violent deaths that a statement finds, the last first. */
function verdictsOn(
  sql: string,
  given: Span & { ids?: string },
  gathered: Gathered,
  around: Surroundings,
  bounds: Bounds,
): Verdict[] {
  const { db } = around;
  const dead = db
    .prepare(sql)
    .pluck()
    .all({ ...given, limit: bounds.verdicts + 1 }) as number[];
  if (dead.length > bounds.verdicts)
    gathered.omit(`verdicts: only the last ${bounds.verdicts} violent deaths are told`);
  return dead
    .slice(0, bounds.verdicts)
    .map(id => lifeById(db, id))
    .filter(life => life !== undefined)
    .map(life => verdictOn(life, around));
}

/** Ids of all the processes that a verdict names. */
function idsIn(verdict: Verdict): number[] {
  const processes: (Process | null | undefined)[] = [
    verdict.process,
    verdict.killer,
    verdict.instigator?.process,
    ...verdict.ancestry,
  ];
  return [
    ...processes.filter(process => process != null).map(({ id }) => id),
    ...verdict.earlier_signals.flatMap(({ sender }) => (sender === null ? [] : [sender.id])),
    ...(verdict.cause === null ? [] : idsIn(verdict.cause)),
  ];
}

/** The processes whose deaths a verdict tells. */
function deadIn({ process, cause }: Verdict): number[] {
  return [...(process === null ? [] : [process.id]), ...(cause === null ? [] : deadIn(cause))];
}

function sentTimes({ sent, cause }: Verdict): number[] {
  return [...(sent === null ? [] : [fromIsoTime(sent)]), ...(cause === null ? [] : sentTimes(cause))];
}

function widen({ from, to }: Span): Span {
  const margin = Math.max(LEAST_SPAN_US, (to - from) * MARGIN);
  return { from: Math.floor(from - margin), to: Math.ceil(to + 3 * margin) };
}
