#!/usr/bin/env node
/**
 * Makes the pictures of the documentation from a recording that a test makes up: docs/report*.png in Chromium, and the answer
 * of a terminal as docs/answer.svg. Nothing of this machine is in them.
 *
 *   node setup/build.mjs && node setup/pictures.mjs
 */

import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ask } from '../dist/test/query/io.js';
import { launch, NO_BROWSER, open } from '../dist/test/report/browser.js';
import { VICTIM, writePictureStory } from '../dist/test/report/picture-story.js';

const MOST_BYTES = 200 * 1024;
const WIDTH = 1180;
const LINE = 18;
const LETTER = 7.85;

process.env.TZ = 'UTC';
process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));
if (NO_BROWSER) throw new Error(NO_BROWSER);
mkdirSync('docs', { recursive: true });
const directory = mkdtempSync(join(tmpdir(), 'snooprec-pictures-'));
try {
  const db = join(directory, 'story.db');
  writePictureStory(db);
  await drawReport(db);
  await drawAnswer(db);
} finally {
  rmSync(directory, { recursive: true });
}

async function drawReport(db) {
  const { out: html } = await ask(db, ['report', String(VICTIM), '-o', '-']);
  const browser = await launch();
  try {
    for (const colorScheme of ['light', 'dark']) {
      const { page } = await open(browser, directory, html, {
        colorScheme,
        viewport: { width: WIDTH, height: 900 },
      });
      const box = await page.locator('figure').boundingBox();
      const clip = { x: 0, y: 0, width: WIDTH, height: Math.ceil(box.y + box.height + 24) };
      const path = `docs/report-${colorScheme}.png`;
      await page.screenshot({ path, clip, fullPage: true });
      note(path);
      await page.context().close();
    }
  } finally {
    await browser.close();
  }
}

async function drawAnswer(db) {
  const command = `snoopq who-killed ${VICTIM}`;
  const { out } = await ask(db, ['who-killed', String(VICTIM), '--utc'], {
    isTerminal: true,
    hasColor: true,
    width: 92,
  });
  writeFileSync(
    'docs/answer.svg',
    terminalSvg([`\u001b[2m$ sudo \u001b[22m${command}`, '', ...out.trimEnd().split('\n')]),
  );
  note('docs/answer.svg');
}

/** Lines with the few styles that answers use, as a window of a terminal. */
function terminalSvg(lines) {
  const plain = lines.map(line => line.replaceAll(/\u001b\[[\d;]*m/g, ''));
  const width = Math.ceil(Math.max(...plain.map(line => line.length)) * LETTER) + 48;
  const height = lines.length * LINE + 44;
  const rows = lines.map((line, i) => `<text x="24" y="${36 + i * LINE}">${spans(line)}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
<style>
rect { fill: #fbfaf7; stroke: #dfdcd5; }
text { font: 13px ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace; fill: #1d1f24; white-space: pre; }
.b { font-weight: 600; } .d { fill: #5d616b; } .r { fill: #c14a00; } .g { fill: #1a7f37; } .y { fill: #8a6100; }
@media (prefers-color-scheme: dark) {
rect { fill: #15171b; stroke: #33373e; } text { fill: #e9e6e0; }
.d { fill: #a2a6af; } .r { fill: #ff8c42; } .g { fill: #7ee787; } .y { fill: #f0b84a; }
}
</style>
<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>
${rows.join('\n')}
</svg>
`;
}

function spans(line) {
  const styles = { 1: 'b', 2: 'd', 31: 'r', 32: 'g', 33: 'y' };
  const ends = { 22: ['b', 'd'], 39: ['r', 'g', 'y'], 0: ['b', 'd', 'r', 'g', 'y'] };
  const on = new Set();
  return line
    .split(/(\u001b\[[\d;]*m)/)
    .map(part => {
      const codes = /^\u001b\[([\d;]*)m$/.exec(part);
      if (codes === null)
        return part === '' ? '' : `<tspan class="${[...on].join(' ')}">${escapeXml(part)}</tspan>`;
      for (const code of codes[1].split(';').map(Number)) {
        if (styles[code] !== undefined) on.add(styles[code]);
        for (const style of ends[code] ?? []) on.delete(style);
      }
      return '';
    })
    .join('');
}

function escapeXml(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function note(path) {
  const { size } = statSync(path);
  if (size > MOST_BYTES) throw new Error(`${path} has ${size} bytes: more than ${MOST_BYTES}`);
  console.log(`pictures: ${path} (${Math.ceil(size / 1024)} KiB)`);
}
