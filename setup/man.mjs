// Writes the manual pages snoopq.1, snooprec.db.5 and snooprec.8 into dist/man, from the built programs. The build calls it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { databaseManual, snoopqManual, snooprecManual } from '../dist/query/manual.js';
import { questions } from '../dist/query/queries/index.js';
import { documentedColumns } from '../dist/query/queries/schema.js';

const ROOT = join(import.meta.dirname, '..');
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

/** The pages by the names of their files. */
export function manuals() {
  const views = readFileSync(join(ROOT, 'migrations', 'views.sql'), 'utf8');
  return {
    'snoopq.1': snoopqManual(questions, version),
    'snooprec.db.5': databaseManual(documentedColumns(views), version),
    'snooprec.8': snooprecManual(helpPages(), version),
  };
}

function helpPages() {
  const help = (...words) =>
    spawnSync(process.execPath, [join(ROOT, 'dist', 'recorder', 'main.js'), ...words], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, COLUMNS: '80' },
    }).stdout;
  const all = help('--help');
  const commands = [...all.slice(all.indexOf('Commands:')).matchAll(/^ {2}([a-z][a-z-]*)/gm)].map(
    match => match[1],
  );
  return [
    { name: 'snooprec', help: all },
    ...commands.filter(name => name !== 'help').map(name => ({ name, help: help('help', name) })),
  ];
}

if (process.argv[1] === import.meta.filename) {
  mkdirSync(join(ROOT, 'dist', 'man'), { recursive: true });
  for (const [name, text] of Object.entries(manuals())) writeFileSync(join(ROOT, 'dist', 'man', name), text);
}
