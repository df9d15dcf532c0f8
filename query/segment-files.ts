/** The files of a recording as the queries open them. */

import { existsSync, statSync } from 'node:fs';
import { keptName, sealedNames } from '../migrations/segment-names.js';

/** One file of a recording. */
export interface SegmentFile {
  path: string;
  /** Start of the segment in microseconds, as its name says; null: the name does not say. */
  from: number | null;
  isKept: boolean;
}

/** The sealed segments of the recording at `path`, oldest first; what was kept of dropped ones counts as the oldest. */
export function sealedFiles(path: string): SegmentFile[] {
  const kept = keptName(path);
  return [
    ...(existsSync(kept) ? [{ path: kept, from: null, isKept: true }] : []),
    ...sealedNames(path).map(sealed => ({ ...sealed, isKept: false })),
  ];
}

/** Tells files apart that change their names. null: there is no such file, or none that this user may know of. */
export function fileIdentity(path: string): string | null {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat === undefined ? null : `${stat.dev}:${stat.ino}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return null; // opening it says so
    throw error;
  }
}
