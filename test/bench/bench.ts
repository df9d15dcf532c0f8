/**
 * The bench: everything that DESIGN.md §8 promises, beside what a user would pick instead, in one run and one table.
 *
 *   npm run bench                   all of it, into test/bench/RESULTS.md, too
 *   npm run bench -- --only cost    one suite, or several, into their sections of it
 *   npm run bench -- --quick        fewer operations and rounds and no slow peers, in less than two minutes, and into no file
 */

import { join } from 'node:path';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import Table from 'cli-table3';
import { PACKAGE_ROOT } from '../../migrations/database.js';
import { installPackages } from './install.js';
import { describeMachine } from './machine.js';
import { PACKAGES } from './peers.js';
import { cells, HEAD, isReached, type Result } from './result.js';
import { writeSection } from './results-file.js';
import { Scene } from './scene.js';
import { type Plan, SUITES } from './suites.js';

const RESULTS = join(PACKAGE_ROOT, 'test', 'bench', 'RESULTS.md');
const NAMES = Object.keys(SUITES);

function say(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}

const OPTIONS = {
  quick: { type: 'boolean', default: false },
  only: { type: 'string', multiple: true, default: [] as string[] },
  rounds: { type: 'string' }, // else 5, and 2 in the quick run
} satisfies ParseArgsConfig['options'];

/** The options; null when they are wrong, and that was said. */
function optionsOf(args: string[]): { quick: boolean; only: string[]; rounds: number } | null {
  try {
    const { values } = parseArgs({ args, options: OPTIONS });
    const rounds = Number(values.rounds ?? (values.quick ? 2 : 5));
    if (!Number.isInteger(rounds) || rounds < 1)
      throw new Error(`--rounds ${values.rounds} is no number of rounds`);
    return { ...values, rounds };
  } catch (error) {
    say((error as Error).message.split('. ')[0] ?? '');
    say('usage: npm run bench -- [--quick] [--only SUITE]… [--rounds N]');
    return null;
  }
}

async function main(argv: string[]): Promise<number> {
  const values = optionsOf(argv);
  if (values === null) return 2;
  const wanted = values.only.length > 0 ? values.only : NAMES;
  const unknown = wanted.filter(name => !NAMES.includes(name));
  if (unknown.length > 0) {
    say(`no suite ${unknown.join(', ')}: there are ${NAMES.join(', ')}`);
    return 2;
  }
  if (process.geteuid?.() !== 0) {
    say('only root may record: sudo npm run bench');
    return 1;
  }
  const plan: Plan = { quick: values.quick, rounds: values.rounds, say };
  if (!plan.quick) {
    const installed = installPackages(PACKAGES);
    if (installed.length > 0) say(`installed ${installed.join(', ')}`);
  }
  const results: Result[] = [];
  for (const name of NAMES.filter(name => wanted.includes(name))) {
    const measured = await runSuite(name as keyof typeof SUITES, plan);
    results.push(...measured);
    if (!plan.quick) writeSection(RESULTS, NAMES, name, measured, describeMachine(PACKAGES));
  }
  process.stdout.write(`${terminalTable(results)}\n`);
  if (!plan.quick) say('wrote test/bench/RESULTS.md');
  const missed = results.filter(result => isReached(result) === false);
  say(missed.length === 0 ? 'every goal is reached' : `${missed.length} goals are missed`);
  return 0;
}

async function runSuite(name: keyof typeof SUITES, plan: Plan): Promise<Result[]> {
  const from = performance.now();
  const scene = new Scene();
  const interrupt = () => {
    scene.close();
    process.exit(130);
  };
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    return await SUITES[name](scene, plan);
  } catch (error) {
    const note = `the suite failed: ${(error as Error).message.split('\n')[0]}`;
    say((error as Error).stack ?? note);
    return [{ measure: name, subject: 'snooprec', value: null, unit: '', note }];
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    scene.close();
    say(`${name}: ${Math.round((performance.now() - from) / 1000)} s`);
  }
}

/** A measure is named once, in its first line. */
function terminalTable(results: readonly Result[]): string {
  const table = new Table({ head: [...HEAD], style: { head: [], border: [] }, wordWrap: true });
  for (const [i, result] of results.entries()) {
    const [measure, ...rest] = cells(result);
    table.push([results[i - 1]?.measure === measure ? '' : (measure ?? ''), ...rest]);
  }
  return table.toString();
}

process.exitCode = await main(process.argv.slice(2));
