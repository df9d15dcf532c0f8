/** A real browser that opens reports, where the machine has one. */

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const PATH = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(path =>
  existsSync(path),
);

/** Why there is no browser, for `skip`; false where there is one. */
export const NO_BROWSER: string | false = PATH === undefined && 'no chromium: apt-get install chromium';

export function launch(): Promise<Browser> {
  // Root may not have the browser's own sandbox; it opens only files that the tests make.
  return chromium.launch({ executablePath: PATH ?? '', args: ['--no-sandbox', '--disable-gpu'] });
}

/** A page that was opened, and whatever went wrong on it. */
export interface Opened {
  page: Page;
  trouble: string[];
}

let files = 0;

/** Opens HTML from a file, as a person would. */
export async function open(
  browser: Browser,
  directory: string,
  html: string,
  options: BrowserContextOptions = {},
): Promise<Opened> {
  const file = join(directory, `report-${files++}.html`);
  writeFileSync(file, html);
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const trouble: string[] = [];
  page.on('console', message => {
    if (['error', 'warning'].includes(message.type())) trouble.push(message.text());
  });
  page.on('pageerror', error => trouble.push(String(error)));
  page.on('dialog', dialog => {
    trouble.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', request => {
    if (request.url() !== pathToFileURL(file).href && !request.url().startsWith('data:'))
      trouble.push(`request: ${request.url()}`);
  });
  await page.goto(pathToFileURL(file).href);
  return { page, trouble };
}
