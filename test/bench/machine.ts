/** What was measured on, without the name of the machine. */

import { arch, availableParallelism, cpus, release, totalmem } from 'node:os';
import { installedVersion } from './install.js';
import { tryCommand } from './programs.js';

/** Lines of "what: value". */
export function describeMachine(packages: readonly string[]): [string, string][] {
  const gib = Math.round(totalmem() / 2 ** 30);
  return [
    ['date', new Date().toISOString().slice(0, 16).replace('T', ' ')],
    ['processors', `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'unknown'} (${arch()})`],
    ['memory', `${gib} GiB`],
    ['kernel', release().replace(/-.*/, '')],
    ['Node.js', process.version],
    ['compiler', tryCommand('gcc', '-dumpfullversion').stdout.trim()],
    ...packages.map((name): [string, string] => [name, installedVersion(name) ?? 'not installed']),
  ];
}
