/**
 * Guards of what tracing costs the traced, on the real kernel: ratios within one run, with slack for a busy machine. What it
 * costs exactly is measured by `npm run bench`.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cannotRecord, Lab, type Outcome, tool } from './lab.js';

const skip = cannotRecord;
const ROUNDS = 9;
const CALLS = 100_000; // their records fit into the lane

/** Nanoseconds that a storm of kill(self, 0) says that a call took. */
function nsPerCall({ facts }: Outcome): number {
  return Number(facts.get('ns')) / Number(facts.get('calls'));
}

test('kill(self, 0) takes at most three and a half times as long while it is recorded', { skip }, t => {
  const lab = Lab.open(t);
  const storm = ['storm', String(CALLS), '0', 'self'] as const;
  const least = (run: () => Outcome) => Math.min(...Array.from({ length: ROUNDS }, () => nsPerCall(run())));
  const before = least(() => lab.inside(...storm));
  lab.record();
  const recorded = least(() => lab.inside(...storm));
  const outside = least(() => lab.command(tool('storm'), String(CALLS), '0', 'self'));
  lab.stop();
  const untraced = Math.min(
    before,
    least(() => lab.inside(...storm)),
  );
  const told = (ns: number) => `${(ns / untraced).toFixed(2)} times`;
  t.diagnostic(`recorded ${told(recorded)}, out of scope ${told(outside)} of ${untraced.toFixed(0)} ns`);
  assert.ok(recorded <= 3.5 * untraced, `recorded it takes ${told(recorded)}`);
  assert.ok(outside <= 2.2 * untraced, `out of scope it takes ${told(outside)}`);
});

test('a storm that fits into the lane loses nothing, however busy the machine is', { skip }, t => {
  const lab = Lab.open(t);
  lab.record();
  const storm = lab.inside('storm', String(CALLS), '0', 'self');
  lab.stop();
  const pid = Number(storm.facts.get('pid'));
  const counted = lab.value('SELECT sum(count) FROM signals WHERE sender_pid = ? AND sig = 0', pid);
  assert.equal(counted, CALLS);
  assert.equal(lab.value('SELECT sum(lost) FROM recordings'), 0);
});
