import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeText, joinPath, splitStrings } from '../../recorder/text.js';
import { strings } from './records.js';

const bytes = (...values: number[]) => Uint8Array.from(values);
const ascii = (text: string) => Buffer.from(text);

/** What a reader of the database does with an escaped text. */
function unescaped(text: string): Buffer {
  return Buffer.concat(
    (text.match(/\\x[0-9a-f]{2}|\\\\|[^\\]/gu) ?? []).map(part => {
      if (part === '\\\\') return ascii('\\');
      return part.startsWith('\\x') ? Buffer.of(Number.parseInt(part.slice(2), 16)) : ascii(part);
    }),
  );
}

test('clean UTF-8 is taken as it is, backslashes and control characters too', () => {
  for (const text of [
    '',
    'bash',
    'größe',
    '名前',
    '🙂',
    'C:\\x41',
    'a\tb\nc\x1b[31m',
    '\ufeffbom',
    '\uffff',
    '\x7f',
  ]) {
    assert.deepEqual(decodeText(ascii(text)), { text, raw: null });
  }
});

test('what is no UTF-8 is escaped byte by byte, with the bytes beside it', () => {
  const table: [what: string, Uint8Array, string][] = [
    ['a NUL', bytes(0x61, 0, 0x62), 'a\\x00b'],
    ['a byte that is never valid', bytes(0x61, 0xff, 0x62), 'a\\xffb'],
    ['a lone continuation', bytes(0x80), '\\x80'],
    ['a start without its continuation', bytes(0xc3, 0x61), '\\xc3a'],
    ['a character cut off at the end', bytes(0xe5, 0x90), '\\xe5\\x90'],
    ['an overlong slash', bytes(0xc0, 0xaf), '\\xc0\\xaf'],
    ['an overlong NUL', bytes(0xe0, 0x80, 0x80), '\\xe0\\x80\\x80'],
    ['a surrogate', bytes(0xed, 0xa0, 0x80), '\\xed\\xa0\\x80'],
    ['beyond the last code point', bytes(0xf4, 0x90, 0x80, 0x80), '\\xf4\\x90\\x80\\x80'],
    ['a valid character beside an invalid byte', bytes(0xc3, 0xbc, 0xff), 'ü\\xff'],
    ['a backslash beside an invalid byte', bytes(0x5c, 0xff), '\\\\\\xff'],
    ['latin-1', Buffer.from('größe', 'latin1'), 'gr\\xf6\\xdfe'],
  ];
  for (const [what, raw, text] of table) {
    const decoded = decodeText(raw);
    assert.equal(decoded.text, text, what);
    assert.deepEqual(decoded.raw, Buffer.from(raw), what);
  }
});

test('the raw bytes are a copy, for the memory goes back to the kernel', () => {
  const lent = bytes(0xff, 0x61);
  const { raw } = decodeText(lent);
  lent.fill(0);
  assert.deepEqual(raw, Buffer.of(0xff, 0x61));
});

test('any bytes: no NUL in the text, raw only where needed, and nothing is lost', () => {
  const someBytes = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc
      .array(fc.constantFrom(0, 0x5c, 0x78, 0x41, 0xc3, 0xbc, 0xe2, 0x82, 0xac, 0xed, 0xa0, 0xf0, 0xff))
      .map(a => Uint8Array.from(a)),
    fc.string({ unit: 'binary' }).map(text => Uint8Array.from(ascii(text))),
  );
  fc.assert(
    fc.property(someBytes, raw => {
      const decoded = decodeText(raw);
      assert.ok(!decoded.text.includes('\0'));
      assert.equal(decoded.raw === null, isUtf8(raw) && !raw.includes(0));
      if (decoded.raw === null) assert.deepEqual(ascii(decoded.text), Buffer.from(raw));
      else {
        assert.deepEqual(decoded.raw, Buffer.from(raw));
        assert.deepEqual(unescaped(decoded.text), Buffer.from(raw));
      }
    }),
    { numRuns: 5000 },
  );
});

test('strings are split at their NULs, and empty ones count', () => {
  const split = (text: string) => splitStrings(ascii(text)).map(part => Buffer.from(part).toString());
  assert.deepEqual(split(''), []);
  assert.deepEqual(split('\0'), ['']);
  assert.deepEqual(split('a\0b\0'), ['a', 'b']);
  assert.deepEqual(split('\0a\0\0b\0\0'), ['', 'a', '', 'b', '']);
});

test('the last string may lack its NUL, where the block was cut', () => {
  assert.deepEqual(splitStrings(ascii('ls\0-l')).map(String), splitStrings(ascii('ls\0-l\0')).map(String));
});

test('any strings without NULs come back as they were', () => {
  const part = fc.uint8Array({ maxLength: 9 }).map(a => a.map(byte => byte || 1));
  fc.assert(
    fc.property(fc.array(part), parts => {
      assert.deepEqual(
        splitStrings(strings(parts)).map(a => Buffer.from(a)),
        parts.map(a => Buffer.from(a)),
      );
    }),
  );
});

test('a path is joined from its leaf to its root', () => {
  assert.equal(joinPath(strings(['bash', 'bin', 'usr'])).toString(), '/usr/bin/bash');
  assert.equal(joinPath(strings(['init'])).toString(), '/init');
  assert.equal(joinPath(strings([])).toString(), '/');
  assert.deepEqual(joinPath(strings([Buffer.of(0xff, 0x2f)])), Buffer.of(0x2f, 0xff, 0x2f));
});
