/** Every question in every format about the fixture, as kept in test/goldens. UPDATE_GOLDENS=1 rewrites them. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PACKAGE_ROOT } from '../../migrations/database.js';
import { viewsSql } from '../../migrations/migrate.js';
import { questions } from '../../query/queries/index.js';
import { RANKINGS } from '../../query/queries/top.js';
import { PID, writeFixture } from './fixture.js';
import { ask } from './io.js';
import { scratchDirectory } from './scratch.js';
import { BOUNDARIES, MANY_BOUNDARIES, split } from './split.js';

process.env.TZ = 'UTC';
const DIR = scratchDirectory();
const DB = join(DIR, 'fixture.db');
writeFixture(DB);

/** The same recording, whole and in segments: the answers are the same. */
const RECORDINGS = {
  '': DB,
  ' of three segments': split(DB, join(DIR, 'three.db'), BOUNDARIES),
  ' of ten segments': split(DB, join(DIR, 'ten.db'), MANY_BOUNDARIES),
};

/** What is asked of each question; the name of a file, and the words. */
const ASKED: Record<string, string[]> = {
  ...Object.fromEntries(
    Object.entries(PID)
      .filter(([story]) => !['systemd', 'sshd', 'bash'].includes(story))
      .map(([story, pid]) => [`who-killed-${story}`, ['who-killed', String(pid)]]),
  ),
  'why-exit': ['why-exit', String(PID.wrapper)],
  'why-exit-all': ['why-exit', 'sleep', '--all'],
  'who-killed-never': ['who-killed', '9'],
  'who-killed-all': ['who-killed', String(PID.reused), '--all'],
  'who-killed-at': ['who-killed', String(PID.reused), '--at', '2026-11-21 14:05:12'],
  'who-killed-named': ['who-killed', 'sleep'],
  'who-killed-unit': ['who-killed', 'app'],
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
  'exits-unit': ['exits', '--unit', 'app'],
  'exits-shorter': ['exits', '--shorter', '20ms'],
  'signals-unit': ['signals', '--unit', 'app.service'],
  'signals-at': ['signals', '--at', '14:01:50'],
  'killed-by': ['killed-by', String(PID.bash)],
  'killed-by-name': ['killed-by', 'refuser'],
  'killed-by-none': ['killed-by', 'nginx'],
  oom: ['oom'],
  parents: ['parents', 'sleep'],
  'parents-tree': ['parents', 'sleep', '--tree'],
  tree: ['tree', String(PID.bash)],
  timeline: ['timeline', String(PID.refuser)],
  'timeline-unit': ['timeline', '--unit', 'app'],
  ...Object.fromEntries(Object.keys(RANKINGS).map(by => [`top-${by}`, ['top', '--by', by]])),
  tail: ['tail'],
  'tail-signal': ['tail', '--signal', 'TERM', '--limit', '4'],
  ancestry: ['ancestry', String(PID.wrapped)],
  coverage: ['coverage'],
  'report-nobody': ['report', '9'],
  'export-mermaid': ['export', String(PID.groupDies), '--format', 'mermaid'],
  completion: ['completion', 'bash'],
  schema: ['schema', 'coverages'],
  sql: ['sql', 'SELECT signal, count(*) AS n FROM signals GROUP BY signal ORDER BY n DESC, signal LIMIT 3'],
};

const FORMATS = ['table', 'plain', 'json', 'ndjson', 'csv', 'tsv'] as const;

for (const [which, db] of Object.entries(RECORDINGS)) {
  for (const [name, words] of Object.entries(ASKED)) {
    test(`golden ${name}${which}`, async () => {
      const formats = /^(?:report|export)-/.test(name)
        ? (['table', 'plain'] as const)
        : /^who-killed-(?!sleep|hostile|never|all|wrapper)/.test(name)
          ? (['plain', 'json'] as const)
          : FORMATS;
      const parts: string[] = [];
      for (const format of formats) {
        const argv = format === 'table' ? words : [...words, `--${format}`];
        const said = await ask(db, argv, { isTerminal: format === 'table' });
        parts.push(
          `$ snoopq ${argv.join(' ')}${format === 'table' ? '  # on a terminal' : ''}\n${said.out}${said.err.replace(/^/gm, '2> ').replace(/2> $/, '')}=> ${said.status}\n`,
        );
      }
      compare(name, parts.join('\n'), which === '');
    });
  }
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

for (const [which, db] of Object.entries(RECORDINGS)) {
  test(`the view kills and who-killed agree${which}`, async () => {
    const kills = JSON.parse((await ask(db, ['sql', 'SELECT * FROM kills', '--json'])).out);
    assert.ok(kills.length > 10);
    for (const kill of kills) {
      const words = ['who-killed', String(kill.pid), '--json', '--at', kill.time];
      const verdict = JSON.parse((await ask(db, words)).out);
      assert.deepEqual(
        [verdict.killer?.pid ?? null, verdict.mechanism, verdict.confidence, verdict.signal.name],
        [kill.killer_pid, kill.mechanism, kill.confidence, kill.signal],
        kill.comm,
      );
    }
  });
}

test('every view has the same rows in segments', async () => {
  for (const view of [...viewsSql().matchAll(/^CREATE VIEW (\w+)/gm)].map(match => match[1] ?? '')) {
    const rows = await Promise.all(
      Object.values(RECORDINGS).map(async db =>
        JSON.parse((await ask(db, ['sql', `SELECT * FROM ${view}`, '--json'])).out)
          .map((row: unknown) => JSON.stringify(row))
          .sort(),
      ),
    );
    for (const others of rows) assert.deepEqual(others, rows[0], view);
  }
});

function compare(name: string, text: string, isUpdated = true): void {
  const file = join(PACKAGE_ROOT, 'test', 'goldens', `${name}.txt`);
  if (process.env.UPDATE_GOLDENS && isUpdated) writeFileSync(file, text);
  assert.equal(text, readFileSync(file, 'utf8'));
}
