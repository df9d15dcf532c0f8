/** Reports in a real browser: they open quietly, zoom, search, stay text, and stay smooth. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { readAssets } from '../../query/report/assets.js';
import { reportHtml } from '../../query/report/document.js';
import type { Story } from '../../query/report/model.js';
import { PID, writeFixture } from '../query/fixture.js';
import { ask } from '../query/io.js';
import { scratchDirectory } from '../query/scratch.js';
import { launch, NO_BROWSER, open } from './browser.js';
import { crowdedStory, HOSTILE, lifeOf, signalOf, storyOf } from './stories.js';

const DIR = scratchDirectory();
const DB = join(DIR, 'fixture.db');
let browser: Browser;

before(async () => {
  writeFixture(DB);
  if (NO_BROWSER === false) browser = await launch();
});
after(async () => {
  if (NO_BROWSER === false) await browser.close();
});

async function reportOf(pid: number): Promise<string> {
  return (await ask(DB, ['report', String(pid), '-o', '-'])).out;
}

function pageOf(story: Story): string {
  return reportHtml(story, { ...readAssets(), facts: () => [] });
}

/** "1.3 s in view": what the status says of the span. */
async function spanOf(page: Page): Promise<string> {
  return (await page.locator('#status').textContent())?.split(', ')[1] ?? '';
}

/** Lets the next frame be drawn. */
function frame(page: Page): Promise<void> {
  return page.evaluate(
    () => new Promise<void>(resolve => requestAnimationFrame(() => setTimeout(resolve, 0))),
  );
}

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [name, width] of [
    ['wide', 1280],
    ['narrow', 380],
  ] as const) {
    test(`a report opens without a complaint, ${colorScheme} and ${name}`, { skip: NO_BROWSER }, async () => {
      const viewport = { width, height: 800 };
      const { page, trouble } = await open(browser, DIR, await reportOf(PID.sleep), {
        colorScheme,
        viewport,
      });
      assert.equal(await page.title(), `Who killed sleep (pid ${PID.sleep})?`);
      assert.match((await page.locator('.lead').textContent()) ?? '', /^bash \(pid 5978\) killed sleep/);
      await page.locator('#picture .bar.subject').waitFor({ state: 'attached' });
      const { room, needed, paper } = await page.evaluate(() => ({
        room: document.documentElement.clientWidth,
        needed: document.documentElement.scrollWidth,
        paper: getComputedStyle(document.documentElement).backgroundColor,
      }));
      assert.ok(needed <= room, `${needed} px on a screen of ${room}`);
      assert.equal(paper === 'rgb(21, 23, 27)', colorScheme === 'dark');
      assert.deepEqual(trouble, []);
      await page.context().close();
    });
  }
}

test('wheel, buttons, keys and drag zoom and move, and the whole comes back', {
  skip: NO_BROWSER,
}, async () => {
  const { page, trouble } = await open(browser, DIR, await reportOf(PID.groupHandles));
  const whole = await spanOf(page);
  const scroller = page.locator('#scroller');
  const box = await scroller.boundingBox();
  assert.ok(box !== null);
  await scroller.scrollIntoViewIfNeeded();
  await page.mouse.move(box.x + 700, box.y + 40);
  await page.mouse.wheel(0, -400);
  await frame(page);
  const zoomed = await spanOf(page);
  assert.notEqual(zoomed, whole);

  const tick = (): Promise<string | null> => page.locator('#axis .time').first().textContent();
  const before = await tick();
  await page.mouse.down();
  await page.mouse.move(box.x + 300, box.y + 40, { steps: 5 });
  await page.mouse.up();
  await frame(page);
  assert.equal(await spanOf(page), zoomed, 'moving shows as much');
  assert.notEqual(await tick(), before, 'of another time');

  await page.getByRole('button', { name: 'Whole story' }).click();
  await frame(page);
  assert.equal(await spanOf(page), whole);
  await scroller.focus();
  await page.keyboard.press('+');
  await frame(page);
  const byKey = await spanOf(page);
  assert.notEqual(byKey, whole);
  await page.keyboard.press('0');
  await frame(page);
  assert.equal(await spanOf(page), whole);
  await page.getByRole('button', { name: 'Zoom in' }).click();
  await frame(page);
  assert.equal(await spanOf(page), byKey);
  await page.getByRole('button', { name: 'The end' }).click();
  await frame(page);
  assert.match(await spanOf(page), /ms in view|µs in view/);
  assert.deepEqual(trouble, []);
  await page.context().close();
});

test('over a picture that shows all, the wheel scrolls the page', { skip: NO_BROWSER }, async () => {
  const { page } = await open(browser, DIR, await reportOf(PID.sleep), {
    viewport: { width: 1280, height: 500 },
  });
  const scroller = page.locator('#scroller');
  await scroller.scrollIntoViewIfNeeded();
  const box = await scroller.boundingBox();
  await page.mouse.move((box?.x ?? 0) + 700, (box?.y ?? 0) + 20);
  const scrolled = (): Promise<number> => page.evaluate(() => window.scrollY);
  const from = await scrolled();
  await page.mouse.wheel(0, 200);
  await page.waitForFunction(y => window.scrollY > y, from);
  await page.context().close();
});

test('the pointer is told what it points at', { skip: NO_BROWSER }, async () => {
  const { page } = await open(browser, DIR, await reportOf(PID.sleep));
  await page.locator('#picture .bar.subject').hover();
  assert.match(
    (await page.locator('#tip').textContent()) ?? '',
    /^sleep 2219: SIGKILL.*1\.2 s.*sleep 1000.*\/home\/ann/,
  );
  await page.locator('#picture .word.fatal').hover();
  assert.match((await page.locator('#tip').textContent()) ?? '', /^bash 5978: SIGKILL → sleep 2219 by kill/);
  await page.mouse.move(5, 5);
  assert.equal(await page.locator('#tip').isVisible(), false);
  await page.context().close();
});

test('a crowd of alike children is one row, and a click unfolds it', { skip: NO_BROWSER }, async () => {
  const children = Array.from({ length: 300 }, (_, i) =>
    lifeOf(i + 2, { parent_id: 1, exe: '/bin/true', comm: 'true' }),
  );
  const { page, trouble } = await open(
    browser,
    DIR,
    pageOf(storyOf({ subject: 1, lives: [lifeOf(1), ...children] })),
  );
  assert.equal(await page.locator('#picture .label').count(), 2);
  const crowd = page.locator('#picture .label.folded');
  assert.equal(await crowd.textContent(), '▸ true ×300');
  const height = (): Promise<number> =>
    page.evaluate(() => document.getElementById('scroller')?.scrollHeight ?? 0);
  await crowd.click();
  await frame(page);
  assert.equal(await crowd.textContent(), '▾ true ×300');
  assert.ok((await height()) > 300 * 30);
  assert.ok((await page.locator('#picture .label').count()) < 60, 'only rows in view are drawn');
  await crowd.click();
  await frame(page);
  assert.ok((await height()) < 120);
  assert.deepEqual(trouble, []);
  await page.context().close();
});

test('the search finds events by all their words, and an event is shown in the picture', {
  skip: NO_BROWSER,
}, async () => {
  const { page } = await open(browser, DIR, await reportOf(PID.sleep));
  assert.equal(await page.locator('#events tr').count(), 5);
  await page.getByRole('searchbox').fill('sigkill bash');
  assert.equal(await page.locator('#events tr').count(), 1);
  assert.equal(await page.locator('#count').textContent(), '1 of 5 events');
  const whole = await spanOf(page);
  await page.locator('#events tr button').click();
  await frame(page);
  assert.notEqual(await spanOf(page), whole);
  await page.getByRole('searchbox').fill('nothing of this');
  assert.equal(await page.locator('#events tr').count(), 0);
  await page.context().close();
});

test('hostile names stay text', { skip: NO_BROWSER }, async () => {
  const lives = HOSTILE.map((text, i) =>
    lifeOf(i + 1, {
      parent_id: i === 0 ? null : 1,
      comm: text,
      exe: text,
      cmdline: text,
      cwd: text,
      user: text,
      unit: text,
      ending: text,
    }),
  );
  const signals = HOSTILE.map((text, i) =>
    signalOf(i + 1, { sender_id: 1, target_id: i + 1, signal: text, mechanism: text }),
  );
  const execs = HOSTILE.map((text, i) => ({
    id: i + 1,
    process_id: i + 1,
    time_us: storyOf().span.from + i,
    comm: text,
    filename: text,
    cmdline: text,
    result: text,
  }));
  const gaps = HOSTILE.map(text => ({ kind: text, event: text, count: 1, cause: text, ...storyOf().span }));
  for (const title of HOSTILE) {
    const story = storyOf({
      title,
      host: title,
      subject: 1,
      lives,
      signals,
      execs,
      gaps,
      omitted: [...HOSTILE],
    });
    const { page, trouble } = await open(browser, DIR, pageOf(story));
    await page.locator('#picture .bar').first().hover();
    const {
      title: shown,
      scripts,
      odd,
      active,
    } = await page.evaluate(() => ({
      title: document.title,
      scripts: document.scripts.length,
      odd: document.querySelectorAll('img, iframe, object, embed, a, form, svg [onload], [onerror]').length,
      active: /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u200b-\u200f]/.test(
        document.documentElement.textContent ?? '',
      ),
    }));
    assert.notEqual(shown, 'owned');
    assert.equal(scripts, 3, 'the data, the zone and the script');
    assert.equal(odd, 0);
    assert.equal(active, false, 'nothing that turns letters around or hides');
    assert.deepEqual(trouble, []);
    await page.context().close();
  }
});

test('even a script that got into the page may not run, load or send', { skip: NO_BROWSER }, async () => {
  const { page } = await open(browser, DIR, await reportOf(PID.sleep));
  const refused = await page.evaluate(async () => {
    const directives: string[] = [];
    document.addEventListener('securitypolicyviolation', event => directives.push(event.effectiveDirective));
    const script = document.createElement('script');
    try {
      script.text = 'document.title = "owned"';
      document.body.append(script);
    } catch {
      directives.push('trusted types');
    }
    try {
      document.body.innerHTML = '<b>owned</b>';
    } catch {
      directives.push('trusted types');
    }
    await fetch('data:text/plain,x').catch(() => {});
    await new Promise(resolve => setTimeout(resolve, 100));
    return { directives, title: document.title };
  });
  assert.ok(
    refused.directives.filter(directive => directive === 'trusted types').length === 2,
    `${refused.directives}`,
  );
  assert.ok(refused.directives.includes('connect-src'));
  assert.notEqual(refused.title, 'owned');
  await page.context().close();
});

test('without scripts there are the verdict, the picture and the table', { skip: NO_BROWSER }, async () => {
  const { page, trouble } = await open(browser, DIR, await reportOf(PID.sleep), { javaScriptEnabled: false });
  assert.match((await page.locator('.lead').textContent()) ?? '', /killed sleep/);
  assert.equal(await page.locator('#picture .bar').count(), 4);
  assert.equal(await page.locator('#events tr').count(), 5);
  assert.equal(await page.locator('#search').isVisible(), false);
  assert.deepEqual(trouble, []);
  await page.context().close();
});

test('on paper the whole picture stands in black on white, without buttons', {
  skip: NO_BROWSER,
}, async () => {
  const children = Array.from({ length: 90 }, (_, i) => lifeOf(i + 2, { parent_id: 1 }));
  const story = storyOf({ subject: 1, lives: [lifeOf(1), ...children] });
  const { page, trouble } = await open(browser, DIR, pageOf(story), { colorScheme: 'dark' });
  await page.emulateMedia({ media: 'print' });
  await page.evaluate(() => window.dispatchEvent(new Event('beforeprint')));
  await frame(page);
  assert.equal(await page.locator('#picture .label').count(), 91);
  assert.equal(await page.locator('.bar-of-tools').isVisible(), false);
  const color = await page.evaluate(() => getComputedStyle(document.documentElement).color);
  assert.equal(color, 'rgb(0, 0, 0)');
  const pdf = await page.pdf({ format: 'A4' });
  assert.equal(pdf.subarray(0, 5).toString(), '%PDF-');
  assert.deepEqual(trouble, []);
  await page.context().close();
});

test('everything can be reached by keys, and says what it is', { skip: NO_BROWSER }, async () => {
  const { page } = await open(browser, DIR, await reportOf(PID.sleep));
  const names: string[] = [];
  for (let i = 0; i < 14; i++) {
    await page.keyboard.press('Tab');
    names.push(
      await page.evaluate(() => {
        const on = document.activeElement;
        return on?.getAttribute('aria-label') ?? on?.textContent ?? '';
      }),
    );
  }
  assert.deepEqual(names.slice(0, 6), ['Zoom in', 'Zoom out', 'Earlier', 'Later', 'Whole story', 'The end']);
  assert.match(names[6] ?? '', /^Picture of the story: 4 processes, 2 signals in 1\.\d s$/);
  assert.equal(names[7], 'Search events');
  assert.match(names[8] ?? '', /^14:01:00\.000000$/);
  await page.context().close();
});

test('twenty thousand events stay smooth: a frame takes less than a thirtieth of a second', {
  skip: NO_BROWSER,
}, async t => {
  const { page, trouble } = await open(browser, DIR, pageOf(crowdedStory(20_000)));
  await page.locator('#picture .bar').first().waitFor({ state: 'attached' });
  const measure = (): Promise<number[]> =>
    page.evaluate(async () => {
      const scroller = document.getElementById('scroller') as HTMLElement;
      scroller.scrollTop = 300;
      const { left, top } = scroller.getBoundingClientRect();
      const frames: number[] = [];
      let last = performance.now();
      for (let i = 0; i < 60; i++) {
        const deltaY = i < 30 ? -120 : 120;
        const at = { clientX: left + 700, clientY: top + 60, bubbles: true, cancelable: true };
        scroller.dispatchEvent(new WheelEvent('wheel', { deltaY, ...at }));
        await new Promise(resolve => requestAnimationFrame(resolve));
        frames.push(performance.now() - last);
        last = performance.now();
      }
      return frames.sort((a, b) => a - b);
    });
  // Of the main thread alone, so that other work on the machine does not count.
  const metrics = await page.context().newCDPSession(page);
  await metrics.send('Performance.enable', { timeDomain: 'threadTicks' });
  const cpu = async (): Promise<number> => {
    const { metrics: values } = await metrics.send('Performance.getMetrics');
    return 1000 * (values.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN);
  };
  const before = await cpu();
  const frames = await measure();
  const spent = ((await cpu()) - before) / frames.length;
  t.diagnostic(`CPU of a frame ${spent.toFixed(1)} ms, from frame to frame ${frames[30]?.toFixed(1)} ms`);
  assert.ok(spent > 0 && spent < 33, `${spent} ms`);
  assert.deepEqual(trouble, []);
  await page.context().close();
});
