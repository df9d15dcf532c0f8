/** What the README shows can be typed: every command that it names is there, with its options. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PACKAGE_ROOT } from '../../migrations/database.js';
import { buildProgram } from '../../query/cli.js';
import { processIo } from '../../query/io.js';
import { writeFixture } from './fixture.js';
import { ask } from './io.js';
import { scratchDirectory } from './scratch.js';

const COOKBOOK = readFileSync(join(PACKAGE_ROOT, 'docs', 'cookbook.md'), 'utf8');
const README = readFileSync(join(PACKAGE_ROOT, 'README.md'), 'utf8');

test('every snoopq command of the README is a question with these options', () => {
  const program = buildProgram(processIo(), () => {});
  const commands = [...README.matchAll(/(?:`| {4}|\$ )(?:sudo )?snoopq ([a-z][a-z-]*)([^`\n]*)/g)];
  assert.ok(commands.length > 12, `${commands.length} found`);
  for (const [line, name = '', rest = ''] of commands) {
    const command = program.commands.find(known => known.name() === name);
    if (name === 'help') continue;
    assert.ok(command !== undefined, line);
    for (const [option] of rest.matchAll(/(?<=\s)--?[a-z][a-z-]*/g)) {
      const known = [...command.options, ...program.options].some(({ long, short }) =>
        [long, short].includes(option),
      );
      assert.ok(known, `${option} of ${line}`);
    }
  }
});

test('the five answers of the README stand between their markers, and name no path of the machine they were made on', () => {
  const blocks = ['answer', 'answers'].map(
    marker => README.match(new RegExp(`<!-- ${marker} -->([\\s\\S]*?)<!-- /${marker} -->`))?.[1] ?? '',
  );
  const asked = blocks.join('').match(/\$ sudo snoopq (who-killed|why-exit) \d+/g) ?? [];
  assert.equal(asked.length, 5);
  assert.doesNotMatch(blocks.join(''), /\/tmp|\/home|\/root|snooprec-answers/);
  assert.match(blocks[1] ?? '', /had sent it SIGTERM .* before/s);
  assert.match(blocks[1] ?? '', /The kernel killed .* because memory cgroup/s);
  assert.match(blocks[1] ?? '', /PR_SET_PDEATHSIG.*What led to it/s);
  assert.match(blocks[1] ?? '', /was not killed: it exited 137/);
});

test('every question of the cookbook is answered, or finds nothing, on a recording', async () => {
  const directory = scratchDirectory();
  const db = join(directory, 'cookbook.db');
  writeFixture(db);
  const commands = [...COOKBOOK.matchAll(/^ {4}snoopq (.+)$/gm)].map(([, line = '']) => line);
  assert.ok(commands.length >= 30, `${commands.length} found`);
  for (const line of commands) {
    if (/^tail -f|^report|^export/.test(line)) continue; // endless, or of files: they have tests of their own
    const words = [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? '');
    const { status, err } = await ask(db, words);
    assert.ok([0, 1, 4].includes(status), `${line}: ${status} ${err}`);
  }
});
