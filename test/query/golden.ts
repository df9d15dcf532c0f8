/** A golden: a text that is kept and read. UPDATE_GOLDENS=1 rewrites it. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../migrations/database.js';

/** Fails where `text` is not what is kept as `name`. */
export function compareGolden(name: string, text: string): void {
  const file = join(PACKAGE_ROOT, 'test', 'goldens', `${name}.txt`);
  if (process.env.UPDATE_GOLDENS) writeFileSync(file, text);
  assert.equal(text, readFileSync(file, 'utf8'));
}
