/** The manual pages: complete, and such that mandoc reads them without a complaint. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { PACKAGE_ROOT } from '../../migrations/database.js';
import { viewsSql } from '../../migrations/migrate.js';
import { questions } from '../../query/queries/index.js';
import { documentedColumns } from '../../query/queries/schema.js';

const { manuals } = (await import(pathToFileURL(join(PACKAGE_ROOT, 'setup', 'man.mjs')).href)) as {
  manuals: () => Record<string, string>;
};
const pages = manuals();
const has = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

for (const [name, text] of Object.entries(pages)) {
  test(`mandoc finds nothing wrong with ${name}`, {
    skip: has('mandoc') ? false : 'there is no mandoc',
  }, () => {
    const { stdout, stderr } = spawnSync('mandoc', ['-Tlint'], { encoding: 'utf8', input: text });
    assert.equal(stdout + stderr, '');
  });
}

test('every question and option is in snoopq(1), every view and column in snooprec.db(5)', () => {
  const read = (text: string): string => text.replaceAll('\\-', '-').replaceAll('\\(aq', "'");
  const manual = read(pages['snoopq.1'] ?? '');
  for (const { name, options } of questions) {
    assert.match(manual, new RegExp(`^\\.SS ${name}\\b`, 'm'));
    for (const { flags } of options) assert.ok(manual.includes(`.B ${flags}\n`), `${name} ${flags}`);
  }
  const database = read(pages['snooprec.db.5'] ?? '');
  for (const { view, column } of documentedColumns(viewsSql()))
    assert.ok(database.includes(column === null ? `.SS ${view}\n` : `.B ${column}\n`), `${view} ${column}`);
});
