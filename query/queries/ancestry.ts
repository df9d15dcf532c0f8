/** Whose child a process is, up to the first process that the recorder knew. */

import { escapeText } from '../escape.js';
import { ancestryOf } from '../facts.js';
import type { Columns, Row } from '../kinds.js';
import { findLives, type Life, nameHint, soughtProcess } from '../lives.js';
import { readGaps } from '../loss.js';
import { type Answer, defineQuery } from '../query.js';
import { drawLine } from '../render/tree.js';
import { commandLine } from '../shell.js';

const MOST_LIVES = 1000;

const COLUMNS: Columns = {
  depth: 'number',
  id: 'id',
  pid: 'pid',
  comm: 'name',
  exe: 'path',
  cmdline: 'cmdline',
  cwd: 'path',
  uid: 'uid',
  started: 'time',
  ended: 'time',
  unit: 'name',
  container: 'name',
  origin: 'name',
};

export const ancestry = defineQuery({
  name: 'ancestry',
  summary: 'whose child a process was, and whose child that was',
  why: 'Follows the parents of a process as they were at its creation, nearest first, so that it still tells the truth when a parent has died and the orphan was given to another. Each ancestor is shown as it was when it forked the next. Of several processes with the pid the one that started last is meant, unless --at says when.',
  examples: [
    { command: 'snoopq ancestry 2219', doc: 'where pid 2219 came from' },
    { command: 'snoopq ancestry 2219 --at 14:05', doc: 'the process that bore the pid at that time' },
  ],
  args: [{ name: 'who', shown: 'PID|NAME', kind: 'process', doc: 'a pid, or the name of a command' }],
  options: [
    { name: 'at', flags: '--at <time>', kind: 'time', doc: 'the process that was alive at this time' },
  ],
  shapes: [COLUMNS],
  views: ['processes'],
  docs: { depth: '0 is the process itself, 1 its parent, and so on' },
  events: ['fork'],
  answer(db, parameters): Answer {
    const lives = findLives(db, parameters, MOST_LIVES);
    const last = lives.reduce<Life | undefined>(
      (best, life) => (best === undefined || life.started_us > best.started_us ? life : best),
      undefined,
    );
    const line = last === undefined ? [] : [last, ...ancestryOf(db, last)];
    const rows = parameters.reverse === 1 ? line.toReversed() : line;
    return {
      columns: COLUMNS,
      shown: ['depth', 'pid', 'comm', 'uid', 'started', 'ended', 'cmdline'],
      rows: rows.map(life => rowOf(life, line.indexOf(life))),
      ...(line.length === 0 ? {} : { drawing: (width: number) => drawLine(line.map(label), width) }),
      gaps: readGaps(db, { from: last?.started_us ?? null, to: last?.started_us ?? null }, ['fork']),
      sought: soughtProcess(parameters),
      hint: nameHint(parameters),
    };
  },
});

function label(life: Life): string {
  const command = commandLine(life.args) ?? life.exe;
  return escapeText(`${life.comm ?? '?'}(${life.pid})${command === null ? '' : `  ${command}`}`);
}

function rowOf(life: Life, depth: number): Row {
  const { id, pid, comm, exe, cwd, uid, started, ended, unit, container, origin } = life;
  return {
    depth,
    id,
    pid,
    comm,
    exe,
    cmdline: commandLine(life.args),
    cwd,
    uid,
    started,
    ended,
    unit,
    container,
    origin,
  };
}
