/** How long answers take as whole processes, on ten million signals, beside `node -e 0` and sqlite3 on the same view. */

import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { FIRST_PID, HOT_PID, writeBig } from './big.js';
import { program, runCommand, SNOOPQ } from './programs.js';
import type { Result } from './result.js';
import type { Scene } from './scene.js';
import { spreadOf } from './spread.js';
import type { Plan } from './suites.js';

/** A process of the middle that was killed. */
const USUAL_PID = FIRST_PID + 4 * 2_000;

/** A command name of every two hundredth process, old and new. */
const NAME = 'command77';
const PID = String(USUAL_PID);

/** Every question that reads a recording, in its ordinary forms. */
const QUESTIONS: readonly string[][] = [
  ['who-killed', NAME],
  ['why-exit', PID],
  ['killed-by', PID],
  ['killed-by', NAME],
  ['signals', '--target', PID],
  ['signals', '--sender', NAME],
  ['signals', '--signal', 'KILL', '--limit', '100'],
  ['execs', '--binary', NAME, '--limit', '100'],
  ['execs', '--parent', NAME, '--limit', '100'],
  ['exits', '--signal', 'KILL', '--limit', '100'],
  ['parents', NAME],
  ['ancestry', PID],
  ['tree', PID],
  ['timeline', PID],
  ['oom'],
  ['top'],
  ['top', '--by', 'binary'],
  ['tail'],
  ['coverage'],
  ['report', PID, '-o', '-'],
  ['export', PID, '--format', 'perfetto', '-o', '-'],
];

export async function measureAnswers(scene: Scene, { quick, rounds, say }: Plan): Promise<Result[]> {
  const signals = quick ? 500_000 : 10_000_000;
  const db = join(scene.subdirectory(), 'big.db');
  say(`answers: writing ${signals.toLocaleString('en-US')} signals`);
  writeBig(db, signals);
  const bytes = statSync(db).size;
  const snoopq = (...words: string[]) => time(process.execPath, SNOOPQ, ...words, '--db', db);
  const ask = (words: readonly string[]) =>
    words.includes('-o') ? snoopq(...words) : snoopq(...words, '--json');
  const killer = (pid: number) => ask(['who-killed', String(pid)]);
  const subjects: Record<string, () => number> = {
    node: () => time(process.execPath, '-e', '0'),
    usual: () => killer(USUAL_PID),
    hot: () => killer(HOT_PID),
    cold: () => {
      runCommand(program('forget'), db);
      const ms = killer(USUAL_PID);
      spawnSync('cat', [db], { stdio: 'ignore' }); // in memory again, for those that come after it
      return ms;
    },
    sqlite3: () => time('sqlite3', db, `SELECT * FROM kills WHERE pid = ${USUAL_PID}`),
    ...Object.fromEntries(QUESTIONS.map(words => [words.join(' '), () => ask(words)])),
  };
  for (const pid of [USUAL_PID, HOT_PID]) {
    const told = runCommand(process.execPath, SNOOPQ, 'who-killed', String(pid), '--json', '--db', db).stdout;
    const { confidence } = JSON.parse(told) as { confidence: string };
    if (confidence !== 'proven') throw new Error(`who-killed ${pid} is not proven, but ${confidence}`);
  }
  const times = new Map(Object.keys(subjects).map(name => [name, [] as number[]]));
  const turns = quick ? rounds : rounds * 4;
  for (let round = 0; round < turns; round++) {
    say(`answers: round ${round + 1} of ${turns}`);
    for (const [name, measure] of Object.entries(subjects)) times.get(name)?.push(measure());
  }
  const of = (name: string) => times.get(name) ?? [];
  const beyondNode = (name: string) =>
    spreadOf(of(name).map((ms, round) => ms - (of('node')[round] as number)));
  const whole = 'who-killed, a whole process';
  return [
    {
      measure: whole,
      subject: 'snooprec beyond `node -e 0`',
      value: beyondNode('usual'),
      unit: 'ms',
      goal: { most: 60 },
      note: `${signals / 1e6} million signals, ${Math.round(bytes / 2 ** 20)} MiB`,
    },
    {
      measure: whole,
      subject: 'the same, file not in memory',
      value: beyondNode('cold'),
      unit: 'ms',
      goal: { most: 60 },
    },
    {
      measure: whole,
      subject: 'the same, a tenth of all signals went to it',
      value: beyondNode('hot'),
      unit: 'ms',
      goal: { most: 60 },
    },
    { measure: whole, subject: '`node -e 0`', value: spreadOf(of('node')), unit: 'ms' },
    { measure: whole, subject: 'sqlite3, SELECT * FROM kills', value: spreadOf(of('sqlite3')), unit: 'ms' },
    ...QUESTIONS.map(
      (words): Result => ({
        measure: `snoopq ${words.join(' ').replace(PID, 'PID').replace(NAME, 'NAME')}`,
        subject: 'snooprec, whole process',
        value: spreadOf(of(words.join(' '))),
        unit: 'ms',
        goal: { most: 150 },
      }),
    ),
  ];
}

/** Milliseconds from the start of a process to its end, which must be an answer. */
function time(file: string, ...args: string[]): number {
  const from = performance.now();
  const { status, stderr } = spawnSync(file, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  const ms = performance.now() - from;
  if (status !== 0 && status !== 1) throw new Error(`${args.join(' ')} failed: ${stderr}`);
  return ms;
}
