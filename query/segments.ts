/**
 * A recording is one live file and sealed ones beside it, each of which can be read alone. They are attached to one
 * connection and asked as one; a file that cannot be read is named, and what it would have told counts as not recorded.
 */

import { statSync } from 'node:fs';
import type Database from 'better-sqlite3';
import { SnoopError } from '../migrations/errors.js';
import { GROWING } from '../migrations/tables.js';
import { attachFile, databaseError, isCurrent, isDamage, openFile, useOwnViews } from './db.js';
import type { Window } from './query.js';
import { fileIdentity, type SegmentFile, sealedFiles } from './segment-files.js';
import { shapeOf } from './shape.js';
import { type Hole, joinSegments, type Segment } from './union.js';

/** SQLITE_MAX_ATTACHED as better-sqlite3 is built. */
const MOST_ATTACHED = 10;
const MOST_TRIES = 5;
const RETRY_MS = 20;
/** A segment begins a little before its first recording: the probes come between. */
const START_US = 1_000_000;

const NONE: ReadonlyMap<string, string> = new Map();
const OPEN: Window = { from: null, to: null };

/** A recording that was opened to be asked. */
export interface Recording {
  db: Database.Database;
  /** What was not read, a line for each. */
  warnings: string[];
  /** Reads all sealed segments through, and tells what is wrong with those that are damaged. */
  findDamaged(): Map<string, string>;
}

/** A segment that is there and was not read. */
interface Skipped {
  file: SegmentFile;
  why: string;
}

class Unreadable extends Error {
  /** By path: why. */
  readonly files: Map<string, string>;

  constructor(files: Map<string, string>) {
    super('unreadable');
    this.files = files;
  }
}

/** What the caller knows of the question and the files. */
export interface Reading {
  /** Events outside of this span are not asked for. */
  window?: Window;
  /** Files that are known to be unreadable, and why. */
  damaged?: ReadonlyMap<string, string>;
  /** Only the newest segment: for one who has read the others, all that is new has ids above theirs. */
  isAlone?: boolean;
}

/** The recording at `path`, read-only; SnoopError 'database' where there is none. */
export function openRecording(path: string, reading: Reading = {}): Recording {
  for (let tries = 1; ; tries++) {
    const before = fileIdentity(path);
    const isLast = tries === MOST_TRIES;
    // While the recorder goes on in a new segment there is no live one for a moment.
    if (before === null && !isLast && sealedFiles(path).length > 0) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
      continue;
    }
    const recording = openFiles(path, reading);
    // Had it done so meanwhile, the files that were found would not be those of one moment.
    if (isLast || fileIdentity(path) === before) return recording;
    recording.db.close();
  }
}

function openFiles(path: string, { window = OPEN, damaged = NONE, isAlone = false }: Reading): Recording {
  const skipped: Skipped[] = [];
  const { db, file: main } = openNewest(path, skipped);
  const segments: Segment[] = [];
  try {
    const files = isAlone ? [] : besides(path, main, skipped);
    for (const [i, file] of files.slice(-MOST_ATTACHED).entries()) {
      const why = damaged.get(file.path);
      if (why === undefined) segments.push(attach(db, file, `s${i}`));
      else skipped.push({ file, why });
    }
    // The clock may have been set back, and the names with it; ids only grow.
    segments.sort((a, b) => Number(b.isKept) - Number(a.isKept) || a.firstIds - b.firstIds);
    segments.push(describe(db, main, 'main'));
    const holes = () => holesOf(db, segments, skipped);
    if (segments.length > 1 || !isCurrent(db) || holes().length > 0)
      joinSegments(db, segments, holes, window);
    else useOwnViews(db);
    db.pragma('query_only = ON');
    const warnings = skipped.map(({ why }) => `segment skipped: ${why}`);
    const tooMany = files.length - MOST_ATTACHED;
    if (tooMany > 0) warnings.push(`the ${tooMany} oldest segments were not read: there are too many`);
    return { db, warnings, findDamaged: () => findDamaged(db, segments) };
  } catch (error) {
    // A damaged file that is attached fails every statement, so all is opened anew without it.
    const found =
      error instanceof Unreadable ? error.files : isDamage(error) ? findDamaged(db, segments) : NONE;
    db.close();
    if (found.size > 0) return openFiles(path, { window, damaged: new Map([...damaged, ...found]) });
    throw databaseError(path, error);
  }
}

/** Opens the live segment, or where there is none that can be read the newest sealed one. */
function openNewest(path: string, skipped: Skipped[]): { db: Database.Database; file: SegmentFile } {
  const live = { path, from: null, isKept: false };
  const candidates = [
    live,
    ...sealedFiles(path)
      .filter(({ isKept }) => !isKept)
      .toReversed(),
  ];
  let first: unknown;
  for (const file of candidates) {
    try {
      return { db: openFile(file.path), file };
    } catch (error) {
      first ??= error;
      if (!(error instanceof SnoopError)) throw error;
      skipped.push({ file, why: file === live ? whyNotLive(error) : error.message });
    }
  }
  throw first;
}

/** Members of the recorder's group may read the sealed ones only: recorder/group.ts. */
function whyNotLive(error: SnoopError): string {
  const isClosed = (error.cause as NodeJS.ErrnoException | undefined)?.code === 'EACCES';
  return isClosed
    ? `${error.message}, for it is not sealed yet: what is newer can only be asked by root`
    : error.message;
}

/** The other files of the recording, oldest first; what was kept counts as newer than sealed ones that are too many. */
function besides(path: string, main: SegmentFile, skipped: readonly Skipped[]): SegmentFile[] {
  const known = new Set([main, ...skipped.map(({ file }) => file)].map(file => file.path));
  const mainIdentity = fileIdentity(main.path);
  const files = sealedFiles(path).filter(
    file => !known.has(file.path) && fileIdentity(file.path) !== mainIdentity,
  );
  return [...files.filter(({ isKept }) => !isKept), ...files.filter(({ isKept }) => isKept)];
}

function attach(db: Database.Database, file: SegmentFile, schema: string): Segment {
  try {
    attachFile(db, file.path, schema);
    return describe(db, file, schema);
  } catch (error) {
    const failure = databaseError(file.path, error);
    throw failure instanceof SnoopError ? new Unreadable(new Map([[file.path, failure.message]])) : failure;
  }
}

function describe(db: Database.Database, { path, from, isKept }: SegmentFile, schema: string): Segment {
  const table = shapeOf(db, schema);
  const maxima = GROWING.map(name => `(SELECT max(id) FROM ${table(name)}) AS ${name}`);
  return {
    schema,
    path,
    from: from ?? (isKept ? null : beginning(db, schema)),
    isKept,
    firstIds: db.prepare(`SELECT coalesce(sum(id), 0) FROM ${schema}.first_id`).pluck().get() as number,
    lastIds: db.prepare(`SELECT ${maxima.join(', ')}`).get() as Record<string, number>,
    table,
  };
}

function beginning(db: Database.Database, schema: string): number | null {
  const from = db.prepare(`SELECT value FROM ${schema}.meta WHERE key = 'from'`).pluck().get();
  return from === undefined ? null : Number(from);
}

/** What cannot be in the answers: segments that are gone, and those that were skipped. */
function holesOf(db: Database.Database, segments: readonly Segment[], skipped: readonly Skipped[]): Hole[] {
  const { first, last } = db
    .prepare('SELECT min(started) AS first, max(coalesce(ended, updated)) AS last FROM recording')
    .get() as { first: number | null; last: number | null };
  if (first === null || last === null) return [];
  const starts = [...segments, ...skipped.map(({ file }) => file)]
    .filter(({ isKept, from }) => !isKept && from !== null)
    .map(({ from }) => from as number)
    .sort((a, b) => a - b);
  const holes: Hole[] = [];
  const [oldest = first] = starts;
  if (first < oldest - START_US)
    holes.push({ from: first, to: oldest, kind: 'dropped', cause: 'older segments are gone' });
  for (const { file, why } of skipped) {
    if (file.isKept) continue;
    const from = file.from ?? last;
    const to = file.from === null ? changed(file.path) : (starts.find(start => start > from) ?? last);
    if (to > from) holes.push({ from, to, kind: 'shed', cause: `this segment cannot be read: ${why}` });
  }
  return holes;
}

/** When a file was last written, microseconds; 0: there is none. */
function changed(path: string): number {
  return Math.round((statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) * 1000);
}

function findDamaged(db: Database.Database, segments: readonly Segment[]): Map<string, string> {
  const damaged = new Map<string, string>();
  for (const { path, schema } of segments) {
    if (schema === 'main') continue;
    try {
      const found = db.pragma(`${schema}.quick_check(1)`, { simple: true });
      if (found !== 'ok') damaged.set(path, `${path} is damaged: ${found}`);
    } catch (error) {
      if (!isDamage(error)) throw error;
      damaged.set(path, `${path} is damaged: ${(error as Error).message}`);
    }
  }
  return damaged;
}
