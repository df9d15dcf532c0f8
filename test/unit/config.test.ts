import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SnoopError } from '../../migrations/errors.js';
import { parseConfig } from '../../recorder/config.js';

function refused(text: string): string {
  try {
    parseConfig(text, 'x.toml');
  } catch (error) {
    assert.ok(error instanceof SnoopError, String(error));
    assert.equal(error.code, 'config');
    return `${error.message}; ${error.hint}`;
  }
  return assert.fail(`was not refused: ${text}`);
}

test('a setting is the option of the same name, numbers as texts', () => {
  const text = 'flush = 500\nargs-bytes = "4K"\nredact = false\ncgroup = ["/a", "/b"]\nmax-size = "20G"';
  assert.deepEqual(
    parseConfig(text, 'x.toml').map(({ option, value }) => [option, value]),
    [
      ['flush', '500'],
      ['argsBytes', '4K'],
      ['redact', false],
      ['cgroup', ['/a', '/b']],
      ['maxSize', '20G'],
    ],
  );
});

test('an unknown setting is an error that guesses what was meant', () => {
  assert.match(refused('max_size = "1G"'), /unknown setting "max_size"; did you mean max-size\?/);
  assert.match(refused('retian = "30d"'), /did you mean retain\?/);
  assert.match(refused('colour = "blue"'), /known are db, cgroup, flush/);
  assert.match(refused('__proto__ = 1'), /unknown setting|is TOML/);
  assert.match(refused('[recorder]\nflush = 1'), /unknown setting "recorder"/);
});

test('a value of the wrong kind, and what is no TOML, is named with its place', () => {
  assert.match(refused('redact = "no"'), /redact must be true or false/);
  assert.match(refused('flush = 2.5'), /flush must be a text or a whole number/);
  assert.match(refused('cgroup = [1]'), /cgroup must be a list of texts/);
  assert.match(refused('flush = 1\nflush = '), /x\.toml, line 2: /);
});

test('whatever text it is, it gives settings or one error for people', () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom('flush = 1', 'redact = true', 'db = "x"', '[a]', '"', '= 1', 'args = [', 'flush = 1e400'),
  );
  fc.assert(
    fc.property(fc.array(line), lines => {
      try {
        for (const { value } of parseConfig(lines.join('\n'), 'x.toml'))
          assert.ok(['string', 'boolean', 'object'].includes(typeof value));
      } catch (error) {
        assert.ok(error instanceof SnoopError, String(error));
      }
    }),
  );
});
