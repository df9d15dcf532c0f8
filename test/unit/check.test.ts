import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CANARIES, type Canary } from '../../recorder/canary.js';
import { canRecord, findingText, probeFindings } from '../../recorder/check.js';

const ALL = new Set(CANARIES);
const PROBES = [...new Set(CANARIES.map(({ probe }) => probe))];
const trial = (seen: ReadonlySet<Canary>, untried: [string, string][] = [], malformed = 0) => ({
  seen,
  untried: new Map(untried),
  malformed,
});

test('probes that saw all that they should work', () => {
  const findings = probeFindings(PROBES, trial(ALL));
  assert.ok(canRecord(findings));
  for (const finding of findings) assert.match(findingText(finding), /^ok .* works: saw /);
});

test('a probe that missed anything fails, and what it missed is told', () => {
  for (const missed of CANARIES) {
    const findings = probeFindings(PROBES, trial(new Set(CANARIES.filter(canary => canary !== missed))));
    assert.ok(!canRecord(findings));
    const failed = findings.filter(({ ok }) => !ok);
    assert.deepEqual(
      failed.map(({ name }) => name),
      [missed.probe],
    );
    assert.ok(failed[0]?.detail.endsWith(`did not see ${missed.what}`), failed[0]?.detail);
    assert.ok(failed[0]?.hint);
  }
});

test('a probe that nothing tries is not said to work', () => {
  const [finding] = probeFindings(['brand_new'], trial(ALL));
  assert.equal(finding?.detail, 'attached; nothing here tries it');
});

test('a probe that cannot be tried is told as attached only', () => {
  const [finding] = probeFindings(['mark_victim'], trial(ALL, [['mark_victim', 'the reason']]));
  assert.ok(finding?.ok);
  assert.equal(finding.detail, 'attached; cannot be tried: the reason');
});

test('records that cannot be decoded fail the check, whatever was seen', () => {
  assert.ok(!canRecord(probeFindings(PROBES, trial(ALL, [], 3))));
});
