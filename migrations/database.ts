/** What makes a file a snooprec database: the facts that the recorder, which writes, and the queries share. */

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** `PRAGMA application_id`: "snpr". A file with another one is not ours, and is never written to. */
export const APPLICATION_ID = 0x736e7072;

/** Where the recorder writes unless `--db` or SNOOPREC_DB say otherwise. */
export const DEFAULT_DATABASE = '/var/lib/snooprec/snooprec.db';

/** Directory of package.json: below it lie the migrations and the compiled probes, built or installed. */
export const PACKAGE_ROOT = findPackageRoot(dirname(fileURLToPath(import.meta.url)));

function findPackageRoot(from: string): string {
  for (let dir = from; dir !== dirname(dir); dir = dirname(dir)) {
    if (existsSync(join(dir, 'migrations', 'views.sql'))) return dir;
  }
  throw new Error(`no migrations found above ${from}: the installation is incomplete`);
}

/** The database to use: the option, else SNOOPREC_DB, else the default. */
export function databasePath(option: string | undefined): string {
  return option ?? (process.env['SNOOPREC_DB'] || DEFAULT_DATABASE);
}
