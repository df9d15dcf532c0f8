/** Completions, as the shells themselves give them. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { PACKAGE_ROOT } from '../../migrations/database.js';
import { complete } from '../../query/completion.js';
import { questions } from '../../query/queries/index.js';
import { openRecording } from '../../query/segments.js';
import { HOSTILE_COMM, PID, writeFixture } from './fixture.js';
import { scratchDirectory } from './scratch.js';

const DIR = scratchDirectory();
const DB = join(DIR, 'fixture.db');
writeFixture(DB);
const BIN = join(DIR, 'bin');
mkdirSync(BIN);
symlinkSync(join(PACKAGE_ROOT, 'dist', 'bin', 'snoopq.js'), join(BIN, 'snoopq'));

/** What a shell says to a script, without its own start-up files. */
function shell(program: string, args: string[], script: string): string[] {
  const { stdout, stderr } = spawnSync(program, [...args, '-c', script], {
    encoding: 'utf8',
    env: { PATH: `${BIN}:${process.env.PATH}`, SNOOPREC_DB: DB, HOME: DIR, LANG: 'C.UTF-8' },
  });
  assert.equal(stderr, '');
  return stdout.split('\n').filter(Boolean);
}

const has = (program: string): string | false =>
  spawnSync(program, ['--version']).status === 0 ? false : `there is no ${program}`;

const CASES: [line: string, includes: string[], excludes: string[]][] = [
  ['snoopq ', ['who-killed', 'tail', 'completion'], ['--since']],
  ['snoopq wh', ['who-killed'], ['tail']],
  ['snoopq signals --si', ['--signal', '--since'], ['--target']],
  ['snoopq signals --signal K', ['KILL'], ['TERM']],
  ['snoopq top --by u', ['uid', 'unit'], ['sender']],
  ['snoopq who-killed 22', [String(PID.sleep)], ['sleep']],
  ['snoopq exits --unit n', ['nginx.service'], ['app.service']],
  ['snoopq exits --since y', ['yesterday'], []],
];

test('bash completes questions, options, and words of the recording', () => {
  for (const [line, includes, excludes] of CASES) {
    const words = line.split(' ');
    const script = `source <(snoopq completion bash)
      COMP_LINE='${line}' COMP_POINT=${line.length} COMP_CWORD=${words.length - 1} COMP_WORDS=(${words.map(word => `'${word}'`).join(' ')})
      _snoopq; printf '%s\\n' "\${COMPREPLY[@]}"`;
    check(line, shell('bash', ['--norc', '--noprofile'], script), includes, excludes);
  }
});

test('fish completes the same', { skip: has('fish') }, () => {
  for (const [line, includes, excludes] of CASES) {
    const found = shell('fish', ['--no-config'], `snoopq completion fish | source; complete -C '${line}'`);
    check(
      line,
      found.map(word => word.split('\t')[0] ?? ''),
      includes,
      excludes,
    );
  }
});

test('zsh loads its script, and asks for the same words', { skip: has('zsh') }, () => {
  for (const [line, includes, excludes] of CASES) {
    const script = `compdef() { registered=$2; }; compadd() { print -l -- "\${found[@]}"; }
      source <(snoopq completion zsh); [[ $registered = snoopq ]] || exit; LBUFFER='${line}'; _snoopq`;
    check(line, shell('zsh', ['-f'], script), includes, excludes);
  }
});

function check(line: string, found: string[], includes: string[], excludes: string[]): void {
  for (const word of includes) assert.ok(found.includes(word), `'${line}' offers ${word}: ${found}`);
  for (const word of excludes) assert.ok(!found.includes(word), `'${line}' does not offer ${word}`);
}

test('every question and each of its long options is offered', () => {
  for (const { name, options } of questions) {
    assert.ok(complete('snoopq ', questions, undefined).includes(name));
    const found = complete(`snoopq ${name} --`, questions, undefined);
    for (const { flags } of options)
      assert.ok(found.includes(/--[a-z-]+/.exec(flags)?.[0] ?? ''), `${name} ${flags}`);
  }
});

test('nothing that a shell would read as more than a word is ever offered', () => {
  const { db } = openRecording(DB);
  assert.ok(complete('snoopq who-killed ', questions, db).includes('sleep'));
  assert.ok(!complete('snoopq who-killed ', questions, db).includes(HOSTILE_COMM));
  fc.assert(
    fc.property(fc.string(), text => {
      for (const word of complete(`snoopq ${text}`, questions, db))
        assert.match(word, /^[-A-Za-z0-9_@%+=:,./]+$/);
    }),
  );
  db.close();
});
