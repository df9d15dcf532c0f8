/** Every question in every format about the fixture, as kept in test/goldens. UPDATE_GOLDENS=1 rewrites them. */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { PACKAGE_ROOT } from '../../migrations/database.js';
import { questions } from '../../query/queries/index.js';
import { PID, writeFixture } from './fixture.js';
import { ask } from './io.js';

process.env.TZ = 'UTC';
const DB = join(mkdtempSync(join(tmpdir(), 'snoopq-')), 'fixture.db');
writeFixture(DB);

/** What is asked of each question; the name of a file, and the words. */
const ASKED: Record<string, string[]> = {
  ...Object.fromEntries(
    Object.entries(PID)
      .filter(([story]) => !['systemd', 'sshd', 'bash'].includes(story))
      .map(([story, pid]) => [`who-killed-${story}`, ['who-killed', String(pid)]]),
  ),
  'who-killed-never': ['who-killed', '9'],
  'who-killed-all': ['who-killed', String(PID.reused), '--all'],
  'who-killed-at': ['who-killed', String(PID.reused), '--at', '2026-11-21 14:05:12'],
  'who-killed-name': ['who-killed', 'sleep', '--all'],
  signals: ['signals'],
  'signals-refused': ['signals', '--refused'],
  'signals-target': ['signals', '--target', String(PID.sleep), '--signal', 'KILL'],
  'signals-none': ['signals', '--sender', 'nobody'],
  execs: ['execs'],
  'execs-failed': ['execs', '--failed', '--utc'],
  'execs-binary': ['execs', '--binary', 'sleep'],
  'execs-args': ['execs', '--args', '*-j*', '--parent', 'bash'],
  exits: ['exits', '--limit', '5'],
  'exits-status': ['exits', '--status', '137'],
  'exits-reverse': ['exits', '--core', '--reverse'],
  parents: ['parents', 'sleep'],
  ancestry: ['ancestry', String(PID.wrapped)],
  coverage: ['coverage'],
  schema: ['schema', 'coverages'],
  sql: ['sql', 'SELECT signal, count(*) AS n FROM signals GROUP BY signal ORDER BY n DESC, signal LIMIT 3'],
};

const FORMATS = ['table', 'plain', 'json', 'ndjson', 'csv', 'tsv'] as const;

for (const [name, words] of Object.entries(ASKED)) {
  test(`golden ${name}`, async () => {
    const formats = /^who-killed-(?!sleep|hostile|never|all|wrapper)/.test(name)
      ? (['plain', 'json'] as const)
      : FORMATS;
    const parts: string[] = [];
    for (const format of formats) {
      const argv = format === 'table' ? words : [...words, `--${format}`];
      const said = await ask(DB, argv, { isTerminal: format === 'table' });
      parts.push(
        `$ snoopq ${argv.join(' ')}${format === 'table' ? '  # on a terminal' : ''}\n${said.out}${said.err.replace(/^/gm, '2> ').replace(/2> $/, '')}=> ${said.status}\n`,
      );
    }
    compare(name, parts.join('\n'));
  });
}

test('golden help', async () => {
  const pages = [[], ['--help'], ...questions.map(question => ['help', question.name])];
  const said = await Promise.all(
    pages.map(async words => `$ snoopq ${words.join(' ')}\n${(await ask('', words)).out}`),
  );
  compare('help', said.join('\n'));
});

test('every question has a golden', () => {
  const asked = new Set(Object.values(ASKED).map(words => words[0]));
  assert.deepEqual(
    questions.map(question => question.name).filter(name => !asked.has(name)),
    [],
  );
});

test('the view kills and who-killed agree', async () => {
  const kills = JSON.parse((await ask(DB, ['sql', 'SELECT * FROM kills', '--json'])).out);
  assert.ok(kills.length > 10);
  for (const kill of kills) {
    const words = ['who-killed', String(kill.pid), '--json', '--at', kill.time];
    const verdict = JSON.parse((await ask(DB, words)).out);
    assert.deepEqual(
      [verdict.killer?.pid ?? null, verdict.mechanism, verdict.confidence, verdict.signal.name],
      [kill.killer_pid, kill.mechanism, kill.confidence, kill.signal],
      kill.comm,
    );
  }
});

function compare(name: string, text: string): void {
  const file = join(PACKAGE_ROOT, 'test', 'goldens', `${name}.txt`);
  if (process.env.UPDATE_GOLDENS) writeFileSync(file, text);
  assert.equal(text, readFileSync(file, 'utf8'));
}
