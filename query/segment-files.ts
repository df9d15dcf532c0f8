/**
 * The files of a recording, by their names: the live one is NAME.db, sealed ones lie beside it as NAME-<from>.db with
 * <from> the start of the segment, and NAME-kept.db holds the violent deaths of segments that were dropped. Files that
 * were set aside end in ~ and are never looked at.
 */

import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** One file of a recording. */
export interface SegmentFile {
  path: string;
  /** Start of the segment in microseconds, as its name says; null: the name does not say. */
  from: number | null;
  isKept: boolean;
}

const FROM = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z$/;

/** The sealed segments of the recording at `path`, oldest first; what was kept of dropped ones counts as the oldest. */
export function sealedFiles(path: string): SegmentFile[] {
  if (!path.endsWith('.db')) return [];
  const stem = `${basename(path, '.db')}-`;
  const names = namesIn(dirname(path)).filter(name => name.startsWith(stem) && name.endsWith('.db'));
  const kept: SegmentFile[] = [];
  const sealed: SegmentFile[] = [];
  for (const name of names.sort()) {
    const part = name.slice(stem.length, -'.db'.length);
    const file = join(dirname(path), name);
    if (part === 'kept') kept.push({ path: file, from: null, isKept: true });
    else if (FROM.test(part)) sealed.push({ path: file, from: timeOf(part), isKept: false });
  }
  return [...kept, ...sealed];
}

/** Tells files apart that change their names. null: there is no such file. */
export function fileIdentity(path: string): string | null {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? null : `${stat.dev}:${stat.ino}`;
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // one may be allowed to read a file and not to list its directory
  }
}

function timeOf(name: string): number {
  return Date.parse(name.replace(FROM, '$1-$2-$3T$4:$5:$6.$7Z')) * 1000;
}
