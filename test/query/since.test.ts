/** Time words: what they mean, that systemd means the same, and that nonsense is refused. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { SnoopError } from '../../migrations/errors.js';
import { type Present, parseMoment, parseSpan, parseTime } from '../../query/since.js';
import { isoTime, showTime } from '../../query/time.js';

process.env.TZ = 'UTC';
const NOW = Date.UTC(2026, 10, 21, 14, 30, 15) * 1000 + 123_456;
const PRESENT: Present = { now: NOW, boot: () => Date.UTC(2026, 10, 20, 6) * 1000 };

const MEANINGS: [word: string, iso: string][] = [
  ['now', '2026-11-21T14:30:15.123456Z'],
  ['10 min ago', '2026-11-21T14:20:15.123456Z'],
  ['-1h', '2026-11-21T13:30:15.123456Z'],
  ['+2h', '2026-11-21T16:30:15.123456Z'],
  ['1h 30min ago', '2026-11-21T13:00:15.123456Z'],
  ['1.5h ago', '2026-11-21T13:00:15.123456Z'],
  ['1M ago', '2026-10-22T04:00:15.123456Z'],
  ['1m ago', '2026-11-21T14:29:15.123456Z'],
  ['2 WEEKS AGO', '2026-11-07T14:30:15.123456Z'],
  ['today', '2026-11-21T00:00:00.000000Z'],
  ['yesterday', '2026-11-20T00:00:00.000000Z'],
  ['tomorrow', '2026-11-22T00:00:00.000000Z'],
  ['boot', '2026-11-20T06:00:00.000000Z'],
  ['recent', '2026-11-21T14:20:15.123456Z'],
  ['14:05', '2026-11-21T14:05:00.000000Z'],
  ['14:05:30', '2026-11-21T14:05:30.000000Z'],
  ['14:05:30.25', '2026-11-21T14:05:30.250000Z'],
  ['2026-11-21', '2026-11-21T00:00:00.000000Z'],
  ['2026-11-21 14:05', '2026-11-21T14:05:00.000000Z'],
  ['Fri 2026-11-20 01:02:03', '2026-11-20T01:02:03.000000Z'],
  ['2026-11-21T14:05:00Z', '2026-11-21T14:05:00.000000Z'],
  ['2026-11-21T14:05:00.000123+02:00', '2026-11-21T12:05:00.000123Z'],
  ['2026-11-21 14:05 UTC', '2026-11-21T14:05:00.000000Z'],
  ['@1795269900', '2026-11-21T14:05:00.000000Z'],
  ['@1795269900.5', '2026-11-21T14:05:00.500000Z'],
];

for (const [word, iso] of MEANINGS) {
  test(`'${word}' means ${iso}`, () => assert.equal(isoTime(parseTime(word, PRESENT)), iso));
}

for (const word of [
  '',
  'x',
  '5',
  '1h',
  '25:00',
  '14:60',
  '2026-02-30',
  '2026-13-01',
  '1 hour ago ago',
  '@',
  '-',
  'ago',
  '10 parsecs ago',
  '1e3 s ago',
  '--1h',
  'constructor ago',
  '1 toString ago',
]) {
  test(`'${word}' is refused with a hint`, () => {
    assert.throws(
      () => parseTime(word, PRESENT),
      error => error instanceof SnoopError && error.code === 'usage' && error.hint !== undefined,
    );
  });
}

test('any text gives a time or a usage error, never anything else', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'0123456789-:. TZ@+agohmind') })),
      text => {
        try {
          const us = parseTime(text, PRESENT);
          assert.ok(Number.isSafeInteger(us) && us >= 0, `${text} gave ${us}`);
        } catch (error) {
          assert.ok(error instanceof SnoopError, String(error));
        }
      },
    ),
  );
});

test('what is shown is read back: ISO always, local text to the second', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_102_444_800_000_000 }), us => {
      assert.equal(parseTime(isoTime(us), PRESENT), us);
      assert.equal(parseTime(showTime(us, { utc: false }, 6), PRESENT), us);
      assert.equal(parseTime(showTime(us, { utc: true }, 6), PRESENT), us);
    }),
  );
});

test('spans add up and are symmetric', () => {
  fc.assert(
    fc.property(fc.nat(100), fc.nat(59), fc.nat(59), (h, m, s) => {
      const span = ((h * 60 + m) * 60 + s) * 1_000_000;
      assert.equal(parseTime(`${h}h ${m}min ${s}s ago`, PRESENT), NOW - span);
      assert.equal(parseTime(`-${h}h${m}m${s}`, PRESENT), NOW - span);
    }),
  );
});

const MOMENTS: [word: string, from: string, to: string][] = [
  ['14:05', '2026-11-21T14:05:00.000000Z', '2026-11-21T14:05:59.999999Z'],
  ['2026-11-20 14:05', '2026-11-20T14:05:00.000000Z', '2026-11-20T14:05:59.999999Z'],
  ['2026-11-20T14:05Z', '2026-11-20T14:05:00.000000Z', '2026-11-20T14:05:59.999999Z'],
  ['2026-11-20T14:05+02:00', '2026-11-20T12:05:00.000000Z', '2026-11-20T12:05:59.999999Z'],
  ['14:05:30', '2026-11-21T14:05:30.000000Z', '2026-11-21T14:05:30.999999Z'],
  ['2026-11-20', '2026-11-20T00:00:00.000000Z', '2026-11-20T23:59:59.999999Z'],
  ['yesterday', '2026-11-20T00:00:00.000000Z', '2026-11-20T23:59:59.999999Z'],
  ['@1795269900', '2026-11-21T14:05:00.000000Z', '2026-11-21T14:05:00.999999Z'],
];

for (const [word, from, to] of MOMENTS) {
  test(`--at '${word}' is from ${from} to ${to}`, () => {
    const moment = parseMoment(word, PRESENT);
    assert.deepEqual([isoTime(moment.from), isoTime(moment.to)], [from, to]);
  });
}

test('lengths of time are those of systemd, and nonsense is refused', () => {
  assert.deepEqual(
    ['500ms', '2s', '90', '1h 30min', '1.5d'].map(parseSpan),
    [500_000, 2_000_000, 90_000_000, 5_400_000_000, 129_600_000_000],
  );
  for (const word of ['', 'x', '-1s', '1 parsec', 'ago'])
    assert.throws(() => parseSpan(word), SnoopError, word);
});

test('systemd-analyze timespan means the same lengths', {
  skip: hasSystemdAnalyze() ? false : 'there is no systemd-analyze that works',
}, () => {
  const unit = fc.constantFrom(
    'us',
    'ms',
    's',
    'sec',
    'second',
    'm',
    'min',
    'minutes',
    'h',
    'hr',
    'hours',
    'd',
    'days',
    'w',
    'weeks',
    'M',
    'months',
    'y',
    'years',
  );
  const spans = fc.array(fc.tuple(fc.integer({ min: 1, max: 90 }), unit), { minLength: 1, maxLength: 3 });
  const words = fc
    .sample(spans, { numRuns: 40, seed: 7 })
    .map(parts => parts.map(part => part.join('')).join(' '));
  const printed = execFileSync('systemd-analyze', ['timespan', ...words], { encoding: 'utf8' });
  const theirs = [...printed.matchAll(/(?:μs|us): (\d+)/g)].map(match => Number(match[1]));
  assert.equal(theirs.length, words.length);
  assert.deepEqual(words.map(parseSpan), theirs);
});

const ORACLE = [
  '1395716396',
  '12:34',
  '12:34:56',
  '2026-11-21',
  '2026-11-21 14:05',
  '2026-11-21 14:05:59',
  'Sat 2026-11-21',
  'Sat 2026-11-21 14:05',
  '2026-11-21 14:05:00 UTC',
  '@1795269900',
  'today',
  'yesterday',
  'tomorrow',
];

test('systemd-analyze timestamp means the same', {
  skip: hasSystemdAnalyze() ? false : 'there is no systemd-analyze that works',
}, () => {
  for (const word of ORACLE.map(w => (/^\d{9,}$/.test(w) ? `@${w}` : w))) {
    const printed = execFileSync('systemd-analyze', ['timestamp', '--', word], {
      env: { ...process.env, TZ: 'UTC' },
      encoding: 'utf8',
    });
    const expected = /Normalized form: \w+ (\S+ \S+) UTC/.exec(printed)?.[1];
    const us = parseTime(word, { ...PRESENT, now: Date.now() * 1000 });
    assert.equal(showTime(us, { utc: true }, 0), `${expected}Z`, word);
  }
});

test('systemd-analyze timestamp means the same by words that depend on the present', {
  skip: hasSystemdAnalyze() ? false : 'there is no systemd-analyze that works',
}, () => {
  for (const word of ['now', '-1h', '+90min', '3 days ago', '2h 5min ago', '-1w', '10s ago', '1M ago']) {
    const before = Date.now() * 1000;
    const printed = execFileSync('systemd-analyze', ['timestamp', '--', word], {
      env: { ...process.env, TZ: 'UTC' },
      encoding: 'utf8',
    });
    const after = (Date.now() + 1) * 1000; // Node's clock leaves the microseconds out
    const theirs = Math.floor(Number(/UNIX seconds: @(\d+(?:\.\d+)?)/.exec(printed)?.[1]) * 1e6);
    // Their present lies between our two.
    assert.ok(parseTime(word, { ...PRESENT, now: before }) <= theirs + 1_000_000, word);
    assert.ok(parseTime(word, { ...PRESENT, now: after }) >= theirs, word);
  }
});

function hasSystemdAnalyze(): boolean {
  try {
    execFileSync('systemd-analyze', ['timestamp', 'now'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
