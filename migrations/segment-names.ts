/**
 * The files of a recording, by their names, which the recorder gives and the queries look for:
 *
 *     snooprec.db                       the live segment
 *     snooprec-20261121T131500123Z.db   a sealed one, named after its start
 *     snooprec-kept.db                  the violent deaths of segments that were dropped
 *     snooprec.db.next                  the next live one while it is made
 *     …~                                damaged or strange, set aside and never deleted
 */

import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** A sealed segment. */
export interface SealedName {
  path: string;
  /** Its start as the name says, microseconds. */
  from: number;
}

const START = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z\.db$/;

/** Where the violent deaths of dropped segments are. */
export function keptName(live: string): string {
  return `${stemOf(live)}-kept.db`;
}

/** The next live segment while it is made. */
export function nextName(live: string): string {
  return `${live}.next`;
}

/** A free name for a sealed segment that starts at `from`, microseconds. */
export function freeSealedName(live: string, from: number): string {
  for (let ms = Math.floor(from / 1000); ; ms++) {
    const path = `${stemOf(live)}-${new Date(ms).toISOString().replace(/[-:.]/g, '')}.db`;
    if (!existsSync(path)) return path;
  }
}

/**
 * The sealed segments beside the live one, oldest first; none where the directory may not be listed.
 * @param suffix those instead that have a companion with this suffix, whether they are there or not
 */
export function sealedNames(live: string, suffix = ''): SealedName[] {
  const stem = `${basename(stemOf(live))}-`;
  return namesIn(dirname(live))
    .filter(name => name.startsWith(stem) && name.endsWith(suffix))
    .map(name => name.slice(0, name.length - suffix.length))
    .filter(name => START.test(name.slice(stem.length)))
    .sort()
    .map(name => ({ path: join(dirname(live), name), from: timeOf(name.slice(stem.length)) }));
}

function stemOf(live: string): string {
  return live.replace(/\.db$/, '');
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // one may be allowed to read a file and not to list its directory
  }
}

/** Microseconds of a name like 20261121T131500123Z.db. */
function timeOf(name: string): number {
  return Date.parse(name.replace(START, '$1-$2-$3T$4:$5:$6.$7Z')) * 1000;
}
