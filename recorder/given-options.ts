/** Where the value of each option comes from, the command line, the configuration or the default, and how it is handed on. */

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { databasePath } from '../migrations/database.js';
import { CONFIG_FILE, configKeys, configText, readConfig } from './config.js';
import { type RawOptions, recordOptions } from './options.js';

/** Where each option that is neither given nor the default comes from. */
const sources = new Map<string, string>();

/** Puts in what the configuration sets and nobody gave. The background recorder is given everything by its starter. */
export function applyConfig(command: Command): void {
  if (process.env['SNOOPREC_READY_FD'] !== undefined) return;
  const asked = command.opts<{ config?: string }>().config;
  for (const { key, option, value, file } of readConfig(resolve(asked ?? CONFIG_FILE), asked !== undefined)) {
    const isOther = key === 'db' && (command.name() === 'run' || process.env['SNOOPREC_DB'] !== undefined);
    const isKnown = command.options.some(known => known.attributeName() === option);
    if (isOther || !isKnown || command.getOptionValueSource(option) === 'cli') continue;
    command.setOptionValueWithSource(option, value, 'config');
    sources.set(option, file);
  }
}

/** What `start` with these options would take, and where each value comes from. */
export function effectiveConfig(raw: RawOptions, command: Command): string {
  recordOptions(raw); // what is wrong is told, not shown
  const values: Record<string, unknown> = { ...raw, db: resolve(databasePath(raw.db)) };
  const sourceOf = (option: string) => {
    if (command.getOptionValueSource(option) === 'cli') return 'given';
    if (option === 'db' && raw.db === undefined && process.env['SNOOPREC_DB']) return 'SNOOPREC_DB';
    return sources.get(option) ?? 'default';
  };
  return configText(
    configKeys().map(({ key, option }) => ({ key, value: values[option], source: sourceOf(option) })),
  );
}

const PASSED_ON = [
  'flush',
  'argsBytes',
  'lethalBuffer',
  'bulkBuffer',
  'maxSize',
  'keepFree',
  'retain',
  'group',
  'capture',
  'returns',
  'transport',
] as const;

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);
}

/** The options as arguments for the recorder in the background, which runs in / and so needs the full path. */
export function passOn(raw: RawOptions, command: Command): string[] {
  const options = recordOptions(raw);
  const given = (name: keyof RawOptions) =>
    ['cli', 'config'].includes(command.getOptionValueSource(name) ?? '');
  return [
    `--db=${options.db}`,
    ...(raw.cgroup ?? []).map(directory => `--cgroup=${resolve(directory)}`),
    ...(raw.countSyscalls ? ['--count-syscalls'] : []),
    ...(raw.args === false ? ['--no-args'] : []),
    ...(raw.redact === false ? ['--no-redact'] : []),
    ...PASSED_ON.filter(given).map(name => `--${kebab(name)}=${raw[name]}`),
  ];
}
