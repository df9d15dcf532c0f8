/** What a process started, and what became of it all. */

import { cutNote, DEFAULT_LIMIT } from '../answer.js';
import { descendants } from '../children.js';
import { showEnd } from '../ending.js';
import { escapeText } from '../escape.js';
import type { Columns, Row } from '../kinds.js';
import { type Life, lastLives, nameHint, soughtProcess } from '../lives.js';
import { readGaps } from '../loss.js';
import { type Answer, defineQuery } from '../query.js';
import { drawTree } from '../render/tree.js';
import { commandLine } from '../shell.js';
import { showDuration } from '../time.js';

const COLUMNS: Columns = {
  depth: 'number',
  id: 'id',
  pid: 'pid',
  comm: 'name',
  exe: 'path',
  cmdline: 'cmdline',
  uid: 'uid',
  parent_id: 'id',
  ppid: 'pid',
  started: 'time',
  ended: 'time',
  exit_code: 'number',
  exit_signal: 'number',
  end: 'name',
  duration_ms: 'milliseconds',
  unit: 'name',
  container: 'name',
};

export const tree = defineQuery({
  name: 'tree',
  summary: 'what a process started, and how each ended',
  why: 'Draws a process and all its descendants as they were created, each with how it ended and after how long; an orphan stays below the parent that started it. Of several processes with the pid the one that ended last is meant, unless --at says when.',
  examples: [
    { command: 'snoopq tree 3700', doc: 'everything that pid 3700 started' },
    { command: 'snoopq tree make --at 14:01:45 --json', doc: 'the make of that time, for a program' },
  ],
  args: [{ name: 'who', shown: 'PID|NAME', kind: 'process', doc: 'a pid, or the name of a command' }],
  options: [
    { name: 'at', flags: '--at <time>', kind: 'time', doc: 'the process that was alive at this time' },
  ],
  shapes: [COLUMNS],
  views: ['processes'],
  docs: {
    depth: '0 is the process itself, 1 its children, and so on',
    end: 'how it ended: name of the signal, or exit and its status',
  },
  events: ['fork', 'exit'],
  answer(db, parameters): Answer {
    const [first] = lastLives(db, parameters, 1);
    const limit = Number(parameters.limit ?? DEFAULT_LIMIT);
    const isCut = { value: false };
    const nodes = first === undefined ? [] : descendants(db, first, limit, isCut);
    const rows = nodes.map(({ life, depth }) => rowOf(life, depth));
    return {
      columns: COLUMNS,
      shown: ['depth', 'pid', 'comm', 'ppid', 'started', 'end', 'duration_ms', 'cmdline'],
      rows: parameters.reverse === 1 ? rows.reverse() : rows,
      ...(first === undefined
        ? {}
        : {
            drawing: (width: number) =>
              drawTree(
                nodes.map(({ life, depth }) => ({ label: label(life), depth })),
                width,
              ),
          }),
      gaps: readGaps(db, { from: first?.started_us ?? null, to: first?.ended_us ?? null }, ['fork', 'exit']),
      sought: soughtProcess(parameters),
      hint: nameHint(parameters),
      notes: () => (isCut.value ? [cutNote(limit, false)] : []),
    };
  },
});

function label(life: Life): string {
  const length = life.ended_us === null ? '' : ` after ${showDuration(life.ended_us - life.started_us)}`;
  return escapeText(
    `${life.comm ?? '?'}(${life.pid})  ${showEnd(life)}${length}  ${commandLine(life.args) ?? life.exe ?? ''}`.trimEnd(),
  );
}

function rowOf(life: Life, depth: number): Row {
  const {
    id,
    pid,
    comm,
    exe,
    args,
    uid,
    parent_id,
    ppid,
    started,
    ended,
    exit_code,
    exit_signal,
    unit,
    container,
  } = life;
  return {
    depth,
    id,
    pid,
    comm,
    exe,
    cmdline: commandLine(args),
    uid,
    parent_id,
    ppid,
    started,
    ended,
    exit_code,
    exit_signal,
    end: showEnd(life),
    duration_ms: life.ended_us === null ? null : (life.ended_us - life.started_us) / 1000,
    unit,
    container,
  };
}
