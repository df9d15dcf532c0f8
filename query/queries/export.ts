/** A story, or everything, for other programs: traces, graphs, streams of events, and cases. */

import { resolve } from 'node:path';
import type Database from 'better-sqlite3';
import { SnoopError } from '../../migrations/errors.js';
import { allEvents, EVENT_COLUMNS, EVENT_DOCS } from '../all-events.js';
import { CASE_FILES, writeCase } from '../case.js';
import { GROUP } from '../filters.js';
import type { Io } from '../io.js';
import type { Row } from '../kinds.js';
import { readDropped, readGaps } from '../loss.js';
import { asksForGroup, membersOf } from '../members.js';
import { deliver, isFile, OUTPUT, type Product } from '../output.js';
import { type Answer, defineQuery, type Parameters, type Window } from '../query.js';
import { renderCsv } from '../render/csv.js';
import { renderDot } from '../render/dot.js';
import type { Renderer } from '../render/index.js';
import { renderNdjson } from '../render/json.js';
import { renderMermaid } from '../render/mermaid.js';
import { renderPerfetto } from '../render/perfetto.js';
import { graphOf } from '../report/graph.js';
import type { Story } from '../report/model.js';
import { askedStory, nothingFound, storyFileName } from '../stories.js';
import { version } from '../version.js';
import { reportOf } from './report.js';

type Write = (text: string) => void;

/** Forms of a story. */
const STORY_FORMATS: Record<
  string,
  { suffix: string; isReadable: boolean; render: (story: Story, write: Write) => void }
> = {
  perfetto: {
    suffix: '.perfetto.json',
    isReadable: false,
    render: (story, write) => renderPerfetto(story, version(), write),
  },
  dot: { suffix: '.dot', isReadable: true, render: (story, write) => renderDot(graphOf(story), write) },
  mermaid: {
    suffix: '.mmd',
    isReadable: true,
    render: (story, write) => renderMermaid(graphOf(story), write),
  },
};

/** Forms of a stream. */
const STREAM_FORMATS: Record<string, Renderer> = { ndjson: renderNdjson, csv: renderCsv };

/** No limit, as SQLite has it. */
const ALL = -1;
const ALL_EVENTS = ['signal', 'attempt', 'exec', 'fork', 'exit', 'oom', 'cgroup'] as const;
const NAMES = [...Object.keys(STORY_FORMATS), ...Object.keys(STREAM_FORMATS)].join(', ');

export const exportQuestion = defineQuery({
  name: 'export',
  summary: 'a story for other programs: traces, graphs, cases',
  why: 'Writes a story as a trace for ui.perfetto.dev (perfetto), as a graph for Graphviz or Mermaid (dot, mermaid), or everything in a span as a stream of events, one a line (ndjson, csv). With --case it makes a directory with a small recording of that story alone, which snoopq answers from as from the whole, its report, and their SHA-256 checksums: something to attach to a ticket. Files are made for the caller alone, and nothing is ever written over.',
  examples: [
    {
      command: 'snoopq export 2219 --format perfetto -o kill.json',
      doc: 'a trace to open in ui.perfetto.dev',
    },
    { command: 'snoopq export make --format dot', doc: 'the process tree of the last make, for dot -Tsvg' },
    {
      command: 'snoopq export --unit app --format perfetto -o app.json',
      doc: 'a trace of all that app.service ran',
    },
    {
      command: 'snoopq export --case 2219 -o ticket-17',
      doc: 'a directory with all that belongs to the death of 2219',
    },
    {
      command: "snoopq export --format ndjson --since '1h ago' -o hour.ndjson",
      doc: 'every event of the last hour',
    },
  ],
  args: [
    {
      name: 'who',
      shown: 'PID|NAME',
      kind: 'process',
      doc: 'a pid, or the name of a command; without it the group or all in the span',
      isOptional: true,
    },
  ],
  options: [
    { name: 'format', flags: '--format <name>', kind: 'text', doc: `one of ${NAMES}` },
    {
      name: 'case',
      flags: '--case',
      kind: 'flag',
      doc: 'make a directory with a recording of this story alone',
    },
    { name: 'at', flags: '--at <time>', kind: 'time', doc: 'the process that was alive at this time' },
    ...GROUP,
    OUTPUT,
  ],
  makesFile: ({ output, format, case: asCase }, io) =>
    asCase === 1 || isFile(output as string | null, STORY_FORMATS[String(format)]?.isReadable ?? false, io),
  shapes: [EVENT_COLUMNS],
  docs: EVENT_DOCS,
  document: { root: { $ref: '#/$defs/row' }, defs: {}, title: 'a line of snoopq export --format ndjson' },
  events: ALL_EVENTS,
  answer(db, parameters, io): Answer {
    if (parameters.case === 1) return caseAnswer(db, parameters, io);
    const format = String(parameters.format ?? '');
    const stream = STREAM_FORMATS[format];
    if (stream !== undefined) return streamAnswer(db, parameters, io, format, stream);
    const form = STORY_FORMATS[format];
    if (form === undefined) {
      const what = parameters.format === null ? 'no format' : `'${format}' is not a format`;
      throw new SnoopError('usage', what, `choose one: --format ${NAMES.replace(/, (?=[^,]*$)/, ' or ')}`);
    }
    const story = askedStory(db, parameters);
    if (story === undefined) return nothingFound(db, parameters);
    const product: Product = {
      name: `${storyFileName(story, 'story', parameters)}${form.suffix}`,
      isReadable: form.isReadable,
      fill: write => form.render(story, write),
    };
    return answerOf(product, parameters, io, story);
  },
});

function streamAnswer(
  db: Database.Database,
  parameters: Parameters,
  io: Io,
  format: string,
  render: Renderer,
): Answer {
  if (parameters.who_pid !== null || parameters.who_name !== null)
    throw new SnoopError(
      'usage',
      `${format} is a stream of everything in a span, not of one process`,
      'leave the process out, or choose --format perfetto or --case',
    );
  const members = asksForGroup(parameters) ? new Set(membersOf(db, parameters, ALL)) : null;
  if (members?.size === 0) return nothingFound(db, parameters);
  const window: Window = { from: parameters.since as number | null, to: parameters.until as number | null };
  const sheet = {
    names: Object.keys(EVENT_COLUMNS),
    columns: EVENT_COLUMNS,
    width: io.width,
    clock: { utc: true },
    paint: (_: unknown, text: string) => text,
  };
  const product: Product = {
    name: `events.${format}`,
    isReadable: false,
    fill: write => {
      render(ofGroup(allEvents(db, window), members), sheet, write);
    },
  };
  return {
    columns: {},
    rows: [],
    ...deliver(product, parameters.output as string | null, io),
    gaps: [...readDropped(db, window), ...readGaps(db, window, ALL_EVENTS)],
    sought: 'events',
  };
}

/** The events from or to its processes, and the gaps, which may concern it; null: all. */
function* ofGroup(rows: Iterable<Row>, members: ReadonlySet<unknown> | null): Iterable<Row> {
  for (const row of rows) {
    const { event, process_id, other_id } = row;
    if (members === null || event === 'gap' || members.has(process_id) || members.has(other_id)) yield row;
  }
}

function caseAnswer(db: Database.Database, parameters: Parameters, io: Io): Answer {
  if (parameters.who_pid === null && parameters.who_name === null && !asksForGroup(parameters))
    throw new SnoopError(
      'usage',
      'a case of which process?',
      'name one: snoopq export --case 2219, or --unit',
    );
  const story = askedStory(db, parameters);
  if (story === undefined) return nothingFound(db, parameters);
  const directory = String(parameters.output ?? storyFileName(story, 'case', parameters));
  if (directory === '-') throw new SnoopError('usage', 'a case is a directory', 'name it: -o DIRECTORY');
  let isAlike = true;
  return {
    columns: {},
    rows: [],
    write: out => {
      isAlike = writeCase(directory, story, db, reportOf(story, parameters), io.unfinished);
      for (const name of Object.values(CASE_FILES)) out(`${resolve(directory, name)}\n`);
    },
    gaps: gapsOf(story),
    sought: 'process',
    notes: () => (isAlike ? [] : ['asked the same, this case does not answer in all as the recording does']),
  };
}

function answerOf(product: Product, parameters: Parameters, io: Io, story: Story): Answer {
  return {
    columns: {},
    rows: [],
    ...deliver(product, parameters.output as string | null, io),
    gaps: gapsOf(story),
    sought: 'process',
  };
}

function gapsOf({ verdicts }: Story): Answer['gaps'] {
  return verdicts.flatMap(({ coverage }) => coverage.gaps);
}
