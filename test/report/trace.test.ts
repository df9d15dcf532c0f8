/** Traces keep the rules of the format, whatever the story. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { renderPerfetto, type TraceEvent, traceOf } from '../../query/render/perfetto.js';
import type { Story } from '../../query/report/model.js';
import { anyStory, crowdedStory, lifeOf, signalOf, storyOf } from './stories.js';

const ACTIVE =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\p{Surrogate}/u;

function written(story: Story): { text: string; events: TraceEvent[] } {
  let text = '';
  renderPerfetto(story, '1.2.3', part => {
    text += part;
  });
  return { text, events: (JSON.parse(text) as { traceEvents: TraceEvent[] }).traceEvents };
}

/** The rules of the Trace Event Format, as far as they can be broken here. */
function checkRules(events: readonly TraceEvent[]): void {
  const named = new Set(
    events.filter(({ ph, name }) => ph === 'M' && name === 'process_name').map(({ pid }) => pid),
  );
  let last = Number.NEGATIVE_INFINITY;
  const open = new Map<string, { from: number; to: number }[]>();
  const flows = new Map<number, TraceEvent[]>();
  const spans = new Map<number, number>();
  for (const event of events) {
    assert.ok(named.has(event.pid), `process ${event.pid} has no name`);
    if (event.ph === 'M') continue;
    const { ts = Number.NaN, dur, ph, id = -1 } = event;
    assert.ok(Number.isSafeInteger(ts), 'ts is a whole number');
    assert.ok(ts >= last, 'in the order of time');
    last = ts;
    const track = `${event.pid} ${event.tid}`;
    const around = (open.get(track) ?? []).filter(({ to }) => to > ts);
    if (ph === 'X') {
      assert.ok(Number.isSafeInteger(dur) && Number(dur) >= 0);
      assert.ok(
        around.every(({ to }) => to >= ts + Number(dur)),
        'slices of a track lie in each other or apart',
      );
      around.push({ from: ts, to: ts + Number(dur) });
    }
    open.set(track, around);
    if (ph === 'i') assert.equal(event.s, 't');
    if (ph === 's' || ph === 'f') {
      assert.ok(around.length > 0, 'a flow begins and ends within a slice');
      flows.set(id, [...(flows.get(id) ?? []), event]);
    }
    if (ph === 'b') spans.set(id, (spans.get(id) ?? 0) + 1);
    if (ph === 'e') spans.set(id, (spans.get(id) ?? 0) - 1);
  }
  for (const [id, ends] of flows) {
    assert.deepEqual(
      ends.map(({ ph }) => ph),
      ['s', 'f'],
      `flow ${id} has one beginning and one end`,
    );
    assert.equal(ends[0]?.name, ends[1]?.name);
    assert.equal(ends[0]?.cat, ends[1]?.cat);
  }
  assert.ok(
    [...spans.values()].every(count => count === 0),
    'each gap that begins ends',
  );
}

test('a trace of any story keeps the rules of the format, and nothing in it acts on a terminal', () => {
  fc.assert(
    fc.property(anyStory, story => {
      const { text, events } = written(story);
      assert.doesNotMatch(text, ACTIVE);
      checkRules(events);
    }),
    { numRuns: 200 },
  );
});

test('a trace of a crowd keeps the rules too', () => {
  checkRules(traceOf(crowdedStory(3000)));
});

test('each life is one slice, each signal between two processes one flow', () => {
  const lives = Array.from({ length: 23 }, (_, i) => lifeOf(i + 1));
  const signals = Array.from({ length: 22 }, (_, i) => signalOf(i + 1, { sender_id: 1, target_id: i + 2 }));
  const events = traceOf(storyOf({ lives, signals }));
  assert.equal(events.filter(({ ph, cat }) => ph === 'X' && cat === 'process').length, 23);
  assert.equal(events.filter(({ ph }) => ph === 's').length, 22);
  assert.equal(events.filter(({ ph }) => ph === 'f').length, 22);
});

test('a pid that came again is a process of its own', () => {
  const events = traceOf(storyOf({ lives: [lifeOf(1, { pid: 77 }), lifeOf(2, { pid: 77 })] }));
  const slices = events.filter(({ ph }) => ph === 'X');
  assert.equal(new Set(slices.map(({ pid }) => pid)).size, 2);
  assert.deepEqual(
    slices.map(({ args }) => args?.['pid']),
    [77, 77],
  );
});
