/** A report is read back strictly, whatever names the processes chose: nothing of theirs becomes an element. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { readAssets } from '../../query/report/assets.js';
import { reportHtml } from '../../query/report/document.js';
import { harmless } from '../../query/report/harmless.js';
import { escapeHtml, scriptJson } from '../../query/report/html.js';
import type { Story } from '../../query/report/model.js';
import { anyStory, anyText, crowdedStory, storyOf } from './stories.js';

const ASSETS = readAssets();
const ACTIVE =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\p{Surrogate}/u;
const TAG = /<(\/?)([a-z][a-z0-9]*)((?:\s+[a-zA-Z-]+(?:="[^"<>]*")?)*)\s*\/?>/g;
const ELEMENTS = new Set(
  `html head meta link title style body header p h1 h2 span ul li details summary dl div dt dd main figure button output svg g rect
   path text defs pattern figcaption input table thead tr th tbody td footer script`.split(/\s+/),
);

function reportOf(story: Story, facts: readonly [string, string][] = []): string {
  return reportHtml(story, { ...ASSETS, facts: () => facts });
}

/** Takes a report apart; throws where it is not what a strict reader expects. */
function read(html: string): { json: unknown; tags: string[]; rest: string } {
  const data = /<script type="application\/json" id="story">([^<]*)<\/script>/.exec(html);
  assert.ok(data !== null, 'one block of data, which nothing in it can end');
  const bare = html
    .replace(data[0], '')
    .replace(`<script>${ASSETS.script}</script>`, '')
    .replace(`<style>${ASSETS.style}</style>`, '')
    .replace('<!doctype html>', '');
  const tags = [...bare.matchAll(TAG)].map(match => match[2] ?? '');
  const rest = bare.replace(TAG, '');
  return { json: JSON.parse(data[1] ?? ''), tags, rest };
}

test('any story becomes known elements and text, and nothing that acts', () => {
  fc.assert(
    fc.property(anyStory, anyText, (story, text) => {
      const html = reportOf(story, [['Process', text]]);
      assert.doesNotMatch(html.replace(ASSETS.script, ''), ACTIVE);
      const { json, tags, rest } = read(html);
      assert.deepEqual(
        tags.filter(tag => !ELEMENTS.has(tag)),
        [],
      );
      assert.doesNotMatch(rest, /[<>]/);
      assert.deepEqual(json, JSON.parse(JSON.stringify(harmless(story))));
    }),
    { numRuns: 150 },
  );
});

test('escaped text and data hold no sign of HTML', () => {
  fc.assert(
    fc.property(anyText, text => {
      assert.doesNotMatch(escapeHtml(text), /[<>"']|&(?!(?:amp|lt|gt|quot|#39);)/);
      const json = scriptJson({ [text]: text });
      assert.doesNotMatch(json, /[<>&\u2028\u2029]/);
      assert.deepEqual(JSON.parse(json), JSON.parse(JSON.stringify({ [text]: text })));
    }),
  );
});

test('only the script and the style that the file holds may run, and nothing may be loaded', () => {
  const html = reportOf(storyOf());
  const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(html)?.[1] ?? '';
  const hash = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`;
  const script = /<script>([\s\S]*?)<\/script>/.exec(html)?.[1] ?? '';
  const style = /<style>([\s\S]*?)<\/style>/.exec(html)?.[1] ?? '';
  assert.ok(script.length > 1000 && style.length > 1000);
  assert.deepEqual(policy.split('; '), [
    "default-src 'none'",
    `script-src '${hash(script)}'`,
    `style-src '${hash(style)}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ]);
  assert.doesNotMatch(html.replace(script, ''), /https?:|\/\/[a-z]+\.|url\((?!"?#)|@import|\son[a-z]+=/);
});

test('the script asks nothing of the outside and builds nothing from text', () => {
  assert.doesNotMatch(
    ASSETS.script,
    /\bfetch\(|XMLHttpRequest|WebSocket|import\(|\beval\(|new Function|innerHTML|insertAdjacent|document\.write/,
  );
  assert.doesNotMatch(ASSETS.script + ASSETS.style, /<\/(?:script|style)|<!--/i);
});

test('a story of any size makes a file in bounds, with the first rows for those without scripts', () => {
  const html = reportOf(crowdedStory(20_000));
  assert.ok(html.length < 8_000_000, `${html.length}`);
  const bare = html.replace(/<script[\s\S]*?<\/script>/g, '');
  assert.ok(bare.length < 1_000_000, `${bare.length}`);
  assert.equal([...bare.matchAll(/<tr class=/g)].length, 400);
});
