/**
 * Tells what is new for as long as it is wanted. At rest it asks for the times of two files ten times a second, and has none of
 * them open: an open file would keep the recorder from leaving a plain one behind.
 */

import { statSync } from 'node:fs';
import { setImmediate as breath, setTimeout as sleep } from 'node:timers/promises';
import type Database from 'better-sqlite3';
import { type Cursor, readCursor, writeCursor } from './cursor.js';
import type { Happening } from './happenings.js';
import type { Io } from './io.js';
import { isForeign, newest, newsBetween, presentOf } from './news.js';
import type { Parameters } from './query.js';
import { fileIdentity } from './segment-files.js';
import { openRecording } from './segments.js';

/** The recorder stores four times a second; both together stay below 400 ms. */
const POLL_MS = 100;
/** Times of files move in ticks of the kernel: what was written just now may be followed by more at the same time. */
const TICK_MS = 20;
const AT_ONCE = 500;

export interface Following {
  path: string;
  parameters: Parameters;
  /** Rows before the first new one; 0: all. */
  before: number;
  cursorFile: string | null;
  io: Io;
  /** Writes one line. */
  tell: (happening: Happening) => void;
  /** Ends it. */
  signal: AbortSignal;
}

/** Follows the recording until it is aborted. */
export async function follow({
  path,
  parameters,
  before,
  cursorFile,
  io,
  tell,
  signal,
}: Following): Promise<void> {
  // Ctrl-C ends it at once anywhere else, also inside SQLite; between the lines and the cursor it would tell them twice.
  const save = async (cursor: Cursor): Promise<void> => {
    const both = (): void => {
      io.flush?.();
      if (cursorFile !== null) writeCursor(cursorFile, cursor);
    };
    if (cursorFile === null || io.undisturbed === undefined) both();
    else await io.undisturbed(both);
  };
  const drain = async (db: Database.Database, from: Cursor): Promise<Cursor> => {
    const to = presentOf(db, from);
    let told = 0;
    for (const happening of newsBetween(db, from, to, parameters)) {
      tell(happening);
      if (++told % AT_ONCE === 0) {
        io.flush?.();
        await breath();
        if (signal.aborted) return from;
      }
    }
    if (told > 0) await save(to);
    return to;
  };

  let cursor = cursorFile === null ? undefined : readCursor(cursorFile);
  while (!signal.aborted) {
    // All segments once: since the cursor was written, or the live one was sealed, there may have been several.
    const identity = fileIdentity(path);
    let seen = stateOf(path);
    const all = openRecording(path);
    try {
      const present = presentOf(all.db);
      if (cursor !== undefined && isForeign(cursor, present)) {
        io.err('snoopq: warning: the cursor is of another recording: beginning with the newest\n');
        cursor = undefined;
      }
      if (cursor === undefined) {
        for (const happening of newest(all.db, present, parameters, before)) tell(happening);
        cursor = present;
        await save(cursor);
      } else cursor = await drain(all.db, cursor);
    } finally {
      all.db.close();
    }
    while (!signal.aborted && fileIdentity(path) === identity) {
      const state = stateOf(path);
      if (state.text !== seen.text || Date.now() - state.newest < TICK_MS) {
        seen = state;
        const live = openRecording(path, { isAlone: true });
        try {
          // Sealed between the two looks: what the other file has yet to tell comes first.
          if (fileIdentity(path) === identity) cursor = await drain(live.db, cursor);
        } finally {
          live.db.close();
        }
      }
      await sleep(POLL_MS, undefined, { signal }).catch(() => {});
    }
    while (!signal.aborted && fileIdentity(path) === null)
      await sleep(POLL_MS, undefined, { signal }).catch(() => {});
  }
}

/** Sizes and times of the live file and its log: another text where anything was written. */
function stateOf(path: string): { text: string; newest: number } {
  const stats = [path, `${path}-wal`].map(file => statSync(file, { throwIfNoEntry: false }));
  return {
    text: stats.map(stat => `${stat?.mtimeMs} ${stat?.size}`).join(' '),
    newest: Math.max(...stats.map(stat => stat?.mtimeMs ?? 0)),
  };
}
