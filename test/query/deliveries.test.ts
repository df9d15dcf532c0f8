/** What became of the signals to a process, in verdicts and in the view `kills`. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { migrate } from '../../migrations/migrate.js';
import { verdictOn } from '../../query/facts.js';
import { lifeById } from '../../query/lives.js';
import type { Verdict } from '../../query/verdict.js';
import { at } from './fixture.js';
import { BLOCKED, DEFAULT, type DeliveryRow, HANDLED, type SignalRow, tellers } from './tell.js';

const RECORDED = {
  from: at(-60),
  reach: at(-60),
  isOlderGone: false,
  to: at(60),
  isRunning: true,
  host: null,
};
const SIGALRM = 14;
const SIGTERM = 15;

/** A sender and a victim, which ends at 10 s. */
class Story {
  readonly db = new Database(':memory:');
  readonly #told: ReturnType<typeof tellers>;
  readonly sender: number;
  readonly victim: number;

  constructor(status: number) {
    migrate(this.db);
    this.db.exec(`INSERT INTO boot (id, boot_id) VALUES (1, 'boot');
      INSERT INTO recording (id, boot, started, updated, host, kernel, version, pid, scope, options)
      VALUES (1, 1, ${at(-60)}, ${at(60)}, '', '', '', 1, 'machine', '{}')`);
    this.#told = tellers(this.db, at(-1000));
    const process = { parent: null, started: at(0), exe: '/x', args: ['x'] };
    this.sender = this.#told.addProcess({ ...process, pid: 200, comm: 'sender' });
    this.victim = this.#told.addProcess({ ...process, pid: 100, comm: 'victim', ended: at(10), status });
  }

  sent(seconds: number, more: Partial<SignalRow> = {}): this {
    const { sender, victim: target } = this;
    this.#told.addSignal({ time: at(seconds), sig: SIGTERM, sender, target, mechanism: 'kill', ...more });
    return this;
  }

  took(seconds: number, more: Partial<DeliveryRow> = {}): this {
    const process = this.victim;
    this.#told.addDelivery({ time: at(seconds), process, sig: SIGTERM, action: HANDLED, from: 200, ...more });
    return this;
  }

  get verdict(): Verdict {
    const life = lifeById(this.db, this.victim);
    assert.ok(life);
    return verdictOn(life, { db: this.db, recorded: RECORDED, userName: () => null });
  }

  /** What `kills` says, which must be what the verdict says. */
  assertKillsAgree(): void {
    const { verdict } = this;
    const row = this.db.prepare('SELECT mechanism, killer_id, confidence FROM kills').get();
    const { mechanism, confidence, killer } = verdict;
    assert.deepEqual(row, { mechanism, killer_id: killer?.id ?? null, confidence });
  }
}

test('a signal that was never seen being sent is told by the siginfo that took effect', () => {
  const story = new Story(SIGALRM);
  story.assertKillsAgree();
  assert.equal(story.verdict.confidence, 'incomplete');
  const fatal = { sig: SIGALRM, action: DEFAULT, mechanism: 'timer' } as const;
  const { verdict } = story.took(9.999, { ...fatal, from: null });
  assert.equal(verdict.mechanism, 'timer');
  assert.equal(verdict.confidence, 'proven');
  assert.equal(verdict.killer, null);
  assert.match(verdict.explanation, /a timer of its own ran out, nobody sent it/);
  story.assertKillsAgree();
});

test('a siginfo that a process signed proves no call, and its signer is named', () => {
  const story = new Story(SIGTERM).took(9.999, { action: DEFAULT });
  assert.equal(story.verdict.confidence, 'incomplete');
  assert.equal(story.verdict.mechanism, null);
  assert.match(story.verdict.explanation, /The signal itself names process 200 \(uid 0\) as its sender\./);
  story.assertKillsAgree();
});

test('a delivery that ran a handler explains no death', () => {
  const story = new Story(SIGALRM).took(9, { sig: SIGALRM, mechanism: 'timer', from: null });
  assert.equal(story.verdict.confidence, 'incomplete');
  story.assertKillsAgree();
});

test('a signal whose handler was taken away before it ran is the cause', () => {
  const story = new Story(SIGTERM).sent(9.9, { disposition: HANDLED });
  assert.equal(story.verdict.confidence, 'incomplete');
  story.took(9.95, { action: DEFAULT });
  assert.equal(story.verdict.confidence, 'proven');
  assert.equal(story.verdict.killer?.pid, 200);
  story.assertKillsAgree();
});

test('an earlier signal says when its handler ran', () => {
  const [earlier] = new Story(0).sent(5, { disposition: HANDLED }).took(5.25).verdict.earlier_signals;
  assert.equal(earlier?.delivered?.action, 'handled');
  assert.equal(earlier?.delivered?.delay_us, 250_000);
});

test('a blocked signal that was let in and handled was handled', () => {
  const { verdict } = new Story(0).sent(5, { disposition: BLOCKED }).took(9.5);
  assert.equal(verdict.earlier_signals[0]?.delivered?.action, 'handled');
  assert.match(verdict.explanation, /after a SIGTERM from sender \(pid 200\) that it handled/);
});

test('what was ignored, refused or already pending took no effect', () => {
  const story = new Story(0);
  for (const outcome of [-1, 1, 2, 5]) story.sent(5, { outcome });
  const { earlier_signals: earlier } = story.took(6).verdict;
  assert.deepEqual(
    earlier.map(({ delivered }) => delivered),
    [null, null, null, null],
  );
});

test('of several senders each is given its own delivery', () => {
  const story = new Story(0).sent(5, { disposition: HANDLED, sender: null, mechanism: 'timer' });
  story.sent(5.1, { disposition: HANDLED }).took(5.2).took(5.3, { from: null });
  assert.deepEqual(
    story.verdict.earlier_signals.map(({ delivered }) => delivered?.delay_us),
    [300_000, 100_000],
  );
});
