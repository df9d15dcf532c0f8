/** A story as a page to look at: one process, or all that happened in a span of time. */

import { VERDICT_EVENTS } from '../facts.js';
import { GROUP } from '../filters.js';
import { localZone } from '../local-zone.js';
import { deliver, isFile, OUTPUT } from '../output.js';
import { type Answer, defineQuery, type Parameters } from '../query.js';
import { fields } from '../render/verdict.js';
import { readAssets } from '../report/assets.js';
import { reportHtml } from '../report/document.js';
import type { Story } from '../report/model.js';
import { askedStory, nothingFound, storyFileName } from '../stories.js';

export const report = defineQuery({
  name: 'report',
  summary: 'a picture of what happened, as one file of HTML',
  why: 'Makes a page that shows the verdict, a picture of the lives, forks and signals that belong to it, with the gaps of the recording hatched, and every event in a table. The file loads nothing and sends nothing: it may be opened anywhere, mailed, and printed. With --unit or --container it is the story of a whole group; with neither nor a process, all that happened between --since and --until.',
  examples: [
    { command: 'snoopq report 2219', doc: 'makes report-2219.html: who killed pid 2219' },
    { command: 'snoopq report --unit app --since today', doc: 'what became of app.service today' },
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
    ...GROUP,
    OUTPUT,
  ],
  makesFile: ({ output }, io) => isFile(output as string | null, false, io),
  shapes: null,
  events: VERDICT_EVENTS,
  answer(db, parameters, io): Answer {
    const story = askedStory(db, parameters);
    if (story === undefined) return nothingFound(db, parameters);
    const product = {
      name: `${storyFileName(story, 'report', parameters)}.html`,
      isReadable: false,
      fill: (write: (text: string) => void) => write(reportOf(story, parameters)),
    };
    return {
      columns: {},
      rows: [],
      ...deliver(product, parameters.output as string | null, io),
      gaps: story.verdicts.flatMap(({ coverage }) => coverage.gaps),
      sought: 'process',
    };
  },
});

/** The page, in the zone of this machine, with a switch to UTC; --utc: the other way round. */
export function reportOf(story: Story, { utc = null }: Parameters): string {
  const from = Math.min(story.span.from, ...story.lives.map(({ started_us }) => started_us));
  return reportHtml(story, {
    ...readAssets(),
    facts: (verdict, clock) => fields(verdict, clock, 'the one that is meant'),
    zone: localZone({ from, to: story.span.to }),
    isUtc: utc === 1,
  });
}
