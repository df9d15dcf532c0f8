/** Finds the story that a question asks for: of a process, or of a span of time. */

import type Database from 'better-sqlite3';
import { SnoopError } from '../migrations/errors.js';
import { VERDICT_EVENTS } from './facts.js';
import { lastLives, nameHint, soughtProcess } from './lives.js';
import { describeSpan, readDropped, readGaps, readRecorded } from './loss.js';
import { asksForGroup, groupName, membersOf } from './members.js';
import type { Answer, Parameters, Window } from './query.js';
import type { Story } from './report/model.js';
import { storyOf, storyOfGroup, storyOfSpan } from './story.js';
import { isoTime } from './time.js';
import { userNames } from './users.js';

/** Of a group that are looked at; a story shows fewer. */
const MOST_MEMBERS = 10_000;

/** The story of :who, of :unit or :container, else that from :since to :until; undefined where there is none. */
export function askedStory(db: Database.Database, parameters: Parameters): Story | undefined {
  const window = windowOf(parameters);
  const isOfProcess = hasProcess(parameters);
  const isOfGroup = asksForGroup(parameters);
  if (!isOfProcess && !isOfGroup && window.from === null && window.to === null)
    throw new SnoopError(
      'usage',
      'the story of what?',
      "name a process, a group by --unit or --container, or a span: --since '10 min ago'",
    );
  const recorded = readRecorded(db);
  const around = { db, recorded, userName: userNames(recorded.host) };
  if (isOfProcess) {
    const life = lastLives(db, parameters, 1)[0];
    return life === undefined ? undefined : storyOf(life, around, window);
  }
  if (isOfGroup) {
    const members = membersOf(db, parameters, MOST_MEMBERS);
    const title = groupName(db, members, parameters);
    return members.length === 0 ? undefined : storyOfGroup(members, window, around, title);
  }
  if (recorded.from === null) return undefined;
  return storyOfSpan(window, around, `What happened ${describeSpan(window, recorded, { utc: true })}`);
}

/** Says that there is no such story. */
export function nothingFound(db: Database.Database, parameters: Parameters): Answer {
  const window = windowOf(parameters);
  const isOfProcess = hasProcess(parameters);
  return {
    columns: {},
    rows: [],
    write: () => {},
    isFound: false,
    gaps: [...readDropped(db, window), ...readGaps(db, window, VERDICT_EVENTS)],
    sought: isOfProcess
      ? soughtProcess(parameters)
      : asksForGroup(parameters)
        ? 'process of that group'
        : 'events',
    hint: isOfProcess ? nameHint(parameters) : undefined,
  };
}

/** `report-2219`, of a group `report-app.service`, or for a span `report-20261121T140000`. */
export function storyFileName(
  { subject, title, lives, span }: Story,
  what: string,
  asked: Parameters,
): string {
  if (asksForGroup(asked)) return `${what}-${title.replace(/^container /, '').replace(/[^\w.@-]/g, '-')}`;
  const life = lives.find(({ id }) => id === subject);
  return `${what}-${life?.pid ?? isoTime(span.from).replace(/[-:]|\..*/g, '')}`;
}

function hasProcess({ who_pid: pid, who_name: name }: Parameters): boolean {
  return pid !== null || name !== null;
}

function windowOf({ since = null, until = null }: Parameters): Window {
  return { from: since as number | null, to: until as number | null };
}
