/** What belongs to a story, what does not, and that it is found without reading everything. */

import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PACKAGE_ROOT } from '../../migrations/database.js';
import { DELIVERY_IDS, EXEC_IDS, FATAL_IDS, SAME_PID } from '../../query/case.js';
import * as gathered from '../../query/gathered.js';
import { findLives } from '../../query/lives.js';
import { readRecorded } from '../../query/loss.js';
import type { Story } from '../../query/report/model.js';
import { openingOf } from '../../query/report/view.js';
import { openRecording } from '../../query/segments.js';
import * as story from '../../query/story.js';
import { at, PID, writeFixture } from '../query/fixture.js';
import { scratchDirectory } from '../query/scratch.js';
import { MANY_BOUNDARIES, split } from '../query/split.js';
import { lifeOf, signalOf, storyOf } from './stories.js';

process.env['TZ'] = 'UTC';
const DIR = scratchDirectory();
const DB = join(DIR, 'fixture.db');
writeFixture(DB);
const TEN = split(DB, join(DIR, 'ten.db'), MANY_BOUNDARIES);
const NOBODY = { since: null, until: null, at: null, who_name: null };

function tell(pid: number, bounds?: gathered.Bounds): Story {
  const { db } = openRecording(DB);
  try {
    const [life] = findLives(db, { ...NOBODY, who_pid: pid }, 1);
    assert.ok(life !== undefined);
    const around = { db, recorded: readRecorded(db), userName: () => null };
    return story.storyOf(life, around, undefined, bounds);
  } finally {
    db.close();
  }
}

const pidsOf = ({ lives }: Story): number[] => lives.map(({ pid }) => pid).sort((a, b) => a - b);

test('a story has the process, its ancestors, its descendants, and whoever it dealt with', () => {
  const told = tell(PID.wrapper);
  assert.deepEqual(pidsOf(told), [PID.systemd, PID.sshd, PID.wrapper, PID.wrapped, PID.bash]);
  assert.deepEqual(
    told.signals.map(({ signal }) => signal),
    ['SIGKILL'],
  );
  assert.deepEqual(told.omitted, []);
});

test('what a killer did to others is another story', () => {
  const told = tell(PID.sleep);
  assert.deepEqual(pidsOf(told), [PID.systemd, PID.sshd, PID.sleep, PID.bash]);
  assert.deepEqual(
    told.signals.map(({ sig }) => sig),
    [0, 9],
  );
});

test('a gap within the span of a story is part of it, and one outside is not', () => {
  assert.deepEqual(
    tell(PID.nearLoss).gaps.map(({ count }) => count),
    [14],
  );
  assert.deepEqual(tell(PID.sleep).gaps, []);
});

test('what does not fit into a story is left out, and that is said', () => {
  const bounds = { lives: 6, execs: 2, signals: 1, verdicts: 2 };
  const told = tell(PID.bash, bounds);
  assert.equal(told.lives.length, 6);
  assert.equal(told.signals.length, 1);
  assert.deepEqual(told.omitted.map(phrase => phrase.split(':')[0]).sort(), [
    'executions',
    'processes',
    'signals',
  ]);
});

test('a span has those who did something in it, with their ancestors', () => {
  const { db } = openRecording(DB);
  const around = { db, recorded: readRecorded(db), userName: () => null };
  const told = story.storyOfSpan({ from: at(199), to: at(211) }, around, 'then');
  assert.deepEqual(
    pidsOf(told),
    [PID.systemd, PID.sshd, PID.segv, PID.sigpipe, PID.bash].sort((a, b) => a - b),
  );
  assert.deepEqual(
    told.verdicts.map(({ pid }) => pid),
    [PID.sigpipe, PID.segv],
  );
  db.close();
});

for (const [which, path] of [
  ['one file', DB],
  ['ten segments', TEN],
] as const) {
  test(`the story of a process scans no table of ${which}`, () => {
    const { db } = openRecording(path);
    const statements = [
      gathered.LIFE_BY_ID,
      gathered.CHILDREN,
      gathered.EXECS_OF,
      gathered.EXECS_OF_SPAN,
      gathered.SIGNALS_TO,
      gathered.SIGNALS_FROM,
      gathered.SIGNALS_OF_SPAN,
      gathered.SIGNALS_OF_CALL,
      gathered.OOMS_OF,
      story.DEATHS_OF,
      story.EXTENT_OF,
      FATAL_IDS,
      DELIVERY_IDS,
      SAME_PID,
      EXEC_IDS,
    ];
    for (const sql of statements) {
      const names = Object.fromEntries([...sql.matchAll(/:(\w+)/g)].map(match => [match[1], 1]));
      const plan = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(names) as { detail: string }[];
      // What is scanned by the name of a view are its rows, found by the indexes within it.
      const scans = plan.filter(({ detail }) =>
        /^SCAN (?!processes$|signals$|execs$|oom_kills$|deliveries$|json_each|value|\(subquery)|AUTOMATIC/.test(
          detail,
        ),
      );
      assert.deepEqual(
        scans.map(({ detail }) => detail),
        [],
        sql,
      );
      assert.ok(
        plan.some(({ detail }) => /^SEARCH/.test(detail)),
        sql,
      );
    }
    db.close();
  });
}

test('a long quiet life opens with its end, a short one whole', () => {
  const { span } = storyOf();
  const month = { from: span.from, to: span.from + 30 * 86_400_000_000 };
  const died = month.to - 1_000_000;
  const life = lifeOf(1, { ended_us: died, exit_code: null, exit_signal: 9 });
  const signals = [signalOf(1, { target_id: 1, time_us: died - 90, last_time_us: died - 90 })];
  const quiet = storyOf({ subject: 1, lives: [life], signals, span: month });
  const opening = openingOf(quiet);
  assert.ok(opening.from > died - 10_000_000 && opening.to === month.to);
  const busy = Array.from({ length: 30 }, (_, i) =>
    lifeOf(i + 2, { parent_id: 1, started_us: span.from + i * 86_400_000_000 }),
  );
  assert.deepEqual(openingOf({ ...quiet, lives: [life, ...busy] }), month);
  assert.deepEqual(openingOf(storyOf({ subject: 1, lives: [lifeOf(1)] })), span);
});

test('the pictures of the README are there, and small', () => {
  const readme = readFileSync(join(PACKAGE_ROOT, 'README.md'), 'utf8');
  const pictures = [...readme.matchAll(/(?:src|srcset)="([^"]+)"/g)].map(match => match[1] ?? '');
  assert.ok(pictures.length >= 2);
  for (const picture of pictures)
    assert.ok(statSync(join(PACKAGE_ROOT, picture)).size <= 200 * 1024, picture);
});
