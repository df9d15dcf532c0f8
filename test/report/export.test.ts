/** Streams of all events, and cases that answer as the recording does. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { allEvents } from '../../query/all-events.js';
import { CASE_FILES, writeCase } from '../../query/case.js';
import { openRecording } from '../../query/segments.js';
import { askedStory } from '../../query/stories.js';
import { EXITED, VICTIM, writeDeaths } from '../query/deaths.js';
import { at, HOSTILE_COMM, PID, writeFixture } from '../query/fixture.js';
import { ask } from '../query/io.js';
import { scratchDirectory } from '../query/scratch.js';
import { BOUNDARIES, MANY_BOUNDARIES, split } from '../query/split.js';

process.env['TZ'] = 'UTC';
const DIR = scratchDirectory();
const DB = join(DIR, 'fixture.db');
writeFixture(DB);
const RECORDINGS = {
  whole: DB,
  'of three segments': split(DB, join(DIR, 'three.db'), BOUNDARIES),
  'of ten segments': split(DB, join(DIR, 'ten.db'), MANY_BOUNDARIES),
};

type Line = Record<string, unknown> & { time: string; event: string };

async function stream(db: string, ...words: string[]): Promise<Line[]> {
  const { out } = await ask(db, ['export', '--format', 'ndjson', ...words]);
  return out
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Line);
}

for (const [which, db] of Object.entries(RECORDINGS)) {
  test(`a recording ${which} streams each row of the views once, in the order of time`, async () => {
    const lines = await stream(db);
    const counted = (event: string): number => lines.filter(line => line.event === event).length;
    const views = new Database(DB, { readonly: true });
    const count = (sql: string): unknown => views.prepare(`SELECT count(*) FROM ${sql}`).pluck().get();
    assert.equal(counted('start'), count("processes WHERE origin = 'fork'"));
    assert.equal(counted('exec'), count('execs'));
    assert.equal(counted('signal'), count('signals'));
    assert.equal(counted('oom'), count('oom_kills'));
    assert.equal(counted('end'), count('exits'));
    assert.equal(counted('gap'), count("coverages WHERE kind <> 'recorded'"));
    views.close();
    const times = lines.filter(({ event }) => event !== 'exec').map(({ time }) => time);
    assert.deepEqual([...times].sort(), times);
  });

  test(`the stream of a recording ${which} is that of the whole`, async () => {
    assert.deepEqual(await stream(db), await stream(DB));
  });
}

test('a span bounds the stream', async () => {
  const lines = await stream(DB, '--since', '2026-11-21T14:01:00Z', '--until', '2026-11-21T14:01:02Z');
  assert.deepEqual(
    lines.map(({ event, pid }) => `${event} ${pid}`),
    ['start', 'exec', 'signal', 'signal', 'end'].map(event => `${event} ${PID.sleep}`),
  );
});

test('CSV has the same rows, guarded for spreadsheets', async () => {
  const { out } = await ask(DB, ['export', '--format', 'csv']);
  const lines = out.trimEnd().split('\r\n');
  assert.equal(lines.length - 1, (await stream(DB)).length);
  assert.match(lines[0] ?? '', /^time,event,process_id,pid,comm,/);
  assert.doesNotMatch(out, /[\u0000-\u0009\u000b\u000c\u000e-\u001f\u202a-\u202e]/);
});

test('the stream is the same however few rows are read at a time', () => {
  for (const db of Object.values(RECORDINGS)) {
    const recording = openRecording(db);
    const whole = [...allEvents(recording.db, { from: null, to: null })];
    assert.deepEqual([...allEvents(recording.db, { from: null, to: null }, 1)], whole);
    assert.deepEqual([...allEvents(recording.db, { from: null, to: null }, 7)], whole);
    const span = { from: at(105), to: at(405) };
    assert.deepEqual([...allEvents(recording.db, span, 3)], [...allEvents(recording.db, span)]);
    recording.db.close();
  }
});

const DEATHS = join(DIR, 'deaths.db');
writeDeaths(DEATHS);

for (const [which, db, pids] of [
  ['of ten segments', RECORDINGS['of ten segments'], PID],
  ['of deaths', DEATHS, { ...VICTIM, ...EXITED }],
] as const) {
  test(`the case of each process of a recording ${which} answers as the recording does`, async () => {
    for (const [story, pid] of Object.entries(pids)) {
      const directory = join(DIR, `case ${which} ${story}`);
      const made = await ask(db, ['export', '--case', String(pid), '-o', directory]);
      assert.equal(made.status, 0, `${story}: ${made.err}`);
      assert.doesNotMatch(made.err, /does not answer/, story);
      assert.deepEqual(readdirSync(directory).sort(), Object.values(CASE_FILES).sort());
      const file = join(directory, CASE_FILES.database);
      for (const question of ['who-killed', 'why-exit']) {
        const words = [question, String(pid), '--json'];
        const [from, to] = [JSON.parse((await ask(db, words)).out), JSON.parse((await ask(file, words)).out)];
        assert.deepEqual(to, from, `${question} ${story}`);
      }
    }
  });
}

test('a case is for the caller alone, its sums are right, and any SQLite reads it', async () => {
  const directory = join(DIR, 'plain');
  await ask(DB, ['export', '--case', String(PID.wrapper), '-o', directory]);
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  for (const name of readdirSync(directory))
    assert.equal(statSync(join(directory, name)).mode & 0o777, 0o600, name);
  const sums = spawnSync('sha256sum', ['--strict', '-c', CASE_FILES.sums], {
    cwd: directory,
    encoding: 'utf8',
  });
  assert.equal(sums.status, 0, sums.stderr);
  assert.equal(sums.stdout, 'case.db: OK\nreport.html: OK\n');
  const db = new Database(join(directory, CASE_FILES.database), { readonly: true });
  assert.equal(db.pragma('integrity_check', { simple: true }), 'ok');
  assert.deepEqual(db.pragma('foreign_key_check'), []);
  assert.equal(db.pragma('journal_mode', { simple: true }), 'delete');
  const pids = db.prepare('SELECT pid FROM processes ORDER BY pid').pluck().all();
  assert.ok(pids.includes(PID.wrapper) && pids.includes(PID.wrapped));
  assert.ok(!pids.includes(PID.sleep), 'others are not in it');
  db.close();
});

test('a case that answers otherwise than the recording is told', () => {
  const { db } = openRecording(DB);
  const story = askedStory(db, { who_pid: PID.segv, who_name: null, since: null, until: null, at: null });
  assert.ok(story !== undefined);
  assert.equal(writeCase(join(DIR, 'alike'), story, db, ''), true);
  const [verdict] = story.verdicts;
  assert.ok(verdict !== undefined);
  const other = { ...story, verdicts: [{ ...verdict, mechanism: 'kill' }] };
  assert.equal(writeCase(join(DIR, 'otherwise'), other, db, ''), false);
  db.close();
});

test('a case of hostile names keeps their bytes', async () => {
  const directory = join(DIR, 'hostile');
  await ask(DB, ['export', '--case', String(PID.hostile), '-o', directory]);
  const db = new Database(join(directory, CASE_FILES.database), { readonly: true });
  assert.equal(db.prepare('SELECT comm FROM processes WHERE pid = ?').pluck().get(PID.hostile), HOSTILE_COMM);
  db.close();
});

const REFUSED: [argv: string[], status: number, err: RegExp][] = [
  [['export'], 2, /no format\nhint: choose one: --format perfetto, dot, mermaid, ndjson or csv/],
  [['export', '1', '--format', 'png'], 2, /'png' is not a format\nhint: /],
  [['export', '--format', 'dot'], 2, /the story of what\?\nhint: /],
  [['export', '1', '--format', 'csv'], 2, /a stream of everything in a span\S* not of one process\nhint: /],
  [['export', '--case'], 2, /a case of which process\?\nhint: /],
  [['export', '--case', '1', '-o', '-'], 2, /a case is a directory\nhint: /],
  [['report', '2219', '--json'], 2, /--json does not go with this question\nhint: /],
  [['export', '--format', 'csv', '--csv'], 2, /--csv does not go with this question\nhint: /],
  [['report'], 2, /the story of what\?\nhint: /],
  [['report', '9'], 1, /no process with pid 9 found between /],
  [['export', '--case', '9'], 1, /no process with pid 9 found between /],
];

for (const [argv, status, err] of REFUSED) {
  test(`exit ${status}: snoopq ${argv.join(' ')}`, async () => {
    const said = await ask(DB, argv);
    assert.match(said.err, err);
    assert.equal(said.status, status);
    assert.equal(said.out, '');
  });
}

test('a story of a span tells its violent deaths, the last first', async () => {
  const said = await ask(DB, ['report', '--since', `@${at(100) / 1e6}`, '--until', `@${at(215) / 1e6}`]);
  const deaths = [...said.out.matchAll(/<li>(\S+ \(pid \d+\)) (?:killed )?(\S+ \(pid \d+\)|was)?/g)].map(
    match => match[0],
  );
  assert.equal(deaths.length, 3);
  assert.match(deaths[0] ?? '', /yes \(pid 3200\)/);
  assert.match(deaths[2] ?? '', /worker \(pid 3002\)/);
});
