/** The view `kills` and who-killed are two ways to the same answer: also where rows are missing and losses were noted. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { verdictOn } from '../../query/facts.js';
import { lifeById } from '../../query/lives.js';
import { readRecorded } from '../../query/loss.js';
import { writeDeaths } from './deaths.js';
import { writeFixture } from './fixture.js';
import { scratchDirectory } from './scratch.js';

const DIR = scratchDirectory();

interface Kill {
  process_id: number;
  comm: string;
  mechanism: string | null;
  killer_id: number | null;
  confidence: string;
  signal_id: number | null;
  delay_ms: number | null;
}

/** Asserts that both say the same of every violent death; gives their number. */
function compare(db: Database.Database): number {
  const around = { db, recorded: readRecorded(db), userName: () => null };
  const kills = db.prepare('SELECT * FROM kills').all() as Kill[];
  for (const kill of kills) {
    const life = lifeById(db, kill.process_id);
    assert.ok(life !== undefined);
    const verdict = verdictOn(life, around, 1);
    const cause = verdict.evidence.find(({ what }) => what === 'the signal that ended it');
    assert.deepEqual(
      {
        mechanism: verdict.mechanism,
        killer: verdict.killer?.id ?? null,
        confidence: verdict.confidence,
        cause: cause?.id ?? null,
        delay_ms: verdict.delay_us === null ? null : verdict.delay_us / 1000,
      },
      {
        mechanism: kill.mechanism,
        killer: kill.killer_id,
        confidence: kill.confidence,
        cause: kill.signal_id,
        delay_ms: kill.delay_ms,
      },
      kill.comm,
    );
  }
  return kills.length;
}

for (const [name, write] of Object.entries({ fixture: writeFixture, deaths: writeDeaths })) {
  const path = join(DIR, `${name}.db`);
  write(path);

  test(`the view kills and who-killed agree on ${name}, and with any rows changed or missing`, () => {
    const db = new Database(path);
    assert.ok(compare(db) > 10);
    const ids = db.prepare('SELECT id FROM signal ORDER BY id').pluck().all() as number[];
    const [from, to] = db.prepare('SELECT min(started), max(updated) FROM recording').raw().get() as number[];
    const change = fc.record({
      id: fc.constantFrom(...ids),
      what: fc.constantFrom('gone', 'pending', 'handled', 'folded', 'unsent'),
    });
    const gap = fc.record({
      at: fc.integer({ min: from as number, max: to as number }),
      event: fc.constantFrom('signal', 'exit', 'exec', null),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), fc.array(gap, { maxLength: 3 }), (changes, gaps) => {
        db.exec('SAVEPOINT story');
        try {
          for (const { id, what } of changes) db.prepare(CHANGES[what] as string).run(id);
          const lose = db.prepare(
            "INSERT INTO coverage (recording, from_time, to_time, kind, event, count, cause) VALUES (1, ?, ?, 'lost', ?, 3, 'full')",
          );
          for (const { at, event } of gaps) lose.run(at, at + 2_000_000, event);
          compare(db);
        } finally {
          db.exec('ROLLBACK TO story; RELEASE story');
        }
      }),
      { numRuns: 40 },
    );
    db.close();
  });
}

const CHANGES: Record<string, string> = {
  gone: 'DELETE FROM signal WHERE id = ?',
  pending: 'UPDATE signal SET outcome = 2 WHERE id = ?',
  handled: 'UPDATE signal SET disposition = 2 WHERE id = ?',
  folded: 'UPDATE signal SET last_time = time + 20000000, count = 3 WHERE id = ?',
  unsent: 'UPDATE signal SET sender = NULL, mechanism = 17 WHERE id = ?',
};
