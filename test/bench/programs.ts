/** The programs of the bench, which `node setup/build.mjs --bench` made, and how they are run. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../migrations/database.js';

const DIST = join(PACKAGE_ROOT, 'dist');
const RUN_MS = 180_000;

export const SNOOPREC = join(DIST, 'bin', 'snooprec.js');
export const SNOOPQ = join(DIST, 'bin', 'snoopq.js');
export const BETTER_SQLITE = join(PACKAGE_ROOT, 'node_modules', 'better-sqlite3');

/** The path of a C program of this directory. */
export function program(name: string): string {
  return join(DIST, 'test', 'bench', name);
}

/** What a workload tells of itself. */
export interface Facts {
  pid: number;
  ops: number;
  ns: number;
}

/** Runs a workload to its end. */
export function runWorkload(name: string, ...args: (string | number)[]): Facts {
  return factsOf(runCommand(program(name), ...args.map(String)).stdout);
}

/** The numbers of the key=value lines that a program of this directory prints, by their keys. */
export function numbersIn(stdout: string): (key: string) => number {
  return key => Number(new RegExp(`^${key}=(\\d+)$`, 'm').exec(stdout)?.[1]);
}

/** pid, ops and ns. */
export function factsOf(stdout: string): Facts {
  const of = numbersIn(stdout);
  return { pid: of('pid'), ops: of('ops'), ns: of('ns') };
}

/** Runs a command to its end, which must be a good one. */
export function runCommand(file: string, ...args: string[]): { stdout: string; stderr: string } {
  const result = tryCommand(file, ...args);
  if (result.status === 0) return result;
  throw new Error(`${file} ${args.join(' ')} failed: ${result.stderr}`);
}

/** Runs a command to its end, whatever that is; status null: it could not be run. */
export function tryCommand(
  file: string,
  ...args: string[]
): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr, error } = spawnSync(file, args, {
    encoding: 'utf8',
    timeout: RUN_MS,
    maxBuffer: 1 << 26,
  });
  return { status, stdout: stdout ?? '', stderr: error ? error.message : stderr };
}
