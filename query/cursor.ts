/** How far `tail` has told: ids only grow, over all segments too. Kept in a file, so that the next one goes on there. */

import { closeSync, fsyncSync, openSync, readFileSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { SnoopError } from '../migrations/errors.js';

/** All above this is new. */
export interface Cursor {
  signal: number;
  exec: number;
  process: number;
  oom_kill: number;
  /** Ends have no id: by time, and the processes whose end near it was told. */
  ended_us: number;
  ended: number[];
  /** The end of the last gap that was told. */
  gap_us: number;
}

const VERSION = 1;
const NUMBERS = ['signal', 'exec', 'process', 'oom_kill', 'ended_us', 'gap_us'] as const;

/** The cursor in a file; undefined: there is no such file yet. */
export function readCursor(path: string): Cursor | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new SnoopError('usage', `cannot read ${path}: ${(error as Error).message}`, undefined, error);
  }
  const cursor = parseCursor(text);
  if (cursor === undefined)
    throw new SnoopError('usage', `${path} is no cursor file`, 'name another file: it is written anew');
  return cursor;
}

/** Puts the cursor into a file: all of it, or what was there before. */
export function writeCursor(path: string, cursor: Cursor): void {
  const fresh = `${path}.${process.pid}~`;
  try {
    // A link at that name is not followed, and a rename puts the file in the place of one at `path`.
    const file = openSync(fresh, 'wx', 0o600);
    try {
      writeSync(file, `${JSON.stringify({ version: VERSION, ...cursor })}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(fresh, path);
  } catch (error) {
    try {
      unlinkSync(fresh);
    } catch {
      // it was never made
    }
    throw new SnoopError('usage', `cannot write ${path}: ${(error as Error).message}`, undefined, error);
  }
}

/** The cursor that a text holds, if it is one. */
export function parseCursor(text: string): Cursor | undefined {
  let value: Partial<Record<string, unknown>> | null;
  try {
    value = JSON.parse(text) as Partial<Record<string, unknown>> | null;
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || value.version !== VERSION) return undefined;
  const { ended } = value;
  if (!NUMBERS.every(name => Number.isSafeInteger(value[name]))) return undefined;
  if (!Array.isArray(ended) || !ended.every(id => Number.isSafeInteger(id))) return undefined;
  const { version: _, ...cursor } = value;
  return cursor as unknown as Cursor;
}
