/** Words of the command line, and values of columns as people see them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { SnoopError } from '../../migrations/errors.js';
import { migrate } from '../../migrations/migrate.js';
import { showValue } from '../../query/kinds.js';
import { parseProcess } from '../../query/parameters.js';
import { isLethal, parseSignal, signalName } from '../../query/signal-names.js';
import { showDuration } from '../../query/time.js';

const refused = (error: unknown): boolean =>
  error instanceof SnoopError && error.code === 'usage' && error.hint !== undefined;

test('signals go by any of their names', () => {
  for (const word of ['KILL', 'SIGKILL', '9', 'kill', 'sigkill']) assert.equal(parseSignal(word), 9);
  assert.equal(parseSignal('RTMIN+1'), 35);
  assert.equal(parseSignal('SIGRTMAX-1'), 63);
  assert.equal(parseSignal('SIGIOT'), 6);
  assert.equal(parseSignal('0'), 0);
  for (const word of ['', 'KIL', '65', '-9', 'RTMIN+99', 'SIGSIGKILL'])
    assert.throws(() => parseSignal(word), refused);
});

test('names and default actions agree with the table in the database', () => {
  const db = new Database(':memory:');
  migrate(db);
  for (const row of db.prepare('SELECT sig, name, default_action FROM signal_name').all() as {
    sig: number;
    name: string;
    default_action: string;
  }[]) {
    assert.equal(signalName(row.sig), row.name);
    assert.equal(parseSignal(row.name), row.sig);
    assert.equal(isLethal(row.sig), ['terminate', 'core'].includes(row.default_action), row.name);
  }
});

test('a pid is a number that Linux can give; anything else is a name or refused', () => {
  assert.deepEqual(parseProcess('2219'), { pid: 2219, name: null });
  assert.deepEqual(parseProcess('12x'), { pid: null, name: '12x' });
  assert.deepEqual(parseProcess("x' OR 1=1--"), { pid: null, name: "x' OR 1=1--" });
  for (const word of ['', '0', '-5', '+5', '4194305', '99999999999999999999'])
    assert.throws(() => parseProcess(word), refused);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4_194_304 }), pid =>
      assert.equal(parseProcess(String(pid)).pid, pid),
    ),
  );
});

test('durations have two significant parts', () => {
  const us = {
    85: '85 µs',
    1200: '1.2 ms',
    999400: '999 ms',
    1200085: '1.2 s',
    59940000: '60 s',
    200000000: '3 min 20 s',
    7200000000: '2 h',
    356400000000: '4 d 3 h',
  };
  for (const [value, text] of Object.entries(us)) assert.equal(showDuration(Number(value)), text);
});

test('columns are shown by their kind', () => {
  const clock = { utc: true };
  assert.equal(showValue('2026-11-21T14:01:01.200085Z', 'time', clock), '2026-11-21 14:01:01.200Z');
  assert.equal(showValue(1200.085, 'milliseconds', clock), '1200.085');
  assert.equal(showValue(null, 'pid', clock), '');
  assert.equal(showValue(1, 'flag', clock), 'yes');
  assert.equal(showValue(Buffer.from([0xff]), 'any', clock), "x'ff'");
  assert.equal(showValue('\u001b[2J', 'name', clock), '\\x1b[2J');
});
