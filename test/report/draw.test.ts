/** The picture: rows, views and shapes, without a browser. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { textWidth } from '../../query/render/width.js';
import { ticksOf } from '../../query/report/axis.js';
import { draw, drawAxis, sceneOf } from '../../query/report/draw.js';
import { layOut } from '../../query/report/layout.js';
import { LETTER } from '../../query/report/metrics.js';
import type { Shape } from '../../query/report/shapes.js';
import { focus, pan, timeAt, type View, xOf, zoom } from '../../query/report/view.js';
import { anyStory, crowdedStory, lifeOf, signalOf, storyOf } from './stories.js';

const ALL = { first: 0, last: 10_000 };
const whole = { from: 1_000_000_000_000_000, to: 1_000_000_060_000_000 };
const anyView: fc.Arbitrary<View> = fc
  .tuple(fc.integer({ min: 0, max: 59_000_000 }), fc.integer({ min: 1000, max: 1_000_000 }))
  .map(([from, length]) => ({
    from: whole.from + from,
    to: whole.from + from + length,
    width: 1000,
    labels: 200,
  }));

test('every process has a row, and no two rows have one key', () => {
  fc.assert(
    fc.property(anyStory, story => {
      const { rows, rowOf } = layOut(story);
      const keys = rows.map(({ key }) => key);
      assert.deepEqual([...new Set(keys)], keys);
      for (const { id } of story.lives)
        assert.ok((rowOf.get(id) ?? -1) < rows.length && (rowOf.get(id) ?? -1) >= 0);
      const open = layOut(story, new Set(keys.filter(key => key.startsWith('c'))));
      for (const { id } of story.lives) assert.ok(open.rows[open.rowOf.get(id) ?? -1] !== undefined);
    }),
  );
});

test('nine alike siblings are a crowd and eight are not, and who matters is never in one', () => {
  const children = (count: number) =>
    Array.from({ length: count }, (_, i) => lifeOf(i + 2, { parent_id: 1, exe: '/bin/true' }));
  const rows = (count: number, notable: number[] = []) =>
    layOut(storyOf({ lives: [lifeOf(1), ...children(count)], notable })).rows.map(({ label }) => label);
  assert.deepEqual(rows(9), ['p1 1001', 'true ×9']);
  assert.equal(rows(8).length, 9);
  assert.deepEqual(rows(10, [5]).sort(), ['p1 1001', 'p5 1005', 'true ×9']);
});

test('a zoom keeps the moment under the pointer, as long as the story goes on there', () => {
  fc.assert(
    fc.property(
      anyView,
      fc.double({ min: 0.5, max: 4, noNaN: true }),
      fc.integer({ min: 200, max: 1000 }),
      (view, factor, x) => {
        const next = zoom(view, whole, factor, x);
        assert.ok(next.from >= whole.from - 1 && next.to <= whole.to + 1);
        assert.ok(next.to > next.from);
        const hasRoom = next.from > whole.from + 1 && next.to < whole.to - 1;
        if (hasRoom) assert.ok(Math.abs(timeAt(next, x) - timeAt(view, x)) < 2);
      },
    ),
  );
});

test('moving and focusing never leave the story', () => {
  fc.assert(
    fc.property(anyView, fc.integer({ min: -5000, max: 5000 }), (view, pixels) => {
      for (const next of [
        pan(view, whole, pixels),
        focus(view, whole, { from: view.from - pixels, to: view.to }),
      ]) {
        assert.ok(next.from >= whole.from - 1 && next.to <= whole.to + 1);
      }
      // A quarter of a microsecond is as fine as a number of this size can be.
      assert.ok(Math.abs(xOf(view, timeAt(view, 333)) - 333) < 0.5);
    }),
  );
});

test('ticks stand apart, in order, at whole steps, and are told apart by their words', () => {
  fc.assert(
    fc.property(anyView, fc.integer({ min: 100, max: 2000 }), (view, width) => {
      const ticks = ticksOf(view, width, 90);
      assert.ok(ticks.length <= width / 90 + 2);
      assert.deepEqual([...new Set(ticks.map(({ label }) => label))].length, ticks.length);
      for (const [i, { time }] of ticks.entries()) {
        assert.ok(time >= view.from && time <= view.to);
        assert.ok(i === 0 || time > (ticks[i - 1]?.time ?? 0));
      }
    }),
  );
});

function numbersOf({ attributes }: Shape): number[] {
  return Object.values(attributes).flatMap(value =>
    typeof value === 'number'
      ? [value]
      : value.includes('NaN') || value.includes('Infinity')
        ? [Number.NaN]
        : [],
  );
}

test('whatever the story and the view, shapes have real places within the picture', () => {
  fc.assert(
    fc.property(
      anyStory,
      fc.double({ min: 1, max: 1e5, noNaN: true }),
      fc.integer({ min: 0, max: 1000 }),
      (story, factor, x) => {
        const view = zoom({ ...story.span, width: 1000, labels: 200 }, story.span, factor, x);
        for (const shape of [...draw(sceneOf(story), view, ALL), ...drawAxis(view)]) {
          assert.ok(numbersOf(shape).every(Number.isFinite), JSON.stringify(shape));
          if (shape.tag === 'rect' && shape.layer === 'bars') {
            const { x: left, width } = shape.attributes as { x: number; width: number };
            assert.ok(left >= 199.9 && left + width <= 1003, JSON.stringify(shape));
          }
        }
      },
    ),
  );
});

test('words of arrows do not run into each other', () => {
  const signals = Array.from({ length: 100 }, (_, i) => {
    const time = storyOf().span.from + i * 9000;
    return signalOf(i + 1, { sender_id: 1, target_id: 1 + (i % 4), time_us: time, last_time_us: time });
  });
  const story = storyOf({ lives: [1, 2, 3, 4].map(id => lifeOf(id)), signals });
  const words = draw(sceneOf(story), { ...story.span, width: 1000, labels: 200 }, ALL).filter(
    ({ attributes }) => String(attributes['class']).startsWith('word '),
  );
  assert.ok(words.length > 10);
  for (const one of words) {
    for (const other of words) {
      if (one === other || one.attributes['y'] !== other.attributes['y']) continue;
      const [a, b] = [Number(one.attributes['x']), Number(other.attributes['x'])];
      const [first, left, right] = a <= b ? [one, a, b] : [other, b, a];
      assert.ok(left + textWidth(first.text ?? '') * LETTER < right);
    }
  }
});

test('a frame of twenty thousand events is as small as one of two thousand', () => {
  const count = (events: number): number => {
    const story = crowdedStory(events);
    return draw(sceneOf(story), { ...story.span, width: 1200, labels: 200 }, { first: 10, last: 35 }).length;
  };
  assert.ok(count(20_000) < 600, `${count(20_000)} shapes`);
  assert.ok(count(20_000) < 3 * count(2000));
});

test('the signal that killed is drawn as such, a refused one otherwise', () => {
  const story = storyOf({
    lives: [lifeOf(1), lifeOf(2, { exit_code: null, exit_signal: 15, ending: 'SIGTERM' })],
    signals: [
      signalOf(1, { sender_id: 1, target_id: 2, time_us: storyOf().span.from + 10 }),
      signalOf(2, { sender_id: 1, target_id: 2 }),
      signalOf(3, { sender_id: 1, target_id: 2, outcome: 'EPERM' }),
      signalOf(4, { sender_id: 1, target_id: 2, sig: 0, outcome: 'probe' }),
    ],
  });
  const shapes = draw(sceneOf(story), { ...story.span, width: 1000, labels: 200 }, ALL);
  const kinds = shapes
    .filter(({ tag, layer }) => tag === 'path' && layer === 'lines')
    .map(({ key, attributes }) => [key, attributes['class']]);
  const byKey = Object.fromEntries(kinds);
  assert.equal(byKey['s2'], 'arrow fatal');
  assert.equal(byKey['s1'], 'arrow sent');
  assert.equal(byKey['s3'], 'arrow refused');
  assert.equal(byKey['s4'], 'arrow probe');
});
