/** The recorder's own words, on stderr: one line each, and of one kind at most one a minute. */

import { writeSync } from 'node:fs';

const STDERR = 2;
const QUIET_MS = 60_000;
const lastSaid = new Map<string, number>();

/** Says `text`, unless something of the same kind was said within the last minute. */
export function log(kind: string, text: string): void {
  const now = Date.now();
  if (now - (lastSaid.get(kind) ?? -QUIET_MS) < QUIET_MS) return;
  lastSaid.set(kind, now);
  try {
    writeSync(STDERR, `${new Date(now).toISOString()} snooprec: ${text}\n`);
  } catch {} // a full or failing disk: process.stderr would throw that later, where nobody catches it
}
