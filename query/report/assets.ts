/** The script and the style of a report, which the build puts beside the commands. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../migrations/database.js';
import { version } from '../version.js';

/** They stand inside <script> and <style>, so neither may hold an end of these. */
export function readAssets(): { script: string; style: string; version: string } {
  const read = (name: string): string => readFileSync(join(PACKAGE_ROOT, 'dist', 'bin', name), 'utf8').trim();
  return { script: read('report.js'), style: read('report.css'), version: version() };
}
