/** Directories for the files of a test. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new directory that goes when this process ends. */
export function scratchDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'snoopq-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
