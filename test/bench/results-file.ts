/** RESULTS.md: what each suite measured when it was last run in full, one section a suite. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cells, HEAD, type Result } from './result.js';

const INTRODUCTION = [
  '# What `npm run bench` measured',
  '',
  'Written by the bench itself: each section when its suite was last run in full, all of them or by `--only`. Ratios are of',
  'the same round; a goal is held against the median.',
  '',
].join('\n');

/**
 * Puts the section of a suite that was run in place of the one that it has.
 * @param order   the names of all suites
 * @param machine what describes the machine, and the date
 */
export function writeSection(
  path: string,
  order: readonly string[],
  name: string,
  results: readonly Result[],
  machine: readonly [string, string][],
): void {
  const sections = existsSync(path) ? sectionsOf(readFileSync(path, 'utf8')) : new Map<string, string>();
  sections.set(name, section(name, results, machine));
  const known = order.filter(each => sections.has(each));
  writeFileSync(path, [INTRODUCTION, ...known.map(each => sections.get(each))].join('\n'));
}

function section(name: string, results: readonly Result[], machine: readonly [string, string][]): string {
  const row = (texts: readonly string[]) => `| ${texts.join(' | ')} |`;
  return [
    `## ${name}`,
    '',
    ...machine.map(([what, value]) => `- ${what}: ${value}`),
    '',
    row(HEAD),
    row(HEAD.map(() => '---')),
    ...results.map(result => row(cells(result))),
    '',
  ].join('\n');
}

/** By the names in their headings. */
function sectionsOf(text: string): Map<string, string> {
  return new Map(
    text
      .split(/^(?=## )/m)
      .slice(1)
      .map(part => [/^## (.*)$/m.exec(part)?.[1] ?? '', `${part.trimEnd()}\n`]),
  );
}
