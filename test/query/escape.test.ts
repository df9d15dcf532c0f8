/** Nothing that a process chose acts on a terminal, and nothing is lost for a program. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { escapeJson, escapeText } from '../../query/escape.js';
import { fit, pad, textWidth } from '../../query/render/width.js';

const ACTIVE =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\p{Surrogate}/u;
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('\u001b', '\u009b', '\n', '\u202e', '\u200b', '\ud800', 'a', '東') }),
);

test('escaped text is shown as text', () => {
  assert.equal(escapeText('a\u001b[31mb\n\t\r'), 'a\\x1b[31mb\\n\\t\\r');
  assert.equal(escapeText('\u202e\u2066\u200f\u061c\u200b'), '\\u202e\\u2066\\u200f\\u061c\\u200b');
  assert.equal(escapeText('\u009b0c\u007f'), '\\x9b0c\\x7f');
  assert.equal(escapeText('\ud800x'), '\\ud800x');
  assert.equal(escapeText('\u{e0041}'), '\\u{e0041}');
  assert.equal(escapeText('Łódź 東京 \\ "quoted"'), 'Łódź 東京 \\ "quoted"');
});

test('no escaped text holds anything active, and clean text stays', () => {
  fc.assert(
    fc.property(anyText, text => {
      const escaped = escapeText(text);
      assert.doesNotMatch(escaped, ACTIVE);
      assert.equal(escapeText(escaped), escaped);
      if (/^[ -~]*$/.test(text)) assert.equal(escaped, text);
    }),
  );
});

test('JSON means the same and holds nothing active', () => {
  fc.assert(
    fc.property(fc.dictionary(anyText, fc.array(anyText)), value => {
      const json = escapeJson(JSON.stringify(value, null, 1));
      assert.doesNotMatch(json.replaceAll('\n', ''), ACTIVE);
      assert.deepEqual(JSON.parse(json), JSON.parse(JSON.stringify(value)));
    }),
  );
});

test('cut and padded text takes the columns it was given', () => {
  assert.equal(textWidth('東京'), 4);
  assert.equal(fit('東京都', 5), '東京…');
  fc.assert(
    fc.property(anyText.map(escapeText), fc.integer({ min: 1, max: 40 }), (text, width) => {
      const cut = fit(text, width);
      assert.ok(textWidth(cut) <= width, `${cut} is wider than ${width}`);
      assert.equal(textWidth(pad(cut, width, false)), width);
    }),
  );
});
