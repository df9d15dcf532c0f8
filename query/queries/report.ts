/** A story as a page to look at: one process, or all that happened in a span of time. */

import { SnoopError } from '../../migrations/errors.js';
import { VERDICT_EVENTS } from '../facts.js';
import { findLives, nameHint, soughtProcess } from '../lives.js';
import { describeSpan, readDropped, readGaps, readRecorded } from '../loss.js';
import { deliver, OUTPUT } from '../output.js';
import { type Answer, defineQuery, type Window } from '../query.js';
import { fields } from '../render/verdict.js';
import { readAssets } from '../report/assets.js';
import { reportHtml } from '../report/document.js';
import type { Story } from '../report/model.js';
import { storyOf, storyOfSpan } from '../story.js';
import { isoTime } from '../time.js';
import { userNames } from '../users.js';

const UTC = { utc: true };

export const report = defineQuery({
  name: 'report',
  summary: 'a picture of what happened, as one file of HTML',
  why: 'Makes a page that shows the verdict, a picture of the lives, forks and signals that belong to it, with the gaps of the recording hatched, and every event in a table. The file loads nothing and sends nothing: it may be opened anywhere, mailed, and printed. Without a process it shows all that happened between --since and --until.',
  examples: [
    { command: 'snoopq report 2219', doc: 'makes report-2219.html: who killed pid 2219' },
    { command: "snoopq report --since '10 min ago' -o evening.html", doc: 'all that happened since then' },
  ],
  args: [
    {
      name: 'who',
      shown: 'PID|NAME',
      kind: 'process',
      doc: 'a pid, or the name of a command; the last that ended is meant',
      isOptional: true,
    },
  ],
  options: [
    { name: 'at', flags: '--at <time>', kind: 'time', doc: 'the process that was alive at this time' },
    OUTPUT,
  ],
  events: VERDICT_EVENTS,
  answer(db, parameters, io): Answer {
    const window: Window = { from: parameters.since as number | null, to: parameters.until as number | null };
    const hasProcess = parameters.who_pid !== null || parameters.who_name !== null;
    if (!hasProcess && window.from === null && window.to === null)
      throw new SnoopError(
        'usage',
        'of what?',
        'name a process, or a span: snoopq report --since "10 min ago"',
      );
    const recorded = readRecorded(db);
    const around = { db, recorded, userName: userNames(recorded.host) };
    const life = hasProcess ? findLives(db, parameters, 1)[0] : undefined;
    const story =
      life !== undefined
        ? storyOf(life, around, window)
        : hasProcess || recorded.from === null
          ? undefined
          : storyOfSpan(window, around, `What happened ${describeSpan(window, recorded, UTC)}`);
    const sought = hasProcess ? soughtProcess(parameters) : 'events';
    if (story === undefined) {
      const gaps = [...readDropped(db, window), ...readGaps(db, window, VERDICT_EVENTS)];
      return {
        columns: {},
        rows: [],
        write: () => {},
        isFound: false,
        gaps,
        sought,
        hint: nameHint(parameters),
      };
    }
    const product = {
      name: nameOf(story),
      isReadable: false,
      fill: (write: (text: string) => void) =>
        write(
          reportHtml(story, {
            ...readAssets(),
            facts: verdict => fields(verdict, UTC, 'the one that is meant'),
          }),
        ),
    };
    return {
      columns: {},
      rows: [],
      ...deliver(product, parameters.output as string | null, io),
      gaps: story.verdicts.flatMap(({ coverage }) => coverage.gaps),
      sought,
    };
  },
});

function nameOf({ subject, lives, span }: Story): string {
  const life = lives.find(({ id }) => id === subject);
  return `report-${life?.pid ?? isoTime(span.from).replace(/[-:]|\..*/g, '')}.html`;
}
