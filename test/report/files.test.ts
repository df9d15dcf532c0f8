/** Files that snoopq makes: for the caller alone, whole or not at all, and never over something that is there. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeNewDirectory, writeNewFile } from '../../query/new-file.js';
import { PID, writeFixture } from '../query/fixture.js';
import { ask } from '../query/io.js';
import { scratchDirectory } from '../query/scratch.js';

process.env['TZ'] = 'UTC';
const DIR = scratchDirectory();
const DB = join(DIR, 'fixture.db');
writeFixture(DB);
const REPORT = ['report', String(PID.sleep)];

function fresh(name: string): string {
  const directory = join(DIR, name);
  mkdirSync(directory);
  return directory;
}

test('a new file is closed to others whatever the umask, and nothing else is left beside it', () => {
  const directory = fresh('modes');
  const before = process.umask(0);
  try {
    assert.equal(
      writeNewFile(join(directory, 'a'), write => write('héllo')),
      6,
    );
  } finally {
    process.umask(before);
  }
  assert.equal(statSync(join(directory, 'a')).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(directory), ['a']);
});

test('while it is written there is nothing under its name, and its part is closed to others too', () => {
  const directory = fresh('whole');
  writeNewFile(join(directory, 'a'), write => {
    write('x'.repeat(200_000));
    assert.equal(existsSync(join(directory, 'a')), false);
    const [part = ''] = readdirSync(directory);
    assert.equal(statSync(join(directory, part)).mode & 0o777, 0o600);
  });
  assert.equal(readFileSync(join(directory, 'a'), 'utf8').length, 200_000);
});

test('when filling it fails, nothing is left', () => {
  const directory = fresh('failing');
  assert.throws(
    () =>
      writeNewFile(join(directory, 'a'), write => {
        write('half');
        throw new Error('no more');
      }),
    /no more/,
  );
  assert.throws(
    () =>
      writeNewDirectory(join(directory, 'd'), part => {
        writeFileSync(join(part, 'x'), 'half');
        throw new Error('no more');
      }),
    /no more/,
  );
  assert.deepEqual(readdirSync(directory), []);
});

test('what is there is never written over: files, directories, and links to anything', async () => {
  const directory = fresh('taken');
  const victim = join(directory, 'victim');
  writeFileSync(victim, 'precious');
  symlinkSync(victim, join(directory, 'link'));
  symlinkSync(join(directory, 'nowhere'), join(directory, 'dangling'));
  mkdirSync(join(directory, 'dir'));
  for (const name of ['victim', 'link', 'dangling', 'dir']) {
    const said = await ask(DB, [...REPORT, '-o', join(directory, name)]);
    assert.equal(said.status, 2, name);
    assert.match(said.err, /^snoopq: .* is there already\nhint: /);
    const asCase = await ask(DB, ['export', '--case', String(PID.sleep), '-o', join(directory, name)]);
    assert.equal(asCase.status, 2, name);
  }
  assert.equal(readFileSync(victim, 'utf8'), 'precious');
  assert.equal(readlinkSync(join(directory, 'dangling')), join(directory, 'nowhere'));
  assert.equal(existsSync(join(directory, 'nowhere')), false);
  assert.deepEqual(readdirSync(directory).sort(), ['dangling', 'dir', 'link', 'victim']);
});

test('a name that is taken while the file is written is not written over either', () => {
  const directory = fresh('race');
  assert.throws(
    () =>
      writeNewFile(join(directory, 'a'), write => {
        write('mine');
        writeFileSync(join(directory, 'a'), 'theirs');
      }),
    { name: 'SnoopError' },
  );
  assert.equal(readFileSync(join(directory, 'a'), 'utf8'), 'theirs');
  assert.deepEqual(readdirSync(directory), ['a']);
});

test('a directory in which anybody may exchange files is refused, a sticky one is not', async () => {
  const directory = fresh('open');
  chmodSync(directory, 0o777);
  const refused = await ask(DB, [...REPORT, '-o', join(directory, 'r.html')]);
  assert.equal(refused.status, 2);
  assert.match(refused.err, /can be written by others/);
  chmodSync(directory, 0o1777);
  assert.equal((await ask(DB, [...REPORT, '-o', join(directory, 'r.html')])).status, 0);
});

test('a directory that is not there is one line and a hint', async () => {
  const said = await ask(DB, [...REPORT, '-o', join(DIR, 'no', 'such', 'r.html')]);
  assert.equal(said.status, 2);
  assert.match(said.err, /^snoopq: cannot write [^\n]+\nhint: [^\n]+\n$/);
});

test('a pipe gets the page, a terminal a file with a name of its own', async () => {
  const piped = await ask(DB, REPORT);
  assert.match(piped.out, /^<!doctype html>/);
  assert.equal((await ask(DB, [...REPORT, '-o', '-'])).out, piped.out);
  const directory = fresh('named');
  const before = process.cwd();
  process.chdir(directory);
  try {
    const named = await ask(DB, REPORT, { isTerminal: true });
    assert.match(named.out, new RegExp(`/report-${PID.sleep}\\.html {2}\\(\\d+ KiB\\)\n$`));
    assert.equal(readFileSync(`report-${PID.sleep}.html`, 'utf8'), piped.out);
  } finally {
    process.chdir(before);
  }
});

test('a terminal is spared what no person can read', async () => {
  for (const words of [
    [...REPORT, '-o', '-'],
    ['export', String(PID.sleep), '--format', 'perfetto', '-o', '-'],
    ['export', '--format', 'ndjson', '-o', '-'],
  ]) {
    const said = await ask(DB, words, { isTerminal: true });
    assert.equal(said.status, 2, words.join(' '));
    assert.match(said.err, /is not for a terminal\nhint: name a file/);
    assert.equal(said.out, '');
  }
  const dot = await ask(DB, ['export', String(PID.sleep), '--format', 'dot'], { isTerminal: true });
  assert.match(dot.out, /^digraph/);
});

test('as another user nothing of it can be read', {
  skip: process.getuid?.() !== 0 && 'needs root',
}, async () => {
  const directory = fresh('others');
  chmodSync(DIR, 0o755);
  await ask(DB, [...REPORT, '-o', join(directory, 'r.html')]);
  await ask(DB, ['export', '--case', String(PID.sleep), '-o', join(directory, 'case')]);
  for (const path of ['r.html', 'case', 'case/case.db', 'case/report.html', 'case/SHA256SUMS']) {
    const command = `cat ${join(directory, path)} || ls ${join(directory, path)}/`;
    const { status } = spawnSync('setpriv', [
      '--reuid=65534',
      '--regid=65534',
      '--clear-groups',
      'sh',
      '-c',
      command,
    ]);
    assert.notEqual(status, 0, path);
  }
});
