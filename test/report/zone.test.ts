/** Times of a report: those of the machine where it was made, with a switch to UTC, wherever it is opened. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { localZone } from '../../query/local-zone.js';
import { ticksOf } from '../../query/report/axis.js';
import { dayTime, UTC, wallTime, zoneWords } from '../../query/report/zone.js';
import { PID, writeFixture } from '../query/fixture.js';
import { ask } from '../query/io.js';
import { scratchDirectory } from '../query/scratch.js';
import { launch, NO_BROWSER, open } from './browser.js';

const DIR = scratchDirectory();
const DB = join(DIR, 'fixture.db');
const HOUR = 3_600_000_000;
let browser: Browser;

before(async () => {
  writeFixture(DB);
  if (NO_BROWSER === false) browser = await launch();
});
after(async () => {
  if (NO_BROWSER === false) await browser.close();
});

async function within<T>(zone: string, work: () => T | Promise<T>): Promise<T> {
  const was = process.env['TZ'];
  process.env['TZ'] = zone;
  try {
    return await work();
  } finally {
    if (was === undefined) delete process.env['TZ'];
    else process.env['TZ'] = was;
  }
}

const us = (iso: string): number => Date.parse(iso) * 1000;
const reportIn = (zone: string, ...words: string[]): Promise<string> =>
  within(zone, async () => (await ask(DB, ['report', ...words, '-o', '-'])).out);

/** What somebody sees of the page: not the text of the other zone. */
const seen = (page: Page): Promise<string> =>
  // biome-ignore lint/performance/useDomNodeTextContent: textContent would hold what is hidden too
  page.locator('body').innerText();

test('a zone is the offsets of its clocks, to the second in which they change', async () => {
  const span = { from: us('2026-10-20T00:00:00Z'), to: us('2026-10-30T00:00:00Z') };
  const zone = await within('Europe/Berlin', () => localZone(span));
  assert.deepEqual(zone, {
    name: 'Europe/Berlin',
    shifts: [
      { from: span.from, offset: 2 * HOUR },
      { from: us('2026-10-25T01:00:00Z'), offset: HOUR },
    ],
  });
  assert.equal(dayTime(us('2026-10-25T00:59:59Z'), zone), '2026-10-25 02:59:59');
  assert.equal(dayTime(us('2026-10-25T01:00:00Z'), zone), '2026-10-25 02:00:00');
  assert.equal(dayTime(us('2026-01-01T00:00:00Z'), zone), '2026-01-01 02:00:00', 'before it: as it begins');
  assert.equal(zoneWords(zone, span.to), 'Europe/Berlin (UTC+1)');
  assert.equal(await within('UTC', () => localZone(span)), UTC);
  const half = await within('America/St_Johns', () => localZone(span));
  assert.equal(zoneWords(half, span.to), 'America/St_Johns (UTC−2:30)');
  assert.equal(wallTime(us('2026-10-20T01:00:00Z') + 7, half), '2026-10-19T22:30:00.000007');
});

test('ticks stand at whole hours and days of the zone', async () => {
  const span = { from: us('2026-11-21T10:10:00Z'), to: us('2026-11-21T16:00:00Z') };
  const zone = await within('Asia/Kolkata', () => localZone(span));
  const labels = ticksOf(span, 600, 90, zone).map(({ label }) => label);
  assert.deepEqual(labels, ['16:00', '17:00', '18:00', '19:00', '20:00', '21:00']);
  const days = { from: us('2026-11-18T10:00:00Z'), to: us('2026-11-21T10:00:00Z') };
  const [first] = ticksOf(days, 300, 90, zone);
  assert.deepEqual(first, { time: us('2026-11-18T18:30:00Z'), label: '2026-11-19' });
});

test('a report shows the times of where it was made, says so, and shows UTC at a click', {
  skip: NO_BROWSER,
}, async () => {
  const html = await reportIn('Europe/Berlin', String(PID.sleep));
  const { page, trouble } = await open(browser, DIR, html, { timezoneId: 'Asia/Tokyo' });
  const local = await seen(page);
  assert.match(local, /2026-11-21 15:00:59 – 15:01:01 Europe\/Berlin \(UTC\+1\)/);
  assert.match(local, /Died\s+2026-11-21 15:01:01\.200085/);
  assert.match(local, /Times are those of Europe\/Berlin/);
  assert.doesNotMatch(local, /\b14:0|\b23:0/, 'neither UTC nor the zone of the browser');
  assert.match((await page.locator('#events tr td').first().textContent()) ?? '', /^15:0/);
  assert.match((await page.locator('#axis .time').first().textContent()) ?? '', /^15:0/);
  await page.locator('#picture .bar.subject').hover();
  assert.match((await page.locator('#tip').textContent()) ?? '', /15:01:00\.000000 to 15:01:01/);

  await page.getByRole('button', { name: 'Show times in UTC' }).click();
  await page.locator('#status', { hasText: ' UTC, ' }).waitFor();
  const utc = await seen(page);
  assert.match(utc, /2026-11-21 14:00:59 – 14:01:01 UTC/);
  assert.match(utc, /Times are UTC/);
  assert.doesNotMatch(utc, /\b15:0/);
  assert.match((await page.locator('#axis .time').first().textContent()) ?? '', /^14:0/);
  await page.locator('#search').fill('14:01:01');
  assert.match((await page.locator('#count').textContent()) ?? '', /^[1-9]\d* of/);

  await page.getByRole('button', { name: 'Show times in Europe/Berlin' }).click();
  await page.locator('#status', { hasText: 'Europe/Berlin' }).waitFor();
  assert.match(await seen(page), /Times are those of Europe\/Berlin/);
  assert.deepEqual(trouble, []);
  await page.context().close();
});

test('--utc opens it with UTC, and the switch is there; without scripts it stays so', {
  skip: NO_BROWSER,
}, async () => {
  const html = await reportIn('Europe/Berlin', '--since', '2026-11-21 15:00', '--utc');
  const { page } = await open(browser, DIR, html);
  assert.match(await seen(page), /What happened between 2026-11-21 14:00:00Z and/);
  await page.getByRole('button', { name: 'Show times in Europe/Berlin' }).click();
  assert.match(await seen(page), /What happened between 2026-11-21 15:00:00 and/);
  await page.context().close();
  const still = await open(browser, DIR, html, { javaScriptEnabled: false });
  assert.match(await seen(still.page), /What happened between 2026-11-21 14:00:00Z and/);
  assert.equal(await still.page.getByRole('button', { name: 'Show times' }).count(), 0);
  await still.page.context().close();
});

test('where clocks show UTC there is nothing to switch', async () => {
  const html = await reportIn('UTC', String(PID.sleep));
  assert.doesNotMatch(html.replace(/<script>[\s\S]*?<\/script>/, ''), /Show times|in-local">/);
  assert.match(html, /Times are UTC\./);
});
