/** Asks damaged copies of a database, in a process of its own: a crash of SQLite or Node would end that, and be seen. */

import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ask } from '../query/io.js';

const QUESTIONS = [
  ['who-killed', 'sleep', '--all', '--json'],
  ['signals', '--csv'],
  ['execs', '--ndjson'],
  ['exits', '--plain'],
  ['coverage', '--json'],
  ['ancestry', 'sleep'],
  ['sql', 'SELECT * FROM processes', '--json'],
];
/** So long one damaged copy may take for all questions together. */
const MOST_MS = 60_000;

export interface Flipped {
  /** Seeds of the copies at which the process died, threw or took too long, and how. */
  crashed: string[];
  /** How often each exit status was given. */
  statuses: Record<string, number>;
}

/** Flips a few bits in each of `count` copies of the database and asks it one question in turn. */
export async function flipBits(db: string, count: number, seed: number): Promise<Flipped> {
  const all: Flipped = { crashed: [], statuses: {} };
  for (let from = seed; from < seed + count; ) {
    const child = spawn(
      process.execPath,
      [fileURLToPath(import.meta.url), db, String(from), String(seed + count)],
      {
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    let said = '';
    let timer = setTimeout(() => child.kill('SIGKILL'), MOST_MS);
    child.stdout.on('data', chunk => {
      said += String(chunk);
      clearTimeout(timer);
      timer = setTimeout(() => child.kill('SIGKILL'), MOST_MS);
    });
    const end = await new Promise<string>(done =>
      child.once('close', (code, signal) => done(String(signal ?? code))),
    );
    clearTimeout(timer);
    const lines = said.trimEnd().split('\n').filter(Boolean);
    for (const line of lines) {
      const [at = '', status = ''] = line.split(' ');
      if (status === 'threw') all.crashed.push(line);
      else all.statuses[status] = (all.statuses[status] ?? 0) + 1;
      from = Number(at) + 1;
    }
    if (end === '0') break;
    all.crashed.push(`${from} ${end}`);
    from++;
  }
  return all;
}

/** Numbers between 0 and 1 that are the same for the same seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function child(db: string, from: number, to: number): Promise<void> {
  const image = readFileSync(db);
  const copy = join(dirname(db), 'flipped.db');
  for (let seed = from; seed < to; seed++) {
    const next = random(seed);
    const damaged = Buffer.from(image);
    for (let flips = 1 + Math.floor(next() * 8); flips > 0; flips--) {
      // Half of them in the first pages, where the schema lies.
      const range = next() < 0.5 ? Math.min(16_384, damaged.length) : damaged.length;
      const at = Math.floor(next() * range);
      damaged[at] = (damaged[at] as number) ^ (1 << Math.floor(next() * 8));
    }
    writeFileSync(copy, damaged);
    let said: string;
    try {
      said = String((await ask(copy, QUESTIONS[seed % QUESTIONS.length] as string[])).status);
    } catch (error) {
      said = `threw ${(error as Error).stack?.replace(/\s+/g, ' ').slice(0, 300)}`;
    }
    process.stdout.write(`${seed} ${said}\n`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , db = '', from, to] = process.argv;
  await child(db, Number(from), Number(to));
}
